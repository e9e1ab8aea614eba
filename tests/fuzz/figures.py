"""What a run has seen: cases counted by kind, promises that were broken, and the table at the end."""

from collections import Counter
from dataclasses import dataclass, field

from .target import PATIENCE

MOST_FAILURES = 20
"""After so many a run ends."""


@dataclass
class Figures:
    """Counts cases."""

    cases: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.cases.values())

    @property
    def enough(self) -> bool:
        """Whether so much is wrong that more of it would tell nothing new."""
        return len(self.failures) >= MOST_FAILURES

    def count(self, kind: str, seconds: float, answer: str) -> None:
        """Count a case; `answer` says in a word how it ended."""
        self.cases[kind] += 1
        self.seconds[kind] = self.seconds.get(kind, 0.0) + seconds
        self.slowest[kind] = max(self.slowest.get(kind, 0.0), seconds)
        self.answers[answer] += 1
        if seconds > PATIENCE:
            self.fail(kind, f"took {seconds:.1f} s")

    def fail(self, kind: str, sentence: str) -> None:
        """Note a promise that was broken; the sentence says by which case."""
        self.failures.append(f"{kind}: {sentence}")
        print(f"FAILED {kind}: {sentence[:4000]}", flush=True)

    def table(self) -> str:
        """The figures as text."""
        lines = [f"{'cases':>9}  {'mean ms':>8}  {'slowest ms':>10}  kind"]
        for kind, count in self.cases.most_common():
            mean, most = self.seconds[kind] / count * 1000, self.slowest[kind] * 1000
            lines.append(f"{count:9}  {mean:8.2f}  {most:10.0f}  {kind}")
        lines.append(f"{self.total:9}  {'':8}  {max(self.slowest.values(), default=0) * 1000:10.0f}  all")
        lines += ["", "answers: " + ", ".join(f"{answer} {count}" for answer, count in self.answers.most_common())]
        return "\n".join(lines)
