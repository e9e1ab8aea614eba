"""The description of the JSON face for tools: an OpenAPI 3.1 document, made from `xsd/`.

JSON Schema knows less than XML Schema. Where they differ the document says less, never more: what it lets through
may still be refused (white space is dropped before lengths and patterns are looked at; decimals have two places).
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from ... import __version__, contract
from ...contract import XS, Complex, Field, Operation, Simple
from ...xml.decode import decoder
from ..http import status_line
from . import write
from .status import STATUSES

Json = dict[str, Any]

_ABOUT = """\
The operations of the exchange without SOAP: POST a JSON object to the address of an operation.

Names, types and rules are those of the XML schema (/xsd/v1/messages.xsd). A list is a plain array. A member without
value is left out; null counts as absent. Members that are not described here are refused. Answers may get new members
in later versions.

The same element as XML is taken as application/xml; the answer is of the kind that came, or that Accept prefers.
"""
_BUILT_IN: dict[str, Json] = {
    "string": {"type": "string"},
    "int": {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date", "examples": ["1998-03-14"]},
    "dateTime": {"type": "string", "format": "date-time", "examples": ["2026-09-14T09:00:00+02:00"]},
    "base64Binary": {"type": "string", "contentEncoding": "base64"},
}


def compose(public_url: str) -> Json:
    """Make the document for the server at `public_url`; the same each time."""
    operations = contract.operations()
    requests = {kind.name for operation in operations.values() for kind in _reached(operation.request)}
    answers = {kind.name for operation in operations.values() for kind in _reached(operation.result)}
    needed = requests | answers | {"ServiceFault", *_named_in("ServiceFault")}
    schemas = {name: _schema(kind) for name, kind in contract.types().items() if name in needed and not _is_array(kind)}
    for name in requests & set(schemas):
        if schemas[name]["type"] == "object":
            schemas[name]["additionalProperties"] = False
    for name, operation in operations.items():
        schemas[name] = _schema(operation.request) | {"additionalProperties": False}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Paraphe exchange", "version": __version__, "description": _ABOUT},
        "servers": [{"url": f"{public_url.rstrip('/')}/api/v1"}],
        "security": [{"basic": []}, {"bearer": []}],
        "paths": {f"/{name}": {"post": _post(operation)} for name, operation in operations.items()},
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {f"Status{status}": _refusal(status) for status in sorted(STATUSES)},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "apiUser and apiKey."},
                "bearer": {"type": "http", "scheme": "bearer", "description": "apiKey alone."},
            },
        },
    }


def to_bytes(document: Json) -> bytes:
    """Write the document as it is served."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


# Operations ------------------------------------------------------------------------------------------------------


def _post(operation: Operation) -> Json:
    required = any(field.required for field in operation.request.fields)
    request = {"schema": _reference(operation.name), "example": _example(operation, "request")}
    answer = {"schema": _reference(operation.result.name), "example": _example(operation, "answer")}
    return {
        "operationId": operation.name,
        "summary": operation.documentation.partition(". ")[0].rstrip(".") + ".",
        "description": operation.documentation,
        "requestBody": {"required": required, "content": {"application/json": request}},
        "responses": {
            "200": {
                "description": "All of the message is durably stored, or what was asked for is given.",
                "content": {"application/json": answer},
            },
            **{str(status): {"$ref": f"#/components/responses/Status{status}"} for status in sorted(STATUSES)},
        },
    }


def _refusal(status: int) -> Json:
    codes = ", ".join(STATUSES[status])
    return {
        "description": f"{status_line(status).partition(' ')[2]}; nothing of the message was stored. Codes: {codes}.",
        "content": {"application/json": {"schema": _reference("ServiceFault")}},
    }


def _example(operation: Operation, case: str) -> Any:
    """Return a message of `fixtures/` as JSON, its lists cut to the first item and its files to the first bytes."""
    text = files("paraphe.fixtures").joinpath(operation.name, f"{case}.xml").read_bytes()
    kind = operation.request if case == "request" else operation.result
    tag = operation.name if case == "request" else f"{operation.name}Result"
    element = next(etree.fromstring(text).iter(f"{{{contract.NAMESPACE}}}{tag}"))
    return json.loads(bytes(write.encode(kind, _cut(decoder(kind, ZoneInfo("Europe/Paris"))(element)))))


def _cut(value: Any) -> Any:
    match value:
        case dict():
            return {name: _cut(member) for name, member in value.items()}
        case list():
            return [_cut(item) for item in value[:1]]
        case bytes():
            return value[:9]
    return value


# Types -----------------------------------------------------------------------------------------------------------


def _reached(kind: Simple | Complex) -> Iterator[Simple | Complex]:
    """Yield a type and all types inside it."""
    yield kind
    if isinstance(kind, Complex):
        for field in kind.fields:
            yield from _reached(field.type)


def _named_in(name: str) -> set[str]:
    return {kind.name for kind in _reached(contract.complex_type(name))}


def _is_array(kind: Simple | Complex) -> bool:
    return isinstance(kind, Complex) and kind.item is not None


def _schema(kind: Simple | Complex) -> Json:
    """Return the schema of a type that has a name of its own."""
    described = {"description": kind.documentation} if kind.documentation else {}
    if isinstance(kind, Simple):
        return _BUILT_IN[kind.primitive] | _restricted(kind.name) | described
    schema: Json = {"type": "object", **described}
    schema["properties"] = {field.name: _property(field) for field in kind.fields}
    required = [field.name for field in kind.fields if field.required]
    return schema | ({"required": required} if required else {})


def _property(field: Field) -> Json:
    described = {"description": field.documentation} if field.documentation else {}
    return _place(field.type) | described


def _place(kind: Simple | Complex) -> Json:
    """Return the schema of a place where a value of this type stands."""
    if isinstance(kind, Complex) and kind.item is not None:
        return {"type": "array", "items": _place(kind.item.type)}
    if kind.name.startswith("xs:") and isinstance(kind, Simple):
        return dict(_BUILT_IN[kind.primitive])
    return _reference(kind.name)


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


@cache
def _restrictions() -> dict[str, etree._Element]:
    return {node.attrib["name"]: node[-1] for node in contract.schema().iterfind(f"{XS}simpleType")}


def _restricted(name: str) -> Json:
    """Translate what the schema says about a simple type."""
    found: Json = {}
    digits: dict[str, int] = {}
    values: list[tuple[str, str]] = []
    for facet in _restrictions()[name]:
        value = facet.get("value", "")
        match etree.QName(facet).localname:
            case "minLength" | "maxLength" as length:
                found[length] = int(value)
            case "pattern":
                found["pattern"] = f"^(?:{_pattern(value)})$"
            case "enumeration":
                meaning = facet.findtext(f"{XS}annotation/{XS}documentation") or ""
                values.append((value, meaning.strip()))
            case "minInclusive":
                found["minimum"] = int(value)
            case "maxInclusive":
                found["maximum"] = int(value)
            case "totalDigits" | "fractionDigits" as kind:
                digits[kind] = int(value)
            case "whiteSpace":
                pass
            case other:
                raise ValueError(f"{name}: nobody has said what {other} is in JSON Schema")
    if digits:
        most = float(
            10 ** digits["totalDigits"]
        )  # decimals need not be among them: of 12 digits, 12 whole ones are taken
        found |= {"exclusiveMinimum": -most, "exclusiveMaximum": most}
    if values:
        found["enum"] = [value for value, _ in values]
        found["x-enum-descriptions"] = {value: meaning for value, meaning in values if meaning}
    return found


def _pattern(pattern: str) -> str:
    r"""Translate a pattern of XML Schema to one of ECMAScript: there \s is more than the four blanks of XML."""
    return pattern.replace(r"\s", r" \t\n\r")
