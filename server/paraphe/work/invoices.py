"""An invoice arrives: stored, read, held against the signatures, and a record opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ..accounts import Account
from ..context import Ahead, Context
from ..store import reading
from . import analysis, asking, elements, filing, jobs, presence
from .analysis import Analysis
from .filing import Event, File
from .known import looking


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
    filing.check_room(len(request["content"]))
    file = filing.keep(ahead, request, "INVOICE")
    read = analysis.read(request["content"], looking(ahead.engine, ahead.account))
    found = analysis.analyse(read, hints, ahead.account.threshold)
    with reading(ahead.engine) as connection:
        more = warnings_about(connection, ahead.account, found.said)
    told = {(each["code"], each["field"]) for each in found.warnings}
    return Arrived(
        file, found, [*found.warnings, *(each for each in more if (each["code"], each["field"]) not in told)]
    )


def look_ahead(ahead: Ahead, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hold the elements of an invoice against what is known, before any transaction. Refused as elements can be.

    With a thousand trainees this takes a second, in which nobody else could write on SQLite.
    """
    elements.check_complete(request["invoice"])
    with reading(ahead.engine) as connection:
        return warnings_about(connection, ahead.account, request["invoice"])


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
    status = "NEEDS_REVIEW" if found.needs_review else asking.status_of(context.account)
    created = filing.create(context, found.said, status, arrived.file)
    filing.note(context, Event.READ, {created.record_id: None}, found.outcome())
    if not found.needs_review:
        asking.for_papers(context, created.record_id)
    elif found.failure == "NO_TEXT_LAYER":
        jobs.enqueue(context, jobs.Kind.RECOGNISE, created.record_id)
    if not context.account.prepares:  # with the papers it is sealed as well
        asking.for_sealed_copies(context, created.number)
    return {
        "record_number": created.number,
        "status": status,
        "document_id": created.document_id,
        "read_values": found.read_values,
        "warnings": arrived.warnings,
    }


def send_invoicing_info(context: Context, request: Mapping[str, Any], warnings: list[dict[str, Any]]) -> dict[str, Any]:
    """Open a record from the elements of an invoice, without a document; `warnings` are those of `look_ahead`."""
    status = asking.status_of(context.account)
    created = filing.create(context, request["invoice"], status)
    asking.for_papers(context, created.record_id)
    return {"record_number": created.number, "status": status, "warnings": warnings}
