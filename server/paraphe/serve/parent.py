"""Several processes at one address: a parent that takes it, and workers that serve.

The parent speaks no HTTP and opens no database. It starts each worker as a program of its own, so that nothing is
shared but the sockets and the block of metrics, and a new generation has the settings and the program of its moment.
Workers of one generation have the same settings, also one that takes the place of another which died. See
docs/decisions/2026-11-28-processes.md.
"""

import logging
import os
import selectors
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from ..settings import Listen, Unusable
from .log import log_as_json
from .process import announce
from .server import LAST_ORDERS, CannotListen, take
from .workers import Generation, Plan, Worker

_log = logging.getLogger(__package__)

START = 60.0
"""Seconds that a worker may take until it is ready."""

GOING = LAST_ORDERS + 40.0
"""Seconds that a worker may take to end: its last requests, its last jobs (20 s, see work.workers), its last rows
(5 s), and some to spare."""


class CannotServe(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """No worker can serve; the text is for the operator."""


class Parent:
    """Starts workers and looks after them; `plan` reads the settings for the next ones, and raises Unusable.

    `command` starts a worker; behind it comes the number of the file from which the worker reads its order.
    """

    def __init__(self, command: Sequence[str], plan: Callable[[], Plan]) -> None:
        self._command, self._plan = command, plan
        self._serving: Generation | None = None
        #: Workers that are starting. When all are ready they take the place of those that serve.
        self._coming: Generation | None = None
        self._going: set[Worker] = set()
        self._selector = selectors.DefaultSelector()
        self._told: list[int] = []
        self._stopping = False
        self._failure: tuple[int, list[str]] | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; on SIGHUP load settings and program anew. A second signal ends it at once.

        Raises Unusable, CannotListen or CannotServe if the first workers cannot serve.
        """
        first = self._plan()
        log_as_json(first.settings.log_level)
        with self._signals():
            self._start(first)
            while self._serving or self._coming or self._going:
                self._turn()
        if self._failure is None:
            _log.info("Stopped.")
        elif self._failure[0] == 2:
            raise Unusable(self._failure[1])
        else:
            raise CannotServe("\n".join(self._failure[1]))

    def _turn(self) -> None:
        # Nothing is urgent but what is heard. Pauses, and the ends of patience, are looked at now and then.
        self._start_due()
        waits = self._coming or self._going or (self._serving and not self._serving.is_whole)
        for key, _ in self._selector.select(0.1 if waits else None):
            if isinstance(key.data, Worker):
                if not key.data.hear():
                    self._end(key.data)
            else:
                key.data.recv(1 << 10)
        self._obey()
        if self._coming and self._coming.is_ready:
            self._take_over(self._coming)
        self._lose_patience()

    def _start_due(self) -> None:
        for generation in (self._serving, self._coming):
            try:
                for worker in generation.start_due() if generation else ():
                    self._selector.register(worker.pair, selectors.EVENT_READ, worker)
            except OSError as failure:
                said = f"A process cannot be started: {failure.strerror}."
                if generation is self._coming:
                    self._give_up(1, [said])
                else:
                    _log.error("worker not started", extra={"reasons": [said]})

    # Signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Have signals wake the loop, for one `with` block."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for end in (ours, theirs):
                end.setblocking(False)
            signal.set_wakeup_fd(theirs.fileno())
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, self._note)
            self._selector.register(ours, selectors.EVENT_READ, ours)
            yield
            signal.set_wakeup_fd(-1)

    def _note(self, number: int, _: object) -> None:
        if number != signal.SIGHUP and number in self._told:
            for worker in self._workers():
                worker.kill()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._told.append(number)

    def _obey(self) -> None:
        if self._stopping:
            return
        if {signal.SIGTERM, signal.SIGINT} & set(self._told):
            self._stop()
        elif signal.SIGHUP in self._told and self._coming is None:
            self._told.remove(signal.SIGHUP)
            self._load_anew()

    # Generations

    def _start(self, plan: Plan) -> None:
        """Start a generation, which takes over when it is ready. Raises CannotListen."""
        before = self._serving
        listening, watching = (
            before.listening if before and before.plan.settings.listen == plan.settings.listen else None,
            before.watching if before and before.plan.settings.metrics_listen == plan.settings.metrics_listen else None,
        )
        taken: list[socket.socket] = []
        try:
            listening = listening or _take(plan.settings.listen, taken)
            watching = watching or _take(plan.settings.metrics_listen, taken)
        except CannotListen:
            for each in taken:
                each.close()
            raise
        self._coming = Generation(self._command, plan, listening, watching)

    def _load_anew(self) -> None:
        try:
            self._start(self._plan())
        except Unusable as unusable:
            self._keep(unusable.problems)
        except (CannotListen, OSError) as failure:
            self._keep([str(failure)])

    def _take_over(self, coming: Generation) -> None:
        before, self._serving, self._coming = self._serving, coming, None
        log_as_json(coming.plan.settings.log_level)
        if before is None:
            announce(coming.plan.settings.bound_to(coming.listening[0].getsockname()[1]))
            return
        self._dismiss(before, Worker.retire, coming)
        _log.info("loaded anew", extra={"workers": len(coming.workers)})

    def _give_up(self, code: int, sentences: list[str]) -> None:
        """Drop the generation that was to come."""
        if self._coming is None:
            return
        dropped, self._coming = self._coming, None
        self._dismiss(dropped, Worker.stop, self._serving)
        if self._serving is None:
            self._failure = code, sentences
        else:
            self._keep(sentences)

    def _keep(self, sentences: Sequence[str]) -> None:
        _log.error("not loaded anew", extra={"reasons": list(sentences)})

    def _dismiss(
        self, generation: Generation, how: Callable[[Worker, float], None], next_one: Generation | None
    ) -> None:
        """Have the workers of a generation end, and let go of the addresses that are not the next one's."""
        self._going.update(generation.dismiss(how, monotonic() + GOING))
        for each in generation.sockets:
            if next_one is None or each not in next_one.sockets:
                each.close()

    def _stop(self) -> None:
        self._stopping = True
        generations = [each for each in (self._coming, self._serving) if each]
        self._coming = self._serving = None
        for worker in self._going:
            worker.stop(monotonic() + GOING)
        for generation in generations:
            self._dismiss(generation, Worker.stop, None)

    # Workers

    def _workers(self) -> list[Worker]:
        generations = [each.workers.values() for each in (self._serving, self._coming) if each]
        return [*self._going, *(worker for workers in generations for worker in workers)]

    def _end(self, worker: Worker) -> None:
        """Note that a worker has ended; one that was not told to is replaced, or was never one."""
        self._selector.unregister(worker.pair)
        code = worker.reap()
        if worker in self._going:
            self._going.discard(worker)
            return
        failure = worker.failure or (1, [f"It ended with {code}."])
        if self._coming and worker in self._coming.workers.values():
            del self._coming.workers[worker.number]
            self._give_up(*failure)
        elif self._serving:
            pause = self._serving.lose(worker)
            said = {"worker": worker.pid, "code": code, "pause": pause, "reasons": failure[1]}
            _log.error("worker ended", extra=said)

    def _lose_patience(self) -> None:
        now = monotonic()
        for worker in self._going:
            if worker.deadline and now > worker.deadline:
                _log.error("worker killed", extra={"worker": worker.pid})
                worker.kill()
                worker.deadline = None
        if self._coming and any(now - each.began > START for each in self._coming.workers.values()):
            self._give_up(1, [f"A process that was to serve was not ready after {START:.0f} seconds."])


def _take(listen: Listen | None, taken: list[socket.socket]) -> list[socket.socket]:
    """Take an address, if there is one, and note its sockets."""
    found = take(listen) if listen else []
    taken.extend(found)
    return found
