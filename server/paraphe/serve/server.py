"""An application behind an address, from its first connection to a quiet end."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic, time
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ThreadedTaskDispatcher

from ..settings import Listen, Settings
from .balance import Balance
from .channel import Channel
from .requests import Pace
from .threads import Threads

_log = logging.getLogger(__package__)

LAST_ORDERS = 30.0
"""Seconds that running requests have to finish when the server is told to stop, and connections when it retires."""

QUIET = 5.0
"""Seconds after which a connection on which nothing happens is closed by a server that retires."""

_LAST_REFUSALS = 1.0
"""Seconds that requests which have just been refused have, to get that answer."""

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
        # An answer that is produced piece by piece pauses here: it reaches no disk, and takes no more memory.
        "outbuf_high_watermark": 2 * _MIB,
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

    def __init__(
        self,
        make: Callable[[Settings], WSGIApplication],
        settings: Settings,
        sockets: Sequence[socket.socket] = (),
        balance: Balance | None = None,
    ) -> None:
        """Take the address, then make the application, as it needs to know where it is. Raises CannotListen.

        `sockets` are those of an address that was taken already. If they are shared with other processes, `balance`
        has their connections counted.
        """
        sockets = sockets or take(settings.listen)
        try:
            self.settings = settings.bound_to(sockets[0].getsockname()[1])
            application = make(self.settings)
        except BaseException:
            for listening in sockets:
                listening.close()
            raise
        self.url = self.settings.listen.url
        self._map: dict[int, Any] = {}
        threads = Threads()
        self._waitress: Any = create_server(
            application, map=self._map, _dispatcher=threads, sockets=list(sockets), **_tuning(settings)
        )
        threads.set_thread_count(settings.threads)
        self._listeners: list[Any] = [entry for entry in self._map.values() if isinstance(entry, BaseWSGIServer)]
        for listener in self._listeners:
            listener.channel_class = Channel
            listener.proxies = settings.trusted_proxies
            listener.leaving = listener.stopping = False
            if balance is not None:
                listener.handle_accept = partial(self._accept, listener, balance)
        self._balance = balance
        #: Answers those who come to a stopping server, also when all threads are at work.
        self._refusing: Any = ThreadedTaskDispatcher()
        self._pace = Pace(settings.head_seconds, settings.pause_seconds, settings.least_speed)
        self._looked = monotonic()
        self._stopping = self._retiring = False

    def run(self) -> None:
        """Serve until `stop` or `retire` is called, then let what runs finish (LAST_ORDERS at most) and return."""
        while not (self._stopping or self._retiring):
            self._turn(1.0)
            self._hold_pace()
        self._finish()

    def stop(self) -> None:
        """Tell `run` to end: from any thread, and from a signal handler.

        Requests that have begun to arrive are finished. Those that come while that lasts are for the application to
        refuse (`paraphe.stopping`).
        """
        self._stopping = True
        self._wake()

    def retire(self) -> None:
        """Tell `run` to leave the address to other processes: from any thread.

        No connection is taken any more. Those that are open are served, and each is closed behind its next answer.
        """
        self._retiring = True
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):  # the loop has seen it already, and closed
            self._listeners[0].pull_trigger()

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)
        if self._balance:
            self._balance.tell(sum(len(listener.active_channels) for listener in self._listeners))

    def _accept(self, listener: Any, balance: Balance) -> None:
        balance.after_you()
        BaseWSGIServer.handle_accept(listener)

    def _hold_pace(self) -> None:
        if monotonic() - self._looked > _LOOK:
            for channel in self._channels():
                try:
                    channel.hold_pace(self._pace)
                except Exception:  # one connection must not end all others
                    _log.exception("A connection is closed")
                    channel.handle_close()
            self._looked = monotonic()

    def _finish(self) -> None:
        end = monotonic() + LAST_ORDERS
        if not self._stopping:
            self._retire_until(end)
        busy = self._stop_until(end)
        if busy:
            _log.warning("Requests that did not finish and were cut off after %d s: %d", LAST_ORDERS, busy)
        for dispatcher in (self._waitress.task_dispatcher, self._refusing):
            dispatcher.shutdown(timeout=0 if busy else 5)
        for channel in self._channels():
            channel.handle_close()
        for listener in self._listeners:
            listener.close()

    def _retire_until(self, end: float) -> None:
        self._close_listeners()
        while not self._stopping and self._close_quiet() and monotonic() < end:
            self._turn(0.2)
            self._hold_pace()

    def _close_quiet(self) -> int:
        """Close connections on which nothing has happened for some time; return how many are left."""
        for channel in self._channels():
            if not channel.is_busy and time() - channel.last_activity > QUIET:
                channel.handle_close()
        return len(self._channels())

    def _stop_until(self, end: float) -> int:
        """Finish what is going on, while what comes is refused; return how many requests are left at the end."""
        for _ in range(2):  # a connection that waits is taken, and what has come on it is read
            self._turn(0)
        for channel in self._channels():
            channel.came_before = channel.is_busy
        self._refusing.set_thread_count(1)
        for listener in self._listeners:
            listener.leaving = listener.stopping = True
            listener.add_task = self._serve_or_refuse
        while (busy := self._unfinished()) and monotonic() < end:
            self._turn(0.2)
        self._close_listeners()
        end = min(end, monotonic() + _LAST_REFUSALS)
        while any(channel.is_busy for channel in self._channels()) and monotonic() < end:
            self._turn(0.05)
        return busy

    def _serve_or_refuse(self, channel: Channel) -> None:
        (self._waitress.task_dispatcher if channel.came_before else self._refusing).add_task(channel)

    def _unfinished(self) -> int:
        for channel in self._channels():
            channel.came_before = channel.came_before and channel.is_busy
        return sum(channel.came_before for channel in self._channels())

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.leaving = True
            wasyncore.dispatcher.close(listener)

    def _channels(self) -> list[Channel]:
        return [entry for entry in self._map.values() if isinstance(entry, Channel)]


def take(listen: Listen) -> list[socket.socket]:
    """Take an address: a name such as localhost may stand for two, which then share the port. Raises CannotListen."""
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
