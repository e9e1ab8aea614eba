"""What is sent: people, rooms, courses, contacts and the elements of an invoice.

The names are the contract's, in snake_case; the contract (`?wsdl`) documents each. None means "not sent": the exchange
leaves the stored value alone. To empty a value on purpose, name it in `clear_fields`, as the contract writes it.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypedDict

SyncMode = Literal["UPSERT", "REPLACE"]
OnError = Literal["REJECT_ALL", "KEEP_VALID"]
Civility = Literal["M", "MME"]
ContactType = Literal["EMPLOYER", "FINANCER", "OPCO", "TUTOR", "APPRENTICESHIP_MASTER", "INVOICING", "SIGNATORY"]
ClassroomType = Literal["ROOM", "SITE"]
Modality = Literal["ON_SITE", "REMOTE_SYNC", "REMOTE_ASYNC", "WORKPLACE"]
QuantityUnit = Literal["HOUR", "HALF_DAY", "DAY", "FLAT"]
AttendanceStatus = Literal["EXPECTED", "PRESENT", "ABSENT", "LATE", "EARLY_DEPARTURE", "EXCUSED"]
RecordStatus = Literal["NEEDS_REVIEW", "PREPARING", "READY"]
RecordFormat = Literal["PDF", "ZIP", "INDEX"]
DocumentType = Literal[
    "INVOICE",
    "SIMPLE_INVOICE",
    "ATTENDANCE_SHEET",
    "COMPLETION_CERTIFICATE",
    "ATTENDANCE_CERTIFICATE",
    "INVOICING_STATEMENT",
    "AGREEMENT",
    "PROGRAMME",
    "FUNDING_AGREEMENT",
    "EVALUATION",
    "OTHER",
]


class SyncOptions(TypedDict, total=False):
    """How a synchronisation is meant; what is left out is UPSERT, REJECT_ALL and no dry run."""

    message_id: str
    dry_run: bool
    mode: SyncMode
    on_error: OnError
    max_removals: int


@dataclass(frozen=True, kw_only=True)
class Address:
    """A postal address."""

    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    address_line4: str | None = None
    zipcode: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None


@dataclass(frozen=True, kw_only=True)
class FreeData:
    """Eight texts that mean what the caller wants them to mean."""

    data1: str | None = None
    data2: str | None = None
    data3: str | None = None
    data4: str | None = None
    data5: str | None = None
    data6: str | None = None
    data7: str | None = None
    data8: str | None = None


@dataclass(frozen=True, kw_only=True)
class Student:
    """A trainee."""

    reference: str
    last_name: str
    first_name: str
    civility: Civility | None = None
    birth_date: datetime.date | None = None
    email: str | None = None
    mobile_phone: str | None = None
    phone: str | None = None
    address: Address | None = None
    start: datetime.date | None = None
    end: datetime.date | None = None
    employer: str | None = None
    financers: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    training: str | None = None
    degree: str | None = None
    opca_number: str | None = None
    region_number: str | None = None
    unemployed_number: str | None = None
    file_number: str | None = None
    cfa_number: str | None = None
    required_signature: bool | None = None
    data: FreeData | None = None
    clear_fields: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A trainer."""

    reference: str
    last_name: str
    first_name: str
    civility: Civility | None = None
    birth_date: datetime.date | None = None
    email: str | None = None
    mobile_phone: str | None = None
    phone: str | None = None
    address: Address | None = None
    start: datetime.date | None = None
    end: datetime.date | None = None
    employer: str | None = None
    data: FreeData | None = None
    clear_fields: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Classroom:
    """A room at a site, or a site."""

    reference: str
    type: ClassroomType | None = None
    name: str | None = None
    site_reference: str | None = None
    site_name: str | None = None
    address: Address | None = None
    capacity: int | None = None
    equipment: str | None = None
    remote: bool | None = None
    data: FreeData | None = None
    clear_fields: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """One sitting of a course. A naive `start` or `end` is in the account's time zone."""

    reference: str
    name: str
    start: datetime.datetime
    end: datetime.datetime
    date: datetime.date | None = None
    training_reference: str | None = None
    training_name: str | None = None
    module: str | None = None
    classroom: str | None = None
    modality: Modality | None = None
    teachers: Sequence[str] | None = None
    students: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    break_minutes: int | None = None
    signature_opens_before: int | None = None
    signature_closes_after: int | None = None
    cancelled: bool | None = None
    invoiceable: bool | None = None
    data: FreeData | None = None
    clear_fields: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Contact:
    """An employer, a payer, a tutor or another person or organisation around the trainees."""

    reference: str
    type: ContactType
    organisation: str | None = None
    civility: Civility | None = None
    last_name: str | None = None
    first_name: str | None = None
    birth_date: datetime.date | None = None
    email: str | None = None
    mobile_phone: str | None = None
    phone: str | None = None
    address: Address | None = None
    start: datetime.date | None = None
    end: datetime.date | None = None
    siret: str | None = None
    vat_number: str | None = None
    data: FreeData | None = None
    clear_fields: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class InvoicedTrainee:
    """What an invoice says of one trainee."""

    reference: str | None = None
    last_name: str | None = None
    first_name: str | None = None
    quantity: Decimal | None = None
    unit: QuantityUnit | None = None
    contract_number: str | None = None
    file_number: str | None = None
    amount_excl_vat: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class InvoicingElements:
    """What an invoice says. Sent as hints or corrections; also a part of what comes back of a record."""

    invoice_number: str | None = None
    invoice_date: datetime.date | None = None
    period_start: datetime.date | None = None
    period_end: datetime.date | None = None
    payer_reference: str | None = None
    payer_name: str | None = None
    contract_number: str | None = None
    file_number: str | None = None
    seller_siret: str | None = None
    quantity: Decimal | None = None
    unit: QuantityUnit | None = None
    amount_excl_vat: Decimal | None = None
    vat_amount: Decimal | None = None
    amount_incl_vat: Decimal | None = None
    trainees: Sequence[InvoicedTrainee] | None = None
