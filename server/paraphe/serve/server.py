"""An application behind an address, from its first connection to a quiet end."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server

from ..settings import Listen, Settings
from .channel import Channel
from .requests import Pace

_log = logging.getLogger(__package__)

LAST_ORDERS = 30.0
"""Seconds that running requests have to finish when the server is told to stop."""

_LOOK = 0.5
"""Seconds between two looks for connections that are too slow."""

_MIB = 1 << 20


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
        # The application answers what is longer than message_bytes (see requests.py). Beyond this, waitress cuts.
        "max_request_body_size": 4 * settings.message_bytes,
        # Idle connections: longer than the 60 s after which proxies usually drop theirs, so that it is the proxy who
        # closes and no request meets a closed door. In the middle of a message other rules hold: see Pace.
        "channel_timeout": 120,
        "cleanup_interval": 10,
        # select() fails, and the whole server with it, at the 1024th open file.
        "asyncore_use_poll": True,
        "expose_tracebacks": False,
        # With False, waitress also swallows every OSError of the application.
        "log_socket_errors": True,
    }


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
            listener.channel_class = Channel
            listener.proxies = settings.trusted_proxies
        self._pace = Pace(settings.head_seconds, settings.pause_seconds, settings.least_speed)
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

    def _channels(self) -> list[Channel]:
        return [entry for entry in self._map.values() if isinstance(entry, Channel)]

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
