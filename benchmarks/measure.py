"""Three servers, each in a process and with a database of its own, and the CPU that each message costs them.

A *workload* is a kind of message. A *round* sends each workload to the servers, each message to all three in turn: a
machine that is shared may be half as fast a second later. The first round only warms up.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import mean, median

from . import messages, wsgi

#: Each is a module here, with `start(folder, records)`.
SERVERS = ("product", "plain_spyne", "floor")
LISTED = 1000

#: Sends a message to a server and returns its answer.
Ask = Callable[[bytes], wsgi.Answer]


# What is sent ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of message, and the bodies of it that are sent in one round (their mean cost is that round's)."""

    name: str
    bodies: Callable[[int], list[bytes]]


def workloads(sizes: Sequence[int]) -> list[Workload]:
    """Return all workloads, with SyncStudents of so many students."""
    first = Workload("CheckConnection", lambda _: [messages.check_connection()] * 50)
    last = Workload(f"GetRecordList {LISTED}", lambda _: [messages.get_record_list()] * 2)
    return [first, *(each for size in sizes for each in _sync(size)), last]


def _sync(size: int) -> Iterator[Workload]:
    """Give the same students three times: unknown, changed, unchanged; other ones in each round."""
    for state in ("new", "changed", "unchanged"):
        yield Workload(f"SyncStudents {size}, {state}", _syncing(size, state))


def _syncing(size: int, state: str) -> Callable[[int], list[bytes]]:
    # Of short messages several, because one is over before the clock has moved much.
    count = max(3, min(50, 300 // size))
    return lambda turn: [
        messages.sync_students(
            f"{state}-{size}-{turn}-{number}", f"S{size}-{turn}-{number}", range(size), changed=state != "new"
        )
        for number in range(count)
    ]


# What it costs ---------------------------------------------------------------------------------------------------


class Disagreement(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The servers did not make the same of a message, so what it costs them cannot be compared."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message of a workload costs each server: milliseconds of CPU, a figure for each round."""

    name: str
    request_bytes: int
    rounds: dict[str, list[float]]

    def median(self, server: str) -> float:
        """Return the middle one of the rounds."""
        return median(self.rounds[server])

    def ratio(self, server: str, to: str) -> float:
        """Return how many times as much the message costs `server` as it costs `to`: the middle one of the rounds."""
        return median(mine / theirs for mine, theirs in zip(self.rounds[server], self.rounds[to], strict=True))


def measure(chosen: Sequence[Workload], rounds: int, folder: Path) -> list[Cost]:
    """Measure workloads in an empty folder. Raises Disagreement."""
    costs: dict[str, Cost] = {}
    with running(folder) as servers:
        for turn in range(rounds + 1):
            for each in chosen:
                bodies = each.bodies(turn)
                answers = _ask_in_turn(servers, bodies)
                check_agreement(each.name, answers)
                cost = costs.setdefault(each.name, Cost(each.name, len(bodies[0]), {name: [] for name in SERVERS}))
                for name in SERVERS if turn else ():
                    cost.rounds[name].append(mean(answer.cpu for answer in answers[name]) * 1000)
    return list(costs.values())


def _ask_in_turn(servers: dict[str, Ask], bodies: Sequence[bytes]) -> dict[str, list[wsgi.Answer]]:
    answers: dict[str, list[wsgi.Answer]] = {name: [] for name in servers}
    for body in bodies:
        for name, ask in servers.items():
            answers[name].append(ask(body))
    return answers


def check_agreement(name: str, answers: dict[str, list[wsgi.Answer]]) -> None:
    """Raise Disagreement unless all servers took every message, and counted the same."""
    for several in zip(*answers.values(), strict=True):
        refused = [answer for answer in several if not answer.status.startswith("200")]
        if refused:
            raise Disagreement(f"{name}: {refused[0].status}: {refused[0].body[:1000]!r}")
        told = [messages.told(answer.body) for answer in several]
        if any(other != told[0] for other in told):
            raise Disagreement(f"{name}: {dict(zip(answers, told, strict=True))}")


# The servers -----------------------------------------------------------------------------------------------------


@contextmanager
def running(folder: Path, listed: int = LISTED) -> Iterator[dict[str, Ask]]:
    """Run the three servers, each with so many records to list, for one `with` block."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_process(name, folder / name, listed)) for name in SERVERS}


@contextmanager
def _process(name: str, folder: Path, listed: int) -> Iterator[Ask]:
    """Run a server in a process of its own, so that none meets another's modules, garbage or logging."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(name, folder, listed, theirs), daemon=True)
    process.start()
    theirs.close()

    def ask(body: bytes) -> wsgi.Answer:
        ours.send(body)
        answer: wsgi.Answer = ours.recv()
        return answer

    try:
        yield ask
    finally:
        ours.close()
        process.join(10)


def _answer(name: str, folder: Path, listed: int, pipe: Connection) -> None:
    folder.mkdir()
    served: wsgi.Served = import_module(f".{name}", __package__).start(folder, messages.records(listed))
    while True:
        try:
            body = pipe.recv()
        except EOFError:
            return
        pipe.send(wsgi.post(served, body))
