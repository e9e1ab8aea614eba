"""An invoice arrives: stored, and a record opened. Reading it is another room's work."""

from collections.abc import Mapping
from typing import Any

from ..context import Context
from ..documents.bundle import is_pdf
from ..spool import Content
from . import elements, filing


def send_invoice(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Store an invoice and open a record with what the caller knows of it.

    The file is archived before anything else is done with it, also if it is no PDF. The record waits for a review.
    """
    hints = request.get("hints", {})
    elements.check_hints(hints)
    file = filing.keep(context, request, "INVOICE")
    number, document_id = filing.create(context, hints, "NEEDS_REVIEW", file)
    return {
        "record_number": number,
        "status": "NEEDS_REVIEW",
        "document_id": document_id,
        "read_values": [],
        "warnings": [*_about_the_file(request["content"]), *elements.warnings_about(context, hints)],
    }


def _about_the_file(content: Content) -> list[dict[str, Any]]:
    enter = "Let a person enter the elements of the invoice with ReviewRecord."
    if not is_pdf(content):
        return [elements.warning("NOT_A_PDF", "The invoice is not a PDF; it was stored as it is.", enter)]
    return [elements.warning("NOT_ANALYSED", "The invoice was stored, but nothing was read from it.", enter)]


def send_invoicing_info(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Open a record from the elements of an invoice, without a document."""
    said = request["invoice"]
    elements.check_complete(said)
    number, _ = filing.create(context, said, "READY")
    return {"record_number": number, "status": "READY", "warnings": elements.warnings_about(context, said)}
