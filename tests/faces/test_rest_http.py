"""What HTTP says around a message: addresses, credentials, media types, statuses."""

import gzip
import socket
import zlib

import pytest
import requests

from paraphe import contract, store

from ..soap.conftest import opened
from ..soap.house import PATIENCE, credentials_header, envelope_of
from .plain import PlainCaller, held, one_database

pytestmark = one_database


# --- credentials


def test_user_and_key_are_taken_by_basic(caller):
    caller.session.headers.pop("Authorization")
    caller.session.auth = (caller.soap.account.api_user, caller.soap.api_key)

    assert caller.json("CheckConnection", {}).said["account"] == caller.soap.account.name


def test_without_credentials_both_ways_are_offered(caller):
    caller.session.headers.pop("Authorization")

    answer = caller.json("CheckConnection", {})

    assert (answer.status, answer.codes) == (401, ["CREDENTIALS_REQUIRED"])
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Paraphe", charset="UTF-8", Bearer realm="Paraphe"'


@pytest.mark.parametrize(
    "value", ["Bearer 0000", "Bearer ", "Bearer", "bearer x y", "Basic Og==", "Basic !", "Bearer é"]
)
def test_wrong_credentials_are_refused(caller, value):
    caller.session.headers["Authorization"] = value.encode("latin-1")

    answer = caller.json("SyncStudents", {"nonsense": 1})

    assert (answer.status, answer.codes) == (401, ["CREDENTIALS_REFUSED"])


def test_who_is_not_known_learns_nothing_about_the_message(caller):
    caller.session.headers.pop("Authorization")

    assert caller.send("SyncStudents", b"{").codes == ["CREDENTIALS_REQUIRED"]


# --- addresses and methods


@pytest.mark.parametrize("name", ["SyncStudent", "syncstudents", "SyncStudents/", "x/y", "../soap", "ServiceFault"])
def test_an_operation_that_is_not_there_is_not_found(caller, name):
    address = caller.address("") + name
    request = requests.Request("POST", address, data=b"{}", headers={"Content-Type": "application/json"}).prepare()
    request.url = address

    answer = held(caller.session.send(request, timeout=PATIENCE))

    assert (answer.status, answer.codes) == (404, ["UNKNOWN_OPERATION"])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_operations_take_post_only(caller, method):
    response = caller.session.request(method, caller.address("CheckConnection"), timeout=PATIENCE)

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("name", ["CheckConnection", "", "no-such-operation"])
def test_the_answer_to_head_has_no_body(caller, name):
    host, port = caller.soap.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(f"HEAD /api/v1/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("name", ["", "openapi.json"])
def test_documents_take_get_only(caller, name):
    answer = caller.send(name, b"{}")

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_the_address_without_its_last_stroke_leads_to_the_page(caller):
    response = requests.get(caller.address("").rstrip("/"), timeout=PATIENCE, allow_redirects=False)

    assert (response.status_code, response.headers["Location"]) == (308, caller.address(""))


# --- media types


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
def test_other_media_types_are_refused(caller, media_type):
    answer = caller.send("CheckConnection", b"{}", media_type)

    assert (answer.status, answer.codes) == (415, ["UNSUPPORTED_MEDIA_TYPE"])


def test_a_body_without_media_type_is_refused_as_any_web_page_could_make_a_browser_send_it(caller):
    assert caller.send("SyncStudents", b"{}", media_type=None).status == 415


@pytest.mark.parametrize(
    ("sent", "accept", "kind"),
    [
        ("json", None, "json"),
        ("xml", None, "xml"),
        ("json", "*/*", "json"),
        ("xml", "*/*", "xml"),
        ("json", "application/xml", "xml"),
        ("json", "text/xml", "xml"),
        ("xml", "application/json", "json"),
        ("json", "application/xml;q=0.5, application/json;q=0.4", "xml"),
        ("xml", "application/*;q=0.5, application/xml;q=0", "json"),
        ("json", "text/html, image/*", "json"),
        ("xml", "application/json;q=x, ,;;", "xml"),
    ],
)
def test_the_answer_is_of_the_kind_that_came_or_that_is_preferred(caller, sent, accept, kind):
    body = {"json": b"{}", "xml": f'<CheckConnection xmlns="{contract.NAMESPACE}"/>'.encode()}[sent]
    caller.session.headers["Accept"] = accept

    answer = caller.send("CheckConnection", body, f"application/{sent}")

    assert answer.ok
    assert answer.headers["Content-Type"].startswith(f"application/{kind}")


def test_a_refusal_is_of_that_kind_too(caller):
    caller.session.headers["Accept"] = "application/xml"

    answer = caller.send("SyncStudents", b'{"students": 1}')

    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert answer.paths == ["/students"]


# --- XML


def test_a_raw_xml_file_is_taken_in_the_encoding_that_it_declares(caller):
    text = f"""<?xml version="1.0" encoding="ISO-8859-15"?>
        <p:SyncTeachers xmlns:p="{contract.NAMESPACE}"><p:teachers><p:teacher><p:reference>T1</p:reference>
        <p:lastName>Cœur</p:lastName><p:firstName>Noël</p:firstName></p:teacher></p:teachers></p:SyncTeachers>"""

    answer = caller.send("SyncTeachers", text.encode("iso-8859-15"), "text/xml")

    assert answer.said["created"] == 1
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"


def test_errors_of_xml_have_paths_and_lines(caller):
    answer = caller.xml("SyncStudents", "\n<students>\n<student><reference>S1</reference></student></students>")

    assert answer.status == 422
    assert {(error["path"], error["line"]) for error in answer.errors} == {("/SyncStudents/students/student[1]", 3)}


def test_another_element_than_that_of_the_address_is_refused(caller):
    body = f'<SyncTeachers xmlns="{contract.NAMESPACE}"/>'.encode()

    answer = caller.send("SyncStudents", body, "application/xml")

    assert (answer.status, answer.paths) == (422, ["/SyncTeachers"])


def test_an_envelope_is_told_where_to_go(caller):
    body = envelope_of("1.1", "<CheckConnection/>", credentials_header("a", "b"))

    answer = caller.send("CheckConnection", body, "text/xml")

    assert answer.status == 422
    assert "/soap/v1" in answer.errors[0]["hint"]


def test_xml_that_is_broken_or_dangerous_is_refused(caller):
    assert caller.send("CheckConnection", b"<a", "text/xml").codes == ["MALFORMED_MESSAGE"]
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><CheckConnection>&b;</CheckConnection>'
    assert caller.send("CheckConnection", bomb, "text/xml").codes == ["FORBIDDEN_CONSTRUCT"]


# --- statuses


def test_what_is_too_large_is_refused(house, initialised, tmp_path):
    with initialised("sqlite", tmp_path) as url, opened("sqlite", url, tmp_path, message_bytes="1MB") as own:
        caller = PlainCaller.of(own)

        answer = caller.json("SyncStudents", {"messageId": "x" * 1_100_000})

        assert (answer.status, answer.codes) == (413, ["MESSAGE_TOO_LARGE"])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_failure_of_the_server_is_told_as_such(house, initialised, tmp_path, kind):
    with initialised(kind, tmp_path) as url, opened(kind, url, tmp_path) as own:
        caller = PlainCaller.of(own)
        with store.writing(own.engine) as connection:
            connection.exec_driver_sql("ALTER TABLE student RENAME TO student_gone")

        answer = caller.fixture("json", "SyncStudents")

    assert (answer.status, answer.codes) == (500, ["SERVER_ERROR"])
    assert "Retry-After" not in answer.headers
    assert "student" not in answer.body.decode()


# --- strange headers

STRANGE = [
    "]]>",
    "a/b; charset",
    ";;;=",
    'application/json; charset="',
    "application/json; x*=utf-8''%ff",
    "é/è",
    "a" * 9000,
]


@pytest.mark.parametrize("text", [*STRANGE, "a" * 9000])
def test_strange_headers_are_answered_readably(caller, text):
    caller.session.headers["Accept"] = text.encode("latin-1")

    assert caller.send("CheckConnection", b"{}").ok
    caller.session.headers["Content-Type"] = text.encode("latin-1")
    assert caller.send("CheckConnection", b"{}", media_type=None).status in (200, 400, 415)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_message_is_expanded(caller, encoding, compress):
    body = compress(b'{"students":[{"reference":"S1","lastName":"A","firstName":"B"}]}')

    assert caller.send("SyncStudents", body, Content_Encoding=encoding).said["created"] == 1
