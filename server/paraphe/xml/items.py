"""The items of a checked list to columns, in one go: what a message of a thousand students costs is decided here.

libxml2 writes the list out again, and one regular expression, compiled from the type of the items, finds the texts of
all members in that. It need not know XML: libxml2 writes a `<` only where a tag begins, no comments or sections, and
four references at most; an empty element ends with `/>` and nothing else does. The schema has said which elements there
are, in which order, so each item is found once or not at all. When fewer are found than the list has, because it is
written otherwise (attributes on elements, several prefixes), it is read element by element.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import accumulate, islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from ..columns import Columns
from ..contract import Complex, Field, Simple
from .decode import Decoder, collapse, converter, decoder, members

SLICE = 1000
"""Items that are read, checked and stored in one go: enough that their number no longer matters for the speed, and few
enough that what they take of memory does not."""

Texts = Sequence[str | None]
_REFERENCES = {"&lt;": "<", "&gt;": ">", "&#13;": "\r", "&amp;": "&"}
_OTHER_REFERENCE = re.compile(f"&(?!{'|'.join(name[1:] for name in _REFERENCES)})")

#: Turns what was found of one member in all items (None: it is absent) into its values. Of a member that has members
#: these are several texts; the flag says that some are escaped.
_ReadColumn = Callable[[Sequence[Texts], bool], Sequence[Any]]


@lru_cache(maxsize=512)
def request_decoder(request: Complex, items: Field | None, zone: ZoneInfo) -> Decoder:
    """Return the decoder of a request; `items`, if it has them, become slices of columns."""
    if items is None or not isinstance(items.type, Complex) or items.type.item is None:
        return members(request, zone)
    return members(request, zone, {items: _Items(items.type.item, zone).read})


class _Items:
    """Reads lists of one kind of items."""

    def __init__(self, item: Field, zone: ZoneInfo) -> None:
        if not isinstance(item.type, Complex):
            raise TypeError(f"{item.name} has no members")
        self._kind, self._zone = item.type, zone
        self._item = item
        self._columns = list(_columns(item.type, zone))
        self._ranges = list(pairwise(accumulate((width for _, width, _ in self._columns), initial=0)))

    def read(self, array: etree._Element) -> list[Columns]:
        """Return the columns of each slice; their names are the contract's, in snake_case and in its order."""
        if not len(array):
            return []
        text = etree.tostring(array, encoding="unicode", with_tail=False)
        rows = self._found(array, text)
        if rows is None:
            return list(self._one_by_one(array))
        escaped = "&" in text
        return [self._slice(rows[begin : begin + SLICE], escaped=escaped) for begin in range(0, len(rows), SLICE)]

    def _found(self, array: etree._Element, text: str) -> list[Texts] | None:
        """Return the texts of each item, or None if they are not to be found so."""
        if _OTHER_REFERENCE.search(text):
            return None
        if prefix := array[0].prefix:
            text = text.replace(f"<{prefix}:", "<").replace(f"</{prefix}:", "</")
        spaced = bool(array.text or array[0].text or array[0].tail)
        find = _pattern(self._item, spaced=spaced).finditer
        rows: list[Texts] = [match.groups() for match in find(text)]
        if len(rows) < len(array) and "/>" in text:
            for name in _names_in(self._item):
                text = text.replace(f"<{name}/>", f"<{name}></{name}>")
            rows = [match.groups() for match in find(text)]
        return rows if len(rows) == len(array) else None

    def _slice(self, rows: Sequence[Texts], *, escaped: bool) -> Columns:
        cells: list[Texts] = list(zip(*rows, strict=True))
        columns = {}
        for (key, _, read), (begin, end) in zip(self._columns, self._ranges, strict=True):
            values = read(cells[begin:end], escaped)
            if any(value is not None for value in values):
                columns[key] = values
        return columns

    def _one_by_one(self, array: etree._Element) -> Iterable[Columns]:
        read = decoder(self._kind, self._zone)
        for begin in range(0, len(array), SLICE):
            rows = [read(item) for item in array[begin : begin + SLICE]]
            keys = [field.key for field in self._kind.fields if any(field.key in row for row in rows)]
            yield {key: [row.get(key) for row in rows] for key in keys}


# What is found -------------------------------------------------------------------------------------------------


@cache
def _pattern(item: Field, *, spaced: bool) -> re.Pattern[str]:
    """Return what finds one item, with a group for each text; `spaced` if there is white space between elements.

    Nothing that has matched is tried again otherwise (`*+`, `?+`), so what it takes is linear.
    """
    return re.compile(_element(item.name, _members(item.type, r"\s*+" if spaced else "")))


def _members(kind: Simple | Complex, space: str) -> str:
    if isinstance(kind, Simple):
        return "([^<]*+)"
    if kind.item is not None:
        inner = _element(kind.item.name, "[^<]*+") + space
        return f"({space}(?:{inner})*+)"
    parts = []
    for field in kind.fields:
        inside = _members(field.type, space)
        if isinstance(field.type, Complex) and field.type.item is None:
            inside = f"({space}){inside}"  # a group that says that the member is there, though it may hold nothing
        parts.append(f"(?:{_element(field.name, inside)}{space})?+")
    return space + "".join(parts)


def _element(name: str, inside: str) -> str:
    return f"<{name}>{inside}</{name}>"


@cache
def _names_in(item: Field) -> frozenset[str]:
    """Return the names of an item and of all that is in it."""
    below = item.type.fields if isinstance(item.type, Complex) else ()
    return frozenset({item.name}).union(*map(_names_in, below))


# What becomes of it --------------------------------------------------------------------------------------------


def _columns(kind: Complex, zone: ZoneInfo) -> Iterable[tuple[str, int, _ReadColumn]]:
    """Give for each member its key, the number of its texts, and what reads them."""
    for field in kind.fields:
        if isinstance(field.type, Simple):
            yield field.key, 1, _leaf(field.type, zone, required=field.required)
        elif field.type.item is None:
            inner = {each.key: _leaf(each.type, zone, required=each.required) for each in field.type.fields}
            yield field.key, 1 + len(inner), _nested(inner)
        else:
            yield field.key, 1, _list(field.type.item, zone)


def _leaf(kind: Simple | Complex, zone: ZoneInfo, *, required: bool) -> _ReadColumn:
    if isinstance(kind, Complex):
        raise TypeError(f"{kind.name} is too deep in an item")
    convert = converter(kind, zone, required=required)

    def read(cells: Sequence[Texts], escaped: bool) -> Sequence[Any]:
        (texts,) = cells
        lacking = texts.count(None)
        if lacking == len(texts):
            return texts  # None throughout
        if not lacking:
            return read_all(texts, escaped)  # type: ignore[arg-type]
        values = iter(read_all([text for text in texts if text is not None], escaped))
        return [None if text is None else next(values) for text in texts]

    def read_all(texts: Sequence[str], escaped: bool) -> Sequence[Any]:
        if escaped:
            texts = [_unescaped(text) if "&" in text else text for text in texts]
        if kind.primitive != "string":
            return list(map(convert, texts))
        return list(map(collapse, texts)) if kind.collapse and _has_blanks_to_fold(texts) else texts

    return read


def _list(item: Field, zone: ZoneInfo) -> _ReadColumn:
    find = re.compile(_element(item.name, "([^<]*+)")).findall
    begin = f"<{item.name}>"
    read_leaf = _leaf(item.type, zone, required=False)

    def read(cells: Sequence[Texts], escaped: bool) -> Sequence[Any]:
        (texts,) = cells
        if texts.count(None) == len(texts):
            return texts
        counts = [None if text is None else text.count(begin) for text in texts]
        flat = read_leaf([find("".join([text for text in texts if text]))], escaped)
        if counts.count(1) == len(counts):
            return [[value] for value in flat]
        values = iter(flat)
        return [None if count is None else list(islice(values, count)) for count in counts]

    return read


def _nested(inner: Mapping[str, _ReadColumn]) -> _ReadColumn:
    def read(cells: Sequence[Texts], escaped: bool) -> Sequence[Any]:
        there, *rest = cells
        if there.count(None) == len(there):
            return there
        columns = {
            key: read_column([texts], escaped)
            for (key, read_column), texts in zip(inner.items(), rest, strict=True)
            if texts.count(None) < len(texts)
        }
        keys, values = list(columns), list(zip(*columns.values(), strict=True))
        if values and not any(None in column for column in (there, *columns.values())):
            return [dict(zip(keys, row, strict=True)) for row in values]
        values = values or [()] * len(there)
        return [
            None if present is None else {key: value for key, value in zip(keys, row, strict=True) if value is not None}
            for present, row in zip(there, values, strict=True)
        ]

    return read


def _unescaped(text: str) -> str:
    for reference, sign in _REFERENCES.items():
        text = text.replace(reference, sign)
    return text


def _has_blanks_to_fold(texts: Iterable[str]) -> bool:
    """Say whether any of many texts has white space that `collapse` would fold; seldom, so all are searched at once."""
    joined = "\0" + "\0".join(texts) + "\0"
    return any(blank in joined for blank in ("  ", "\0 ", " \0", "\n", "\t", "\r"))
