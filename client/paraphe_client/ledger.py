"""How far an upload has come: a small state file beside the file, and the report of rejected items.

The order is what makes it safe to kill: the exchange's answer, then the rows of the report, then the state. What the
state does not confirm is cut from the report and sent again, with the same messageId, at the next start.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from . import durable, sheets
from .answers import SyncAnswer
from .errors import ItemError

COLUMNS = ("index", "reference", "field", "code", "message", "hint")
_COUNTS = ("created", "updated", "unchanged", "removed", "rejected")
_STORED = ("upload", "run", "items", "parts", "repeated", "counts", "report_bytes")


@dataclass
class Ledger:
    """The account of one upload. `state` None keeps none (a dry run); `report` None writes none."""

    upload: str
    state: Path | None
    report: Path | None
    run: str = field(default_factory=lambda: uuid4().hex)
    items: int = 0
    parts: int = 0
    repeated: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    report_bytes: int = 0

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Go on from the state file if it is about this very upload, else begin anew; forget it at a good end.

        Raises durable.Busy if another process holds it, and durable.NotOurs if it is something else.
        """
        if self.state is None:
            self._begin()
            yield
            return
        with durable.locked(self.state):
            self._begin()
            yield
            durable.remove(self.state)

    def _begin(self) -> None:
        stored = durable.load(self.state, *_STORED) if self.state else None
        if stored is not None and stored["upload"] == self.upload:
            for name in _STORED:
                setattr(self, name, stored[name])
        if self.report:
            if self.report_bytes and durable.size(self.report) >= self.report_bytes:
                durable.cut(self.report, self.report_bytes)
            else:
                durable.write(self.report, sheets.head(COLUMNS))
                self.report_bytes = durable.size(self.report)
        self._save()

    def message_id(self) -> str:
        """Return the messageId of the next part: the same again after a kill, another one in another run.

        Not of the file alone: who sends Monday's file again on Wednesday, after Tuesday's, wants it done, and not
        Monday's answer.
        """
        digest = hashlib.sha256(f"{self.upload} {self.run}".encode()).hexdigest()
        return f"{digest[:40]}-{self.parts + 1}"

    def confirm(self, items: int, answer: SyncAnswer, errors: Iterable[ItemError]) -> None:
        """Take the next part as stored; `errors` are its rejected items, with their place in the file."""
        self.note(errors)
        self.items += items
        self.parts += 1
        self.repeated += answer.duplicate
        for name in _COUNTS:
            self.counts[name] += getattr(answer, name)
        self._save()

    def note(self, errors: Iterable[ItemError]) -> None:
        """Add rows to the report; without confirm() the next start takes them off again."""
        rows = b"".join(sheets.line([getattr(error, name) for name in COLUMNS]) for error in errors)
        if rows and self.report:
            self.report_bytes = durable.append(self.report, rows)

    def _save(self) -> None:
        if self.state:
            durable.save(self.state, {name: getattr(self, name) for name in _STORED})


def upload_digest(*parts: object) -> str:
    """Return what tells one upload from another: the file's digest and every option that changes a message."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
