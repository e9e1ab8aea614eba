"""A connection and the answers on it: what is changed in waitress 3.0 where it is written to."""

import socket
import struct
import sys
import termios
import threading
from fcntl import ioctl
from time import monotonic
from typing import Any
from wsgiref.types import WSGIEnvironment

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask

from ..admission import source_of
from .requests import Pace, Parser

PATIENCE = 60.0
"""Seconds that a caller may take nothing of its answer before it counts as gone."""

LEAST_TAKEN = 16_000
"""Bytes a second that a caller must take on average, once it has had PATIENCE: a thread waits for it."""

# Bytes of a short message, or answer. Memory for a longer one is had from the system each time.
_SHORT = 64 << 10
_TCP_CLOSE = 7  # netinet/tcp.h; what a reset leads to. A caller that has only stopped sending is in CLOSE_WAIT, 8.


class _Task(WSGITask):
    channel: "Channel"
    request: Any

    def get_environment(self) -> WSGIEnvironment:
        environ = super().get_environment()
        environ["paraphe.flush"] = self.channel.flush
        environ["paraphe.broken"] = self.request.broken
        environ["paraphe.late"] = self.request.late
        environ["paraphe.stopping"] = self.channel.server.stopping and not self.channel.came_before
        forwarded = self.request.headers.get("X_FORWARDED_FOR", "")
        environ["REMOTE_ADDR"] = source_of(environ["REMOTE_ADDR"], forwarded, self.channel.server.proxies)
        return environ

    def write(self, data: bytes) -> None:
        """Send the head of an answer together with the beginning of its body, for what one of the two would cost."""
        if not self.wrote_header and self.complete and isinstance(data, bytes) and data:
            self.channel.head, self.wrote_header = self.build_response_header(), True
        super().write(data)
        if self.channel.head:  # there may be no body
            self.channel.write_soon(b"")

    def build_response_header(self) -> bytes:
        if self.request.late or self.request.unread or self.channel.server.leaving:
            self.set_close_on_finish()
        return super().build_response_header()


class _ErrorTask(ErrorTask):
    """Answers what is no HTTP, so that nobody can tell whom it was meant for."""

    def execute(self) -> None:
        self.response_headers = [
            *self.response_headers,
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        super().execute()


class Channel(HTTPChannel):
    """One connection: requests in, answers out, and whether the other end keeps up with both."""

    task_class = _Task
    error_task_class = _ErrorTask
    parser_class = Parser
    # What the stubs of waitress do not know, or know otherwise.
    server: Any
    request: Parser | None
    requests: list[Any]
    requests_lock: threading.Lock

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        #: When the request that is arriving began, and when its last byte so far came.
        self._began = self._heard = monotonic()
        self._is_new = True
        #: Whether something was going on here when the server was told to stop: that is finished.
        self.came_before = False
        #: The head of an answer that waits for the first bytes of its body.
        self.head = b""

    @property
    def is_busy(self) -> bool:
        """Whether something is being received, worked on or sent."""
        return bool(self.requests or self.request or self.total_outbufs_len)

    def recv(self, buffer_size: int) -> bytes:
        """Read what has come; of a request that begins 64 kB at most, so that a short one costs no large buffer."""
        return super().recv(min(buffer_size, _SHORT) if self.request is None else buffer_size)

    def write_soon(self, data: Any) -> int:
        """See waitress. A head that waits goes first."""
        head, self.head = self.head, b""
        if head and isinstance(data, bytes) and len(data) < _SHORT:
            return super().write_soon(head + data) - len(head)
        super().write_soon(head)
        return super().write_soon(data)

    def received(self, data: bytes) -> bool:
        """Take bytes that have arrived, and note when."""
        before = self.request
        taken: bool = super().received(data)
        self._heard, self._is_new = monotonic(), False
        if self.request is not before:
            self._began = self._heard
        return taken

    def hold_pace(self, pace: Pace) -> None:
        """Have a request answered that arrives too slowly. Close a new connection that says nothing."""
        now = monotonic()
        with self.requests_lock:
            if self.requests or self.total_outbufs_len or self.will_close or self.close_when_flushed:
                self._began = self._heard = now  # nothing is read now: the caller cannot help it
            elif self.request is None:
                self.will_close = self._is_new and now - self._began > pace.head_seconds
            elif pace.is_late(self.request, now - self._began, now - self._heard):
                self.request.give_up()
                self.requests.append(self.request)
                self.request = None
                self.server.add_task(self)

    def flush(self) -> bool:
        """Wait until the other end has acknowledged all bytes handed over so far; False if it never will.

        That the kernel took the bytes says little: a whole document fits into its buffers. So this waits for the TCP
        acknowledgement: every byte has left, and was received by the machine that is connected (which may be a proxy).
        """
        return self._wait_for(0)

    def _flush_outbufs_below_high_watermark(self) -> None:
        # waitress waits here without end: eight callers that stop reading would stop the server.
        most = self.adj.outbuf_high_watermark
        if self.total_outbufs_len > most and not self._wait_for(most):
            self.will_close, self.connected = True, False
            self.server.pull_trigger()

    def _wait_for(self, most: int) -> bool:
        """Wait until at most `most` bytes are on the way; False if the other end is gone, or takes next to nothing."""
        least, began, pause = sys.maxsize, monotonic(), 0.0005
        moved = began
        with self.outbuf_lock:
            first = self._on_the_way() or 0
            while (left := self._on_the_way()) is not None and left > most:
                now = monotonic()
                if left < least:
                    least, moved = left, now
                if now - moved > PATIENCE or first - left < LEAST_TAKEN * (now - began - PATIENCE):
                    return False
                # The main loop sends, and notifies when it has. An acknowledgement gives no sign: hence the pauses.
                self.outbuf_lock.wait(pause)
                pause = min(pause * 2, 0.02)
        return left is not None

    def _on_the_way(self) -> int | None:
        """Count the bytes that the other end has not acknowledged; None if it is gone. Holds outbuf_lock.

        Under that lock a connected channel has an open socket: all closing goes through handle_close.
        """
        if not self.connected or self.will_close or self.socket is None:
            return None
        if sys.platform != "linux":
            return self.total_outbufs_len
        try:
            (in_kernel,) = struct.unpack("i", ioctl(self.socket, termios.TIOCOUTQ, bytes(4)))
            # Asked after the queue, because a reset may empty it.
            state = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        except OSError:
            return None
        return None if state == _TCP_CLOSE else self.total_outbufs_len + int(in_kernel)
