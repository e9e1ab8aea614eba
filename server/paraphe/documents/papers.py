"""The papers of an invoicing record, in French: facts in, PDF/A out.

What a paper looks like and how it is worded stands in `templates/`; here is only what it says. The same facts give the
same bytes. `templates` is the operator's folder: a file in it stands in for the file of the same name.
All raise BrokenTemplate, and TooLong for a paper that takes more time or memory than a paper may.

Every paper bears the SHA-256 of its data, which is JSON and comes with it.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unicodedata import normalize

from ..apart import Unforeseen
from . import opco, said
from .facts import Attached, Gap, Invoiced, InvoicedTrainee, Issue, Organisation, Person, Sitting, Training
from .images import Pictures, kind_of, qr
from .typeset import BrokenTemplate, TooLong, picture, templates_of, typeset

__all__ = [
    "BrokenTemplate",
    "Paper",
    "TooLong",
    "attendance_certificate",
    "completion_certificate",
    "cover_page",
    "ensure_logo",
    "invoicing_statement",
    "specimen_mark",
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
    templates: Path | None = None,
) -> Paper:
    """Write the certificat de réalisation of one trainee in one training, from the sittings of the period.

    Sittings of another training, or in which the trainee is not, are passed over. An apprentice's is about months of
    the invoiced period. The data is in the shape of the inter-OPCO exchange.
    """
    own = _own(sittings, person, training)
    draft = _Draft(issue, organisation)
    data = opco.certificate(issue, organisation, invoiced, person, training, own)
    first, last = said.span(own, invoiced, whole_period=person.is_apprentice)
    draft.say(
        person=said.person(person),
        nature=said.nature([person]),
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
    ordered = sorted(sittings, key=lambda each: (each.start, each.reference))
    draft.say(
        year=year,
        week=week,
        nature=said.nature(there.person for each in ordered for there in each.trainees),
        training=said.training(ordered[0].training),
        sittings=[said.sitting(each) for each in ordered],
        trainees=said.people_in(ordered, draft.pictures, trainers=False),
        trainers=said.people_in(ordered, draft.pictures, trainers=True),
        hours=said.hours(sum(each.minutes for each in ordered)),
    )
    about = f"{year}-S{week:02} {ordered[0].training.name}"
    return draft.finished("week", "ATTENDANCE_SHEET", about, templates)


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


def specimen_mark(templates: Path | None = None) -> str:
    """Return what stands on the papers and seals of an account for trying out."""
    return str(templates_of(templates).words["specimen"]["mark"])


def ensure_logo(image: bytes) -> None:
    """Raise ValueError for a logo that no paper could be made with: it is tried."""
    Pictures().logo(image)
    with TemporaryDirectory() as folder:
        Path(folder, name := f"logo.{kind_of(image)}").write_bytes(image)
        try:
            picture(f'#image("/{name}")'.encode(), {}, datetime(2026, 1, 1, tzinfo=UTC), Path(folder))
        except BrokenTemplate as broken:
            raise ValueError(f"the logo cannot be printed: {broken.sentence}") from broken
        except (TooLong, Unforeseen) as failure:
            raise ValueError("the logo cannot be printed") from failure


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
