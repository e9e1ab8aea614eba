"""A tree against the schema; each defect told in the caller's own terms.

libxml2 finds the defects. Its sentences and paths are for people who know it, so both are made anew here: the path
is written as /SyncStudents/students/student[17]/birthDate, and the sentence says what is wrong and what is expected.
"""

import re
import threading
from dataclasses import replace
from difflib import get_close_matches
from functools import cache

from lxml import etree

from ..contract import NAMESPACE, Complex, Field, Operation, Simple, operations, schema, types
from ..errors import Code, Error
from .decode import collapse

MAXIMUM_ERRORS = 100
_VALUE_LENGTH = 80
_local = threading.local()
_SLICE = 1000
_EXAMPLES = {
    "date": "a date written YYYY-MM-DD, for example 1998-03-14",
    "dateTime": "a date with time, for example 2026-09-14T09:00:00+02:00",
    "boolean": "true or false",
    "int": "a whole number",
    "decimal": "a number with a point, for example 172.50",
    "base64Binary": "base64",
}


def items_of(operation: Operation) -> Field | None:
    """Return the element of a request that holds the items of a Sync operation, or None for other operations."""
    return next((field for field in operation.request.fields if _holds_items(field)), None)


def _holds_items(field: Field) -> bool:
    return isinstance(field.type, Complex) and field.type.item is not None and isinstance(field.type.item.type, Complex)


def defects(payload: etree._Element, operation: Operation, most: int | None = None) -> list[Error]:
    """Return what is wrong with a request, in the order of the input; an empty list when it is valid.

    Looks no further once there are more than `most`. White space around dates, which XML Schema allows and libxml2
    refuses, is dropped from the tree on the way. Long lists are checked in slices, because libxml2 counts siblings
    for each defect that it reports: 16 000 bad students in one list cost 4 s, in slices 0.4 s.
    """
    if not operation.request.fields and not (payload.text or "").strip():
        payload.text = None  # XML Schema takes white space in an element without members for content
    items = items_of(operation)
    array = None if items is None else payload.find(f"{{{NAMESPACE}}}{items.name}")
    if array is None or len(array) <= _SLICE:
        return _defects_of_slice(payload, operation, 0, most)
    everyone = list(array)
    found: list[Error] = []
    for begin in range(0, len(everyone), _SLICE):
        array[:] = everyone[begin : begin + _SLICE]
        errors = _defects_of_slice(payload, operation, begin, most)
        found += [error for error in errors if begin == 0 or error.index is not None]
        if most is not None and len(found) > most:
            break
    array[:] = everyone
    return found


def _defects_of_slice(payload: etree._Element, operation: Operation, begin: int, most: int | None) -> list[Error]:
    compiled = _schema()
    if compiled.validate(payload):
        return []
    if _strip_dates(payload) and compiled.validate(payload):
        return []
    places = _Places(payload)
    found: dict[tuple[str, str], Error] = {}
    for entry in compiled.error_log:
        error = _error(operation, places.follow(entry.path), begin, entry)
        # One defect makes libxml2 complain about the facet and again about the type.
        found.setdefault((error.path or "", error.field or ""), error)
        if most is not None and len(found) > most:
            break
    return list(found.values())


def locate(operation: Operation, element: etree._Element, index: int | None = None) -> Error:
    """Return an error without sentence that says where `element` stands: path, line, value, item, field.

    `index` is the 1-based position of the item that it is in, where the caller knows it.
    """
    steps = [element, *element.iterancestors()]
    names = [etree.QName(step).localname for step in steps]
    chain = list(reversed(steps[: names.index(operation.name) + 1]))
    positions = [1 + len(list(step.itersiblings(preceding=True))) if index is None else 1 for step in chain]
    if index is not None and len(positions) > 2:
        positions[2] = index
    return _place(operation, list(zip(chain, positions, strict=True)), 0)


def _schema() -> etree.XMLSchema:
    # One for each thread: libxml2's list of errors belongs to the schema object, not to the call.
    compiled: etree.XMLSchema | None = getattr(_local, "schema", None)
    if compiled is None:
        compiled = _local.schema = etree.XMLSchema(etree.fromstring(etree.tostring(schema())))
    return compiled


@cache
def _dates() -> frozenset[str]:
    """The names of all elements that are dates or moments in every type that has them."""
    fields = [field for kind in types().values() if isinstance(kind, Complex) for field in kind.fields]
    fields += [field for operation in operations().values() for field in operation.request.fields]
    dates = {field.name for field in fields if _is_date(field)}
    return frozenset(f"{{{NAMESPACE}}}{name}" for name in dates - {f.name for f in fields if not _is_date(f)})


def _is_date(field: Field) -> bool:
    return isinstance(field.type, Simple) and field.type.primitive in ("date", "dateTime")


def _strip_dates(payload: etree._Element) -> bool:
    stripped = False
    for element in payload.iter(*_dates()):
        text = element.text or ""
        if text != text.strip(" \t\r\n"):
            element.text = text.strip(" \t\r\n")
            stripped = True
    return stripped


_Step = tuple[etree._Element, int]


class _Places:
    """Follows the paths of libxml2 in one tree; children are listed once, however many paths lead through them."""

    def __init__(self, payload: etree._Element) -> None:
        self._payload = payload
        self._children: dict[tuple[etree._Element, str], list[_Step]] = {}

    def follow(self, path: str | None) -> list[_Step]:
        """Walk a path (/*/*[6]/p:student[17]); return the elements on it, each with its position among siblings."""
        chain: list[_Step] = [(self._payload, 1)]
        for step in (path or "").split("/")[2:]:
            name, _, position = step.rstrip("]").partition("[")
            children = self._named(chain[-1][0], name)
            place = int(position or 1) - 1
            if place >= len(children):
                break
            chain.append(children[place])
        return chain

    def _named(self, parent: etree._Element, name: str) -> list[_Step]:
        if (parent, name) not in self._children:
            prefix, _, local = name.rpartition(":")
            self._children[parent, name] = [
                (child, position)
                for position, child in enumerate(parent, 1)
                if name == "*" or (child.prefix == (prefix or None) and etree.QName(child).localname == local)
            ]
        return self._children[parent, name]


def _place(operation: Operation, chain: list[_Step], begin: int) -> Error:
    path, index, reference = "", None, None
    kind: Simple | Complex | None = operation.request
    for depth, (element, position) in enumerate(chain):
        name = etree.QName(element).localname
        path += f"/{name}"
        field = _field(kind, name) if depth else None
        kind = field.type if field else kind if depth == 0 else None
        if field is not None and field.many:
            number = position + (begin if depth == 2 else 0)
            path += f"[{number}]"
            if depth == 2 and isinstance(kind, Complex):
                index = number
                reference = collapse(element.findtext(f"{{{NAMESPACE}}}reference") or "")[:64] or None
    last = chain[-1][0]
    return Error(
        Code.SCHEMA_INVALID,
        "",
        index=index,
        reference=reference,
        field=etree.QName(last).localname,
        line=int(last.sourceline or 0) or None,
        path=path,
        value=(last.text or "")[:_VALUE_LENGTH] if len(last) == 0 else None,
    )


def _field(kind: Simple | Complex | None, name: str) -> Field | None:
    if not isinstance(kind, Complex):
        return None
    return next((field for field in kind.fields if field.name == name), None)


def _error(operation: Operation, chain: list[_Step], begin: int, entry: etree._LogEntry) -> Error:
    if entry.type_name == "SCHEMAV_CVC_COMPLEX_TYPE_2_1" and len(chain[-1][0]):
        chain = [*chain, (chain[-1][0][0], 1)]  # of an element that may hold nothing, libxml2 names the element only
    place = _place(operation, chain, begin)
    kind: Simple | Complex | None = operation.request
    parent: Simple | Complex | None = None
    for element, _ in chain[1:]:
        field = _field(kind, etree.QName(element).localname)
        parent, kind = kind, field.type if field else None
    message, hint, field_name = _sentence(entry, chain[-1][0], kind, parent)
    return replace(
        place, message=message, hint=hint, field=field_name or place.field, line=int(entry.line) or place.line
    )


def _sentence(
    entry: etree._LogEntry,
    element: etree._Element,
    kind: Simple | Complex | None,
    parent: Simple | Complex | None,
) -> tuple[str, str | None, str | None]:
    """Say what is wrong: sentence, hint, and the field when it is not the element at the place."""
    name = etree.QName(element).localname
    defect = entry.type_name.removeprefix("SCHEMAV_")
    expected = re.findall(r"\{[^}]*\}([\w.-]+)", entry.message.partition("Expected is")[2])
    if defect == "ELEMENT_CONTENT" and entry.message.partition("'")[2].partition("'")[2].startswith(": Missing"):
        candidates = [field for one in expected if (field := _field(kind, one))]
        missing = next((field for field in candidates if field.required), None)
        return (
            f"{missing.name if missing else 'An element'} is missing in {name}.",
            missing.documentation if missing else None,
            missing.name if missing else None,
        )
    if defect == "ELEMENT_CONTENT" or (defect == "CVC_COMPLEX_TYPE_2_1" and parent is not None):
        return _unexpected(element, name, parent, expected)
    if defect in ("CVC_COMPLEX_TYPE_2_1", "CVC_COMPLEX_TYPE_2_3"):
        return f"{name} holds text, which stands in no element of its own.", None, None
    if defect in ("CVC_COMPLEX_TYPE_3_2_1", "CVC_TYPE_3_1_1"):
        attribute = re.search(r"attribute '(?:\{[^}]*\})?([^']+)'", entry.message)
        return (
            f"{name} has the attribute {attribute[1] if attribute else '?'}, which is not allowed.",
            "Leave the attribute out; values stand in elements.",
            None,
        )
    if defect == "CVC_ELT_3_1":
        return f"{name} is marked as nil.", f"Leave {name} out when there is no value.", None
    if isinstance(kind, Simple) and len(element):
        return f"{name} holds elements; it may hold text only.", kind.documentation or None, None
    if isinstance(kind, Simple):
        return _bad_value(defect, entry.message, name, kind, element.text or "")
    return f"{name} does not follow the schema.", "Compare it with the WSDL.", None


def _unexpected(
    element: etree._Element, name: str, parent: Simple | Complex | None, expected: list[str]
) -> tuple[str, str | None, str | None]:
    around = element.getparent()
    owner = etree.QName(around).localname if around is not None else "the message"
    namespace = etree.QName(element).namespace
    if namespace != NAMESPACE:
        return (
            f"{name} is in {'the namespace ' + namespace if namespace else 'no namespace'}.",
            f"It must be in the namespace {NAMESPACE}.",
            None,
        )
    names = [field.name for field in parent.fields] if isinstance(parent, Complex) else []
    if name not in names:
        close = get_close_matches(name, names, 1)
        return (
            f"There is no element {name} in {owner}.",
            f"Did you mean {close[0]}?" if close else f"Possible elements: {', '.join(names) or 'none'}.",
            None,
        )
    before = [one for one in expected if one in names and names.index(one) < names.index(name)]
    required = isinstance(parent, Complex) and [f.name for f in parent.fields if f.required and f.name in before]
    if required:
        return f"{required[0]} is missing before {name} in {owner}.", None, required[0]
    return (
        f"{name} stands in the wrong place or twice in {owner}.",
        f"The order is: {', '.join(names)}.",
        None,
    )


def _bad_value(defect: str, message: str, name: str, kind: Simple, text: str) -> tuple[str, str | None, str | None]:
    hint = kind.documentation or None
    if not text.strip() and kind.primitive != "string":
        return f"{name} is empty.", f"Leave {name} out when there is no value.", None
    if kind.enumeration:
        return f"{name} must be one of: {', '.join(kind.enumeration)}.", hint, None
    numbers = re.findall(r"'(\d+)'", message.partition("]")[2])
    if defect == "CVC_MAXLENGTH_VALID" and len(numbers) == 2:
        return f"{name} has {numbers[0]} characters; at most {numbers[1]} are possible.", hint, None
    if defect == "CVC_MINLENGTH_VALID" and text.strip() and len(numbers) == 2:
        return f"{name} has {numbers[0]} characters; at least {numbers[1]} are needed.", hint, None
    if defect == "CVC_MINLENGTH_VALID":
        return f"{name} is empty.", f"Leave {name} out when there is no value.", None
    if kind.primitive in _EXAMPLES and defect.startswith("CVC_DATATYPE_VALID"):
        return f"{name} must be {_EXAMPLES[kind.primitive]}.", hint, None
    return f"{name} is not written as it must be.", hint, None
