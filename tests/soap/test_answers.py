"""Rules 1, 2 and 5: two codes, one number, errors in order; faults for what never reached an operation."""

import re

import pytest

from paraphe import contract

from . import cast
from .conftest import opened
from .house import ENVELOPES, MEDIA_TYPES, V1, codes, envelope_of, values_of
from .test_get_record_list import many

NOBODY = ("pa_0000000000000000", "0" * 64)
FAULTS = {
    "MALFORMED_MESSAGE": b"<soap:Envelope",
    "INVALID_ENVELOPE": b'<e:Envelope xmlns:e="ENV"><e:Body/></e:Envelope>',
    "VERSION_MISMATCH": b'<Envelope xmlns="urn:another"><Body/></Envelope>',
    "UNKNOWN_OPERATION": b'<e:Envelope xmlns:e="ENV"><e:Body><Dance xmlns="urn:x"/></e:Body></e:Envelope>',
    "FORBIDDEN_CONSTRUCT": b'<!DOCTYPE e><e:Envelope xmlns:e="ENV"><e:Body><a/></e:Body></e:Envelope>',
    "HEADER_NOT_UNDERSTOOD": (
        b'<e:Envelope xmlns:e="ENV"><e:Header><a e:mustUnderstand="1" xmlns="urn:a"/></e:Header>'
        b'<e:Body><CheckConnection xmlns="urn:paraphe:exchange:v1"/></e:Body></e:Envelope>'
    ),
}


@pytest.mark.parametrize("code", FAULTS)
def test_every_fault_says_500_error_with_its_number_and_code_in_the_version_of_the_message(caller, code):
    reply = caller.send(FAULTS[code].replace(b"ENV", ENVELOPES[caller.version].encode()))

    assert reply.is_fault
    assert reply.text("returnCode") == "500 ERROR"
    assert reply.codes[0] == code
    assert re.fullmatch("[0-9a-f]{32}", reply.text("requestId") or "")
    assert reply.text("requestId") == reply.headers["X-Request-Id"]
    assert code.encode() in reply.body.partition(b"<ServiceFault")[0]
    assert (reply.version, reply.status) == (caller.version, {"1.1": 500, "1.2": 400}[caller.version])


def test_an_operation_that_is_refused_is_no_fault(caller):
    answer = caller.call("GetRecord", recordNumber="2026-999999", format="INDEX")

    assert answer.returnCode == "500 ERROR"
    assert codes(answer) == ["UNKNOWN_RECORD"]
    assert caller.last.status == 200


def test_success_says_200_ok(caller):
    caller.call("CheckConnection")

    assert caller.last.text("returnCode") == "200 OK"
    assert caller.last.status == 200


@pytest.mark.parametrize("version", ["1.1"], indirect=True)
@pytest.mark.parametrize("operation", contract.operations())
def test_the_code_of_an_error_stands_in_the_closed_list_and_the_message_is_a_sentence(caller, operation):
    caller.session.auth = NOBODY
    reply = caller.fixture(operation)

    (error,) = reply.errors
    assert error["code"] in values_of("ErrorCode")
    assert error["message"].endswith(".")
    assert error["hint"].endswith(".")


def test_errors_come_in_the_order_of_the_input(caller):
    wrong = {"capacity": -1}
    answer = cast.send(caller, "classrooms", *(cast.classroom(n, **wrong if n % 2 else {}) for n in range(1, 8)))

    assert [error.index for error in answer.errors.error] == [1, 3, 5, 7]
    assert [error.reference for error in answer.errors.error] == [f"ROOM-000{n}" for n in (1, 3, 5, 7)]


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "in chunks"])
def test_a_message_that_is_too_large_is_told_so(caller, chunked):
    house = caller.house
    with opened(house.kind, house.database, house.folder, message_bytes="100 kB") as small:
        there = caller.again(url=small.url)
        (limit,) = [each.value for each in there.call("CheckConnection").limits.limit if each.name == "messageBytes"]
        body = envelope_of(caller.version, "<CheckConnection/>" + " " * 100_000)
        reply = there.send(iter([body]) if chunked else body)

    assert limit == 100_000
    assert reply.codes == ["MESSAGE_TOO_LARGE"]
    assert reply.status == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_with_a_fault(house, method):
    caller = house.account()
    response = caller.session.request(method, caller.address, data=b"x", headers={"Content-Type": MEDIA_TYPES["1.1"]})

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert b"METHOD_NOT_ALLOWED" in response.content


def test_another_media_type_is_refused(caller):
    envelope = b'<e:Envelope xmlns:e="ENV"/>'

    reply = caller.send(envelope, headers={"Content-Type": "application/json"})

    assert reply.codes == ["UNSUPPORTED_MEDIA_TYPE"]
    assert reply.status == 415


def test_a_message_in_version_1_2_is_answered_in_it_whatever_the_content_type(house):
    caller = house.account("1.2")
    reply = caller.post("<CheckConnection/>", headers={"Content-Type": "text/xml"})

    assert reply.ok
    assert reply.version == "1.2"


def test_the_soap_action_is_not_looked_at(caller):
    reply = caller.post("<CheckConnection/>", headers={"SOAPAction": '"urn:another:thing"'})

    assert reply.ok


def test_the_number_of_each_request_is_its_own(caller):
    numbers = {caller.post("<CheckConnection/>").text("requestId") for _ in range(20)}

    assert len(numbers) == 20


@pytest.mark.parametrize("version", ["1.1"], indirect=True)
def test_a_long_answer_is_valid_and_whole(caller):
    many(caller, 1000)

    reply = caller.post("<GetRecordList/>")

    assert len(reply.all("records/recordIndex")) == 1000
    assert reply.result.tag == f"{V1}GetRecordListResult"
