"""`python -m benchmarks`: measure the three servers in one run, and print what each message costs."""

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .measure import Cost, measure, workloads
from .tables import rounded

_LIBRARIES = ("spyne", "lxml", "sqlalchemy")
# What the documentation promises of SyncStudents with a thousand students, against plain Spyne.
_PROMISE = "SyncStudents 1000", 8


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line says; the table goes to standard output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds that count, besides one to warm up (default 15)")
    parser.add_argument("--full", action="store_true", help="also SyncStudents of 10 000")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to a file")
    asked = parser.parse_args(arguments)
    sizes = (1, 100, 1000, 10_000) if asked.full else (1, 100, 1000)
    with tempfile.TemporaryDirectory(prefix="paraphe-benchmark-") as folder:
        costs = measure(workloads(sizes), asked.rounds, Path(folder))
    if asked.json:
        asked.json.write_text(json.dumps(_figures(costs), indent=2) + "\n", encoding="utf-8")
    print("\n".join(_table(costs)))
    print(f"\n{_verdict(costs)}\n{_surroundings(asked.rounds)}")


def _table(costs: Sequence[Cost]) -> Iterator[str]:
    yield "| CPU ms a message | bytes in | Paraphe | plain Spyne | floor | plain Spyne ÷ Paraphe | Paraphe ÷ floor |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for cost in costs:
        spent = (cost.median(server) for server in ("product", "plain_spyne", "floor"))
        yield (
            f"| {cost.name} | {cost.request_bytes} | {' | '.join(map(rounded, spent))} "
            f"| **{cost.ratio('plain_spyne', 'product'):.1f}** | {cost.ratio('product', 'floor'):.2f} |"
        )


def _verdict(costs: Sequence[Cost]) -> str:
    name, promised = _PROMISE
    least = min(cost.ratio("plain_spyne", "product") for cost in costs if cost.name.startswith(f"{name},"))
    return f"{name}: at least {least:.1f} times less CPU than plain Spyne; promised are {promised} times."


def _surroundings(rounds: int) -> str:
    libraries = ", ".join(f"{library} {version(library)}" for library in _LIBRARIES)
    return (
        f"Medians of {rounds} rounds; Python {platform.python_version()}, {libraries}; {os.cpu_count()} cores. "
        "Ratios inside one run are what counts; milliseconds are not comparable between runs."
    )


def _figures(costs: Sequence[Cost]) -> list[dict[str, Any]]:
    return [
        {
            "name": cost.name,
            "requestBytes": cost.request_bytes,
            "medianMs": {server: round(cost.median(server), 4) for server in cost.rounds},
            "plainSpyneToProduct": round(cost.ratio("plain_spyne", "product"), 3),
            "productToFloor": round(cost.ratio("product", "floor"), 3),
            "roundsMs": {server: [round(value, 4) for value in values] for server, values in cost.rounds.items()},
        }
        for cost in costs
    ]


if __name__ == "__main__":
    main()
