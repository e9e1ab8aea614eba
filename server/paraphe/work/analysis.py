"""What an invoice's PDF says, held against what its caller says of it.

What the caller says wins: a *hint* is taken as certain, and a difference is told. Of what was read, the record takes
only what is sure enough for the account; all the rest is in the answer and in the record's history, with what makes it
believable, for the person who has to look at it.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from .. import reading
from ..contract import Complex, Simple, complex_type
from ..documents.bundle import is_pdf
from ..errors import Code, Error, Refused
from ..reading import NEEDED, THRESHOLD, Look, Notice, Reading, Trainee, Value
from ..spool import Content
from . import elements

_TYPE = complex_type("InvoicingElements")
_FIELDS = {field.key: field for field in _TYPE.fields}
_LONGEST_SNIPPET = 200
_MOST_BYTES = 25_000_000  # it is in memory while it is read
_ALL_NEEDED = (*NEEDED, "trainees")
# Reading is work for a processor and limited by the clock: more at once than there are would make all of them late.
_READERS = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
# Apart from those, because recognition takes up to 90 s and nobody waits for it.
_RECOGNISERS = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) // 2))
_PATIENCE = 10.0  # seconds that a caller waits for others to be read

# Reading -------------------------------------------------------------------------------------------------------


def read(content: Content, look: Look, *, tesseract: str | None = None) -> Reading:
    """Read an invoice in a process apart. Refused, SERVER_BUSY, when too many others are being read for too long.

    With `tesseract` (the program's path) text is recognised, with a patience and in places of its own.
    """
    if not is_pdf(content):
        nothing = Reading(failure="NOT_A_PDF")
        nothing.warn("NOT_A_PDF", "The invoice is not a PDF; it was stored as it is.", _ENTER)
        return nothing
    if len(content) > _MOST_BYTES:
        nothing = Reading(failure="PDF_TOO_COMPLEX")
        nothing.warn("PDF_TOO_COMPLEX", f"Invoices of more than {_MOST_BYTES} bytes are not read.", _ENTER)
        return nothing
    places = _READERS if tesseract is None else _RECOGNISERS
    if not places.acquire(timeout=_PATIENCE if tesseract is None else None):
        message = "The server reads as many invoices as it can at once; nothing of the message was stored."
        raise Refused(Error(Code.SERVER_BUSY, message, hint="Send it again in a few seconds."))
    try:
        return reading.read(bytes(content), look, tesseract=tesseract)
    finally:
        places.release()


_ENTER = "Let a person enter the elements of the invoice with ReviewRecord."

# What it means for the record ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a record takes from an invoice: its elements, what was read, and what a person should look at."""

    said: dict[str, Any]
    read_values: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    needs_review: bool
    failure: str | None

    def outcome(self) -> dict[str, Any]:
        """Return it as the record's history keeps it."""
        values = [each | {"confidence": float(each["confidence"])} for each in self.read_values]
        return {"failure": self.failure, "readValues": values, "warnings": self.warnings}


def analyse(read: Reading, hints: Mapping[str, Any], threshold: int | None) -> Analysis:
    """Bring together what was read and what the caller says, for an account with this threshold."""
    least = THRESHOLD if threshold is None else threshold
    misfits = list(_misfits(read))
    taken = _taken(read, least)
    said = {**taken, **hints}
    warnings = [*(_told(each) for each in read.warnings), *misfits, *_differences(taken, hints)]
    if any(said.get(name) in (None, []) for name in _ALL_NEEDED):
        needs_review = True
    elif all(name in hints for name in _ALL_NEEDED):
        needs_review = read.failure not in (None, "NO_TEXT_LAYER", "NO_INVOICE")
    else:
        contradictions = [each for each in elements.contradictions(said) if not _is_told(each, warnings)]
        warnings += contradictions
        doubts = [each for each in read.warnings if each.review and not _is_settled(each, hints)]
        needs_review = bool(read.failure or misfits or doubts or contradictions)
    return Analysis(said, list(_read_values(read)), warnings, needs_review, read.failure)


def _is_told(warning: Mapping[str, Any], warnings: Sequence[Mapping[str, Any]]) -> bool:
    return any((each["code"], each["field"]) == (warning["code"], warning["field"]) for each in warnings)


def _taken(read: Reading, least: int) -> dict[str, Any]:
    """Return as elements what was read surely enough; of the trainees all, or none."""
    sure = {name: value.value for name, value in read.values.items() if value.confidence >= least}
    if read.trainees and all(each.name.confidence >= least for each in read.trainees):
        sure["trainees"] = [dict(_trainee(each, least)) for each in read.trainees]
    return sure


def _trainee(each: Trainee, least: int) -> Iterator[tuple[str, Any]]:
    if each.reference:
        yield "reference", each.reference
    yield "last_name", each.last_name
    yield "first_name", each.first_name
    for name, value in _more(each):
        if value.confidence >= least:
            yield name, value.value


def _more(each: Trainee) -> Iterator[tuple[str, Value]]:
    for name in ("quantity", "contract_number", "file_number", "amount_excl_vat"):
        value: Value | None = getattr(each, name)
        if value is not None:
            yield name, value


def _is_settled(notice: Notice, hints: Mapping[str, Any]) -> bool:
    """Say whether the caller has said what a warning doubts."""
    if notice.field is None:
        return False
    name = notice.field.partition("[")[0]
    return any(_FIELDS[key].name == name for key in hints if key in _FIELDS)


def _differences(taken: Mapping[str, Any], hints: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Tell where the caller says one thing and the page, surely, another."""
    for key, hint in hints.items():
        if key in taken and key != "trainees" and taken[key] != hint:
            field = _FIELDS[key].name
            message = (
                f"{field} is {_text(taken[key])} on the page and {_text(hint)} in the message; the message counts."
            )
            yield elements.warning("HINT_DIFFERS", message, "Compare with the invoice.", field=field)
    if "trainees" in hints and "trainees" in taken and len(hints["trainees"]) != len(taken["trainees"]):
        message = f"The page names {len(taken['trainees'])} trainees, the message {len(hints['trainees'])}; it counts."
        yield elements.warning("HINT_DIFFERS", message, "Compare with the invoice.", field="trainees")


def _told(notice: Notice) -> dict[str, Any]:
    return elements.warning(notice.code, notice.message, notice.hint, field=notice.field)


# What the contract has no room for -----------------------------------------------------------------------------


def _misfits(read: Reading) -> Iterator[dict[str, Any]]:
    """Take out of a reading, and tell, what no element of the contract can hold: it was misread."""
    for name in [name for name, value in read.values.items() if not _fits(_FIELDS[name].type, value.value)]:
        yield _misfit(_FIELDS[name].name)
        del read.values[name]
    types = {field.key: field.type for field in complex_type("InvoicedTrainee").fields}
    for index, each in enumerate(read.trainees, 1):
        for name, value in list(_more(each)):
            if not _fits(types[name], value.value):
                yield _misfit(f"trainees[{index}].{name}")
                setattr(each, name, None)
        each.last_name, each.first_name = each.last_name[:100], each.first_name[:100]


def _fits(kind: Simple | Complex, value: Any) -> bool:
    text = _text(value)
    return bool(text) and isinstance(kind, Simple) and kind.takes(text)


def _misfit(field: str) -> dict[str, Any]:
    message = f"{field} was read, but is no value that it can have."
    return elements.warning("VALUE_UNFIT", message, "Compare with the invoice.", field=field)


# Evidence ------------------------------------------------------------------------------------------------------


def _read_values(read: Reading) -> Iterator[dict[str, Any]]:
    for key, field in _FIELDS.items():
        if key in read.values:
            yield _evidence(field.name, read.values[key], read.values[key].value)
    for index, each in enumerate(read.trainees, 1):
        place = f"trainees[{index}]"
        if each.reference:
            yield _evidence(f"{place}.reference", each.name, each.reference)
        yield _evidence(f"{place}.lastName", each.name, each.last_name)
        yield _evidence(f"{place}.firstName", each.name, each.first_name)
        for name, value in _more(each):
            yield _evidence(f"{place}.{_FIELDS[name].name}", value, value.value)


def _evidence(field: str, value: Value, said: Any) -> dict[str, Any]:
    return {
        "field": field,
        "value": _text(said),
        "confidence": (Decimal(value.confidence) / 100).quantize(Decimal("0.01")),
        "page": value.page,
        "snippet": value.snippet[:_LONGEST_SNIPPET],
        "rule": value.rule,
    }


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)
