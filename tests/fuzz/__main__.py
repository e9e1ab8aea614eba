"""Fuzz the codecs and the whole application: `python -m tests.fuzz`."""

import argparse
import faulthandler
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from . import guided, openapi
from .families import FAMILIES
from .figures import Figures
from .house import HANGS, Gone
from .target import opened

CASES = 200_000
_ROUND = 2000
_GROWTH = 16 * 2**20
"""Bytes by which the application may grow in the second half: until then caches fill, and each connection to SQLite
has its 2 MB of pages."""


def play(asked: argparse.Namespace) -> bool:
    """Play cases in rounds, each with a seed and an account of its own; return whether all promises were kept."""
    families = {name: family for name, family in FAMILIES.items() if asked.family in (None, name)}
    figures, began, number = Figures(), monotonic(), 0
    tenth = half = end = 0
    told = 0.0
    with opened() as target, _telling(figures):
        while figures.total < asked.cases and monotonic() - began < asked.seconds and not figures.enough:
            # Whatever hangs so long that no figure will ever tell it is told by where it hangs; longer than the house
            # has for an answer.
            faulthandler.dump_traceback_later(10 * HANGS, exit=True)
            accounts = {"drawn": target.account()}
            tolerant = target.account(tolerant=number % 2 == 1)
            for name, (play_family, share) in families.items():
                account = accounts.get(name, tolerant)
                play_family(target, figures, account, asked.seed + number, round(_ROUND * share))
            number += 1
            end = target.memory()
            if figures.total >= asked.cases // 10:
                tenth = tenth or end
            if figures.total >= asked.cases // 2:
                half = half or end
            if monotonic() - told > 30:
                told = monotonic()
                print(f"{figures.total} cases in {told - began:.0f} s, {end // 2**20} MiB", flush=True)
        faulthandler.cancel_dump_traceback_later()
    seconds = monotonic() - began
    print(f"\n{figures.table()}\n")
    print(f"{figures.total} cases in {seconds:.0f} s ({figures.total / seconds:.0f}/s), seeds from {asked.seed}")
    print(f"memory of the server: {tenth >> 20} MiB after a tenth, {half >> 20} after half, {end >> 20} at the end")
    if end > half + _GROWTH > _GROWTH:
        figures.fail("memory", f"grew by {(end - half) >> 20} MiB in the second half")
    print(f"promises broken: {len(figures.failures)}")
    return not figures.failures


@contextmanager
def _telling(figures: Figures) -> Iterator[None]:
    """End quietly when the application is gone: that is a promise broken, and the figures are worth a look."""
    try:
        yield
    except Gone as gone:
        figures.fail("application", str(gone))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help=f"how many at least (default {CASES})")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long at most")
    parser.add_argument("--seed", type=int, default=1, help="which cases: that of the first round (default 1)")
    parser.add_argument("--family", choices=FAMILIES, help="cases of one family only")
    parser.add_argument("--short", action="store_true", help="a minute and a half, some of everything")
    parser.add_argument(
        "--guided", type=float, metavar="SECONDS", help="look for new paths through the readers instead"
    )
    parser.add_argument("--openapi", type=int, metavar="EXAMPLES", help="requests from the OpenAPI document instead")
    return parser.parse_args()


def main() -> int:
    """Run what is asked for; return 1 if a promise was broken."""
    asked = _arguments()
    for name in ("", "spyne"):  # what libraries say of such messages is not asked for
        logging.getLogger(name).addHandler(logging.NullHandler())
    if asked.guided:
        return 0 if guided.run(asked.guided, asked.seed) else 1
    if asked.openapi:
        return 0 if openapi.run(asked.openapi, asked.seed) else 1
    if asked.short:
        asked.cases, asked.seconds = CASES, 40.0
        return 0 if all([play(asked), guided.run(20.0, asked.seed), openapi.run(5, asked.seed)]) else 1
    return 0 if play(asked) else 1


if __name__ == "__main__":
    sys.exit(main())
