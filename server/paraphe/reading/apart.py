"""Reading in a process of its own: whatever a PDF does to it, the server goes on."""

from dataclasses import asdict, dataclass

from .. import apart
from .result import Known, Reading, from_json


@dataclass(frozen=True, slots=True)
class Limits(apart.Limits):
    """What reading one file may take; pages besides."""

    seconds: float = 8.0
    processor_seconds: int = 7
    megabytes: int = 450
    pages: int = 300

    def of_process(self) -> apart.Limits:
        """Return what the system enforces."""
        return apart.Limits(self.seconds, self.processor_seconds, self.megabytes)


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
    said = {"known": asdict(known), "pages": limits.pages, "tesseract": tesseract}
    try:
        told, _ = apart.ask("paraphe.reading.inside", said, content, limits=limits.of_process())
        return from_json(told)
    except (apart.Stopped, apart.Unforeseen):
        reading = Reading(failure="PDF_TOO_COMPLEX")
        reading.warn("PDF_TOO_COMPLEX", _TOO_COMPLEX, _ENTER)
        return reading
