"""The other process: reads one invoice within limits, from standard input to standard output; see apart.py."""

import json
import os
import resource
import sys

from .apart import Limits
from .result import Known, Payer, Reading, Student, as_json

_TOO_COMPLEX = "Reading the PDF took more memory than an invoice can need; it was stopped."


def _confine(limits: Limits) -> None:
    """Give up what reading does not need; it cannot be taken back."""
    memory = limits.megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_seconds, limits.processor_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _known(sent: dict[str, list[dict[str, object]]]) -> Known:
    students = tuple(Student(**each | {"numbers": tuple(each["numbers"])}) for each in sent["students"])  # type: ignore[arg-type]
    return Known(students, tuple(Payer(**each) for each in sent["payers"]), tuple(map(str, sent["sirets"])))  # type: ignore[arg-type]


def _main() -> None:
    stream = sys.stdin.buffer
    head = json.loads(stream.read(int.from_bytes(stream.read(8), "big")))
    limits = Limits(**head["limits"])
    _confine(limits)
    from .invoice import read_here  # only now, within the limits

    try:
        reading = read_here(stream.read(), _known(head["known"]), limits.pages, head["tesseract"])
    except (MemoryError, RecursionError):
        reading = Reading(failure="PDF_TOO_COMPLEX")
        reading.warn(
            "PDF_TOO_COMPLEX", _TOO_COMPLEX, "Let a person enter the elements of the invoice with ReviewRecord."
        )
    sys.stdout.write(json.dumps(as_json(reading)))
    sys.stdout.flush()
    os._exit(0)  # nothing to tidy up; freeing a large document object by object takes longer than reading it


if __name__ == "__main__":
    _main()
