"""What a run has seen, and the table at the end."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from .diary import Attempt
from .findings import Kind
from .rounds import Round

_MOST_SHOWN = 20
_COLUMNS = {
    "kills": "servers ended by kill -9",
    "mishaps": "what else the scenario is named after",
    "requests": "sent, among them retries",
    "200": "answered with 200 OK",
    "500": "answered with 500 ERROR",
    "trouble": "of these, because the server could not",
    "lost": "never answered",
    "retries": "sent again under the same messageId",
    "stored": "of the lost ones that were sent again, those that had been stored (answered duplicate=true)",
    "absent": "of these, those that had not",
    "losses": "answered with 200 OK, and not there",
    "doubles": "there more than once",
    "others": "any other contradiction",
}


@dataclass
class Figures:
    """Counts by scenario."""

    seed: int
    _counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _skipped: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, played: Round) -> None:
        """Count a round, and print what was found."""
        counts, kinds = self._counts[name], Counter(finding.kind for finding in played.findings)
        counts += counts_of(played.attempts)
        counts += Counter(rounds=1, kills=played.kills, mishaps=played.mishaps, seconds=round(played.seconds))
        losses, doubles = kinds[Kind.LOSS], kinds[Kind.DOUBLE]
        counts += Counter(losses=losses, doubles=doubles, others=kinds.total() - losses - doubles)
        self._counts[name] = counts
        for finding in played.findings[:_MOST_SHOWN]:
            print(f"FAILED {name}: {str(finding)[:2000]}", flush=True)
        print(f"{name}: {counts['kills']} kills, {counts['requests']} requests, {counts['seconds']} s", flush=True)

    def skip(self, name: str, reason: str) -> None:
        """Note that a scenario cannot be played here."""
        self._skipped[name] = reason
        print(f"{name}: skipped: {reason}", flush=True)

    def kills(self, name: str) -> int:
        """Return how many there were in a scenario."""
        return self._counts[name]["kills"]

    def rounds(self, name: str) -> int:
        """Return how many were played of a scenario."""
        return self._counts[name]["rounds"]

    @property
    def kept(self) -> bool:
        """Whether every promise was kept, and something was tried."""
        total = sum(self._counts.values(), Counter[str]())
        return total["kills"] > 0 and not total["losses"] + total["doubles"] + total["others"]

    def table(self) -> str:
        """The figures as Markdown."""
        lines = ["", f"| scenario | {' | '.join(_COLUMNS)} |", f"|---|{'---:|' * len(_COLUMNS)}"]
        played = {name: counts for name, counts in self._counts.items() if name not in self._skipped}
        for name, counts in {**played, "all": sum(played.values(), Counter[str]())}.items():
            lines.append(f"| {name} | {' | '.join(str(counts[column]) for column in _COLUMNS)} |")
        lines += [f"| {name} | skipped: {reason} |" for name, reason in self._skipped.items()]
        return "\n".join([*lines, "", *(f"{column}: {says}" for column, says in _COLUMNS.items())])


def counts_of(attempts: Sequence[Attempt]) -> Counter[str]:
    """Count requests by what became of them."""
    counts: Counter[str] = Counter()
    before: dict[tuple[str, str], Attempt] = {}
    for attempt in attempts:
        counts["requests"] += 1
        counts["lost" if attempt.lost else "200" if attempt.ok else "500"] += 1
        counts["trouble"] += attempt.in_trouble
        if attempt.message_id is None:
            continue
        first = before.setdefault((attempt.account, attempt.message_id), attempt)
        counts["retries"] += first is not attempt
        if first is not attempt and first.lost and attempt.ok:
            counts["stored" if attempt.duplicate else "absent"] += 1
            before[attempt.account, attempt.message_id] = attempt
    return counts
