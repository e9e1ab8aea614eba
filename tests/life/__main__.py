"""Walk through an invoice's life, killing the server at each step; exit code 1 if a promise was broken."""

import argparse
import sys
import tempfile
import traceback
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from .steps import STEPS
from .walk import Databases, hold_complete, killed_at, made, postgresql


def main() -> int:
    """Walk on one database or on both, and tell of each step."""
    parser = argparse.ArgumentParser(prog="python -m tests.life", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help="a step by its name; all without")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only on this one")
    asked = parser.parse_args()
    failed = 0
    for kind in [asked.database] if asked.database else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(prefix="paraphe-life-") as folder, ExitStack() as open_ones:
            databases = (
                open_ones.enter_context(postgresql(Path(folder) / "server")) if kind == "postgresql" else Databases()
            )
            print(f"{kind}:", flush=True)
            failed += _walk(asked.steps or list(STEPS), Path(folder), databases)
    return 1 if failed else 0


def _walk(steps: list[str], folder: Path, databases: Databases) -> int:
    """Return at how many steps a promise was broken."""
    failed = 0
    house = made(folder / "house", databases)
    for number, step in enumerate(steps):
        began = monotonic()
        there = house.copy(folder / str(number))
        outcome = "complete, once"
        try:
            hold_complete(there, killed_at(there, step))
        except Exception:
            failed, outcome = failed + 1, "FAILED"
            traceback.print_exc()
            print((there.folder / "log").read_text()[-4000:])
        print(f"{step:55} {outcome:15} {monotonic() - began:5.1f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
