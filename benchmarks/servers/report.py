"""What a run found, as Markdown and as JSON."""

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from .. import memory
from ..tables import rounded, table
from . import goal
from .measure import Figures, Found, Peak

_MB = 1_000_000
_BESIDES = "its PostgreSQL"


@dataclass(slots=True)
class Result:
    """All figures of a run."""

    #: Why servers were left out, by their names.
    missing: dict[str, str] = field(default_factory=dict)
    alone: Found = field(default_factory=dict)
    together: Found = field(default_factory=dict)
    round_trips: dict[str, int] = field(default_factory=dict)
    peaks: dict[str, Peak] = field(default_factory=dict)
    files: list[memory.Row] = field(default_factory=list)
    minutes: float = 0


def written(result: Result) -> Iterator[str]:
    """Write all tables."""
    yield "### CPU ms a message, one caller\n"
    yield from _grid(result.alone, lambda each: rounded(median(each.cpu)), _besides(result.alone))
    yield "\n### The goal\n"
    rows = [*goal.judged(result.alone), *goal.memory_judged(result.peaks), *goal.processes_judged(result.together)]
    rows += [*goal.files_judged(result.files), *goal.round_trips_judged(result.round_trips)]
    yield from table(("workload", "against", "goal", "measured", "holds"), rows)
    yield "\n### One caller: answers a second, p50 / p99 in ms\n"
    yield from _grid(result.alone, _pace)
    if result.together:
        yield "\n### Eight callers: answers a second, p50 / p99 in ms\n"
        yield from _grid(result.together, _pace)
    if result.round_trips:
        yield "\n### Round trips of a message on PostgreSQL\n"
        yield from table(
            ("workload", "round trips"), ((name, str(count)) for name, count in result.round_trips.items())
        )
    if result.peaks:
        yield "\n### Memory, MB: one message of 100 000 students\n"
        yield from table(
            ("server", "idle", "peak, 1st message", "peak, 3rd", "seconds, 1st"), map(_peak, result.peaks.items())
        )
    if result.files:
        yield "\n### SendInvoice of Paraphe\n"
        yield from table(("file, MB", "idle, MB", "above idle, MB", "CPU s"), map(_file, result.files))
    yield f"\n{_surroundings(result)}"


def _peak(named: tuple[str, Peak]) -> Sequence[str]:
    name, peak = named
    return name, *(f"{each / _MB:.0f}" for each in (peak.idle, peak.after[0], peak.after[-1])), f"{peak.seconds[0]:.1f}"


def _file(row: memory.Row) -> Sequence[str]:
    idle, above = row.idle / _MB, max(row.peaks) / _MB
    return str(row.megabytes), f"{idle:.0f}", f"{above:.1f}", f"{min(row.seconds):.2f}"


def _pace(each: Figures) -> str:
    p50, p99 = (rounded(median(values)) for values in (each.p50, each.p99))
    return f"{rounded(median(each.per_second))}, {p50} / {p99}"


def _besides(found: Found) -> str:
    """Return the name of the server of which something is told apart."""
    for figures in found.values():
        for name, each in figures.items():
            if any(each.besides):
                return name
    return ""


def _grid(found: Found, cell: Callable[[Figures], str], besides: str = "") -> Iterator[str]:
    """Write a line for each workload and a column for each server, and one for what is told apart."""
    names = list(dict.fromkeys(name for figures in found.values() for name in figures))
    heads = ["workload", *(part for name in names for part in ([name, _BESIDES] if name == besides else [name]))]
    rows = []
    for workload, figures in found.items():
        row = [workload]
        for name in names:
            each = figures.get(name)
            row.append(cell(each) if each else "")
            if name == besides:
                row.append(rounded(median(each.besides)) if each else "")
        rows.append(row)
    yield from table(heads, rows)


def _surroundings(result: Result) -> str:
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    left = "".join(f" Left out: {name} ({why})." for name, why in result.missing.items())
    rounds = f"{_rounds(result.alone)} rounds (with eight callers {_rounds(result.together)})"
    machine = f"Python {platform.python_version()}; {os.cpu_count()} cores, shared with the callers"
    return f"Medians of {rounds}; {machine}; load averages at the end {load}; {result.minutes:.1f} minutes.{left}"


def _rounds(found: Found) -> int:
    return max((len(each.cpu) for figures in found.values() for each in figures.values()), default=0)


def figures(result: Result) -> dict[str, Any]:
    """Return all figures, of every round."""
    return asdict(result)
