"""One row and one log line for each message, and nothing personal in either."""

import json
import logging
import socket
import struct
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta

import pytest

from paraphe import store
from paraphe.serve import JsonLines

from . import cast
from .cast import INVOICE, send, student
from .house import fixture_of
from .processes import PATIENCE, serving, writers_wait

PERSONAL = {
    "lastName": "Quatrebarbes",
    "firstName": "Hildegarde",
    "birthDate": date(1971, 11, 23),
    "email": "hildegarde@quatrebarbes.example",
    "phone": "01 99 00 77 66",
}
TELLING = ("Quatrebarbes", "Hildegarde", "1971-11-23", "quatrebarbes.example", "77 66")


def rows(caller):
    """The journal of the account, the oldest first."""
    mine = store.journal.c.account_id == caller.account.id
    return caller.house.rows(store.journal.select().where(mine).order_by(store.journal.c.received_on))


def row_of(caller, request_id):
    """The one row of a request, whoever called."""
    found = caller.house.rows(store.journal.select().where(store.journal.c.request_id == request_id))
    assert len(found) == 1
    return found[0]


def test_a_message_has_one_row_with_its_sizes_and_its_code(caller):
    reply = caller.fixture("SyncStudents")

    (row,) = rows(caller)
    assert row.request_id == reply.text("requestId")
    assert (row.face, row.operation, row.return_code) == ("soap", "SyncStudents", "200 OK")
    assert row.answer_bytes == len(reply.body)
    assert row.request_bytes > 10_000
    assert row.duration_ms >= 0
    assert abs(row.received_on - datetime.now(UTC)) < timedelta(minutes=2)
    assert row.error_codes is None


def test_a_refused_message_has_one_row_with_its_error_codes(caller):
    send(caller, "teachers", cast.teacher(1), cast.teacher(1), messageId="M-1")

    (row,) = rows(caller)
    assert (row.return_code, row.error_codes, row.message_id) == ("500 ERROR", "DUPLICATE_REFERENCE", "M-1")


def test_a_repeated_message_has_a_row_of_its_own_that_says_so(caller):
    for _ in range(2):
        send(caller, "teachers", cast.teacher(1), messageId="M-1")

    assert [row.duplicate for row in rows(caller)] == [False, True]


@pytest.mark.parametrize(
    ("payload", "code", "operation"),
    [
        ("<SyncStudents><nonsense/></SyncStudents>", "SCHEMA_INVALID", "SyncStudents"),
        ("<Dance/>", "UNKNOWN_OPERATION", None),
        ("<CheckConnection/><CheckConnection/>", "INVALID_ENVELOPE", None),
        ("<CheckConnection>", "MALFORMED_MESSAGE", None),
    ],
)
def test_a_fault_has_one_row_too(caller, payload, code, operation):
    reply = caller.post(payload)

    row = row_of(caller, reply.text("requestId"))
    assert (row.return_code, row.error_codes, row.operation) == ("500 ERROR", code, operation)
    assert (row.answer_bytes, row.face) == (len(reply.body), "soap")
    assert row.request_bytes > 0


def test_a_message_without_credentials_has_a_row_without_account(caller):
    caller.session.auth = None
    reply = caller.post("<CheckConnection/>")

    row = row_of(caller, reply.text("requestId"))
    assert (row.account_id, row.error_codes, row.operation) == (None, "CREDENTIALS_REQUIRED", "CheckConnection")


def test_reading_has_rows_as_writing_has(caller):
    caller.call("CheckConnection")
    caller.call("GetRecordList")
    cast.open_record(caller)

    assert [row.operation for row in rows(caller)] == ["CheckConnection", "GetRecordList", "SendInvoicingInfo"]


# While others write, and at the end ----------------------------------------------------------------------------

NOT_STORED = {
    "a read": ("<GetRecordList/>", "200 OK"),
    "a refusal": ("<GetRecord><recordNumber>none</recordNumber><format>PDF</format></GetRecord>", "500 ERROR"),
    "a fault": ("<GetRecord><nonsense/></GetRecord>", "500 ERROR"),
}
kinds = pytest.mark.parametrize("kind", NOT_STORED)
one_version = pytest.mark.parametrize("version", ["1.1"], indirect=True)


@kinds
@one_version
def test_it_is_answered_while_others_write_and_has_its_row_afterwards(caller, kind):
    payload, return_code = NOT_STORED[kind]
    with writers_wait(caller.house, caller.account.id):
        reply = caller.post(payload)

    assert reply.is_fault is (kind == "a fault")
    row = row_of(caller, reply.text("requestId"))
    assert (row.return_code, row.answer_bytes) == (return_code, len(reply.body))
    assert row.duration_ms < 10_000


@one_version
def test_a_caller_who_never_reads_the_answer_has_a_row_too(caller):
    with writers_wait(caller.house, caller.account.id):
        leave_unread(caller, fixture_of("1.1", "CheckConnection"))

    assert [row.operation for row in rows(caller)] == ["CheckConnection"]


def leave_unread(caller, body):
    """Send a message, and reset the connection when the answer comes."""
    user, key = caller.session.auth
    credentials = b64encode(f"{user}:{key}".encode())
    host, port = caller.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(b"POST /soap/v1 HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\n")
        connection.sendall(b"Authorization: Basic %b\r\nContent-Length: %d\r\n\r\n" % (credentials, len(body)) + body)
        assert connection.recv(1) == b"H"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.slow
def test_a_server_that_is_told_to_stop_writes_what_it_owes(house_of_its_own):
    caller = house_of_its_own.account()
    with serving(house_of_its_own) as server:
        there = caller.again(url=server.url)
        with writers_wait(house_of_its_own, caller.account.id):
            replies = [there.post(payload) for payload, _ in NOT_STORED.values()]
            server.stop()
        assert server.running.wait(60) == 0

    assert [row.request_id for row in rows(caller)] == [reply.text("requestId") for reply in replies]


@pytest.mark.slow
def test_a_server_that_is_killed_loses_no_row_of_what_it_stored(house_of_its_own):
    caller = house_of_its_own.account()
    with serving(house_of_its_own) as server:
        there = caller.again(url=server.url)
        replies = [there.fixture("SendInvoicingInfo", messageId=f"M-{number}") for number in range(5)]
        server.kill()

    assert [row.request_id for row in rows(caller)] == [reply.text("requestId") for reply in replies]


# Nothing personal ----------------------------------------------------------------------------------------------


def personal_messages(caller):
    """Messages that are taken, refused and broken, all with a person in them."""
    send(caller, "students", student(1, **PERSONAL))
    send(caller, "students", student(1, **PERSONAL), student(1, **PERSONAL))
    send(caller, "students", student(2, **PERSONAL, clearFields={"fieldName": ["Quatrebarbes"]}))
    caller.post(
        "<SyncStudents><students><student><reference>S1</reference><lastName>Quatrebarbes</lastName>"
        "<firstName>Hildegarde</firstName><birthDate>1971-11-23x</birthDate></student></students></SyncStudents>"
    )
    caller.post("<SyncStudents><students><student><lastName>Quatrebarbes</lastName></SyncStudents>")
    trainees = {"trainee": [{"lastName": "Quatrebarbes", "firstName": "Hildegarde"}]}
    cast.open_record(caller, trainees=trainees)
    caller.call("SendInvoice", fileName="Quatrebarbes.pdf", content=INVOICE)


@pytest.mark.parametrize("version", ["1.1"], indirect=True)
def test_neither_the_journal_nor_the_log_holds_anything_personal(caller, caplog):
    with caplog.at_level(logging.DEBUG, logger="paraphe"), caplog.at_level(logging.INFO):
        personal_messages(caller)

    lines = [JsonLines().format(record) for record in caplog.records]
    journal = [repr(tuple(row)) for row in rows(caller)]
    assert len(lines) >= 7
    assert len(journal) == 6  # the broken XML bears no account
    for text in lines + journal:
        assert not [telling for telling in TELLING if telling in text]
        assert caller.api_key not in text


@pytest.mark.parametrize("version", ["1.1"], indirect=True)
def test_the_log_has_one_line_for_a_message_with_its_number(caller, caplog):
    with caplog.at_level(logging.INFO, logger="paraphe"):
        caller.call("CheckConnection")

    number = caller.last.text("requestId")
    (line,) = [
        json.loads(JsonLines().format(each)) for each in caplog.records if getattr(each, "request_id", "") == number
    ]
    assert (line["message"], line["operation"], line["return_code"]) == ("message", "CheckConnection", "200 OK")
