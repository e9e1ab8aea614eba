"""A message in XML on its way from bytes to a request, by the cheapest way that it allows.

A list that is written plainly is read without a tree (`plain`). Otherwise the message is parsed; from one that is large
files (`files`) and the items of a long list (`long_lists`) are taken out while it arrives.
"""

from collections.abc import Callable
from contextlib import suppress
from zoneinfo import ZoneInfo

from lxml import etree

from ..contract import Operation
from ..errors import Refused
from ..spool import Content, Spooled
from . import plain, xop
from .bounds import Bounds
from .files import Files
from .long_lists import LongList, Zone
from .parse import parse
from .request import Request, Taken, read_request


class Arrival:
    """One message. `zone_of` is asked for while it arrives, `place` gives places for its files."""

    def __init__(
        self, body: Content, charset: str | None, bounds: Bounds, zone_of: Zone, place: Callable[[], Spooled]
    ) -> None:
        self._body, self._charset, self._bounds = body, charset, bounds
        self._files, self._long_list = Files(place), LongList(body, bounds, zone_of)
        self._plain: plain.PlainList | None = None

    def root(self) -> etree._Element:
        """Return the first element of the message, some of which may have been taken out. Raises Refused, OSError."""
        if found := plain.cut(self._body, self._charset, self._bounds):
            with suppress(Refused):  # why, and in which line, the whole message says
                root = parse(found.frame, self._charset, self._bounds)
                self._plain = found
                return root
        return self._whole()

    def request(
        self,
        payload: etree._Element,
        operation: Operation,
        zone: ZoneInfo,
        *,
        tolerant: bool,
        take_out: Callable[[etree._Element], xop.Binaries] = lambda payload: xop.NONE,
    ) -> Request:
        """Read the request that an element below the root is; see `read_request`.

        `take_out` takes out of it the files that are elsewhere. Raises Refused, OSError.
        """
        taken: Taken = self._long_list
        if self._plain is not None:
            if self._plain.read(payload, operation, zone, self._bounds):
                taken = self._plain
            else:
                payload = _in_the_place_of(payload, self._whole())
        binaries = {**self._files.of(payload, operation), **take_out(payload)}
        return read_request(payload, operation, zone, tolerant=tolerant, binaries=binaries, taken=taken)

    def _whole(self) -> etree._Element:
        return parse(self._body, self._charset, self._bounds, [self._files, self._long_list])


def _in_the_place_of(element: etree._Element, root: etree._Element) -> etree._Element:
    """Return the element that stands in another tree where this one stands in its own."""
    parent = element.getparent()
    return root if parent is None else _in_the_place_of(parent, root)[parent.index(element)]
