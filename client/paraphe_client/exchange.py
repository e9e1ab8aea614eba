"""The fifteen operations of a Paraphe exchange, each one a method.

    with Exchange("https://exchange.centre.example", "user", "key") as exchange:
        answer = exchange.sync_students([Student(reference="S1", last_name="Le Goff", first_name="Ada")])
        print(answer.created, answer.updated, answer.unchanged)

A method returns when the exchange said 200 OK: then everything is durably stored. It raises ExchangeRefused when the
exchange said no (nothing is stored), ExchangeUnavailable when no answer came (send again with the same message_id).
Every writing method sends a message_id, a new one if the caller gives none.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from hashlib import sha256 as sha256_of
from typing import Any, TypeAlias, Unpack

from .answers import (
    AcknowledgeAnswer,
    ConnectionAnswer,
    DocumentAnswer,
    InvoiceAnswer,
    RecordAnswer,
    RecordListAnswer,
    SignatureListAnswer,
    SyncAnswer,
)
from .connection import Connection, new_message_id
from .items import (
    AttendanceStatus,
    Classroom,
    Contact,
    Course,
    DocumentType,
    InvoicingElements,
    RecordFormat,
    RecordStatus,
    Student,
    SyncOptions,
    Teacher,
)

Row: TypeAlias = Mapping[str, Any]  # an item as a mapping, with the names of its dataclass


class Exchange(Connection):
    """One account of one exchange: `Exchange(url_or_wsdl, api_user, api_key, timeout=60.0, soap="1.1")`."""

    def check_connection(self) -> ConnectionAnswer:
        """Ask who is calling, the server's time and version, and the limits in force."""
        return self._call("CheckConnection", ConnectionAnswer)

    # --- repositories in ---

    def sync_students(self, students: Iterable[Student | Row], **options: Unpack[SyncOptions]) -> SyncAnswer:
        """Bring the stored students to what `students` say.

        mode="REPLACE" says that these are all: who is missing becomes inactive (at most max_removals, or nothing
        happens). on_error="KEEP_VALID" stores the valid ones and counts the others in `rejected`; without it one
        wrong item raises ExchangeRefused and nothing is stored. dry_run=True answers what would happen.
        """
        return self._sync("SyncStudents", {"students": list(students)}, options)

    def sync_teachers(self, teachers: Iterable[Teacher | Row], **options: Unpack[SyncOptions]) -> SyncAnswer:
        """Bring the stored teachers to what `teachers` say; see sync_students."""
        return self._sync("SyncTeachers", {"teachers": list(teachers)}, options)

    def sync_classrooms(self, classrooms: Iterable[Classroom | Row], **options: Unpack[SyncOptions]) -> SyncAnswer:
        """Bring the stored rooms and sites to what `classrooms` say; see sync_students."""
        return self._sync("SyncClassrooms", {"classrooms": list(classrooms)}, options)

    def sync_courses(self, courses: Iterable[Course | Row], **options: Unpack[SyncOptions]) -> SyncAnswer:
        """Bring the stored courses to what `courses` say; see sync_students."""
        return self._sync("SyncCourses", {"courses": list(courses)}, options)

    def sync_contacts(self, contacts: Iterable[Contact | Row], **options: Unpack[SyncOptions]) -> SyncAnswer:
        """Bring the stored contacts to what `contacts` say; see sync_students."""
        return self._sync("SyncContacts", {"contacts": list(contacts)}, options)

    def _sync(self, operation: str, items: dict[str, list[Any]], options: SyncOptions) -> SyncAnswer:
        members = {"message_id": new_message_id(), **options, **items}
        return self._call(operation, SyncAnswer, **members)

    # --- signatures out ---

    def get_signature_list(
        self,
        *,
        period_start: date | None = None,
        period_end: date | None = None,
        modified_since: datetime | None = None,
        course_reference: str | None = None,
        student_reference: str | None = None,
        teacher_reference: str | None = None,
        status: AttendanceStatus | None = None,
        include_images: bool = False,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> SignatureListAnswer:
        """Give attendance and signatures: of a period, or since a time, or after a cursor."""
        return self._call(
            "GetSignatureList",
            SignatureListAnswer,
            period_start=period_start,
            period_end=period_end,
            modified_since=modified_since,
            course_reference=course_reference,
            student_reference=student_reference,
            teacher_reference=teacher_reference,
            status=status,
            include_images=include_images or None,
            cursor=cursor,
            limit=limit,
        )

    # --- invoices in, records out ---

    def send_invoice(
        self,
        file_name: str,
        content: bytes,
        *,
        hints: InvoicingElements | Row | None = None,
        sha256: str | None = None,
        message_id: str | None = None,
    ) -> InvoiceAnswer:
        """Send an invoice (PDF), which opens a record. Its digest goes along, so that no damaged file is taken."""
        return self._call(
            "SendInvoice",
            InvoiceAnswer,
            message_id=message_id or new_message_id(),
            file_name=file_name,
            content=content,
            sha256=sha256 or sha256_of(content).hexdigest(),
            hints=hints,
        )

    def send_invoicing_info(self, invoice: InvoicingElements | Row, *, message_id: str | None = None) -> InvoiceAnswer:
        """Open a record from the elements of an invoice, without PDF."""
        return self._call(
            "SendInvoicingInfo", InvoiceAnswer, message_id=message_id or new_message_id(), invoice=invoice
        )

    def review_record(
        self, record_number: str, invoice: InvoicingElements | Row, *, message_id: str | None = None
    ) -> RecordAnswer:
        """Settle a record in NEEDS_REVIEW with the elements as corrected, all of them."""
        return self._call(
            "ReviewRecord",
            RecordAnswer,
            message_id=message_id or new_message_id(),
            record_number=record_number,
            invoice=invoice,
        )

    def add_simple_invoice(
        self,
        record_number: str,
        file_name: str,
        content: bytes,
        *,
        sha256: str | None = None,
        message_id: str | None = None,
    ) -> DocumentAnswer:
        """Add an invoice (PDF) to a record; no paper is made from it."""
        return self._call(
            "AddSimpleInvoice",
            DocumentAnswer,
            message_id=message_id or new_message_id(),
            record_number=record_number,
            file_name=file_name,
            content=content,
            sha256=sha256 or sha256_of(content).hexdigest(),
        )

    def add_simple_document(
        self,
        record_number: str,
        document_type: DocumentType,
        title: str,
        file_name: str,
        content: bytes,
        *,
        sha256: str | None = None,
        message_id: str | None = None,
    ) -> DocumentAnswer:
        """Add any other document (PDF) to a record."""
        return self._call(
            "AddSimpleDocument",
            DocumentAnswer,
            message_id=message_id or new_message_id(),
            record_number=record_number,
            document_type=document_type,
            title=title,
            file_name=file_name,
            content=content,
            sha256=sha256 or sha256_of(content).hexdigest(),
        )

    def get_record(
        self, record_number: str, format: RecordFormat = "PDF", *, include_content: bool = True
    ) -> RecordAnswer:
        """Give a record: its index elements and, for PDF and ZIP, the content in memory (`download` streams it)."""
        return self._call(
            "GetRecord",
            RecordAnswer,
            record_number=record_number,
            format=format,
            include_content=include_content,
        )

    def get_record_list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        include_extracted: bool = False,
        status: RecordStatus | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        invoice_number: str | None = None,
    ) -> RecordListAnswer:
        """List the records not yet extracted, oldest first. Listing marks nothing."""
        return self._call(
            "GetRecordList",
            RecordListAnswer,
            limit=limit,
            cursor=cursor,
            include_extracted=include_extracted or None,
            status=status,
            created_from=created_from,
            created_to=created_to,
            invoice_number=invoice_number,
        )

    def acknowledge_records(self, record_numbers: Iterable[str], *, message_id: str | None = None) -> AcknowledgeAnswer:
        """Mark records as extracted. One unknown number refuses them all."""
        return self._call(
            "AcknowledgeRecords",
            AcknowledgeAnswer,
            message_id=message_id or new_message_id(),
            record_numbers=list(record_numbers),
        )
