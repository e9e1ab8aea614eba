"""What a parent and a worker say to each other: an order, then one line back, then what the worker is to do.

They are at the two ends of a pair of sockets. That the other end is closed says that the other process is gone.
"""

import json
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from .balance import Balance
from .server import Server

RETIRE = b"retire\n"


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is started for: texts of settings, and open files that it inherits.

    `listening` and `watching` are the sockets of `listen` and `metrics_listen`, `counted` the block of metrics and
    `balance` the counts of connections, in which it is number `process` of `processes`; `since` is when they were
    started.
    """

    settings: Mapping[str, str]
    listening: Sequence[int]
    watching: Sequence[int]
    counted: int
    balance: int
    process: int
    processes: int
    since: float

    @property
    def files(self) -> list[int]:
        """All open files."""
        return [*self.listening, *self.watching, self.counted, self.balance]


class Post:
    """A worker's end of the pair, with the order that came through it."""

    def __init__(self, file: int) -> None:
        self._pair = socket.socket(fileno=file)
        self._lines = self._pair.makefile("rb")
        self.order = Order(**json.loads(self._lines.readline()))
        for each in (file, *self.order.files):
            os.set_inheritable(each, False)

    def sockets(self, files: Sequence[int]) -> list[socket.socket]:
        """Return inherited sockets."""
        return [socket.socket(fileno=file) for file in files]

    @property
    def balance(self) -> Balance:
        """The counts of connections of all workers."""
        return Balance(self.order.balance, self.order.process, self.order.processes)

    def serving(self, server: Server, besides: Sequence[Server]) -> None:
        """Say that all is ready, and do from now on what the parent says; it ends when the parent is gone.

        `besides` are other servers of this process, which leave their addresses together with the first one.
        """
        self._say({"ready": True})
        threading.Thread(target=self._obey, args=(server, besides), name="post", daemon=True).start()

    def failed(self, code: int, sentences: Sequence[str]) -> None:
        """Say why there will be no serving: an exit code, and sentences for the operator."""
        self._say({"code": code, "sentences": list(sentences)})

    def _say(self, what: Mapping[str, Any]) -> None:
        with suppress(OSError):  # the parent is gone, which `_obey` notices
            self._pair.sendall(json.dumps(what).encode() + b"\n")

    def _obey(self, server: Server, besides: Sequence[Server]) -> None:
        with suppress(OSError):
            for line in self._lines:
                for each in (server, *besides) if line == RETIRE else ():
                    each.retire()
        server.stop()


def written(order: Order) -> bytes:
    """Return an order as it goes through the pair."""
    return json.dumps(asdict(order)).encode() + b"\n"
