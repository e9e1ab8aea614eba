"""store/queue.py: writers of one SQLite file go in the order in which they came, over threads and processes."""

import fcntl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from paraphe import store
from paraphe.store import queue, transactions

from .soap.processes import PATIENCE, InThread, until

# Takes its turn, says so, and leaves when its input ends.
OTHER = """
import sys
from paraphe.store.queue import queue_of
with queue_of(sys.argv[1]).turn(60):
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "queue.sqlite")


@contextmanager
def other_process(database: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", OTHER, database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def is_held(database: str, byte: int) -> bool:
    """Whether another process holds a byte of the lock file."""
    file = queue.lock_file(database)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except OSError:
        return True
    fcntl.lockf(file, fcntl.LOCK_UN, 1, byte)
    return False


def noting(database: str, name: object, order: list[object]) -> Callable[[], None]:
    def run() -> None:
        with queue.queue_of(database).turn(PATIENCE):
            order.append(name)

    return run


def test_threads_go_in_the_order_in_which_they_came(database):
    order: list[object] = []
    waiting: list[InThread] = []
    line = queue.queue_of(database)._line
    with queue.queue_of(database).turn(PATIENCE):
        for number in range(5):
            waiting.append(InThread(noting(database, number, order)))
            until(lambda: len(line) == len(waiting) + 1)
        assert order == []
    for each in waiting:
        each()
    assert order == [0, 1, 2, 3, 4]


def test_a_process_that_waits_goes_before_a_thread_that_came_after_it(database):
    order: list[object] = []
    with other_process(database) as other:
        assert other.stdin
        assert other.stdout
        with queue.queue_of(database).turn(PATIENCE):
            until(lambda: is_held(database, queue._TURNSTILE))
            after = InThread(noting(database, "thread", order))
            until(lambda: len(queue.queue_of(database)._line) == 2)
        assert other.stdout.readline() == "in\n"
        assert order == []
        other.stdin.close()
        after()
    assert order == ["thread"]


def test_the_turn_of_a_process_that_dies_is_free(database):
    with other_process(database) as other:
        assert other.stdout
        assert other.stdout.readline() == "in\n"
        other.kill()
        other.wait()
        noting(database, "next", [])()


def test_who_waits_for_too_long_leaves_the_line_and_the_next_one_moves_up(database):
    order: list[object] = []
    with queue.queue_of(database).turn(PATIENCE):
        with pytest.raises(queue.Late):
            InThread(lambda: queue.queue_of(database).turn(0.01).__enter__())()
        waiting = InThread(noting(database, "next", order))
    waiting()
    assert order == ["next"]


def test_a_writer_whose_turn_does_not_come_is_told_that_the_database_is_busy(tmp_path, monkeypatch):
    engine = store.open_engine(f"sqlite:///{tmp_path / 'paraphe.sqlite'}")
    failures: list[BaseException] = []

    def late() -> None:
        try:
            with store.writing(engine):
                pass
        except store.Busy as busy:
            failures.append(busy)

    with store.writing(engine):
        monkeypatch.setattr(transactions, "PATIENCE", 0.01)
        thread = threading.Thread(target=late)
        thread.start()
        thread.join(PATIENCE)
    engine.dispose()

    assert [type(failure) for failure in failures] == [store.Busy]
    assert (tmp_path / "paraphe.sqlite.locks").stat().st_size == 0
