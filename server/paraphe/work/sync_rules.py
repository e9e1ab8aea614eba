"""What must hold for a student, a teacher, a room, a course, a contact, beyond what the schema can say.

For each table there is one function that prepares a *check* for one message: it does once what depends on the message
as a whole (today's date, which references are known). The check is then asked for every item, and gets the item as it
was sent and its *row* as it would be stored: what was sent over what was known. It returns what is wrong, without
`index` and `reference`, and may complete the row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from json import loads
from typing import Any

from sqlalchemy import Table, select

from .. import contract, store
from ..context import Context
from ..errors import Code, Error

Item = Mapping[str, Any]
Row = dict[str, Any]
Check = Callable[[Item, Row], Iterable[Error]]
Prepare = Callable[[Context, Sequence[Item]], Check]

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


def people(context: Context, _: Sequence[Item]) -> Check:
    """Prepare the check of students and teachers: a possible birth date, no end before its start."""
    today = context.now.astimezone(context.account.time_zone).date()

    def check(item: Item, row: Row) -> Iterator[Error]:
        born, first, last = item.get("birth_date"), row["start"], row["end"]
        if born is not None and not _FIRST_DAY <= born <= today:
            yield _impossible_day("birthDate", born)
        if first is not None and "start" in item and first < _FIRST_DAY:
            yield _impossible_day("start", first)
        if last is not None and first is not None and last < first:
            yield _end_before_start(item, first, last)

    return check


def contacts(context: Context, items: Sequence[Item]) -> Check:
    """Prepare the check of contacts: as people, and each has a name."""
    check_person = people(context, items)

    def check(item: Item, row: Row) -> Iterator[Error]:
        yield from check_person(item, row)
        if row["organisation"] is None and row["last_name"] is None:
            yield Error(
                Code.VALUE_REQUIRED,
                "The contact has neither an organisation nor a lastName; one of them is needed.",
                field="organisation",
            )

    return check


def _impossible_day(field: str, day: date) -> Error:
    return Error(
        Code.VALUE_OUT_OF_RANGE,
        f"{field} cannot be {day}.",
        field=field,
        value=str(day),
        hint=f"Leave {field} out when it is not known.",
    )


def _end_before_start(item: Item, start: date, end: date) -> Error:
    stored = ("", "") if "start" in item and "end" in item else (" (sent)", " (stored)")
    of_end, of_start = stored if "end" in item else stored[::-1]
    return Error(
        Code.VALUES_CONTRADICT,
        f"end {end}{of_end} is before start {start}{of_start}.",
        field="end" if "end" in item else "start",
    )


# Rooms ---------------------------------------------------------------------------------------------------------


def classrooms(_: Context, __: Sequence[Item]) -> Check:
    """Prepare the check of rooms and sites: each has a name, a site has no site, the seats can be."""
    impossible_numbers = _ranges("capacity")

    def check(item: Item, row: Row) -> Iterator[Error]:
        if row["name"] is None:
            yield Error(Code.VALUE_REQUIRED, "A room or site needs a name, at the latest when it is new.", field="name")
        if row["type"] == "SITE" and row["site_reference"] is not None:
            yield Error(
                Code.VALUES_CONTRADICT,
                f"A SITE has no siteReference; this one has {row['site_reference']}.",
                field="siteReference",
                hint="Send type ROOM, or leave siteReference out (and name it in clearFields if it was sent before).",
            )
        yield from impossible_numbers(item)

    return check


def _ranges(*fields: str) -> Callable[[Item], Iterator[Error]]:
    limits = [(field, contract.snake_case(field), *RANGES[field]) for field in fields]

    def check(item: Item) -> Iterator[Error]:
        for field, key, least, most in limits:
            if key in item and not least <= item[key] <= most:
                message = f"{field} is {item[key]}; it must be from {least} to {most}."
                yield Error(Code.VALUE_OUT_OF_RANGE, message, field=field, value=str(item[key]))

    return check


# Courses -------------------------------------------------------------------------------------------------------


def courses(context: Context, items: Sequence[Item]) -> Check:
    """Prepare the check of courses: possible times, and only people, rooms and groups that the account knows.

    The check also sets the day of the course: it is the day of its start in the account's time zone.
    """
    zone = context.account.time_zone
    impossible_numbers = _ranges("breakMinutes", "signatureOpensBefore", "signatureClosesAfter")
    unknown = _unknown_references(context, items)

    def check(item: Item, row: Row) -> Iterator[Error]:
        first, last = row["start"], row["end"]
        if _FIRST_MOMENT <= first < _LAST_MOMENT:
            row["date"] = first.astimezone(zone).date()
            yield from _day_and_length(item, first, last, row["date"])
        else:
            yield _impossible_day("start", first.date())
        yield from impossible_numbers(item)
        for field, missing in unknown.items():
            yield from _named_but_unknown(field, item, missing)

    return check


def _day_and_length(item: Item, start: datetime, end: datetime, day: date) -> Iterator[Error]:
    if item.get("date", day) != day:
        yield Error(
            Code.VALUES_CONTRADICT,
            f"date is {item['date']}, but start is on {day} in the account's time zone.",
            field="date",
            value=str(item["date"]),
            hint="Leave date out: it follows from start.",
        )
    if end <= start:
        yield Error(Code.VALUES_CONTRADICT, f"end {_utc(end)} is not after start {_utc(start)}.", field="end")
    elif end - start > _LONGEST_SITTING:
        message = f"The course lasts from {_utc(start)} to {_utc(end)}; a sitting is 24 hours at most."
        yield Error(Code.VALUE_OUT_OF_RANGE, message, field="end", value=_utc(end))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _named_but_unknown(field: str, item: Item, unknown: set[str]) -> Iterator[Error]:
    for reference in dict.fromkeys(_named(item, field)):
        if reference in unknown:
            yield Error(
                Code.UNKNOWN_REFERENCE,
                f"{field}: the account has none with the reference {reference}.",
                field=field,
                value=reference,
                hint=_HINTS[field],
            )


_HINTS = {
    "teachers": "Send this teacher with SyncTeachers first.",
    "students": "Send this student with SyncStudents first.",
    "classroom": "Send this room with SyncClassrooms first.",
    "groups": "A group is known once a student sent with SyncStudents has it in groups.",
}


def _named(item: Item, field: str) -> Sequence[str]:
    value: str | Sequence[str] = item.get(field, ())
    return (value,) if isinstance(value, str) else value


def _unknown_references(context: Context, items: Sequence[Item]) -> dict[str, set[str]]:
    """Return, by field, the references in `items` that the account does not know: one SELECT for each field."""
    unknown = {}
    for field in _HINTS:
        named = set(chain.from_iterable(_named(item, field) for item in items))
        missing = named and named - set(_KNOWN[field](context, list(named)))
        if missing:
            unknown[field] = missing
    return unknown


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
