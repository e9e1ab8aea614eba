"""Callers that cost little: one thread, raw sockets, requests made beforehand. How long each answer takes is kept."""

import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection

#: Stands in a request, in as many places as there are, for a number of ten digits that is another one each time.
NUMBER = b"##########"
_PATIENCE = 300  # seconds without a byte from the server


@dataclass(frozen=True, slots=True)
class Caller:
    """Sends the same requests in turn, the next one as soon as the last one is answered."""

    requests: tuple[bytes, ...]
    #: Whether its answers are what is measured, or only what the server does besides.
    counts: bool = True
    #: Texts, each with how often it must stand in every answer.
    told: tuple[tuple[bytes, int], ...] = ()


@dataclass(slots=True)
class Load:
    """What came of it: seconds of each answer that counts, how long it all took, and the CPU of the callers."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    #: All answers, with those that came when the time was over; and the body of one.
    answered: int = 0
    last: bytes = b""


class Refused(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """An answer was no 200 or did not say what it must, so what it cost says nothing."""


class _Line:
    """One connection: what is still to be sent, and what has come of the answer."""

    def __init__(self, connected: socket.socket, caller: Caller) -> None:
        self.socket, self.caller = connected, caller
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(_PATIENCE)
        self.waits, self.body = False, b""
        self._turn, self._began = 0, 0.0
        # What has come; how many bytes of it are the body's; how many there will be (None: it comes in chunks).
        self._pieces: list[bytes] = []
        self._head, self._got = b"", 0
        self._length: int | None = 0

    def send(self, number: int) -> None:
        """Send the next request whole; nobody else waits for that for long, as the server reads fast."""
        request = self.caller.requests[self._turn % len(self.caller.requests)]
        self._turn += 1
        self._began, self._head, self._pieces, self._got, self.waits = time.perf_counter(), b"", [], 0, True
        self.socket.sendall(request.replace(NUMBER, b"%010d" % number))

    def receive(self) -> float | None:
        """Take what has come; return the seconds that the answer took when it is whole."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise Refused("The server closed the connection.")
        self._pieces.append(piece)
        self._got += len(piece)
        if not self._head and not self._begins():
            return None
        if self._length is None:
            # The mark can stand nowhere else: what is before it would be the end of an XML document.
            whole = b"".join(self._pieces[-5:]).endswith(b"0\r\n\r\n")
        else:
            whole = self._got >= self._length
        if not whole:
            return None
        taken, self.waits = time.perf_counter() - self._began, False
        self._check()
        return taken

    def _begins(self) -> bool:
        """Read the head, once it is whole."""
        head, end, body = b"".join(self._pieces).partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise Refused((head + end + body)[:2000].decode(errors="replace"))
        self._head, self._pieces, self._got = head.lower(), [body], len(body)
        length = self._head.partition(b"content-length: ")[2].split(b"\r\n")[0]
        self._length = int(length) if length else None
        return True

    def _check(self) -> None:
        self.body = b"".join(self._pieces)
        if self._length is None:
            self.body = _without_chunks(self.body)
        for text, times in self.caller.told:
            if self.body.count(text) != times:
                raise Refused(f"Not {times} times {text.decode()}: {self.body[:2000].decode(errors='replace')}")


def _without_chunks(body: bytes) -> bytes:
    pieces, place = [], 0
    while place < len(body):
        size, _, _ = body[place : place + 20].partition(b"\r\n")
        begin = place + len(size) + 2
        pieces.append(body[begin : begin + int(size, 16)])
        place = begin + int(size, 16) + 2
    return b"".join(pieces)


def call(
    address: tuple[str, int], callers: Sequence[Caller], seconds: float, first_number: int, most: int = 1 << 30
) -> Load:
    """Have callers call for some seconds in this process, but until one answer that counts is there. Raises Refused.

    They send `most` requests at most, all together.
    """
    load, number = Load(), first_number
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        lines = [_Line(stack.enter_context(socket.create_connection(address)), caller) for caller in callers]
        began, cpu = time.perf_counter(), time.process_time()
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.send(number := number + 1)
        while (now := time.perf_counter()) < began + seconds or not load.latencies:
            if now > began + seconds + _PATIENCE:
                raise Refused("No answer.")
            for key, _ in selector.select(0.1):
                line = key.data
                if (taken := line.receive()) is None:
                    continue
                load.answered, load.last = load.answered + 1, line.body
                if line.caller.counts:
                    load.latencies.append(taken)
                if number - first_number < most:
                    line.send(number := number + 1)
            if not any(line.waits for line in lines):
                now = time.perf_counter()
                break
        load.seconds, load.cpu = now - began, time.process_time() - cpu
        for line in lines:  # the last answers do not count, but are waited for
            while line.waits:
                line.receive()
                load.answered += not line.waits
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
