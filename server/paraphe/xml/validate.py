"""A tree against the schema; each defect told in the caller's own terms.

libxml2 finds the defects. Its sentences and paths are for people who know it, so both are made anew: the path is
written as /SyncStudents/students/student[17]/birthDate, the sentences are in `sentences`.

libxml2 does not look behind an element that it does not expect, and tells one missing element of several. So where it
stops, the members are put in order for the time being (`members`), and it looks again: at most once for each level of
nesting, and only at what it stopped in.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from lxml import etree

from ..contract import NAMESPACE, Complex, Field, Operation, Simple, operations, types
from ..errors import Code, Error
from . import names
from .bench import Bench
from .compiled import Compiled
from .decode import collapse, unreadable
from .members import look_at
from .sentences import Defect, Guesses, about, of_entry, unexplained

MAXIMUM_ERRORS = 100
_VALUE_LENGTH = 80
_SLICE = 1000
LAST_LINE = 65_535
"""The line from which on libxml2 does not know the lines of elements, but those of texts."""
# The levels below a request's element: a list, an item, a nested element or list, its item.
_LEVELS = 5
_ANY_ZONE = ZoneInfo("UTC")
_UNSURE = ("date", "dateTime", "base64Binary")


def items_of(operation: Operation) -> Field | None:
    """Return the element of a request that holds the items of a Sync operation, or None for other operations."""
    return next((field for field in operation.request.fields if _holds_items(field)), None)


def _holds_items(field: Field) -> bool:
    return isinstance(field.type, Complex) and field.type.item is not None and isinstance(field.type.item.type, Complex)


def defects(
    payload: etree._Element, operation: Operation, most: int | None = None, *, refused: bool = False
) -> list[Error]:
    """Return what is wrong with a request, in the order of the input; an empty list when it is valid.

    Tells the first `most` and at least one more, if there are more. Values that the schema allows and nobody can use
    are told too, if the request breaks the schema or will be `refused` anyhow. White space around dates, which XML
    Schema allows and libxml2 refuses, is dropped from the tree on the way.

    Long lists are checked in slices, because libxml2 counts siblings for each defect that it reports: 16 000 bad
    students in one list cost 4 s, in slices 0.4 s.
    """
    if not operation.request.fields and not (payload.text or "").strip(" \t\r\n"):
        payload.text = None  # XML Schema takes white space in an element without members for content
    search = _Search(payload, operation, most)
    try:
        search.look()
    finally:
        search.restore()
    if not search.found and not refused:
        names.known(payload)
        return []
    search.look_for_unreadable_values()
    places = _Places(payload, operation)
    found = [(places.of(defect.element), defect) for defect in search.found.values()]
    found.sort(key=lambda one: one[0].order)
    return [_told(defect, place) for place, defect in found]


def _told(defect: Defect, place: "_Place") -> Error:
    error = place.error(defect.element, defect.message)
    if defect.field is not None:  # of what is missing there is no value
        error = replace(error, field=defect.field, value=None)
    return replace(error, code=defect.code, hint=defect.hint)


class _Search:
    """One search for what is wrong with a request. `found` holds each defect by what it is about."""

    def __init__(self, payload: etree._Element, operation: Operation, most: int | None) -> None:
        self.found: dict[tuple[etree._Element, str, str | None], Defect] = {}
        self._payload = payload
        #: What the schema looks at, as soon as something is wrong or long.
        self._bench: Bench | None = None
        self._root = payload
        self._operation = operation
        self._most = most
        self._guess = Guesses()
        #: The children, as they were sent, of elements whose children were changed for the time being.
        self._sent: dict[etree._Element, list[etree._Element]] = {}
        self._mended: set[etree._Element] = set()
        self._stand_ins: set[etree._Element] = set()
        self._kinds: dict[etree._Element, Simple | Complex | None] = {payload: operation.request}

    def look(self) -> None:
        """Find the defects, in the order of the schema's search; `restore` must be called afterwards."""
        items = items_of(self._operation)
        array = None if items is None else self._payload.find(f"{{{NAMESPACE}}}{items.name}")
        inner = [(element, self._item_with(element, array)) for element in self._long_lists() if element is not array]
        if not inner and (array is None or len(array) <= _SLICE) and _is_valid(self._payload):
            return
        self._bench = bench = Bench(self._payload, _lists(self._operation.request))
        self._root = bench.root
        self._kinds[self._root] = self._operation.request
        array = None if array is None else bench.copy_of(array)
        inner = [(bench.copy_of(element), item) for element, item in inner]
        for element, _ in inner:
            self._sent[element] = list(element)
            self._put(element, self._sent[element][:_SLICE])
        if array is None or len(array) <= _SLICE:
            self._look_at_all_levels(array)
        else:
            self._sent[array] = list(array)
            self._look_at_slices(array, array, 0)
        for element, item in inner:
            if self._is_enough(len(self.found)):
                return
            if array is not None and item is not None:
                self._hold(array)
                self._put(array, [item])
            self._look_at_slices(element, array, _SLICE)

    def _long_lists(self) -> list[etree._Element]:
        lists = _lists(self._operation.request)
        return [element for element in self._payload.iter(*lists) if len(element) > _SLICE] if lists else []

    def _look_at_slices(self, element: etree._Element, array: etree._Element | None, begin: int) -> None:
        everyone = self._sent[element]
        for place in range(begin, len(everyone), _SLICE):
            self._put(element, everyone[place : place + _SLICE])
            self._mended.discard(element)
            self._look_at_all_levels(array)
            if self._is_enough(len(self.found)):
                return

    def _hold(self, element: etree._Element) -> None:
        """Keep the children of an element that is about to be changed for the time being."""
        if element not in self._sent:
            self._sent[element] = list(element)

    def _put(self, element: etree._Element, children: Sequence[etree._Element]) -> None:
        if self._bench is not None:
            self._bench.put(element, children)

    def restore(self) -> None:
        """Bring the tree back to what was sent."""
        if self._bench is None:
            return
        self._sent.pop(self._root, None)
        for parent, children in self._sent.items():
            self._put(parent, children)
        self._bench.clear()

    def look_for_unreadable_values(self) -> None:
        """Add the values that nobody can use; the tree must be as it was sent."""
        for element in self._payload.iter(*_tags(*_UNSURE)):
            if self._is_enough(len(self.found)):
                return
            field = self._field(element)
            if field is None or not isinstance(field.type, Simple) or field.type.primitive not in _UNSURE:
                continue
            for failure in unreadable(field.type, element, _ANY_ZONE, required=field.required):
                self._add(Defect(element, "value", f"{field.name} {failure}.", code=failure.code))

    def _is_enough(self, count: int) -> bool:
        return self._most is not None and count > self._most

    def _look_at_all_levels(self, array: etree._Element | None) -> None:
        for _ in range(_LEVELS + 1):
            stopped_in = [element for element in self._validate() if element not in self._mended]
            if not stopped_in:
                return
            for element in stopped_in:
                self._mend(element)
            items = [self._item_with(element, array) for element in stopped_in]
            if array is not None and None not in items:
                self._hold(array)
                self._put(array, list(dict.fromkeys(item for item in items if item is not None)))

    def _validate(self) -> Sequence[etree._Element]:
        """Note what libxml2 finds, up to what is enough; return the elements in which it stopped."""
        with Compiled() as compiled:
            if compiled.validate(self._root) or (_strip_dates(self._root) and compiled.validate(self._root)):
                return ()
            log = compiled.error_log
        paths, stopped_in = _Paths(self._root), dict[etree._Element, None]()
        seen = set[tuple[etree._Element, str]]()
        for entry in log:
            chain = paths.follow(entry.path)
            if not self._stand_ins.isdisjoint(chain):
                continue
            element = chain[-1]
            concern = about(entry, element)
            if concern == "members":
                stopped_in[_owner(entry, element)] = None
            elif (element, concern, None) not in self.found:
                self._add(of_entry(entry, element, self._kind(element)))
            seen.add((element, concern))
            if self._is_enough(len(seen)):
                break
        return list(stopped_in)

    def _mend(self, element: etree._Element) -> None:
        """Note what is wrong with the members of an element, and put them in order for the time being."""
        self._mended.add(element)
        kind = self._kind(element)
        looked = look_at(element, kind, self._guess, _SLICE) if isinstance(kind, Complex) else None
        for defect in looked.defects if looked else ():
            self._add(defect)
        if looked is None or not looked.defects:
            self._add(unexplained(element))
            return
        self._hold(element)
        self._stand_ins.update(looked.stand_ins)
        self._put(element, looked.mended)

    def _add(self, defect: Defect) -> None:
        if self._bench is not None:
            defect = replace(defect, element=self._bench.original_of(defect.element))
        # One mistake makes libxml2 complain about the facet and again about the type.
        self.found.setdefault((defect.element, defect.about, defect.field), defect)

    def _item_with(self, element: etree._Element, array: etree._Element | None) -> etree._Element | None:
        """Return the item of a list that an element is in, or is; None when it is elsewhere."""
        at: etree._Element | None = element
        while at is not None and at is not self._payload:
            parent = at.getparent()
            if parent is array:
                return at
            at = parent
        return None

    def _field(self, element: etree._Element) -> Field | None:
        parent = element.getparent()
        kind = None if parent is None else self._kind(parent)
        return _field(kind, etree.QName(element).localname)

    def _kind(self, element: etree._Element) -> Simple | Complex | None:
        if element not in self._kinds:
            field = self._field(element)
            self._kinds[element] = field.type if field else None
        return self._kinds[element]


def _owner(entry: etree._LogEntry, element: etree._Element) -> etree._Element:
    """Return the element whose members are wrong: libxml2 names it if one is missing, else the unexpected member."""
    if entry.type_name == "SCHEMAV_CVC_COMPLEX_TYPE_2_1" or ": Missing child" in entry.message[:400]:
        return element
    parent = element.getparent()
    return element if parent is None else parent


def _field(kind: Simple | Complex | None, name: str) -> Field | None:
    return _fields(kind).get(name) if isinstance(kind, Complex) else None


@cache
def _fields(kind: Complex) -> dict[str, Field]:
    return {field.name: field for field in kind.fields}


def _is_valid(element: etree._Element) -> bool:
    with Compiled() as compiled:
        return compiled.validate(element)


# Dates ---------------------------------------------------------------------------------------------------------


@cache
def _tags(*primitives: str) -> frozenset[str]:
    """The tags of all elements that are of these built-in types in every type that has them."""
    fields = [field for kind in types().values() if isinstance(kind, Complex) for field in kind.fields]
    fields += [field for operation in operations().values() for field in operation.request.fields]
    such = [field for field in fields if isinstance(field.type, Simple) and field.type.primitive in primitives]
    others = {field.name for field in fields} - {field.name for field in such}
    return frozenset(f"{{{NAMESPACE}}}{field.name}" for field in such if field.name not in others)


@cache
def _lists(request: Complex) -> frozenset[str]:
    """The tags of all lists in a request."""
    tags = set[str]()
    for field in request.fields:
        if isinstance(field.type, Complex):
            tags |= {f"{{{NAMESPACE}}}{field.name}"} if field.type.item else set()
            tags |= _lists(field.type)
    return frozenset(tags)


def _strip_dates(payload: etree._Element) -> bool:
    stripped = False
    for element in payload.iter(*_tags("date", "dateTime")):
        text = element.text or ""
        if text != text.strip(" \t\r\n"):
            element.text = text.strip(" \t\r\n")
            stripped = True
    return stripped


# Places --------------------------------------------------------------------------------------------------------


class _Paths:
    """Follows the paths of libxml2 in one tree; children are listed once, however many paths lead through them."""

    def __init__(self, payload: etree._Element) -> None:
        self._payload = payload
        self._children: dict[tuple[etree._Element, str], list[etree._Element]] = {}

    def follow(self, path: str | None) -> list[etree._Element]:
        """Walk a path (/*/*[6]/p:student[17]); return the elements on it, from the payload on."""
        chain = [self._payload]
        for step in (path or "").split("/")[2:]:
            name, _, position = step.rstrip("]").partition("[")
            children = self._named(chain[-1], name)
            place = int(position or 1) - 1
            if place >= len(children):
                break
            chain.append(children[place])
        return chain

    def _named(self, parent: etree._Element, name: str) -> list[etree._Element]:
        if (parent, name) not in self._children:
            prefix, _, local = name.rpartition(":")
            self._children[parent, name] = [
                child
                for child in parent
                if name == "*" or (child.prefix == (prefix or None) and etree.QName(child).localname == local)
            ]
        return self._children[parent, name]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an element stands: `order` sorts elements as they stand in the message."""

    path: str
    kind: Simple | Complex | None
    order: tuple[int, ...] = ()
    index: int | None = None
    reference: str | None = None

    def below(self, element: etree._Element, order: int, number: int) -> "_Place":
        """Return the place of a child: `order` counts its siblings, `number` those of its name."""
        name = etree.QName(element).localname
        field = _field(self.kind, name)
        kind = field.type if field else None
        path, index, reference = f"{self.path}/{name}", self.index, self.reference
        if field is not None and field.many:
            path += f"[{number}]"
            if len(self.order) == 1 and isinstance(kind, Complex):
                index = number
                reference = collapse(element.findtext(f"{{{NAMESPACE}}}reference") or "")[:64] or None
        return _Place(path, kind, (*self.order, order), index, reference)

    def error(self, element: etree._Element, message: str = "") -> Error:
        """Return an error that says that `element` stands here."""
        return Error(
            Code.SCHEMA_INVALID,
            message,
            index=self.index,
            reference=self.reference,
            field=etree.QName(element).localname,
            line=_line(element),
            path=self.path,
            value=(element.text or "")[:_VALUE_LENGTH] if len(element) == 0 else None,
        )


def _line(element: etree._Element | None) -> int | None:
    """Return the line of an element, or of what it is in: beyond 65 535 libxml2 knows lines by the texts around."""
    line = 0 if element is None else int(element.sourceline or 0)
    return _line(element.getparent()) if element is not None and line == LAST_LINE else line or None


class _Places:
    """Says where elements of a request stand; siblings are counted once, however many are asked for."""

    def __init__(self, payload: etree._Element, operation: Operation) -> None:
        self._parents = {payload: _Place(f"/{operation.name}", operation.request)}
        self._siblings: dict[etree._Element, _Siblings] = {}

    def of(self, element: etree._Element) -> _Place:
        """Return the place of an element."""
        known, parent = self._parents.get(element), element.getparent()
        if known is not None or parent is None:
            return known or _Place("", None)
        above = self._parents.get(parent)
        if above is None:
            above = self._parents[parent] = self.of(parent)
        if parent not in self._siblings:
            self._siblings[parent] = _Siblings(parent)
        return above.below(element, *self._siblings[parent][element])


class _Siblings:
    """Counts the children of an element, as far as they are asked for: from 1, and those of each name from 1."""

    def __init__(self, parent: etree._Element) -> None:
        self._rest = enumerate(parent, 1)
        self._counts: dict[str, int] = defaultdict(int)
        self._numbers: dict[etree._Element, tuple[int, int]] = {}

    def __getitem__(self, child: etree._Element) -> tuple[int, int]:
        while child not in self._numbers:
            order, sibling = next(self._rest)
            name = str(sibling.tag).rpartition("}")[2]
            self._counts[name] += 1
            self._numbers[sibling] = order, self._counts[name]
        return self._numbers[child]


def locate(operation: Operation, element: etree._Element, index: int | None = None) -> Error:
    """Return an error without sentence that says where `element` stands: path, line, value, item, field.

    `index` is the 1-based position of the item that it is in, where the caller knows it.
    """
    chain = [element]
    while etree.QName(chain[-1]).localname != operation.name and (parent := chain[-1].getparent()) is not None:
        chain.append(parent)
    place = _Place(f"/{operation.name}", operation.request)
    for depth, (parent, child) in enumerate(pairwise(reversed(chain)), 1):
        number = index if depth == 2 and index is not None else parent.index(child) + 1
        place = place.below(child, number, number)
    return place.error(element)
