"""JSON in: a message becomes the XML tree of its operation's element, so that one validation and one decoder exist.

What XML Schema cannot see in that tree is found on the way: members that the contract does not know, those that
stand twice, those that are missing, and values of another JSON type. Everything else is said by the schema. Places
are kept as XML paths (/SyncStudents/students/student[17]/birthDate), as in stored answers; `pointer` translates.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from itertools import chain, islice
from typing import Any, cast
from zoneinfo import ZoneInfo

from lxml import etree

from ...contract import NAMESPACE, Complex, Field, Operation, Simple
from ...errors import Code, Error, Refused
from ...spool import Content, Spooled, nameless, pieces_of
from ...xml.bounds import STANDARD, Bounds, too_deep, too_long, too_many_elements, too_many_items
from ...xml.decode import collapse
from ...xml.files import LONG, Files
from ...xml.request import MOST_REJECTED, Request, read_request, refuse_if
from ...xml.validate import MAXIMUM_ERRORS, defects, items_of

# Python's other text codecs are no encodings of messages, and some (punycode) take quadratic time.
_ENCODINGS = {
    codecs.lookup(name).name
    for name in ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "latin-1", "iso-8859-15", "windows-1252")
}
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Numbers of the contract have 14 digits; one with more than this many is left to the schema as it is written.
_DIGITS = 40
_LENGTH = 80
# Unknown members that are told of one object.
_OTHERS = 10
_TAG = f"{{{NAMESPACE}}}"


class Number(str):
    """A number as it is written, so that 7.50 stays 7.50 and 1e999999999 stays short."""

    __slots__ = ()


class Repeated(dict[str, Any]):
    """An object with a member that stands twice; `name` is the first one."""

    name: str


# Text to values --------------------------------------------------------------------------------------------------


def parse(body: Content, charset: str | None = None, bounds: Bounds = STANDARD) -> Any:
    """Parse a message; nothing at all counts as an object without members.

    `charset` is what the transport said; a byte order mark wins over it. Numbers come as `Number`. Refused:
    MALFORMED_MESSAGE, MESSAGE_TOO_COMPLEX.
    """
    if not any(piece.strip() for piece in pieces_of(body)):
        return {}
    # Each value that is not the first has one of these before it.
    if len(body) > bounds.message_elements and sum(map(body.count, (b",", b"[", b"{"))) > bounds.message_elements:
        raise too_many_elements(bounds)
    try:
        return json.loads(
            _text(body, charset),
            object_pairs_hook=_members,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_not_a_number,
        )
    except json.JSONDecodeError as failure:
        raise Refused(
            Error(
                Code.MALFORMED_MESSAGE,
                f"The message is not JSON at line {failure.lineno}, column {failure.colno}.",
                hint="Check the commas, quotes and brackets; names and texts stand in double quotes.",
                line=failure.lineno,
            )
        ) from failure
    except RecursionError:
        raise too_deep(bounds) from None


def _text(body: Content, charset: str | None) -> str:
    # Who says utf-16 without a mark has not said which one; the zeros of the first signs do.
    if charset is None or body.startswith(_MARKS) or charset.lower() == "utf-16":
        charset = json.detect_encoding(body[:4])
    else:
        try:
            known = codecs.lookup(charset).name in _ENCODINGS
        except (LookupError, ValueError):
            known = False
        if not known:
            raise Refused(
                Error(
                    Code.MALFORMED_MESSAGE,
                    f"The charset {charset[:40]!r} of the Content-Type is not known.",
                    hint="Send JSON in UTF-8.",
                )
            )
    try:
        return bytes(body).decode(charset)
    except UnicodeDecodeError:
        raise Refused(
            Error(
                Code.MALFORMED_MESSAGE,
                "The message is not in the encoding that it is said to be in.",
                hint="Send JSON in UTF-8.",
            )
        ) from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated, seen = Repeated(members), set[str]()
    for name, _ in pairs:
        if name in seen:
            repeated.name = name
            break
        seen.add(name)
    return repeated


def _not_a_number(word: str) -> None:
    raise Refused(
        Error(
            Code.MALFORMED_MESSAGE,
            f"The message holds {word}, which JSON does not know.",
            hint="Leave the member out when there is no value.",
        )
    )


# Values to a request ---------------------------------------------------------------------------------------------


def read(
    message: Any,
    operation: Operation,
    zone: ZoneInfo,
    bounds: Bounds = STANDARD,
    place: Callable[[], Spooled] = nameless,
) -> Request:
    """Validate and decode a message as `read_request` does; Refused with all defects (at most 100).

    MESSAGE_TOO_COMPLEX beyond `bounds`. Only what is wrong can be too deep, so only that is measured. Large files go to
    a `place`. Raises OSError.
    """
    try:
        tree = _Tree(message, operation, bounds, Files(place))
    except Refused:
        _hold_depth(message, bounds)
        raise
    if not tree.errors:
        return read_request(tree.root, operation, zone, binaries=tree.files.of(tree.root, operation))
    _hold_depth(message, bounds)
    if not tree.keeps_valid:
        found = defects(tree.root, operation, MAXIMUM_ERRORS, refused=True)
        refuse_if(_in_order([*tree.errors, *(error for error in found if tree.is_new(error))]))
    refuse_if([error for error in tree.errors if error.index is None])
    request = read_request(tree.root, operation, zone)
    rejected = [error for error in request.values.get("rejected", ()) if tree.is_new(error)]
    request.values["rejected"] = _in_order([*tree.errors, *rejected])
    return request


def _hold_depth(message: Any, bounds: Bounds) -> None:
    level: Iterable[Any] = [message]
    for _ in range(bounds.element_depth + 1):
        holders = [value for value in level if isinstance(value, (dict, list))]
        if not holders:
            return
        level = chain.from_iterable(one.values() if isinstance(one, dict) else one for one in holders)
    raise too_deep(bounds)


def _in_order(errors: list[Error]) -> list[Error]:
    return sorted(errors, key=lambda error: error.index or 0)


class _Tree:
    """The tree of a message, in the schema's order, and what is wrong with the message.

    In place of a value that is missing or of the wrong kind stands an empty element, so that the schema looks at all
    the others; what it says of that element is not new. An item with an error bears an attribute: with KEEP_VALID
    the schema then takes it out.
    """

    def __init__(self, message: Any, operation: Operation, bounds: Bounds, files: Files) -> None:
        self.errors: list[Error] = []
        self.files = files
        self.root = etree.Element(f"{_TAG}{operation.name}", nsmap={None: NAMESPACE})
        self._operation = operation
        self._bounds = bounds
        self._items = items_of(operation)
        self._stand_ins: set[str] = set()
        self._most = MAXIMUM_ERRORS
        if self._items is not None and isinstance(message, dict) and message.get("onError") == "KEEP_VALID":
            self._most = MOST_REJECTED
        self._fill(self.root, operation.request, message, f"/{operation.name}", operation.name)

    @property
    def keeps_valid(self) -> bool:
        """Whether wrong items are left out rather than the message refused."""
        return self._most > MAXIMUM_ERRORS

    def is_new(self, error: Error) -> bool:
        """Whether an error of the schema is about a value, and one that is there."""
        path = error.path or ""
        kind = _walk(self._operation, path)[1]
        ancestors = (path[:place] for place, sign in enumerate(path + "/") if sign == "/")
        return isinstance(kind, Simple) and self._stand_ins.isdisjoint(ancestors)

    def _fill(self, element: etree._Element, kind: Complex, value: Any, path: str, name: str) -> None:
        if kind.item is not None:
            self._fill_array(element, kind.item, value, path, name)
        elif not isinstance(value, dict):
            what = "The message" if element is self.root else name
            self._wrong(path, name, f"{what} must be an object, not {_told(value)}.", None, value, element)
        else:
            self._fill_object(element, kind, value, path, name)

    def _fill_object(
        self, element: etree._Element, kind: Complex, members: Mapping[str, Any], path: str, name: str
    ) -> None:
        known = 0
        for field in kind.fields:
            value = members.get(field.name)
            if value is not None:
                known += 1
                child = etree.SubElement(element, _TAG + field.name)
                if isinstance(field.type, Complex):
                    self._fill(child, field.type, value, f"{path}/{field.name}", field.name)
                else:
                    self._write(child, field.type, value, path, field.name)
            elif field.required:
                self._missing(element, field, path, name)
        if known < len(members):
            self._look_at_others(kind, members, path, name)
        if isinstance(members, Repeated):
            twice = members.name
            self._wrong(f"{path}/{_step(twice)}", twice, f"{twice[:_LENGTH]} stands twice in {name}.")

    def _fill_array(self, element: etree._Element, item: Field, values: Any, path: str, name: str) -> None:
        if not isinstance(values, list):
            wrapped = isinstance(values, dict) and item.name in values
            shape = "{…}" if isinstance(item.type, Complex) else '"…"'
            hint = f'Write {name} as a plain array, without "{item.name}": [{shape}, {shape}].' if wrapped else None
            self._wrong(path, name, f"{name} must be an array, not {_told(values)}.", hint, values, element)
            return
        if len(values) > self._bounds.list_items:
            raise too_many_items(self._bounds)
        for number, value in enumerate(values, 1):
            child = etree.SubElement(element, _TAG + item.name)
            place = f"{path}/{item.name}[{number}]"
            before = len(self.errors)
            if isinstance(item.type, Complex):
                self._fill(child, item.type, value, place, item.name)
            else:
                self._write(child, item.type, value, path, f"{item.name}[{number}]")
            if len(self.errors) > before:
                child.set("wrong", "")

    def _write(self, element: etree._Element, kind: Simple, value: Any, parent: str, step: str) -> None:
        text = _TEXTS.get(kind.primitive, _of_string)(value)
        if text is None:
            name = step.partition("[")[0]
            expected, hint = _EXPECTED.get(kind.primitive, _STRING)
            message = f"{name} must be {expected}, not {_told(value)}."
            self._wrong(f"{parent}/{step}", name, message, hint, value, element)
            return
        is_file = kind.primitive == "base64Binary"
        if len(text) > self._bounds.text_length and not is_file:
            raise too_long(self._bounds)
        try:
            if is_file and len(text) > LONG:
                self.files.put(element, text)
            else:
                element.text = text
        except ValueError:
            name = step.partition("[")[0]
            message = f"{name} holds a character that no message can hold."
            hint = "Leave out control characters, and halves of surrogate pairs."
            self._wrong(f"{parent}/{step}", name, message, hint, value, element)

    def _missing(self, element: etree._Element, field: Field, path: str, name: str) -> None:
        etree.SubElement(element, _TAG + field.name)
        self._stand_ins.add(f"{path}/{field.name}")
        owner = "the message" if element is self.root else name
        self._wrong(path, field.name, f"{field.name} is missing in {owner}.", field.documentation or None)

    def _look_at_others(self, kind: Complex, members: Mapping[str, Any], path: str, owner: str) -> None:
        names = tuple(field.name for field in kind.fields)
        for name in islice((name for name in members if name not in names), _OTHERS):
            message = f"There is no member {name[:_LENGTH]} in {owner}."
            self._wrong(f"{path}/{_step(name)}", name, message, _meant(name[:_LENGTH], names), members[name])

    def _wrong(
        self,
        path: str,
        field: str,
        message: str,
        hint: str | None = None,
        value: Any = None,
        element: etree._Element | None = None,
    ) -> None:
        if element is not None:
            self._stand_ins.add(path)
        found = Error(Code.SCHEMA_INVALID, message, field=field[:_LENGTH], hint=hint, path=path, value=_shown(value))
        self.errors.append(self._with_item(found))
        if len(self.errors) > self._most:
            refuse_if(self.errors)

    def _with_item(self, error: Error) -> Error:
        """Say which item of a Sync operation an error is about, and the item's reference if it has one."""
        if self._items is None:
            return error
        item = cast(Complex, self._items.type).item
        found = re.match(rf"/\w+/{self._items.name}/{item.name if item else ''}\[(\d+)\]", error.path or "")
        if found is None:
            return error
        # The tree grows at its end: the item is the last one so far, and its reference comes first.
        reference = collapse(self.root[-1][-1].findtext(f"{_TAG}reference") or "")[:64]
        return replace(error, index=int(found[1]), reference=reference or None)


@lru_cache(4096)
def _meant(name: str, names: tuple[str, ...]) -> str:
    """Say what a member that is not known may have been meant to be."""
    close = get_close_matches(name, names, 1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Possible members: {', '.join(names)}." if names else "Send an object without members: {}."


# JSON values as XML writes them; None for one of the wrong JSON type ----------------------------------------------


def _of_string(value: Any) -> str | None:
    return value if type(value) is str else None


def _of_boolean(value: Any) -> str | None:
    return ("true" if value else "false") if isinstance(value, bool) else None


def _of_int(value: Any) -> str | None:
    # 16.0 is an integer to JSON Schema.
    return re.sub(r"\.0+\Z", "", value) if isinstance(value, Number) else None


def _of_decimal(value: Any) -> str | None:
    if not isinstance(value, Number):
        return _of_string(value)
    if "e" not in value.lower():
        return str(value)
    number = Decimal(value)
    return f"{number:f}" if len(value) <= _DIGITS and abs(number.adjusted()) <= _DIGITS else str(value)


_TEXTS: dict[str, Callable[[Any], str | None]] = {
    "boolean": _of_boolean,
    "int": _of_int,
    "decimal": _of_decimal,
}
_STRING = ("a string", "Write it in double quotes.")
_EXPECTED = {
    "boolean": ("true or false", "Write it without quotes."),
    "int": ("a whole number", "Write it without quotes."),
    "decimal": ("a number, or a string that holds one", None),
    "date": ("a string", 'Write it as "1998-03-14".'),
    "dateTime": ("a string", 'Write it as "2026-09-14T09:00:00+02:00".'),
    "base64Binary": ("a string", "Write the file in base64."),
}


def _told(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case Number():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"


def _shown(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return None
    return value[:_LENGTH].encode("utf-8", "replace").decode()


# Places ----------------------------------------------------------------------------------------------------------


def _step(name: str) -> str:
    """Write a name as a step of a path or pointer (RFC 6901, section 3), cut to 80 characters."""
    return name[:_LENGTH].replace("~", "~0").replace("/", "~1").encode("utf-8", "replace").decode()


def pointer(operation: Operation, path: str) -> str:
    """Translate a path: /SyncStudents/students/student[17]/birthDate is the JSON pointer /students/16/birthDate."""
    return _walk(operation, path)[0]


def _walk(operation: Operation, path: str) -> tuple[str, Simple | Complex | None]:
    """Return the JSON pointer of a path, and the type of what stands there (None when the contract has none)."""
    found = ""
    kind: Simple | Complex | None = operation.request
    for step in path.split("/")[2:]:
        fields = kind.fields if isinstance(kind, Complex) else ()
        name, _, position = step.rstrip("]").partition("[")
        item = kind.item if isinstance(kind, Complex) else None
        if item is not None and item.name == name and position:
            found += f"/{int(position) - 1}"
            kind = item.type
            continue
        found += f"/{step}"
        kind = next((field.type for field in fields if field.name == step), None)
    return found, kind
