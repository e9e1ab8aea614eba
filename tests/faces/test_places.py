"""Every address with every method: what is there, what is not, and what may be done, told in the face's own words."""

import json

import pytest
from lxml import etree

from paraphe.contract import NAMESPACE

from ..soap.cast import open_with_pdf
from .plain import one_database
from .wire import CHECK, basic, fault_code, request, soap_request, wired

pytestmark = one_database


@pytest.fixture
def caller(house):
    return house.account()


def asked(caller, method, path, body=None, **headers):
    """Send one request and hold its connection to the next one."""
    with wired(caller.url) as wire:
        wire.send(request(method, path, body, **headers))
        response = wire.response(head=method == "HEAD")
        assert wire.silent
        return response


def codes_of(response):
    return [error["code"] for error in json.loads(response.body)["errors"]]


# --- HEAD

DOCUMENTS = [
    "/",
    "/soap/v1?wsdl",
    "/soap/v1?WSDL",
    "/soap/v1?wsdl12",
    "/xsd/v1/messages.xsd",
    "/xsd/v1/common.xsd",
    "/api/v1",
    "/api/v1/",
    "/api/v1/openapi.json",
]
NOTHING = ["/nothing", "/soap/v1", "/soap/v2", "/api/v1/CheckConnection", "/api/v1/nothing", "/records/x.pdf"]


@pytest.mark.parametrize("path", DOCUMENTS + NOTHING)
def test_head_is_answered_like_get_without_a_body(caller, path):
    told, given = asked(caller, "HEAD", path), asked(caller, "GET", path)

    assert (told.status, told.headers.keys()) == (given.status, given.headers.keys())
    assert told["Content-Type"] == given["Content-Type"]
    if path in DOCUMENTS:  # a refusal names the method
        assert told["Content-Length"] == given["Content-Length"]


def test_head_of_a_file_has_its_length(caller):
    index = caller.call("GetRecord", recordNumber=open_with_pdf(caller), format="INDEX").recordIndex

    for url in (index.pdfUrl, index.zipUrl, index.documents.document[0].url):
        path = url.removeprefix(caller.url)
        assert asked(caller, "HEAD", path)["Content-Length"] == str(len(asked(caller, "GET", path).body))


# --- methods

ALLOWED = {
    "/": "GET, HEAD",
    "/soap/v1": "GET, HEAD, POST",
    "/soap/v1?wsdl": "GET, HEAD, POST",
    "/xsd/v1/messages.xsd": "GET, HEAD",
    "/api/v1/": "GET, HEAD",
    "/api/v1/openapi.json": "GET, HEAD",
    "/api/v1/SyncStudents": "POST",
    "/records/x.pdf": "GET, HEAD",
    "/documents/x.pdf": "GET, HEAD",
    "/signatures/x.png": "GET, HEAD",
}


@pytest.mark.parametrize("path", ALLOWED)
@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "X-Y"])
def test_other_methods_are_refused_with_those_that_are_taken(caller, path, method):
    response = asked(caller, method, path)

    assert (response.status, response["Allow"]) == (405, ALLOWED[path])
    assert response.body


def test_a_post_to_what_can_only_be_read_is_refused(caller):
    for path in ("/", "/xsd/v1/messages.xsd", "/api/v1/", "/api/v1/openapi.json", "/records/x.pdf"):
        response = asked(caller, "POST", path, b"x")
        assert (response.status, response["Allow"]) == (405, "GET, HEAD")


def test_a_get_of_what_is_only_posted_to_is_refused_in_the_words_of_the_face(caller):
    assert fault_code(asked(caller, "GET", "/soap/v1")) == "METHOD_NOT_ALLOWED"
    assert codes_of(asked(caller, "GET", "/api/v1/SyncStudents")) == ["METHOD_NOT_ALLOWED"]


def test_the_server_itself_has_no_methods(caller):
    assert asked(caller, "OPTIONS", "*").status == 404


# --- addresses


@pytest.mark.parametrize(
    "path", ["/soap/v1/", "/soap//v1", "/soap", "/soap/", "/soap/v2", "/soap/V1", "/soap/v1/x?wsdl"]
)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_what_is_not_the_soap_address_is_told_in_soap(house, path, version):
    caller = house.account(version)
    with wired(caller.url) as wire:
        wire.send(soap_request(caller).replace(b"POST /soap/v1 ", f"POST {path} ".encode()))
        response = wire.response()

    assert (response.status, fault_code(response)) == (404, "NOT_FOUND")
    assert b"/soap/v1" in response.body
    assert (response["Content-Type"] or "").startswith({"1.1": "text/xml", "1.2": "application/soap+xml"}[version])


def test_slashes_at_the_beginning_count_as_one(caller):
    assert asked(caller, "GET", "//soap/v1?wsdl").status == 200


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v2/SyncStudents", "/api/v1x", "/api//v1/SyncStudents", "/API/x"]
)
def test_what_is_not_the_json_address_is_told_in_json_or_xml(caller, path):
    response = asked(caller, "POST", path, b"{}", Content_Type="application/json", Authorization=basic(caller))
    assert (response.status, codes_of(response)) == (404, ["NOT_FOUND"])

    response = asked(caller, "POST", path, b"<a/>", Content_Type="application/xml", Authorization=basic(caller))
    assert response.status == 404
    root = etree.fromstring(response.body)
    assert root.findtext(f"{{{NAMESPACE}}}errors/{{{NAMESPACE}}}error/{{{NAMESPACE}}}code") == "NOT_FOUND"


@pytest.mark.parametrize(
    "path", ["/api/v1//SyncStudents", "/api/v1/SyncStudents/", "/api/v1/SyncStudents//", "/api/v1/."]
)
def test_what_is_no_operation_is_told_so(caller, path):
    response = asked(caller, "POST", path, b"{}", Content_Type="application/json")

    assert (response.status, codes_of(response)) == (404, ["UNKNOWN_OPERATION"])


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1", "/xsd/v1/messages.xsd"])
def test_a_message_that_went_astray_is_told_in_its_own_language_where_to_go(caller, path):
    for kind in ("text/xml", "application/soap+xml", 'multipart/related; type="application/xop+xml"'):
        response = asked(caller, "POST", path, CHECK["1.1"], Content_Type=kind)
        assert (response.status, fault_code(response)) == (404, "NOT_FOUND")
    response = asked(caller, "POST", path, CHECK["1.1"], SOAPAction='""')
    assert (response.status, fault_code(response)) == (404, "NOT_FOUND")
    response = asked(caller, "POST", path, b"{}", Content_Type="application/json")
    assert (response.status, codes_of(response)) == (404, ["NOT_FOUND"])


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/favicon.ico", "/../etc/passwd", "/%2e%2e/", "/xsd/v1/", "/xsd/v1/x.xsd", "/%00", "/v1?x"],
)
def test_there_is_nothing_anywhere_else(caller, path):
    response = asked(caller, "GET", path)

    assert (response.status, response["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert response.body == b"There is nothing at this address.\n"


def test_an_absolute_address_in_the_request_is_taken_for_its_path(caller):
    """As proxies write it: RFC 9112, section 3.2.2."""
    assert asked(caller, "GET", "http://elsewhere.example/soap/v1?wsdl").status == 200
