"""`paraphe preview-papers`: every paper once, with the data of the fictional training centre of `fixtures/`.

For whoever changes a template: it needs neither a database nor a server.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from . import fixture_loader
from .documents import papers
from .documents.facts import (
    Attached,
    Gap,
    Invoiced,
    InvoicedTrainee,
    Issue,
    Organisation,
    Person,
    Presence,
    Sitting,
    Standing,
    Training,
)
from .faces.soap import envelope
from .xml.parse import parse
from .xml.request import find_operation, read_request

_ZONE = ZoneInfo("Europe/Paris")
_MADE_ON = datetime(2026, 9, 21, 10, 30, tzinfo=_ZONE)
# No department has the number 99.
_ACTIVITY_NUMBER = "52 99 04417 99"
# Minutes that the invoice is made to count too many for the last trainee, so that there is a gap to be seen.
_TOO_MUCH = 12


@dataclass(frozen=True, slots=True)
class Sample:
    """The facts of one invoicing record of the fictional centre."""

    organisation: Organisation
    invoiced: Invoiced
    training: Training
    sittings: tuple[Sitting, ...]

    def issue(self, document_id: str) -> Issue:
        """Return what makes a paper this paper."""
        url = f"https://exchange.centre.example/documents/{hashlib.sha256(document_id.encode()).hexdigest()[:22]}"
        return Issue(document_id, _MADE_ON, self.invoiced.record_number, url)


def write(folder: Path, templates: Path | None = None) -> list[Path]:
    """Write each paper as PDF, and its data as JSON, into `folder`; return the files. BrokenTemplate, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for paper in sample_papers(sample(), templates):
        for name, content in ((paper.file_name, paper.content), (f"{Path(paper.file_name).stem}.json", paper.data)):
            path = folder / name
            path.write_bytes(content)
            written.append(path)
    return written


def sample_papers(of: Sample, templates: Path | None = None) -> Iterator[papers.Paper]:
    """Give each paper of a record once, the cover last."""
    trainee = of.invoiced.trainees[0].person
    late = next(each for each in of.sittings if any(there.late for there in each.trainees))
    week = [each for each in of.sittings if each.day.isocalendar()[:2] == late.day.isocalendar()[:2]]
    made = [
        papers.completion_certificate(
            of.issue("DOC-0001"), of.organisation, of.invoiced, trainee, of.training, of.sittings, templates=templates
        ),
        papers.attendance_certificate(
            of.issue("DOC-0002"), of.organisation, of.invoiced, trainee, of.training, of.sittings,
            sheets=["DOC-0003"], templates=templates,
        ),
        papers.weekly_attendance_sheet(of.issue("DOC-0003"), of.organisation, week, templates=templates),
    ]  # fmt: skip
    gaps = [Gap("LESS_SIGNED_THAN_INVOICED", -_TOO_MUCH, of.invoiced.trainees[-1].person)]
    attached = [_attached(each) for each in made]
    made.append(
        papers.invoicing_statement(
            of.issue("DOC-0004"), of.organisation, of.invoiced, of.sittings, gaps, attached, templates=templates
        )
    )
    attached.append(_attached(made[-1]))
    made.append(papers.cover_page(of.issue("DOC-0005"), of.organisation, of.invoiced, attached, templates=templates))
    yield from made


def _attached(paper: papers.Paper) -> Attached:
    digest = hashlib.sha256(paper.content).hexdigest()
    return Attached(paper.document_type, paper.title, paper.file_name, digest, len(paper.content), "B-T")


# The fixtures as facts -----------------------------------------------------------------------------------------


def sample() -> Sample:
    """Return the record of the invoice in `SendInvoicingInfo/request.xml`, with who was there in September 2026."""
    students = {row["reference"]: row for row in _rows("SyncStudents", "students")}
    contacts = _rows("SyncContacts", "contacts")
    people = {reference: _trainee(row, contacts) for reference, row in students.items()}
    people |= {row["reference"]: _person(row) for row in _rows("SyncTeachers", "teachers")}
    invoice = _values("SendInvoicingInfo")["invoice"]
    number = invoice["contract_number"]
    course = students[invoice["trainees"][0]["reference"]]["training"]
    training = Training(course, number=number)
    signatory = next(row for row in contacts if row["type"] == "SIGNATORY")
    site = next(row for row in _rows("SyncClassrooms", "classrooms") if row["address"])
    organisation = Organisation(
        signatory["organisation"],
        invoice["seller_siret"],
        _ACTIVITY_NUMBER,
        (site["address"]["address_line1"], f"{site['address']['zipcode']} {site['address']['city']}"),
        site["address"]["city"],
        _person(signatory),
        "Directrice",
    )
    return Sample(organisation, _invoiced(invoice, people), training, tuple(_sittings(training, people)))


def _sittings(training: Training, people: Mapping[str, Person]) -> Iterator[Sitting]:
    """Give the sittings of a training for which there is attendance."""
    rooms = {row["reference"]: row for row in _rows("SyncClassrooms", "classrooms")}
    there: dict[str, list[Mapping[str, Any]]] = {}
    for row in fixture_loader.attendance():
        there.setdefault(row["course_reference"], []).append(row)
    for course in _rows("SyncCourses", "courses"):
        rows = there.get(course["reference"], [])
        if course["training_name"] == training.name and rows:
            start, end = (course[name].astimezone(_ZONE) for name in ("start", "end"))
            length = int((end - start).total_seconds()) // 60 - (course["break_minutes"] or 0)
            room = rooms.get(course["classroom"] or "", {})
            yield Sitting(
                course["reference"],
                course["name"],
                training,
                start,
                end,
                length,
                tuple(_presence(row, people, end) for row in rows if row["person_type"] == "TEACHER"),
                tuple(_presence(row, people, end) for row in rows if row["person_type"] == "STUDENT"),
                course["module"] or "",
                ", ".join(filter(None, [room.get("site_name"), room.get("name")])),
                course["modality"],
            )


def _presence(row: Mapping[str, Any], people: Mapping[str, Person], end: datetime) -> Presence:
    signed, received, arrived, left = (
        row[name] and row[name].astimezone(_ZONE) for name in ("collected_on", "received_on", "arrived_at", "left_at")
    )
    person = people[row["person_reference"]]
    name = hashlib.sha256(f"{row['course_reference']} {person.reference}".encode()).hexdigest()[:22]
    return Presence(
        person,
        row["status"],
        row["minutes_present"] or 0,
        signed,
        received,
        "SIGNED_AFTER_WINDOW" in row["flags"],
        arrived,
        left,
        row["justification"] or "",
        row["image"],
        f"https://exchange.centre.example/signatures/{name}.png" if row["image"] else "",
    )


def _invoiced(invoice: Mapping[str, Any], people: Mapping[str, Person]) -> Invoiced:
    names = (
        *("invoice_number", "invoice_date", "period_start", "period_end"),
        *("payer_name", "contract_number", "file_number", "quantity", "unit"),
    )
    more = Decimal(_TOO_MUCH) / 60
    *trainees, last = (InvoicedTrainee(people[row["reference"]], row["quantity"]) for row in invoice["trainees"])
    told: dict[str, Any] = {name: invoice[name] for name in names} | {"quantity": invoice["quantity"] + more}
    trainees.append(replace(last, quantity=last.quantity and last.quantity + more))
    return Invoiced("2026-000005", trainees=tuple(trainees), **told)


def _person(row: Mapping[str, Any]) -> Person:
    return Person(row["reference"], row["last_name"], row["first_name"], row["civility"] or "")


def _trainee(row: Mapping[str, Any], contacts: list[dict[str, Any]]) -> Person:
    employer = next((each for each in contacts if each["reference"] == row["employer"]), None)
    names = (row["reference"], row["last_name"], row["first_name"], row["civility"] or "")
    if employer is None:
        return Person(*names, standing=Standing.JOB_SEEKER)
    return Person(*names, employer["organisation"], employer["siret"] or "", Standing.EMPLOYEE)


def _values(operation: str) -> dict[str, Any]:
    payload = envelope.read(parse(fixture_loader.message(operation)))
    return read_request(payload, find_operation(payload), _ZONE).values


def _rows(operation: str, name: str) -> list[dict[str, Any]]:
    """Return the items of a Sync message, which come in slices, by columns; what an item lacks is None."""
    found = []
    for columns in _values(operation)[name]:
        found += [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return found
