"""The items of a long list: taken out of a large message while it arrives, checked, decoded, and kept in a file.

So a message takes as much memory as a slice of it, however long it is. Whose it is must be known before the first
item: what an account may do, and its time zone, say how items are read.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import cache
from zoneinfo import ZoneInfo

from lxml import etree

from ..contract import NAMESPACE, Field, Operation, operations
from ..errors import Error, Refused
from ..spool import Content
from . import bounds as bounding
from .bounds import Bounds, Signs
from .request import MOST_REJECTED, ReadSlices, at_first, read_values
from .rows import SLICE
from .validate import LAST_LINE, MAXIMUM_ERRORS, items_of

_TAG = f"{{{NAMESPACE}}}"
#: Returns the time zone of the account whose request begins so, or None if its items are to stay in the tree.
Zone = Callable[[etree._Element], ZoneInfo | None]


class LongList:
    """Takes the items of a Sync operation out of a message (see `parse.Taker`). Raises Refused, OSError."""

    def __init__(self, body: Content, bounds: Bounds, zone: Zone) -> None:
        self.names: Sequence[str] = tuple(_operations_by_list())
        self.takes_text = False
        #: What was taken, or None: the message may hold no list of items, or a short one.
        self.slices: ReadSlices | None = None
        #: Errors of items that are left out (KEEP_VALID), and errors for which the message is to be refused.
        self.rejected: list[Error] = []
        self.errors: list[Error] = []
        #: The request that the list is in.
        self.payload: etree._Element | None = None
        self._body, self._bounds, self._zone_of = body, bounds, zone
        self._signs: Signs | None = None
        self._array: etree._Element | None = None
        self._zone: ZoneInfo | None = None
        self._operation: Operation | None = None
        self._count = 0
        #: More errors would not be told.
        self._is_enough = False

    def begun(self, element: etree._Element) -> None:
        """See Taker."""
        parent = element.getparent()
        if self._operation is None and parent is not None:
            operation = _operations_by_list()[etree.QName(element).localname]
            if parent.tag == f"{_TAG}{operation.name}" and element.tag == f"{_TAG}{_items(operation).name}":
                self._operation, self._array, self.payload = operation, element, parent
                self._zone = self._zone_of(parent)

    def grown(self) -> None:
        """See Taker. The last item may not be complete."""
        while self._array is not None and self._zone is not None and len(self._array) > SLICE:
            self._take(self._array[:SLICE])

    def ended(self, element: etree._Element) -> None:
        """See Taker. A list that is short stays where it is."""
        if element is self._array:
            self.grown()
            if self.slices is not None:
                self._take(element[:])
            self._array = None

    def _take(self, elements: Sequence[etree._Element]) -> None:
        if self._operation is None or self._array is None or self._zone is None:
            raise RuntimeError("items are taken out of a list")
        if self.slices is None:
            self.slices = ReadSlices()
        payload = _beginning(self._array)
        payload[-1].extend(elements)
        before, self._count = self._count, self._count + len(elements)
        if self._count > self._bounds.list_items:
            raise bounding.too_many_items(self._bounds)
        if self._signs is None:
            self._signs = bounding.look(self._body, self._array.getroottree().docinfo.encoding, self._bounds)
        bounding.hold_part(payload, self._signs, self._bounds, deeper=True)
        if not self._is_enough and len(self.rejected) <= MOST_REJECTED:
            self._read(payload, self._operation, self._zone, before, self.slices)
        payload[-1].clear()

    def _read(
        self, payload: etree._Element, operation: Operation, zone: ZoneInfo, before: int, slices: ReadSlices
    ) -> None:
        """Read a slice, before which so many items stood in the list."""
        items = _items(operation)
        try:
            values, rejected = read_values(payload, operation, zone)
        except Refused as refused:
            # What is wrong around the list is found when the rest of the message is read.
            self.errors += [
                at_first(error, operation, items, error.index + before) if error.index else error
                for error in refused.errors
                if error.index or f"{error.path}/".startswith(f"/{operation.name}/{items.name}/")
            ]
            self._is_enough = len(refused.errors) == MAXIMUM_ERRORS or len(self.errors) > MAXIMUM_ERRORS
            return
        self.rejected += [at_first(error, operation, items, (error.index or 0) + before) for error in rejected]
        for columns in values.get(items.key, ()):
            slices.add(columns)


def _beginning(array: etree._Element) -> etree._Element:
    """Copy a request as far as its list, which is empty in the copy."""
    payload = array.getparent()
    if payload is None:
        raise RuntimeError("the list of a request is in it")
    copy = etree.Element(payload.tag, nsmap=payload.nsmap)
    copy.extend([deepcopy(child) for child in payload[: payload.index(array)]])
    empty = etree.SubElement(copy, array.tag)
    if array.sourceline and array.sourceline < LAST_LINE:
        empty.sourceline = array.sourceline  # type: ignore[misc]  # its stubs do not know that it can be set
    return copy


def _items(operation: Operation) -> Field:
    items = items_of(operation)
    if items is None:
        raise TypeError(f"{operation.name} has no items")
    return items


@cache
def _operations_by_list() -> dict[str, Operation]:
    found = ((items_of(operation), operation) for operation in operations().values())
    return {items.name: operation for items, operation in found if items is not None}
