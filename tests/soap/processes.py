"""Servers in processes of their own, and ways to know that a message is being worked on."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any

from sqlalchemy import select

from paraphe import store

from .house import House

PATIENCE = 60  # seconds


@dataclass
class Process:
    """A server in a process of its own."""

    url: str
    running: subprocess.Popen[str]

    def stop(self) -> None:
        """Tell it to end, as an operator does."""
        self.running.terminate()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.running.kill()
        self.running.wait()


@contextmanager
def serving(house: House) -> Iterator[Process]:
    """Run `python -m paraphe serve` over the database and the archive of a house.

    Its log is printed at the end, so that it can be read where a test has failed.
    """
    known = {"LISTEN": "127.0.0.1:0", "DATABASE": house.database, "STORE": str(house.folder / "archive")}
    environment = os.environ | {f"PARAPHE_{name}": value for name, value in known.items()}
    command = [sys.executable, "-m", "paraphe", "serve"]
    with (
        TemporaryFile("w+") as log,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as running,
    ):
        slow, line = threading.Timer(PATIENCE, running.kill), ""
        slow.start()
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            slow.cancel()
            assert "listens on" in line, "It did not start."
            yield Process(line.split()[-1], running)
        finally:
            slow.cancel()
            running.kill()
            running.wait()
            log.seek(0)
            print(f"The log of {' '.join(command[1:])} at {line.strip()}:", log.read(), sep="\n")


# What is going on ----------------------------------------------------------------------------------------------


def until(fact: Callable[[], Any]) -> None:
    """Wait until something is so; a minute at most."""
    end = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not fact():
        assert time.monotonic() < end, "It never came to pass."
        pause.wait(0.005)


def threads_in(function: str) -> int:
    """How many threads of this process are inside a function of that name."""
    interval = sys.getswitchinterval()
    # Nobody else runs meanwhile: the frames of a thread that goes on are gone, and something else is in their place.
    sys.setswitchinterval(PATIENCE)
    time.sleep(0)
    try:
        return sum(function in _names(frame) for frame in sys._current_frames().values())
    finally:
        sys.setswitchinterval(interval)


def _names(frame: Any) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back


@contextmanager
def writers_wait(house: House, account_id: int) -> Iterator[None]:
    """Hold what every writer of an account has to wait for, on a connection of our own."""
    engine = store.open_engine(house.database)
    try:
        with store.writing(engine) as connection:
            mine = select(store.account.c.id).where(store.account.c.id == account_id)
            connection.execute(mine.with_for_update())
            yield
    finally:
        engine.dispose()


@contextmanager
def at_work_elsewhere(house: House, account_id: int, message_id: str) -> Iterator[None]:
    """Be another process that works on a message: hold its name, and nothing else."""
    engine = store.open_engine(house.database)
    name = f"{account_id}:{message_id}"
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        held: AbstractContextManager[Any]
        held = (
            store.transactions._sole_on_sqlite(engine, name)
            if house.kind == "sqlite"
            else store.writing(engine, sole=name)
        )
        stack.enter_context(held)
        yield


class InThread:
    """A call that was begun in a thread of its own; calling this waits for its result."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._results: list[Any] = []
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as failure:
            self._failures.append(failure)

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def __call__(self) -> Any:
        self._thread.join(2 * PATIENCE)
        assert self.done, "It never came back."
        if self._failures:
            raise self._failures[0]
        return self._results[0]
