"""Elements to plain values: one decoder for each type of the contract, compiled once.

Decoders run after the schema has been checked, so they read without looking back. What XML Schema lets through
although nobody can store it (the year 12026, base64 with foreign characters) is `Unreadable`.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from ..contract import NAMESPACE, Complex, Simple

Decoder = Callable[[etree._Element], Any]
_SPACES = str.maketrans("\t\r\n", "   ")


class Unreadable(Exception):  # noqa: N818
    """A value that the schema allows and nobody can use. `element` is where it stands."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
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
        read = _reader(kind.item.type, zone)
        return lambda element: [read(child) for child in element]
    table = {f"{{{NAMESPACE}}}{field.name}": (field.key, _reader(field.type, zone)) for field in kind.fields}

    def read_members(element: etree._Element) -> dict[str, Any]:
        values = {}
        for child in element:
            key, read = table[child.tag]  # type: ignore[index]  # comments and PIs are not parsed
            value = read(child)
            if value is not None:
                values[key] = value
        return values

    return read_members


def unreadable(kind: Simple | Complex, element: etree._Element, zone: ZoneInfo) -> Iterator[Unreadable]:
    """Give every value below `element` that nobody can use, in the order of the input."""
    if isinstance(kind, Complex):
        fields = {f"{{{NAMESPACE}}}{field.name}": field.type for field in kind.fields}
        for child in element:
            yield from unreadable(fields[str(child.tag)], child, zone)
        return
    try:
        _reader(kind, zone)(element)
    except Unreadable as failure:
        yield failure


def _reader(kind: Simple | Complex, zone: ZoneInfo) -> Decoder:
    if isinstance(kind, Complex):
        return decoder(kind, zone)
    convert = _converter(kind, zone)
    if convert is None:
        return lambda element: element.text or ""

    def read(element: etree._Element) -> Any:
        try:
            return convert(element.text or "")
        except Unreadable as failure:
            failure.element = element
            raise

    return read


def _converter(kind: Simple, zone: ZoneInfo) -> Callable[[str], Any] | None:
    match kind.primitive:
        case "string":
            return collapse if kind.collapse else None
        case "int":
            return int
        case "decimal":
            return lambda text: Decimal(text.strip())
        case "boolean":
            return lambda text: text.strip() in ("true", "1")
        case "date":
            return _date
        case "dateTime":
            return lambda text: _moment(text, zone)
        case "base64Binary":
            return _binary
    raise ValueError(f"no decoder for xs:{kind.primitive}")


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
        return a2b_base64(text.encode("ascii").translate(None, b" \t\r\n"), strict_mode=True)
    except (Base64Error, UnicodeEncodeError):
        raise Unreadable("is not base64: it holds other characters, or its end is missing") from None
