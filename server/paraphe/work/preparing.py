"""The job PREPARE: the papers of a record are made from its planning and its signatures, and filed all at once.

Papers are asked for each time that something changes of what they say. They are made outside of any transaction and
filed in one, if nothing was asked for meanwhile: then what is newer is on its way. Papers of before are kept, and
belong to the versions of before.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from ..accounts import Account
from ..context import Context
from ..documents import papers
from ..documents.facts import Attached, Gap, Issue, Organisation, Person, Sitting, Training
from ..documents.papers import Paper
from ..store import attendance, course, document, reading, record
from . import elements, filing, organisations, presence
from .filing import Event, File
from .jobs import Failed, Job, Kind, enqueue
from .sealing import Sealing, lacks_time_stamp, sealing_of
from .sittings import Collected, collect
from .workers import Store, Workplace

#: How long the address on a paper works: as long as accounting documents are kept.
_ON_PAPER = timedelta(days=3653)
_OTHERS_SIGN = timedelta(minutes=1)
_AUTHORITY_IS_BACK = timedelta(minutes=5)


def status_of(account: Account) -> str:
    """Return where a record stands that needs no person."""
    return "PREPARING" if account.prepares else "READY"


def ask(context: Context, record_id: int) -> None:
    """Have the papers of a record made once this transaction is committed, if the account has any made."""
    if context.account.prepares:
        wanted = record.c.papers_wanted + 1
        context.connection.execute(update(record).where(record.c.id == record_id).values(papers_wanted=wanted))
        enqueue(context, Kind.PREPARE, record_id)


def ask_again(context: Context, changed: Sequence[Mapping[str, Any]]) -> None:
    """Have papers made anew that speak of attendance which has changed; `changed` are rows of that table.

    A moment later, because where one signs others sign as well. Five statements at most, whatever has changed.
    """
    if not changed or not context.account.prepares:
        return
    days, present = _courses_of(context, {each["course_id"] for each in changed})
    affected = [
        row.id
        for row in _with_papers(context, min(days.values()), max(days.values()))
        if _speaks_of(row, changed, days, present)
    ]
    if affected:
        wanted = {"papers_wanted": record.c.papers_wanted + 1, "status": "PREPARING"}
        context.connection.execute(update(record).where(record.c.id.in_(affected)).values(wanted))
        enqueue(context, Kind.PREPARE, *affected, after=_OTHERS_SIGN)


def _courses_of(context: Context, numbers: Collection[int]) -> tuple[dict[int, date], dict[int, set[str]]]:
    """Return the days of courses, and the students in them."""
    days = context.connection.execute(select(course.c.id, course.c.date).where(course.c.id.in_(numbers)))
    students = (attendance.c.course_id.in_(numbers)) & (attendance.c.person_type == "STUDENT")
    there = context.connection.execute(select(attendance.c.course_id, attendance.c.person_reference).where(students))
    present: dict[int, set[str]] = {}
    for number, reference in there:
        present.setdefault(number, set()).add(reference)
    return {row.id: row.date for row in days}, present


def _with_papers(context: Context, first: date, last: date) -> Sequence[Any]:
    columns = record.c.id, record.c.trainees, record.c.period_start, record.c.period_end
    mine = (record.c.account_id == context.account.id) & (record.c.papers_wanted > 0)
    return context.connection.execute(
        select(*columns).where(mine, record.c.period_start <= last, record.c.period_end >= first)
    ).all()


def _speaks_of(
    row: Any, changed: Sequence[Mapping[str, Any]], days: Mapping[int, date], present: Mapping[int, set[str]]
) -> bool:
    people = {each.get("reference") for each in json.loads(row.trainees or "[]")}
    for each in changed:
        number = each["course_id"]
        concerned = {each["person_reference"]} if each["person_type"] == "STUDENT" else present.get(number, set())
        if row.period_start <= days[number] <= row.period_end and people & concerned:
            return True
    return False


# The job -------------------------------------------------------------------------------------------------------


class _Asked(NamedTuple):
    """A record whose papers are to be made."""

    number: str
    wanted: int
    made: int


def prepare(workplace: Workplace, account: Account, job: Job) -> Store:
    """Make the papers of a record; nothing if those that were asked for are made already."""
    with reading(workplace.engine) as connection:
        asked, said = _asked(connection, job.record_id)
        organisation = organisations.of_account(connection, account)
        if organisation is None or asked.made == asked.wanted:
            return lambda context: _as_it_is(context, job.record_id, asked)
        found = collect(connection, account, asked.number, said, _mark(workplace))
        there = _there(connection, job.record_id)
        invoice = _invoice(connection, job.record_id)
        sealing, unsealed = sealing_of(workplace, connection, account)
    gaps = presence.gaps(found)
    try:
        files = list(_Making(workplace, account, organisation, found, sealing).files(gaps, there))
        if sealing is not None and invoice is not None:
            copy, unsealed = sealing.invoice(invoice, asked.number)
            files = [*copy, *files]
    except papers.BrokenTemplate as broken:
        raise Failed("BROKEN_TEMPLATE") from broken
    return lambda context: _file(context, job.record_id, asked, files, gaps, unsealed)


def _asked(connection: Connection, record_id: int) -> tuple[_Asked, dict[str, Any]]:
    columns = record.c.record_number, record.c.papers_wanted, record.c.papers_made
    row = connection.execute(select(*columns, *elements.COLUMNS).where(record.c.id == record_id)).one()
    return _Asked(*row[:3]), elements.said(row[3:])


def _there(connection: Connection, record_id: int) -> list[Attached]:
    """Return the documents of a record that are none of our papers, for the list on the statement."""
    columns = document.c.document_type, document.c.title, document.c.file_name, document.c.sha256
    found = connection.execute(
        select(*columns, document.c.size_bytes)
        .where(document.c.record_id == record_id, ~document.c.made)
        .order_by(document.c.id)
    )
    return [Attached(row[0], row[1] or row[2], row[2], row[3], row[4]) for row in found]


def _invoice(connection: Connection, record_id: int) -> tuple[str, str] | None:
    """Return the digest and the file name of the invoice that a record began with, if it did."""
    first = (document.c.record_id == record_id) & (document.c.document_type == "INVOICE") & ~document.c.made
    row = connection.execute(select(document.c.sha256, document.c.file_name).where(first)).first()
    return None if row is None else (row[0], row[1])


def _mark(workplace: Workplace) -> Callable[[Any], dict[str, Any]]:
    def marked(row: Any) -> dict[str, Any]:
        if row.image_sha256 is None:
            return {}
        url = _lasting(workplace).url("signatures", row.link, ".png", workplace.clock())
        return {"image": workplace.archive.read(row.image_sha256), "url": url}

    return marked


def _lasting(workplace: Workplace) -> Any:
    return replace(workplace.addresses, lifetime=_ON_PAPER)


# The papers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Making:
    """The papers of one record while they are being made, and put into the archive one after the other."""

    workplace: Workplace
    account: Account
    organisation: Organisation
    found: Collected
    sealing: Sealing | None

    def files(self, gaps: Sequence[Gap], there: Sequence[Attached]) -> Iterator[File]:
        """Give all papers: the sheets, what each trainee gets, and the statement that lists them."""
        sheets = list(self._sheets())
        made = [*(sheet for _, sheet in sheets), *self._certificates(sheets)]
        yield from made
        listed = [*there, *(_attached(file) for file in made)]
        of: dict[str, Any] = {
            "organisation": self.organisation,
            "invoiced": self.found.invoiced,
            "sittings": self.found.sittings,
        }
        yield self._kept(partial(papers.invoicing_statement, **of, gaps=gaps, attached=listed))

    def _sheets(self) -> Iterator[tuple[Training, File]]:
        for week in _weeks(self.found.sittings):
            sheet = partial(papers.weekly_attendance_sheet, organisation=self.organisation, sittings=week)
            yield week[0].training, self._kept(sheet)

    def _certificates(self, sheets: Sequence[tuple[Training, File]]) -> Iterator[File]:
        for person, training in _pairs(self.found):
            of: dict[str, Any] = {"organisation": self.organisation, "invoiced": self.found.invoiced, "person": person}
            of |= {"training": training, "sittings": self.found.sittings}
            numbers = [sheet.document_id for about, sheet in sheets if about == training]
            yield self._kept(partial(papers.completion_certificate, **of))
            yield self._kept(partial(papers.attendance_certificate, **of, sheets=numbers))

    def _kept(self, write: Callable[[Issue], Paper]) -> File:
        """Have a paper written that bears its own number and address, and put it into the archive."""
        self.workplace.progress()
        blank = File("OTHER", None, "", "", 0).numbered()
        now = self.workplace.clock().astimezone(self.account.time_zone).replace(microsecond=0)
        url = _lasting(self.workplace).url("documents", blank.link, ".pdf", now)
        paper = write(Issue(blank.document_id, now, self.found.invoiced.record_number, url))
        kept = replace(
            blank,
            document_type=paper.document_type,
            title=paper.title,
            file_name=paper.file_name,
            made=True,
            data_sha256=self.workplace.archive.keep(paper.data),
        )
        if self.sealing is not None:
            return self.sealing.paper(kept, paper)
        return replace(kept, sha256=self.workplace.archive.keep(paper.content), size_bytes=len(paper.content))


def _weeks(sittings: Sequence[Sitting]) -> Iterator[list[Sitting]]:
    """Give the sittings of each training and week, in the order of time."""

    def week(sitting: Sitting) -> tuple[Any, ...]:
        return (*sitting.day.isocalendar()[:2], sitting.training.number, sitting.training.name)

    for _, together in groupby(sorted(sittings, key=week), week):
        yield list(together)


def _pairs(found: Collected) -> list[tuple[Person, Training]]:
    """Return each trainee of the invoice with each training that he was to be in."""
    people = [each.person for each in found.invoiced.trainees if each.person.reference]
    pairs = [(person, sitting.training) for person in people for sitting in found.sittings if sitting.of(person)]
    return list(dict.fromkeys(pairs))


def _attached(file: File) -> Attached:
    said = file.document_type, file.title or "", file.file_name, file.sha256, file.size_bytes
    return Attached(*said, level=file.seal_level or "")


# Filed ---------------------------------------------------------------------------------------------------------


def _file(
    context: Context, record_id: int, asked: _Asked, files: Sequence[File], gaps: Sequence[Gap], unsealed: str | None
) -> None:
    """File the papers as the record's next version, unless newer ones were asked for since."""
    version = _next_version(context, record_id, asked)
    if version is None:
        return
    ours = (document.c.record_id == record_id) & document.c.made & document.c.replaced_in.is_(None)
    context.connection.execute(update(document).where(ours).values(replaced_in=version))
    filing.attach_all(context, record_id, files)
    if lacks_time_stamp(files):
        enqueue(context, Kind.RAISE_SEAL, record_id, after=_AUTHORITY_IS_BACK)
    current = (document.c.record_id == record_id) & document.c.replaced_in.is_(None)
    context.connection.execute(
        update(record)
        .where(record.c.id == record_id)
        .values(
            document_count=select(func.count()).where(current).scalar_subquery(),
            size_bytes=select(func.coalesce(func.sum(document.c.size_bytes), 0)).where(current).scalar_subquery(),
        )
    )
    outcome: dict[str, Any] = {"documents": [file.document_id for file in files]}
    outcome |= {"gaps": sorted({gap.code for gap in gaps}), "unsealed": unsealed}
    filing.note(context, Event.PREPARED, {record_id: {"version": version - 1}}, outcome)


def _next_version(context: Context, record_id: int, asked: _Asked) -> int | None:
    current = (record.c.id == record_id) & (record.c.papers_wanted == asked.wanted)
    values = {"status": "READY", "papers_made": asked.wanted, "version": record.c.version + 1}
    changed: int | None = context.connection.scalar(
        update(record)
        .where(current, record.c.papers_made < asked.wanted)
        .values(**values, modified_on=context.now, to_extract=True)
        .returning(record.c.version)
    )
    return changed


def _as_it_is(context: Context, record_id: int, asked: _Asked) -> None:
    """Let a record be ready without papers, as its account has none made any more."""
    waits = (record.c.id == record_id) & (record.c.papers_wanted == asked.wanted) & (record.c.status == "PREPARING")
    context.connection.execute(update(record).where(waits).values(status="READY", papers_made=asked.wanted))
