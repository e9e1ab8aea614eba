"""How a record comes into being and grows: its number, its versions, its documents, its history.

Each change of a record raises its *version* by one, in one statement on its row, so that two at once never lose one.
A changed record is to be extracted (again). What happened to it, and what it said before, is never lost.
"""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, insert, update

from ..context import Ahead, Context
from ..errors import Code, Error, Refused
from ..spool import Spooled, digest_of
from ..store import account, document, record, record_event
from . import elements

#: What callers may send of one record, all its files together, in bytes: its PDF holds them in memory.
MOST_BYTES = 200_000_000


class Event(StrEnum):
    """What can happen to a record."""

    CREATED = "CREATED"
    READ = "READ"
    PREPARED = "PREPARED"
    SEALED = "SEALED"
    SEAL_RAISED = "SEAL_RAISED"
    JOINED = "JOINED"
    RECOGNISED = "RECOGNISED"
    DOCUMENT_ADDED = "DOCUMENT_ADDED"
    REVIEWED = "REVIEWED"
    EXTRACTED = "EXTRACTED"
    ACKNOWLEDGED = "ACKNOWLEDGED"


@dataclass(frozen=True, slots=True)
class File:
    """A file in the archive that is to join a record.

    `made` says that the server made it, `data_sha256` is the digest of what it says as JSON. `seal_level` is what its
    seal reached, `seal_lack` why that is not what was aimed at. `copy_of` is the id of the original of a sealed copy.
    `whole_of` is the version of which it is the PDF, `left_out` what that lacks, as JSON.
    """

    document_type: str
    title: str | None
    file_name: str
    sha256: str
    size_bytes: int
    document_id: str = ""
    link: bytes = b""
    made: bool = False
    data_sha256: str | None = None
    seal_level: str | None = None
    seal_lack: str | None = None
    copy_of: int | None = None
    whole_of: int | None = None
    left_out: str | None = None

    def numbered(self) -> "File":
        """Return it with a document id and an address of its own, for what has to know them before it is written."""
        return replace(self, document_id=secrets.token_urlsafe(16), link=os.urandom(16))


@dataclass(frozen=True, slots=True)
class Created:
    """A record that was just opened; `document_id` is that of the document it begins with, if it does."""

    record_id: int
    number: str
    document_id: str | None


def keep(context: Context | Ahead, request: Mapping[str, Any], document_type: str, title: str | None = None) -> File:
    """Archive the file of a message: `content`, `file_name` and, if it was sent, `sha256`.

    Refused if it is empty (EMPTY_FILE) or not what the caller sent off (DIGEST_MISMATCH).
    """
    content: bytes | Spooled = request["content"]
    if not content:
        raise Refused(Error(Code.EMPTY_FILE, "The file has no content.", field="content"))
    sent: str | None = request.get("sha256")
    if sent is not None and sent.lower() != digest_of(content):
        message = "The file does not have the digest that was sent with it."
        hint = "Send the file again; sha256 is the digest of the file itself, not of its base64 text."
        raise Refused(Error(Code.DIGEST_MISMATCH, message, field="sha256", hint=hint))
    return File(document_type, title, request["file_name"], context.archive.keep(content), len(content))


def check_room(size: int) -> None:
    """Refuse files of a record that have more bytes together than MOST_BYTES."""
    if size > MOST_BYTES:
        message = f"The files sent of a record may hold {MOST_BYTES} bytes; with this one they would hold {size}."
        raise Refused(Error(Code.LIMIT_EXCEEDED, message, field="content", hint="Open another record for the rest."))


# Made once: to put a statement together takes longer than to execute it.
_COUNT = (
    update(account)
    .where(account.c.id == bindparam("counting"))
    .values(last_record=account.c.last_record + 1)
    .returning(account.c.last_record)
)
_OPEN = insert(record).returning(record.c.id)
_ATTACH = insert(document)
_NOTE = insert(record_event)


def create(context: Context, said: Mapping[str, Any], status: str, file: File | None = None) -> Created:
    """Open a record, with a document if it begins with one.

    Numbers have no gap and none is given twice: the account's count rises in the transaction that stores the record,
    and that statement locks the account's row until the transaction ends.
    """
    count = context.connection.scalar(_COUNT, {"counting": context.account.id})
    number = f"{context.now.astimezone(context.account.time_zone).year}-{count:06d}"
    values = {
        "account_id": context.account.id,
        "record_number": number,
        "status": status,
        "version": 1,
        "created_on": context.now,
        "modified_on": context.now,
        "document_count": 1 if file else 0,
        "size_bytes": file.size_bytes if file else 0,
        "link": os.urandom(16),
        "to_extract": True,
        **elements.columns_of(said),
    }
    (record_id,) = context.connection.execute(_OPEN, values).one()
    note(context, Event.CREATED, {record_id: None})
    return Created(record_id, number, attach(context, record_id, file) if file else None)


def attach(context: Context, record_id: int, file: File) -> str:
    """Let a file join a record and return its document id; the record's row is the caller's to change."""
    numbered = file.numbered()
    attach_all(context, record_id, [numbered])
    return numbered.document_id


def attach_all(context: Context, record_id: int, files: Sequence[File]) -> None:
    """Let files that are numbered join a record, in this order."""
    joined = {"account_id": context.account.id, "record_id": record_id, "created_on": context.now}
    if files:
        context.connection.execute(_ATTACH, [joined | asdict(file) for file in files])


def change(context: Context, number: str, **values: Any) -> tuple[int, int]:
    """Change a record that is there; return its id and its new version."""
    changed = context.connection.execute(
        update(record)
        .where(is_numbered(context, number))
        .values(version=record.c.version + 1, modified_on=context.now, to_extract=True, **values)
        .returning(record.c.id, record.c.version)
    )
    record_id, version = changed.one()
    return record_id, version


def is_numbered(context: Context, number: str) -> ColumnElement[bool]:
    """Say "the record of this number in this account"."""
    return (record.c.account_id == context.account.id) & (record.c.record_number == number)


def unknown_record(number: str, index: int | None = None) -> Error:
    """Say that the account has no such record, in the same words whether or not another account has."""
    hint = "GetRecordList with includeExtracted gives the numbers of all records."
    return Error(
        Code.UNKNOWN_RECORD, f"There is no record {number}.", index, reference=number, field="recordNumber", hint=hint
    )


@dataclass(frozen=True, slots=True)
class Happening:
    """Who does something to a record, when, and in which request."""

    account_id: int
    now: datetime
    request_id: str
    actor: str

    @classmethod
    def of(cls, context: Context) -> "Happening":
        """Say it of a message."""
        actor = context.actor or context.account.api_user
        return cls(context.account.id, context.now, context.request_id, actor)


def note(
    context: Context,
    event: Event,
    before: Mapping[int, Mapping[str, Any] | None],
    outcome: Mapping[str, Any] | None = None,
) -> None:
    """Write an event into the history of records.

    `before` gives, for each record's id, what it said until then; `outcome` is what came of it, ready for JSON.
    """
    note_at(context.connection, event, before, Happening.of(context), outcome)


def note_at(
    connection: Connection,
    event: Event,
    before: Mapping[int, Mapping[str, Any] | None],
    happening: Happening,
    outcome: Mapping[str, Any] | None = None,
) -> None:
    """Do as `note` does, for what happens after a message was answered."""
    if before:
        happened = {
            "account_id": happening.account_id,
            "happened_on": happening.now,
            "event": event.value,
            "request_id": happening.request_id,
            "actor": happening.actor,
            "outcome": _json(outcome),
        }
        connection.execute(
            _NOTE,
            [{**happened, "record_id": record_id, "before": _json(said)} for record_id, said in before.items()],
        )


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
