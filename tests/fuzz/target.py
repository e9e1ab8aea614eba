"""What may be asked of the application, and what holds for every answer that it gives."""

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lxml import etree

from paraphe import contract
from paraphe.contract import NAMESPACE
from paraphe.errors import Code
from paraphe.faces.rest import openapi

from . import house
from .house import Failed, House
from .promises import Broken, hold

PATIENCE = 2.0
"""Seconds that no request may take."""

PATIENCE_WITH_PDF = 10.0
"""Seconds that no request may take in which a record's PDF is made, by a process that is started for it."""

V1 = f"{{{NAMESPACE}}}"
SOAP = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
_ENVELOPES = {f"{{{namespace}}}Envelope": namespace for namespace in SOAP.values()}
# What no message may bring about, as long as the machine is well.
_FAILURES = {"SERVER_ERROR", "SERVER_BUSY"}


@dataclass
class Request:
    """An HTTP request. Texts are what WSGI makes of bytes: each sign one byte."""

    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    query: str = ""


@dataclass(frozen=True)
class Reply:
    """An answer. `members` are those of every answer by their contract names, empty where there are none."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float
    members: dict[str, Any]

    @property
    def codes(self) -> list[str]:
        return [error["code"] for error in self.members.get("errors", ())]


@dataclass(frozen=True)
class Account:
    """Somebody who calls."""

    user: str
    key: str

    @property
    def basic(self) -> str:
        """The header Authorization."""
        return "Basic " + b64encode(f"{self.user}:{self.key}".encode()).decode()


class Target:
    """The application, through WSGI and served. Make one by `opened`."""

    def __init__(self, house: House) -> None:
        self._house = house

    @property
    def port(self) -> int:
        """Where it is served on loopback."""
        return self._house.port

    def account(self, *, tolerant: bool = False) -> Account:
        """Make an account that holds the school of the fixtures; `tolerant` of the habits of old stacks, or not."""
        return Account(*self._house.account(tolerant=tolerant))

    def send(self, request: Request, source: str = "127.0.0.1", patience: float = PATIENCE) -> Reply:
        """Send a request through WSGI; Broken when the answer is not one that callers may rely on."""
        try:
            given = self._house.give(_environ(request, source), request.body)
        except Failed as failure:
            raise Broken(f"nothing leaves the application as an exception: {failure}") from None
        _hold_no_failure(given.failures)
        hold(given.beginnings == 1, "an answer begins once", given)
        hold(given.seconds < patience, f"no request takes {patience} s", given.seconds)
        for name, value in given.headers:
            hold((name + value).isascii() and (name + value).isprintable(), "headers are printable", name, value)
        headers = {name.lower(): value for name, value in given.headers}
        return held(request, given.status, headers, given.body, given.seconds)

    def hold_no_failure(self) -> None:
        """Raise Broken if the application has logged a failure."""
        _hold_no_failure(self._house.failures())

    def memory(self) -> int:
        """Return the memory of the application's process that is in use, in bytes."""
        return self._house.memory()


@contextmanager
def opened() -> Iterator[Target]:
    """Give a target over a fresh database and an empty archive, thrown away at the end."""
    with house.opened() as there:
        yield Target(there)


def _hold_no_failure(failures: list[str]) -> None:
    if failures:
        raise Broken("nothing fails inside: " + "\n".join(failures))


def _environ(request: Request, source: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": source,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


# Answers ---------------------------------------------------------------------------------------------------------


def held(request: Request, status: int, headers: dict[str, str], body: bytes, seconds: float) -> Reply:
    """Read an answer; Broken unless it keeps what is promised of every answer to such a request."""
    seen = (status, headers, body[:300])
    hold("x-request-id" in headers, "an answer has a number", *seen)
    if request.method == "HEAD":
        hold(not body, "HEAD has no body", *seen)
        hold(status < 500 or request.path.startswith("/soap"), "only SOAP has 500 for a caller's mistake", *seen)
        return Reply(status, headers, body, seconds, {})
    hold(headers.get("content-length") == str(len(body)), "an answer says how long it is", len(body), *seen)
    plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
    kind = headers.get("content-type", "").partition(";")[0]
    members = _members(kind, plain, headers, request)
    if request.method == "POST" and request.path == "/soap/v1":
        hold(bool(members) and "json" not in kind, "SOAP is answered with SOAP", *seen)
    if request.method == "POST" and request.path.startswith("/api/v1/"):
        hold(bool(members), "an operation is answered with its members", *seen)
    hold(bool(members) or status < 500, "no 5xx is without a typed body", *seen)
    hold(bool(members) or kind != "text/plain" or len(plain) < 500, "a plain answer is short", *seen)
    if members:
        _hold_members(members, status, headers, kind)
    return Reply(status, headers, plain, seconds, members)


def _hold_members(members: dict[str, Any], status: int, headers: dict[str, str], kind: str) -> None:
    errors = members.get("errors", [])
    codes = [error["code"] for error in errors]
    hold(members["requestId"] == headers["x-request-id"], "body and header bear one number", members, headers)
    hold(members["returnCode"] in ("200 OK", "500 ERROR"), "the return code is one of two", members)
    hold(members["returnCode"] == "200 OK" or bool(codes), "a refusal says why", members)
    hold(members["returnCode"] != "200 OK" or status == 200, "what is stored is said with 200", status, members)
    hold(not _FAILURES.intersection(codes), "no message makes the server fail", members)
    hold(set(codes) <= set(Code), "codes are those of the list", codes)
    hold(len(errors) <= 100 or members["returnCode"] == "200 OK", "at most 100 errors are told", len(errors))
    hold("soap" in kind or "multipart" in kind or kind == "text/xml" or status < 500, "no 5xx outside SOAP", status)


def _members(kind: str, body: bytes, headers: dict[str, str], request: Request) -> dict[str, Any]:
    if kind == "multipart/related":
        boundary = headers["content-type"].partition('boundary="')[2].partition('"')[0].encode()
        root = body.split(b"--" + boundary, 2)[1].partition(b"\r\n\r\n")[2].rstrip(b"\r\n")
        return _said(next(iter(_payload(etree.fromstring(root)))))
    if kind == "application/json":
        said = json.loads(body)
        return _held_json(said, request) if "returnCode" in said else {}
    if kind not in ("text/xml", "application/soap+xml", "application/xml"):
        return {}
    tree = etree.fromstring(body)
    if tree.tag in _ENVELOPES:
        return _held_soap(tree)
    if str(tree.tag).startswith(V1):
        _schema().assertValid(tree)
        return _said(tree if tree.tag == f"{V1}ServiceFault" else tree[0])
    return {}


def _payload(envelope: etree._Element) -> etree._Element:
    body = envelope.find(f"{{{_ENVELOPES[str(envelope.tag)]}}}Body")
    hold(body is not None and len(body) == 1, "an envelope has one payload", etree.tostring(envelope)[:300])
    assert body is not None
    return body[0]


def _held_soap(envelope: etree._Element) -> dict[str, Any]:
    payload = _payload(envelope)
    if str(payload.tag).startswith(V1):
        _schema().assertValid(payload)
        return _said(payload[0])
    detail = next(payload.iter(f"{V1}ServiceFault"), None)
    hold(detail is not None, "a fault has a typed detail", etree.tostring(envelope)[:600])
    assert detail is not None
    _schema().assertValid(detail)
    return _said(detail)


def _said(result: etree._Element) -> dict[str, Any]:
    members: dict[str, Any] = {etree.QName(child).localname: child.text or "" for child in result}
    members["errors"] = [
        {etree.QName(member).localname: member.text or "" for member in error}
        for error in result.iterfind(f"{V1}errors/{V1}error")
    ]
    return members


def _held_json(said: dict[str, Any], request: Request) -> dict[str, Any]:
    name = request.path.rpartition("/")[2]
    operation = contract.operations().get(name)
    good = said["returnCode"] == "200 OK" and operation is not None
    _json_validator(operation.result.name if good and operation else "ServiceFault")(said)
    return said


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(etree.tostring(contract.schema())))


@cache
def _document() -> dict[str, Any]:
    return openapi.compose("http://127.0.0.1:8080")


@cache
def _json_validator(name: str) -> Callable[[Any], None]:
    """Hold a value against a type of the OpenAPI document, with the faster one of two libraries if it is there."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": _document()["components"]}
    library = next((each for each in ("jsonschema_rs", "jsonschema") if find_spec(each)), None)
    if library is None:
        return lambda _: None
    validate: Callable[[Any], None] = import_module(library).Draft202012Validator(schema).validate
    return validate
