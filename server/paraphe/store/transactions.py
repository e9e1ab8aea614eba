"""The one way to a transaction, on SQLite and on PostgreSQL."""

import fcntl
import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from math import inf
from time import monotonic, sleep
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    RootTransaction,
    create_engine,
    event,
)
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import ConnectionPoolEntry

from .driver import Busy, is_passing, on_driver, reason
from .queue import Late, lock_file, queue_of

PATIENCE = 30.0
"""Seconds that a writer waits for others on SQLite, which lets one write at a time; see queue.py."""

QUIET = 1.0
"""Seconds without use after which a connection to PostgreSQL is asked whether it still stands."""

# As many connections as `threads` may be set to, one for what is written behind the answers, and some to spare. The
# one that was used last is taken next: it has in its memory what is asked for again.
_POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 32, "pool_use_lifo": True, "hide_parameters": True}

# For every message, so past the compiler: what PostgreSQL is asked that SQLite need not be.
_HOLD = "SELECT pg_try_advisory_xact_lock(%s)"
_LOCK = "SELECT id FROM account WHERE id = %s FOR NO KEY UPDATE"


class Unsure(Busy):
    """The connection broke in the middle of a commit: all of the transaction was stored, or nothing."""


class Taken(Exception):  # noqa: N818
    """Somebody else is at work under the same sole name."""


def open_engine(url: str) -> Engine:
    """Open the database at a SQLAlchemy URL (sqlite:///… or postgresql+psycopg://…); ValueError for others."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    if url.startswith("postgresql+psycopg://"):
        return _tried_when_quiet(create_engine(url, **_POOL))
    if not url.startswith("sqlite:///") or url == "sqlite:///:memory:":
        raise ValueError("the database must be sqlite:///FILE or postgresql://USER@HOST/NAME")
    engine = create_engine(url, connect_args={"timeout": PATIENCE}, **_POOL)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # `begin` below says BEGIN itself
        _use_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _tried_when_quiet(engine: Engine) -> Engine:
    """Have a connection asked whether it still stands, before it is used after some time without use.

    One that broke a moment ago fails the message that uses it, of which nothing is stored then; after that all others
    are asked. To ask before every use would be a fifth of the round trips of a small message.
    """
    broken = [-inf]  # when one was found to be, last

    @event.listens_for(engine, "invalidate")
    def broke(*_: object) -> None:
        broken[0] = monotonic()

    @event.listens_for(engine, "checkin")
    def note(_: object, record: ConnectionPoolEntry) -> None:
        record.info["used"] = monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        used = record.info.get("used", inf)  # a new one stands
        if monotonic() - used > QUIET or used <= broken[0]:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as failure:
                raise InvalidatePoolError from failure

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    """Have the file written ahead (WAL), which it remembers, so that this is done once in its life.

    Two who do it at once are in each other's way, and SQLite does not let the second one wait by itself.
    """
    end = monotonic() + PATIENCE
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if monotonic() > end:
                raise
            sleep(0.01)
        else:
            return


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one state of the database, however long it reads, and stores nothing.

    `Busy` when the database cannot be read now.
    """
    with _told_as_busy(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


Transaction = Callable[[], AbstractContextManager[Connection]]
"""Opens the one transaction of a block; it is committed when that block ends."""


@contextmanager
def writing(engine: Engine, *, sole: str | None = None) -> Iterator[Connection]:
    """Open a transaction: committed durably when the block ends, rolled back whole when it raises.

    `sole` is a name that is held meanwhile, see `alone`. `Busy` when the database cannot be written now, or is locked
    by others for too long: on SQLite for PATIENCE. `Unsure` when nobody can tell whether it was committed; on SQLite,
    which is in this process, that is always known.
    """
    with alone(engine, sole) as transaction, transaction() as connection:
        yield connection


@contextmanager
def alone(engine: Engine, name: str | None) -> Iterator[Transaction]:
    """Hold a name, and give what opens the transaction under it; nothing is locked until it is called.

    Only one may hold a name at a time, over all threads, processes and nodes of this database: a second one gets
    `Taken` at once. A process that dies frees its names. Without a name (None) nothing is held.
    """
    with _told_as_busy():
        if name is None:
            yield partial(_plainly, engine)
        elif engine.dialect.name == "sqlite":
            with _sole_on_sqlite(engine, name):
                yield partial(_plainly, engine)
        else:
            with engine.connect() as connection:
                begun = connection.begin()  # holds the name, and no row that anybody could wait for
                if not on_driver(connection, _HOLD, (_number(name),)).fetchone()[0]:
                    raise Taken(name)
                yield partial(_within, connection, begun)


@contextmanager
def _plainly(engine: Engine) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":
        turn = queue_of(str(engine.url.database)).turn(PATIENCE)
        with turn, engine.connect() as connection:
            connection.execution_options(writes=True)
            with connection.begin():
                yield connection
    else:
        with engine.connect() as connection, _within(connection, connection.begin()):
            yield connection


@contextmanager
def _within(connection: Connection, begun: RootTransaction) -> Iterator[Connection]:
    with _committed(begun):
        yield connection


@contextmanager
def _committed(begun: RootTransaction) -> Iterator[None]:
    worked = False
    try:
        with begun:
            yield
            worked = True
    except OperationalError as failure:
        if worked:
            raise Unsure(reason(failure)) from failure
        raise


@contextmanager
def _told_as_busy() -> Iterator[None]:
    try:
        yield
    except (NoConnection, Late) as failure:
        raise Busy(reason(failure)) from failure
    except (DBAPIError, sqlite3.Error) as failure:
        if not is_passing(failure):
            raise
        raise Busy(reason(failure)) from failure


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


_held: set[tuple[str, int]] = set()
_held_guard = threading.Lock()


@contextmanager
def _sole_on_sqlite(engine: Engine, name: str) -> Iterator[None]:
    """Hold a name: among threads by a set, among processes by a byte of a lock file (freed if we die)."""
    database, offset = str(engine.url.database), _number(name) & 0x3FFF_FFFF_FFFF
    file = lock_file(database)
    with _held_guard:
        if (database, offset) in _held:
            raise Taken(name)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except OSError as held:
            raise Taken(name) from held
        _held.add((database, offset))
    try:
        yield
    finally:
        with _held_guard:
            _held.discard((database, offset))
            fcntl.lockf(file, fcntl.LOCK_UN, 1, offset)


def lock_account(connection: Connection, account_id: int) -> None:
    """Let the writers of one account queue: until this transaction ends no other gets past this line."""
    if connection.dialect.name == "postgresql":
        on_driver(connection, _LOCK, (account_id,))
