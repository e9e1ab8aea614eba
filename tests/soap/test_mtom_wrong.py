"""MTOM that is wrong: references that lead nowhere, broken packages, and what is made to take long."""

import time

import pytest
import requests

from . import cast
from .attachments import BOUNDARY, SEND, content_type, kept, part, post, root
from .cast import INVOICE
from .packages import XOP, include, package


@pytest.fixture
def house(houses):
    """Over one database: it plays no role."""
    return houses("sqlite")


WRONG_REFERENCES = {
    "a part that is not there": include("2@here"),
    "no cid": f'<xop:Include xmlns:xop="{XOP}" href="http://127.0.0.1:9/1@here"/>',
    "no href": f'<xop:Include xmlns:xop="{XOP}"/>',
    "another attribute": include("1@here").replace(" href", ' type="x" href'),
    "an element in it": include("1@here").replace("/>", "><a xmlns=''/></xop:Include>"),
}


@pytest.mark.parametrize("kind", WRONG_REFERENCES)
def test_a_reference_that_leads_nowhere_is_refused(caller, kind):
    reply = post(caller, [root(caller, SEND.replace(include("HREF"), WRONG_REFERENCES[kind])), part(INVOICE)])

    (error,) = reply.errors
    assert reply.is_fault
    assert (error["code"], error["path"]) == ("INVALID_ATTACHMENT", "/SendInvoice/content")
    assert cast.to_extract(caller) == []


def test_what_the_xop_schema_lets_a_reference_have_besides_means_nothing(caller):
    more = include("1@here").replace(" href", ' x:a="b" xmlns:x="urn:x" href').replace("/>", "><x:b/></xop:Include>")

    assert kept(caller, post(caller, [root(caller, SEND.replace(include("HREF"), more)), part(INVOICE)])) == INVOICE


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (SEND.replace("F.pdf", include("1@here")), "fileName"),
        (SEND.replace("<content>", "<content>JVBERi0="), "content"),
        (SEND.replace("</content>", f"{include('1@here')}</content>"), "content"),
        (SEND.replace("<content>", "<content><b/>"), "content"),
        (f"<SyncStudents><students>{include('1@here')}</students></SyncStudents>", "Include"),
    ],
)
def test_a_reference_in_another_place_is_refused_by_the_schema(caller, payload, place):
    reply = post(caller, [root(caller, payload), part(INVOICE)])

    assert "SCHEMA_INVALID" in reply.codes
    assert place in {error["path"].rpartition("/")[2] for error in reply.errors}


def test_a_reference_in_a_message_without_parts_is_refused(caller):
    assert caller.post(SEND).codes == ["SCHEMA_INVALID"]


def broken_packages():
    whole = package(BOUNDARY, [("Content-Type: text/xml", b"<a/>")])
    parts = [("Content-Type: text/xml", b"<a/>")]
    return {
        "without a closing boundary": whole.rpartition(b"--\r\n")[0],
        "cut in a part": whole[:30],
        "with another boundary": whole.replace(b"between", b"BETWEEN"),
        "empty": b"",
        "without parts": f"--{BOUNDARY}--\r\n".encode(),
        "with a part without a blank line": whole.replace(b"\r\n\r\n", b"\r\n"),
        "with two parts of one name": package(BOUNDARY, [*parts, part(b"", "x"), part(b"", "x")]),
        "with very many parts": package(BOUNDARY, parts * 101),
        "with a boundary inside a part": (f"--{BOUNDARY}\r\n\r\n" + f"\r\n--{BOUNDARY}!" * 5000).encode(),
        "with long headers": package(BOUNDARY, [("A: " + "x" * 20_000, b"<a/>")]),
    }


@pytest.mark.parametrize("kind", broken_packages())
def test_a_broken_package_is_refused(caller, kind):
    reply = caller.send(broken_packages()[kind], headers={"Content-Type": content_type(caller.version)})

    assert reply.codes == ["INVALID_ATTACHMENT"]
    assert reply.version == caller.version  # told by start-info, as there is no envelope to tell it


@pytest.mark.parametrize("boundary", ["", "x" * 201])
def test_a_content_type_without_a_usable_boundary_is_refused(caller, boundary):
    assert post(caller, [root(caller)], boundary=boundary).codes == ["INVALID_ATTACHMENT"]


@pytest.mark.parametrize(("encoding", "content"), [("base64", b"JVBE*"), ("base64", b"JVB"), ("x-uuencode", b"a")])
def test_a_part_that_is_not_encoded_as_it_says_is_refused(caller, encoding, content):
    assert post(caller, [root(caller), part(content, encoding=encoding)]).codes == ["INVALID_ATTACHMENT"]


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/form-data", "application/xop+xml"])
def test_other_packages_are_refused_by_their_content_type(caller, kind):
    body = package(BOUNDARY, [root(caller), part(INVOICE)])

    reply = caller.send(body, headers={"Content-Type": f'{kind}; boundary="{BOUNDARY}"'})

    assert reply.codes == ["UNSUPPORTED_MEDIA_TYPE"]


def test_a_root_part_that_is_no_xml_is_refused_by_its_content_type(caller):
    assert post(caller, [("Content-Type: text/html", b"<a/>")]).codes == ["UNSUPPORTED_MEDIA_TYPE"]


def test_the_root_part_is_held_to_what_every_message_is_held_to(caller):
    head, envelope = root(caller)
    with_type = envelope.replace(b"?>\n", b'?>\n<!DOCTYPE a [<!ENTITY b "c">]>')

    assert post(caller, [(head, with_type), part(INVOICE)]).codes == ["FORBIDDEN_CONSTRUCT"]
    assert post(caller, [(head, b"<a"), part(INVOICE)]).codes == ["MALFORMED_MESSAGE"]
    caller.session.auth = None
    assert post(caller, [(head, envelope)]).codes == ["CREDENTIALS_REQUIRED"]


def test_what_is_hostile_takes_no_longer_than_what_is_large(caller):
    lookalikes = f"\n--{BOUNDARY}".encode()
    bodies = [
        f"--{BOUNDARY}\r\n".encode() + lookalikes[:-1] * 400_000,
        f"--{BOUNDARY}\r\n".encode() + lookalikes * 400_000,
        lookalikes + b" " * 8_000_000,
        (lookalikes + b" " * 50_000) * 160,
        f"--{BOUNDARY}\r\n".encode() + b"a:\r\n" * 2_000_000,
        b"\r\n" * 4_000_000,
    ]
    for body in bodies:
        begun = time.process_time()
        reply = caller.send(body, headers={"Content-Type": content_type(caller.version)})
        assert reply.codes == ["INVALID_ATTACHMENT"]
        assert time.process_time() - begun < 2


@pytest.mark.parametrize("path", ["/soap/v1", "/api/v1/CheckConnection"])
def test_a_very_long_content_type_is_refused_at_once(caller, path):
    for long in (f'{content_type(caller.version)}; a="{";" * 60_000}', "text/xml;" + "a*0=b;" * 9000):
        begun = time.process_time()
        headers = {"Content-Type": long}
        reply = requests.post(caller.url + path, b"<a/>", headers=headers, auth=caller.session.auth, timeout=60)
        assert reply.status_code == 415
        assert time.process_time() - begun < 1
