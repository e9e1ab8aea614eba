"""A connection to PostgreSQL that breaks in the middle of a commit: the answer says what became of the message."""

import threading

import psycopg
import pytest
from sqlalchemy import event

from paraphe import store

from .cast import send, student

pytestmark = [
    pytest.mark.parametrize("house", ["postgresql"], indirect=True),
    pytest.mark.parametrize("version", ["1.1"], indirect=True),
]


@pytest.fixture
def breaking(caller, monkeypatch):
    """Let the connection of the next message break in its commit, `after` the database has done it or before."""

    def breaks(*, after):
        dialect, commit = caller.house.engine.dialect, caller.house.engine.dialect.do_commit

        def broken(connection):
            if threading.current_thread().name == "later":
                return commit(connection)
            monkeypatch.setattr(dialect, "do_commit", commit)
            if after:
                commit(connection)
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(dialect, "do_commit", broken)

    return breaks


def journal(caller):
    mine = store.journal.c.account_id == caller.account.id
    return [row.return_code for row in caller.house.rows(store.journal.select().where(mine))]


def test_what_was_committed_is_answered_with_200_ok(caller, breaking):
    breaking(after=True)
    answer = send(caller, "students", student(1), messageId="M-1")

    assert (answer.returnCode, answer.created, answer.duplicate) == ("200 OK", 1, False)
    assert caller.house.count(store.student, caller.account) == 1
    assert journal(caller) == ["200 OK"]
    assert send(caller, "students", student(1), messageId="M-1").duplicate is True


def test_what_was_not_committed_is_refused_and_can_be_sent_again(caller, breaking):
    message = "<SyncStudents><messageId>M-1</messageId><students/></SyncStudents>"
    breaking(after=False)
    reply = caller.post(message)

    assert (reply.text("returnCode"), reply.codes, reply.is_fault) == ("500 ERROR", ["SERVER_BUSY"], True)
    assert journal(caller) == ["500 ERROR"]
    assert caller.post(message).text("duplicate") == "false"


def test_while_the_database_is_away_nothing_is_answered(caller, breaking, monkeypatch):
    refused: list[str] = []

    def away(*_):
        if len(refused) < 3:
            refused.append("connection")
            raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr("paraphe.call._LOOK_AGAIN", 0.01)
    breaking(after=True)
    event.listen(caller.house.engine, "do_connect", away)
    try:
        answer = send(caller, "students", student(1))
    finally:
        event.remove(caller.house.engine, "do_connect", away)

    assert answer.returnCode == "200 OK"
    assert journal(caller) == ["200 OK"]


def test_a_database_that_only_reads_for_a_time_decides_nothing(caller, breaking, monkeypatch, caplog):
    """A standby that takes over, say: it knows of the commit, and refuses to write."""

    def read_only(connection):
        if len(caplog.records) < 3:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    monkeypatch.setattr("paraphe.call._LOOK_AGAIN", 0.01)
    breaking(after=True)

    def from_now_on(_):
        event.listen(caller.house.engine, "begin", read_only)

    event.listen(caller.house.engine, "commit", from_now_on, once=True)
    try:
        answer = send(caller, "students", student(1))
    finally:
        event.remove(caller.house.engine, "begin", read_only)

    assert answer.returnCode == "200 OK"
    assert journal(caller) == ["200 OK"]
    assert "unsure" in [record.message for record in caplog.records]
