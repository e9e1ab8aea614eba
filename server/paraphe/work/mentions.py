"""Of what the papers of a record speak, and which records are concerned when that changes.

A *mention* says that a record's papers state something of a row of the repositories (by its reference), or would state
it if there were such a row. Mentions are written before what the papers state is read, under the lock of the account:
so a message that changes a row either comes before that and is read, or sees the mention.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, or_, select, union_all, update

from ..accounts import Account
from ..columns import Columns
from ..context import Context
from ..store import course, is_among, lock_account, mention, record, writing
from .jobs import Kind, enqueue

STUDENT, TEACHER, CLASSROOM = "STUDENT", "TEACHER", "CLASSROOM"
COURSE, CONTACT, GROUP = "COURSE", "CONTACT", "GROUP"

Mention = tuple[str, str]
"""What it is of, and the reference."""

_OTHERS_CHANGE = timedelta(minutes=1)
_AT_ONCE = 500  # records in one statement
_NAMES = frozenset({"civility", "last_name", "first_name"})
#: What a row of a table is to papers, and which of its columns they state.
_STATED: dict[str, tuple[str, frozenset[str]]] = {
    "students": (STUDENT, _NAMES | {"groups", "employer", "cfa_number", "unemployed_number", "required_signature"}),
    "teachers": (TEACHER, _NAMES),
    "classrooms": (CLASSROOM, frozenset({"name", "site_name"})),
    "contacts": (CONTACT, frozenset({"organisation", "siret"})),
    "courses": (
        COURSE,
        frozenset({"name", "training_reference", "training_name", "module", "date", "start", "end", "classroom"})
        | {"modality", "teachers", "students", "groups", "break_minutes", "cancelled", "invoiceable", "active"},
    ),
}


# Kept ----------------------------------------------------------------------------------------------------------


def kept(connection: Connection, record_id: int) -> set[Mention]:
    """Return the mentions of a record."""
    found = connection.execute(select(mention.c.kind, mention.c.reference).where(mention.c.record_id == record_id))
    return {(row[0], row[1]) for row in found}


def add(engine: Engine, account: Account, record_id: int, more: Collection[Mention]) -> None:
    """Write mentions, once no message of the account is under way that does not see them."""
    with writing(engine) as connection:
        lock_account(connection, account.id)
        new = sorted(set(more) - kept(connection, record_id))
        of = {"account_id": account.id, "record_id": record_id}
        if new:
            connection.execute(insert(mention), [of | {"kind": kind, "reference": name} for kind, name in new])


def forget(connection: Connection, record_id: int, those: Iterable[Mention]) -> None:
    """Take away mentions of what the papers of a record speak of no more."""
    for kind, name in those:
        this = (mention.c.record_id == record_id) & (mention.c.kind == kind) & (mention.c.reference == name)
        connection.execute(delete(mention).where(this))


# Changed -------------------------------------------------------------------------------------------------------


class Changes:
    """What one message changes of a table, as far as papers may state it; without papers it costs nothing."""

    def __init__(self, context: Context, key: str, *, dry_run: bool) -> None:
        """Begin with nothing; `key` is the name of the list in the message ("students")."""
        self._context = context
        self._counts = context.account.prepares and not dry_run
        self._kind, self._stated = _STATED[key]
        self._changed: set[str] = set()

    def add(self, created: Columns, updated: Columns, references: Sequence[str | None], actions: Sequence[str]) -> None:
        """Take a slice: its new rows, the columns in which known ones changed, what is said of each of its items."""
        if not self._counts:
            return
        if created:
            self._changed.update(created["reference"])
        if self._stated & updated.keys():
            pairs = zip(references, actions, strict=True)
            self._changed.update(name for name, action in pairs if name is not None and action == "UPDATED")

    def settle(self, removed: Collection[str]) -> None:
        """Have the papers made anew of all records that are concerned; `removed` are rows that became inactive.

        One statement if there is none, and two for courses; none if nothing changed that papers could state.
        """
        if self._counts and self._kind == COURSE:
            self._changed.update(removed)
        if self._changed:
            found = self._by_courses() if self._kind == COURSE else self._by_rows()
            _make_anew(self._context, found)

    def _by_rows(self) -> set[int]:
        these = _of(self._context, self._kind, self._changed)
        return set(self._context.connection.scalars(select(mention.c.record_id).where(these)))

    def _by_courses(self) -> set[int]:
        """Return records that speak of these courses, or whose trainees are to be in them within the period."""
        connection = self._context.connection
        known = select(course.c.date, course.c.students, course.c.groups).where(
            course.c.account_id == self._context.account.id, is_among(connection, course.c.reference, [*self._changed])
        )
        days: dict[Mention, set[date]] = defaultdict(set)
        for day, students, groups in connection.execute(known):
            for kind, names in ((STUDENT, students), (GROUP, groups)):
                for name in json.loads(names or "[]"):
                    days[kind, name].add(day)
        return _within(self._context, days) | self._by_rows()


def ask_again(context: Context, changed: Sequence[Mapping[str, Any]]) -> None:
    """Have papers made anew that speak of attendance which has changed; `changed` are rows of that table."""
    if not changed or not context.account.prepares:
        return
    numbers = {each["course_id"] for each in changed}
    columns = course.c.id, course.c.reference, course.c.date
    courses = {row.id: row for row in context.connection.execute(select(*columns).where(course.c.id.in_(numbers)))}
    days: dict[Mention, set[date]] = defaultdict(set)
    for each in changed:
        held = courses[each["course_id"]]
        of_student = each["person_type"] == "STUDENT"
        days[(STUDENT, each["person_reference"]) if of_student else (COURSE, held.reference)].add(held.date)
    _make_anew(context, _within(context, days))


def _of(context: Context, kind: str, names: Collection[str]) -> ColumnElement[bool]:
    mine = (mention.c.account_id == context.account.id) & (mention.c.kind == kind)
    return mine & is_among(context.connection, mention.c.reference, sorted(names))


def _within(context: Context, days: Mapping[Mention, Collection[date]]) -> set[int]:
    """Return the records that speak of something one of whose days is in their period. One statement."""
    names: dict[str, set[str]] = defaultdict(set)
    for kind, name in days:
        names[kind].add(name)
    if not names:
        return set()
    every = sorted({day for some in days.values() for day in some})
    columns = mention.c.record_id, mention.c.kind, mention.c.reference, record.c.period_start, record.c.period_end
    overlaps = (record.c.period_start <= every[-1]) & (record.c.period_end >= every[0])
    found = [
        select(*columns)
        .join_from(mention, record, mention.c.record_id == record.c.id)
        .where(_of(context, kind, some), overlaps)
        for kind, some in names.items()
    ]
    rows = context.connection.execute(union_all(*found))
    return {number for number, kind, name, start, end in rows if any(start <= day <= end for day in days[kind, name])}


def _make_anew(context: Context, records: Collection[int]) -> None:
    """Have the papers of records made anew, a moment later: where one thing changes others change as well."""
    numbers = sorted(records)
    wanted = {"papers_wanted": record.c.papers_wanted + 1, "status": "PREPARING"}
    for begin in range(0, len(numbers), _AT_ONCE):
        some = numbers[begin : begin + _AT_ONCE]
        ready = or_(record.c.status == "READY", record.c.status == "PREPARING")
        context.connection.execute(update(record).where(record.c.id.in_(some), ready).values(wanted))
        enqueue(context, Kind.PREPARE, *some, after=_OTHERS_CHANGE)
