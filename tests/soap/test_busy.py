"""A database that does not answer: the caller is told to come again, on every face and at every address."""

import errno
import os
import sqlite3
from base64 import b64encode
from threading import BoundedSemaphore

import pytest
import requests

from paraphe import slices, store
from paraphe.work import analysis

from .cast import INVOICE, open_with_pdf, to_extract

pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


@pytest.fixture
def impatient(monkeypatch):
    """Servers that are opened from now on wait for the database a moment only."""
    monkeypatch.setattr(store.transactions, "PATIENCE", 0.05)


@pytest.fixture
def caller(impatient, house_of_its_own):
    """Somebody at a server whose database is kept by others once `kept` is asked for."""
    return house_of_its_own.account()


@pytest.fixture
def address(caller):
    """The address of a record."""
    return caller.call("GetRecord", recordNumber=open_with_pdf(caller), format="INDEX").recordIndex.zipUrl


@pytest.fixture
def kept(caller, address):
    """Others have the database for themselves."""
    caller.house.settle()
    caller.house.engine.dispose()
    other = sqlite3.connect(caller.house.database.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("UPDATE account SET name = name")
    yield
    other.close()


def test_a_message_gets_a_fault_that_says_so(caller, kept, caplog):
    reply = caller.post("<CheckConnection/>")

    assert (reply.codes, reply.is_fault) == (["SERVER_BUSY"], True)
    assert "busy" in [record.message for record in caplog.records]


def test_without_soap_too(caller, kept):
    response = requests.post(f"{caller.url}/api/v1/CheckConnection", auth=caller.session.auth, json={}, timeout=60)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["errors"][0]["code"] == "SERVER_BUSY"


def test_an_address_is_not_said_to_be_nothing(caller, address, kept):
    response = requests.get(address, timeout=60)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


def test_a_caller_whose_invoice_finds_no_reader_is_told_when_to_come_again(house, monkeypatch):
    caller = house.account()
    monkeypatch.setattr(analysis, "_PATIENCE", 0.01)
    monkeypatch.setattr(analysis, "_READERS", BoundedSemaphore(1))
    said = {"fileName": "FAC-1.pdf", "content": b64encode(INVOICE).decode()}
    with analysis._READERS:
        text = f"<SendInvoice><fileName>FAC-1.pdf</fileName><content>{said['content']}</content></SendInvoice>"
        reply = caller.post(text)
        response = requests.post(f"{caller.url}/api/v1/SendInvoice", auth=caller.session.auth, json=said, timeout=60)

    assert (reply.codes, reply.is_fault, reply.headers["Retry-After"]) == (["SERVER_BUSY"], True, "5")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert to_extract(caller) == []


def test_a_list_whose_answer_finds_no_room_is_stored_nowhere_and_can_be_sent_again(house, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    caller = house.account()
    names = "<lastName>A</lastName><firstName>B</firstName>"
    items = [f"<teacher><reference>T-{number}</reference>{names}</teacher>" for number in range(2500)]
    message = f"<SyncTeachers><messageId>M-1</messageId><teachers>{''.join(items)}</teachers></SyncTeachers>"
    with monkeypatch.context() as patched:
        patched.setattr(slices, "nameless", full)
        reply = caller.post(message)

    assert (reply.codes, reply.is_fault) == (["SERVER_BUSY"], True)
    assert caller.house.count(store.teacher, caller.account) == 0
    assert caller.post(message).codes == []
    assert caller.house.count(store.teacher, caller.account) == 2500
