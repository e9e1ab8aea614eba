"""`python -m benchmarks.growth`: what a message costs when the database has grown for years.

All sizes are measured in one run: in each round a message goes to a database of each size in turn. What counts is the
CPU of this process, until all that is written behind the answer is written, and on PostgreSQL also that of the
database's processes which work for it (Linux tells it).
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, redirect_stderr
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from paraphe.serve import log_as_json, settle

from .grown import Size
from .grown_house import House, databases
from .grown_workloads import WORKLOADS

#: Each acknowledges a thousand records of the great account, which has 20 000 at least.
MOST_ROUNDS = 7


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line says; the tables go to standard output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--attendance", type=int, nargs="+", default=[10_000, 1_000_000], help="participants, by size")
    parser.add_argument("--records", type=int, nargs="+", default=[40_000, 1_000_000], help="records, by size")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--rounds", type=int, default=5, choices=range(1, MOST_ROUNDS + 1), help="besides one to warm up"
    )
    parser.add_argument("--only", default="", help="workloads whose name begins so")
    parser.add_argument("--folder", type=Path, help="where the databases are while they are measured")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to a file")
    asked = parser.parse_args(arguments)
    try:
        sizes = [Size(*pair) for pair in zip(asked.attendance, asked.records, strict=True)]
    except ValueError as wrong:
        parser.error(str(wrong))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paraphe-growth-", dir=asked.folder)))
        costs, houses = _measured(stack, asked, sizes, folder)
    print("\n".join(_tables(houses, costs, asked.database, asked.rounds)))
    if asked.json:
        asked.json.write_text(json.dumps(_figures(houses, costs, asked.database), indent=2) + "\n", encoding="utf-8")


def _measured(
    stack: ExitStack, asked: argparse.Namespace, sizes: Sequence[Size], folder: Path
) -> tuple[dict[str, list[list[float]]], list[House]]:
    with redirect_stderr(stack.enter_context((folder / "log").open("w", encoding="utf-8"))):
        log_as_json("INFO")
        urls = databases(stack, asked.database, folder, len(sizes))
        houses = [House.build(url, folder, size, datetime.now(UTC)) for url, size in zip(urls, sizes, strict=True)]
    for house in houses:
        stack.callback(house.engine.dispose)
    settle()
    return measure(houses, asked.rounds, asked.only), houses


def measure(houses: Sequence[House], rounds: int, only: str = "") -> dict[str, list[list[float]]]:
    """Return, for each workload, the milliseconds of a message in each round, in each house.

    Raises RuntimeError if a message is refused, or if houses answer with a different number of items.
    """
    chosen = [each for each in WORKLOADS if each.name.startswith(only)]
    costs: dict[str, list[list[float]]] = {each.name: [[] for _ in houses] for each in chosen}
    for turn in range(rounds + 1):
        for each in chosen:
            counts = []
            for house, spent in zip(houses, costs[each.name], strict=True):
                count, milliseconds = house.cost(each, turn)
                counts.append(count)
                spent.extend([milliseconds] if turn else [])
            if len(set(counts)) > 1:
                raise RuntimeError(f"{each.name}: the databases answer with {counts} items")
    return costs


def _tables(houses: Sequence[House], costs: dict[str, list[list[float]]], database: str, rounds: int) -> Iterator[str]:
    sizes = [house.size for house in houses]
    yield f"| CPU ms a message, {database} | " + " | ".join(_named(size) for size in sizes) + " | last ÷ first |"
    yield "|---|" + "--:|" * (len(sizes) + 1)
    for name, spent in costs.items():
        middles = [median(each) for each in spent]
        figures = " | ".join(f"{value:.3g}" for value in middles)
        yield f"| {name} | {figures} | **{middles[-1] / middles[0]:.2f}** |"
    yield ""
    yield "| bytes on the disk a row | " + " | ".join(_named(size) for size in sizes) + " |"
    yield "|---|" + "--:|" * len(sizes)
    for table in houses[0].row_bytes:
        yield f"| {table} | " + " | ".join(f"{house.row_bytes[table]:.0f}" for house in houses) + " |"
    load = os.getloadavg()
    yield ""
    yield (
        f"Medians of {rounds} rounds; Python {platform.python_version()}; {os.cpu_count()} shared cores, "
        f"load {load[0]:.1f} at the end. Databases made in {', '.join(f'{house.built:.0f}' for house in houses)} s."
    )


def _named(size: Size) -> str:
    return f"{size.attendance:,} participants, {size.records:,} records".replace(",", " ")


def _figures(houses: Sequence[House], costs: dict[str, list[list[float]]], database: str) -> dict[str, Any]:
    return {
        "database": database,
        "sizes": [{"attendance": house.size.attendance, "records": house.size.records} for house in houses],
        "rowBytes": [house.row_bytes for house in houses],
        "roundsMs": {name: [[round(value, 4) for value in each] for each in spent] for name, spent in costs.items()},
        "medianMs": {name: [round(median(each), 4) for each in spent] for name, spent in costs.items()},
        "measuredOn": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main()
