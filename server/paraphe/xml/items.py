"""The items of a checked list to columns, in one go: what a message of a thousand students costs is decided here.

libxml2 writes the list out again, and one regular expression finds the texts of all members in that (see `rows`). It
need not know XML: libxml2 writes a `<` only where a tag begins, no comments or sections, and four references at most.
A list that is written otherwise (attributes on elements, several prefixes) is read element by element.
"""

from collections.abc import Iterable
from functools import lru_cache
from zoneinfo import ZoneInfo

from lxml import etree

from ..columns import Columns
from ..contract import Complex, Field
from .decode import Decoder, decoder, members
from .rows import SLICE, Rows, Texts


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
        self._rows = Rows(item, zone, held=True)

    def read(self, array: etree._Element) -> list[Columns]:
        """Return the columns of each slice; their names are the contract's, in snake_case and in its order."""
        if not len(array):
            return []
        text = etree.tostring(array, encoding="unicode", with_tail=False)
        rows = self._found(array, text)
        if rows is None:
            return list(self._one_by_one(array))
        escaped = "&" in text
        return [self._rows.columns(rows[at : at + SLICE], escaped=escaped) for at in range(0, len(rows), SLICE)]

    def _found(self, array: etree._Element, text: str) -> list[Texts] | None:
        """Return the texts of each item, or None if they are not to be found so."""
        text = text[text.index(">") + 1 : text.rindex("</")].lstrip()
        if prefix := array[0].prefix:
            text = text.replace(f"<{prefix}:", "<").replace(f"</{prefix}:", "</")
        return self._rows.found(text, spaced=bool(array.text or array[0].text or array[0].tail))

    def _one_by_one(self, array: etree._Element) -> Iterable[Columns]:
        read = decoder(self._kind, self._zone)
        for begin in range(0, len(array), SLICE):
            rows = [read(item) for item in array[begin : begin + SLICE]]
            keys = [field.key for field in self._kind.fields if any(field.key in row for row in rows)]
            yield {key: [row.get(key) for row in rows] for key in keys}
