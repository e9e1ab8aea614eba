"""store/: transactions, what is written later, and what is forgotten."""

import logging
import sqlite3
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, column, create_engine, event, insert, select, table, text
from sqlalchemy.pool import NullPool

from paraphe import store
from paraphe.store import later as later_module
from paraphe.store import transactions

from .conftest import NOW
from .soap.processes import InThread, threads_in, until

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ROW = insert(store.secret)


def secret(name):
    return {"name": name, "value": b"x"}


def names(engine):
    """What stands in the table, in its order."""
    with store.reading(engine) as connection:
        return list(connection.scalars(select(store.secret.c.name).order_by(store.secret.c.name)))


@pytest.fixture
def engine(engine):
    """A fresh database whose table `secret` is empty."""
    with store.writing(engine) as connection:
        connection.execute(store.secret.delete())
    return engine


@pytest.fixture
def later(engine):
    with store.Later(engine) as later:
        yield later


@pytest.fixture
def commits(engine):
    """One entry for each commit from now on."""
    seen: list[object] = []
    event.listen(engine, "commit", seen.append)
    return seen


# Transactions ----------------------------------------------------------------------------------------------------


def test_a_new_file_that_others_are_just_using_is_waited_for(tmp_path):
    path = tmp_path / "new.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE mine (id)")
    other.execute("BEGIN IMMEDIATE")
    engine = store.open_engine(f"sqlite:///{path}")
    opening = InThread(lambda: names_of_tables(engine))
    until(lambda: threads_in("_use_wal"))
    other.execute("COMMIT")
    other.close()

    assert opening() == ["mine"]
    with store.reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_sqlite_waits_for_the_disk_and_holds_references_to_what_there_is(tmp_path):
    engine = store.open_engine(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with store.reading(engine) as connection:
        said = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "foreign_keys")}
    engine.dispose()

    full = 2
    assert said == {"synchronous": full, "foreign_keys": 1}


def names_of_tables(engine):
    with store.reading(engine) as connection:
        return list(connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars())


@pytest.fixture
def kept(tmp_path, database, monkeypatch):
    """A database that others keep for themselves, opened by somebody with little patience."""
    monkeypatch.setattr(transactions, "PATIENCE", 0.05)
    with database("sqlite", tmp_path) as url:
        engine = store.open_engine(url)
        lookup = store.Lookup(engine, select(store.secret.c.name))
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("DELETE FROM secret")
        yield engine, lookup
        other.close()
        engine.dispose()


@pytest.mark.parametrize("way", ["read", "write", "look up"])
def test_a_database_that_does_not_answer_in_time_is_busy(kept, way):
    engine, lookup = kept

    def use(opened):
        with opened(engine) as connection:
            connection.execute(select(store.secret))

    ways = {"read": lambda: use(store.reading), "write": lambda: use(store.writing), "look up": lookup.first}
    with pytest.raises(store.Busy):
        ways[way]()


def test_a_row_is_looked_up_with_its_columns_as_they_were_stored(engine, account):
    lookup = store.Lookup(engine, select(store.account).where(store.account.c.name == account.name))

    row = lookup.first(name_1=account.name)
    assert (row.id, row.created_on, row.tolerant) == (account.id, NOW, False)
    assert lookup.first(name_1="nobody") is None


def test_a_lookup_that_fails_leaves_no_connection_that_commits_by_itself(engine, account):
    lookup = store.Lookup(engine, select(store.account).where(store.account.c.name == account.name))
    with pytest.raises(UnicodeEncodeError):
        lookup.first(name_1="\ud800")

    with suppress(ZeroDivisionError), store.writing(engine) as connection:
        connection.execute(ROW, secret("half"))
        raise ZeroDivisionError

    assert names(engine) == []


READ_ONLY = "SET default_transaction_read_only = on"


def end_connection(engine):
    """Have PostgreSQL end the connection that an engine keeps, as when it is started again."""
    with store.reading(engine) as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    with create_engine(engine.url, poolclass=NullPool).connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_while_nobody_used_it_is_noticed_before_it_is_used(engine, monkeypatch):
    end_connection(engine)
    monkeypatch.setattr(transactions, "QUIET", 0.0)

    assert names(engine) is not None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_a_moment_ago_fails_one_message_and_no_other(engine):
    end_connection(engine)

    with pytest.raises(store.Busy), store.reading(engine) as connection:
        connection.execute(text("SELECT 1"))
    assert names(engine) is not None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("statement", [ROW, store.Prepared(ROW, ["name", "value"])], ids=["any", "prepared"])
def test_a_standby_that_is_no_primary_yet_is_busy(engine, statement):
    event.listen(engine, "connect", lambda driver, _: driver.execute(READ_ONLY) and driver.commit())
    engine.dispose()

    with pytest.raises(store.Busy, match="read-only transaction"), store.writing(engine) as connection:
        run(statement, connection, secret("a"))


def run(statement, connection, values):
    if isinstance(statement, store.Prepared):
        statement.execute(connection, values)
    else:
        connection.execute(statement, values)


MISSING: Select[Any] = select(column("name")).select_from(table("no_such_table"))


@pytest.mark.parametrize("statement", [MISSING, store.Prepared(MISSING)], ids=["any", "prepared"])
def test_a_database_without_its_tables_is_not_called_busy(engine, statement):
    with pytest.raises(Exception, match="no_such_table") as failure, store.reading(engine) as connection:
        run(statement, connection, {})

    assert not isinstance(failure.value, store.Busy)


# Later -----------------------------------------------------------------------------------------------------------


def test_what_is_owed_is_written_together(engine, later, commits):
    for number in range(100):
        later.owe(ROW, secret(f"{number:03}"))

    assert later.settle(60)
    assert len(names(engine)) == 100
    assert len(commits) <= 3


def test_what_is_owed_is_written_soon_without_being_asked_for(engine, later):
    later.owe(ROW, secret("a"))

    until(lambda: names(engine) == ["a"])


def test_nobody_waits_for_what_is_owed(engine, later):
    with store.writing(engine) as connection:
        lock(connection)
        later.owe(ROW, secret("a"))
        assert not later.settle(0.2)

    assert later.settle(60)
    assert names(engine) == ["a"]


def lock(connection):
    """Keep others from writing the table; on SQLite whoever may write does."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE secret IN ACCESS EXCLUSIVE MODE")


def test_a_row_that_the_database_refuses_holds_up_no_other(engine, later, caplog):
    for name in ("a", "b", "b", "c"):
        later.owe(ROW, secret(name))

    assert later.settle(60)
    assert names(engine) == ["a", "b", "c"]
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == ["not written"]


def test_a_database_that_is_busy_is_tried_again(engine, later, monkeypatch, caplog):
    monkeypatch.setattr(later_module, "_PAUSE", 0.01)
    refusals = [store.Busy("test")] * 3

    def refuse(connection):
        if refusals:
            raise refusals.pop()

    event.listen(engine, "commit", refuse)
    later.owe(ROW, secret("a"))

    assert later.settle(60)
    assert names(engine) == ["a"]
    assert [record.message for record in caplog.records] == ["rows wait"]


def test_what_is_owed_has_a_bound(engine, later, monkeypatch, caplog):
    monkeypatch.setattr(later_module, "_MOST_OWED", 2)
    with store.writing(engine) as connection:
        lock(connection)
        for name in ("a", "b", "c"):
            later.owe(ROW, secret(name))

    assert later.settle(60)
    assert names(engine) == ["a", "b"]
    assert "not written" in caplog.text


def test_what_cannot_be_written_at_the_end_is_counted(engine, monkeypatch, caplog):
    monkeypatch.setattr(later_module, "LAST_ROWS", 0.05)
    with store.writing(engine) as connection:
        lock(connection)
        with store.Later(engine) as later:
            later.owe(ROW, secret("a"))
            later.owe(ROW, secret("b"))

    assert [record.rows for record in caplog.records] == [2]
    assert later.settle(60)


def test_no_thread_is_left_when_nothing_is_owed(engine, later):
    before = set(threading.enumerate())
    later.owe(ROW, secret("a"))
    assert later.settle(60)

    until(lambda: "later" not in {thread.name for thread in set(threading.enumerate()) - before})


# Forgetting ------------------------------------------------------------------------------------------------------

DAY = timedelta(days=1)


@pytest.fixture
def remembered(engine, account):
    """Give `remembered()`: the numbers of the messages whose answers are kept; some are, up to 40 days old."""
    ages = {f"M-{days}": NOW - days * DAY for days in (40, 31, 30, 29, 0)}
    with store.writing(engine) as connection:
        for number, moment in ages.items():
            row = {"account_id": account.id, "message_id": number, "operation": "SyncTeachers"}
            connection.execute(
                insert(store.message), row | {"digest": bytes(32), "answer": b"{}", "answered_on": moment}
            )

    def read():
        with store.reading(engine) as connection:
            return list(connection.scalars(select(store.message.c.message_id).order_by(store.message.c.id)))

    return read


def forgetting(later):
    return store.Forgetting(later, answers=30 * DAY, journal=400 * DAY)


def test_what_is_older_than_its_life_is_forgotten_with_the_first_message(later, remembered):
    forgetting(later).remind(NOW)

    assert later.settle(60)
    assert remembered() == ["M-30", "M-29", "M-0"]


def test_it_is_looked_at_again_after_an_hour_or_many_messages(later, remembered):
    some = forgetting(later)
    some.remind(NOW - 9 * DAY)  # only the oldest goes
    some.remind(NOW - 9 * DAY + timedelta(minutes=59))
    assert later.settle(60)
    assert remembered() == ["M-31", "M-30", "M-29", "M-0"]

    some.remind(NOW)
    assert later.settle(60)
    assert remembered() == ["M-30", "M-29", "M-0"]

    for _ in range(500):
        some.remind(NOW + timedelta(minutes=10))
    assert later.settle(60)
    assert remembered() == ["M-29", "M-0"]


def test_only_so_many_are_forgotten_at_once(engine, account, later, monkeypatch):
    row = {"account_id": account.id, "face": "soap", "received_on": NOW - 500 * DAY, "duration_ms": 1}
    row |= {"request_bytes": 1, "answer_bytes": 1, "return_code": "200 OK"}
    with store.writing(engine) as connection:
        connection.execute(insert(store.journal), [row | {"request_id": str(number)} for number in range(1500)])

    forgetting(later).remind(NOW)
    assert later.settle(60)

    with store.reading(engine) as connection:
        left = list(connection.scalars(select(store.journal.c.request_id).order_by(store.journal.c.id)))
    assert left == [str(number) for number in range(1000, 1500)]
