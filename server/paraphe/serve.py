"""HTTP: waitress set up for large messages, for knowing when an answer has arrived, and for a quiet end.

What an application is given beyond WSGI:

- `environ["paraphe.flush"]()` waits until the other end has acknowledged every byte handed over so far. True: it has
  them. False: it is gone, or took nothing for a minute. Hand over the whole answer first (with a Content-Length, so
  that the caller need not wait for the end): call it behind the last `yield` of the answer.
- A body longer than `message_bytes` is read to its end and forgotten, so that the caller gets an answer and no broken
  connection: `CONTENT_LENGTH` says how long it was, `wsgi.input` is empty. Who announces it with
  `Expect: 100-continue`, and who sends four times as much, gets the answer at once and the connection is closed.
- `environ["paraphe.broken"]` is True if the body cannot be read, because its chunks are none.
- `environ["paraphe.late"]` is True if the request arrived too slowly: it is to be refused. Of its headers and its body
  only a part is there, and the connection is closed behind the answer.
- `environ["REMOTE_ADDR"]` is the caller's address, also when trusted proxies brought the request.
"""

import ctypes
import gc
import json
import logging
import re
import signal
import socket
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fcntl import ioctl
from time import monotonic
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from sqlalchemy.exc import InterfaceError, OperationalError
from waitress import wasyncore
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge, ServerNotImplemented

from . import __version__
from .admission import source_of
from .archive import Unavailable
from .settings import Listen, Settings

_log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that a caller may take nothing of its answer before it counts as gone."""

LAST_ORDERS = 30.0
"""Seconds that running requests have to finish when the server is told to stop."""

_LOOK = 0.5
"""Seconds between two looks for connections that are too slow."""

_MIB = 1 << 20
_ARENA_MAX = -8  # malloc.h


class CannotListen(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The address cannot be taken; the text is a sentence for the operator."""


def _tuning(settings: Settings) -> dict[str, Any]:
    return {
        "threads": settings.threads,
        "ident": "paraphe",
        # One read takes what a fast sender has sent. With a body kept in memory, a message of 4 MB costs an eighth of
        # the CPU that it costs with the defaults (8 kB, disk from 0.5 MB on).
        "recv_bytes": _MIB,
        # A request stays in memory up to here and is spooled to disk beyond, an answer likewise. Times
        # connection_limit, this is the memory (800 MB) that callers can occupy who are not even known.
        "inbuf_overflow": 4 * _MIB,
        "outbuf_overflow": 24 * _MIB,
        # An answer that is produced piece by piece pauses here, so it never reaches the disk.
        "outbuf_high_watermark": 8 * _MIB,
        "connection_limit": 200,
        # Credentials and a few headers: 64 kB is generous, 256 kB (the default) only helps an attacker.
        "max_request_header_size": 64 * 1024,
        # The application answers what is longer than message_bytes (see _Body). Beyond this, waitress itself cuts.
        "max_request_body_size": 4 * settings.message_bytes,
        # Idle connections: longer than the 60 s after which proxies usually drop theirs, so that it is the proxy who
        # closes and no request meets a closed door. In the middle of a message other rules hold: see _Pace.
        "channel_timeout": 120,
        "cleanup_interval": 10,
        # select() fails, and the whole server with it, at the 1024th open file.
        "asyncore_use_poll": True,
        "expose_tracebacks": False,
        # With False, waitress also swallows every OSError of the application.
        "log_socket_errors": True,
    }


# What is changed in waitress 3.0 -----------------------------------------------------------------------------------


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
class _Pace:
    """How fast requests must arrive."""

    head_seconds: int
    pause_seconds: int
    least_speed: int

    def is_late(self, request: "_Parser", since_begin: float, since_last: float) -> bool:
        """Say whether a request that is not complete arrives too slowly; times in seconds."""
        if not request.headers_finished:
            return since_begin > self.head_seconds
        expected = (since_begin - self.head_seconds - self.pause_seconds) * self.least_speed
        return since_last > self.pause_seconds or request.body_bytes_received < expected


class _Parser(HTTPRequestParser):
    late = False
    unread = False
    """Part of the body was left on the wire, so nothing else can be read from this connection."""
    broken = False
    headers: dict[str, str]

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            most = self.adj.max_request_body_size // 4
            # What is announced as too long is not even kept at first.
            self.body_rcv.buf = _Body(self.adj.inbuf_overflow, -1 if self.content_length > most else most)

    def received(self, data: bytes) -> int:
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


class _Task(WSGITask):
    channel: "_Channel"
    request: Any

    def get_environment(self) -> WSGIEnvironment:
        environ = super().get_environment()
        environ["paraphe.flush"] = self.channel.flush
        environ["paraphe.broken"] = self.request.broken
        environ["paraphe.late"] = self.request.late
        forwarded = self.request.headers.get("X_FORWARDED_FOR", "")
        environ["REMOTE_ADDR"] = source_of(environ["REMOTE_ADDR"], forwarded, self.channel.server.proxies)
        return environ

    def build_response_header(self) -> bytes:
        if self.request.late or self.request.unread or not self.channel.server.accepting:
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


class _Channel(HTTPChannel):
    task_class = _Task
    error_task_class = _ErrorTask
    parser_class = _Parser
    # What the stubs of waitress do not know, or know otherwise.
    server: Any
    request: _Parser | None
    requests: list[Any]
    requests_lock: threading.Lock

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        #: When the request that is arriving began, and when its last byte so far came.
        self._began = self._heard = monotonic()
        self._is_new = True

    def received(self, data: bytes) -> bool:
        before = self.request
        taken: bool = super().received(data)
        self._heard, self._is_new = monotonic(), False
        if self.request is not before:
            self._began = self._heard
        return taken

    def hold_pace(self, pace: _Pace) -> None:
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
        """Wait until at most `most` bytes are on the way; False if the other end is gone or nothing moves."""
        least, moved, pause = sys.maxsize, monotonic(), 0.0005
        with self.outbuf_lock:
            while (left := self._on_the_way()) is not None and left > most:
                if left < least:
                    least, moved = left, monotonic()
                elif monotonic() - moved > PATIENCE:
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


_TCP_CLOSE = 7  # netinet/tcp.h; what a reset leads to. A caller that has only stopped sending is in CLOSE_WAIT, 8.

# The server --------------------------------------------------------------------------------------------------------


class Server:
    """An application behind an address; `settings` and `url` tell the port that was really taken."""

    def __init__(self, make: Callable[[Settings], WSGIApplication], settings: Settings) -> None:
        """Take the address, then make the application, as it needs to know where it is. Raises CannotListen."""
        sockets = _listening(settings.listen)
        try:
            self.settings = settings.bound_to(sockets[0].getsockname()[1])
            application = make(self.settings)
        except BaseException:
            for listening in sockets:
                listening.close()
            raise
        self.url = self.settings.listen.url
        self._map: dict[int, Any] = {}
        self._waitress: Any = create_server(application, map=self._map, sockets=sockets, **_tuning(settings))
        self._listeners: list[Any] = [entry for entry in self._map.values() if isinstance(entry, BaseWSGIServer)]
        for listener in self._listeners:
            listener.channel_class = _Channel
            listener.proxies = settings.trusted_proxies
        self._pace = _Pace(settings.head_seconds, settings.pause_seconds, settings.least_speed)
        self._looked = monotonic()
        self._stopping = False

    def run(self) -> None:
        """Serve until `stop` is called, then let what runs finish (LAST_ORDERS seconds at most) and return."""
        while not self._stopping:
            self._turn(1.0)
            self._hold_pace()
        self._finish()

    def stop(self) -> None:
        """Tell `run` to end: from any thread, once, and from a signal handler."""
        self._stopping = True
        with suppress(OSError):  # the loop has seen it already, and closed
            self._listeners[0].pull_trigger()

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def _hold_pace(self) -> None:
        if monotonic() - self._looked > _LOOK:
            for channel in self._channels():
                channel.hold_pace(self._pace)
            self._looked = monotonic()

    def _finish(self) -> None:
        for listener in self._listeners:
            wasyncore.dispatcher.close(listener)
        end = monotonic() + LAST_ORDERS
        self._turn(0)
        while (busy := self._close_idle()) and monotonic() < end:
            self._turn(0.2)
        if busy:
            _log.warning("Requests that did not finish and were cut off after %d s: %d", LAST_ORDERS, busy)
        self._waitress.task_dispatcher.shutdown(timeout=0 if busy else 5)
        for channel in self._channels():
            channel.handle_close()
        for listener in self._listeners:
            listener.close()

    def _channels(self) -> list[_Channel]:
        return [entry for entry in self._map.values() if isinstance(entry, _Channel)]

    def _close_idle(self) -> int:
        """Close connections on which nothing is being received, worked on or sent; return how many are left."""
        for channel in self._channels():
            if not (channel.requests or channel.request or channel.total_outbufs_len):
                channel.handle_close()
        return len(self._channels())


def _listening(listen: Listen) -> list[socket.socket]:
    """Take the address: a name such as localhost may stand for two, which then share the port."""
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            taken = socket.socket(family, kind, protocol)
            sockets.append(taken)
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, len(found) > 1)
            port = listen.port or sockets[0].getsockname()[1]
            taken.bind((address[0], port, *address[2:]))
    except OSError as error:
        for taken in sockets:
            taken.close()
        raise CannotListen(f"The server cannot listen on {listen}: {error.strerror}.") from error
    return sockets


def settle() -> None:
    """Set garbage collection up for a server; call it once, when all is set up.

    A full collection looks at every object that lives. The hundred thousand of libraries and of the schema never die,
    and to look at them again costs 70 ms in the middle of some caller's message; so they are taken out. A thousand
    items make some ten thousand objects, none of them in cycles; to look for cycles every 700 takes a tenth of the time
    that the message takes, so it is done every 50 000.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def share_memory() -> None:
    """Have all threads take memory from one place; call it before they begin.

    glibc gives each thread a place of its own, which keeps what its largest message took: with eight threads, answers
    of 200 MB left 130 MB behind, and leave 16 so. The interpreter's lock lets one thread at a time take memory anyhow.
    Other systems have no such setting, and need none.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def serve(
    make: Callable[[Settings], WSGIApplication], settings: Settings, stopping: Callable[[], None] = lambda: None
) -> None:
    """Run a server in this process until SIGTERM or SIGINT; a second signal ends it at once. Raises CannotListen.

    `stopping` is called when it is told to stop, before requests are finished: from a signal handler.
    """
    log_as_json(settings.log_level)
    share_memory()
    server = Server(make, settings)

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stopping()
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if settings.listen.everywhere and server.settings.public_url == server.url:
        _log.warning("PARAPHE_PUBLIC_URL is not set: addresses given to callers begin with %s.", server.url)
    settle()
    print(f"Paraphe {__version__} listens on {server.url}", flush=True)
    server.run()
    _log.info("Stopped.")


@contextmanager
def running(server: Server) -> Iterator[str]:
    """Run a server in a thread for one `with` block, which gets its base URL."""
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()


@contextmanager
def beside(application: WSGIApplication, settings: Settings) -> Iterator[None]:
    """Serve an application for those who watch, at `metrics_listen`, for one `with` block; nothing without it.

    It goes on while the server of the block finishes its requests. Raises CannotListen.
    """
    if settings.metrics_listen is None:
        yield
        return
    small = replace(settings, listen=settings.metrics_listen, threads=2, message_bytes=100_000)
    with running(Server(lambda _: application, small)):
        yield


# Logging -----------------------------------------------------------------------------------------------------------

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Tokens in the paths of documents, which waitress writes down when a caller leaves early.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43,}={0,2}")


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, what the line's `extra` holds, and a failure.

    Of a failure its type and its places in the code are told. Its text only if it speaks of the machine (a disk, a
    connection): others may quote data. With `debug`, every text.
    """

    def __init__(self, *, debug: bool = False) -> None:
        super().__init__()
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """Write the line."""
        message = record.getMessage()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _TOKEN.sub("…", message) if record.name.startswith("waitress") else message,
        }
        line |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info and record.exc_info[1]:
            line["failure"] = list(self._failures(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False, default=str)

    def _failures(self, error: BaseException) -> Iterator[dict[str, Any]]:
        """Yield the failure, then what led to it."""
        seen: set[int] = set()
        cause: BaseException | None = error
        while cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            failure: dict[str, Any] = {"type": f"{type(cause).__module__}.{type(cause).__qualname__}"}
            if self._debug:
                failure["text"] = str(cause)
            elif isinstance(cause, (OperationalError, InterfaceError)):
                failure["text"] = str(cause.orig)
            elif isinstance(cause, OSError):
                failure["text"] = cause.strerror
            elif isinstance(cause, Unavailable):
                failure["text"] = str(cause)
            failure["at"] = _places(cause)
            yield failure
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _places(error: BaseException) -> list[str]:
    places, trace = [], error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return places


class _Overload(logging.Filter):
    """Of waitress's lines "Task queue depth is N", one for each request that waits: one a minute, and no N below 4.

    It counts threads that are only just starting as busy, so small numbers say nothing.
    """

    _silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        (depth,) = record.args if isinstance(record.args, tuple) and len(record.args) == 1 else (None,)
        if not isinstance(depth, int) or depth < 4 or monotonic() < self._silent_until:
            return False
        self._silent_until = monotonic() + 60
        return True


def log_as_json(level: str) -> None:
    """Send log lines to standard error as JSON: ours from `level` on, those of libraries from WARNING on.

    Libraries tell more than is wanted: SQLAlchemy the values of a statement, waitress the addresses of documents.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(debug=level == "debug"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(__package__).setLevel(level.upper())
    logging.getLogger("waitress.queue").addFilter(_Overload())
    logging.captureWarnings(True)
