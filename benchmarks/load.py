"""Callers that cost little: one thread, raw sockets, requests made beforehand. How long each answer takes is kept."""

import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection

#: Stands in a request for a number of ten digits that is another one each time, for its messageId.
NUMBER = b"##########"


@dataclass(frozen=True, slots=True)
class Caller:
    """Sends the same requests in turn, the next one as soon as the last one is answered."""

    requests: tuple[bytes, ...]
    #: Whether its answers are what is measured, or only what the server does besides.
    counts: bool = True


@dataclass(slots=True)
class Load:
    """What came of it: seconds of each answer that counts, how long it all took, and the CPU of the callers."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0


class Refused(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """An answer was no 200, so what it cost says nothing."""


class _Line:
    """One connection: what is still to be sent, and what has come of the answer."""

    def __init__(self, connected: socket.socket, caller: Caller) -> None:
        self.socket, self.caller = connected, caller
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._turn, self._began, self._left, self._head = 0, 0.0, 0, b""

    def send(self, number: int) -> None:
        """Send the next request whole; nobody else waits for that for long, as the server reads fast."""
        request = self.caller.requests[self._turn % len(self.caller.requests)]
        self._turn += 1
        self._began, self._left, self._head = time.perf_counter(), -1, b""
        self.socket.sendall(request.replace(NUMBER, b"%010d" % number, 1))

    def receive(self) -> float | None:
        """Take what has come; return the seconds that the answer took when it is whole."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise Refused("The server closed the connection.")
        if self._left < 0:
            self._head += piece
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return None
            if not head.startswith(b"HTTP/1.1 200"):
                raise Refused(self._head[:2000].decode(errors="replace"))
            self._left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) - len(body)
        else:
            self._left -= len(piece)
        return None if self._left else time.perf_counter() - self._began


def call(address: tuple[str, int], callers: Sequence[Caller], seconds: float, first_number: int) -> Load:
    """Have callers call for some seconds in this process. Raises Refused."""
    load, number = Load(), first_number
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        lines = [_Line(stack.enter_context(socket.create_connection(address)), caller) for caller in callers]
        began, cpu = time.perf_counter(), time.process_time()
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.send(number := number + 1)
        while (now := time.perf_counter()) < began + seconds:
            for key, _ in selector.select(0.1):
                line = key.data
                if (taken := line.receive()) is None:
                    continue
                if line.caller.counts:
                    load.latencies.append(taken)
                line.send(number := number + 1)
        load.seconds, load.cpu = now - began, time.process_time() - cpu
        for line in lines:  # the last answers do not count, but are waited for
            while line.receive() is None:
                pass
    return load


def elsewhere(address: tuple[str, int], callers: Sequence[Caller], seconds: float, first_number: int) -> Load:
    """Do the same in a process of its own. Raises Refused."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_call, args=(theirs, address, callers, seconds, first_number), daemon=True)
    process.start()
    theirs.close()
    result: Load | str = ours.recv()
    process.join()
    if isinstance(result, str):
        raise Refused(result)
    return result


def _call(
    pipe: Connection, address: tuple[str, int], callers: Sequence[Caller], seconds: float, first_number: int
) -> None:
    try:
        pipe.send(call(address, callers, seconds, first_number))
    except (Refused, OSError) as refused:
        pipe.send(str(refused))
