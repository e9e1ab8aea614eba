"""Who may write next on SQLite, which lets one write at a time: who came first, over all threads and processes.

SQLite itself has who waits look again after pauses of up to a tenth of a second, and whoever looks at the right moment
wins: with two processes of four threads some waited for over a second while others went past them. So there is a queue
before its door. In a process, threads stand in a line. The first of it goes for two bytes of a file that processes
lock: the turnstile, which one process may hold while it waits, then the door. Whoever leaves the door finds the
turnstile taken by who waits, so that it cannot go straight in again. Locks are freed when a process dies.
"""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

# Behind the bytes that stand for names (transactions.py).
_TURNSTILE, _DOOR = 0x4000_0000_0000, 0x4000_0000_0001
_SHORTEST, _LONGEST = 0.0002, 0.002  # seconds between two looks at what another process holds


class Late(Exception):  # noqa: N818
    """Others were before us for longer than we can wait."""


class Queue:
    """The writers of one database; `file` is the open file whose bytes are locked."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._guard = threading.Lock()
        self._line: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Wait until it is our turn, and be the one who writes, for one `with` block. Raises Late."""
        until = monotonic() + seconds
        with self._first_in_line(until), _held(self._file, until):
            yield

    @contextmanager
    def _first_in_line(self, until: float) -> Iterator[None]:
        place = threading.Lock()
        place.acquire()
        with self._guard:
            self._line.append(place)
            is_first = len(self._line) == 1
        try:
            if not (is_first or place.acquire(timeout=max(0.0, until - monotonic()))):
                raise Late
            yield
        finally:
            with self._guard:
                was_first = self._line[0] is place
                self._line.remove(place)
                if was_first and self._line:
                    self._line[0].release()


@contextmanager
def _held(file: int, until: float) -> Iterator[None]:
    _wait_for(file, _TURNSTILE, until)
    try:
        _wait_for(file, _DOOR, until)
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, _TURNSTILE)
    try:
        yield
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, _DOOR)


def _wait_for(file: int, byte: int, until: float) -> None:
    """Lock a byte. There is no waiting for a lock with an end to it, so this looks again and again."""
    pause = _SHORTEST
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError) as held:
            if monotonic() > until:
                raise Late from held
            sleep(pause)
            pause = min(pause * 1.5, _LONGEST)
        else:
            return


_queues: dict[str, Queue] = {}
_files_guard = threading.Lock()
_files: dict[str, int] = {}


def lock_file(database: str) -> int:
    """Return the open file beside a database of which bytes are locked: one, as closing it would free all of them."""
    with _files_guard:
        if database not in _files:
            _files[database] = os.open(f"{database}.locks", os.O_RDWR | os.O_CREAT, 0o600)
        return _files[database]


def queue_of(database: str) -> Queue:
    """Return the queue before a database's file."""
    file = lock_file(database)
    with _files_guard:
        return _queues.setdefault(database, Queue(file))
