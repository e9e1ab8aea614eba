"""What the papers of a record say, as plain values in the contract's words.

A *sitting* is one course of the contract with those who were to be there; it is what French papers call a half-day. A
*presence* is one person in one sitting. Moments are aware and in the account's zone: they are printed as they are.
Durations are whole minutes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from unicodedata import normalize


class Standing(StrEnum):
    """What a trainee is besides; the certificate says "salarié(e) de l'entreprise" of an EMPLOYEE alone."""

    EMPLOYEE = "EMPLOYEE"
    APPRENTICE = "APPRENTICE"
    JOB_SEEKER = "JOB_SEEKER"
    OTHER = "OTHER"


class Slot(StrEnum):
    """The part of a day that a sitting fills."""

    MORNING = "MORNING"
    AFTERNOON = "AFTERNOON"
    EVENING = "EVENING"
    DAY = "DAY"


@dataclass(frozen=True, slots=True)
class Person:
    """A trainee, a trainer or a signatory; `civility` is "M", "MME" or empty, `employer` the name of the company."""

    reference: str
    last_name: str
    first_name: str
    civility: str = ""
    employer: str = ""
    employer_siret: str = ""
    standing: Standing = Standing.OTHER

    @property
    def is_apprentice(self) -> bool:
        """Whether a training of this person is an apprenticeship."""
        return self.standing is Standing.APPRENTICE


@dataclass(frozen=True, slots=True)
class Organisation:
    """The training organisation; empty texts are not printed.

    `representative` signs for it, `quality` is what he or she is in it ("Directrice"). `logo` is a PNG, JPEG or SVG.
    """

    name: str
    siret: str = ""
    activity_number: str = ""
    address: tuple[str, ...] = ()
    city: str = ""
    representative: Person | None = None
    quality: str = ""
    logo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """A training: its title stands alike on every paper. `number` is that of the convention, contract or session."""

    name: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """One person in one sitting. `status` is the contract's AttendanceStatus.

    `late` says that the signature came after its time; it is then printed with both times. `image` is the drawn
    signature as PNG, `url` its address.
    """

    person: Person
    status: str
    signed_minutes: int = 0
    signed_on: datetime | None = None
    received_on: datetime | None = None
    late: bool = False
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    justification: str = ""
    image: bytes | None = None
    url: str = ""

    @property
    def justified(self) -> bool:
        """Whether an absence has its reason."""
        return self.status == "EXCUSED"


@dataclass(frozen=True, slots=True)
class Sitting:
    """A course with its trainers and trainees; `minutes` is its length without the break.

    `place` is what people read ("Nantes, salle 12"), `modality` the contract's Modality.
    """

    reference: str
    name: str
    training: Training
    start: datetime
    end: datetime
    minutes: int
    trainers: tuple[Presence, ...] = ()
    trainees: tuple[Presence, ...] = ()
    module: str = ""
    place: str = ""
    modality: str = "ON_SITE"

    @property
    def day(self) -> date:
        """The day on which it starts."""
        return self.start.date()

    @property
    def slot(self) -> Slot:
        """Which half-day it is: DAY if it goes on from the morning to after 14:30."""
        if self.start.time() >= time(18):
            return Slot.EVENING
        if self.start.time() >= time(12, 30):
            return Slot.AFTERNOON
        whole = self.end.date() > self.day or self.end.time() > time(14, 30)
        return Slot.DAY if whole else Slot.MORNING

    def of(self, person: Person) -> Presence | None:
        """Return the presence of a trainee, known by the reference; None if the person is not in it."""
        return next((each for each in self.trainees if each.person.reference == person.reference), None)


@dataclass(frozen=True, slots=True)
class InvoicedTrainee:
    """What one line of the invoice says of a trainee. `unit` is that of its quantity; empty: the invoice's."""

    person: Person
    quantity: Decimal | None = None
    contract_number: str = ""
    file_number: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Invoiced:
    """What the invoice of a record says. `unit` is the contract's QuantityUnit; empty texts are not known."""

    record_number: str
    invoice_number: str = ""
    invoice_date: date | None = None
    period_start: date | None = None
    period_end: date | None = None
    payer_name: str = ""
    contract_number: str = ""
    file_number: str = ""
    quantity: Decimal | None = None
    unit: str = "HOUR"
    trainees: tuple[InvoicedTrainee, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A difference between what is invoiced and what is signed, as the service-fait check found it.

    `minutes` is signed minus invoiced, None where the reason has no length. Without `person` it is the whole
    invoice's, without `day` and `slot` it is no one half-day's.
    """

    code: str
    minutes: int | None = None
    person: Person | None = None
    day: date | None = None
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """A document of the record, for the lists. `level` is that of its signature (B-T, …), empty if unsigned."""

    document_type: str
    title: str
    file_name: str
    sha256: str
    size_bytes: int = 0
    level: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """What makes one paper this paper: its number, when it was made, where it can be checked.

    `created_on` is the only clock: the same facts and the same issue give the same bytes. `specimen` says that it is of
    an account for trying out, and worth nothing: that is printed all over it.
    """

    document_id: str
    created_on: datetime
    record_number: str = ""
    url: str = ""
    specimen: bool = False


def by_name(people: Iterable[Person]) -> list[Person]:
    """Order people as a French list does: by family name, without regard to accents and capitals."""
    return sorted(people, key=lambda each: (_letters(each.last_name), _letters(each.first_name), each.reference))


def _letters(name: str) -> str:
    return normalize("NFKD", name).encode("ascii", "ignore").decode().lower().strip() or name
