"""Every operation, without SOAP: as JSON and as XML, on both databases."""

import base64

import pytest

from paraphe import contract, store

from ..soap import cast
from .plain import PlainCaller

kinds = pytest.mark.parametrize("kind", ["json", "xml"])


@kinds
def test_every_operation_takes_the_message_of_the_fixtures(caller, kind):
    done = []

    def does(name, case="request", **replaced):
        answer = caller.fixture(kind, name, case, **replaced)
        assert answer.ok, answer.said
        done.append(name)
        return answer.said

    does("CheckConnection")
    for name in ("SyncContacts", "SyncClassrooms", "SyncTeachers", "SyncStudents", "SyncCourses"):
        said = does(name)
        assert said["created"] == said["received"] > 0
    does("GetSignatureList")
    number = does("SendInvoice", "needs-review")["recordNumber"]
    does("SendInvoicingInfo")
    for name in ("ReviewRecord", "AddSimpleInvoice", "AddSimpleDocument", "AcknowledgeRecords", "GetRecord"):
        does(name, recordNumber=number)
    does("GetRecordList")
    assert set(done) == set(contract.operations())


@kinds
def test_a_whole_record_comes_in_the_answer_and_is_extracted_then(caller, kind):
    number = caller.fixture(kind, "SendInvoice").said["recordNumber"]

    answer = caller.fixture(kind, "GetRecord", "pdf", recordNumber=number)

    assert base64.b64decode(answer.said["content"]).startswith(b"%PDF-")
    assert caller.fixture(kind, "GetRecordList").said["records"] == []


@kinds
def test_signatures_come_with_their_images(caller, kind):
    for name in ("SyncClassrooms", "SyncTeachers", "SyncStudents", "SyncCourses"):
        caller.fixture(kind, name)
    row = {"course_reference": "CRS-20260907-M-DEV", "image": cast.IMAGE, "collect_mode": "TABLET"}
    cast.attend(caller.soap, row)

    answer = caller.fixture(kind, "GetSignatureList", "with-images")

    ((participant,),) = [course["participants"] for course in answer.said["courses"]]
    assert base64.b64decode(participant["image"]) == cast.IMAGE
    assert participant["collectedOn" if "collectedOn" in participant else "modifiedOn"].endswith("Z")


def test_the_same_students_are_stored_whatever_the_face(house):
    columns = [column for column in store.student.c if column.name not in ("id", "account_id")]
    moments = ("created_on", "modified_on")

    def stored(kind):
        caller = PlainCaller.of(house)
        caller.fixture(kind, "SyncContacts")
        if kind == "soap":
            caller.soap.fixture("SyncContacts")
            caller.soap.fixture("SyncStudents")
        else:
            caller.fixture(kind, "SyncStudents")
        chosen = [column for column in columns if column.name not in moments]
        of_account = store.student.c.account_id == caller.soap.account.id
        query = store.student.select().with_only_columns(*chosen).where(of_account).order_by(store.student.c.reference)
        return [tuple(row) for row in house.rows(query)]

    assert stored("json") == stored("xml") == stored("soap")


@pytest.mark.parametrize("second", ["json", "xml"])
def test_a_message_sent_by_soap_is_a_duplicate_through_another_face(caller, second):
    first = caller.soap.fixture("SyncStudents", "replace")

    again = caller.fixture(second, "SyncStudents", "replace")

    assert again.ok
    assert again.said["duplicate"] is True
    assert str(again.said["created"]) == first.text("created")
    assert again.said["requestId"] != first.text("requestId")


def test_another_message_under_the_same_number_is_refused(caller):
    caller.soap.fixture("SyncStudents", "replace")

    answer = caller.json("SyncStudents", {"messageId": "students-2026-10-05"})

    assert (answer.status, answer.codes) == (409, ["MESSAGE_ID_REUSED"])


@kinds
def test_the_journal_names_the_face(caller, kind):
    caller.fixture(kind, "CheckConnection")

    (row,) = caller.house.rows(store.journal.select().where(store.journal.c.account_id == caller.soap.account.id))
    assert (row.face, row.operation, row.return_code) == (kind, "CheckConnection", "200 OK")
    assert row.answer_bytes > 100


@kinds
def test_wrong_items_are_left_out_when_the_caller_wishes_so(caller, kind):
    answer = caller.fixture(kind, "SyncStudents", "keep-valid")

    assert answer.ok
    assert (answer.said["created"], answer.said["rejected"]) == (2, 1)
    place = {"json": "/students/1/birthDate", "xml": "/SyncStudents/students/student[2]/birthDate"}
    assert answer.paths == [place[kind]]


def test_a_repeated_answer_tells_places_as_the_repeated_message_is_written(caller):
    message = {"messageId": "M-1", "onError": "KEEP_VALID", "students": [{"reference": "S1", "lastName": "A"}]}
    caller.json("SyncStudents", message)

    again = caller.json("SyncStudents", message)

    assert (again.said["duplicate"], again.paths) == (True, ["/students/0"])


@kinds
def test_a_record_of_another_account_is_unknown(house, caller, kind):
    number = caller.fixture(kind, "SendInvoice").said["recordNumber"]

    answer = PlainCaller.of(house).fixture(kind, "GetRecord", recordNumber=number)

    assert (answer.status, answer.codes) == (422, ["UNKNOWN_RECORD"])
