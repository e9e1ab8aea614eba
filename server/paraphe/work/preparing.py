"""The job PREPARE: the papers of a record are made from its planning and its signatures, and filed all at once.

Papers are asked for each time that something changes of what they say. They are made outside of any transaction and
filed in one, if nothing was asked for meanwhile: then what is newer is on its way. Papers of before are kept, and
belong to the versions of before.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from ..accounts import Account
from ..context import Context
from ..documents import papers
from ..documents.facts import Attached, Gap, Issue, Organisation, Person, Sitting, Training
from ..documents.papers import Paper
from ..store import document, reading, record
from . import asking, elements, filing, mentions, organisations, presence
from .filing import Event, File
from .jobs import Failed, Job
from .sealing import Original, Sealing, catch_up, new_copies, originals, sealing_of
from .sittings import Collected, collect
from .typesetting import typesetting
from .workers import Store, Workplace

#: How often what papers are made of is read, until all of it was mentioned before.
_MOST_LOOKS = 4


class _Asked(NamedTuple):
    """A record whose papers are to be made."""

    number: str
    wanted: int
    made: int
    facts: str | None


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is read of a record before its papers are made, at one moment."""

    asked: _Asked
    organisation: Organisation | None
    found: Collected
    there: Sequence[Attached]
    invoices: Sequence[Original]
    sealing: Sealing | None
    mentions: Collection[mentions.Mention]

    @property
    def facts(self) -> str:
        """The digest of what the papers would state; addresses are new each time and are no fact."""
        stated = [asdict(each, dict_factory=_without_addresses) for each in (self.found, self.organisation) if each]
        sealed = self.sealing is not None
        return sha256(json.dumps([stated, sealed], default=_text, sort_keys=True).encode()).hexdigest()


def prepare(workplace: Workplace, account: Account, job: Job) -> Store:
    """Make the papers of a record; nothing if those that were asked for are made already, or would state the same."""
    known = _known(workplace, account, job.record_id)
    asked = known.asked
    if known.organisation is None or asked.made == asked.wanted:
        return lambda context: _as_it_is(context, job.record_id, asked)
    if known.facts == asked.facts:
        return lambda context: _stay(context, job.record_id, asked)
    gaps = presence.gaps(known.found)
    making = _Making(workplace, account, known.organisation, known.found, known.sealing)
    with typesetting():
        files = list(making.files(gaps, known.there))
    unsealed = None
    if known.sealing is not None:
        copies, unsealed = known.sealing.copies(known.invoices, asked.number)
        unsealed = known.sealing.trouble or unsealed
        files = [*copies, *files]
    return lambda context: _file(context, job.record_id, known, files, gaps, unsealed)


def _known(workplace: Workplace, account: Account, record_id: int) -> _Known:
    """Read all that papers are made of, with everything that they will speak of mentioned before."""
    for _ in range(_MOST_LOOKS):
        with reading(workplace.engine) as connection:
            asked, said = _asked(connection, record_id)
            organisation = organisations.of_account(connection, account)
            found = collect(connection, account, asked.number, said, _mark(workplace))
            there = _there(connection, record_id)
            invoices = originals(connection, record_id)
            sealing = sealing_of(workplace, connection, account)
            kept = mentions.kept(connection, record_id)
        if found.mentions <= kept:
            break
        mentions.add(workplace.engine, account, record_id, found.mentions)
    else:
        raise Failed("DATA_IN_MOTION")
    return _Known(asked, organisation, found, there, invoices, sealing, kept)


def _without_addresses(members: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in members if name not in ("url", "mentions")}


def _text(value: Any) -> Any:
    return sha256(value).hexdigest() if isinstance(value, bytes) else str(value)


def _asked(connection: Connection, record_id: int) -> tuple[_Asked, dict[str, Any]]:
    columns = record.c.record_number, record.c.papers_wanted, record.c.papers_made, record.c.papers_facts
    row = connection.execute(select(*columns, *elements.COLUMNS).where(record.c.id == record_id)).one()
    return _Asked(*row[:4]), elements.said(row[4:])


def _there(connection: Connection, record_id: int) -> list[Attached]:
    """Return the documents of a record that are none of our papers, for the list on the statement."""
    columns = document.c.document_type, document.c.title, document.c.file_name, document.c.sha256
    found = connection.execute(
        select(*columns, document.c.size_bytes)
        .where(document.c.record_id == record_id, ~document.c.made)
        .order_by(document.c.id)
    )
    return [Attached(row[0], row[1] or row[2], row[2], row[3], row[4]) for row in found]


def _mark(workplace: Workplace) -> Callable[[Any], dict[str, Any]]:
    def marked(row: Any) -> dict[str, Any]:
        if row.image_sha256 is None:
            return {}
        url = workplace.addresses_on_paper.url("signatures", row.link, ".png", workplace.clock())
        return {"image": workplace.archive.read(row.image_sha256), "url": url}

    return marked


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

    def _kept(self, write: Callable[..., Paper]) -> File:
        """Have a paper written that bears its own number and address, and put it into the archive."""
        self.workplace.progress()
        blank = File("OTHER", None, "", "", 0).numbered()
        now = self.workplace.clock().astimezone(self.account.time_zone).replace(microsecond=0)
        url = self.workplace.addresses_on_paper.url("documents", blank.link, ".pdf", now)
        issue = Issue(blank.document_id, now, self.found.invoiced.record_number, url, self.account.is_sandbox)
        paper = write(issue, templates=self.workplace.templates)
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
    context: Context, record_id: int, known: _Known, files: Sequence[File], gaps: Sequence[Gap], unsealed: str | None
) -> None:
    """File the papers as the record's next version, unless newer ones were asked for since."""
    version = _next_version(context, record_id, known)
    if version is None:
        return
    mentions.forget(context.connection, record_id, set(known.mentions) - known.found.mentions)
    copies = new_copies(context, record_id, files)
    files = [*copies, *(file for file in files if file.copy_of is None)]
    ours = (document.c.record_id == record_id) & document.c.made & document.c.replaced_in.is_(None)
    others = document.c.copy_of.is_not(None) | document.c.whole_of.is_not(None)
    context.connection.execute(update(document).where(ours, ~others).values(replaced_in=version))
    filing.attach_all(context, record_id, files)
    trouble = known.sealing is not None and known.sealing.trouble is not None
    catch_up(context, record_id, files, invoices=trouble and bool(known.invoices))
    current = (document.c.record_id == record_id) & document.c.replaced_in.is_(None) & document.c.whole_of.is_(None)
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
    asking.for_pdf(context, record_id)


def _next_version(context: Context, record_id: int, known: _Known) -> int | None:
    asked = known.asked
    current = (record.c.id == record_id) & (record.c.papers_wanted == asked.wanted)
    values = {"status": "READY", "papers_made": asked.wanted, "version": record.c.version + 1}
    values |= {"papers_facts": known.facts}
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


def _stay(context: Context, record_id: int, asked: _Asked) -> None:
    """Let a record keep the papers that it has, as nothing has changed that they state."""
    _as_it_is(context, record_id, asked)
    asking.for_pdf(context, record_id)
