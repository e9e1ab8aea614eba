"""An invoice arrives: stored, read, and a record opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..context import Ahead, Context
from ..reading import Reading
from ..store import reading
from . import analysis, elements, filing, jobs
from .filing import Event, File


@dataclass(frozen=True, slots=True)
class Arrived:
    """An invoice that is in the archive, and what was read from it."""

    file: File
    read: Reading


def read_ahead(ahead: Ahead, request: Mapping[str, Any]) -> Arrived:
    """Store the file of an invoice, then read it, before any transaction: both take long.

    Refused for what cannot be taken. A file that cannot be read is kept as well.
    """
    elements.check_hints(request.get("hints", {}))
    file = filing.keep(ahead, request, "INVOICE")
    with reading(ahead.engine) as connection:
        known = analysis.known_to(connection, ahead.account)
    return Arrived(file, analysis.read(request["content"], known))


def send_invoice(context: Context, request: Mapping[str, Any], arrived: Arrived) -> dict[str, Any]:
    """Open a record with what was read from an invoice and what the caller says of it.

    It waits for a review unless all that is needed is sure enough for this account. An invoice without text is
    recognised afterwards.
    """
    found = analysis.analyse(arrived.read, request.get("hints", {}), context.account.threshold)
    status = "NEEDS_REVIEW" if found.needs_review else "READY"
    created = filing.create(context, found.said, status, arrived.file)
    filing.note(context, Event.READ, {created.record_id: None}, found.outcome())
    if found.needs_review and found.failure == "NO_TEXT_LAYER":
        jobs.enqueue(context, jobs.Kind.RECOGNISE, created.record_id)
    return {
        "record_number": created.number,
        "status": status,
        "document_id": created.document_id,
        "read_values": found.read_values,
        "warnings": [*found.warnings, *_new(elements.warnings_about(context, found.said), found.warnings)],
    }


def _new(warnings: list[dict[str, Any]], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the warnings that were not told already of the same element."""
    known = {(each["code"], each["field"]) for each in told}
    return [each for each in warnings if (each["code"], each["field"]) not in known]


def send_invoicing_info(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Open a record from the elements of an invoice, without a document."""
    said = request["invoice"]
    elements.check_complete(said)
    number = filing.create(context, said, "READY").number
    return {"record_number": number, "status": "READY", "warnings": elements.warnings_about(context, said)}
