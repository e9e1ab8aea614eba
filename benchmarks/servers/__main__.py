"""`python -m benchmarks.servers`: the product over HTTP beside what else an integrator could pick, in one run."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar

from .. import memory
from . import others, ours, report, workloads
from .measure import Pace, Peak, measure, peak, round_trips
from .running import Missing, Running

_Given = TypeVar("_Given")
#: Starts a server in an empty folder, for one `with` block. Raises Missing.
Start = Callable[[Path], AbstractContextManager[Running]]

SERVERS: dict[str, Start] = {
    "Paraphe": ours.on_sqlite,
    "Paraphe on PostgreSQL": ours.on_postgresql,
    "plain Spyne": others.plain_spyne,
    "floor": others.floor,
    "PHP": others.php,
    "Java": others.java,
    "node": others.node,
    "gSOAP": others.gsoap,
}
#: Those whose memory is measured, without what only lists and files need.
_PEAKS: dict[str, Start] = {**SERVERS, "Paraphe": ours.bare}
del _PEAKS["Paraphe on PostgreSQL"]
# A message of a hundred thousand students takes it half a minute.
_SLOW = "plain Spyne"
# Seconds of each workload before anything is measured: Java compiles what it has seen often.
_WARM = 0.6
# Seconds for all rounds with one caller; a third of that for those with eight.
_BUDGET = 400


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line says; the tables go to standard output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.servers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds at most, besides one to warm up (default 5)")
    parser.add_argument("--seconds", type=float, default=0.25, help="seconds of each measurement (default 0.25)")
    parser.add_argument(
        "--servers", nargs="+", choices=SERVERS, default=list(SERVERS), metavar="NAME", help="which ones"
    )
    parser.add_argument("--short", action="store_true", help="to try: one round of little, one caller, no memory")
    parser.add_argument("--full", action="store_true", help=f"also the memory of {_SLOW}, which takes minutes")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to a file")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="paraphe-servers-") as folder:
        result = run(asked.servers, Path(folder), asked.rounds, asked.seconds, short=asked.short, full=asked.full)
    result.minutes = (time.monotonic() - began) / 60
    if asked.json:
        asked.json.write_text(json.dumps(report.figures(result), indent=2) + "\n", encoding="utf-8")
    print("\n".join(report.written(result)))


def run(
    names: Sequence[str],
    folder: Path,
    rounds: int = 5,
    seconds: float = 0.25,
    *,
    short: bool = False,
    full: bool = False,
) -> report.Result:
    """Start servers in an empty folder and measure them. Those that are not installed are left out, and said."""
    result = report.Result()
    with ExitStack() as stack:
        servers: dict[str, Running] = {}
        for name in names:
            try:
                servers[name] = stack.enter_context(_started(SERVERS[name], folder / name.replace(" ", "-")))
            except Missing as missing:
                result.missing[name] = str(missing)
                _say(f"{name} is left out, because this is not installed: {missing}")
        if short:
            result.alone = measure(servers, workloads.one_caller((1, 100), 0), Pace(1, 0.1, 0.1, 120))
            return result
        result.alone = measure(servers, workloads.one_caller(), Pace(rounds, seconds, _WARM, _BUDGET))
        if "Paraphe" in servers:
            servers["Paraphe, two processes"] = stack.enter_context(_started(ours.two_processes, folder / "two"))
        result.together = measure(servers, workloads.eight_callers(), Pace(rounds, 4 * seconds, seconds, _BUDGET / 3))
    if "Paraphe on PostgreSQL" in servers:
        with _started(ours.behind_a_relay, folder / "relay") as (server, relay):
            result.round_trips = round_trips(server, relay, workloads.asked_of_postgresql())
    result.peaks = dict(_peaks([name for name in servers if name in _PEAKS and (full or name != _SLOW)], folder))
    if "Paraphe" in names:
        result.files = [memory.sent("SOAP, base64", megabytes, 2) for megabytes in (10, 50, 200)]
    return result


def _started(start: Callable[[Path], AbstractContextManager[_Given]], folder: Path) -> AbstractContextManager[_Given]:
    folder.mkdir()
    return start(folder)


def _peaks(names: Iterable[str], folder: Path) -> Iterable[tuple[str, Peak]]:
    large, small = workloads.hundred_thousand(), workloads.one_caller((), 0)[0]
    for name in names:
        _say(f"memory: {name}")
        with _started(_PEAKS[name], folder / f"memory-{name.replace(' ', '-')}") as server:
            yield name, peak(server, small, large)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
