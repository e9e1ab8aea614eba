"""The sittings that an invoice is about, with who was there, collected from the planning and the attendance.

A sitting counts if it is in the invoiced period, was not cancelled, and is invoiceable. Of its participants only the
trainees of the invoice are collected, and the trainers: what one payer gets says nothing of the trainees of others.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, func, or_, select

from ..accounts import Account
from ..documents.facts import (
    Invoiced,
    InvoicedTrainee,
    Person,
    Presence,
    Sitting,
    Standing,
    Training,
)
from ..store import attendance, classroom, contact, course, is_among, student, teacher

#: How far from the period signatures are looked for that the invoice may have meant.
_AROUND = timedelta(days=31)
_THERE = ("PRESENT", "LATE", "EARLY_DEPARTURE")

_Row = Row[*tuple[Any, ...]]
Mention = tuple[str, str]
Mark = Callable[[_Row], Mapping[str, Any]]
"""What a presence holds besides of a row of attendance: the picture of the signature, its address."""


@dataclass(frozen=True, slots=True)
class Collected:
    """An invoice, its sittings in the order of time, and minutes signed around its period by students' references.

    `mentions` are all rows that this was read from, or would be read from if they were there.
    """

    invoiced: Invoiced
    sittings: tuple[Sitting, ...]
    outside: Mapping[str, int]
    mentions: frozenset[Mention] = frozenset()


def collect(
    connection: Connection, account: Account, number: str, said: Mapping[str, Any], mark: Mark | None = None
) -> Collected:
    """Collect all that the papers of an invoice speak of. Six statements at most, whatever there is to collect."""
    people = _people(connection, account, said)
    invoiced = _invoiced(number, said, people)
    mentions = _of_people(said, people)
    start, end = said.get("period_start"), said.get("period_end")
    if not people or start is None or end is None or end < start:
        return Collected(invoiced, (), {}, mentions)
    rows = _rows(connection, account, people, (start - _AROUND, end + _AROUND))
    inside = [row for row in rows if start <= row.date <= end]
    outside: dict[str, int] = {}
    for row in rows:
        if not start <= row.date <= end and (minutes := _signed(row, people)):
            outside[row.person_reference] = outside.get(row.person_reference, 0) + minutes
    planned = _planned(connection, account, people, (start, end))
    for row in inside:
        planned.setdefault(row.course, set()).add(row.person_reference)
    sittings, more = _sittings(connection, account, planned, inside, people, mark)
    return Collected(invoiced, sittings, outside, mentions | more)


# The invoice ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Student:
    person: Person
    groups: frozenset[str]
    signs: bool
    employer: str | None


def _people(connection: Connection, account: Account, said: Mapping[str, Any]) -> dict[str, _Student]:
    """Return the students of an invoice by their references."""
    references = sorted({each["reference"] for each in said.get("trainees", ()) if "reference" in each})
    if not references:
        return {}
    employs = and_(contact.c.account_id == student.c.account_id, contact.c.reference == student.c.employer)
    names = "reference", "civility", "last_name", "first_name", "groups", "required_signature", "employer"
    numbers = student.c.cfa_number, student.c.unemployed_number
    found = connection.execute(
        select(*(student.c[name] for name in names), *numbers, contact.c.organisation, contact.c.siret)
        .join_from(student, contact, employs, isouter=True)
        .where(student.c.account_id == account.id, is_among(connection, student.c.reference, references))
    )
    return {
        row.reference: _Student(
            Person(
                row.reference,
                row.last_name or "",
                row.first_name or "",
                row.civility or "",
                row.organisation or "",
                row.siret or "",
                _standing(row),
            ),
            frozenset(json.loads(row.groups or "[]")),
            row.required_signature is not False,
            row.employer,
        )
        for row in found
    }


def _of_people(said: Mapping[str, Any], people: Mapping[str, _Student]) -> frozenset[Mention]:
    """Return the mentions of trainees, known or not, of their groups and of those who employ them."""
    named = {("STUDENT", each["reference"]) for each in said.get("trainees", ()) if "reference" in each}
    groups = {("GROUP", group) for each in people.values() for group in each.groups}
    return frozenset(named | groups | {("CONTACT", each.employer) for each in people.values() if each.employer})


def _standing(row: _Row) -> Standing:
    if row.cfa_number:
        return Standing.APPRENTICE
    if row.unemployed_number:
        return Standing.JOB_SEEKER
    return Standing.EMPLOYEE if row.organisation else Standing.OTHER


def _invoiced(number: str, said: Mapping[str, Any], people: Mapping[str, _Student]) -> Invoiced:
    names = "invoice_number", "payer_name", "contract_number", "file_number"
    trainees = tuple(
        InvoicedTrainee(
            _person(each, people),
            each.get("quantity"),
            each.get("contract_number", ""),
            each.get("file_number", ""),
            each.get("unit", ""),
        )
        for each in said.get("trainees", ())
    )
    return Invoiced(
        number,
        invoice_date=said.get("invoice_date"),
        period_start=said.get("period_start"),
        period_end=said.get("period_end"),
        quantity=said.get("quantity"),
        unit=said.get("unit", "HOUR"),
        trainees=trainees,
        **{name: said.get(name, "") for name in names},
    )


def invoiced_of(number: str, said: Mapping[str, Any]) -> Invoiced:
    """Return what the invoice of a record says, with trainees as it names them."""
    return _invoiced(number, said, {})


def _person(each: Mapping[str, Any], people: Mapping[str, _Student]) -> Person:
    known = people.get(each.get("reference", ""))
    return known.person if known else Person("", each.get("last_name", ""), each.get("first_name", ""))


# Who was to be there, who was ----------------------------------------------------------------------------------


def _takes_place(account: Account, days: tuple[date, date]) -> Any:
    return and_(
        course.c.account_id == account.id,
        course.c.date.between(*days),
        course.c.active,
        or_(course.c.cancelled.is_(None), ~course.c.cancelled),
        or_(course.c.invoiceable.is_(None), course.c.invoiceable),
    )


def _planned(
    connection: Connection, account: Account, people: Mapping[str, _Student], days: tuple[date, date]
) -> dict[str, set[str]]:
    """Return who of the invoice is to be in which course, after the planning."""
    found = connection.execute(
        select(course.c.reference, course.c.students, course.c.groups).where(_takes_place(account, days))
    )
    in_group: dict[str, set[str]] = {}
    for reference, each in people.items():
        for group in each.groups:
            in_group.setdefault(group, set()).add(reference)
    expected: dict[str, set[str]] = {}
    for row in found:
        there = people.keys() & orjson.loads(row.students or "[]")
        for group in orjson.loads(row.groups or "[]"):
            there |= in_group.get(group, set())
        if there:
            expected[row.reference] = there
    return expected


_OF_ATTENDANCE = (
    *("person_reference", "status", "collect_mode", "arrived_at", "left_at", "minutes_present", "collected_on"),
    *("received_on", "justification", "flags", "image_sha256", "link"),
)
_OF_COURSE = ("date", "start", "end", "break_minutes")


def _attended() -> Any:
    columns = [attendance.c[name] for name in _OF_ATTENDANCE]
    times = [course.c[name] for name in _OF_COURSE]
    return select(course.c.reference.label("course"), *columns, *times).join_from(
        attendance, course, attendance.c.course_id == course.c.id
    )


def _rows(
    connection: Connection, account: Account, people: Mapping[str, _Student], days: tuple[date, date]
) -> Sequence[_Row]:
    whose = is_among(connection, attendance.c.person_reference, list(people))
    mine = and_(attendance.c.account_id == account.id, attendance.c.person_type == "STUDENT", whose)
    return connection.execute(_attended().where(mine, _takes_place(account, days)).order_by(attendance.c.id)).all()


def _signed(row: _Row, people: Mapping[str, _Student]) -> int:
    """Return the minutes that are signed for; who need not sign counts as soon as he was there."""
    known = people.get(row.person_reference)
    drawn = row.image_sha256 is not None or row.collect_mode not in (None, "MANUAL")
    if row.status not in _THERE or not (drawn or (known is not None and not known.signs)):
        return 0
    return _length(row) if row.minutes_present is None else int(row.minutes_present)


def _length(row: _Row) -> int:
    return max(0, int((row.end - row.start).total_seconds()) // 60 - (row.break_minutes or 0))


# The sittings --------------------------------------------------------------------------------------------------


def _sittings(
    connection: Connection,
    account: Account,
    planned: Mapping[str, set[str]],
    rows: Iterable[_Row],
    people: Mapping[str, _Student],
    mark: Mark | None,
) -> tuple[tuple[Sitting, ...], frozenset[Mention]]:
    there = {(row.course, row.person_reference): _presence(row, people, account, mark) for row in rows}
    trainers = _trainers(connection, account, list(planned), mark)
    room = and_(classroom.c.account_id == course.c.account_id, classroom.c.reference == course.c.classroom)
    names = "reference", "name", "training_reference", "training_name", "module", "start", "end", "break_minutes"
    found = connection.execute(
        select(*(course.c[name] for name in names), course.c.modality, course.c.teachers)
        .add_columns(classroom.c.name.label("room"), classroom.c.site_name, course.c.classroom)
        .join_from(course, classroom, room, isouter=True)
        .where(course.c.account_id == account.id, is_among(connection, course.c.reference, list(planned)))
        .order_by(course.c.start, course.c.reference)
    ).all()
    absent = _not_seen(connection, account, found, trainers)
    sittings = tuple(
        Sitting(
            row.reference,
            row.name or "",
            Training(row.training_name or row.name or "", number=row.training_reference or ""),
            row.start.astimezone(account.time_zone),
            row.end.astimezone(account.time_zone),
            _length(row),
            _with_absent(trainers.get(row.reference, ()), json.loads(row.teachers or "[]"), absent),
            tuple(
                there.get((row.reference, reference)) or Presence(people[reference].person, "EXPECTED")
                for reference in sorted(planned[row.reference], key=lambda each: _by_name(people[each].person))
            ),
            row.module or "",
            ", ".join(part for part in (row.site_name, row.room) if part),
            row.modality or "ON_SITE",
        )
        for row in found
    )
    mentions = {("COURSE", row.reference) for row in found}
    mentions |= {("CLASSROOM", row.classroom) for row in found if row.classroom}
    mentions |= {("TEACHER", name) for row in found for name in json.loads(row.teachers or "[]")}
    there_too = {("TEACHER", each.person.reference) for presences in trainers.values() for each in presences}
    return sittings, frozenset(mentions | there_too)


def _by_name(person: Person) -> tuple[str, str, str]:
    return person.last_name, person.first_name, person.reference


def _presence(row: _Row, people: Mapping[str, _Student], account: Account, mark: Mark | None) -> Presence:
    return _made(people[row.person_reference].person, row, _signed(row, people), account, mark)


def _made(person: Person, row: _Row, minutes: int, account: Account, mark: Mark | None) -> Presence:
    def local(name: str) -> Any:
        moment = getattr(row, name)
        return moment and moment.astimezone(account.time_zone)

    return Presence(
        person,
        row.status,
        minutes,
        local("collected_on"),
        local("received_on"),
        "SIGNED_AFTER_WINDOW" in json.loads(row.flags or "[]"),
        local("arrived_at"),
        local("left_at"),
        row.justification or "",
        **(mark(row) if mark else {}),
    )


def _trainers(
    connection: Connection, account: Account, courses: list[str], mark: Mark | None
) -> dict[str, tuple[Presence, ...]]:
    """Return the trainers of whom attendance is known, by their courses."""
    theirs = and_(teacher.c.account_id == account.id, teacher.c.reference == attendance.c.person_reference)
    found = connection.execute(
        _attended()
        .add_columns(teacher.c.last_name, teacher.c.first_name, func.coalesce(teacher.c.civility, "").label("civility"))
        .outerjoin(teacher, theirs)
        .where(
            attendance.c.account_id == account.id,
            attendance.c.person_type == "TEACHER",
            is_among(connection, course.c.reference, courses),
        )
        .order_by(attendance.c.id)
    )
    trainers: dict[str, tuple[Presence, ...]] = {}
    for row in found:
        person = Person(row.person_reference, row.last_name or "", row.first_name or "", row.civility)
        trainers[row.course] = (*trainers.get(row.course, ()), _made(person, row, _signed(row, {}), account, mark))
    return trainers


def _not_seen(
    connection: Connection,
    account: Account,
    courses: Iterable[_Row],
    trainers: Mapping[str, tuple[Presence, ...]],
) -> dict[str, Person]:
    """Return the trainers of the planning of whom no attendance is known."""
    known = {each.person.reference for presences in trainers.values() for each in presences}
    missing = sorted({each for row in courses for each in json.loads(row.teachers or "[]")} - known)
    if not missing:
        return {}
    columns = teacher.c.reference, teacher.c.last_name, teacher.c.first_name, teacher.c.civility
    found = connection.execute(
        select(*columns).where(teacher.c.account_id == account.id, is_among(connection, teacher.c.reference, missing))
    )
    return {row[0]: Person(row[0], row[1] or "", row[2] or "", row[3] or "") for row in found}


def _with_absent(
    there: tuple[Presence, ...], planned: Sequence[str], absent: Mapping[str, Person]
) -> tuple[Presence, ...]:
    known = {each.person.reference for each in there}
    more = [absent[each] for each in planned if each not in known and each in absent]
    return (*there, *(Presence(person, "EXPECTED") for person in more))
