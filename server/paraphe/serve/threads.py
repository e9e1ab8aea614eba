"""The threads that requests are worked on in."""

import gc
from threading import Condition, Lock
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from ..xml import names


class Threads(ThreadedTaskDispatcher):
    """So many threads; one that has read too much of what is foreign ends, and another takes its place.

    The one that began to wait last goes on first: what it needs is in the processor's caches, and a message of a
    thousand items costs it a quarter less than if all took turns.
    """

    # What the stubs of waitress do not know.
    queue: Any
    queue_cv: Any
    thread_exit_cv: Any
    threads: set[int]
    active_count: int
    stop_count: int

    def __init__(self) -> None:
        super().__init__()
        self.queue_cv = _LastFirst(self.lock)

    def handler_thread(self, thread_no: int) -> None:
        """Work on one task after the other, as waitress does, until told to stop or full of names."""
        while (task := self._next(thread_no)) is not None:
            try:
                task.service()
            except BaseException:
                self.logger.exception("Exception when servicing %r", task)
            if names.are_too_many():
                # What was refused may be in cycles: a pull parser with its tree, a search for what is wrong in it.
                gc.collect()
                self.start_new_thread(self.handler_thread, thread_no)
                return

    def _next(self, thread_no: int) -> Any:
        with self.lock:
            while not self.queue and self.stop_count == 0:
                self.active_count -= 1
                self.queue_cv.wait()
                self.active_count += 1
            if self.stop_count == 0:
                return self.queue.popleft()
            self.active_count -= 1
            self.stop_count -= 1
            self.threads.discard(thread_no)
            self.thread_exit_cv.notify()
            return None


class _LastFirst:
    """What waitress uses of a condition, but whoever began to wait last is told first. Nobody waits for a time only."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._waiting: list[Condition] = []

    def wait(self) -> None:
        """Wait until told; the lock must be held."""
        mine = Condition(self._lock)
        self._waiting.append(mine)
        mine.wait()

    def notify(self) -> None:
        """Tell one, if there is any; the lock must be held."""
        if self._waiting:
            self._waiting.pop().notify()

    def notify_all(self) -> None:
        """Tell all; the lock must be held."""
        while self._waiting:
            self.notify()
