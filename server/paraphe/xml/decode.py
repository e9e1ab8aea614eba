"""Elements to plain values: one decoder for each type of the contract, compiled once.

Decoders run after the schema has been checked, so they read without looking back. What XML Schema lets through
although nobody can store it (the year 12026, base64 with foreign characters) is `Unreadable`.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice, pairwise
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from ..contract import NAMESPACE, Complex, Simple
from ..errors import Code

Decoder = Callable[[etree._Element], Any]
_SPACES = str.maketrans("\t\r\n", "   ")


class Unreadable(Exception):  # noqa: N818
    """A value that the schema allows and nobody can use. `element` is where it stands.

    Inside an item, `place` counts its elements until the element is known.
    """

    def __init__(self, message: str, code: Code = Code.VALUE_OUT_OF_RANGE) -> None:
        super().__init__(message)
        self.code = code
        self.element: etree._Element | None = None
        self.place = 0


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
    if kind.item is not None and isinstance(kind.item.type, Complex):
        return _Items(kind.item.name, kind.item.type, zone).read
    if kind.item is not None:
        read_item = _reader(kind.item.type, zone)
        return lambda element: [read_item(child) for child in element]
    table = {
        f"{{{NAMESPACE}}}{field.name}": (field.key, _reader(field.type, zone, required=field.required))
        for field in kind.fields
    }

    def read_members(element: etree._Element) -> dict[str, Any]:
        values = {}
        for child in element:
            key, read = table[str(child.tag)]
            value = read(child)
            if value is not None:
                values[key] = value
        return values

    return read_members


class _Items:
    """Reads the items of a list, in one pass over all elements below it.

    The items of a message mostly have the same elements in the same order. What is to be done is worked out once for
    each such shape (a `_Shape`), and an item is then a slice of the texts. Read one by one, the elements of a
    thousand students take twice the time.
    """

    _MOST_SHAPES = 1000

    def __init__(self, name: str, kind: Complex, zone: ZoneInfo) -> None:
        self._tag = f"{{{NAMESPACE}}}{name}"
        self._kind = kind
        self._zone = zone
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def read(self, array: etree._Element) -> list[dict[str, Any]]:
        tags: list[str] = []
        texts: list[str | None] = []
        for element in array.iter():
            tags.append(element.tag)  # type: ignore[arg-type]  # comments are not parsed
            texts.append(element.text)
        begins = [place for place, tag in enumerate(tags) if tag == self._tag]
        untidy = has_blanks_to_fold(filter(None, texts))
        items = []
        for begin, end in pairwise([*begins, len(tags)]):
            names = tuple(tags[begin + 1 : end])
            shape = self._shapes.get(names) or self._new_shape(names)
            try:
                items.append(shape.read(texts[begin + 1 : end], untidy))
            except Unreadable as failure:
                failure.element = next(islice(array.iter(), begin + 1 + failure.place, None))
                raise
        return items

    def _new_shape(self, names: tuple[str, ...]) -> "_Shape":
        if len(self._shapes) >= self._MOST_SHAPES:
            self._shapes.clear()
        shape, _ = _shape(self._kind, names, 0, self._zone)
        return self._shapes.setdefault(names, shape)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How an item is read whose elements, in the order of the document, have certain names.

    Places count the elements of the item from 0.
    """

    #: The members that are texts, and what picks their texts from those of all elements.
    names: tuple[str, ...]
    pick: Callable[[Sequence[str | None]], Sequence[str | None]]
    #: Those of them whose white space is folded.
    folded: tuple[str, ...]
    #: The members that are other values, and those that hold elements.
    converted: tuple[tuple[int, str, Callable[[str], Any]], ...]
    nested: tuple[tuple[str, Callable[[Sequence[str | None], bool], Any]], ...]

    def read(self, texts: Sequence[str | None], untidy: bool) -> dict[str, Any]:
        """Return the item; `untidy` says that some text of the message may have white space to fold."""
        values: dict[str, Any] = dict(zip(self.names, self.pick(texts), strict=True))
        if untidy or None in values.values():
            values = {name: text or "" for name, text in values.items()}
            values |= {name: collapse(values[name]) for name in self.folded}
        place = 0
        try:
            for place, name, convert in self.converted:
                value = convert(texts[place] or "")
                if value is not None:
                    values[name] = value
        except Unreadable as failure:
            failure.place = place
            raise
        for name, read in self.nested:
            values[name] = read(texts, untidy)
        return values


def _shape(kind: Complex, tags: Sequence[str], place: int, zone: ZoneInfo) -> tuple[_Shape, int]:
    """Work out how a type is read whose elements begin at `place`; return also the place behind them.

    In a valid document an element of the type ends where no later member of it follows: no member of the contract
    has a member of its own that is named like one of those that may follow it.
    """
    picked: list[tuple[int, str]] = []
    folded: list[str] = []
    converted: list[tuple[int, str, Callable[[str], Any]]] = []
    nested: list[tuple[str, Callable[[Sequence[str | None], bool], Any]]] = []
    for field in kind.fields:
        if place >= len(tags) or tags[place] != f"{{{NAMESPACE}}}{field.name}":
            continue
        place += 1
        if isinstance(field.type, Complex):
            read, place = _nested(field.type, tags, place, zone)
            nested.append((field.key, read))
        elif field.type.primitive == "string":
            picked.append((place - 1, field.key))
            folded += [field.key] if field.type.collapse else []
        else:
            converted.append((place - 1, field.key, _converter(field.type, zone, required=field.required)))
    pick = _picker([at for at, _ in picked])
    return _Shape(tuple(key for _, key in picked), pick, tuple(folded), tuple(converted), tuple(nested)), place


def _nested(
    kind: Complex, tags: Sequence[str], place: int, zone: ZoneInfo
) -> tuple[Callable[[Sequence[str | None], bool], Any], int]:
    if kind.item is None:
        shape, place = _shape(kind, tags, place, zone)
        return shape.read, place
    item, begin = kind.item, place
    shapes: list[_Shape] = []
    while place < len(tags) and tags[place] == f"{{{NAMESPACE}}}{item.name}":
        place += 1
        if isinstance(item.type, Complex):
            shape, place = _shape(item.type, tags, place, zone)
            shapes.append(shape)
    if isinstance(item.type, Complex):
        return lambda texts, untidy: [shape.read(texts, untidy) for shape in shapes], place
    if item.type.primitive != "string":
        raise ValueError(f"{kind.name} inside an item: no reader for a list of such values")
    convert = _converter(item.type, zone)
    end = place

    def read_texts(texts: Sequence[str | None], untidy: bool) -> list[Any]:
        found = texts[begin:end]
        return [convert(text or "") for text in found] if untidy or None in found else list(found)

    return read_texts, end


def _picker(places: Sequence[int]) -> Callable[[Sequence[str | None]], Sequence[str | None]]:
    """Return what picks these places from a sequence; `itemgetter` does not give a sequence for less than two."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda texts: [texts[place] for place in places]


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
