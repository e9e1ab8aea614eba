"""A record's documents, its listing, its extraction.

A *record* is an invoice with every document that the payer asks for. It is *extracted* when its current version was
handed over whole, or was acknowledged; a later version is to be extracted again. Listing marks nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from ..archive import Archive
from ..context import Ahead, Context
from ..documents.bundle import Document, is_pdf, zipped
from ..errors import Code, Error, Refused
from ..spool import Content, Held
from ..store import document, is_among, lock_account, reading, record
from . import asking, elements, filing, jobs
from .filing import Event, File, is_numbered, unknown_record

# What is added, what is corrected ------------------------------------------------------------------------------


def keep_simple_invoice(ahead: Ahead, request: Mapping[str, Any]) -> File:
    """Put an invoice that is to join a record into the archive, before any transaction."""
    return _keep(ahead, request, "SIMPLE_INVOICE")


def keep_simple_document(ahead: Ahead, request: Mapping[str, Any]) -> File:
    """Put any other document that is to join a record into the archive, before any transaction."""
    return _keep(ahead, request, request["document_type"], request["title"])


def _keep(ahead: Ahead, request: Mapping[str, Any], document_type: str, title: str | None = None) -> File:
    content: Content = request["content"]
    mine = (record.c.account_id == ahead.account.id) & (record.c.record_number == request["record_number"])
    with reading(ahead.engine) as connection:
        record_id = connection.scalar(select(record.c.id).where(mine))
        if record_id is None:
            raise Refused(unknown_record(request["record_number"]))
        filing.check_room(_sent(connection, record_id) + len(content))
    if content and not is_pdf(content):
        raise Refused(
            Error(Code.NOT_A_PDF, "The file is not a PDF.", field="content", hint="Send the document as PDF.")
        )
    return filing.keep(ahead, request, document_type, title)


def add_simple_invoice(context: Context, request: Mapping[str, Any], file: File) -> dict[str, Any]:
    """Add an invoice (PDF) to a record; a copy of it is sealed afterwards."""
    added = _add(context, request, file)
    asking.for_sealed_copies(context, request["record_number"])
    return added


def add_simple_document(context: Context, request: Mapping[str, Any], file: File) -> dict[str, Any]:
    """Add any other document (PDF) to a record."""
    return _add(context, request, file)


def _add(context: Context, request: Mapping[str, Any], file: File) -> dict[str, Any]:
    number = request["record_number"]
    record_id, version = filing.change(
        context,
        number,
        document_count=record.c.document_count + 1,
        size_bytes=record.c.size_bytes + file.size_bytes,
    )
    filing.note(context, Event.DOCUMENT_ADDED, {record_id: {"version": version - 1}})
    document_id = filing.attach(context, record_id, file)
    filing.check_room(_sent(context.connection, record_id))
    asking.for_pdf(context, record_id)
    return {
        "record_number": number,
        "document_id": document_id,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
    }


def _sent(connection: Connection, record_id: int) -> int:
    """Return how many bytes of a record were sent; what the server makes of them is its own affair."""
    sent = (document.c.record_id == record_id) & ~document.c.made
    return connection.scalar(select(func.coalesce(func.sum(document.c.size_bytes), 0)).where(sent)) or 0


def review_record(context: Context, request: Mapping[str, Any], warnings: list[dict[str, Any]]) -> dict[str, Any]:
    """Settle a record in NEEDS_REVIEW with the elements as a person corrected them.

    What was known before stays in the record's history. `warnings` are those of invoices.look_ahead.
    """
    number, said = request["record_number"], request["invoice"]
    row = context.connection.execute(
        select(record.c.id, record.c.status, *elements.COLUMNS).where(is_numbered(context, number)).with_for_update()
    ).one_or_none()
    if row is None:
        raise Refused(unknown_record(number))
    record_id, status, *known = tuple(row)
    if status != "NEEDS_REVIEW":
        message = f"The record {number} does not wait for a review."
        raise Refused(Error(Code.RECORD_NOT_IN_REVIEW, message, reference=number, field="recordNumber"))
    status_now = asking.status_of(context.account)
    _, version = filing.change(context, number, status=status_now, **elements.columns_of(said))
    asking.for_papers(context, record_id)
    jobs.drop(context.connection, jobs.Kind.RECOGNISE, record_id)
    before = {"version": version - 1, "status": status, "invoice": elements.as_published(elements.said(known))}
    filing.note(context, Event.REVIEWED, {record_id: before})
    opened = _open(context, number)
    return {"record_index": _index_with_documents(context, opened), "warnings": warnings}


# A record, opened ----------------------------------------------------------------------------------------------


class Head(NamedTuple):
    """A record's own columns, without its elements."""

    id: int
    account_id: int
    link: bytes
    record_number: str
    status: str
    version: int
    extracted_version: int | None
    extracted_on: datetime | None
    created_on: datetime
    modified_on: datetime
    document_count: int
    size_bytes: int


class Listed(NamedTuple):
    """A document as its record lists it."""

    document_id: str
    link: bytes
    document_type: str
    title: str | None
    file_name: str
    sha256: str
    size_bytes: int
    created_on: datetime
    data_sha256: str | None
    seal_level: str | None
    whole_of: int | None
    left_out: str | None


_INDEX = (*(record.c[name] for name in Head._fields), *elements.COLUMNS)
_NOT_TOLD = {"link", "data_sha256", "seal_level", "whole_of", "left_out"}
_TOLD = tuple(name for name in Listed._fields if name not in _NOT_TOLD)
_LISTED = tuple(document.c[name] for name in Listed._fields)


@dataclass(frozen=True, slots=True)
class Opened:
    """A record as it stood at one moment, with all that its ZIP is made of; `whole` is the PDF of this very version."""

    head: Head
    said: Mapping[str, Any]
    documents: Sequence[Listed]
    whole: Listed | None

    @property
    def left_out(self) -> list[str]:
        """File names of documents that could not be joined into the PDF: who has that has not got the record."""
        return list(json.loads(self.whole.left_out or "[]")) if self.whole else []

    @property
    def joins(self) -> bool:
        """Whether the PDF holds any of the documents."""
        return self.whole is not None and len(self.left_out) < len(self.documents)

    def zip(self, archive: Archive) -> Content:
        """Return every document as it is, with what papers say as JSON, and the manifest, in a ZIP."""
        manifest = {
            "recordNumber": self.head.record_number,
            "version": self.head.version,
            "status": self.head.status,
            "invoice": elements.as_published(self.said),
        }
        return zipped([*self._contents(archive), *self._data(archive)], manifest, self.head.modified_on)

    def extraction(self, now: datetime, request_id: str, actor: str) -> Callable[[Connection], None]:
        """Return what is to be done once this version was handed over whole to `actor`."""
        happening = filing.Happening(self.head.account_id, now, request_id, actor)
        return partial(mark_extracted, record_id=self.head.id, version=self.head.version, happening=happening)

    def _contents(self, archive: Archive) -> list[Document]:
        held = Held()
        return [
            Document(each.document_type, each.title, each.file_name, each.sha256, each.created_on, content)
            for each in self.documents
            for content in [held.hold(archive.content(each.sha256))]
        ]

    def _data(self, archive: Archive) -> list[Document]:
        return [
            Document(each.document_type, each.title, f"{name}.json", each.data_sha256, each.created_on, content)
            for each in self.documents
            if each.data_sha256 is not None
            for name, content in [(each.file_name.removesuffix(".pdf"), archive.read(each.data_sha256))]
        ]


def open_record(connection: Connection, link: bytes) -> Opened | None:
    """Return the record that an address under `records` stands for, or None."""
    return _opened(connection, record.c.link == link)


def open_document(connection: Connection, link: bytes) -> Listed | None:
    """Return the document that an address under `documents` stands for, or None."""
    row = connection.execute(select(*_LISTED).where(document.c.link == link)).one_or_none()
    return None if row is None else Listed(*row)


def _open(context: Context, number: str) -> Opened:
    opened = _opened(context.connection, is_numbered(context, number))
    if opened is None:
        raise Refused(unknown_record(number))
    return opened


def _opened(connection: Connection, which: ColumnElement[bool]) -> Opened | None:
    """Read a record with its documents in one statement, so that they belong to one version."""
    belongs = or_(document.c.whole_of.is_(None), document.c.whole_of == record.c.version)
    current = (document.c.record_id == record.c.id) & document.c.replaced_in.is_(None) & belongs
    both = record.outerjoin(document, current)
    found = select(*_INDEX, *_LISTED).select_from(both).where(which).order_by(document.c.id)
    rows = [tuple(row) for row in connection.execute(found)]
    if not rows:
        return None
    head, said = _split(rows[0][: len(_INDEX)])
    listed = [Listed(*row[len(_INDEX) :]) for row in rows if row[len(_INDEX)] is not None]
    whole = next((each for each in listed if each.whole_of is not None), None)
    return Opened(head, said, [each for each in listed if each.whole_of is None], whole)


def _split(values: Sequence[Any]) -> tuple[Head, dict[str, Any]]:
    cut = len(Head._fields)
    return Head(*values[:cut]), elements.said(values[cut:])


def _index(context: Context, head: Head, said: Mapping[str, Any], expires_on: datetime) -> dict[str, Any]:
    """Return a RecordIndex without its documents."""
    url, now = context.addresses.url, context.now
    return {
        "record_number": head.record_number,
        "status": head.status,
        "version": head.version,
        "created_on": head.created_on,
        "modified_on": head.modified_on,
        "extracted_on": head.extracted_on if head.extracted_version == head.version else None,
        "invoice": said,
        "document_count": head.document_count,
        "size_bytes": head.size_bytes,
        "pdf_url": url("records", head.link, ".pdf", now) if head.document_count else None,
        "zip_url": url("records", head.link, ".zip", now),
        "urls_expire_on": expires_on,
    }


def _index_with_documents(context: Context, opened: Opened) -> dict[str, Any]:
    documents = [
        {
            **{name: getattr(each, name) for name in _TOLD},
            "url": context.addresses.url("documents", each.link, ".pdf", context.now),
            **({"seal_level": each.seal_level} if each.seal_level else {}),
        }
        for each in opened.documents
    ]
    index = _index(context, opened.head, opened.said, context.addresses.expiry(context.now))
    return {**index, "documents": documents}


# What is taken away --------------------------------------------------------------------------------------------


def make_pdf_first(ahead: Ahead, request: Mapping[str, Any]) -> None:
    """Have the PDF of a record's version made if it is asked for and not there yet."""
    if request["format"] != "PDF" or not request.get("include_content", True):
        return
    mine = (record.c.account_id == ahead.account.id) & (record.c.record_number == request["record_number"])
    with reading(ahead.engine) as connection:
        opened = _opened(connection, mine)
    if opened is not None and opened.documents and opened.whole is None:
        ahead.make_pdf(opened.head.id, ahead.request_id)


def get_record(context: Context, request: Mapping[str, Any], _: None = None) -> dict[str, Any]:
    """Return a record's index and, unless it is not wanted, its PDF or ZIP.

    Once the content was sent, the version given is extracted. A PDF that documents had to be left out of extracts
    nothing: who has it has not got the record. A PDF that could not be made is not given, and the answer says so.
    """
    opened = _open(context, request["record_number"])
    result: dict[str, Any] = {"record_index": _index_with_documents(context, opened)}
    warnings = [_not_complete()] if opened.head.status == "PREPARING" else []
    if request["format"] == "INDEX":
        return {**result, "warnings": warnings}
    result["file_name"] = f"{opened.head.record_number}.{request['format'].lower()}"
    if request["format"] == "PDF" and not opened.documents:
        raise Refused(_without_document(opened, "It holds no document."))
    if not request.get("include_content", True):
        return {**result, "warnings": warnings}
    left_out: list[str] = []
    if request["format"] == "ZIP":
        content = opened.zip(context.archive)
    elif opened.whole is None:
        return {**result, "warnings": [*warnings, _not_made()]}
    elif not opened.joins:
        raise Refused(_without_document(opened, "None of its documents can be joined into a PDF."))
    else:
        content, left_out = context.archive.content(opened.whole.sha256), opened.left_out
    if not left_out:
        context.after_sent.append(opened.extraction(context.now, context.request_id, context.account.api_user))
    return {**result, "content": content, "warnings": [*warnings, *(_not_joined(name) for name in left_out)]}


def _without_document(opened: Opened, reason: str) -> Error:
    return Error(
        Code.RECORD_WITHOUT_DOCUMENT,
        f"The record {opened.head.record_number} cannot be given as PDF. {reason}",
        reference=opened.head.record_number,
        field="format",
        hint="Ask for the ZIP: it holds every document as it is, and a manifest.",
    )


def _not_complete() -> dict[str, Any]:
    message = "The papers of this record are still being made; a later version will hold them."
    hint = "Ask again in a few seconds, or wait until GetRecordList gives the record as READY."
    return elements.warning("PAPERS_NOT_READY", message, hint)


def _not_made() -> dict[str, Any]:
    message = "The PDF of this version of the record is not made yet."
    return elements.warning("PDF_NOT_READY", message, "Ask again in a few seconds, or take the ZIP.")


def _not_joined(file_name: str) -> dict[str, Any]:
    message = f"{file_name} could not be joined into the PDF, so the record is not extracted yet."
    hint = "Take the ZIP, which holds every document; or settle the record with AcknowledgeRecords."
    return elements.warning("DOCUMENT_NOT_JOINED", message, hint)


def mark_extracted(connection: Connection, record_id: int, version: int, happening: filing.Happening) -> None:
    """Say that a version was handed over whole; twice is as good as once.

    The record is extracted if that version is still the current one, and stays to be extracted if it is not.
    """
    newly = connection.execute(
        update(record)
        .where(
            record.c.id == record_id,
            record.c.version >= version,
            func.coalesce(record.c.extracted_version, 0) < version,
        )
        .values(extracted_version=version, extracted_on=happening.now, to_extract=record.c.version > version)
        .returning(record.c.id)
    ).one_or_none()
    if newly is not None:
        filing.note_at(connection, Event.EXTRACTED, {record_id: {"version": version}}, happening)


def acknowledge_records(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Mark records as extracted, each in its current version. Refused, with an error for each, for unknown numbers."""
    numbers = {number: index for index, number in reversed(list(enumerate(request["record_numbers"], 1)))}
    # The records are locked in no certain order: two messages at once would wait for each other.
    lock_account(context.connection, context.account.id)
    known = context.connection.execute(
        select(record.c.id, record.c.record_number, record.c.version, record.c.to_extract)
        .where(
            record.c.account_id == context.account.id,
            is_among(context.connection, record.c.record_number, list(numbers)),
        )
        .with_for_update()
    ).all()
    unknown = numbers.keys() - {row.record_number for row in known}
    if unknown:
        raise Refused.of(unknown_record(number, numbers[number]) for number in unknown)
    newly = [row for row in known if row.to_extract]
    if newly:
        context.connection.execute(
            update(record)
            .where(
                record.c.account_id == context.account.id,
                record.c.to_extract,
                is_among(context.connection, record.c.record_number, [row.record_number for row in newly]),
            )
            .values(extracted_version=record.c.version, extracted_on=context.now, to_extract=False)
        )
    filing.note(context, Event.ACKNOWLEDGED, {row.id: {"version": row.version} for row in newly})
    return {"acknowledged": len(newly), "already_extracted": len(known) - len(newly)}
