"""How a request arrives: what is changed in waitress 3.0 where it is read.

It is read in the main loop, which has no time to lose: what waitress does in quadratic time, or fails at, is refused
before. That is a head with control characters (its expression for a header's value), a request line that is none (that
for the first line), an address that `urlsplit` knows to be wrong, and long control lines and trailers of chunks.
"""

import re
from dataclasses import dataclass

from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, RequestEntityTooLarge, ServerNotImplemented

# RFC 9112, sections 3 and 5: none of these is in a head. Line ends that are alone waitress refuses itself.
_CONTROLS = bytes({*range(32), 127} - set(b"\t\r\n"))
_REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [^ ]+(?: HTTP/[0-9]\.[0-9])?")
# Bytes of the line before a chunk, and of what may stand behind the last one.
_LONGEST_LINE = 1024
_LONGEST_TRAILER = 65_536


class _Body(OverflowableBuffer):
    """A request's body as it arrives; one that gets longer than `most` is forgotten, all but its length."""

    def __init__(self, overflow: int, most: int) -> None:
        super().__init__(overflow)
        self._most = most
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, s: bytes) -> None:
        kept = self._length
        self._length += len(s)
        if self._length <= self._most:
            super().append(s)
        elif kept <= self._most:
            self.close()
            self.buf, self.strbuf = None, b""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast requests must arrive."""

    head_seconds: int
    pause_seconds: int
    least_speed: int

    def is_late(self, request: "Parser", since_begin: float, since_last: float) -> bool:
        """Say whether a request that is not complete arrives too slowly; times in seconds."""
        if not request.headers_finished:
            return since_begin > self.head_seconds
        expected = (since_begin - self.head_seconds - self.pause_seconds) * self.least_speed
        return since_last > self.pause_seconds or request.body_bytes_received < expected


class Parser(HTTPRequestParser):
    """A request, as far as it has arrived."""

    late = False
    unread = False
    """Part of the body was left on the wire, so nothing else can be read from this connection."""
    broken = False
    headers: dict[str, str]

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head, and have a body kept that is not too long. Raises ParsingError."""
        first_line, _, _ = header_plus.partition(b"\r\n")
        if not _REQUEST_LINE.fullmatch(first_line.rstrip()) or len(header_plus.translate(None, _CONTROLS)) < len(
            header_plus
        ):
            raise ParsingError("The head of the request is none of HTTP")
        try:
            super().parse_header(header_plus)
        except ValueError as failure:
            raise ParsingError("The head of the request has a value that cannot be") from failure
        if self.body_rcv is not None:
            most = self.adj.max_request_body_size // 4
            # What is announced as long is in a file from its first bytes on, and as too long not even kept at first.
            overflow = 0 if self.content_length > self.adj.inbuf_overflow else self.adj.inbuf_overflow
            self.body_rcv.buf = _Body(overflow, -1 if self.content_length > most else most)

    def received(self, data: bytes) -> int:
        """Take bytes that have arrived; return how many of them belong to this request."""
        # waitress cuts each chunk off the front of all it was given. Measured with 3 MB of one-byte chunks, which hold
        # up everybody: 39 s when 1 MiB is given at once, 1.5 s so.
        consumed: int = super().received(data[:8192] if self.chunked else data)
        if isinstance(self.body_rcv, ChunkedReceiver) and (
            len(self.body_rcv.control_line) > _LONGEST_LINE or len(self.body_rcv.trailer) > _LONGEST_TRAILER
        ):
            self.error, self.completed = BadRequest("A line of the chunks is too long"), True
        unknown_coding = isinstance(self.error, ServerNotImplemented)
        if self.error is not None and (self.body_rcv is not None or unknown_coding):
            # The head was read, so the application can say in the caller's language what is wrong with the body.
            self.broken = not isinstance(self.error, RequestEntityTooLarge)
            self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))
            self.error, self.unread = None, True
        elif self.expect_continue and self.content_length > self.adj.max_request_body_size // 4:
            self.completed = self.unread = True
        if self.completed:
            # waitress would send "100 Continue" now and wait for a body that does not come.
            self.expect_continue = False
        return len(data) if self.unread else consumed

    def give_up(self) -> None:
        """Make of what has arrived a request that can be answered: with the lines of its head that are complete."""
        self.late = self.completed = True
        if not self.headers_finished:
            lines, _, _ = self.header_plus.lstrip().rpartition(b"\r\n")
            try:
                self.parse_header(lines + b"\r\n")
            except (ParsingError, TransferEncodingNotImplemented):
                self.headers, self.body_rcv = {}, None
                self.parse_header(b"GET / HTTP/1.0\r\n")
        self.expect_continue = False
