"""An invoice arrives: stored, read, held against the signatures, and a record opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ..accounts import Account
from ..context import Ahead, Context
from ..store import reading
from . import analysis, elements, filing, jobs, preparing, presence, sealing
from .analysis import Analysis
from .filing import Event, File


@dataclass(frozen=True, slots=True)
class Arrived:
    """An invoice that is in the archive, what its record takes from it, and all that a person should look at."""

    file: File
    found: Analysis
    warnings: list[dict[str, Any]]


def read_ahead(ahead: Ahead, request: Mapping[str, Any]) -> Arrived:
    """Store the file of an invoice, then read it and look for its signatures, before any transaction.

    Refused for what cannot be taken. A file that cannot be read is kept as well.
    """
    hints = request.get("hints", {})
    elements.check_hints(hints)
    file = filing.keep(ahead, request, "INVOICE")
    with reading(ahead.engine) as connection:
        known = analysis.known_to(connection, ahead.account)
    found = analysis.analyse(analysis.read(request["content"], known), hints, ahead.account.threshold)
    with reading(ahead.engine) as connection:
        more = warnings_about(connection, ahead.account, found.said)
    told = {(each["code"], each["field"]) for each in found.warnings}
    return Arrived(
        file, found, [*found.warnings, *(each for each in more if (each["code"], each["field"]) not in told)]
    )


def warnings_about(connection: Connection, account: Account, said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what in the elements of an invoice does not fit: among each other, to what is known, to the signatures."""
    return [
        *elements.warnings_about(connection, account, said),
        *presence.warnings_about(connection, account, said),
    ]


def send_invoice(context: Context, request: Mapping[str, Any], arrived: Arrived) -> dict[str, Any]:
    """Open a record with what was read from an invoice and what the caller says of it.

    It waits for a review unless all that is needed is sure enough for this account. An invoice without text is
    recognised afterwards.
    """
    found = arrived.found
    status = "NEEDS_REVIEW" if found.needs_review else preparing.status_of(context.account)
    created = filing.create(context, found.said, status, arrived.file)
    filing.note(context, Event.READ, {created.record_id: None}, found.outcome())
    if not found.needs_review:
        preparing.ask(context, created.record_id)
    elif found.failure == "NO_TEXT_LAYER":
        jobs.enqueue(context, jobs.Kind.RECOGNISE, created.record_id)
    if not context.account.prepares:  # with the papers it is sealed as well
        sealing.ask(context, created.number)
    return {
        "record_number": created.number,
        "status": status,
        "document_id": created.document_id,
        "read_values": found.read_values,
        "warnings": arrived.warnings,
    }


def send_invoicing_info(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Open a record from the elements of an invoice, without a document."""
    said = request["invoice"]
    elements.check_complete(said)
    status = preparing.status_of(context.account)
    created = filing.create(context, said, status)
    preparing.ask(context, created.record_id)
    warnings = warnings_about(context.connection, context.account, said)
    return {"record_number": created.number, "status": status, "warnings": warnings}
