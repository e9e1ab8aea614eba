"""Elements to plain values: one decoder for each type of the contract, compiled once.

Decoders run after the schema has been checked, so they read without looking back. What XML Schema lets through
although nobody can store it (the year 12026, base64 with foreign characters) is `Unreadable`.
"""

from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from ..contract import NAMESPACE, Complex, Field, Simple
from ..errors import Code
from .base64 import decoded

Decoder = Callable[[etree._Element], Any]
_SPACES = str.maketrans("\t\r\n", "   ")


class Unreadable(Exception):  # noqa: N818
    """A value that the schema allows and nobody can use. `element` is where it stands; in columns it is not known."""

    def __init__(self, message: str, code: Code = Code.VALUE_OUT_OF_RANGE) -> None:
        super().__init__(message)
        self.code = code
        self.element: etree._Element | None = None


def collapse(text: str) -> str:
    """Drop XML white space around a text and fold it inside; other blanks (such as U+00A0) are text."""
    if "\n" in text or "\t" in text or "\r" in text:
        text = text.translate(_SPACES)
    if "  " in text or text[:1] == " " or text[-1:] == " ":
        return " ".join(part for part in text.split(" ") if part)
    return text


@lru_cache(maxsize=512)
def decoder(kind: Complex, zone: ZoneInfo) -> Decoder:
    """Return the decoder of a type: element to dict (an `ArrayOf…`: to list).

    Absent elements are absent keys. A dateTime without offset is read in `zone`. The decoder raises Unreadable.
    """
    if kind.item is not None:
        read_item = _reader(kind.item.type, zone)
        return lambda element: [read_item(child) for child in element]
    return members(kind, zone)


def members(kind: Complex, zone: ZoneInfo, others: Mapping[Field, Decoder] | None = None) -> Decoder:
    """Return the decoder of an element with members: element to dict; `others` read some of them."""
    readers = {field: _reader(field.type, zone, required=field.required) for field in kind.fields}
    readers.update(others or {})
    table = {f"{{{NAMESPACE}}}{field.name}": (field.key, read) for field, read in readers.items()}

    def read_members(element: etree._Element) -> dict[str, Any]:
        values = {}
        for child in element:
            key, read = table[str(child.tag)]
            value = read(child)
            if value is not None:
                values[key] = value
        return values

    return read_members


def unreadable(
    kind: Simple | Complex, element: etree._Element, zone: ZoneInfo, *, required: bool = False
) -> Iterator[Unreadable]:
    """Give every value below `element` that nobody can use, in the order of the input."""
    if isinstance(kind, Complex):
        fields = {f"{{{NAMESPACE}}}{field.name}": field for field in kind.fields}
        for child in element:
            field = fields[str(child.tag)]
            yield from unreadable(field.type, child, zone, required=field.required)
        return
    try:
        _reader(kind, zone, required=required)(element)
    except Unreadable as failure:
        yield failure


def _reader(kind: Simple | Complex, zone: ZoneInfo, *, required: bool = False) -> Decoder:
    if isinstance(kind, Complex):
        return decoder(kind, zone)
    convert = converter(kind, zone, required=required)

    def read(element: etree._Element) -> Any:
        try:
            return convert(element.text or "")
        except Unreadable as failure:
            failure.element = element
            raise

    return read


def converter(kind: Simple, zone: ZoneInfo, *, required: bool = False) -> Callable[[str], Any]:
    """Return what makes a value of a text; it raises Unreadable. A required date may not be the year 1."""
    convert = _any_converter(kind, zone)
    if not required or kind.primitive not in ("date", "dateTime"):
        return convert

    def convert_required(text: str) -> Any:
        value = convert(text)
        if value is None:
            raise Unreadable("is the year 1, which stands for no date, and is required")
        return value

    return convert_required


def _any_converter(kind: Simple, zone: ZoneInfo) -> Callable[[str], Any]:
    match kind.primitive:
        case "string":
            return collapse if kind.collapse else str
        case "int":
            # Python refuses to read more than 4300 digits, though they may all be leading zeros.
            return lambda text: int(text) if len(text) < 100 else int(Decimal(text.strip()))
        case "decimal":
            # The sum drops digits behind the 28th, which are zeros, and the sign of -0.
            return lambda text: Decimal(text.strip()) + 0
        case "boolean":
            return lambda text: text.strip() in ("true", "1")
        case "date":
            return _date
        case "dateTime":
            return lambda text: _moment(text, zone)
        case "base64Binary":
            return _binary
    raise ValueError(f"no decoder for xs:{kind.primitive}")


@lru_cache(4096)
def _date(text: str) -> date | None:
    """Read a date; a zone is dropped; the year 1 is how some stubs write "no date"."""
    text = text.strip()
    if text.startswith("0001-01-01"):
        return None
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        if text[4:5] == "-" and text[10:11] in ("Z", "+", "-"):
            return date.fromisoformat(text[:10])
    except ValueError:
        pass
    raise Unreadable("is not a date between 0001-01-02 and 9999-12-31")


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    text = text.strip()
    if text.startswith("0001-01-01"):
        return None
    midnight = text[10:19] == "T24:00:00"
    try:
        moment = datetime.fromisoformat(text[:11] + "00" + text[13:] if midnight else text)
        moment += timedelta(days=midnight)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("is not a moment between the years 1 and 9999") from None


def _binary(text: str) -> bytes:
    try:
        return decoded(text.encode("ascii"))
    except (Base64Error, UnicodeEncodeError):
        message = "is not base64: it holds other characters, or its end is missing"
        raise Unreadable(message, Code.SCHEMA_INVALID) from None
