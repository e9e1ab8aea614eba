"""What a collection of invoices with the truth beside each says of the reader: how many are ready, how many wrong."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paraphe.reading import Known, Reading, Student
from paraphe.reading.folding import fold

_NEEDED = {
    "number": "invoice_number",
    "date": "invoice_date",
    "period_start": "period_start",
    "period_end": "period_end",
    "quantity": "quantity",
}


@dataclass(slots=True)
class Score:
    """`ready`: number, date, period, quantity and all trainees right; `silent`: not so, and nobody is asked to look."""

    files: int = 0
    ready: int = 0
    waiting: int = 0
    silent: list[str] = field(default_factory=list)
    not_ready: list[str] = field(default_factory=list)

    def add(self, name: str, truth: dict[str, Any], reading: Reading) -> None:
        """Count one file."""
        wrong = list(_wrong(truth, reading))
        self.files += 1
        self.ready += not wrong
        self.waiting += reading.needs_review()
        if wrong:
            self.not_ready.append(f"{name}: {', '.join(wrong)}")
            if not reading.needs_review():
                self.silent.append(name)


def _wrong(truth: dict[str, Any], reading: Reading) -> Iterator[str]:
    for name, ours in _NEEDED.items():
        read = reading.values.get(ours)
        if read is None or not _is_same(truth[name], read.value):
            yield name
    people = sorted(_words(f"{each.last_name} {each.first_name}") for each in reading.trainees)
    if people != sorted(_words(f"{each['last']} {each['first']}") for each in truth["trainees"]):
        yield "trainees"


def _is_same(true: Any, read: Any) -> bool:
    if isinstance(true, int | float):
        return abs(abs(float(read)) - abs(true)) < 0.0051
    return re.sub(r"\W", "", fold(str(true))) == re.sub(r"\W", "", fold(str(read)))


def _words(text: str) -> list[str]:
    return sorted(re.findall(r"[^\W_]+", fold(text)))


def truths(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give every PDF of a folder whose text is enough to read it, with its truth."""
    for path in sorted(folder.glob("*.json")):
        truth = json.loads(path.read_text("utf-8"))
        if isinstance(truth, dict) and truth.get("expect") == "extract":
            yield path.with_suffix(".pdf"), truth


def students(folder: Path) -> Known:
    """Return all trainees of a folder as one account's students."""
    names = {(each["last"], each["first"]) for _, truth in truths(folder) for each in truth["trainees"]}
    return Known(tuple(Student(f"S{n}", last, first) for n, (last, first) in enumerate(sorted(names))))
