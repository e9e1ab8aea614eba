"""Walk through an invoice's life, killing the server at each step; exit code 1 if a promise was broken."""

import sys
import tempfile
import traceback
from pathlib import Path
from time import monotonic

from .steps import STEPS
from .walk import hold_complete, killed_at, made


def main(asked: list[str]) -> int:
    """Walk, and tell of each step."""
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="paraphe-life-") as folder:
        house = made(Path(folder) / "house")
        for number, step in enumerate(asked or STEPS):
            began = monotonic()
            there = house.copy(Path(folder) / str(number))
            try:
                hold_complete(there, killed_at(there, step))
            except Exception:
                failed.append(step)
                traceback.print_exc()
                print((there.folder / "log").read_text()[-4000:])
            outcome = "FAILED" if step in failed else "complete, once"
            print(f"{step:55} {outcome:15} {monotonic() - began:5.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
