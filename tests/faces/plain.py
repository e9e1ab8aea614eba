"""A caller of the JSON and XML faces; every answer is held against the schema and against what all answers promise."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any

import pytest
import requests
from lxml import etree

from paraphe import contract
from paraphe.contract import Complex, Simple

from ..soap.house import FIXTURES, PATIENCE, V1, Caller, House, schema

one_database = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP; `said` holds its members as JSON has them, also when it came as XML."""

    status: int
    headers: Any
    body: bytes
    said: dict[str, Any]

    @property
    def ok(self) -> bool:
        return bool(self.said["returnCode"] == "200 OK")

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.said.get("errors", ()))

    @property
    def codes(self) -> list[str]:
        return [error["code"] for error in self.errors]

    @property
    def paths(self) -> list[str | None]:
        return [error.get("path") for error in self.errors]


@dataclass
class PlainCaller:
    """Somebody with a key. `soap` is the same account through SOAP."""

    soap: Caller
    session: requests.Session = field(default_factory=requests.Session)

    @classmethod
    def of(cls, house: House) -> "PlainCaller":
        caller = cls(house.account())
        caller.session.headers["Authorization"] = f"Bearer {caller.soap.api_key}"
        return caller

    @property
    def house(self) -> House:
        return self.soap.house

    def address(self, name: str) -> str:
        return f"{self.soap.url}/api/v1/{name}"

    def send(self, name: str, body: bytes, media_type: str | None = "application/json", **headers: str) -> Answer:
        """POST a body as it is."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if media_type is not None:
            given["Content-Type"] = media_type
        response = self.session.post(self.address(name), body, headers=given, timeout=PATIENCE)
        return held(response, name)

    def json(self, name: str, message: Any) -> Answer:
        return self.send(name, json.dumps(message, ensure_ascii=False, default=_number).encode())

    def xml(self, name: str, inside: str = "") -> Answer:
        body = f'<{name} xmlns="{contract.NAMESPACE}">{inside}</{name}>'
        return self.send(name, body.encode(), "application/xml")

    def fixture(self, kind: str, name: str, case: str = "request", **replaced: str) -> Answer:
        """POST a message of `fixtures/` as "json" or "xml", with some texts replaced."""
        element = fixture(name, case)
        for member, value in replaced.items():
            for found in element.iter(V1 + member):
                found.text = value
        if kind == "xml":
            return self.send(name, etree.tostring(element, encoding="UTF-8"), "application/xml")
        return self.json(name, as_json(element, contract.operations()[name].request))


def _number(value: Decimal) -> float:
    return float(value)


def fixture(name: str, case: str = "request") -> etree._Element:
    """The operation's element of a message of `fixtures/`."""
    root = etree.fromstring((FIXTURES / name / f"{case}.xml").read_bytes())
    return next(root.iter(V1 + name))


def as_json(element: etree._Element, kind: Simple | Complex) -> Any:
    """What an element says, as JSON says it."""
    if isinstance(kind, Complex):
        if kind.item is not None:
            return [as_json(child, kind.item.type) for child in element]
        types = {V1 + member.name: member.type for member in kind.fields}
        return {etree.QName(child).localname: as_json(child, types[str(child.tag)]) for child in element}
    text = element.text or ""
    read: dict[str, Any] = {"int": int, "boolean": lambda said: said == "true", "decimal": Decimal}
    return read.get(kind.primitive, str)(text)


def held(response: requests.Response, name: str = "") -> Answer:
    """Read an answer and hold it against the schema, and against what every answer promises."""
    kind = response.headers["Content-Type"].partition(";")[0]
    said = _held_json(response, name) if kind == "application/json" else _held_xml(response)
    assert said["requestId"] == response.headers["X-Request-Id"]
    assert (said["returnCode"] == "200 OK") == (response.status_code == 200)
    assert said["message"].strip()
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not [header for header in response.headers if header.lower().startswith("access-control")]
    return Answer(response.status_code, response.headers, response.content, said)


def _held_json(response: requests.Response, name: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(response.content)
    operation = contract.operations().get(name)
    result = operation.result.name if operation and response.status_code == 200 else "ServiceFault"
    validator(result, response.url.partition("/api/")[0])(said)
    return said


def _held_xml(response: requests.Response) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/xml; charset=utf-8"
    root = etree.fromstring(response.content)
    schema().assertValid(root)
    name = etree.QName(root).localname
    if name == "ServiceFault":
        return dict(as_json(root, contract.complex_type("ServiceFault")))
    return dict(as_json(root[0], contract.operations()[name.removesuffix("Response")].result))


@cache
def openapi(url: str) -> Any:
    """The document that a server gives."""
    return requests.get(f"{url}/api/v1/openapi.json", timeout=PATIENCE).json()


@cache
def validator(name: str, url: str) -> Callable[[Any], None]:
    """Hold a value against a type of the OpenAPI document; raises jsonschema.ValidationError."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": openapi(url)["components"]}
    validate: Callable[[Any], None] = import_module("jsonschema").Draft202012Validator(schema).validate
    return validate
