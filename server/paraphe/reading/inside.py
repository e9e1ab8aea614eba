"""What reads an invoice in the process of its own; see apart.py."""

import os
import socket
from collections.abc import Sequence
from typing import Any

from .apart import hear, say
from .invoice import read_here
from .result import Known, Payer, Student, as_json


def answer(said: dict[str, Any], content: bytes, asking: int) -> tuple[Any]:
    """Read an invoice: `said` holds the most pages and tesseract's path; through `asking` it learns who is known."""
    if said["tesseract"]:
        os.nice(10)  # nobody waits for it

    def look(words: Sequence[str]) -> Known:
        with socket.socket(fileno=asking) as talk:
            say(talk, words)
            return _known(hear(talk))

    return (as_json(read_here(content, look, said["pages"], said["tesseract"])),)


def _known(sent: dict[str, Any]) -> Known:
    students = tuple(Student(**each | {"numbers": tuple(each["numbers"])}) for each in sent["students"])
    return Known(students, tuple(Payer(**each) for each in sent["payers"]), tuple(sent["sirets"]), sent["more"])
