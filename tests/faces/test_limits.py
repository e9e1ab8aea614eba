"""Limits in force without SOAP: what a message may hold, how many at once, and how slowly it may come."""

import gzip
import json
from contextlib import contextmanager
from time import process_time

import pytest

from ..soap.conftest import opened
from ..soap.processes import InThread, threads_in, until, writers_wait
from .plain import PlainCaller, one_database
from .wire import request, wired

pytestmark = [one_database, pytest.mark.slow]
SMALL = {
    "element_depth": "20",
    "element_attributes": "20",
    "message_attributes": "1000",
    "list_items": "1000",
    "text_length": "10000",
}


@contextmanager
def at(house, **given):
    """Somebody at another server over the same database, with other settings."""
    with opened(house.kind, house.database, house.folder, **given) as other:
        yield PlainCaller.of(other)


def nested(depth, opening="[", closing="]"):
    return f'{{"students": {opening * (depth - 1)}{closing * (depth - 1)}}}'


STUDENT = {"reference": "S1", "lastName": "L", "firstName": "F"}
TOO_COMPLEX = {
    "lists in lists": nested(21),
    "objects in objects": nested(21, '{"a":', "}").replace(":}", ":1}"),
    "deep below an unknown member": json.dumps({"students": [STUDENT | {"zz": json.loads(nested(19))}]}),
    "deep, and all else valid": json.dumps({"zz": json.loads(nested(20)), "students": [STUDENT]}),
    "deep in an item that may be left out": json.dumps(
        {"onError": "KEEP_VALID", "students": [STUDENT | {"zz": json.loads(nested(19))}]}
    ),
    "far too deep": nested(100_000),
    "items": json.dumps({"students": [STUDENT] * 1001}),
    "items of an inner list": json.dumps({"students": [STUDENT | {"groups": ["a"] * 1001}]}),
    "a text": json.dumps({"messageId": "x" * 10_001}),
    "a number": '{"maxRemovals": 1' + "0" * 10_000 + "}",
}


@pytest.mark.parametrize("kind", TOO_COMPLEX)
def test_json_that_is_too_complex_is_refused_for_it(house, kind):
    with at(house, **SMALL) as caller:
        answer = caller.send("SyncStudents", TOO_COMPLEX[kind].encode())

    assert (answer.status, answer.codes) == (400, ["MESSAGE_TOO_COMPLEX"])
    assert answer.errors[0]["hint"]


@pytest.mark.parametrize(("depth", "codes"), [(20, {"SCHEMA_INVALID"}), (21, {"MESSAGE_TOO_COMPLEX"})])
def test_json_may_be_as_deep_as_allowed(house, depth, codes):
    with at(house, **SMALL) as caller:
        assert {*caller.send("SyncStudents", nested(depth).encode()).codes} == codes


def test_a_file_is_no_text(house):
    with at(house, **SMALL) as caller:
        answer = caller.json("SendInvoice", {"fileName": "a.pdf", "content": "QUJD" * 5000})

    assert answer.ok


@pytest.mark.parametrize(
    ("inside", "codes"),
    [
        ("<a>" * 20 + "</a>" * 20, ["MESSAGE_TOO_COMPLEX"]),
        ("<students>" + "<student/>" * 1001 + "</students>", ["MESSAGE_TOO_COMPLEX"]),
        ("<a " + " ".join(f"b{number}='c'" for number in range(21)) + "/>", ["MESSAGE_TOO_COMPLEX"]),
    ],
    ids=["depth", "items", "attributes"],
)
def test_plain_xml_is_held_to_the_same(house, inside, codes):
    with at(house, **SMALL) as caller:
        answer = caller.xml("SyncStudents", inside)

    assert (answer.status, answer.codes) == (400, codes)


def test_what_is_expanded_has_a_limit_of_its_own(house):
    with at(house, expanded_bytes="100kB") as caller:
        answer = caller.send("CheckConnection", gzip.compress(b" " * 200_000 + b"{}"), Content_Encoding="gzip")

    assert (answer.status, answer.codes) == (413, ["MESSAGE_TOO_LARGE"])


GROWING = {
    "objects in lists": ('{{"students": [{}]}}', "{},"),
    "lists": ('{{"students": [{}]}}', "[],"),
    "unknown members": ('{{"students": [{{{}}}]}}', '"a{}":1,'),
    "the same member": ('{{"students": [{{{}}}]}}', '"reference":"a",'),
    "groups": ('{{"students": [{{"groups":[{}]}}]}}', '"",'),
    "depth": ('{{"students": {}', "["),
    "escapes": ('{{"messageId": "{}"}}', "\\u00e9"),
    "digits": ('{{"maxRemovals": {}}}', "1"),
}


@pytest.mark.parametrize("kind", GROWING)
def test_four_times_as_much_takes_four_times_as_long_and_is_refused(house, kind):
    caller, spent = PlainCaller.of(house), []
    message, form = GROWING[kind]
    for size in (500_000, 2_000_000):
        many = "".join(form.format(number) for number in range(size // len(form.format(100_000))))
        body = message.format(many.rstrip(",")).encode()
        begin = process_time()
        answer = caller.send("SyncStudents", body)
        spent.append(process_time() - begin)

        assert answer.codes[0] in ("MESSAGE_TOO_COMPLEX", "SCHEMA_INVALID", "MALFORMED_MESSAGE")
    assert spent[1] < 8 * spent[0] + 1


def test_an_account_with_too_many_requests_at_work_gets_429_and_when_to_come_again(house):
    with at(house, threads="4", requests_at_once="1") as caller:
        with writers_wait(house, caller.soap.account.id):
            working = InThread(lambda: PlainCaller.json(caller, "SyncStudents", {"students": [STUDENT]}))
            until(lambda: threads_in("run") and threads_in("answer"))
            other = PlainCaller(caller.soap)
            other.session.headers.update(caller.session.headers)
            refused = other.json("CheckConnection", {})

        assert working().ok
    assert (refused.status, refused.codes) == (429, ["TOO_MANY_REQUESTS"])
    assert refused.headers["Retry-After"] == "1"


@pytest.mark.parametrize("way", ["bearer", "basic"])
def test_too_many_wrong_keys_get_429_and_the_right_one_is_taken(house, way):
    with at(house, failed_logins="5", failed_login_seconds="100") as caller:
        right = caller.session.headers.pop("Authorization")
        if way == "basic":
            caller.session.auth = (caller.soap.account.api_user, "wrong")
        else:
            caller.session.headers["Authorization"] = "Bearer wrong"
        answers = [caller.json("CheckConnection", {}) for _ in range(6)]
        caller.session.auth = None
        caller.session.headers["Authorization"] = right

        assert [answer.status for answer in answers] == [401] * 5 + [429]
        assert answers[5].codes == ["TOO_MANY_REQUESTS"]
        assert 90 <= int(answers[5].headers["Retry-After"]) <= 100
        assert caller.json("CheckConnection", {}).ok


@pytest.mark.parametrize(
    ("kind", "accept", "begins"),
    [
        ("application/json", "*/*", b'{"returnCode":"500 ERROR"'),
        ("application/xml", "*/*", b"<?xml"),
        ("application/json", "application/xml", b"<?xml"),
    ],
)
def test_a_slow_message_gets_408_in_its_own_kind(house, kind, accept, begins):
    with at(house, head_seconds="1", pause_seconds="1") as caller, wired(caller.soap.url) as wire:
        wire.send(request("POST", "/api/v1/CheckConnection", b"{}", Content_Type=kind, Accept=accept)[:-1])
        response = wire.response()

        assert response.status == 408
        assert response.body.startswith(begins)
        assert b"TOO_SLOW" in response.body
        assert wire.ended


def test_a_slow_request_for_something_else_gets_408_in_plain_text(house):
    with at(house, head_seconds="1") as caller, wired(caller.soap.url) as wire:
        wire.send(b"GET /records/x.pdf HTTP/1.1\r\nHost")
        response = wire.response()

        assert (response.status, response.body[:8]) == (408, b"TOO_SLOW")
        assert wire.ended
