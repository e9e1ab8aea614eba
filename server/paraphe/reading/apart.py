"""Reading in a process of its own: whatever a PDF does to it, the server goes on.

A fresh interpreter for each file (measured: 0.15 s of processor time to start) with limits that the system enforces.
It gets the bytes and what is known on its standard input, and answers with one JSON value; it opens no file of its
own making, and knows neither database nor settings.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from .result import Known, Reading, from_json


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take: seconds by the clock, seconds of processor, megabytes, pages."""

    seconds: float = 8.0
    processor_seconds: int = 7
    megabytes: int = 500
    pages: int = 300


DEFAULT = Limits()
#: What recognising the text of a picture may take.
RECOGNITION = Limits(seconds=90.0, processor_seconds=60, pages=20)
_ENTER = "Let a person enter the elements of the invoice with ReviewRecord."
_TOO_COMPLEX = "Reading the PDF took more time or memory than an invoice can need; it was stopped."


def read(
    content: bytes, known: Known | None = None, limits: Limits = DEFAULT, *, tesseract: str | None = None
) -> Reading:
    """Read an invoice in a process of its own. Never raises for what is in the file.

    With `tesseract` (the path of that program) an invoice without any text is recognised, within
    RECOGNITION instead of `limits`: seconds a page, so nothing for a call that somebody waits for.
    """
    reading = _read(content, known or Known(), limits, None)
    if tesseract and reading.failure == "NO_TEXT_LAYER":
        return _read(content, known or Known(), RECOGNITION, tesseract)
    return reading


def _read(content: bytes, known: Known, limits: Limits, tesseract: str | None) -> Reading:
    head = json.dumps({"known": asdict(known), "limits": asdict(limits), "tesseract": tesseract}).encode()
    command = [sys.executable, "-P", "-s", "-m", __package__]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command,
            input=len(head).to_bytes(8, "big") + head + content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limits.seconds,
            env=_environment(),
            check=False,
        )
        return from_json(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        reading = Reading(failure="PDF_TOO_COMPLEX")
        reading.warn("PDF_TOO_COMPLEX", _TOO_COMPLEX, _ENTER)
        return reading


def _environment() -> dict[str, str]:
    """Return the little that an interpreter needs: settings and secrets of the server are not its business."""
    kept = {
        name: value
        for name in ("PATH", "LANG", "LC_ALL", "TESSDATA_PREFIX", "LD_LIBRARY_PATH")
        if (value := os.environ.get(name))
    }
    ours = str(Path(__file__).resolve().parents[2])
    return kept | {
        "PYTHONPATH": os.pathsep.join([ours, *filter(None, sys.path)]),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
