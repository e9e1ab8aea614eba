"""Rounds: each sends every workload to every server in turn, so that whatever the machine does falls on all alike."""

import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles

from ..load import Load, Refused, call
from ..relay import Relay
from .running import Running
from .workloads import Workload

_numbers = itertools.count(1)
_STEP = 1_000_000  # messages that one measurement can number


@dataclass(slots=True)
class Figures:
    """What one workload came to at one server: a figure for each round that counts."""

    #: Milliseconds of CPU for each message, of the server, and of what is told apart.
    cpu: list[float] = field(default_factory=list)
    besides: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    #: Milliseconds that an answer took.
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def add(self, load: Load, cpu: float, besides: float) -> None:
        """Add a round."""
        self.cpu.append(cpu * 1000 / load.answered)
        self.besides.append(besides * 1000 / load.answered)
        self.per_second.append(len(load.latencies) / load.seconds)
        hundredths = quantiles([*load.latencies, load.latencies[-1]], n=100, method="inclusive")
        self.p50.append(hundredths[49] * 1000)
        self.p99.append(hundredths[98] * 1000)


#: By the title of the workload and the name of the server.
Found = dict[str, dict[str, Figures]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is measured: rounds, seconds of each measurement, of those that only warm up, and of all together.

    No round is begun that would end after all is over, but one always is.
    """

    rounds: int
    seconds: float
    warm: float
    budget: float


def measure(servers: Mapping[str, Running], chosen: Sequence[Workload], pace: Pace) -> Found:
    """Measure workloads; the first round only warms up. Raises Refused, which says by whom.

    A workload of our own is sent to those servers alone that tell their callers apart.
    """
    found: Found = {each.title: {} for each in chosen}
    end, last = time.monotonic() + pace.budget, 0.0
    for turn in range(pace.rounds + 1):
        began = time.monotonic()
        if turn > 1 and began + last > end:
            break
        print(f"round {turn} of {pace.rounds}: {len(chosen)} workloads", file=sys.stderr, flush=True)
        for workload in chosen:
            for name, server in servers.items():
                if workload.ours and not server.authorization:
                    continue
                try:
                    load, cpu, besides = _cost(server, workload, pace.seconds if turn else pace.warm, first=not turn)
                except (Refused, OSError) as refused:
                    raise Refused(f"{name}, {workload.title}: {refused}") from refused
                if turn:
                    found[workload.title].setdefault(name, Figures()).add(load, cpu, besides)
        last = time.monotonic() - began
    return {title: figures for title, figures in found.items() if figures}


def _cost(server: Running, workload: Workload, seconds: float, *, first: bool) -> tuple[Load, float, float]:
    seeding = workload.seeding(server) if first else []
    if seeding:
        call(server.address, seeding, 600, next(_numbers) * _STEP, most=sum(len(each.requests) for each in seeding))
    # Only ours does something behind its answers that begins later.
    quiet = workload.quiet if server.authorization else 0.05
    if seeding:
        server.settle(quiet)
    files = _files(server, workload.kept)
    before, before_besides = server.cpu(), server.cpu_besides()
    load = call(server.address, workload.at(server), max(seconds, server.steady), next(_numbers) * _STEP, workload.most)
    server.settle(quiet)
    cpu, besides = server.cpu() - before, server.cpu_besides() - before_besides
    kept = _files(server, workload.kept) - files
    if workload.kept and kept != load.answered:
        raise Refused(f"{load.answered} files were sent, and {kept} are there.")
    return load, cpu, besides


def _files(server: Running, size: int) -> int:
    """Return how many files of a size the server has."""
    if not size:
        return 0
    return sum(each.is_file() and each.stat().st_size == size for each in server.files.rglob("*"))


# Round trips -----------------------------------------------------------------------------------------------------


def round_trips(server: Running, relay: Relay, chosen: Sequence[Workload]) -> dict[str, int]:
    """Return how often a message of each workload asks the database: the least of three, as others ask in between."""
    found = {}
    for workload in chosen:
        number = next(_numbers) * _STEP
        if seeding := workload.seeding(server):
            call(server.address, seeding, 0, number, most=1)
        counted = []
        for turn in range(1, 4):
            before = relay.round_trips
            call(server.address, workload.at(server), 0, number + 10 * turn, most=1)
            counted.append(relay.round_trips - before)
        found[workload.title] = min(counted)
    return found


# Memory ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Peak:
    """Bytes of memory of a fresh server: idle behind some small messages, and at most after each large one."""

    idle: int
    after: list[int]
    seconds: list[float]


def peak(server: Running, small: Workload, large: Workload, times: int = 3) -> Peak:
    """Send a server small messages, then large ones, one after the other."""
    number = next(_numbers) * _STEP
    call(server.address, small.at(server), 60, number, most=24)
    server.settle(0.1)
    idle, callers = server.peak(), large.at(server)
    after, seconds = [], []
    for turn in range(1, times + 1):
        began = time.perf_counter()
        call(server.address, callers, 0, number + 100 * turn, most=1)
        seconds.append(time.perf_counter() - began)
        after.append(server.peak())
    return Peak(idle, after, seconds)
