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
from .request import Request, read_request


class Arrival:
    """One message. `zone_of` is asked for while it arrives, `place` gives places for its files."""

    def __init__(
        self, body: Content, charset: str | None, bounds: Bounds, zone_of: Zone, place: Callable[[], Spooled]
    ) -> None:
        self._body, self._charset, self._bounds = body, charset, bounds
        self._files, self._long_list = Files(place), LongList(body, bounds, zone_of)
        self._plain = plain.cut(body, charset, bounds)

    def root(self) -> etree._Element:
        """Return the first element of the message, some of which may have been taken out. Raises Refused, OSError."""
        if self._plain is not None:
            with suppress(Refused):  # why, and in which line, the whole message says
                return parse(self._plain.frame, self._charset, self._bounds)
            self._plain = None
        return parse(self._body, self._charset, self._bounds, [self._files, self._long_list])

    def request(
        self,
        payload: etree._Element,
        operation: Operation,
        zone: ZoneInfo,
        *,
        tolerant: bool,
        elsewhere: Callable[[], xop.Binaries] = lambda: xop.NONE,
    ) -> Request | None:
        """Read the request that an element below the root is; see `read_request`. Raises Refused, OSError.

        `elsewhere` takes out of it the files that are elsewhere. None: the list is not written plainly. Then the whole
        message has to be taken apart, from another `root` on: what was cut out may be more than items.
        """
        if self._plain is not None:
            if not self._plain.read(payload, operation, zone, self._bounds):
                self._plain = None
                return None
            return read_request(payload, operation, zone, tolerant=tolerant, taken=self._plain)
        binaries = {**self._files.of(payload, operation), **elsewhere()}
        return read_request(payload, operation, zone, tolerant=tolerant, binaries=binaries, taken=self._long_list)
