"""The papers of an invoicing record, in French: facts in, PDF/A out.

What a paper looks like and how it is worded stands in `templates/`; here is only what it says. The same facts give the
same bytes. `templates` is the operator's folder: a file in it stands in for the file of the same name.

Every paper bears the SHA-256 of its data, which is JSON and comes with it.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from unicodedata import normalize

from . import opco, said
from .facts import Attached, Gap, Invoiced, InvoicedTrainee, Issue, Nature, Organisation, Person, Sitting, Training
from .images import Pictures, qr
from .typeset import BrokenTemplate, templates_of, typeset

__all__ = [
    "BrokenTemplate",
    "Paper",
    "attendance_certificate",
    "attendance_sheet",
    "completion_certificate",
    "cover_page",
    "invoicing_statement",
    "weekly_attendance_sheet",
]


@dataclass(frozen=True, slots=True)
class Paper:
    """A finished paper. `document_type` is the contract's; `data` is the JSON whose SHA-256 stands on it."""

    document_type: str
    title: str
    file_name: str
    content: bytes
    data: bytes


def completion_certificate(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    person: Person,
    training: Training,
    sittings: Sequence[Sitting],
    *,
    final: bool = False,
    templates: Path | None = None,
) -> Paper:
    """Write the certificat de réalisation of one trainee in one training, from the sittings of the period.

    Sittings of another training, or in which the trainee is not, are passed over. The data is in the shape of the
    inter-OPCO exchange; `final` says there that the training is over.
    """
    own = _own(sittings, person, training)
    draft = _Draft(issue, organisation)
    data = opco.certificate(issue, organisation, invoiced, person, training, own, final=final)
    first, last = said.span(own, invoiced, whole_period=training.nature is Nature.APPRENTICESHIP)
    draft.say(
        person=said.person(person),
        training=said.training(training),
        first_day=first.isoformat() if first else "",
        last_day=last.isoformat() if last else "",
        months=said.months(first, last),
        days=len({each.day for each in own if (there := each.of(person)) and there.signed_minutes}),
        hours=said.totals(own, [person]),
    )
    return draft.finished("certificate", "COMPLETION_CERTIFICATE", _name(person), templates, data)


def attendance_certificate(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    person: Person,
    training: Training,
    sittings: Sequence[Sitting],
    *,
    sheets: Sequence[str] = (),
    templates: Path | None = None,
) -> Paper:
    """Write the attestation d'assiduité of one trainee in one training; `sheets` are the numbers of its sheets."""
    own = _own(sittings, person, training)
    first, last = said.span(own, invoiced)
    draft = _Draft(issue, organisation)
    draft.say(
        person=said.person(person),
        training=said.training(training),
        first_day=first.isoformat() if first else "",
        last_day=last.isoformat() if last else "",
        hours=said.totals(own, [person]),
        half_days=len(own),
        modalities=said.modalities(own, person),
        sheets=list(sheets),
    )
    return draft.finished("attendance", "ATTENDANCE_CERTIFICATE", _name(person), templates)


def invoicing_statement(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    sittings: Sequence[Sitting],
    gaps: Sequence[Gap] = (),
    attached: Sequence[Attached] = (),
    *,
    templates: Path | None = None,
) -> Paper:
    """Write the relevé de facturation: per trainee of the invoice each half-day, the totals, the gaps, the papers."""
    draft = _Draft(issue, organisation)
    people = [each.person for each in invoiced.trainees]
    draft.say(
        invoiced=said.invoiced(invoiced),
        trainees=[
            {
                **said.invoiced_trainee(each),
                "lines": said.attended(sittings, each.person, draft.pictures),
                "hours": said.totals(sittings, [each.person]),
                "delta": said.delta(
                    said.signed_minutes(sittings, [each.person]), each.quantity, each.unit or invoiced.unit
                ),
            }
            for each in _by_trainee(invoiced)
        ],
        hours=said.totals(sittings, people),
        delta=said.delta(said.signed_minutes(sittings, people), invoiced.quantity, invoiced.unit),
        gaps=[said.gap(each) for each in gaps],
        attached=[said.attached(each) for each in attached],
    )
    return draft.finished("statement", "INVOICING_STATEMENT", invoiced.invoice_number, templates)


def _by_trainee(invoiced: Invoiced) -> list[InvoicedTrainee]:
    """Return what the invoice says of each trainee, once: lines of one unit added up; of several, no quantity.

    A unit is told where it is not the invoice's own.
    """
    lines: dict[Any, list[InvoicedTrainee]] = {}
    for place, each in enumerate(invoiced.trainees):
        lines.setdefault(each.person.reference or place, []).append(each)
    return [_together(same, invoiced.unit) for same in lines.values()]


def _together(lines: Sequence[InvoicedTrainee], usual: str) -> InvoicedTrainee:
    units = {line.unit or usual for line in lines}
    quantities = [line.quantity for line in lines if line.quantity is not None]
    added = sum(quantities, Decimal()) if len(units) == 1 and len(quantities) == len(lines) else None
    contracts, files = (_named(each) for each in zip(*((a.contract_number, a.file_number) for a in lines), strict=True))
    unit = "" if units == {usual} else units.pop()
    return replace(lines[0], quantity=added, unit=unit, contract_number=contracts, file_number=files)


def _named(numbers: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, numbers)))


def attendance_sheet(
    issue: Issue, organisation: Organisation, sitting: Sitting, *, templates: Path | None = None
) -> Paper:
    """Write the feuille d'émargement of one course."""
    return _sheet(_Draft(issue, organisation), "sheet", [sitting], sitting.reference, templates)


def weekly_attendance_sheet(
    issue: Issue, organisation: Organisation, sittings: Sequence[Sitting], *, templates: Path | None = None
) -> Paper:
    """Write the feuille d'émargement of one training and one week (ISO, Monday to Sunday), a column per half-day.

    ValueError if the sittings are of several weeks or trainings, or if there is none.
    """
    weeks = {each.day.isocalendar()[:2] for each in sittings}
    if len(weeks) != 1 or len({each.training for each in sittings}) != 1:
        raise ValueError("a weekly sheet is of one week and one training")
    year, week = weeks.pop()
    draft = _Draft(issue, organisation)
    draft.say(year=year, week=week)
    ordered = sorted(sittings, key=lambda each: (each.start, each.reference))
    return _sheet(draft, "week", ordered, f"{year}-S{week:02} {ordered[0].training.name}", templates)


def cover_page(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    attached: Sequence[Attached],
    *,
    templates: Path | None = None,
) -> Paper:
    """Write the first page of a record's joined PDF: what the record is about, its documents and their digests."""
    draft = _Draft(issue, organisation)
    draft.say(invoiced=said.invoiced(invoiced), attached=[said.attached(each) for each in attached])
    return draft.finished("cover", "OTHER", invoiced.record_number, templates)


# How a paper is made -------------------------------------------------------------------------------------------


class _Draft:
    """A paper while it is being written: what it says, and the pictures in it."""

    def __init__(self, issue: Issue, organisation: Organisation) -> None:
        self.issue = issue
        self.pictures = Pictures()
        self.said: dict[str, Any] = {"organisation": said.organisation(organisation, self.pictures)}

    def say(self, **values: Any) -> None:
        self.said.update(values)

    def finished(
        self, name: str, document_type: str, about: str, templates: Path | None, data: dict[str, Any] | None = None
    ) -> Paper:
        """Set the paper by the template `name`; `about` tells it from the others of its kind in title and file name."""
        in_force = templates_of(templates)
        words = in_force.words["papers"][name]
        title = " ".join([words["title"], about]).strip()
        written = _json(data or {"document_type": document_type, **self.said})
        issued = said.issue(self.issue) | {"sha256": hashlib.sha256(written).hexdigest(), "qr": qr(self.issue.url)}
        shown = {**self.said, "title": title, "issue": issued}
        content = typeset(name, in_force, shown, self.pictures.svg, self.issue.created_on)
        return Paper(document_type, title, f"{_plain(title)}.pdf", content, written)


def _sheet(draft: _Draft, name: str, sittings: list[Sitting], about: str, templates: Path | None) -> Paper:
    draft.say(
        training=said.training(sittings[0].training),
        sittings=[said.sitting(each) for each in sittings],
        trainees=said.people_in(sittings, draft.pictures, trainers=False),
        trainers=said.people_in(sittings, draft.pictures, trainers=True),
        hours=said.hours(sum(each.minutes for each in sittings)),
    )
    return draft.finished(name, "ATTENDANCE_SHEET", about, templates)


def _own(sittings: Sequence[Sitting], person: Person, training: Training) -> list[Sitting]:
    return [each for each in sittings if each.training == training and each.of(person)]


def _name(person: Person) -> str:
    return f"{person.last_name} {person.first_name}".strip()


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def _plain(title: str) -> str:
    """Return a title as a file name that every system takes: "Relevé FAC-041" is "releve-fac-041"."""
    ascii_only = normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:100] or "document"
