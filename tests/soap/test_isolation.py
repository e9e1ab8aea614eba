"""Nothing of one account is readable by, or distinguishable to, another: foreign answers as unknown does."""

import re

import pytest

from paraphe import contract, store

from . import cast
from .cast import INVOICE, invoicing
from .house import codes

LESSON = {"teachers": {"reference": ["TEA-0001"]}, "students": {"reference": ["STU-0001"]}}


def said(caller):
    """What the last answer says, without what belongs to one request only."""
    return re.sub(rb"<requestId>[^<]*</requestId>", b"", caller.last.body)


def alike(caller, operation, foreign, unknown):
    """Ask for something foreign and for something that nobody has; both names are of the same length."""
    caller.call(operation, **foreign)
    first, code = said(caller), caller.last.codes
    caller.call(operation, **unknown)
    (theirs, nobodys) = (_named(foreign), _named(unknown))
    assert first.replace(theirs, b"X") == said(caller).replace(nobodys, b"X")
    assert not caller.last.ok
    return code


def _named(values):
    found = re.search(r"(2026-\d{6}|[A-Z]{3,4}-\d{4})", repr(values))
    assert found
    return found[0].encode()


FILE = {"fileName": "F.pdf", "content": INVOICE}
BY_NUMBER = {
    "GetRecord": lambda number: {"recordNumber": number, "format": "INDEX"},
    "ReviewRecord": lambda number: {"recordNumber": number, "invoice": invoicing()},
    "AddSimpleInvoice": lambda number: {"recordNumber": number, **FILE},
    "AddSimpleDocument": lambda number: {"recordNumber": number, "documentType": "OTHER", "title": "T", **FILE},
    "AcknowledgeRecords": lambda number: {"recordNumbers": {"recordNumber": [number]}},
}


@pytest.mark.parametrize("operation", BY_NUMBER)
def test_a_foreign_record_answers_exactly_as_an_unknown_one(caller, other, operation):
    for _ in range(3):
        number = cast.open_record(other)
    message = BY_NUMBER[operation]

    assert alike(caller, operation, message(number), message("2026-999999")) == ["UNKNOWN_RECORD"]
    index = other.call("GetRecord", recordNumber=number, format="INDEX").recordIndex
    assert (index.version, index.documentCount, index.extractedOn) == (1, 0, None)


@pytest.mark.parametrize("field", ["teachers", "students", "groups", "classroom"])
def test_a_foreign_person_or_room_in_a_course_answers_exactly_as_an_unknown_one(caller, other, field):
    cast.send(other, "teachers", cast.teacher(1))
    cast.send(other, "students", cast.student(1, groups={"reference": ["GRP-0001"]}))
    cast.send(other, "classrooms", cast.classroom(1))
    prefix = {"teachers": "TEA", "students": "STU", "groups": "GRP", "classroom": "ROOM"}[field]

    def message(number):
        reference = f"{prefix}-{number}"
        value = reference if field == "classroom" else {"reference": [reference]}
        return {"courses": {"course": [cast.course(1, reference="C", **{field: value})]}}

    assert alike(caller, "SyncCourses", message("0001"), message("9999")) == ["UNKNOWN_REFERENCE"]


@pytest.mark.parametrize("field", ["courseReference", "studentReference", "teacherReference"])
def test_a_foreign_filter_of_signatures_answers_exactly_as_an_unknown_one(caller, other, field):
    cast.sitting(other)
    prefix = {"courseReference": "CRS", "studentReference": "STU", "teacherReference": "TEA"}[field]
    period = {"periodStart": cast.FIRST_DAY, "periodEnd": cast.FIRST_DAY}

    found = alike(caller, "GetSignatureList", period | {field: f"{prefix}-0001"}, period | {field: f"{prefix}-9999"})
    assert found == ["UNKNOWN_REFERENCE"]


def test_foreign_trainees_and_payers_of_an_invoice_are_unknown(caller, other):
    for someone in (other, caller):
        cast.send(someone, "contacts", cast.contact(1 if someone is other else 2))
    cast.send(other, "students", cast.student(1))
    trainees = {"trainee": [{"reference": "STU-0001"}]}

    answer = caller.call("SendInvoicingInfo", invoice=invoicing(payerReference="CON-0001", trainees=trainees))

    assert {warning.code for warning in answer.warnings.warning} >= {"UNKNOWN_TRAINEE", "UNKNOWN_PAYER"}


@pytest.mark.parametrize("operation", ["GetRecordList", "GetSignatureList"])
def test_a_cursor_of_another_account_tells_nothing(caller, other, operation):
    cast.sitting(other)
    for _ in range(3):
        cast.open_record(other)
    asked = {"periodStart": cast.FIRST_DAY, "periodEnd": cast.FIRST_DAY} if operation == "GetSignatureList" else {}
    cursor = other.call(operation, limit=1, **asked).nextCursor

    assert codes(caller.call(operation, cursor=cursor, **asked)) == ["INVALID_CURSOR"]


@pytest.mark.parametrize(
    ("plural", "item", "table"),
    [
        ("students", cast.student, store.student),
        ("teachers", cast.teacher, store.teacher),
        ("classrooms", cast.classroom, store.classroom),
        ("contacts", cast.contact, store.contact),
        ("courses", cast.course, store.course),
    ],
)
def test_a_replacement_removes_nothing_of_another_account(caller, other, plural, item, table):
    cast.send(other, plural, *map(item, range(1, 4)))

    answer = cast.send(caller, plural, item(9), mode="REPLACE", maxRemovals=0)

    assert (answer.created, answer.removed) == (1, 0)
    active = table.select().where(table.c.account_id == other.account.id, table.c.active)
    assert len(other.house.rows(active)) == 3


def test_the_same_references_and_numbers_do_not_meet(caller, other):
    for someone in (caller, other):
        cast.sitting(someone)
        cast.open_with_pdf(someone)

    mine = caller.call("GetRecord", recordNumber=cast.to_extract(caller)[0], format="INDEX").recordIndex
    theirs = other.call("GetRecord", recordNumber=cast.to_extract(other)[0], format="INDEX").recordIndex
    assert mine.recordNumber == theirs.recordNumber
    assert mine.zipUrl != theirs.zipUrl
    assert mine.documents.document[0].documentId != theirs.documents.document[0].documentId


def test_every_operation_that_names_something_is_asked_here():
    named = {"recordNumber", "recordNumbers", "courses", "courseReference", "cursor", "invoice", "hints"}
    asked = {*BY_NUMBER, "SyncCourses", "GetSignatureList", "GetRecordList", "SendInvoicingInfo", "SendInvoice"}

    for name, operation in contract.operations().items():
        if named & {field.name for field in operation.request.fields}:
            assert name in asked
