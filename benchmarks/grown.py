"""A database as it is after years: rows that the product wrote, multiplied in SQL.

The product writes one row of each kind; its copies differ where real rows differ: keys, references, times, people,
status, addresses. So their columns, their sizes and their indexes are the product's, whatever becomes of its tables.

Half of everything belongs to one *great* account, the rest to small ones of 5 000 participants each, and of the records
a quarter to a *done* one, which has extracted all but its last ten. Rows of all accounts come in turn, as they
would in real life, so that none has its own to itself on the disk.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import NoResultFound

from paraphe import accounts, store

#: Participants of a course, courses of a group, courses of the great account in a day.
CLASS, COURSES, DAILY = 20, 250, 50
#: Participants of the great account with the status that is rare, whatever the size.
RARE = 10
#: Records of the done account that are not extracted.
LEFT = 10


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. The journal has half as many rows as there are participants; a tenth of them is remembered."""

    attendance: int
    records: int

    @property
    def courses(self) -> int:
        """Sittings of all accounts together."""
        return self.attendance // CLASS

    @property
    def small(self) -> int:
        """Small accounts."""
        return max(1, self.courses // 2 // COURSES)

    @property
    def groups(self) -> int:
        """Groups of the great account, each with a class of its own."""
        return max(1, self.courses // 2 // COURSES)

    @property
    def journal(self) -> int:
        """Rows of the journal."""
        return self.attendance // 2

    def check(self) -> None:
        """Raise ValueError for a size that the rows cannot be dealt out in."""
        if self.attendance < 2 * CLASS * COURSES or self.records < 8000:
            raise ValueError("there must be at least 10 000 participants and 8 000 records")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is in the database: the account whose rows are copied, and those that have the copies."""

    model: accounts.NewKey
    great: accounts.NewKey
    done: accounts.NewKey
    small: Sequence[accounts.NewKey]


def engage(engine: Engine, size: Size, now: datetime) -> Cast:
    """Make the accounts."""
    with store.writing(engine) as connection:
        names = ["Model", "Great", "Done", *(f"Small {number}" for number in range(size.small))]
        keys = [accounts.create(connection, name, "PRODUCTION", "Europe/Paris", now) for name in names]
    numbers = [key.account.id for key in keys]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return Cast(keys[0], keys[1], keys[2], keys[3:])


def grow(engine: Engine, size: Size, cast: Cast, now: datetime) -> dict[str, float]:
    """Multiply what the model account holds; return the bytes on the disk of a row of each table, indexes included.

    Nothing else may use the database meanwhile.
    """
    with store.reading(engine) as connection:
        statements = list(_statements(connection, size, cast, now))
    if engine.dialect.name == "postgresql":
        return _run_on_postgresql(engine, statements)
    engine.dispose()
    return _run_on_sqlite(str(engine.url.database), statements)


def first_day(size: Size, now: datetime) -> datetime:
    """Return the midnight at which the first day of lessons began; the last one was yesterday."""
    days = size.courses // (2 * DAILY) + 1
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


# The statements --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Statement:
    """What fills a table, and with how many rows."""

    sql: str
    table: str = ""
    rows: int = 0


def _statements(connection: Connection, size: Size, cast: Cast, now: datetime) -> Iterator[_Statement]:
    say = _Sqlite if connection.dialect.name == "sqlite" else _Postgresql
    for table, event, count, differing in _kinds(connection, say, size, cast, now):
        names = [column.name for column in table.columns if column.name != "id"]
        values = ", ".join(differing.get(name, f'model."{name}"') for name in names)
        columns = ", ".join(f'"{name}"' for name in names)
        model = _model(connection, table, cast.model.account.id, event)
        # CROSS JOIN, so that SQLite counts in the outer loop and keeps no list of the numbers.
        yield _Statement(
            f'INSERT INTO "{table.name}" ({columns}) SELECT {values} '  # noqa: S608
            f'FROM {say.series(count)} CROSS JOIN "{table.name}" AS model WHERE model.id = {model}',
            table.name,
            count,
        )
    yield _Statement(
        "UPDATE account SET"
        " last_revision = coalesce((SELECT max(revision) FROM attendance WHERE account_id = account.id), 0),"
        " last_record = (SELECT count(*) FROM record WHERE account_id = account.id)"
    )


_Kind = tuple[Table, str | None, int, Mapping[str, str]]


def _kinds(
    connection: Connection, say: "type[_Sqlite] | type[_Postgresql]", size: Size, cast: Cast, now: datetime
) -> Iterator[_Kind]:
    """Give each table, the event that its model row is of, how many rows it gets, and what differs in them by `n`."""
    great, done, small = (key.account.id for key in (cast.great, cast.done, cast.small[0]))
    begin = int(first_day(size, now).timestamp())
    learners = size.groups * CLASS
    yield (
        store.student,
        None,
        learners + size.small * CLASS,
        {
            "account_id": f"CASE WHEN n < {learners} THEN {great} ELSE {small} + (n - {learners}) / {CLASS} END",
            "reference": say.numbered("STU-", f"CASE WHEN n < {learners} THEN n ELSE (n - {learners}) % {CLASS} END"),
        },
    )
    owner = f"CASE WHEN {{c}} % 2 = 0 THEN {great} ELSE {small} + {{c}} / 2 % {size.small} END"
    midnight = f"{begin} + {{c}} / {2 * DAILY} * 86400"
    yield (
        store.course,
        None,
        size.courses,
        {
            "account_id": owner.format(c="n"),
            "reference": say.numbered("CRS-", "n"),
            "date": say.day(midnight.format(c="n")),
            "start": say.moment(f"{midnight.format(c='n')} + 25200"),
            "end": say.moment(f"{midnight.format(c='n')} + 37800"),
        },
    )
    course, place = f"(n / {CLASS})", f"n % {CLASS}"
    signed = say.moment(f"{midnight.format(c=course)} + 28800 + {course} % {2 * DAILY} * 60")
    moments = dict.fromkeys(("arrived_at", "left_at", "collected_on", "received_on", "modified_on"), signed)
    yield (
        store.attendance,
        None,
        size.attendance,
        {
            "account_id": owner.format(c=course),
            "course_id": f"{_following(connection, store.course)} + {course}",
            "person_reference": say.numbered(
                "STU-",
                f"CASE WHEN {course} % 2 = 0 THEN {course} / 2 % {size.groups} * {CLASS} ELSE 0 END + {place}",
            ),
            "status": f"CASE WHEN n < {RARE * 1000} AND n % 1000 = 13 THEN 'EXCUSED' "
            "WHEN n % 20 = 7 THEN 'ABSENT' ELSE 'PRESENT' END",
            "image_sha256": f"CASE WHEN n % 20 <> 7 THEN {say.digest()} END",
            "link": say.link(),
            "revision": f"CASE WHEN {course} % 2 = 0 THEN {course} / 2 ELSE {course} / 2 / {size.small} END"
            f" * {CLASS} + {place} + 1",
            **moments,
        },
    )
    yield from _kinds_of_records(connection, say, size, (great, done, small), now)
    yield from _kinds_of_messages(say, size, (great, done, small), now)


def _owner_by_fours(size: Size, owners: tuple[int, int, int]) -> str:
    great, done, small = owners
    return f"CASE n % 4 WHEN 2 THEN {done} WHEN 3 THEN {small} + n / 4 % {size.small} ELSE {great} END"


def _kinds_of_records(
    connection: Connection,
    say: "type[_Sqlite] | type[_Postgresql]",
    size: Size,
    owners: tuple[int, int, int],
    now: datetime,
) -> Iterator[_Kind]:
    owner = _owner_by_fours(size, owners)
    last = (size.records + 1) // 4
    # The done account and the small ones have taken what is theirs, but for the last.
    waits = (
        f"n % 4 < 2 OR (n % 4 = 2 AND n / 4 >= {last - LEFT}) OR (n % 4 = 3 AND n / 4 >= {last - LEFT * size.small})"
    )
    count = f"CASE n % 4 WHEN 2 THEN n / 4 WHEN 3 THEN n / 4 / {size.small} ELSE n / 4 * 2 + n % 4 END + 1"
    opened = say.moment(f"{int((now - timedelta(days=1000)).timestamp())} + n * 86400000.0 / {size.records}")
    yield (
        store.record,
        None,
        size.records,
        {
            "account_id": owner,
            "record_number": say.numbered(f"{now.year}-", count),
            "extracted_version": f"CASE WHEN NOT ({waits}) THEN 1 END",
            "extracted_on": f"CASE WHEN NOT ({waits}) THEN {opened} END",
            "created_on": opened,
            "modified_on": opened,
            "invoice_number": say.numbered("FAC-", count),
            "link": say.link(),
            "to_extract": waits,
        },
    )
    record = f"{_following(connection, store.record)} + n"
    document = {"account_id": owner, "record_id": record, "document_id": say.token(), "link": say.link()}
    yield store.document, None, size.records, document
    for event in ("CREATED", "ACKNOWLEDGED"):
        yield store.record_event, event, size.records, {"account_id": owner, "record_id": record}


def _kinds_of_messages(
    say: "type[_Sqlite] | type[_Postgresql]", size: Size, owners: tuple[int, int, int], now: datetime
) -> Iterator[_Kind]:
    owner = _owner_by_fours(size, owners)
    begin, step = int((now - timedelta(days=5)).timestamp()), 400_000 / size.journal
    answered = say.moment(f"{begin} + n * {step * 10}")
    digest = {"message_id": say.numbered("MSG-", "n"), "digest": say.long_digest(), "answered_on": answered}
    yield store.message, None, size.journal // 10, {"account_id": owner, **digest}
    received = {"received_on": say.moment(f"{begin} + n * {step}"), "request_id": say.request(f"{begin}", "n")}
    yield store.journal, None, size.journal, {"account_id": owner, **received}


def _model(connection: Connection, table: Table, account_id: int, event: str | None) -> int:
    found = select(func.min(table.c.id)).where(table.c.account_id == account_id)
    if event is not None:
        found = found.where(table.c.event == event)
    number = connection.scalar(found)
    if number is None:
        raise NoResultFound(f"the model account has nothing in {table.name}")
    return int(number)


def _following(connection: Connection, table: Table) -> int:
    """Return the id that the next row of a table gets."""
    return (connection.scalar(select(func.max(table.c.id))) or 0) + 1


# How either database says it -------------------------------------------------------------------------------------


class _Sqlite:
    @staticmethod
    def series(count: int) -> str:
        numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count - 1})"  # noqa: S608
        return f"({numbers} SELECT n FROM numbers) AS series"  # noqa: S608

    @staticmethod
    def numbered(beginning: str, number: str) -> str:
        return f"printf('{beginning}%06d', {number})"

    @staticmethod
    def moment(seconds: str) -> str:
        return f"strftime('%Y-%m-%dT%H:%M:%S.000000Z', {seconds}, 'unixepoch')"

    @staticmethod
    def day(seconds: str) -> str:
        return f"date({seconds}, 'unixepoch')"

    @staticmethod
    def link() -> str:
        return "randomblob(16)"

    @staticmethod
    def digest() -> str:
        return "lower(hex(randomblob(32)))"

    @staticmethod
    def long_digest() -> str:
        return "randomblob(32)"

    @staticmethod
    def token() -> str:
        return "substr(hex(randomblob(16)), 1, 22)"

    @staticmethod
    def request(begin: str, number: str) -> str:
        return f"printf('%016x', {begin} * 1000000000 + {number}) || lower(hex(randomblob(8)))"


class _Postgresql:
    @staticmethod
    def series(count: int) -> str:
        return f"generate_series(0, {count - 1}) AS series(n)"

    @staticmethod
    def numbered(beginning: str, number: str) -> str:
        digits = f"({number})::text"
        return f"'{beginning}' || lpad({digits}, greatest(6, length({digits})), '0')"

    @staticmethod
    def moment(seconds: str) -> str:
        return f"date_trunc('second', to_timestamp({seconds}))"

    @staticmethod
    def day(seconds: str) -> str:
        return f"(to_timestamp({seconds}) AT TIME ZONE 'UTC')::date"

    @staticmethod
    def link() -> str:
        return "uuid_send(gen_random_uuid())"

    @staticmethod
    def digest() -> str:
        return "encode(sha256(uuid_send(gen_random_uuid())), 'hex')"

    @staticmethod
    def long_digest() -> str:
        return "sha256(uuid_send(gen_random_uuid()))"

    @staticmethod
    def token() -> str:
        return "substr(encode(uuid_send(gen_random_uuid()), 'hex'), 1, 22)"

    @staticmethod
    def request(begin: str, number: str) -> str:
        moment = f"lpad(to_hex({begin}::bigint * 1000000000 + {number}), 16, '0')"
        return f"{moment} || encode(substr(uuid_send(gen_random_uuid()), 1, 8), 'hex')"


def _run_on_sqlite(path: str, statements: Sequence[_Statement]) -> dict[str, float]:
    """Run them without a journal: a database that does not come to its end is thrown away."""
    sizes: dict[str, float] = {}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -3000000"):
            connection.execute(f"PRAGMA {pragma}")
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        for each in statements:
            (before,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(each.sql)
            (after,) = connection.execute("PRAGMA page_count").fetchone()
            if each.rows:
                sizes[each.table] = sizes.get(each.table, 0) + (after - before) * page / each.rows
    return sizes


def _run_on_postgresql(engine: Engine, statements: Sequence[_Statement]) -> dict[str, float]:
    sizes: dict[str, float] = {}
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for each in statements:
            connection.execute(each.sql.encode())
        # As its autovacuum does before long.
        connection.execute("VACUUM (ANALYZE)")
        for each in statements:
            if each.rows:
                row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", [each.table]).fetchone()
                sizes[each.table] = row[0] / each.rows if row else 0
    return sizes
