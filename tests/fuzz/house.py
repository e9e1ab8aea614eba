"""The whole application in a process of its own, so that what it keeps is not mixed with what the cases are made of.

Its database and archive lie in a folder that is thrown away. It is asked through a pipe, one question after the other.
"""

import faulthandler
import gc
import io
import logging
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

from sqlalchemy import event

from paraphe import accounts, admission, fixture_loader, migrations, settings, store
from paraphe.app import application
from paraphe.archive import open_archive
from paraphe.faces.http import Wsgi
from paraphe.serve import Server, running, settle
from paraphe.serve.process import share_heap
from paraphe.xml import names, plain

HANGS = 60.0
"""Seconds after which it is ended, and tells where each of its threads stood."""
_SETTLED = 10.0
_TOLD = 2000  # characters of a question that are told


class Failed(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The application raised what no caller should see."""


class Gone(BaseException):
    """The process of the application has died, or hung and was ended; so nothing more can be asked. Tells by what."""


@dataclass(frozen=True)
class Given:
    """What WSGI gave for a request. `failures` are the lines that were logged as such since it was last asked."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float
    beginnings: int
    failures: list[str]


class House:
    """Asks the application in its process. Raises Failed and Gone."""

    def __init__(self, pipe: Connection, process: BaseProcess) -> None:
        self._pipe, self._process = pipe, process
        self.port: int = self._said("begin", ())

    def account(self, *, tolerant: bool) -> tuple[str, str]:
        """Make an account that holds the school of the fixtures; return its user and key."""
        return self._ask("account", tolerant)  # type: ignore[no-any-return]

    def give(self, environ: dict[str, Any], body: bytes) -> Given:
        """Call the application; `environ` is what WSGI has besides the streams."""
        return self._ask("give", environ, body)  # type: ignore[no-any-return]

    def failures(self) -> list[str]:
        """Return the lines that were logged as a failure since it was last asked."""
        return self._ask("told")  # type: ignore[no-any-return]

    def memory(self) -> int:
        """Return the memory of the process that is in use, in bytes."""
        return self._ask("memory")  # type: ignore[no-any-return]

    def _ask(self, question: str, *given: Any) -> Any:
        try:
            self._pipe.send((question, given))
        except OSError:
            raise self._gone(question, given) from None
        return self._said(question, given)

    def _said(self, question: str, given: Sequence[Any]) -> Any:
        try:
            if not self._pipe.poll(HANGS):
                os.kill(self._process.pid or 0, signal.SIGABRT)  # so that it tells where it stood
                raise EOFError
            well, said = self._pipe.recv()
        except (EOFError, OSError):
            raise self._gone(question, given) from None
        if not well:
            raise Failed(said)
        return said

    def _gone(self, question: str, given: Sequence[Any]) -> Gone:
        self._process.join(_SETTLED)
        return Gone(f"its process ended with {self._process.exitcode}, asked {question} {given!r:.{_TOLD}}")


@contextmanager
def opened() -> Iterator[House]:
    """Give the application over a fresh database and an empty archive for one `with` block."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="paraphe-", ignore_cleanup_errors=True) as folder:
        process = context.Process(target=_live, args=(Path(folder), theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            yield House(ours, process)
        finally:
            ours.close()
            process.join(_SETTLED)
            process.kill()
            process.join()


# In the process ----------------------------------------------------------------------------------------------------


class _Application:
    def __init__(self, folder: Path) -> None:
        self._engine = store.open_engine(f"sqlite:///{folder / 'fuzz.sqlite'}")
        # What is asked here is not whether the disk keeps what it was given.
        event.listen(self._engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        migrations.upgrade(self._engine)
        self._archive = open_archive(str(folder))
        self._later = store.Later(self._engine)
        asked = settings.read({"listen": "127.0.0.1:0", "message_bytes": "2 MB", "threads": "2"})
        self.server = Server(self._make, asked)
        self._failures: deque[str] = deque()
        listen_for_failures(self._failures)

    def _make(self, bound: settings.Settings) -> Wsgi:
        self._settings = bound
        self._application = application(self._engine, self._archive, bound, self._later)
        return self._application

    def close(self) -> None:
        """Write what is owed, and let go of the database."""
        self._later.settle(_SETTLED)
        self._engine.dispose()

    def account(self, tolerant: bool) -> tuple[str, str]:
        now = datetime.now(UTC)
        with store.writing(self._engine) as connection:
            new = accounts.create(connection, f"Centre {time.monotonic_ns()}", "SANDBOX", "Europe/Paris", now)
            accounts.set_tolerant(connection, new.account, tolerant=tolerant)
        fixture_loader.load(self._engine, self._archive, self._settings, new.account)
        return new.account.api_user, new.api_key

    def give(self, environ: dict[str, Any], body: bytes) -> Given:
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
            begun.append((status, headers))
            return written.append

        streams = {"wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO()}
        began = time.perf_counter()
        pieces = self._application(environ | streams, start)
        try:
            answer = b"".join(pieces)
        finally:
            getattr(pieces, "close", lambda: None)()
        seconds = time.perf_counter() - began
        status, headers = begun[0]
        return Given(int(status[:3]), headers, b"".join(written) + answer, seconds, len(begun), self.told())

    def told(self) -> list[str]:
        return [self._failures.popleft() for _ in range(len(self._failures))]

    def memory(self) -> int:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return pages * resource.getpagesize()


def listen_for_failures(failures: deque[str]) -> None:
    """Note what this process logs as a failure from now on, and nothing else anywhere."""
    handler, log = logging.Handler(logging.WARNING), logging.getLogger("paraphe")
    formatter = logging.Formatter()
    handler.emit = lambda record: failures.append(formatter.format(record))  # type: ignore[method-assign]
    log.addHandler(handler)
    log.propagate = False
    for name in ("", "spyne"):  # what libraries say of such messages is not asked for
        logging.getLogger(name).addHandler(logging.NullHandler())


def _live(folder: Path, pipe: Connection) -> None:
    faulthandler.enable()
    share_heap()
    # So that this memory, which has a bound, is full early, and old failures are forgotten all the time.
    admission.MOST_REMEMBERED = 2000
    # Messages here are short, and their lists are to be read as those of long ones.
    plain.WORTH = 0
    house = _Application(folder)
    try:
        with running(house.server):
            settle()
            pipe.send((True, house.server.settings.listen.port))
            ended: list[bool] = []
            while not ended:
                # As the threads of the server (see serve.threads), each ends when it has read much of what is foreign.
                thread = Thread(target=_answer, args=(house, pipe, ended))
                thread.start()
                thread.join()
                gc.collect()
    finally:
        house.close()


def _answer(house: _Application, pipe: Connection, ended: list[bool]) -> None:
    while not names.are_too_many():
        try:
            question, given = pipe.recv()
        except EOFError:
            ended.append(True)
            return
        try:
            said: Any = getattr(house, question)(*given)
            well = True
        except Exception:
            well, said = False, traceback.format_exc()
        pipe.send((well, said))
        sys.stdout.flush()
