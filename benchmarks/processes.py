"""`python -m benchmarks.processes`: what several processes of `paraphe serve` give, over HTTP, against one.

Each server is started by its command, over a database of its own; the callers are one process with one thread. In
every round each workload is called for some seconds at one server after the other, so that whatever the machine does
besides falls on all alike. The table has medians of the rounds.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from . import messages, product, tree
from .load import NUMBER, Caller, Load, elsewhere
from .tables import rounded

_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its processes and threads, its address, the header that opens it."""

    processes: int
    threads: int
    pid: int
    address: tuple[str, int]
    authorization: str

    @property
    def name(self) -> str:
        """How the table calls it."""
        return f"{self.processes}x{self.threads}"

    def request(self, body: bytes) -> bytes:
        """Return a message as it goes over the wire."""
        head = (
            f"POST /soap/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n"
            f"Authorization: {self.authorization}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used, all processes together."""
        return tree.cpu(self.pid)


@contextmanager
def serving(folder: Path, processes: int, threads: int) -> Iterator[Server]:
    """Run `paraphe serve` over a new database, for one `with` block."""
    folder.mkdir()
    installed = product.install(folder, messages.records(_LISTED))
    installed.engine.dispose()
    # One account calls here, which is to have all threads.
    given = {"processes": processes, "threads": threads, "requests_at_once": threads, "listen": "127.0.0.1:0"}
    given |= {"database": installed.settings.database, "store": installed.settings.store}
    options = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "paraphe", "serve", *options], stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout
        try:
            host, _, port = process.stdout.readline().split()[-1].removeprefix("http://").partition(":")
            authorization = product.basic(installed.api_user, installed.api_key)
            yield Server(processes, threads, process.pid, (host, int(port)), authorization)
        finally:
            process.terminate()


# What is sent ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Workload:
    """Callers at a server, by a name."""

    name: str
    students: int | None
    callers: int
    besides: int = 0

    def at(self, server: Server) -> list[Caller]:
        """Make its callers: those that count, and those that only keep the server busy."""
        measured = [self._caller(server, self.students, f"{self.callers}-{number}") for number in range(self.callers)]
        busy = [self._caller(server, 1000, f"B-{number}", counts=False) for number in range(self.besides)]
        return [*measured, *busy]

    def _caller(self, server: Server, students: int | None, cast: str, *, counts: bool = True) -> Caller:
        if students is None:
            bodies = [messages.get_record_list()]
        elif not students:
            bodies = [messages.check_connection()]
        else:  # the same students changed to and fro, so that every message writes all of them
            bodies = [
                messages.sync_students(NUMBER.decode(), f"{cast}-{students}", range(students), changed=changed)
                for changed in (False, True)
            ]
        return Caller(tuple(map(server.request, bodies)), counts)


def workloads() -> list[Workload]:
    """Return all workloads."""
    kinds = {"CheckConnection": 0, **{f"SyncStudents {size}": size for size in (1, 100, 1000)}}
    found = [Workload(name, size, callers) for name, size in kinds.items() for callers in (1, 8)]
    found += [Workload(f"GetRecordList {_LISTED}", None, callers) for callers in (1, 8)]
    return [*found, Workload("CheckConnection beside three of SyncStudents 1000", 0, 1, besides=3)]


# What comes of it ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Figures:
    """What one server did with one workload: a figure for each round."""

    per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    #: CPU of the server and of the callers, in cores.
    server: list[float] = field(default_factory=list)
    callers: list[float] = field(default_factory=list)

    def add(self, load: Load, cpu: float) -> None:
        """Add a round; latencies in milliseconds."""
        hundredths = quantiles(load.latencies, n=100, method="inclusive")
        self.per_second.append(len(load.latencies) / load.seconds)
        self.p50.append(hundredths[49] * 1000)
        self.p99.append(hundredths[98] * 1000)
        self.server.append(cpu / load.seconds)
        self.callers.append(load.cpu / load.seconds)


def measure(servers: Sequence[Server], chosen: Sequence[Workload], rounds: int, seconds: float) -> dict[str, Figures]:
    """Call all servers with all workloads; the first round of half a second only warms up."""
    found: dict[str, Figures] = {}
    for turn in range(rounds + 1):
        for workload in chosen:
            for server in servers:
                before = server.cpu()
                number = (turn * 1000 + chosen.index(workload)) * 1_000_000
                load = elsewhere(server.address, workload.at(server), seconds if turn else 0.5, number)
                if turn and len(load.latencies) > 1:
                    found.setdefault(_key(workload, server), Figures()).add(load, server.cpu() - before)
    return found


def _key(workload: Workload, server: Server) -> str:
    return f"{workload.name}, {workload.callers} callers, {server.name}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line says; the table goes to standard output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processes", description=__doc__)
    parser.add_argument("--servers", default="1x8,2x8", help="processes and threads of each server (default 1x8,2x8)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of each measurement (default 3)")
    parser.add_argument("--only", default="", help="workloads whose name begins like this")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to a file")
    asked = parser.parse_args(arguments)
    chosen = [workload for workload in workloads() if workload.name.startswith(asked.only)]
    with tempfile.TemporaryDirectory(prefix="paraphe-benchmark-") as folder, ExitStack() as stack:
        servers = [
            stack.enter_context(serving(Path(folder) / shape, *map(int, shape.split("x"))))
            for shape in asked.servers.split(",")
        ]
        found = measure(servers, chosen, asked.rounds, asked.seconds)
    if asked.json:
        plain = {name: {kind: getattr(each, kind) for kind in each.__slots__} for name, each in found.items()}
        asked.json.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    print("\n".join(_table(servers, chosen, found)))
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"\nMedians of {asked.rounds} rounds of {asked.seconds:g} s; Python {platform.python_version()}; ", end="")
    print(f"{os.cpu_count()} cores, shared with the callers; load averages at the end {load}.")


def _table(servers: Sequence[Server], chosen: Sequence[Workload], found: dict[str, Figures]) -> Iterator[str]:
    names = " | ".join(
        f"{server.name}: a second | p50 ms | p99 ms | cores: server + callers"
        + (f" | ÷ {servers[0].name}" if server is not servers[0] else "")
        for server in servers
    )
    yield f"| workload | callers | {names} |"
    yield "|---|--:|" + "--:|" * (5 * len(servers) - 1)
    for workload in chosen:
        cells = [workload.name, str(workload.callers)]
        for server in servers:
            each, first = found[_key(workload, server)], found[_key(workload, servers[0])]
            cells += [rounded(median(values)) for values in (each.per_second, each.p50, each.p99)]
            cells.append(f"{median(each.server):.2f} + {median(each.callers):.2f}")
            if server is not servers[0]:
                cells.append(f"**{median(each.per_second) / median(first.per_second):.2f}**")
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
