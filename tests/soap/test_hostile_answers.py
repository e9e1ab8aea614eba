"""What goes wrong in the server, row by row: the caller gets a typed fault, nothing is stored, no log tells of people.

The rows are those of a study of Spyne 2.14 (security and transport). How HTTP is spoken is told in `test_transport`,
encodings in `tests/faces/test_encodings`, limits in tests of their own.
"""

import gc
import json
import logging
from typing import Any

import pytest

from paraphe import call, store
from paraphe.operations import OPERATIONS
from paraphe.serve import JsonLines

from .cast import attend, course, pdf_of, send, student
from .house import ENVELOPES, MEDIA_TYPES, V1, envelope_of

pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
PERSONAL = "Zéphirine"
STUDENT = f"<student><reference>S</reference><lastName>{PERSONAL}</lastName><firstName>B</firstName></student>"
MESSAGE = f"<SyncStudents><students>{STUDENT}</students></SyncStudents>"
SERVER = {"1.1": "soap:Server", "1.2": "soap:Receiver"}


def boom(_context, _request):
    raise RuntimeError(f"of {PERSONAL}, at /some/place")


def stored_and_boom(context, request):
    OPERATIONS_AS_THEY_ARE["SyncStudents"].work(context, request)
    return boom(context, request)


OPERATIONS_AS_THEY_ARE = dict(OPERATIONS)


@pytest.fixture
def instead(monkeypatch):
    """Give `instead(work)`: SyncStudents does something else for the time of the test."""

    def replaced(work):
        monkeypatch.setitem(OPERATIONS, "SyncStudents", call.Operation(work, call.Uses.WRITES, lambda _: "Done."))

    return replaced


def failed(caller, reply):
    """Hold the fault of a failure of the server: typed, with its number, without a word of what failed."""
    assert reply.is_fault
    assert (reply.status, reply.codes) == (500, ["SERVER_ERROR"])
    assert reply.text("returnCode") == "500 ERROR"
    assert SERVER[reply.version].encode() in reply.body
    assert not [word for word in ("Traceback", "RuntimeError", "/some/place", PERSONAL) if word in reply.body.decode()]
    assert caller.house.count(store.student, caller.account) == 0


@pytest.mark.parametrize("work", [boom, stored_and_boom], ids=["before", "after it had stored"])
def test_row_an_exception_in_an_operation_is_a_fault_without_trace_and_nothing_is_stored(caller, instead, work):
    instead(work)

    failed(caller, caller.post(MESSAGE))


UNWRITABLE: dict[str, dict[str, Any]] = {
    "a text for a number": {"received": "many"},
    "a number for a list": {"items": 7},
    "an object": {"received": object()},
    "a required member missing": {"items": [{"reference": "S"}]},
}


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_row_an_answer_that_cannot_be_written_is_never_200_ok(caller, instead, kind):
    instead(lambda _context, _request: UNWRITABLE[kind].copy())

    failed(caller, caller.post(MESSAGE))


@pytest.mark.parametrize("sign", ["\x01", "\x1f", "\ufffe", "\uffff"])
def test_row_a_control_character_in_a_stored_text_does_not_empty_the_answer(caller, sign):
    send(caller, "students", student(1))
    send(caller, "courses", course(1))
    attend(caller, {"place": f"Salle{sign}12"})

    reply = caller.post("<GetSignatureList><modifiedSince>2026-01-01T00:00:00Z</modifiedSince></GetSignatureList>")

    assert reply.ok
    assert reply.text("courses/course/participants/participant/place") == "Salle\ufffd12"


def test_row_a_refusal_by_an_operation_is_its_own_answer_and_no_fault(caller):
    reply = caller.post("<GetRecord><recordNumber>2026-999999</recordNumber><format>INDEX</format></GetRecord>")

    assert (reply.status, reply.is_fault, reply.codes) == (200, False, ["UNKNOWN_RECORD"])


def test_row_a_fault_has_the_status_of_its_version(caller):
    reply = caller.post("<GetRecord/>")

    assert reply.status == {"1.1": 500, "1.2": 400}[caller.version]
    assert {"1.1": b"<faultcode>soap:Client<", "1.2": b"<soap:Value>soap:Sender<"}[caller.version] in reply.body


CODES = {
    "soap:VersionMismatch": b'<Envelope xmlns="urn:another"><Body/></Envelope>',
    "soap:MustUnderstand": (
        b'<e:Envelope xmlns:e="ENV"><e:Header><a e:mustUnderstand="1" xmlns="urn:a"/></e:Header>'
        b'<e:Body><CheckConnection xmlns="urn:paraphe:exchange:v1"/></e:Body></e:Envelope>'
    ),
}


@pytest.mark.parametrize("code", CODES)
def test_row_codes_other_than_client_and_server_are_faults_in_both_versions(caller, code):
    reply = caller.send(CODES[code].replace(b"ENV", ENVELOPES[caller.version].encode()))

    assert reply.is_fault
    assert f">{code}<".encode() in reply.body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_row_another_method_is_405_and_says_which_are_allowed(caller, method):
    response = caller.session.request(method, caller.address, data=b"x", headers={"Content-Type": MEDIA_TYPES["1.1"]})

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert b"METHOD_NOT_ALLOWED" in response.content


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_row_get_and_head_of_the_address_alone_are_405(caller, method):
    response = caller.session.request(method, caller.address)

    assert (response.status_code, "POST" in response.headers["Allow"]) == (405, True)


@pytest.mark.parametrize("action", [None, "", '""', "unquoted", '"urn:another"'])
def test_row_soap_action_chooses_nothing(caller, action):
    caller.session.headers["SOAPAction"] = action

    assert caller.post("<CheckConnection/>").result.tag == f"{V1}CheckConnectionResult"


@pytest.mark.parametrize(
    "kind", ["", "application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_row_what_a_form_of_another_site_can_send_is_415(caller, kind):
    reply = caller.send(envelope_of(caller.version, MESSAGE), headers={"Content-Type": kind})

    assert (reply.status, reply.codes) == (415, ["UNSUPPORTED_MEDIA_TYPE"])
    assert caller.house.count(store.student, caller.account) == 0


def test_row_an_envelope_of_one_version_with_the_media_type_of_the_other_is_answered_in_its_own(caller):
    other = {"1.1": "1.2", "1.2": "1.1"}[caller.version]

    reply = caller.post("<CheckConnection/>", headers={"Content-Type": MEDIA_TYPES[other]})

    assert (reply.ok, reply.version) == (True, caller.version)


# Logs ------------------------------------------------------------------------------------------------------------

TOLD_NOWHERE = {
    "malformed": f"<SyncStudents><students>{PERSONAL}",
    "against the schema": MESSAGE.replace("<firstName>B", "<firstName>"),
    "an unknown operation": f"<RemoveStudents>{PERSONAL}</RemoveStudents>",
    "a refusal": MESSAGE.replace(STUDENT, STUDENT * 2),
    "a failure": MESSAGE,
    "a wrong file": f"<SendInvoice><fileName>{PERSONAL}.pdf</fileName><content>!!!!</content></SendInvoice>",
}


@pytest.mark.parametrize("kind", TOLD_NOWHERE)
def test_row_a_message_is_never_in_the_log_however_wrong_it_is(caller, instead, caplog, kind):
    caplog.set_level(logging.DEBUG, "paraphe")
    if kind == "a failure":
        instead(boom)

    caller.post(TOLD_NOWHERE[kind])

    assert caplog.records
    lines = [JsonLines().format(record) for record in caplog.records if record.name.partition(".")[0] != "urllib3"]
    assert not [line for line in lines if PERSONAL in line or json.dumps(PERSONAL)[1:-1] in line]
    assert not [record for record in caplog.records if record.name.startswith("spyne")]


def test_row_no_garbage_is_collected_inside_a_request(caller):
    collections = []
    gc.callbacks.append(watch := lambda phase, info: collections.append(info) if phase == "start" else None)
    try:
        for _ in range(20):
            caller.post("<CheckConnection/>")
    finally:
        gc.callbacks.remove(watch)

    # Spyne would collect all generations, once a second; Python's own collection of the oldest comes after thousands.
    assert len([info for info in collections if info["generation"] == 2]) <= 1


def test_after_all_that_the_server_still_serves(caller):
    assert caller.post("<CheckConnection/>").ok
    assert caller.call("SendInvoice", fileName="F.pdf", content=pdf_of(1000)).returnCode == "200 OK"
