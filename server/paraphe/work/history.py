"""What became of a record: where it stands, and who did what to it when."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from ..accounts import Account
from ..errors import Refused
from ..store import document, job, record, record_event
from . import elements
from .filing import unknown_record


def of_record(connection: Connection, account: Account, number: str) -> dict[str, Any]:
    """Return all that is known of a record under names for JSON, the oldest first. Refused, UNKNOWN_RECORD."""
    mine = (record.c.account_id == account.id) & (record.c.record_number == number)
    head = "id", "status", "version", "created_on", "modified_on", "extracted_on"
    columns = [record.c[name] for name in head]
    row = connection.execute(select(*columns, *elements.COLUMNS).where(mine)).one_or_none()
    if row is None:
        raise Refused(unknown_record(number))
    record_id, status, version, created_on, modified_on, extracted_on, *said = tuple(row)
    return {
        "recordNumber": number,
        "status": status,
        "version": version,
        "createdOn": created_on.isoformat(),
        "modifiedOn": modified_on.isoformat(),
        "extractedOn": extracted_on and extracted_on.isoformat(),
        "invoice": elements.as_published(elements.said(said)),
        "documents": _documents(connection, record_id),
        "history": _events(connection, record_id),
        "jobs": _jobs(connection, record_id),
    }


def _documents(connection: Connection, record_id: int) -> list[dict[str, Any]]:
    names = {"document_id": "documentId", "document_type": "documentType", "title": "title", "file_name": "fileName"}
    more = {"sha256": "sha256", "size_bytes": "sizeBytes", "seal_level": "sealLevel", "seal_lack": "sealLack"}
    more |= {"replaced_in": "replacedIn", "whole_of": "wholeOf"}
    columns = names | more
    found = select(*(document.c[name] for name in columns)).where(document.c.record_id == record_id)
    return [dict(zip(columns.values(), row, strict=True)) for row in connection.execute(found.order_by(document.c.id))]


def _events(connection: Connection, record_id: int) -> list[dict[str, Any]]:
    names = "happened_on", "event", "actor", "request_id", "before", "outcome"
    found = select(*(record_event.c[name] for name in names)).where(record_event.c.record_id == record_id)
    return [_event(row._mapping) for row in connection.execute(found.order_by(record_event.c.id))]


def _event(row: Mapping[Any, Any]) -> dict[str, Any]:
    told = {
        "on": row["happened_on"].isoformat(),
        "event": row["event"],
        "by": row["actor"],
        "requestId": row["request_id"],
    }
    return told | {name: json.loads(row[name]) for name in ("before", "outcome") if row[name] is not None}


def _jobs(connection: Connection, record_id: int) -> list[dict[str, Any]]:
    columns = job.c.id, job.c.kind, job.c.tries, job.c.reason, job.c.failed_on
    found = connection.execute(select(*columns).where(job.c.record_id == record_id).order_by(job.c.id))
    return [
        {
            "id": row.id,
            "kind": row.kind,
            "state": "FAILED" if row.failed_on else "WAITING",
            "tries": row.tries,
            "reason": row.reason,
        }
        for row in found
    ]
