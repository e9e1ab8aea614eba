"""Base64 as XML Schema has it (XML Schema 1.0, part 2, section 3.2.16): white space may stand anywhere in it."""

from binascii import Error as Base64Error

from pybase64 import b64decode

from ..spool import Spooled

_BLANKS = b" \t\r\n"
_EACH_BLANK = (b" ", b"\t", b"\r", b"\n")
_PAD = b"="
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FOREIGN = bytes(set(range(256)) - set(_ALPHABET + _PAD))
# Characters of a value that errors repeat.
_BEGINNING = 80
# Characters from the first "=" on; base64 has two there at most, and with a few more it is wrong already.
_MOST_BEHIND = 64


def decoded(text: bytes) -> bytes:
    """Return the bytes that a text stands for; `binascii.Error` if it is not base64 from its beginning to its end."""
    return b64decode(_without_blanks(text), validate=True)


def _without_blanks(text: bytes) -> bytes:
    # To look for them takes a tenth of the time that taking them out does, and most texts have none.
    return text.translate(None, _BLANKS) if any(blank in text for blank in _EACH_BLANK) else text


class Base64:
    """A text that arrives in pieces.

    Of it remains a *stand-in*: its first characters and a few more, chosen so that the schema and the decoder judge
    them as they would the whole.
    """

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
        signs = _without_blanks(text)
        before, pad, behind = (b"", b"", signs) if self._behind else signs.partition(_PAD)
        self._behind = _shortened(self._behind + pad + self._known(behind))
        waiting, self._rest = self._rest, b""
        groups = self._groups(waiting + before)
        if self._is_foreign or not self._took(groups) or self._rest.translate(None, _ALPHABET):
            groups = self._groups(self._known(waiting + before))
        self._count += len(groups) + len(self._rest) - len(waiting)

    def _groups(self, signs: bytes) -> bytes:
        """Return the whole groups of four, and keep the rest."""
        whole = len(signs) // 4 * 4
        self._rest = signs[whole:]
        return signs[:whole]

    def _known(self, signs: bytes) -> bytes:
        """Return what is left without signs that do not belong into base64; the schema does not look at them."""
        known = signs.translate(None, _FOREIGN)
        self._is_foreign = self._is_foreign or len(known) < len(signs)
        return known

    def _took(self, groups: bytes) -> bool:
        """Keep what groups of four stand for; False if they are not base64."""
        try:
            self.content.write(b64decode(groups, validate=True))
        except Base64Error:
            return False
        return True

    def end(self) -> bool:
        """Take it that this was all; say whether it was base64, so that `content` is whole. Raises OSError."""
        return not self._is_foreign and self._took(self._rest + self._behind)

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
