"""A server that runs: where it is, how it is asked, and what its processes have taken so far."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .. import tree


class Missing(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """What a server needs is not installed here; the text says what."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server: the processes that were started for it, its port, and the folder where it puts files."""

    pids: tuple[int, ...]
    port: int
    files: Path
    #: For each account the header that opens it; none where a server knows no callers.
    authorization: Mapping[str, str] = field(default_factory=dict)
    #: Processes that were not started for it alone, by a name: their CPU is told apart.
    besides: Mapping[str, int] = field(default_factory=dict)
    #: Seconds of messages at least, before what it does now and then has its share in each of them.
    steady: float = 0

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.port

    def request(self, body: bytes, account: str = "lists") -> bytes:
        """Return a message as it goes over the wire."""
        said = self.authorization.get(account)
        head = (
            'POST /soap/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\nSOAPAction: ""\r\n'
        )
        head += f"Authorization: {said}\r\n" if said else ""
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def cpu(self) -> float:
        """Return the seconds of CPU that all its processes have taken."""
        return sum(map(tree.cpu, self.pids))

    def cpu_besides(self) -> float:
        """Return the seconds of CPU of the processes that are told apart."""
        return sum(map(tree.cpu, self.besides.values()))

    def peak(self) -> int:
        """Return the most bytes of memory of all its processes."""
        return sum(map(tree.peak, self.pids))

    def settle(self, quiet: float) -> None:
        """Wait until it has done nothing for so many seconds: what it does behind its answers counts. At most 20 s."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            before = self.cpu()
            time.sleep(quiet)
            if self.cpu() - before < 0.002:
                return


@contextmanager
def process(command: Sequence[str | Path], folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command for one `with` block; what it says of errors goes into a file of the folder."""
    with (
        (folder / "log").open("a") as log,
        subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=log, text=True
        ) as started,
    ):
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()


@contextmanager
def server(command: Sequence[str | Path], folder: Path, **environment: str) -> Iterator[tuple[int, int]]:
    """Run a server that prints its address as its first line; give the numbers of its process and of its port."""
    with process(command, folder, **environment) as started:
        line = started.stdout.readline() if started.stdout else ""
        port = line.rpartition(":")[2].strip()
        if not port.isdigit():
            raise RuntimeError(f"{command[0]} does not serve: {line}{(folder / 'log').read_text()[-2000:]}")
        yield started.pid, int(port)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(address: tuple[str, int] | Path) -> None:
    """Wait until somebody listens at an address or at a socket of Unix; RuntimeError after ten seconds."""
    family, place = (socket.AF_UNIX, str(address)) if isinstance(address, Path) else (socket.AF_INET, address)
    for _ in range(200):
        with socket.socket(family) as caller:
            if not caller.connect_ex(place):
                return
        time.sleep(0.05)
    raise RuntimeError(f"Nobody listens at {address}.")
