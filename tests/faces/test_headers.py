"""What every answer says to a browser: believe the media type, load nothing, show it in no frame, keep nothing."""

import re

import pytest

from ..soap.cast import FIRST_DAY, open_with_pdf, sitting
from .plain import one_database
from .wire import basic, request, soap_request, wired

pytestmark = one_database
CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

# What is sent, by what it is; {} is the path of a file.
REQUESTS = {
    "the landing page": ("GET", "/"),
    "a WSDL": ("GET", "/soap/v1?wsdl"),
    "a schema": ("GET", "/xsd/v1/common.xsd"),
    "the page": ("GET", "/api/v1/"),
    "a redirection": ("GET", "/api/v1"),
    "OpenAPI": ("GET", "/api/v1/openapi.json"),
    "an operation": ("POST", "/api/v1/CheckConnection"),
    "no operation": ("POST", "/api/v1/x"),
    "a method of JSON": ("GET", "/api/v1/CheckConnection"),
    "a method of SOAP": ("PUT", "/soap/v1"),
    "a fault": ("POST", "/soap/v1"),
    "no SOAP address": ("POST", "/soap/v2"),
    "a preflight": ("OPTIONS", "/api/v1/CheckConnection"),
    "no file": ("GET", "/records/x.pdf"),
    "nothing": ("GET", "/nothing"),
}


@pytest.fixture
def caller(house):
    return house.account()


def answered(caller, message):
    with wired(caller.url) as wire:
        wire.send(message)
        return wire.response()


def answer(caller, what):
    method, path = REQUESTS[what]
    return answered(caller, request(method, path, b"" if method == "POST" else None, Authorization=basic(caller)))


def files(caller):
    """The addresses of a record, a document and a signature."""
    sitting(caller)
    index = caller.call("GetRecord", recordNumber=open_with_pdf(caller), format="INDEX").recordIndex
    listed = caller.call("GetSignatureList", periodStart=FIRST_DAY, periodEnd=FIRST_DAY).courses.course[0]
    signature = next(one.signatureUrl for one in listed.participants.participant if one.signatureUrl)
    urls = (index.pdfUrl, index.zipUrl, index.documents.document[0].url, signature)
    return [url.removeprefix(caller.url) for url in urls]


def hold(response):
    """Hold an answer against what all answers say."""
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "no-referrer"
    assert (response["Content-Security-Policy"] or "").startswith(CLOSED)
    assert "script" not in (response["Content-Security-Policy"] or "")
    assert response["Cross-Origin-Resource-Policy"] in ("same-origin", "cross-origin")
    assert re.fullmatch(r"no-store|no-cache|private, no-store", response["Cache-Control"] or "")
    assert len(response["X-Request-Id"] or "") == 32
    assert response["Server"] == "paraphe"
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert "x-powered-by" not in response.headers
    repeated = {name for name, values in response.headers.items() if len(values) > 1}
    assert repeated <= {"www-authenticate", "vary"}


@pytest.mark.parametrize("what", REQUESTS)
def test_every_answer_protects_a_browser(caller, what):
    hold(answer(caller, what))


def test_every_file_protects_a_browser_too(caller):
    for path in files(caller):
        response = answered(caller, request("GET", path))
        assert response.status == 200
        hold(response)
        assert response["Content-Security-Policy"] == CLOSED
        assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("what", REQUESTS)
def test_what_holds_data_is_kept_by_nobody(caller, what):
    published = ("the landing page", "a WSDL", "a schema", "the page", "OpenAPI")

    assert answer(caller, what)["Cache-Control"] == ("no-cache" if what in published else "no-store")


def test_styles_are_allowed_where_there_are_some_and_nowhere_else(caller):
    allowed = {what: (answer(caller, what)["Content-Security-Policy"] or "")[len(CLOSED) :] for what in REQUESTS}

    assert re.fullmatch(r"; style-src 'sha256-[\w+/]{43}='; img-src data:", allowed.pop("the page"))
    # Browsers show XML with styles and pictures of their own, which are others in each version.
    assert allowed.pop("a WSDL") == allowed.pop("a schema") == "; style-src 'unsafe-inline'; img-src data:"
    assert set(allowed.values()) == {""}


def test_only_signatures_may_be_shown_by_pages_of_others(caller):
    policies = [answered(caller, request("GET", path))["Cross-Origin-Resource-Policy"] for path in files(caller)]

    assert policies == ["same-origin", "same-origin", "same-origin", "cross-origin"]


@pytest.mark.parametrize("what", REQUESTS)
def test_a_page_of_another_site_gets_no_permission(caller, what):
    method, path = REQUESTS[what]
    asked = {"Origin": "https://elsewhere.example", "Access_Control_Request_Method": "POST"}
    wanted = {"Access_Control_Request_Headers": "authorization,content-type,soapaction"}

    for message in (request(method, path, **asked), request("OPTIONS", path, **asked, **wanted)):
        hold(answered(caller, message))


def test_strict_transport_security_is_left_to_the_proxy(caller):
    """It is about every port of the host, so the one who holds the certificate decides."""
    assert answer(caller, "the page")["Strict-Transport-Security"] is None


def test_answers_to_messages_say_the_same_through_soap(caller):
    response = answered(caller, soap_request(caller))

    hold(response)
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "broken",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET /\xe9 HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_in_plain_words(caller, broken):
    with wired(caller.url) as wire:
        wire.send(broken)
        response = wire.response()

        assert response.status in (400, 501)
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "no-store"
        assert response["Server"] == "paraphe"
        assert wire.ended
