"""Rule 1: "200 OK" is durably stored, "500 ERROR" stored nothing. What kills of servers and of clients leave behind."""

import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import requests

from paraphe import call, store
from paraphe.operations import OPERATIONS
from paraphe.work import sync

from . import cast
from .cast import INVOICE, open_with_pdf, pdf_of, send, student, teacher, to_extract
from .conftest import opened
from .house import codes
from .processes import serving, until

pytestmark = pytest.mark.slow


def test_kill_9_right_after_200_ok_loses_nothing(house_of_its_own):
    caller = house_of_its_own.account()
    with serving(house_of_its_own) as server:
        there = caller.again(url=server.url)
        synchronised = there.call("SyncStudents", messageId="M-1", students={"student": [student(1), student(2)]})
        number = there.call("SendInvoice", fileName="F.pdf", content=INVOICE).recordNumber
        server.kill()

    assert synchronised.returnCode == "200 OK"
    with opened(house_of_its_own.kind, house_of_its_own.database, house_of_its_own.folder) as restarted:
        later = caller.again(url=restarted.url)
        assert send(later, "students", student(1), student(2)).unchanged == 2
        assert send(later, "students", student(1), student(2), messageId="M-1").duplicate is True
        zipped = later.call("GetRecord", recordNumber=number, format="ZIP")
        assert zipped.recordIndex.documents.document[0].sha256 == cast.digest(INVOICE)
        assert INVOICE[:100] in zipped.content or zipped.content


def unrenderable(context, request):
    """Store the teachers, and answer in a way that the schema cannot hold."""
    answer = sync.teachers(context, request)
    return answer | {"items": [{"reference": "TEA-0001"}]}


def test_an_answer_that_cannot_be_rendered_stores_nothing(caller, monkeypatch):
    broken = call.Operation(unrenderable, call.Uses.WRITES, lambda answer: "Done.")
    with monkeypatch.context() as patched:
        patched.setitem(OPERATIONS, "SyncTeachers", broken)
        reply = caller.post(
            "<SyncTeachers><messageId>M-1</messageId><teachers><teacher><reference>T</reference>"
            "<lastName>A</lastName><firstName>B</firstName></teacher></teachers></SyncTeachers>"
        )

    assert reply.is_fault
    assert reply.status == 500
    assert reply.codes == ["SERVER_ERROR"]
    assert caller.house.count(store.teacher, caller.account) == 0
    assert caller.house.count(store.message, caller.account) == 0
    (row,) = caller.house.rows(store.journal.select().where(store.journal.c.account_id == caller.account.id))
    assert (row.return_code, row.error_codes) == ("500 ERROR", "SERVER_ERROR")


def test_what_is_wrong_in_one_item_refuses_all_others_too(caller):
    answer = send(caller, "teachers", teacher(1), teacher(2), teacher(1))

    assert answer.returnCode == "500 ERROR"
    assert codes(answer) == ["DUPLICATE_REFERENCE"]
    assert caller.house.count(store.teacher, caller.account) == 0


def test_a_refused_invoice_opens_no_record_and_takes_no_number(caller):
    refused = caller.call("SendInvoice", fileName="F.pdf", content=INVOICE, sha256=cast.digest(b"another"))

    assert refused.returnCode == "500 ERROR"
    assert refused.recordNumber is None
    assert cast.open_record(caller).endswith("-000001")


_READS_A_PART = """
import sys, time, urllib.request
with urllib.request.urlopen(sys.argv[1]) as answer:
    answer.read(3_000_000)
    print("a part", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_client_killed_before_the_last_byte_finds_the_record_again_also_after_the_server_was_killed(
    house_of_its_own,
):
    caller = house_of_its_own.account()
    number = open_with_pdf(caller, pdf_of(12_000_000))
    with serving(house_of_its_own) as server:
        there = caller.again(url=server.url)
        (listed,) = there.call("GetRecordList").records.recordIndex
        path = urlsplit(listed.zipUrl).path
        with subprocess.Popen(
            [sys.executable, "-c", _READS_A_PART, server.url + path], stdout=subprocess.PIPE
        ) as client:
            assert client.stdout is not None
            assert client.stdout.readline() == b"a part\n"
            client.kill()
        assert to_extract(there) == [number]
        server.kill()

    with serving(house_of_its_own) as server:
        there = caller.again(url=server.url)
        assert to_extract(there) == [number]
        taken = requests.get(server.url + path, timeout=60)
        assert taken.status_code == 200
        until(lambda: to_extract(there) == [])
        server.kill()

    assert to_extract(caller) == []
