"""What reads an invoice in the process of its own; see apart.py."""

from typing import Any

from .invoice import read_here
from .result import Known, Payer, Student, as_json


def answer(said: dict[str, Any], content: bytes) -> tuple[Any]:
    """Read an invoice: `said` holds what is known, the most pages, and the path of tesseract."""
    return (as_json(read_here(content, _known(said["known"]), said["pages"], said["tesseract"])),)


def _known(sent: dict[str, list[dict[str, Any]]]) -> Known:
    students = tuple(Student(**each | {"numbers": tuple(each["numbers"])}) for each in sent["students"])
    return Known(students, tuple(Payer(**each) for each in sent["payers"]), tuple(map(str, sent["sirets"])))
