"""What nobody should send: always an answer that a SOAP client can read, and never more than is asked for.

Attacks written in XML are in `test_hostile_xml`, failures of the server in `test_hostile_answers`.
"""

import gzip
import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from lxml import etree

from .cast import pdf_of
from .conftest import opened
from .house import ENVELOPES, envelope_of, fixture_of, schema

ENVELOPE = ENVELOPES["1.1"]


@pytest.fixture
def caller(house):
    """In version 1.1: the ways are the same."""
    return house.account()


one_database = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


def raw(caller, request):
    """Send bytes as they are and return the body of the answer."""
    place = urlsplit(caller.url)
    with closing(socket.create_connection((place.hostname, place.port), timeout=30)) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while piece := client.recv(1 << 16):
            received += piece
    return received.partition(b"\r\n\r\n")[2]


def fault_of(body):
    """The code of the first error of a fault that is well-formed and follows the schema."""
    root = etree.fromstring(body)
    detail = next(root.iter("{urn:paraphe:exchange:v1}ServiceFault"))
    schema().assertValid(detail)
    return next(root.iter("{urn:paraphe:exchange:v1}code")).text or ""


ENVELOPES_OF_OTHERS = {
    "the end of a CDATA section": '<Envelope xmlns="]]&gt;"/>',
    "a quotation mark": "<Envelope xmlns='\"'/>",
    "an ampersand": '<Envelope xmlns="a&amp;b&lt;c"/>',
    "a very long namespace": f'<Envelope xmlns="urn:{"x" * 5000}"/>',
    "no namespace": "<Envelope/>",
    "an answer": f'<Envelope xmlns="{ENVELOPE}"><Body><Fault/></Body></Envelope>',
    "a Body in no namespace": f'<e:Envelope xmlns:e="{ENVELOPE}"><Body/></e:Envelope>',
    "two Bodies": f'<Envelope xmlns="{ENVELOPE}"><Body/><Body/></Envelope>',
    "a comment as Body": f'<Envelope xmlns="{ENVELOPE}"><Body><!-- --></Body></Envelope>',
    "an operation of a strange namespace": (
        f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body><a xmlns="]]&gt;&amp;"/></e:Body></e:Envelope>'
    ),
    "a strange header": (
        f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Header><a e:mustUnderstand="1" xmlns="]]&gt;"/></e:Header>'
        "<e:Body><a/></e:Body></e:Envelope>"
    ),
}


REFUSALS = {
    "VERSION_MISMATCH",
    "INVALID_ENVELOPE",
    "UNKNOWN_OPERATION",
    "HEADER_NOT_UNDERSTOOD",
    "MALFORMED_MESSAGE",  # the namespaces that are no URI
}


@one_database
@pytest.mark.parametrize("kind", ENVELOPES_OF_OTHERS)
def test_an_envelope_of_somebody_else_is_answered_with_a_readable_fault(caller, kind):
    reply = caller.send(ENVELOPES_OF_OTHERS[kind].encode())

    assert reply.codes[0] in REFUSALS
    assert len(reply.body) < 4000


@one_database
@pytest.mark.parametrize("kind", [b"text/\xe9\xff", b"]]>", b"<&>", b'";', b"x" * 3000])
def test_a_strange_content_type_is_answered_with_a_readable_fault(caller, kind):
    body = raw(
        caller, b"POST /soap/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: " + kind + b"\r\nContent-Length: 4\r\n\r\n<a/>"
    )

    assert fault_of(body) == "UNSUPPORTED_MEDIA_TYPE"


@one_database
@pytest.mark.parametrize("charset", ["klingon", "idna", "base64", "rot13", "undefined", "]]>", "<&>", '"'])
def test_a_strange_charset_is_answered_with_a_readable_fault(caller, charset):
    head = (
        f"POST /soap/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml; charset={charset}\r\nContent-Length: 4\r\n\r\n"
    )

    assert fault_of(raw(caller, head.encode("latin-1") + b"<a/>")) in ("MALFORMED_MESSAGE", "VERSION_MISMATCH")


@one_database
def test_an_empty_post_is_answered_with_a_fault(caller):
    assert caller.send(b"").codes == ["MALFORMED_MESSAGE"]


@one_database
@pytest.mark.parametrize("depth", [100, 255, 5000])
def test_deep_nesting_is_answered_with_a_fault(caller, depth):
    reply = caller.post(f"<SyncStudents>{'<a>' * depth}{'</a>' * depth}</SyncStudents>")

    assert reply.is_fault
    assert "SERVER_ERROR" not in reply.codes


@one_database
def test_deep_nesting_in_a_large_message_is_answered_with_a_fault(caller):
    depth = 1500
    reply = caller.post(f"<SyncStudents>{'<a>' * depth}{'</a>' * depth}<b>{'x' * 9_500_000}</b></SyncStudents>")

    assert reply.is_fault
    assert "SERVER_ERROR" not in reply.codes


@one_database
def test_many_attributes_and_namespaces_are_answered_with_a_fault(caller):
    many = " ".join(f'a{number}="x" xmlns:n{number}="urn:{number}"' for number in range(2000))

    assert caller.post(f"<SyncStudents {many}/>").is_fault


@pytest.mark.parametrize(
    "start", ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-06-01T00:00:00"]
)
def test_a_course_at_the_end_of_time_is_an_error_of_the_item_and_no_failure(caller, start):
    reply = caller.post(
        "<SyncCourses><courses><course><reference>C</reference><name>N</name>"
        f"<start>{start}</start><end>{start}</end></course></courses></SyncCourses>"
    )

    assert not reply.ok
    assert "SERVER_ERROR" not in reply.codes
    assert {error["field"] for error in reply.errors} <= {"start", "end"}


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "9999-12-31", "1899-12-31"])
@pytest.mark.parametrize("field", ["birthDate", "start", "end"])
def test_a_person_at_the_end_of_time_is_no_failure(caller, field, day):
    reply = caller.post(
        "<SyncStudents><students><student><reference>S</reference><lastName>A</lastName><firstName>B</firstName>"
        f"<{field}>{day}</{field}></student></students></SyncStudents>"
    )

    assert "SERVER_ERROR" not in reply.codes


@pytest.mark.parametrize(
    "sign", ["\x7f", "\x85", "\u2028", "\N{ZERO WIDTH NO-BREAK SPACE}", "\ufdd0", "\U0010ffff", "&#13;"]
)
def test_every_sign_that_xml_allows_is_stored_and_answered(caller, sign):
    reply = caller.post(
        f"<SyncTeachers><teachers><teacher><reference>a{sign}b</reference><lastName>A</lastName>"
        "<firstName>B</firstName></teacher></teachers></SyncTeachers>"
    )

    assert reply.ok
    if sign != "&#13;":  # white space of XML, folded
        assert reply.text("items/item/reference") == f"a{sign}b"


def test_amounts_beyond_what_fits_are_no_failure(caller):
    for amount in ("999999999999.99", "-999999999999.99", "0.00", "99999999999999"):
        reply = caller.fixture("SendInvoicingInfo", amountExclVat=amount, messageId=amount)
        assert "SERVER_ERROR" not in reply.codes


@pytest.mark.parametrize("limit", ["-2147483648", "2147483647"])
def test_limits_at_the_ends_of_an_int_are_no_failure(caller, limit):
    for operation in ("GetRecordList", "GetSignatureList"):
        reply = caller.post(
            f"<{operation}><limit>{limit}</limit></{operation}>"
            if operation == "GetRecordList"
            else f"<{operation}><modifiedSince>2026-01-01T00:00:00Z</modifiedSince><limit>{limit}</limit></{operation}>"
        )
        assert reply.codes in (["LIMIT_EXCEEDED"], ["VALUE_OUT_OF_RANGE"])


@pytest.mark.parametrize(
    "cursor", ["czE6OTk5OTk5OTk5OTk5OTk5OTk5OTk", "czE6LTE", "czE6wrI", "=" * 128, "\N{SNOWMAN}", "cjE6JTAw"]
)
def test_forged_cursors_are_refused(caller, cursor):
    for operation in ("GetRecordList", "GetSignatureList"):
        assert caller.post(f"<{operation}><cursor>{cursor}</cursor></{operation}>").codes == ["INVALID_CURSOR"]


def test_a_file_that_calls_itself_a_pdf_is_kept_and_harms_nobody(caller):
    reply = caller.call("SendInvoice", fileName="\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe", content=pdf_of(2000))
    given = caller.call("GetRecord", recordNumber=reply.recordNumber, format="PDF")

    assert reply.status == "NEEDS_REVIEW"
    assert [error.code for error in given.errors.error] == ["RECORD_WITHOUT_DOCUMENT"]


def test_names_that_look_like_sql_are_names(caller):
    name = "Robert'); DROP TABLE student;-- %s :x {} \\"
    caller.fixture("SyncStudents")
    reply = caller.post(
        "<SyncStudents><students><student><reference>STU-0001' OR '1'='1</reference>"
        f"<lastName>{name}</lastName><firstName>B</firstName></student></students></SyncStudents>"
    )

    assert reply.text("created") == "1"


@one_database
def test_the_same_fault_does_not_tell_whether_an_operation_exists_to_who_is_not_known(caller):
    caller.session.auth = None

    assert caller.post("<GetRecord/>").codes == ["CREDENTIALS_REQUIRED"]


@one_database
def test_a_compressed_message_is_taken_or_refused_with_a_fault(caller):
    body = gzip.compress(envelope_of("1.1", "<CheckConnection/>"))
    reply = caller.send(body, headers={"Content-Encoding": "gzip"})

    assert reply.ok or reply.codes == ["UNSUPPORTED_MEDIA_TYPE"]


@one_database
def test_a_bomb_of_zeros_is_not_unpacked(caller):
    house, bomb = caller.house, gzip.compress(b" " * 5_000_000)
    with opened(house.kind, house.database, house.folder, message_bytes="1 MB") as small:
        reply = caller.again(url=small.url).send(bomb, headers={"Content-Encoding": "gzip"})

    assert len(bomb) < 10_000
    assert reply.codes[0] in ("MESSAGE_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE")


def test_after_all_that_the_server_still_serves(caller):
    assert caller.send(fixture_of("1.1", "CheckConnection")).ok
