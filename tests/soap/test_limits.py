"""Limits in force: each has its own answer, is told by CheckConnection, and leaves everybody else unharmed."""

import gzip
from contextlib import contextmanager
from time import process_time

import pytest

from paraphe import settings
from paraphe.app import limits_of

from .conftest import opened
from .house import envelope_of

pytestmark = [pytest.mark.parametrize("house", ["sqlite"], indirect=True), pytest.mark.slow]
STUDENT = "<student><reference>{}</reference><lastName>L</lastName><firstName>F</firstName></student>"


@pytest.fixture
def caller(house):
    """In version 1.1: the ways are the same."""
    return house.account()


@contextmanager
def at(house, **given):
    """Somebody at another server over the same database, with other settings."""
    with opened(house.kind, house.database, house.folder, **given) as other:
        yield other.account()


def test_check_connection_tells_every_limit_that_can_be_set(house):
    given = {
        "message_bytes": "1000001",
        "expanded_bytes": "1000002",
        "element_depth": "11",
        "element_attributes": "22",
        "message_attributes": "1003",
        "message_elements": "10006",
        "list_items": "1004",
        "text_length": "10005",
        "head_seconds": "6",
        "pause_seconds": "7",
        "least_speed": "8",
        "requests_at_once": "9",
        "failed_logins": "10",
        "failed_logins_per_source": "12",
        "failed_login_seconds": "13",
        "link_days": "14",
    }
    with at(house, **given) as caller:
        answer = caller.call("CheckConnection")

    told = {limit.name: (limit.value, limit.unit) for limit in answer.limits.limit}
    assert told == {limit.name: (limit.value, limit.unit) for limit in limits_of(settings.read(given))}
    assert {int(value) for value in given.values()} <= {value for value, _ in told.values()}


# What a message may hold -------------------------------------------------------------------------------------------

MANY = 1001
ATTRIBUTES = " ".join(f"a{number}='x'" for number in range(21))
NAMESPACES = " ".join(f"xmlns:a{number}='urn:x'" for number in range(21))
TOO_COMPLEX = {
    "depth": "<CheckConnection>" + "<a>" * 20 + "</a>" * 20 + "</CheckConnection>",
    "attributes of one element": f"<CheckConnection {ATTRIBUTES}/>",
    "namespaces of one element": f"<CheckConnection {NAMESPACES}/>",
    "attributes in all": "<CheckConnection>" + "<a b='c'/>" * MANY + "</CheckConnection>",
    "items": "<SyncStudents><students>" + "<student/>" * MANY + "</students></SyncStudents>",
    "numbers": "<AcknowledgeRecords><recordNumbers>"
    + "<recordNumber/>" * MANY
    + "</recordNumbers></AcknowledgeRecords>",
    "a text": "<SyncTeachers><messageId>" + "x" * 10_001 + "</messageId></SyncTeachers>",
}
SMALL = {
    "element_depth": "20",
    "element_attributes": "20",
    "message_attributes": "1000",
    "list_items": "1000",
    "text_length": "10000",
}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_what_is_too_complex_is_a_fault_that_says_so(house, version):
    with at(house, **SMALL) as caller:
        caller = caller.house.account(version, url=caller.url)
        for payload in TOO_COMPLEX.values():
            reply = caller.post(payload)
            assert (reply.codes, reply.is_fault) == (["MESSAGE_TOO_COMPLEX"], True)
            assert reply.status == {"1.1": 500, "1.2": 400}[version]
            assert reply.errors[0]["hint"]


@pytest.mark.parametrize("kind", TOO_COMPLEX)
def test_it_is_taken_for_what_it_is_where_the_limits_are_higher(caller, kind):
    assert {*caller.post(TOO_COMPLEX[kind]).codes} <= {"SCHEMA_INVALID"}


def test_as_many_items_as_allowed_are_stored(house):
    students = "".join(map(STUDENT.format, range(1000)))
    with at(house, **SMALL) as caller:
        assert caller.post(f"<SyncStudents><students>{students}</students></SyncStudents>").text("created") == "1000"


def test_a_compressed_message_may_be_longer_than_one_that_is_not_or_shorter(house):
    body = envelope_of("1.1", f"<CheckConnection/>{' ' * 200_000}")
    packed, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    for message_bytes, expanded_bytes, plain, compressed in (("1MB", "100kB", [], 1), ("100kB", "1MB", None, 0)):
        with at(house, message_bytes=message_bytes, expanded_bytes=expanded_bytes) as caller:
            assert caller.send(body).codes == (["MESSAGE_TOO_LARGE"] if plain is None else plain)
            assert caller.send(packed, headers=headers).codes == ["MESSAGE_TOO_LARGE"] * compressed


def repeated(form, size):
    """`form` again and again, numbered, up to a size."""
    return "".join(form.format(number) for number in range(size // len(form.format(100_000))))


SYNC = "<SyncStudents>{}</SyncStudents>"
STUDENTS = SYNC.format("<students>{}</students>")
ONE = STUDENTS.format("<student>{}</student>")
GROUPS = "<reference>a</reference><lastName>b</lastName><firstName>c</firstName><groups>{}</groups>"
NUMBERS = "<AcknowledgeRecords><recordNumbers>{}</recordNumbers></AcknowledgeRecords>"
EMAIL = "<SyncContacts><contacts><contact><email>{}</email></contact></contacts></SyncContacts>"
# A message, and what fills it up.
GROWING = {
    "attributes": ("<SyncStudents{}/>", " a{}='x'"),
    "the same attribute": ("<SyncStudents{}/>", " a='x'"),
    "attributes, each with a namespace": ("<SyncStudents{}/>", " xmlns:n{0}='urn:{0}' n{0}:a='x'"),
    "attributes of an item": (STUDENTS.format("<student{}/>"), " a{}='x'"),
    "namespaces": ("<SyncStudents{}/>", " xmlns:n{0}='urn:{0}'"),
    "namespaces of the list": (SYNC.format("<students{}/>"), " xmlns:n{0}='urn:{0}'"),
    "a namespace in each item": (STUDENTS, "<n:student xmlns:n='urn:{}'/>"),
    "the same namespace in each item": (STUDENTS, "<n:student xmlns:n='urn:paraphe:exchange:v1'/>"),
    "a namespace in each element of one item": (ONE, "<n:a xmlns:n='urn:{}'/>"),
    "a namespace in each element in the place of a list": (SYNC.format("<a>{}</a>"), "<n:a xmlns:n='urn:{}'/>"),
    "depth": (SYNC, "<a>"),
    "elements": (SYNC, "<a/>"),
    "names": (SYNC, "<a{}/>"),
    "empty students": (STUDENTS, "<student/>"),
    "one student": (ONE, "<reference>{}</reference>"),
    "groups": (ONE.format(GROUPS), "<reference/>"),
    "good students in the wrong place": (STUDENTS.replace("</Sync", "<mode>UPSERT</mode></Sync"), STUDENT),
    "record numbers": (NUMBERS, "<recordNumber/>"),
    "an address": (EMAIL, "a."),
}


def grown(kind, size):
    message, form = GROWING[kind]
    return message.format(repeated(form, size))


@pytest.mark.parametrize("kind", GROWING)
def test_four_megabytes_of_anything_are_refused_in_linear_time(caller, kind):
    message = envelope_of("1.1", grown(kind, 4_000_000))

    begin = process_time()
    reply = caller.send(message)

    # The server is in this process. It takes a second or two, in quadratic time minutes.
    assert process_time() - begin < 20
    assert reply.is_fault
    assert reply.codes[0] in ("MESSAGE_TOO_COMPLEX", "SCHEMA_INVALID", "MALFORMED_MESSAGE")


@pytest.mark.parametrize("kind", ["attributes", "namespaces", "namespaces of the list"])
def test_headers_and_what_is_no_envelope_are_held_to_the_same(caller, kind):
    payload = grown(kind, 1_000_000)

    for message in (envelope_of("1.1", "<CheckConnection/>", payload), payload.encode()):
        assert caller.send(message).codes == ["MESSAGE_TOO_COMPLEX"]
