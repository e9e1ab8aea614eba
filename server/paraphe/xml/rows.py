"""Many items written one after the other to columns, by their texts alone.

One expression, compiled from the type of the items, finds each item with the texts of all its members; then the texts
of a member in all items become its values at once. The expression takes an item as the schema writes it, and nothing
else: the elements that must be there, in their order, without attributes, comments or sections.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate, islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from ..columns import Columns
from ..contract import Complex, Field, Simple
from .decode import collapse, converter
from .facets import NotPlain, holder

SLICE = 1000
"""Items that are read, checked and stored in one go: enough that their number no longer matters for the speed, and few
enough that what they take of memory does not."""

LONGEST_INSIDE = 1000
"""Elements that a list inside an item has at most, if the bounds of the message are not held to it otherwise."""

Texts = Sequence[str | None]
# &amp; is the last: replaced earlier, it would make new references.
_REFERENCES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#13;": "\r", "&amp;": "&"}
_OTHER_REFERENCE = re.compile(f"&(?!{'|'.join(name[1:] for name in _REFERENCES)})")
_EMPTY = re.compile(r"<([^\s<>/]+) ?/>")

#: Turns what was found of one member in all items (None: it is absent) into its values. Of a member that has members
#: these are several texts; the flag says that some are escaped.
_ReadColumn = Callable[[Sequence[Texts], bool], Sequence[Any]]


class Rows:
    """Reads items of one kind. `held`: the schema has been held to them; otherwise values are held to their types here.

    The names in the texts have no prefix.
    """

    def __init__(self, item: Field, zone: ZoneInfo, *, held: bool) -> None:
        if not isinstance(item.type, Complex):
            raise TypeError(f"{item.name} has no members")
        self._item = item
        self._columns = list(_columns(item.type, zone, held=held))
        self._ranges = list(pairwise(accumulate((width for _, width, _ in self._columns), initial=0)))

    def found(self, text: str, *, spaced: bool) -> list[Texts] | None:
        """Return the texts of each item, if the text is items and nothing else; `spaced` if white space is between.

        The text begins with an item, if it has any.
        """
        if "&" in text and _OTHER_REFERENCE.search(text):
            return None
        found, end = self._one_behind_another(text, spaced=spaced)
        if end < len(text) and "/>" in text:
            found, end = self._one_behind_another(text := _EMPTY.sub(r"<\1></\1>", text), spaced=spaced)
        return found if end == len(text) else None

    def _one_behind_another(self, text: str, *, spaced: bool) -> tuple[list[Texts], int]:
        """Return the texts of the items with which a text begins, and where they end."""
        found, end = list[Texts](), 0
        for match in _pattern(self._item, spaced=spaced).finditer(text):
            if match.start() != end:
                break
            end = match.end()
            found.append(match.groups())
        return found, end

    def columns(self, rows: Sequence[Texts], *, escaped: bool) -> Columns:
        """Return the values of a slice; the names are the contract's, in snake_case and in its order.

        What no item has is left out. Raises Unreadable; and NotPlain, if the schema has not been held to the items.
        """
        cells: list[Texts] = list(zip(*rows, strict=True))
        columns = {}
        for (key, _, read), (begin, end) in zip(self._columns, self._ranges, strict=True):
            values = read(cells[begin:end], escaped)
            if values.count(None) < len(values):
                columns[key] = values
        return columns


# What is found -------------------------------------------------------------------------------------------------


@cache
def _pattern(item: Field, *, spaced: bool) -> re.Pattern[str]:
    """Return what finds one item, with a group for each text; `spaced` if there is white space between elements.

    Nothing that has matched is tried again otherwise (`*+`, `?+`), so what it takes is linear.
    """
    space = r"[ \t\r\n]*+" if spaced else ""
    return re.compile(_element(item.name, _members(item.type, space)) + space)


def _members(kind: Simple | Complex, space: str) -> str:
    if isinstance(kind, Simple):
        return "([^<]*+)"
    if kind.item is not None:
        inner = _element(kind.item.name, "[^<]*+") + space
        return f"({space}(?:{inner}){'+' if kind.item.required else '*'}+)"
    parts = []
    for field in kind.fields:
        inside = _members(field.type, space)
        if isinstance(field.type, Complex) and field.type.item is None:
            inside = f"({space}){inside}"  # a group that says that the member is there, though it may hold nothing
        parts.append(f"(?:{_element(field.name, inside)}{space}){'' if field.required else '?+'}")
    return space + "".join(parts)


def _element(name: str, inside: str) -> str:
    return f"<{name}>{inside}</{name}>"


# What becomes of it --------------------------------------------------------------------------------------------


def _columns(kind: Complex, zone: ZoneInfo, *, held: bool) -> Iterable[tuple[str, int, _ReadColumn]]:
    """Give for each member its key, the number of its texts, and what reads them."""
    for field in kind.fields:
        if isinstance(field.type, Simple):
            yield field.key, 1, _leaf(field.type, zone, required=field.required, held=held)
        elif field.type.item is None:
            fields = field.type.fields
            inner = {each.key: _leaf(each.type, zone, required=each.required, held=held) for each in fields}
            yield field.key, 1 + len(inner), _nested(inner)
        else:
            yield field.key, 1, _list(field.type.item, zone, held=held)


def _leaf(kind: Simple | Complex, zone: ZoneInfo, *, required: bool, held: bool) -> _ReadColumn:
    if isinstance(kind, Complex):
        raise TypeError(f"{kind.name} is too deep in an item")
    convert = converter(kind, zone, required=required)
    hold = None if held else holder(kind)

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
        if kind.primitive == "string" and kind.collapse and _has_blanks_to_fold(texts):
            texts = list(map(collapse, texts))
        if hold is not None:
            hold(texts)
        return texts if kind.primitive == "string" else list(map(convert, texts))

    return read


def _list(item: Field, zone: ZoneInfo, *, held: bool) -> _ReadColumn:
    find = re.compile(_element(item.name, "([^<]*+)")).findall
    begin = f"<{item.name}>"
    read_leaf = _leaf(item.type, zone, required=False, held=held)

    def read(cells: Sequence[Texts], escaped: bool) -> Sequence[Any]:
        (texts,) = cells
        if texts.count(None) == len(texts):
            return texts
        counts = [None if text is None else text.count(begin) for text in texts]
        if not held and max(count or 0 for count in counts) > LONGEST_INSIDE:
            raise NotPlain
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
