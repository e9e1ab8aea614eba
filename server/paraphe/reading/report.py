"""A reading as the command `paraphe read-invoice` prints it, and the students that it may be given."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

from .result import THRESHOLD, Reading, Student, Trainee, Value

_NAMES = {
    "number": "invoice_number", "dossier": "file_number", "buyer": "payer_name", "seller_siret": "seller_siret",
    "date": "invoice_date", "period_start": "period_start", "period_end": "period_end", "quantity": "quantity",
    "unit": "unit", "total_ht": "amount_excl_vat", "total_tva": "vat_amount", "total_ttc": "amount_incl_vat",
}  # fmt: skip
_NEEDS_RECOGNITION = ("NO_TEXT_LAYER",)


def report(reading: Reading, threshold: int = THRESHOLD) -> dict[str, Any]:
    """Return a reading as one JSON value: the short names first, the evidence of every value below `read`."""
    status = "ok" if not reading.failure else "needs_ocr" if reading.failure in _NEEDS_RECOGNITION else "rejected"
    values = {short: _plain(reading.values[name].value) for short, name in _NAMES.items() if name in reading.values}
    return {
        "status": status,
        "reason": reading.failure,
        "needs_review": reading.needs_review(threshold),
        "kind": reading.kind.lower(),
        **values,
        "trainees": [_trainee(each) for each in reading.trainees],
        "warnings": [
            {"code": each.code, "field": each.field, "message": each.message, "hint": each.hint}
            for each in reading.warnings
        ],
        "read": {short: _evidence(reading.values[name]) for short, name in _NAMES.items() if name in reading.values},
    }


def _trainee(trainee: Trainee) -> dict[str, Any]:
    return {
        "last": trainee.last_name,
        "first": trainee.first_name,
        "printed": trainee.name.value,
        "reference": trainee.reference,
        "hours": _plain(trainee.quantity.value) if trainee.quantity else None,
        "contract": trainee.contract_number.value if trainee.contract_number else None,
        "read": _evidence(trainee.name),
    }


def _evidence(value: Value) -> dict[str, Any]:
    return {"confidence": value.confidence, "page": value.page, "snippet": value.snippet, "rule": value.rule}


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value if isinstance(value, str) else value.isoformat()


def students(text: str) -> tuple[Student, ...]:
    """Read students from JSON (a list of objects) or CSV with a head: reference, lastName, firstName, numbers.

    Raises ValueError, in words for who wrote the file.
    """
    text = text.lstrip("\ufeff")
    try:
        rows = json.loads(text) if text.lstrip().startswith("[") else list(_csv(text))
        return tuple(_student(row) for row in rows)
    except (json.JSONDecodeError, TypeError, KeyError, AttributeError, csv.Error) as error:
        raise ValueError(
            "a list of students has reference, lastName and firstName for each, as JSON or as CSV with a head"
        ) from error


def _csv(text: str) -> Any:
    head = text.split("\n", 1)[0]
    return csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head else ",")


def _student(row: dict[str, Any]) -> Student:
    numbers = row.get("numbers") or []
    numbers = numbers.split() if isinstance(numbers, str) else numbers
    return Student(str(row["reference"]), str(row["lastName"]), str(row["firstName"]), tuple(map(str, numbers)))
