"""What the command shows: results on the standard output, everything else on the standard error."""

import json
import sys
import time
from dataclasses import replace
from typing import Any

from .answers import RecordAnswer
from .codec import plain
from .errors import ExchangeError, ExchangeRefused

_WIDTH = 30


def tell(text: str) -> None:
    """Say something on the standard error."""
    print(text, file=sys.stderr, flush=True)


def show(result: Any, as_json: bool) -> None:
    """Print a result: as JSON with the contract's names, or as lines for a person."""
    if isinstance(result, RecordAnswer):
        result = replace(result, content=None)  # bytes are for a file
    members = plain(result)
    if as_json:
        print(json.dumps(members, ensure_ascii=False, indent=2))
        return
    for name, value in members.items():
        if value in ([], {}):
            continue
        if isinstance(value, list):
            print(f"{name}: {len(value)}")
            for item in value:
                print("  " + (item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)))
        elif isinstance(value, dict):
            print(f"{name}: {json.dumps(value, ensure_ascii=False)}")
        else:
            print(f"{name}: {value}")


def show_error(error: ExchangeError, as_json: bool) -> None:
    """Say what went wrong; with JSON also on the standard output, as an answer would be."""
    tell(f"paraphe-client: {error}")
    errors = error.errors if isinstance(error, ExchangeRefused) else ()
    for item in errors:
        place = " ".join(
            f"{name} {value}"
            for name, value in (("item", item.index), ("reference", item.reference), ("field", item.field))
            if value is not None
        )
        head = f"{item.code} {place}".rstrip()
        tell(f"  {head}: {item.message} {item.hint or ''}".rstrip())
    if as_json and isinstance(error, ExchangeRefused):
        answer = {
            "returnCode": error.return_code,
            "message": error.message,
            "requestId": error.request_id,
            "errors": plain(errors),
        }
        print(json.dumps(answer, ensure_ascii=False, indent=2))


class Bar:
    """The progress of an upload: a bar that is redrawn on a terminal, a line at each step elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._start: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` items are stored."""
        now = time.monotonic()
        start, before = self._start = self._start or (now, done)
        rate = f"{(done - before) / (now - start):.0f}/s" if done > before and now > start else ""
        if sys.stderr.isatty():
            full = _WIDTH * done // total
            bar = "#" * full + "." * (_WIDTH - full)
            text = f"\r{self._name} [{bar}] {done}/{total} {rate:<10}"
            print(text, end="\n" if done == total else "", file=sys.stderr, flush=True)
        else:
            tell(f"{self._name}: {done} of {total} {rate}".rstrip())
