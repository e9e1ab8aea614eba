"""MIME multipart bodies taken apart (RFC 2046): in linear time, without a copy of any part.

That of a large body is where the body is, in a file.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_qp
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import Code, Error, Refused
from ...spool import LARGE, Content, InFile, Spooled
from ...xml.base64 import Base64, decoded
from .. import http

MAXIMUM_PARTS = 100
# Lines that begin like the boundary and are none. Composers choose boundaries that their parts do not hold.
_MAXIMUM_LOOKALIKES = 1000
_MAXIMUM_HEADER = 16_384  # bytes of one part
_LONGEST_LINE = 4096  # of blanks behind a delimiter
_END_OF_LINE = re.compile(rb"(--)?[ \t]*+(\r\n|\n|\Z)")
_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_AS_THEY_ARE = ("", "binary", "8bit", "7bit")


@dataclass(frozen=True, slots=True)
class Part:
    """One part; `content_id` is without angle brackets and empty where there is none."""

    kind: str
    parameters: dict[str, str]
    content_id: str
    encoding: str
    body: memoryview | InFile

    def content(self, place: Callable[[], Spooled]) -> Content:
        """Return the bytes that were meant, the Content-Transfer-Encoding undone; Refused, INVALID_ATTACHMENT.

        Where they are large, they are where they came, or if they had to be decoded, in a `place`. Raises OSError.
        """
        large = self.body if isinstance(self.body, InFile) and len(self.body) > LARGE else None
        if self.encoding in _AS_THEY_ARE:
            return large or bytes(self.body)
        if self.encoding == "quoted-printable":
            return a2b_qp(bytes(self.body))
        if self.encoding != "base64":
            raise broken(
                f"A part has the Content-Transfer-Encoding {self.encoding[:40]}, which is not known.",
                "Use binary, 8bit, base64 or quoted-printable.",
            )
        if large is not None:
            return self._decoded(large, Base64(place()))
        try:
            return decoded(bytes(self.body))
        except Base64Error:
            raise self._no_base64() from None

    def _decoded(self, large: InFile, text: Base64) -> Spooled:
        for piece in large.pieces():
            text.add_bytes(piece)
        if not text.end():
            raise self._no_base64()
        return text.content

    def _no_base64(self) -> Refused:
        return broken(
            f"The part {self.content_id[:80]} is not base64, as its Content-Transfer-Encoding says.",
            "Send the part as binary.",
        )


def broken(message: str, hint: str) -> Refused:
    """Refuse a multipart message."""
    return Refused(Error(Code.INVALID_ATTACHMENT, message, hint=hint))


def split(body: Content, boundary: str) -> list[Part]:
    """Return the parts between the delimiter lines; what stands before the first and behind the last is ignored.

    Lines may end in LF alone, which the delimiter line behind a part decides for the break before it. Refused,
    INVALID_ATTACHMENT, for a message that has no end, more than 100 parts, or a part without a blank line.
    """
    delimiter = b"--" + boundary.encode("latin-1", "replace")
    parts: list[Part] = []
    begin, broke = -1, b""
    place = 0 if body.startswith(delimiter) else body.find(b"\n" + delimiter) + 1 or -1
    for _ in range(MAXIMUM_PARTS + _MAXIMUM_LOOKALIKES):
        if place < 0:
            break
        ahead = place + 1
        if line := _end_of_line(body, place + len(delimiter)):
            if len(parts) == MAXIMUM_PARTS:
                break
            if begin >= 0:
                crlf = (line[2] or broke) == b"\r\n" and body[place - 2 : place - 1] == b"\r"
                parts.append(_part(_between(body, begin, max(begin, place - 1 - crlf))))
            if line[1]:
                return parts
            begin, broke = place + len(delimiter) + line.end(), line[2]
            ahead = max(ahead, begin - 1)
        place = body.find(b"\n" + delimiter, ahead) + 1 or -1
    raise _unended(parts, begin, place)


def _end_of_line(body: Content, place: int) -> re.Match[bytes] | None:
    """Match what follows a delimiter: blanks and a break, or the end of the body."""
    line = _END_OF_LINE.match(body[place : place + _LONGEST_LINE])
    # Where it was cut is no end.
    return None if line and not line[2] and place + line.end() < len(body) else line


def _between(body: Content, begin: int, end: int) -> memoryview | InFile:
    return memoryview(body)[begin:end] if isinstance(body, bytes) else body.part(begin, end)


def _unended(parts: list[Part], begin: int, place: int) -> Refused:
    if place >= 0:
        return broken(
            f"The multipart message has more than {MAXIMUM_PARTS} parts, or its boundary stands inside a part.",
            "Send only the parts that the message refers to, with a boundary that is in none of them.",
        )
    if begin < 0:
        return broken(
            "No line of the message is the boundary that its Content-Type names.",
            "Compare the parameter boundary with the lines that begin with --.",
        )
    return broken(
        f"The multipart message ends without a closing boundary; {len(parts)} parts are whole.",
        "Send the whole message; its last line is -- with the boundary and -- again.",
    )


def _part(segment: memoryview | InFile) -> Part:
    head = bytes(segment[:_MAXIMUM_HEADER])
    blank = _BLANK_LINE.search(head)
    if blank is None and (len(segment) > len(head) or (head and not head.endswith(b"\n"))):
        raise broken(
            "A part of the multipart message has no blank line between its headers and its content.",
            f"Put one behind the headers, which may have {_MAXIMUM_HEADER} bytes.",
        )
    end, begin = blank.span() if blank else (len(head), len(head))
    fields = _fields(head[:end].decode("latin-1"))
    kind, parameters = http.content_type(fields.get("content-type", ""))
    content_id = fields.get("content-id", "").removeprefix("<").removesuffix(">")
    encoding = fields.get("content-transfer-encoding", "").lower()
    rest = segment[begin:] if isinstance(segment, memoryview) else segment.part(begin, len(segment))
    return Part(kind, parameters, content_id, encoding, rest)


def _fields(head: str) -> dict[str, str]:
    """Return the header fields by their names in lower case, unfolded; of two with one name, the first."""
    fields: dict[str, str] = {}
    for line in re.sub(r"\r?\n[ \t]+", " ", head).split("\n"):
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    return fields
