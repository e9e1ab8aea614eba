"""What comes back. Amounts and quantities are Decimal, days are date, times are aware datetimes in UTC.

The names are the contract's, in snake_case; the contract (`?wsdl`) documents each. Closed lists are plain str here, so
that a newer server does not break an older client.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from .errors import ItemError
from .items import InvoicingElements


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What every answer holds.

    `duplicate`: this is the first answer to this messageId again. `hint`: what the server tolerated in the message, and
    how to send it right.
    """

    return_code: str
    message: str
    request_id: str
    duplicate: bool
    errors: tuple[ItemError, ...] = ()
    hint: str | None = None


@dataclass(frozen=True, kw_only=True)
class LimitInForce:
    """A limit that is in force for this account, for example messageBytes."""

    name: str
    value: int
    unit: str


@dataclass(frozen=True, kw_only=True)
class ConnectionAnswer(Answer):
    """Who is calling, and what is in force."""

    account: str | None = None
    environment: str | None = None
    server_time: datetime.datetime | None = None
    product_version: str | None = None
    time_zone: str | None = None
    limits: tuple[LimitInForce, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SyncItem:
    """What became of one item: CREATED, UPDATED, UNCHANGED, REMOVED or REJECTED. `index` counts from 1."""

    action: str
    index: int | None = None
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class SyncAnswer(Answer):
    """What a synchronisation did, or with dry_run would do."""

    dry_run: bool = False
    received: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    items: tuple[SyncItem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Participant:
    """One person in one course. `image` is the PNG itself, when it was asked for."""

    person_reference: str
    person_type: str
    last_name: str
    first_name: str
    status: str
    modified_on: datetime.datetime
    collect_mode: str | None = None
    place: str | None = None
    arrived_at: datetime.datetime | None = None
    left_at: datetime.datetime | None = None
    minutes_present: int | None = None
    collected_on: datetime.datetime | None = None
    received_on: datetime.datetime | None = None
    signature_url: str | None = None
    signature_url_expires_on: datetime.datetime | None = None
    image_sha256: str | None = None
    image: bytes | None = None
    justification: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CourseAttendance:
    """A course with those of its participants that the question was about."""

    course_reference: str
    course_name: str
    date: datetime.date
    start: datetime.datetime
    end: datetime.datetime
    cancelled: bool
    participants: tuple[Participant, ...]
    classroom_reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class SignatureListAnswer(Answer):
    """Attendance and signatures; `next_cursor` is for the next page (`more`) or the next poll."""

    courses: tuple[CourseAttendance, ...] = ()
    next_cursor: str | None = None
    more: bool = False


@dataclass(frozen=True, kw_only=True)
class ReadValue:
    """One value that was read in an invoice, and where and how."""

    field: str
    value: str
    confidence: Decimal
    page: int | None = None
    snippet: str | None = None
    rule: str | None = None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that a person should look at; it refuses nothing. The contract calls it Warning."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None


@dataclass(frozen=True, kw_only=True)
class InvoiceAnswer(Answer):
    """The record that an invoice opened, and what was read."""

    record_number: str | None = None
    status: str | None = None
    document_id: str | None = None
    read_values: tuple[ReadValue, ...] = ()
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DocumentAnswer(Answer):
    """The document that joined a record."""

    record_number: str | None = None
    document_id: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class RecordDocument:
    """A document of a record."""

    document_id: str
    document_type: str
    file_name: str
    size_bytes: int
    sha256: str
    created_on: datetime.datetime
    title: str | None = None
    url: str | None = None
    seal_level: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecordIndex:
    """Index elements of a record, and where its documents are."""

    record_number: str
    status: str
    version: int
    created_on: datetime.datetime
    modified_on: datetime.datetime
    invoice: InvoicingElements
    document_count: int
    size_bytes: int
    zip_url: str
    urls_expire_on: datetime.datetime
    extracted_on: datetime.datetime | None = None
    pdf_url: str | None = None
    documents: tuple[RecordDocument, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RecordAnswer(Answer):
    """A record; `content` is the PDF or ZIP when it was asked for."""

    record_index: RecordIndex | None = None
    file_name: str | None = None
    content: bytes | None = None
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RecordListAnswer(Answer):
    """Records, oldest first; `next_cursor` is None on the last page."""

    records: tuple[RecordIndex, ...] = ()
    remaining: int = 0
    next_cursor: str | None = None


@dataclass(frozen=True, kw_only=True)
class AcknowledgeAnswer(Answer):
    """How many records are now extracted."""

    acknowledged: int = 0
    already_extracted: int = 0
