"""What an invoice says: whether that is enough, whether it agrees with itself, and how a record keeps it.

*Elements* are the contract's InvoicingElements as a dict; what is not known is not in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ..accounts import Account
from ..columns import Columns
from ..contract import Complex, complex_type
from ..errors import Code, Error, Refused
from ..store import contact, is_among, record, student

_TYPE = complex_type("InvoicingElements")
_NAMES = {field.key: field.name for field in _TYPE.fields}
#: The columns of a record that keep the elements, in the order of the contract.
COLUMNS = tuple(record.c[key] for key in _NAMES)
_REQUIRED = ("invoice_number", "invoice_date", "period_start", "period_end", "quantity", "unit", "trainees")
_DATES = ("invoice_date", "period_start", "period_end")
# What lies before is a default value that some program never set (0001-01-01 in .NET), never a day that is meant.
_FIRST_DAY = date(1900, 1, 1)

# What is refused -----------------------------------------------------------------------------------------------


def check_hints(elements: Mapping[str, Any]) -> None:
    """Refuse elements that cannot be, such as a period that ends before it starts; any part of them will do."""
    errors = list(_impossible(elements))
    if errors:
        raise Refused.of(errors)


def check_complete(elements: Mapping[str, Any]) -> None:
    """Refuse elements that cannot be, or that are not enough for an invoicing record; all errors at once."""
    errors = [*_missing(elements), *_impossible(elements)]
    if errors:
        raise Refused.of(errors)


def _missing(elements: Mapping[str, Any]) -> Iterator[Error]:
    for key in _REQUIRED:
        if elements.get(key) in (None, []):
            yield Error(Code.VALUE_REQUIRED, f"The invoice needs {_NAMES[key]}.", field=_NAMES[key])
    for index, trainee in enumerate(elements.get("trainees", ()), 1):
        if not trainee.keys() & {"reference", "last_name"}:
            message = f"Trainee {index} needs a reference, or at least a lastName."
            yield Error(Code.VALUE_REQUIRED, message, index=index, field="reference")


def _impossible(elements: Mapping[str, Any]) -> Iterator[Error]:
    for key in _DATES:
        day = elements.get(key)
        if day is not None and day < _FIRST_DAY:
            message = f"{_NAMES[key]} cannot be {day}."
            hint = "Leave the element out when there is no value."
            yield Error(Code.VALUE_OUT_OF_RANGE, message, field=_NAMES[key], hint=hint, value=str(day))
    start, end = elements.get("period_start"), elements.get("period_end")
    if start is not None and end is not None and end < start:
        yield Error(Code.VALUES_CONTRADICT, f"periodEnd ({end}) is before periodStart ({start}).", field="periodEnd")


# What is only noticed ------------------------------------------------------------------------------------------


def warnings_about(connection: Connection, account: Account, elements: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a person should look at: sums that do not fit, people that the account does not know.

    At most two statements, whatever the number of trainees.
    """
    return [
        *_wrong_sums(elements),
        *_unknown_trainees(connection, account, elements),
        *_unknown_payer(connection, account, elements),
    ]


def warning(code: str, message: str, hint: str | None = None, *, field: str | None = None) -> dict[str, Any]:
    """Return one warning as the contract words it."""
    return {"code": code, "field": field, "message": message, "hint": hint}


def contradictions(elements: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what in the elements themselves cannot be right, as warnings."""
    orders = [warning("PERIOD_ORDER", each.message, field=each.field) for each in _impossible(elements)]
    return [*orders, *_wrong_sums(elements)]


def _wrong_sums(elements: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    amounts: list[Any] = [elements.get(key) for key in ("amount_excl_vat", "vat_amount", "amount_incl_vat")]
    if None not in amounts and amounts[0] + amounts[1] != amounts[2]:
        message = f"amountExclVat {amounts[0]} and vatAmount {amounts[1]} do not make amountInclVat {amounts[2]}."
        yield warning("SUM_MISMATCH", message, "Compare the amounts with the invoice.", field="amountInclVat")
    quantity, total = elements.get("quantity"), _quantity_of_trainees(elements)
    if None not in (quantity, total) and quantity != total:
        message = f"The trainees' quantities make {total}, the invoice says {quantity}."
        yield warning("SUM_MISMATCH", message, "Compare the quantities with the invoice.", field="quantity")


def _quantity_of_trainees(elements: Mapping[str, Any]) -> Decimal | None:
    """Add up the trainees' quantities in the invoice's unit; None if one is missing or none is in that unit."""
    unit, trainees = elements.get("unit"), elements.get("trainees", ())
    quantities = [trainee.get("quantity") for trainee in trainees if trainee.get("unit", unit) == unit]
    return sum(quantities, Decimal()) if quantities and None not in quantities else None


def _unknown_trainees(
    connection: Connection, account: Account, elements: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    trainees = elements.get("trainees", ())
    named = [(index, trainee["reference"]) for index, trainee in enumerate(trainees, 1) if "reference" in trainee]
    if not named:
        return
    references = sorted({reference for _, reference in named})
    ours = student.c.account_id == account.id
    among = is_among(connection, student.c.reference, references)
    known = set(connection.scalars(select(student.c.reference).where(ours, among)))
    for index, reference in named:
        if reference not in known:
            message = f"Trainee {index}: no student has the reference {reference}."
            hint = "Correct the reference, or send the student with SyncStudents."
            yield warning("UNKNOWN_TRAINEE", message, hint, field=f"trainees[{index}].reference")


def _unknown_payer(connection: Connection, account: Account, elements: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    reference = elements.get("payer_reference")
    if reference is None:
        return
    ours = contact.c.account_id == account.id
    if connection.scalar(select(contact.c.id).where(ours, contact.c.reference == reference)) is None:
        message = f"No contact has the reference {reference}."
        hint = "Correct the reference, or send the contact with SyncContacts."
        yield warning("UNKNOWN_PAYER", message, hint, field="payerReference")


# How a record keeps it -----------------------------------------------------------------------------------------


def columns_of(elements: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every column of COLUMNS by its name."""
    values = {key: elements.get(key) for key in _NAMES}
    trainees = elements.get("trainees")
    values["trainees"] = json.dumps(trainees, default=_text, ensure_ascii=False) if trainees else None
    return values


def said(values: Sequence[Any]) -> dict[str, Any]:
    """Return the elements from the values of COLUMNS."""
    elements = {key: value for key, value in zip(_NAMES, values, strict=True) if value is not None}
    if "trainees" in elements:
        elements["trainees"] = _TRAINEES.decode(elements["trainees"])
    return elements


def said_by_columns(columns: Columns) -> Columns:
    """Return the elements of many records from COLUMNS."""
    # All in one go: to read each by itself takes three times as long.
    together = orjson.loads(f"[{','.join([texts or 'null' for texts in columns['trainees']])}]")
    trainees = [each and list(map(_with_decimals, each)) for each in together]
    return {key: columns[key] for key in _NAMES} | {"trainees": trainees}


def _text(value: Decimal | date) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else value.isoformat()


_decimal = lru_cache(4096)(Decimal)


def _with_decimals(trainee: dict[str, Any]) -> dict[str, Any]:
    for key in ("quantity", "amount_excl_vat"):
        if key in trainee:
            trainee[key] = _decimal(trainee[key])
    return trainee


_TRAINEES = json.JSONDecoder(object_hook=_with_decimals)


def as_published(elements: Mapping[str, Any], kind: Complex = _TYPE) -> dict[str, Any]:
    """Return elements under the contract's own names, ready for JSON: decimals and dates are texts."""
    return {field.name: _published(elements[field.key], field.type) for field in kind.fields if field.key in elements}


def _published(value: Any, kind: Any) -> Any:
    if isinstance(value, list):
        return [as_published(item, kind.item.type) for item in value]
    return _text(value) if isinstance(value, Decimal | date) else value
