"""A server as a process: what is set up once, signals, and the address for those who watch."""

import ctypes
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from wsgiref.types import WSGIApplication

from .. import __version__
from ..settings import Settings
from .balance import Balance
from .log import log_as_json
from .server import Server, running

_log = logging.getLogger(__package__)
_ARENA_MAX = -8  # malloc.h


def share_heap() -> None:
    """Have all threads take their memory from one heap; call it before there are any.

    glibc gives each thread a heap of its own, and each keeps what its largest message took: with eight threads, answers
    of 200 MB left 130 MB behind, and leave 16 so. The interpreter's lock lets one thread at a time take memory anyhow.
    """
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


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


def announce(settings: Settings) -> None:
    """Say where the server listens, on standard output; `settings` are those with the port that was taken."""
    url = settings.listen.url
    if settings.listen.everywhere and settings.public_url == url:
        _log.warning("PARAPHE_PUBLIC_URL is not set: addresses given to callers begin with %s.", url)
    print(f"Paraphe {__version__} listens on {url}", flush=True)


def serve(
    make: Callable[[Settings], WSGIApplication],
    settings: Settings,
    stopping: Callable[[], None] = lambda: None,
    *,
    sockets: Sequence[socket.socket] = (),
    balance: Balance | None = None,
    begin: Callable[[Server], None] = lambda server: announce(server.settings),
) -> None:
    """Run a server in this process until SIGTERM or SIGINT; a second signal ends it at once. Raises CannotListen.

    `stopping` is called when it is told to stop, before requests are finished: from a signal handler. `begin` is called
    when all is ready. For `sockets` and `balance` see Server.
    """
    share_heap()
    log_as_json(settings.log_level)
    server = Server(make, settings, sockets, balance)

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stopping()
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    # Not its default, which is the end, and for systemd no failure: it would not be started again.
    signal.signal(signal.SIGHUP, lambda *_: _log.warning("One process cannot load its settings anew: start it again."))
    settle()
    begin(server)
    server.run()
    _log.info("Stopped.")


@contextmanager
def beside(
    application: WSGIApplication, settings: Settings, sockets: Sequence[socket.socket] = ()
) -> Iterator[list[Server]]:
    """Serve an application for those who watch, at `metrics_listen`, for one `with` block; nothing without it.

    The block gets the server, if there is one. It goes on while the server of the block finishes its requests. For
    `sockets` see Server. Raises CannotListen.
    """
    if settings.metrics_listen is None:
        yield []
        return
    small = replace(settings, listen=settings.metrics_listen, threads=2, message_bytes=100_000)
    server = Server(lambda _: application, small, sockets)
    with running(server):
        yield [server]
