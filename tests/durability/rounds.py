"""One round: servers over a fresh database, callers, kills, a quiet end, and the judgement."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from . import callers, checker, diary, nodes, places, stored
from .callers import Caller, Traffic
from .findings import Finding
from .messages import Writer

_OWN_TABLES = (("SyncStudents", "SyncTeachers"), ("SyncClassrooms", "SyncCourses"), ("SyncContacts",))
_START_TIME = 90.0  # seconds in which a server must have given its first answers


@dataclass(frozen=True)
class Scenario:
    """What is set up and what happens to it besides kill -9."""

    name: str
    servers: int
    place: Callable[[Path], AbstractContextManager[places.Place]]
    #: How often out of a hundred kills the place's mishap comes before.
    mishaps: int = 0


@dataclass(frozen=True)
class Round:
    """What came of a round."""

    kills: int
    mishaps: int
    seconds: float
    attempts: Sequence[diary.Attempt]
    findings: Sequence[Finding]


class NoAnswers(Exception):  # noqa: N818 - as the house names exceptions
    """A server that was started again never answered."""


def play(scenario: Scenario, kills: int, seed: str, folder: Path) -> Round:
    """Play a round whose load and whose kills are drawn from the seed; the machine draws the rest.

    Raises Impossible.
    """
    random, began = Random(seed), time.monotonic()
    with scenario.place(folder) as place:
        settings = {**place.settings, "PARAPHE_PUBLIC_URL": "https://exchange.centre.example"}
        nodes.command(settings, "init")
        accounts = [nodes.account(settings, name) for name in ("Centre A", "Centre B")]
        servers = [
            nodes.Node(nodes.free_address(random), settings, folder / f"server-{number}.log")
            for number in range(1, scenario.servers + 1)
        ]
        book, traffic = diary.Diary(folder / "diary.jsonl"), Traffic()
        try:
            killer = _Killer(scenario, servers, place, traffic, random)
            killer.start_all()
            finish = callers.start(programs(accounts, servers, book, traffic, random))
            killer.kill(kills)
            traffic.stop()
            finish()
        finally:
            traffic.stop()
            place.mishap.relieve()
            for server in servers:
                server.stop()
            book.close()
        attempts = diary.read(folder / "diary.jsonl")
        findings = checker.check(attempts, stored.read(place.database, place.files))
    return Round(killer.kills, killer.mishaps, time.monotonic() - began, attempts, findings)


def programs(
    accounts: Sequence[tuple[str, str]],
    servers: Sequence[nodes.Node],
    book: diary.Diary,
    traffic: Traffic,
    random: Random,
) -> list[Caller]:
    """Three programs for each account; each of them alone writes the tables and the records that are its own."""
    addresses = [server.address for server in servers]
    found = []
    for letter, (user, key) in zip("ab", accounts, strict=True):
        for number, share in enumerate(_OWN_TABLES, 1):
            writer = Writer(f"{letter}{number}", Random(random.random()), share)
            found.append(Caller(writer, user, key, addresses, book, traffic, Random(random.random())))
    return found


class _Killer:
    """Kills servers while requests are under way, and starts them again."""

    def __init__(
        self,
        scenario: Scenario,
        servers: Sequence[nodes.Node],
        place: places.Place,
        traffic: Traffic,
        random: Random,
    ) -> None:
        self.kills = self.mishaps = 0
        self._scenario, self._servers, self._place = scenario, servers, place
        self._traffic, self._random = traffic, random
        self._answered_before: Counter[str] = Counter()

    def start_all(self) -> None:
        """Start every server that does not run."""
        for server in self._servers:
            if not server.runs:
                self._answered_before[server.address] = self._traffic.answers(server.address)
                server.start()

    def kill(self, times: int) -> None:
        """Kill that often; at the end all servers run and answer."""
        while self.kills < times:
            self._strike_and_kill()
        for server in self._servers:
            self._wait_for_answers(server, 1)

    def _strike_and_kill(self) -> None:
        server = max(self._servers, key=self._answers)
        self._wait_for_answers(server, self._random.randint(1, 8))
        strikes = self._random.randrange(100) < self._scenario.mishaps
        if strikes:
            self.mishaps += 1
            self._place.mishap.strike()
            time.sleep(self._random.uniform(0, 0.6))
        self._aim()
        victims = self._servers if self._random.random() < 0.3 else [server]
        for victim in victims:
            if victim.runs:
                victim.kill()
                self.kills += 1
        if strikes:
            time.sleep(self._random.uniform(0, 0.2))
            self._place.mishap.relieve()
        self.start_all()

    def _aim(self) -> None:
        """Wait for a request that was sent this moment, and a part of the time that most take; or for a commit.

        Between a commit and its answer lies a millisecond, which the first alone would seldom meet.
        """
        if self._random.random() < 0.5:
            self._traffic.wait_for_next(2)
            time.sleep(self._random.uniform(0, 0.06))
            return
        before, end = self._place.commits(), time.monotonic() + 2
        while self._place.commits() == before and time.monotonic() < end:
            pass
        time.sleep(self._random.uniform(0, 0.002))

    def _answers(self, server: nodes.Node) -> int:
        return self._traffic.answers(server.address) - self._answered_before[server.address]

    def _wait_for_answers(self, server: nodes.Node, count: int) -> None:
        end = time.monotonic() + _START_TIME
        while self._answers(server) < count:
            self._traffic.wait_for_answers(server.address, self._answered_before[server.address] + count, 0.5)
            self.start_all()
            if time.monotonic() > end:
                raise NoAnswers(f"The server at {server.address} has not answered for {_START_TIME:.0f} s.")
