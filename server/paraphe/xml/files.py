"""The files of a message: taken out of its tree, decoded into the place where they will be kept.

That is done while a large message arrives, and afterwards with the long ones of others: for the schema to look at a
megabyte of base64 takes longer than all else that is done with it.

The tree keeps a stand-in of each (see `base64`), so that all that comes later finds what it finds in a small message.
"""

from collections.abc import Callable, Sequence
from functools import cache

from lxml import etree

from ..contract import Operation, operations
from ..spool import Spooled
from .base64 import Base64
from .xop import Binaries, ways

LONG = 256 << 10
"""Characters above which a file is taken out of a message that is in memory."""

_SLICE = 1 << 20


class Files:
    """Takes the files out of a message (see `parse.Taker`); `place` gives a place for each. Raises OSError."""

    def __init__(self, place: Callable[[], Spooled]) -> None:
        self.names: Sequence[str] = _names()
        self._place = place
        self._element: etree._Element | None = None
        self._text: Base64 | None = None
        self._found: dict[etree._Element, Spooled] = {}

    @property
    def takes_text(self) -> bool:
        """See Taker."""
        return self._element is not None and not len(self._element)

    def begun(self, element: etree._Element) -> None:
        """See Taker. An element with another one in it is no file."""
        self._settle()
        self._element = element

    def grown(self) -> None:
        """See Taker."""
        if self._element is None or len(self._element) or not self._element.text:
            return
        self._text = self._text or Base64(self._place())
        self._text.add(self._element.text)
        self._element.text = None

    def ended(self, element: etree._Element) -> None:
        """See Taker. What came in one piece stays where it is."""
        if element is self._element:
            if self._text is not None:
                self.grown()
            self._settle()

    def _settle(self) -> None:
        element, text, self._element, self._text = self._element, self._text, None, None
        if element is None or text is None:
            return
        if text.end() and not len(element):
            self._found[element] = text.content
        element.text = text.stand_in() + (element.text or "")

    def put(self, element: etree._Element, text: str) -> None:
        """Take a file whose text is at hand, and leave a stand-in in the element. ValueError for what is no text."""
        coded = Base64(self._place())
        for begin in range(0, len(text), _SLICE):
            coded.add(text[begin : begin + _SLICE])
        element.text = coded.stand_in()
        if coded.end():
            self._found[element] = coded.content

    def of(self, payload: etree._Element, operation: Operation) -> Binaries:
        """Return the files of a request, in which their stand-ins stay; the schema refuses those in other places.

        Short ones stay where they are. Raises OSError.
        """
        found: dict[tuple[str, ...], Spooled] = {}
        for way in ways(operation.request):
            for element in payload.iterfind("/".join(f"{{*}}{field.name}" for field in way)):
                text = element.text or ""
                if len(text) > LONG and not len(element):
                    self.put(element, text)
                if element in self._found:
                    found[tuple(field.key for field in way)] = self._found[element]
        return found


@cache
def _names() -> tuple[str, ...]:
    """Return the names of the elements of all requests that hold files."""
    return tuple({way[-1].name: None for operation in operations().values() for way in ways(operation.request)})
