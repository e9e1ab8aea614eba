"""Workers as their parent sees them: each a program of its own, together a generation."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

from ..settings import Settings
from .worker import RETIRE, Order, written

STEADY = 60.0
"""Seconds after which a worker that dies had not simply failed to start."""

LONGEST_PAUSE = 30.0
"""Seconds after which a worker is started again at the latest, however often it has died."""


class Worker:
    """A process that serves, or is to; `number` is its place in its generation."""

    def __init__(self, command: Sequence[str], order: Order) -> None:
        """Start it: the command, and behind it the number of the file through which the order comes."""
        self.number = order.process
        self.began = monotonic()
        self.is_ready = False
        #: Why it does not serve, if it has said so: an exit code, and sentences.
        self.failure: tuple[int, list[str]] | None = None
        #: When it is killed, once it was told to end.
        self.deadline: float | None = None
        self._said = b""
        self.pair, theirs = socket.socketpair()
        with theirs:
            # In a group of its own, so that Ctrl-C is for the parent alone, which passes it on in its own way.
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), *order.files],
                process_group=0,
            )
        self._send(written(order))
        self.pair.setblocking(False)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def hear(self) -> bool:
        """Take in what it says; False if it has ended."""
        try:
            said = self.pair.recv(1 << 16)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            said = b""
        *lines, self._said = (self._said + said).split(b"\n")
        for line in lines:
            self._understand(json.loads(line))
        return said != b""

    def _understand(self, said: dict[str, Any]) -> None:
        self.is_ready = self.is_ready or "ready" in said
        if "code" in said:
            self.failure = int(said["code"]), said["sentences"]

    def retire(self, deadline: float) -> None:
        """Tell it to leave the address to others, and to end when its connections are closed."""
        self.deadline = deadline
        self._send(RETIRE)

    def stop(self, deadline: float) -> None:
        """Tell it to end when its requests are finished."""
        self.deadline = deadline
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def reap(self) -> int:
        """Return how it ended: its exit code, or the negative number of the signal that ended it."""
        self.pair.close()
        return self._process.wait()

    def _send(self, line: bytes) -> None:
        try:
            self.pair.sendall(line)
        except OSError:  # it has ended, which is heard next
            return


@dataclass(frozen=True, slots=True)
class Plan:
    """What workers are started with: settings, and the texts that these were read from."""

    settings: Settings
    texts: Mapping[str, str]


class Generation:
    """Workers with the same settings and the same block of metrics."""

    def __init__(
        self, command: Sequence[str], plan: Plan, listening: list[socket.socket], watching: list[socket.socket]
    ) -> None:
        self.plan, self.listening, self.watching = plan, listening, watching
        self._command = command
        self._counted, self._balance = os.memfd_create("paraphe-metrics"), os.memfd_create("paraphe-connections")
        self._since = time()
        self.workers: dict[int, Worker] = {}
        #: How often in a row a worker has died soon, and when the next one is started in its place.
        self._deaths = dict.fromkeys(range(plan.settings.processes), 0)
        self._due = dict.fromkeys(range(plan.settings.processes), 0.0)

    @property
    def sockets(self) -> list[socket.socket]:
        """All sockets that its workers share."""
        return [*self.listening, *self.watching]

    @property
    def is_ready(self) -> bool:
        """Whether every worker is there and ready."""
        return not self._due and all(worker.is_ready for worker in self.workers.values())

    @property
    def is_whole(self) -> bool:
        """Whether every worker is there."""
        return not self._due

    def start_due(self) -> Iterator[Worker]:
        """Start the workers that are missing, each when its pause is over, and give them.

        Raises OSError if the machine cannot have another process now; that one is tried again later.
        """
        for number in [number for number, due in self._due.items() if due <= monotonic()]:
            self._due[number] = monotonic() + LONGEST_PAUSE
            self.workers[number] = Worker(self._command, self._order(number))
            del self._due[number]
            yield self.workers[number]

    def _order(self, number: int) -> Order:
        listening, watching = ([each.fileno() for each in sockets] for sockets in (self.listening, self.watching))
        processes = self.plan.settings.processes
        shared = self._counted, self._balance
        return Order(self.plan.texts, listening, watching, *shared, number, processes, self._since)

    def lose(self, worker: Worker) -> float:
        """Have one that died replaced: at once, or after a pause that grows; return the seconds."""
        del self.workers[worker.number]
        steady = monotonic() - worker.began > STEADY
        deaths = self._deaths[worker.number] = 1 if steady else self._deaths[worker.number] + 1
        pause = 0.0 if deaths == 1 else min(2.0 ** (deaths - 2), LONGEST_PAUSE)
        self._due[worker.number] = monotonic() + pause
        return pause

    def dismiss(self, how: Callable[[Worker, float], None], deadline: float) -> list[Worker]:
        """Tell all workers to end, retiring or stopping, and start none any more; return them."""
        gone, self.workers = list(self.workers.values()), {}
        for shared in (self._counted, self._balance):
            os.close(shared)
        for worker in gone:
            how(worker, deadline)
        return gone
