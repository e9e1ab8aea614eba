"""What was read from an invoice, and what is known before reading it: plain values, no database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

#: Below this a value is no ground to act on without a person.
THRESHOLD = 80


@dataclass(frozen=True, slots=True)
class Student:
    """A student of the account; `numbers` are the contract and file numbers that the account knows of the student."""

    reference: str
    last_name: str
    first_name: str
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Payer:
    """A contact of the account that may pay."""

    reference: str
    name: str
    siret: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the account says of itself; all of it may be empty.

    `students` and `payers` are those that the invoice may name; `more` says that the account has other students.
    """

    students: tuple[Student, ...] = ()
    payers: tuple[Payer, ...] = ()
    sirets: tuple[str, ...] = ()  # the account's own
    more: bool = False

    @property
    def has_students(self) -> bool:
        """Whether the account knows any student at all, so that a name which is none of theirs is worth a word."""
        return self.more or bool(self.students)


@dataclass(frozen=True, slots=True)
class Value:
    """One value with what makes it believable: `confidence` 0 to 100, `page` from 1, the text around it, the rule."""

    value: Any
    confidence: int
    page: int | None
    snippet: str
    rule: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should look at; words as the contract's Warning."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
    #: Whether the record has to wait for a person because of it.
    review: bool = True


@dataclass(slots=True)
class Trainee:
    """A trainee on the invoice. `name` is as printed; the other values may be missing."""

    name: Value
    last_name: str
    first_name: str
    reference: str | None = None
    quantity: Value | None = None
    contract_number: Value | None = None
    file_number: Value | None = None
    amount_excl_vat: Value | None = None


@dataclass(slots=True)
class Reading:
    """An invoice as read. `values` has the names of the contract's InvoicingElements in snake case.

    `failure` is a code when nothing could be read at all (NOT_A_PDF, ENCRYPTED, …); NO_TEXT_LAYER is one too.
    """

    kind: str = "INVOICE"
    values: dict[str, Value] = field(default_factory=dict)
    trainees: list[Trainee] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)
    failure: str | None = None

    def warn(
        self, code: str, message: str, hint: str | None = None, about: str | None = None, *, review: bool = True
    ) -> None:
        """Add a warning; twice the same is once."""
        notice = Notice(code, message, hint, about, review)
        if notice not in self.warnings:
            self.warnings.append(notice)

    def needs_review(self, threshold: int = THRESHOLD) -> bool:
        """Say whether a person has to look at it: something needed is missing, doubtful or contradicted."""
        needed = [self.values.get(name) for name in NEEDED]
        weak = [each for each in needed if each is None or each.confidence < threshold]
        doubtful = [each for each in self.trainees if each.name.confidence < threshold]
        return bool(self.failure or weak or doubtful or not self.trainees or any(each.review for each in self.warnings))

    def elements(self) -> dict[str, Any]:
        """Return what was read as invoicing elements: what is not known is not in it."""
        read = {name: each.value for name, each in self.values.items()}
        if self.trainees:
            read["trainees"] = [dict(_trainee_elements(each)) for each in self.trainees]
        return read


#: Without these there is no record that needs no person.
NEEDED = ("invoice_number", "invoice_date", "period_start", "period_end", "quantity", "unit")
_TRAINEE_VALUES = ("quantity", "contract_number", "file_number", "amount_excl_vat")


def _trainee_elements(trainee: Trainee) -> Iterator[tuple[str, Any]]:
    if trainee.reference:
        yield "reference", trainee.reference
    yield "last_name", trainee.last_name
    yield "first_name", trainee.first_name
    for name in _TRAINEE_VALUES:
        if (each := getattr(trainee, name)) is not None:
            yield name, each.value


# Between two processes -----------------------------------------------------------------------------------------


def as_json(reading: Reading) -> dict[str, Any]:
    """Return a reading as what JSON can carry; from_json takes it back."""
    return {
        "kind": reading.kind,
        "failure": reading.failure,
        "values": {name: _packed(each) for name, each in reading.values.items()},
        "trainees": [_trainee_json(each) for each in reading.trainees],
        "warnings": [[each.code, each.message, each.hint, each.field, each.review] for each in reading.warnings],
    }


def from_json(sent: dict[str, Any]) -> Reading:
    """Take a reading back from as_json. Raises KeyError, TypeError or ValueError for anything else."""
    reading = Reading(sent["kind"], failure=sent["failure"])
    reading.values = {name: _unpacked(each) for name, each in sent["values"].items()}
    reading.trainees = [_trainee_of(each) for each in sent["trainees"]]
    reading.warnings = [Notice(*each) for each in sent["warnings"]]
    return reading


def _trainee_json(trainee: Trainee) -> dict[str, Any]:
    names = {"last_name": trainee.last_name, "first_name": trainee.first_name, "reference": trainee.reference}
    values = {name: getattr(trainee, name) for name in ("name", *_TRAINEE_VALUES)}
    return names | {name: _packed(each) for name, each in values.items() if each is not None}


def _trainee_of(sent: dict[str, Any]) -> Trainee:
    trainee = Trainee(_unpacked(sent["name"]), sent["last_name"], sent["first_name"], sent["reference"])
    for name in _TRAINEE_VALUES:
        if name in sent:
            setattr(trainee, name, _unpacked(sent[name]))
    return trainee


def _packed(value: Value) -> list[Any]:
    kind = {Decimal: "decimal", date: "date"}.get(type(value.value), "")
    return [str(value.value) if kind else value.value, kind, value.confidence, value.page, value.snippet, value.rule]


def _unpacked(sent: list[Any]) -> Value:
    raw, kind, *rest = sent
    value = Decimal(raw) if kind == "decimal" else date.fromisoformat(raw) if kind == "date" else raw
    return Value(value, *rest)
