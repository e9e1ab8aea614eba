"""The files of a message: taken out of its tree, decoded into the place where they will be kept.

That is done while a large message arrives, and afterwards with the long ones of others: for the schema to look at a
megabyte of base64 takes longer than all else that is done with it.

The tree keeps a *stand-in*: the first characters of a file's text and a few more, chosen so that the schema and the
decoder judge them as they would the whole. So all that comes later finds what it finds in a small message.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Sequence
from functools import cache

from lxml import etree

from ..contract import Operation, operations
from ..spool import Spooled
from .xop import Binaries, ways

LONG = 256 << 10
"""Characters above which a file is taken out of a message that is in memory."""

_BLANKS = b" \t\r\n"
_PAD = b"="
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FOREIGN = bytes(set(range(256)) - set(_ALPHABET + _PAD))
_SLICE = 1 << 20
# Characters of a value that errors repeat.
_BEGINNING = 80
# Characters from the first "=" on; base64 has two there at most, and with a few more it is wrong already.
_MOST_BEHIND = 64


class Base64:
    """Base64 text that arrives in pieces, with white space anywhere in it."""

    def __init__(self, into: Spooled) -> None:
        self.content = into
        self._beginning = ""
        self._count = 0
        #: The characters behind the last whole group of four, and those from the first "=" on.
        self._rest = self._behind = b""
        self._is_foreign = False

    def add(self, text: str) -> None:
        """Take a piece. Raises OSError."""
        if len(self._beginning) < _BEGINNING:
            self._beginning += text[: _BEGINNING - len(self._beginning)]
        self.add_bytes(text.encode("ascii", "replace"))

    def add_bytes(self, text: bytes) -> None:
        """Take a piece of a text of which no beginning is needed. Raises OSError."""
        signs = text.translate(None, _BLANKS)
        known = signs.translate(None, _FOREIGN)
        self._is_foreign = self._is_foreign or len(known) < len(signs)
        before, pad, behind = (b"", b"", known) if self._behind else known.partition(_PAD)
        self._behind = _shortened(self._behind + pad + behind)
        self._count += len(before)
        before = self._rest + before
        whole = len(before) // 4 * 4
        self._rest = before[whole:]
        if not self._is_foreign:
            self.content.write(a2b_base64(before[:whole]))

    def end(self) -> bool:
        """Take it that this was all; say whether it was base64, so that `content` is whole. Raises OSError."""
        if self._is_foreign:
            return False
        try:
            self.content.write(a2b_base64(self._rest + self._behind, strict_mode=True))
        except Base64Error:
            return False
        return True

    def stand_in(self) -> str:
        """Return a short text that begins like the whole, and is right or wrong for the same reason."""
        signs = self._beginning.encode("ascii", "replace").translate(None, _BLANKS)
        known = signs.translate(None, _FOREIGN)
        before, pad, behind = known.partition(_PAD)
        missing, rest = self._count - len(before), self._rest
        filling = b"A" * (-len(before) % 4)
        rest = filling + rest if missing >= len(rest) else rest[len(rest) - missing :]
        foreign = b"!" if self._is_foreign and len(known) == len(signs) else b""
        added = rest + self._behind[len(pad + behind) :] + foreign
        return self._beginning + added.decode("ascii")


def _shortened(behind: bytes) -> bytes:
    """Cut what begins with "=" to what is needed to see that it is wrong."""
    cut = behind[_MOST_BEHIND:].strip(_PAD)
    return behind[:_MOST_BEHIND] + cut[:1]


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
