"""How a request arrives: what is changed in waitress 3.0 where it is read."""

from dataclasses import dataclass

from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.utilities import RequestEntityTooLarge, ServerNotImplemented


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
        """Read the head, and have a body kept that is not too long."""
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            most = self.adj.max_request_body_size // 4
            # What is announced as too long is not even kept at first.
            self.body_rcv.buf = _Body(self.adj.inbuf_overflow, -1 if self.content_length > most else most)

    def received(self, data: bytes) -> int:
        """Take bytes that have arrived; return how many of them belong to this request."""
        # waitress cuts each chunk off the front of all it was given. Measured with 3 MB of one-byte chunks, which hold
        # up everybody: 39 s when 1 MiB is given at once, 1.5 s so.
        consumed: int = super().received(data[:8192] if self.chunked else data)
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
