"""What was aimed at, and whether it holds: each aim is a sentence and a comparison of figures inside one run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ..memory import Row
from .measure import Found, Peak

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Aim:
    """How Paraphe is to compare with another server for some workloads, in all of which it must hold.

    `least`: the other takes so many times as much at least. `most`: Paraphe takes so many times as much at most.
    """

    workload: str
    against: str
    words: str
    least: float = 0
    most: float = 0

    def judged(self, ratios: Mapping[str, float]) -> bool:
        """Say whether it holds, given what Paraphe takes for each workload, the other's taken as 1."""
        return all(1 / ratio >= self.least if self.least else ratio <= self.most for ratio in ratios.values())

    def written(self, ratio: float) -> str:
        """Write a ratio the way round that the aim has it."""
        return f"{1 / ratio:.1f} times less" if self.least else f"{ratio:.2f} times"


_SPYNE, _FLOOR, _PHP, _JAVA, _NODE, _GSOAP = "plain Spyne", "floor", "PHP", "Java", "node", "gSOAP"
_LEVEL = 1.1  # what "level" allows; figures of one run are not surer than that


def _ahead(workload: str, *others: str) -> Iterator[Aim]:
    return (Aim(workload, other, "ahead", most=1.0) for other in others)


def _level(workload: str, *others: str) -> Iterator[Aim]:
    return (Aim(workload, other, f"level (≤ {_LEVEL} times)", most=_LEVEL) for other in others)


def _python(workload: str, spyne: float, floor: float) -> Iterator[Aim]:
    yield Aim(workload, _SPYNE, f"≥ {spyne:g} times less", least=spyne)
    yield Aim(workload, _FLOOR, f"≤ {floor:g} times", most=floor)


AIMS: tuple[Aim, ...] = (
    *_python("CheckConnection", 1.5, 1.7),
    *_ahead("CheckConnection", _PHP),
    *_python("SyncStudents 1", 2.5, 2),
    *_ahead("SyncStudents 1", _PHP),
    *_python("SyncStudents 100", 8, 1.1),
    *_level("SyncStudents 100", _PHP, _JAVA),
    *_python("SyncStudents 1000", 11, 0.9),
    *_level("SyncStudents 1000", _PHP),
    *_ahead("SyncStudents 1000", _JAVA, _NODE),
    Aim("SyncStudents 1000", _GSOAP, "≤ 3 times", most=3),
    *_python("SyncStudents 10000, unchanged", 12, 0.7),
    *_ahead("SyncStudents 10000, unchanged", _PHP, _JAVA, _NODE),
    *_python("GetRecordList 1000", 25, 0.35),
    *_ahead("GetRecordList 1000", _PHP, _JAVA, _NODE, _GSOAP),
    *_python("SendInvoice 1 MB, stored", 4, 0.5),
    *_ahead("SendInvoice 1 MB, stored", _PHP, _JAVA, _NODE, _GSOAP),
    *(
        Aim(workload, "Paraphe", "PostgreSQL ≤ 1.3 times SQLite", most=1.3)
        for workload in ("CheckConnection", *(f"SyncStudents {size}" for size in (1, 100, 1000)), "GetRecordList 1000")
    ),
)


def judged(found: Found) -> Iterator[tuple[str, str, str, str, str]]:
    """Give the rows of the table: workload, against whom, the aim, what was measured, whether it holds."""
    for aim in AIMS:
        ours = "Paraphe on PostgreSQL" if aim.against == "Paraphe" else "Paraphe"
        ratios = {
            name: median(figures[ours].cpu) / median(figures[aim.against].cpu)
            for name, figures in found.items()
            if (name == aim.workload or name in _states(aim.workload)) and {ours, aim.against} <= figures.keys()
        }
        if ratios:
            measured = " / ".join(map(aim.written, ratios.values()))
            yield aim.workload, aim.against, aim.words, measured, "yes" if aim.judged(ratios) else "**no**"


def _states(workload: str) -> list[str]:
    return [f"{workload}, {state}" for state in ("new", "changed", "unchanged")]


def memory_judged(peaks: Mapping[str, Peak]) -> Iterator[tuple[str, str, str, str, str]]:
    """Give the rows of the aims for the memory of one message of a hundred thousand students."""
    ours = peaks.get("Paraphe")
    if ours is None:
        return
    what = "SyncStudents 100000, peak memory"
    top = ours.after[-1] / _MB
    yield what, "80 MB", "≤ 80 MB", f"{top:.0f} MB ({top - ours.idle / _MB:.0f} above idle)", _holds(top <= 80)
    first, last = (each / _MB for each in (ours.after[0], ours.after[-1]))
    yield (
        what,
        "its first message",
        "third no higher",
        f"{first:.0f} MB, then {last:.0f} MB",
        _holds(last <= first * 1.02),
    )
    for name, share in (("Java", 5), ("PHP", 10)):
        if other := peaks.get(name):
            ratio = other.after[-1] / ours.after[-1]
            yield what, name, f"a {('fifth', 'tenth')[share == 10]}", f"1/{ratio:.1f}", _holds(ratio >= share)


def files_judged(rows: Sequence[Row]) -> Iterator[tuple[str, str, str, str, str]]:
    """Give the row of the aim for a large file."""
    for row in rows[-1:]:
        above = max(row.peaks) / _MB
        what = f"SendInvoice {row.megabytes} MB, peak memory"
        yield what, "idle", "≤ 80 MB above", f"{above:.1f} MB above {row.idle / _MB:.0f} MB", _holds(above <= 80)


def round_trips_judged(counted: Mapping[str, int]) -> Iterator[tuple[str, str, str, str, str]]:
    """Give the row of the aim for the round trips of a synchronisation, from its smallest to its largest message."""
    syncs = [count for name, count in counted.items() if name.startswith("SyncStudents")]
    if syncs:
        measured = " / ".join(map(str, syncs))
        yield "SyncStudents on PostgreSQL", "fewer items", "as many round trips", measured, _holds(len(set(syncs)) == 1)


def processes_judged(found: Found) -> Iterator[tuple[str, str, str, str, str]]:
    """Give the rows of the aim for two processes."""
    for name, figures in found.items():
        if {"Paraphe", "Paraphe, two processes"} <= figures.keys():
            ratio = median(figures["Paraphe, two processes"].per_second) / median(figures["Paraphe"].per_second)
            yield (
                f"{name}, two processes",
                "one process",
                "≥ 1.8 times a second",
                f"{ratio:.2f} times",
                _holds(ratio >= 1.8),
            )


def _holds(holds: bool) -> str:
    return "yes" if holds else "**no**"
