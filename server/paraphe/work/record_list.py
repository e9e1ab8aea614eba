"""The list of records, which callers take what is new from.

A thousand records are read, addressed and told by columns (see `columns`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from .. import store
from ..columns import Columns
from ..context import Context
from ..errors import Code, Error, Refused
from ..store import record
from . import elements
from .filing import is_numbered
from .paging import cursor_at, invalid_cursor, limit_of, position_of

_CURSOR = "r1"
_TOLD = ("record_number", "status", "version", "created_on", "modified_on", "document_count", "size_bytes")
_ASKED = ("id", "link", "extracted_version", "extracted_on", *_TOLD)
_COLUMNS = (*(record.c[name] for name in _ASKED), *elements.COLUMNS)


def get_record_list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the index of records, oldest first: of those to be extracted, or with `include_extracted` of all.

    A cursor stands after one record of the account, so nothing is missed or given twice while records come and go.
    Four statements at most, whatever the number of records.
    """
    limit = limit_of(request)
    conditions = _conditions(context, request)
    after = _id_in(context, request)
    found = (
        select(*_COLUMNS)
        .where(*conditions, record.c.id > after)
        .order_by(record.c.account_id, record.c.id)
        .limit(limit + 1)
    )
    columns = store.by_columns(context.connection, found)
    page = {key: column[:limit] for key, column in columns.items()}
    result: dict[str, Any] = {"records": _told(context, page), "remaining": 0}
    if len(columns["id"]) > limit:
        counted = select(func.count()).select_from(record).where(*conditions, record.c.id > page["id"][-1])
        result["remaining"] = context.connection.scalar(counted)
        result["next_cursor"] = cursor_at(_CURSOR, page["record_number"][-1])
    return result


def _told(context: Context, page: Columns) -> dict[str, Any]:
    """Return the records of a page as RecordIndex, without their documents."""
    addresses, now, links = context.addresses, context.now, page["link"]
    extracted = zip(page["extracted_on"], page["extracted_version"], page["version"], strict=True)
    pdfs, zips = addresses.urls("records", links, (".pdf", ".zip"), now)
    return {
        **{key: page[key] for key in _TOLD},
        "extracted_on": [moment if version == current else None for moment, version, current in extracted],
        "invoice": elements.said_by_columns(page),
        "pdf_url": [url if count else None for url, count in zip(pdfs, page["document_count"], strict=True)],
        "zip_url": zips,
        "urls_expire_on": [addresses.expiry(now)] * len(links),
    }


def _conditions(context: Context, request: Mapping[str, Any]) -> list[Any]:
    created_from, created_to = request.get("created_from"), request.get("created_to")
    if created_from is not None and created_to is not None and created_to < created_from:
        raise Refused(Error(Code.VALUES_CONTRADICT, "createdTo is before createdFrom.", field="createdTo"))
    conditions: list[Any] = [store.is_alone(context.connection, record.c.account_id, context.account.id)]
    if not request.get("include_extracted"):
        conditions.append(record.c.to_extract)
    if "status" in request:
        conditions.append(record.c.status == request["status"])
    if created_from is not None or created_to is not None:
        conditions += _created(context, created_from, created_to)
    if "invoice_number" in request:
        conditions.append(record.c.invoice_number == request["invoice_number"])
    return conditions


def _created(context: Context, first: datetime | None, end: datetime | None) -> list[ColumnElement[bool]]:
    """Say "opened in this time", and between which ids these records are: the list begins and ends there."""
    in_time = [
        *([] if first is None else [record.c.created_on >= first]),
        *([] if end is None else [record.c.created_on < end]),
    ]
    # "+ 0", because PostgreSQL would look for the lowest id of all accounts that happens to be in this time.
    ids = select(func.min(record.c.id + 0), func.max(record.c.id + 0))
    lowest, highest = context.connection.execute(ids.where(record.c.account_id == context.account.id, *in_time)).one()
    return [*in_time, record.c.id >= (lowest or 0), record.c.id <= (highest or 0)]


def _id_in(context: Context, request: Mapping[str, Any]) -> int:
    """Return the id that the list goes on after. The cursor itself says nothing of other accounts' records."""
    if "cursor" not in request:
        return 0
    number = position_of(_CURSOR, request["cursor"])
    found: int | None = context.connection.scalar(select(record.c.id).where(is_numbered(context, number)))
    if found is None:
        raise invalid_cursor()
    return found
