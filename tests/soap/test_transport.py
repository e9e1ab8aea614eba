"""SOAP over HTTP as old and new stacks speak it: SOAPAction, Content-Type, chunks, Expect, connections."""

import pytest

from ..faces.wire import CHECK, fault_code, is_done, request, soap_request, wired
from .conftest import opened
from .house import ENVELOPES, MEDIA_TYPES, envelope_of

one_database = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
pytestmark = one_database
OLD = pytest.mark.parametrize("version", ["1.1"], indirect=True)
URN = "urn:paraphe:exchange:v1:"


def exchanged(caller, *requests):
    """Send requests in one go over one connection; give the answers."""
    with wired(caller.url) as wire:
        wire.send(b"".join(requests))
        return [wire.response() for _ in requests]


# --- what goes with the envelope


@pytest.mark.parametrize(
    "action",
    [
        f'"{URN}CheckConnection"',
        f"{URN}CheckConnection",
        '""',
        "",
        None,
        f'"{URN}SyncStudents"',
        '"http://tempuri.org/x"',
        "]]>'\"",
        '"é"',
    ],
    ids=["quoted", "bare", "empty in quotes", "empty", "absent", "another's", "a stranger's", "broken", "accents"],
)
def test_the_operation_is_that_of_the_body_whatever_soap_action_says(caller, action):
    message = soap_request(caller, SOAPAction="{}")
    line = b"" if action is None else f"SOAPAction: {action}\r\n".encode("latin-1")

    (response,) = exchanged(caller, message.replace(b"SOAPAction: {}\r\n", line))

    assert is_done(response)
    assert b"CheckConnectionResult" in response.body


@pytest.mark.parametrize("parameter", [f'action="{URN}CheckConnection"', 'action=""', f"action={URN}GetRecord", "x=y"])
def test_the_action_of_the_media_type_does_not_matter_either(caller, parameter):
    (response,) = exchanged(caller, soap_request(caller, Content_Type=f"{MEDIA_TYPES[caller.version]}; {parameter}"))

    assert is_done(response)


@pytest.mark.parametrize("kind", ["text/xml", "application/soap+xml", "application/xml", "TEXT/XML;charset=UTF-8"])
def test_the_envelope_tells_its_version_whatever_the_media_type(caller, kind):
    (response,) = exchanged(caller, soap_request(caller, Content_Type=kind))

    assert is_done(response)
    assert response["Content-Type"] == MEDIA_TYPES[caller.version]
    assert ENVELOPES[caller.version].encode() in response.body


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json", "text/html"])
def test_other_media_types_are_refused(caller, kind):
    (response,) = exchanged(caller, soap_request(caller, Content_Type=kind))

    assert (response.status, fault_code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert response["Accept-Encoding"] is None


WRONG = "<SyncStudents><mode>MERGE</mode></SyncStudents>"


@pytest.mark.parametrize("payload", ["<CheckConnection/>", "<Unknown/>", WRONG])
def test_an_answer_says_its_length_once(caller, payload):
    headers = {"Content-Type": MEDIA_TYPES[caller.version], "Accept-Encoding": "identity"}

    response = caller.session.post(caller.address, envelope_of(caller.version, payload), headers=headers)

    assert response.raw.headers.getlist("Content-Length") == [str(len(response.content))]


@pytest.mark.parametrize("kind", ["", " "])
def test_a_message_without_media_type_is_refused_and_told_which_ones_there_are(caller, kind):
    (response,) = exchanged(caller, soap_request(caller, Content_Type=kind))

    assert (response.status, fault_code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert b"Send text/xml" in response.body


# --- the body


def in_chunks(body, size=100):
    pieces = [body[begin : begin + size] for begin in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_message_may_come_in_chunks(caller, size):
    head = soap_request(caller, Content_Length="", Transfer_Encoding="chunked").partition(b"\r\n\r\n")[0]
    message = head + b"\r\n\r\n" + in_chunks(CHECK[caller.version], size)

    assert all(map(is_done, exchanged(caller, message, message)))


def test_chunks_may_have_extensions_and_trailers(caller):
    head = soap_request(caller, Content_Length="", Transfer_Encoding="Chunked").partition(b"\r\n\r\n")[0]
    body = CHECK[caller.version]
    chunks = b"%X;name=value\r\n%b\r\n0\r\nX-Checksum: 1\r\n\r\n" % (len(body), body)

    assert all(map(is_done, exchanged(caller, head + b"\r\n\r\n" + chunks, soap_request(caller))))


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"-1\r\n", b"3\r\nabcde\r\n"])
def test_broken_chunks_are_answered_with_a_fault_and_the_connection_is_closed(caller, chunks):
    head = soap_request(caller, Content_Length="", Transfer_Encoding="chunked").partition(b"\r\n\r\n")[0]

    with wired(caller.url) as wire:
        wire.send(head + b"\r\n\r\n" + chunks)
        response = wire.response()

        assert fault_code(response) == "MALFORMED_MESSAGE"
        assert response["Connection"] == "close"
        assert wire.ended


@OLD
def test_a_length_beside_chunks_smuggles_nothing(caller):
    """RFC 9112, section 6.3: the chunks decide, and what looks like a second request is the next one or none."""
    head = soap_request(caller, Content_Length="5", Transfer_Encoding="chunked").partition(b"\r\n\r\n")[0]

    first, second = exchanged(caller, head + b"\r\n\r\n" + in_chunks(CHECK["1.1"]), request("GET", "/nothing"))

    assert is_done(first)
    assert second.status == 404


@OLD
@pytest.mark.parametrize("length", ["-1", "+4", "4, 4", "4x", "0x10"])
def test_a_length_that_is_none_is_refused(caller, length):
    with wired(caller.url) as wire:
        wire.send(request("POST", "/soap/v1", Content_Length=length) + b"<a/>")
        response = wire.response()

        assert response.status == 400
        assert wire.ended


# --- Expect: 100-continue


def test_who_asks_first_is_told_to_go_on(caller):
    message = soap_request(caller, Expect="100-continue")
    head, _, body = message.partition(b"\r\n\r\n")

    with wired(caller.url) as wire:
        wire.send(head + b"\r\n\r\n")
        assert wire.response().status == 100
        wire.send(body)
        assert is_done(wire.response())
        assert wire.silent


def test_who_asks_and_does_not_wait_is_served_too(caller):
    with wired(caller.url) as wire:
        wire.send(soap_request(caller, Expect="100-Continue"))

        assert [wire.response().status for _ in range(2)] == [100, 200]
        assert wire.silent


def test_who_asks_for_nothing_to_send_is_answered_at_once(caller):
    with wired(caller.url) as wire:
        wire.send(soap_request(caller, b"", Expect="100-continue"))

        assert fault_code(wire.response()) == "MALFORMED_MESSAGE"
        assert wire.silent


@OLD
def test_who_asks_with_a_length_that_is_too_great_is_refused_without_sending(caller, tmp_path):
    house = caller.house
    with opened(house.kind, house.database, tmp_path, message_bytes="1MB") as small, wired(small.url) as wire:
        wire.send(soap_request(caller, b"", Expect="100-continue", Content_Length="1000001"))
        response = wire.response()

        assert (response.status, fault_code(response)) == (413, "MESSAGE_TOO_LARGE")
        assert response["Connection"] == "close"
        assert wire.ended


@OLD
@pytest.mark.parametrize("length", [4_000_000, 10**15])
def test_a_length_far_beyond_the_limit_is_answered_at_once_with_a_fault(caller, tmp_path, length):
    house = caller.house
    with opened(house.kind, house.database, tmp_path, message_bytes="1MB") as small, wired(small.url) as wire:
        wire.send(soap_request(caller, b"", Content_Length=str(length)))
        response = wire.response()

        assert (response.status, fault_code(response)) == (413, "MESSAGE_TOO_LARGE")
        assert wire.ended


@OLD
def test_chunks_far_beyond_the_limit_are_answered_with_a_fault(caller, tmp_path):
    house = caller.house
    head = soap_request(caller, Content_Length="", Transfer_Encoding="chunked").partition(b"\r\n\r\n")[0]
    with opened(house.kind, house.database, tmp_path, message_bytes="1MB") as small, wired(small.url) as wire:
        wire.send(head + b"\r\n\r\n" + in_chunks(bytes(4_000_000), 1_000_000)[:-5])
        response = wire.response()

        assert (response.status, fault_code(response)) == (413, "MESSAGE_TOO_LARGE")


@OLD
def test_an_expectation_that_nobody_knows_is_disregarded(caller):
    (response,) = exchanged(caller, soap_request(caller, Expect="miracles"))

    assert is_done(response)


# --- connections


def test_a_connection_is_kept(caller):
    with wired(caller.url) as wire:
        for _ in range(3):
            wire.send(soap_request(caller))
            response = wire.response()
            assert is_done(response)
            assert response["Connection"] is None


def test_a_connection_is_closed_for_who_asks_for_that(caller):
    with wired(caller.url) as wire:
        wire.send(soap_request(caller, Connection="close"))
        response = wire.response()

        assert is_done(response)
        assert response["Connection"] == "close"
        assert wire.ended


def test_http_1_0_gets_its_answer_and_the_end(caller):
    with wired(caller.url) as wire:
        wire.send(soap_request(caller, version="1.0"))
        response = wire.response()

        assert is_done(response)
        assert response.version == "HTTP/1.0"
        assert response["Transfer-Encoding"] is None
        assert wire.ended


def test_http_1_0_may_keep_its_connection(caller):
    with wired(caller.url) as wire:
        for _ in range(2):
            wire.send(soap_request(caller, version="1.0", Connection="Keep-Alive"))
            response = wire.response()
            assert is_done(response)
            assert response["Connection"] == "Keep-Alive"


def test_http_1_0_needs_no_host(caller):
    (response,) = exchanged(caller, soap_request(caller, version="1.0", Host=""))

    assert is_done(response)


def test_requests_sent_in_one_go_are_answered_in_their_order(caller):
    wrong = soap_request(caller, b"<a/>")

    responses = exchanged(caller, soap_request(caller), wrong, request("GET", "/nothing"), soap_request(caller))

    assert [is_done(responses[0]), responses[2].status, is_done(responses[3])] == [True, 404, True]
    assert fault_code(responses[1]) == "VERSION_MISMATCH"


def test_a_fault_keeps_the_connection(caller):
    with wired(caller.url) as wire:
        wire.send(soap_request(caller, b"<a"))
        assert fault_code(wire.response()) == "MALFORMED_MESSAGE"
        wire.send(soap_request(caller))
        assert is_done(wire.response())


@pytest.mark.parametrize("coding", ["x", "identity", "gzip, chunked"])
def test_a_transfer_coding_that_is_not_known_gets_a_fault_like_any_other_mistake(caller, coding):
    (response,) = exchanged(caller, soap_request(caller, Content_Length="", Transfer_Encoding=coding))

    assert fault_code(response) == "MALFORMED_MESSAGE"
