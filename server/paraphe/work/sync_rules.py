"""What must hold for a student, a teacher, a room, a course, a contact, beyond what the schema can say.

For each table there is one *check*, which is asked once for a message. It gets the items as they were sent and as they
would be stored (what was sent over what was known), both by columns: for each element, its values in all items, None
where there is none. It gives what is wrong, each time with the item's place (from 0), and may complete what would be
stored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from json import loads
from operator import lt
from typing import Any

from sqlalchemy import Table, select

from .. import contract, store
from ..columns import Columns
from ..context import Context
from ..errors import Code, Error

Found = tuple[int, Error]
Check = Callable[[Context, Columns, dict[str, Sequence[Any]]], Iterable[Found]]

# What the documentation of the schema says in words: the least and the most.
RANGES = {
    "capacity": (0, 100_000),
    "breakMinutes": (0, 1440),
    "signatureOpensBefore": (0, 1440),
    "signatureClosesAfter": (0, 10_080),
}
_LONGEST_SITTING = timedelta(hours=24)
# What lies before is a default value that some program never set (0001-01-01 in .NET), never a day that is meant.
_FIRST_DAY = date(1900, 1, 1)
_FIRST_MOMENT, _LAST_MOMENT = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


# People --------------------------------------------------------------------------------------------------------


def people(context: Context, sent: Columns, stored: Columns) -> Iterator[Found]:
    """Check students and teachers: a possible birth date, no end before its start."""
    today = context.now.astimezone(context.account.time_zone).date()
    for place, born in _outside(sent, "birth_date", _FIRST_DAY, today):
        yield place, _impossible_day("birthDate", born)
    for place, first in _outside(sent, "start", _FIRST_DAY, date.max):
        yield place, _impossible_day("start", first)
    firsts, lasts = stored["start"], stored["end"]
    if None in firsts or None in lasts or any(map(lt, lasts, firsts)):  # else nothing is to be found
        for place, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
            if last is not None and first is not None and last < first:
                yield place, _end_before_start(sent, place, first, last)


def contacts(context: Context, sent: Columns, stored: Columns) -> Iterator[Found]:
    """Check contacts: as people, and each has a name."""
    yield from people(context, sent, stored)
    for place, names in enumerate(zip(stored["organisation"], stored["last_name"], strict=True)):
        if names == (None, None):
            message = "The contact has neither an organisation nor a lastName; one of them is needed."
            yield place, Error(Code.VALUE_REQUIRED, message, field="organisation")


def _said(sent: Columns, key: str) -> Iterator[tuple[int, Any]]:
    """Give the values of an element, with the places of the items that have it."""
    return ((place, value) for place, value in enumerate(sent.get(key, ())) if value is not None)


def _outside(sent: Columns, key: str, least: Any, most: Any) -> Iterator[tuple[int, Any]]:
    """Give the values of an element that are less than the least or more than the most, with their places."""
    values = [value for value in sent.get(key, ()) if value is not None]
    if values and (min(values) < least or max(values) > most):
        yield from ((place, value) for place, value in _said(sent, key) if not least <= value <= most)


def _impossible_day(field: str, day: date) -> Error:
    return Error(
        Code.VALUE_OUT_OF_RANGE,
        f"{field} cannot be {day}.",
        field=field,
        value=str(day),
        hint=f"Leave {field} out when it is not known.",
    )


def _end_before_start(sent: Columns, place: int, start: date, end: date) -> Error:
    sent_start, sent_end = (key in sent and sent[key][place] is not None for key in ("start", "end"))
    stored = ("", "") if sent_start and sent_end else (" (sent)", " (stored)")
    of_end, of_start = stored if sent_end else stored[::-1]
    return Error(
        Code.VALUES_CONTRADICT,
        f"end {end}{of_end} is before start {start}{of_start}.",
        field="end" if sent_end else "start",
    )


# Rooms ---------------------------------------------------------------------------------------------------------


def classrooms(_: Context, sent: Columns, stored: Columns) -> Iterator[Found]:
    """Check rooms and sites: each has a name, a site has no site, the seats can be."""
    rooms = zip(stored["name"], stored["type"], stored["site_reference"], strict=True)
    for place, (name, kind, site) in enumerate(rooms):
        if name is None:
            message = "A room or site needs a name, at the latest when it is new."
            yield place, Error(Code.VALUE_REQUIRED, message, field="name")
        if kind == "SITE" and site is not None:
            message = f"A SITE has no siteReference; this one has {site}."
            hint = "Send type ROOM, or leave siteReference out (and name it in clearFields if it was sent before)."
            yield place, Error(Code.VALUES_CONTRADICT, message, field="siteReference", hint=hint)
    yield from _out_of_range(sent, "capacity")


def _out_of_range(sent: Columns, *fields: str) -> Iterator[Found]:
    for field in fields:
        least, most = RANGES[field]
        for place, value in _outside(sent, contract.snake_case(field), least, most):
            message = f"{field} is {value}; it must be from {least} to {most}."
            yield place, Error(Code.VALUE_OUT_OF_RANGE, message, field=field, value=str(value))


# Courses -------------------------------------------------------------------------------------------------------


def courses(context: Context, sent: Columns, stored: dict[str, Sequence[Any]]) -> Iterator[Found]:
    """Check courses: possible times, and only people, rooms and groups that the account knows.

    Sets the day of the course: it is the day of its start in the account's time zone.
    """
    days = list(stored["date"])
    for place, (first, last) in enumerate(zip(stored["start"], stored["end"], strict=True)):
        if _FIRST_MOMENT <= first < _LAST_MOMENT:
            days[place] = first.astimezone(context.account.time_zone).date()
            for error in _day_and_length(sent["date"][place] if "date" in sent else None, first, last, days[place]):
                yield place, error
        else:
            yield place, _impossible_day("start", first.date())
    stored["date"] = days
    yield from _out_of_range(sent, "breakMinutes", "signatureOpensBefore", "signatureClosesAfter")
    yield from _unknown_references(context, sent)


def _day_and_length(said: date | None, start: datetime, end: datetime, day: date) -> Iterator[Error]:
    if said not in (None, day):
        yield Error(
            Code.VALUES_CONTRADICT,
            f"date is {said}, but start is on {day} in the account's time zone.",
            field="date",
            value=str(said),
            hint="Leave date out: it follows from start.",
        )
    if end <= start:
        yield Error(Code.VALUES_CONTRADICT, f"end {_utc(end)} is not after start {_utc(start)}.", field="end")
    elif end - start > _LONGEST_SITTING:
        message = f"The course lasts from {_utc(start)} to {_utc(end)}; a sitting is 24 hours at most."
        yield Error(Code.VALUE_OUT_OF_RANGE, message, field="end", value=_utc(end))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_HINTS = {
    "teachers": "Send this teacher with SyncTeachers first.",
    "students": "Send this student with SyncStudents first.",
    "classroom": "Send this room with SyncClassrooms first.",
    "groups": "A group is known once a student sent with SyncStudents has it in groups.",
}


def _unknown_references(context: Context, sent: Columns) -> Iterator[Found]:
    """Find the references that the account does not know: one SELECT for each element that names some."""
    for field, hint in _HINTS.items():
        named = [(place, [said] if isinstance(said, str) else said) for place, said in _said(sent, field)]
        wanted = set(chain.from_iterable(references for _, references in named))
        unknown = wanted and wanted - set(_KNOWN[field](context, list(wanted)))
        for place, references in named if unknown else ():
            for reference in dict.fromkeys(references):
                if reference in unknown:
                    message = f"{field}: the account has none with the reference {reference}."
                    code = Code.UNKNOWN_REFERENCE
                    yield place, Error(code, message, field=field, value=reference, hint=hint)


def _rows_of(table: Table) -> Callable[[Context, list[str]], Iterable[str]]:
    """Look references up in a table. Those of inactive rows are known."""

    def known(context: Context, references: list[str]) -> Iterable[str]:
        mine = table.c.account_id == context.account.id
        listed = store.is_among(context.connection, table.c.reference, references)
        return context.connection.scalars(select(table.c.reference).where(mine, listed))

    return known


def _groups(context: Context, _: list[str]) -> Iterable[str]:
    groups = store.student.c.groups
    mine = store.student.c.account_id == context.account.id
    stored = context.connection.scalars(select(groups).where(mine, groups.is_not(None)).distinct())
    return chain.from_iterable(map(loads, stored))


_KNOWN: dict[str, Callable[[Context, list[str]], Iterable[str]]] = {
    "teachers": _rows_of(store.teacher),
    "students": _rows_of(store.student),
    "classroom": _rows_of(store.classroom),
    "groups": _groups,
}
