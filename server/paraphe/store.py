"""The tables, and the one way to a transaction.

SQLite and PostgreSQL differ in this room only. Column names are the contract's element names in snake_case. Lists
and nested elements (`address`, `data`, `groups`, …) are kept as JSON text: they are written and read as a whole.
"""

import fcntl
import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Dialect,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    any_,
    bindparam,
    create_engine,
    event,
    false,
    func,
    select,
    text,
    true,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware, always UTC. SQLite keeps it as text of fixed width, so that it sorts."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Say what the column is in this database."""
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Give the driver what it takes; a naive datetime is a mistake of ours (ValueError)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without time zone")
        return value if dialect.name == "postgresql" else moment_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read a moment back as an aware datetime in UTC."""
        if value is None or isinstance(value, datetime):
            return value if value is None else value.astimezone(UTC)
        return datetime.fromisoformat(value)


@lru_cache(4096)
def moment_text(moment: datetime) -> str:
    """Write a moment as SQLite keeps it: 2026-09-14T07:00:00.000000Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class Money(TypeDecorator[Decimal]):
    """A decimal with two places. SQLite has no decimals, so it keeps whole hundredths."""

    impl = Numeric(14, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Say what the column is in this database."""
        return dialect.type_descriptor(Numeric(14, 2) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Give the driver hundredths (SQLite) or the decimal itself."""
        return value if value is None or dialect.name == "postgresql" else int(value.scaleb(2))

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Read a decimal back with its two places."""
        return value if value is None or dialect.name == "postgresql" else Decimal(value).scaleb(-2)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_Id = BigInteger().with_variant(Integer(), "sqlite")


def _table(name: str, *columns: Any, owned: bool = True) -> Table:
    owner: list[Column[Any]] = [Column("account_id", ForeignKey("account.id"), nullable=False)] if owned else []
    return Table(name, metadata, Column("id", _Id, primary_key=True), *owner, *columns)


def _repository(name: str, *columns: Any) -> Table:
    """A table that a Sync operation brings to what the caller says; keyed by the caller's reference."""
    return _table(
        name,
        Column("reference", String(64), nullable=False),
        *columns,
        Column("active", Boolean, nullable=False, server_default=true()),
        Column("created_on", UtcDateTime, nullable=False),
        Column("modified_on", UtcDateTime, nullable=False),
        UniqueConstraint("account_id", "reference"),
    )


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


def _person() -> list[Column[Any]]:
    return [
        *_texts("civility", "last_name", "first_name"),
        Column("birth_date", Date),
        *_texts("email", "mobile_phone", "phone", "address"),
        Column("start", Date),
        Column("end", Date),
    ]


account = _table(
    "account",
    Column("name", String(100), nullable=False),
    Column("api_user", String(64), nullable=False, unique=True),
    Column("environment", String(16), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("created_on", UtcDateTime, nullable=False),
    # Counted up under the account's row lock, so that numbers are given in the order of the commits.
    Column("last_record", BigInteger, nullable=False, server_default="0"),
    Column("last_revision", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("name", "environment"),
    owned=False,
)
key = _table(
    "key",
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("label", String(100), nullable=False),
    Column("created_on", UtcDateTime, nullable=False),
    Column("last_used_on", UtcDateTime),
    Column("revoked_on", UtcDateTime),
    UniqueConstraint("account_id", "digest"),
)
secret = Table(
    "secret",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary(32), nullable=False),
)

student = _repository(
    "student",
    *_person(),
    *_texts("employer", "financers", "groups", "training", "degree"),
    *_texts("opca_number", "region_number", "unemployed_number", "file_number", "cfa_number"),
    Column("required_signature", Boolean),
    *_texts("data"),
)
teacher = _repository("teacher", *_person(), *_texts("employer", "data"))
classroom = _repository(
    "classroom",
    *_texts("type", "name", "site_reference", "site_name", "address"),
    Column("capacity", Integer),
    *_texts("equipment"),
    Column("remote", Boolean),
    *_texts("data"),
)
course = _repository(
    "course",
    *_texts("name", "training_reference", "training_name", "module"),
    Column("date", Date, nullable=False),
    Column("start", UtcDateTime, nullable=False),
    Column("end", UtcDateTime, nullable=False),
    *_texts("classroom", "modality", "teachers", "students", "groups"),
    Column("break_minutes", Integer),
    Column("signature_opens_before", Integer),
    Column("signature_closes_after", Integer),
    Column("cancelled", Boolean),
    Column("invoiceable", Boolean),
    *_texts("data"),
)
contact = _repository("contact", *_texts("type", "organisation"), *_person(), *_texts("siret", "vat_number", "data"))

attendance = _table(
    "attendance",
    Column("course_id", ForeignKey("course.id"), nullable=False),
    Column("person_type", String(8), nullable=False),
    Column("person_reference", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    *_texts("collect_mode", "place"),
    Column("arrived_at", UtcDateTime),
    Column("left_at", UtcDateTime),
    Column("minutes_present", Integer),
    Column("collected_on", UtcDateTime),
    Column("received_on", UtcDateTime),
    *_texts("justification", "flags"),
    Column("image_sha256", String(64)),
    Column("link", LargeBinary(16), nullable=False, unique=True),
    Column("modified_on", UtcDateTime, nullable=False),
    # The account's count of changes: readers that go on after the last one miss nothing and repeat nothing.
    Column("revision", BigInteger, nullable=False),
    UniqueConstraint("course_id", "person_type", "person_reference"),
    UniqueConstraint("account_id", "revision"),
)
Index("ix_attendance_modified", attendance.c.account_id, attendance.c.modified_on)
Index("ix_attendance_person", attendance.c.account_id, attendance.c.person_type, attendance.c.person_reference)
Index("ix_course_date", course.c.account_id, course.c.date)

record = _table(
    "record",
    Column("record_number", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("extracted_version", Integer),
    Column("extracted_on", UtcDateTime),
    Column("created_on", UtcDateTime, nullable=False),
    Column("modified_on", UtcDateTime, nullable=False),
    *_texts("invoice_number"),
    Column("invoice_date", Date),
    Column("period_start", Date),
    Column("period_end", Date),
    *_texts("payer_reference", "payer_name", "contract_number", "file_number", "seller_siret"),
    Column("quantity", Money),
    *_texts("unit"),
    Column("amount_excl_vat", Money),
    Column("vat_amount", Money),
    Column("amount_incl_vat", Money),
    *_texts("trainees"),
    Column("document_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("link", LargeBinary(16), nullable=False, unique=True),
    # True while `extracted_version` is behind `version`: the list of these has an index of its own.
    Column("to_extract", Boolean, nullable=False),
    UniqueConstraint("account_id", "record_number"),
)
Index(
    "ix_record_to_extract",
    record.c.account_id,
    record.c.id,
    sqlite_where=text("to_extract = 1"),
    postgresql_where=record.c.to_extract,
)
Index("ix_record_account", record.c.account_id, record.c.id)
document = _table(
    "document",
    Column("record_id", ForeignKey("record.id"), nullable=False, index=True),
    Column("document_id", String(32), nullable=False, unique=True),
    Column("document_type", String(32), nullable=False),
    *_texts("title", "file_name"),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_on", UtcDateTime, nullable=False),
    Column("link", LargeBinary(16), nullable=False, unique=True),
)
record_event = _table(
    "record_event",
    Column("record_id", ForeignKey("record.id"), nullable=False, index=True),
    Column("happened_on", UtcDateTime, nullable=False),
    Column("event", String(32), nullable=False),
    Column("request_id", String(32), nullable=False),
    # What the record said before, as JSON.
    *_texts("before"),
)

message = _table(
    "message",
    Column("message_id", String(64), nullable=False),
    Column("operation", String(32), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    # The result as JSON, to be given again.
    Column("answer", Text, nullable=False),
    Column("answered_on", UtcDateTime, nullable=False),
    UniqueConstraint("account_id", "message_id"),
)
journal = Table(
    "journal",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("request_id", String(32), nullable=False, unique=True),
    # Unknown when the caller was not recognised.
    Column("account_id", ForeignKey("account.id")),
    Column("face", String(16), nullable=False),
    Column("operation", String(32)),
    Column("message_id", String(64)),
    Column("received_on", UtcDateTime, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("request_bytes", BigInteger, nullable=False),
    Column("answer_bytes", BigInteger, nullable=False),
    Column("return_code", String(16), nullable=False),
    Column("duplicate", Boolean, nullable=False, server_default=false()),
    Column("error_codes", Text),
)
Index("ix_journal_account", journal.c.account_id, journal.c.received_on)

# Transactions --------------------------------------------------------------------------------------------------


class Busy(Exception):  # noqa: N818 - a state of the database, named as callers speak of it
    """The database cannot take this transaction now; nothing was stored."""


class Taken(Exception):  # noqa: N818
    """Somebody else is at work under the same sole name."""


def open_engine(url: str) -> Engine:
    """Open the database at a SQLAlchemy URL (sqlite:///… or postgresql+psycopg://…); ValueError for others."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    if url.startswith("postgresql+psycopg://"):
        return create_engine(url, pool_size=8, max_overflow=24, pool_pre_ping=True, hide_parameters=True)
    if not url.startswith("sqlite:///") or url == "sqlite:///:memory:":
        raise ValueError("the database must be sqlite:///FILE or postgresql://USER@HOST/NAME")
    engine = create_engine(url, pool_size=8, max_overflow=24, hide_parameters=True, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # `begin` below says BEGIN itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one state of the database and stores nothing."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, sole: str | None = None) -> Iterator[Connection]:
    """Open a transaction: committed durably when the block ends, rolled back whole when it raises.

    `sole` is a name under which only one transaction may run at a time, over all threads, processes and nodes of
    this database: a second one gets `Taken` at once. A process that dies frees its names. `Busy` when the database
    is locked by others for too long.
    """
    try:
        if engine.dialect.name == "sqlite":
            with _sole_on_sqlite(engine, sole), engine.connect() as connection:
                connection.execution_options(writes=True)
                with connection.begin():
                    yield connection
        else:
            with engine.begin() as connection:
                if sole is not None and not connection.scalar(
                    text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": _number(sole)}
                ):
                    raise Taken(sole)
                yield connection
    except OperationalError as failure:
        raise Busy(type(failure.orig).__name__) from failure


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


_held: set[tuple[str, int]] = set()
_held_guard = threading.Lock()
_lock_files: dict[str, int] = {}


@contextmanager
def _sole_on_sqlite(engine: Engine, name: str | None) -> Iterator[None]:
    """Hold a name: among threads by a set, among processes by a byte of a lock file (freed if we die)."""
    if name is None:
        yield
        return
    path, offset = f"{engine.url.database}.locks", _number(name) & 0x3FFF_FFFF_FFFF
    with _held_guard:
        if (path, offset) in _held:
            raise Taken(name)
        if path not in _lock_files:
            _lock_files[path] = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(_lock_files[path], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except OSError as held:
            raise Taken(name) from held
        _held.add((path, offset))
    try:
        yield
    finally:
        with _held_guard:
            _held.discard((path, offset))
            fcntl.lockf(_lock_files[path], fcntl.LOCK_UN, 1, offset)


_account_lock = select(account.c.id).where(account.c.id == bindparam("account")).with_for_update(key_share=True)


def lock_account(connection: Connection, account_id: int) -> None:
    """Let the writers of one account queue: until this transaction ends no other gets past this line."""
    if connection.dialect.name == "postgresql":
        connection.execute(_account_lock, {"account": account_id})


# Bulk ----------------------------------------------------------------------------------------------------------


def upsert(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of a repository table, or update those whose (account_id, reference) is there already.

    Each row holds a value for every column of `columns_of(table)`, in that order. One statement whatever the number
    of rows; `created_on` of an existing row stays.
    """
    if not rows:
        return
    statement = _upsert_statement(table, connection.dialect.name)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])
        return
    columns = columns_of(table)
    said = [{name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]
    document = json.dumps(said, default=_plain, ensure_ascii=False, check_circular=False)
    connection.exec_driver_sql(statement, (document,))


@cache
def columns_of(table: Table) -> tuple[str, ...]:
    """Return the names of all columns but `id`, in the table's order."""
    return tuple(column.name for column in table.c if column.name != "id")


@cache
def _upsert_statement(table: Table, dialect: str) -> str:
    columns = ", ".join(f'"{name}"' for name in columns_of(table))
    changed = ", ".join(
        f'"{name}" = excluded."{name}"'
        for name in columns_of(table)
        if name not in ("account_id", "reference", "created_on")
    )
    if dialect == "sqlite":
        values = "VALUES (" + ", ".join("?" * len(columns_of(table))) + ")"
    else:
        # One parameter for all rows; the database reads each value as its column's type.
        values = f'SELECT {columns} FROM json_populate_recordset(NULL::"{table.name}", %s::json)'  # noqa: S608
    return (
        f'INSERT INTO "{table.name}" ({columns}) {values} ON CONFLICT (account_id, reference) DO UPDATE SET {changed}'
    )


@lru_cache(4096)
def _plain(value: date | datetime) -> str:
    return value.isoformat()


# What the bulk path hands to SQLite's driver by itself, in the form that the types above give to single statements.
# Cached, because the values of a bulk repeat: a thousand students take 6 ms instead of 12. Without its line a bool
# would be looked for in vain, one by one.
sqlite3.register_adapter(date, lru_cache(4096)(date.isoformat))
sqlite3.register_adapter(datetime, moment_text)
sqlite3.register_adapter(bool, int)


def known(
    connection: Connection, table: Table, account_id: int, references: Sequence[str]
) -> dict[str, tuple[Any, ...]]:
    """Return what a repository table holds under these references, active or not, by the reference.

    Each row holds the values of `known_columns(table)`.
    """
    dialect = connection.dialect.name
    values = {"account": account_id, "references": _listed(dialect, references)}
    return {row[0]: tuple(row) for row in connection.execute(_known_statement(table, dialect), values)}


def known_columns(table: Table) -> tuple[str, ...]:
    """Return those of `columns_of(table)` from `reference` to `active`: all but the account and the two dates."""
    return columns_of(table)[1:-2]


@cache
def _known_statement(table: Table, dialect: str) -> Select[Any]:
    # Kept, because to build it for each message takes several times as long as to run it for one row.
    columns = [table.c[name] for name in known_columns(table)]
    references = bindparam("references", type_=_list_types[dialect])
    return select(*columns).where(
        table.c.account_id == bindparam("account"), _among(dialect, table.c.reference, references)
    )


def is_among(connection: Connection, column: Column[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Say `column IN values` with one parameter, however many the values are."""
    dialect = connection.dialect.name
    return _among(dialect, column, bindparam(None, _listed(dialect, values), type_=_list_types[dialect]))


_list_types: dict[str, TypeEngine[Any]] = {"postgresql": ARRAY(Text), "sqlite": Text()}


def _listed(dialect: str, values: Sequence[str]) -> Any:
    return list(values) if dialect == "postgresql" else json.dumps(list(values), ensure_ascii=False)


def _among(dialect: str, column: Column[str], listed: BindParameter[Any]) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return column == any_(listed)
    return column.in_(select(func.json_each(listed).table_valued("value").c.value))
