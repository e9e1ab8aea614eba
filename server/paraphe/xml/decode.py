"""Elements to plain values: one decoder for each type of the contract, compiled once.

Decoders run after the schema has been checked, so they read without looking back. What XML Schema lets through
although nobody can store it (the year 12026, base64 with foreign characters) is `Unreadable`.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import Any, cast
from zoneinfo import ZoneInfo

from lxml import etree

from ..contract import NAMESPACE, Complex, Field, Simple
from ..errors import Code

Decoder = Callable[[etree._Element], Any]
_SPACES = str.maketrans("\t\r\n", "   ")
_tag_of, _text_of = attrgetter("tag"), attrgetter("text")


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
    return _members({field: _reader(field.type, zone, required=field.required) for field in kind.fields})


@lru_cache(maxsize=512)
def request_decoder(request: Complex, items: Field | None, zone: ZoneInfo) -> Decoder:
    """Return the decoder of a request; `items`, if it has them, become columns in slices (see `_Columns`)."""
    readers = {field: _reader(field.type, zone, required=field.required) for field in request.fields}
    if items is not None:
        readers[items] = _Columns(items.type.item, zone).read  # type: ignore[union-attr, arg-type]
    return _members(readers)


def _members(readers: Mapping[Field, Decoder]) -> Decoder:
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


# Many items ----------------------------------------------------------------------------------------------------

Texts = Sequence[str | None]
#: Reads one member of many items from the texts of all their elements: one sequence of texts for each element.
ReadColumn = Callable[[Sequence[Texts]], Sequence[Any]]


SLICE = 1000
"""Items that are read, checked and stored in one go: enough that their number no longer matters for the speed, and few
enough that what they take of memory does not."""


class _Columns:
    """Reads the items of a list into columns: for each element that occurs, its value in every item (or None).

    The elements are read in one pass. Items that have the same elements in the same order, as most of a message
    have, are of one *shape*; what is to be done is worked out once for each shape, and then done for whole columns.
    Read item by item, a thousand students took half as long again.
    """

    _MOST_SHAPES = 1000

    def __init__(self, item: Field, zone: ZoneInfo) -> None:
        if not isinstance(item.type, Complex):
            raise TypeError(f"{item.name} has no members")
        self._tag = f"{{{NAMESPACE}}}{item.name}"
        self._kind = item.type
        self._zone = zone
        self._shapes: dict[tuple[str, ...], list[tuple[str, ReadColumn]]] = {}

    def read(self, array: etree._Element) -> list[dict[str, Sequence[Any]]]:
        """Return the columns of each slice; their names are the contract's, in snake_case and in its order."""
        elements = list(array.iter())[1:]
        tags: list[str] = list(map(_tag_of, elements))
        texts: Texts = list(map(_text_of, elements))
        if len(array) <= SLICE:
            return [self._slice(tags, texts)] if tags else []
        begins = [place for place, tag in enumerate(tags) if tag == self._tag][::SLICE]
        return [self._slice(tags[begin:end], texts[begin:end]) for begin, end in pairwise([*begins, len(tags)])]

    def _slice(self, tags: list[str], texts: Texts) -> dict[str, Sequence[Any]]:
        count = tags.count(self._tag)
        width = len(tags) // count
        if tags == tags[:width] * count:
            return self._values(tuple(tags[1:width]), [texts[place::width] for place in range(1, width)])
        begins = [place for place, tag in enumerate(tags) if tag == self._tag]
        alike: dict[tuple[str, ...], list[int]] = {}
        for position, (begin, end) in enumerate(pairwise([*begins, len(tags)])):
            alike.setdefault(tuple(tags[begin + 1 : end]), []).append(position)
        groups = []
        for names, positions in alike.items():
            rows = [texts[begins[position] + 1 : begins[position] + 1 + len(names)] for position in positions]
            groups.append((positions, self._values(names, list(zip(*rows, strict=True)))))
        return self._merged(groups, count)

    def _values(self, names: tuple[str, ...], cells: Sequence[Texts]) -> dict[str, Sequence[Any]]:
        """Read the members of items of one shape; those in which nobody has a value (the year 1) count as absent."""
        columns = {key: read(cells) for key, read in self._shapes.get(names) or self._new_shape(names)}
        return {key: column for key, column in columns.items() if any(value is not None for value in column)}

    def _merged(self, groups: Iterable[tuple[Sequence[int], dict[str, Sequence[Any]]]], count: int) -> dict[str, Any]:
        """Put the values of all shapes into columns as long as the list."""
        columns: dict[str, list[Any]] = {}
        for positions, values in groups:
            for key, column in values.items():
                whole = columns.setdefault(key, [None] * count)
                for position, value in zip(positions, column, strict=True):
                    whole[position] = value
        return {field.key: columns[field.key] for field in self._kind.fields if field.key in columns}

    def _new_shape(self, names: tuple[str, ...]) -> list[tuple[str, ReadColumn]]:
        if len(self._shapes) >= self._MOST_SHAPES:
            self._shapes.clear()
        shape, _ = _shape(self._kind, names, 0, self._zone)
        return self._shapes.setdefault(names, shape)


def _shape(kind: Complex, tags: Sequence[str], place: int, zone: ZoneInfo) -> tuple[list[tuple[str, ReadColumn]], int]:
    """Work out how the members of a type are read whose elements begin at `place`; return also the place behind them.

    In a valid document an element of the type ends where no later member of it follows: no member of the contract
    has a member of its own that is named like one of those that may follow it.
    """
    members = []
    for field in kind.fields:
        if place < len(tags) and tags[place] == f"{{{NAMESPACE}}}{field.name}":
            if isinstance(field.type, Complex):
                read, place = _nested(field.type, tags, place + 1, zone)
            else:
                read, place = _leaf(place, field.type, zone, required=field.required), place + 1
            members.append((field.key, read))
    return members, place


def _nested(kind: Complex, tags: Sequence[str], place: int, zone: ZoneInfo) -> tuple[ReadColumn, int]:
    if kind.item is None:
        members, place = _shape(kind, tags, place, zone)
        names = [key for key, _ in members]
        if not members:
            return lambda cells: [{} for _ in cells[0]], place
        return lambda cells: [
            dict(zip(names, values, strict=True)) for values in zip(*[read(cells) for _, read in members], strict=True)
        ], place
    readers = []
    while place < len(tags) and tags[place] == f"{{{NAMESPACE}}}{kind.item.name}":
        if isinstance(kind.item.type, Complex):
            read, place = _nested(kind.item.type, tags, place + 1, zone)
        else:
            read, place = _leaf(place, kind.item.type, zone), place + 1
        readers.append(read)
    if not readers:
        return lambda cells: [[] for _ in cells[0]], place
    return lambda cells: [list(values) for values in zip(*[read(cells) for read in readers], strict=True)], place


def _leaf(place: int, kind: Simple, zone: ZoneInfo, *, required: bool = False) -> ReadColumn:
    if kind.primitive != "string":
        convert = _converter(kind, zone, required=required)
        return lambda cells: [convert(text or "") for text in cells[place]]

    def read_texts(cells: Sequence[Texts]) -> Sequence[str]:
        texts = cast("Sequence[str]", cells[place])
        if None in texts:
            texts = [text or "" for text in texts]
        return [collapse(text) for text in texts] if kind.collapse and has_blanks_to_fold(texts) else texts

    return read_texts


def has_blanks_to_fold(texts: Iterable[str]) -> bool:
    """Say whether any of many texts has white space that `collapse` would fold; seldom, so all are searched at once."""
    joined = "\0" + "\0".join(texts) + "\0"
    return any(blank in joined for blank in ("  ", "\0 ", " \0", "\n", "\t", "\r"))


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
    convert = _converter(kind, zone, required=required)

    def read(element: etree._Element) -> Any:
        try:
            return convert(element.text or "")
        except Unreadable as failure:
            failure.element = element
            raise

    return read


def _converter(kind: Simple, zone: ZoneInfo, *, required: bool = False) -> Callable[[str], Any]:
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
        return a2b_base64(text.encode("ascii").translate(None, b" \t\r\n"), strict_mode=True)
    except (Base64Error, UnicodeEncodeError):
        message = "is not base64: it holds other characters, or its end is missing"
        raise Unreadable(message, Code.SCHEMA_INVALID) from None
