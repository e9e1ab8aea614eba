"""What old stacks get wrong in a message that means the same: put right, for accounts that ask for it.

Only a message that broke the schema comes here. A *habit* is one such mistake, known from stacks in use; each has one
meaning only, which is why it can be put right. What could mean two things is left to the schema to refuse.

- Elements without namespace (RPC style, templates filled by hand) are the contract's elements of that name.
- xsi:type on an element (SOAP::Lite, kSOAP2) says nothing, as no type of the contract has another one in its place.
  Unless it says that the text is coded (SOAP::Lite sends accents as xsd:base64Binary): that text is no value.
- An optional element that is empty or nil (templates, PHP, PySimpleSOAP) has no value: it counts as left out, so the
  stored value stays. Only where the schema takes no empty element; where it does, an empty one says something. An
  optional element with nothing but such elements in it has no value either: an empty address would wipe out the
  stored one.
- An empty item at the end of a list (PySimpleSOAP writes an empty list so) is none. The items of a Sync operation are
  looked at more closely: an empty one among others may be a person who was lost on the way.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from itertools import islice

from lxml import etree

from ..contract import NAMESPACE, XS, Complex, Field, Operation, Simple, operations, schema
from .sentences import XSI
from .validate import items_of

_TAG = f"{{{NAMESPACE}}}"
_BLANKS = " \t\r\n"
_TYPE, _NIL = f"{XSI}type", f"{XSI}nil"
# What xsi:type names where the text is not the value but a code for it.
_CODED = ("base64Binary", "base64", "hexBinary", "binary")
# None is allowed; these are taken over so that the schema can say so. To ask for all of many takes quadratic time.
_MOST_ATTRIBUTES = 10
# libxml2 keeps the line of an element in 16 bits; an element made here cannot have a later one, and then has none.
_LAST_LINE = 65_534


class Habit(StrEnum):
    """What a message does that is tolerated; the text says how often it was met."""

    UNQUALIFIED = "elements without namespace"
    TYPED = "xsi:type attributes"
    EMPTY = "empty elements"
    EMPTY_ITEM = "empty list items"


_ADVICE = {
    Habit.UNQUALIFIED: f"send them in {NAMESPACE}",
    Habit.TYPED: "leave xsi:type out",
    Habit.EMPTY: "leave an element out when it has no value",
    Habit.EMPTY_ITEM: "send an empty list without items",
}


def told(habits: Mapping[Habit, int]) -> str | None:
    """Tell the caller what was tolerated, how often, and how it is sent right; None if nothing was."""
    met = [habit for habit in Habit if habits.get(habit)]
    if not met:
        return None
    counts = ", ".join(f"{habit} ({habits[habit]})" for habit in met)
    advice = "; ".join(_ADVICE[habit] for habit in met)
    return f"Tolerated for this account: {counts}. {advice[0].upper()}{advice[1:]}."


def mend(payload: etree._Element, operation: Operation) -> tuple[etree._Element, Counter[Habit]]:
    """Copy a request without the habits of old stacks; return the copy, and how often each habit was met.

    The copy may still break the schema, in the same places: lines and positions are those of the message. The payload
    stays as it is. A copy, because elements that change their namespace in place cost a search through all namespaces
    that a message declares, for each element; the copy declares one. Takes linear time, whatever the message.
    """
    copying = _Copying(operation)
    copy = etree.Element(_TAG + operation.name, nsmap={None: NAMESPACE})
    copying.tag(payload)
    copying.fill(copy, payload, operation.request)
    return copy, copying.habits


class _Copying:
    """One copy in the making."""

    def __init__(self, operation: Operation) -> None:
        self.habits: Counter[Habit] = Counter()
        items = items_of(operation)
        self._items = items.type if items else None

    def tag(self, element: etree._Element) -> str:
        """Return the name of an element, in the contract's namespace if it is in none."""
        tag = str(element.tag)
        if tag.startswith("{"):
            return tag
        self.habits[Habit.UNQUALIFIED] += 1
        return _TAG + tag

    def fill(self, copy: etree._Element, element: etree._Element, kind: Complex) -> None:
        """Copy what is in an element of type `kind`; `copy` stands in its place already."""
        _take_line(copy, element)
        if not _blank(element.text):
            copy.text = element.text
        self._take_attributes(copy, element, kind)
        fields = _fields(kind)
        for child in element if kind.item is None else self._without_empty_end(element, kind, kind.item):
            tag = self.tag(child)
            field = fields.get(tag)
            if field is None:
                _take_stranger(copy, child, tag)
            elif not field.required and not field.many and _says_nothing(child, field.type):
                self.habits[Habit.EMPTY] += 1
            else:
                self._take(copy, child, field, tag)

    def _take(self, into: etree._Element, element: etree._Element, field: Field, tag: str) -> None:
        if isinstance(field.type, Simple) and len(element):
            _take_stranger(into, element, tag)
            return
        copy = _appended(into, element, tag)
        if isinstance(field.type, Complex):
            self.fill(copy, element, field.type)
        else:
            copy.text = element.text
            self._take_attributes(copy, element, field.type)

    def _take_attributes(self, copy: etree._Element, element: etree._Element, kind: Simple | Complex) -> None:
        if not element.attrib:
            return
        for name in islice(element.attrib, _MOST_ATTRIBUTES):
            value = element.get(name, "")
            if name == _TYPE and not _is_coded(value, kind):
                self.habits[Habit.TYPED] += 1
            else:
                copy.set(name, value)

    def _without_empty_end(self, array: etree._Element, kind: Complex, item: Field) -> Iterable[etree._Element]:
        items = list(array)
        tags = (item.name, _TAG + item.name)
        while items and str(items[-1].tag) in tags and _says_nothing(items[-1], item.type):
            if kind is self._items and len(items) > 1:
                break
            self.habits[Habit.EMPTY_ITEM] += 1
            items.pop()
        return items


def _appended(into: etree._Element, element: etree._Element, tag: str) -> etree._Element:
    """Append an element of its own to a copy; with one prefix for all that are in another namespace than ours."""
    nsmap = None if tag.startswith(_TAG) else {"other": etree.QName(tag).namespace or ""}
    copy = etree.SubElement(into, tag, nsmap=nsmap)
    _take_line(copy, element)
    if not _blank(element.tail):
        copy.tail = element.tail
    return copy


def _take_line(copy: etree._Element, element: etree._Element) -> None:
    line = int(element.sourceline or 0)
    if 0 < line <= _LAST_LINE:
        copy.sourceline = line  # type: ignore[misc]  # only the stubs of lxml have it read-only


def _take_stranger(into: etree._Element, element: etree._Element, tag: str) -> None:
    """Copy an element that the schema refuses as a whole, so that it can say so: without what is deep inside."""
    copy = _appended(into, element, tag)
    copy.text = element.text
    for child in islice(element, 1):
        etree.SubElement(copy, str(child.tag))


def _blank(text: str | None) -> bool:
    return not text or not text.strip(_BLANKS)


def _is_coded(xsi_type: str, kind: Simple | Complex) -> bool:
    """Say whether xsi:type makes another value of a text than the contract's type does."""
    name = xsi_type.strip().rpartition(":")[2]
    if isinstance(kind, Simple) and kind.primitive == "base64Binary":
        return name in ("hexBinary", "binary")
    return name in _CODED


def _says_nothing(element: etree._Element, kind: Simple | Complex) -> bool:
    """Say whether an element has no value, and the schema does not take it for one that is empty."""
    if not _blank(element.text) or not _blank(element.tail) or not _is_plain(element):
        return False
    if not len(element):
        return kind.name in _never_empty() or element.get(_NIL, "").strip() in ("true", "1")
    if isinstance(kind, Simple) or kind.item is not None:
        return False
    fields = _fields(kind)
    return all(_is_optional_and_says_nothing(child, fields) for child in element)


def _is_optional_and_says_nothing(child: etree._Element, fields: Mapping[str, Field]) -> bool:
    tag = str(child.tag)
    field = fields.get(tag if tag.startswith("{") else _TAG + tag)
    return field is not None and not field.required and _says_nothing(child, field.type)


def _is_plain(element: etree._Element) -> bool:
    """Say whether an element has no attributes but those two; another one may be its value."""
    return not element.attrib or all(name in (_TYPE, _NIL) for name in islice(element.attrib, 3))


# What the contract says ----------------------------------------------------------------------------------------


@cache
def _fields(kind: Complex) -> dict[str, Field]:
    return {_TAG + field.name: field for field in kind.fields}


@cache
def _never_empty() -> frozenset[str]:
    """Return the names of the types of which no empty element is valid, asked of the schema itself."""
    kinds: dict[str, Simple | Complex] = {}
    for operation in operations().values():
        _gather(operation.request, kinds)
    asked = schema()
    names = {name: f"Empty.{name.replace(':', '.')}" for name in kinds if name not in operations()}
    for name, element in names.items():
        kind = name if ":" in name else f"tns:{name}"
        etree.SubElement(asked, f"{XS}element", name=element, type=kind)
    compiled = etree.XMLSchema(asked)
    return frozenset(name for name, element in names.items() if not compiled.validate(etree.Element(_TAG + element)))


def _gather(kind: Simple | Complex, kinds: dict[str, Simple | Complex]) -> None:
    if kind.name not in kinds:
        kinds[kind.name] = kind
        for field in kind.fields if isinstance(kind, Complex) else ():
            _gather(field.type, kinds)
