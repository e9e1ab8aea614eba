"""What holds for every message in the codecs: valid ones come through whole, a defect is told where it is."""

from functools import cache
from itertools import pairwise
from typing import Any

import xmlschema
from lxml import etree

from paraphe import contract
from paraphe.contract import NAMESPACE, Operation
from paraphe.errors import Code, Error, Refused
from paraphe.faces.rest import read, write
from paraphe.xml.encode import encode
from paraphe.xml.parse import parse
from paraphe.xml.request import Request, read_request

from .defects import Defect
from .messages import PLAIN, Chain, Element, Style, rows, to_json, to_xml, values_of
from .strategies import ZONE, operation_of

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "iso-8859-1", "iso-8859-15", "windows-1252")


class Broken(AssertionError):  # noqa: N818 - the house names exceptions by what is the case
    """A promise that does not hold."""


def hold(fact: bool, promise: str, *seen: Any) -> None:
    """Raise Broken unless the fact is one."""
    if not fact:
        raise Broken(f"{promise}: {' | '.join(f'{one!r:.600}' for one in seen)}")


# Valid messages --------------------------------------------------------------------------------------------------


def encoded(root: Element, style: Style, encoding: str) -> bytes:
    """A message in an encoding that its XML declaration names."""
    name = encoding.removesuffix("-sig").removesuffix("-le")
    if not encoding.startswith("utf"):
        style = Style(style.prefix, style.indent, references=style.references, comments=style.comments)
    text = f'<?xml version="1.0" encoding="{name}"?>{to_xml(root, style)}'
    if encoding == "utf-16-le":
        text = "\ufeff" + text
    return text.encode(encoding, "xmlcharrefreplace")


def from_xml(body: bytes, operation: Operation) -> Request:
    """What the XML readers make of a message."""
    return read_request(parse(body), operation, ZONE)


def from_json(text: str, operation: Operation) -> Request:
    """What the JSON reader makes of a message."""
    return read.read(read.parse(text.encode("utf-8", "surrogatepass")), operation, ZONE)


def hold_valid(root: Element, style: Style, encoding: str) -> None:
    """A valid message says the same in every spelling, and again when it is written from what was read."""
    operation, expected = operation_of(root), values_of(root)
    body, said = encoded(root, style, encoding), to_json(root)
    request = from_xml(body, operation)
    hold(rows(request.values, operation) == expected, "a valid message is read whole", body, request.values, expected)
    written = encode(operation.request, operation.name, expected, f' xmlns="{NAMESPACE}"')
    others = {
        said: from_json(said, operation),
        written: from_xml(written.encode(), operation),
        (again := bytes(write.encode(operation.request, expected)).decode()): from_json(again, operation),
    }
    for text, other in others.items():
        read_again = rows(other.values, operation)
        hold(read_again == expected, "another spelling says the same", text, read_again, expected)
        hold(other.digest == request.digest, "another spelling is the same message", text, body)


def hold_other(root: Element, chain: Chain) -> None:
    """A message without one of its elements is another message, unless that element said nothing.

    A list of items that is empty says as much as none.
    """
    operation, other = operation_of(root), root.copy()
    parent = other
    for step, below in pairwise(chain[:-1]):
        parent = parent.children[step.children.index(below)]
    del parent.children[chain[-2].children.index(chain[-1])]
    gone = chain[-1]
    says_nothing = gone.is_array and len(chain) == 2 and not gone.children
    if not says_nothing and values_of(other) != values_of(root) and "message_id" in values_of(other):
        texts = [to_xml(message).encode() for message in (root, other)]
        first, second = (from_xml(text, operation).digest for text in texts)
        hold(first != second, "another message is known as another one", *texts)


# Defects ---------------------------------------------------------------------------------------------------------


def hold_defect(defect: Defect) -> None:
    """A message with one defect is refused for it and for nothing else, or its item alone is left out."""
    operation = operation_of(defect.message)
    if defect.paths:
        body = to_xml(defect.message).encode()
        _hold_errors(defect, *_errors(lambda: from_xml(body, operation)), defect.paths, body)
    if defect.pointers:
        text = to_json(defect.message)
        _hold_errors(defect, *_errors(lambda: from_json(text, operation)), defect.pointers, text)


def _errors(reading: Any) -> tuple[list[Error], Request | None]:
    try:
        request = reading()
    except Refused as refused:
        return list(refused.errors), None
    return list(request.values.get("rejected", ())), request


def _hold_errors(
    defect: Defect, errors: list[Error], request: Request | None, places: frozenset[str], body: Any
) -> None:
    operation = operation_of(defect.message)
    kept = request is not None
    hold(bool(errors), f"{defect.kind} is told", body)
    for error in errors:
        place = error.path or ""
        if not place.startswith("/" + operation.name) or places is defect.pointers:
            place = read.pointer(operation, place)
        hold(error.code == defect.code, f"{defect.kind} has its code", error, body)
        hold(place in places, f"{defect.kind} is told at its place", place, places, error, body)
        hold(defect.field in (None, error.field), f"{defect.kind} names its field", error, body)
        hold(len(error.value or "") <= 80, "a value is cut", error)
        hold(bool(error.message) and len(error.message) < 1000, "an error is one sentence", error)
        if kept:
            hold(error.index == defect.item, "KEEP_VALID tells the item", error, body)
    if kept:
        hold(keeps_valid(defect.message), "only KEEP_VALID leaves something out", body)


def keeps_valid(message: Element) -> bool:
    return any(child.name == "onError" and child.text.strip() == "KEEP_VALID" for child in message.children)


# A second opinion ------------------------------------------------------------------------------------------------


@cache
def _independent() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(etree.tostring(contract.schema()).decode())


# xmlschema reads numbers and blanks as Python does: "1_000", "٣", U+00A0.
_LENIENT = ("1_000", "٣", "\u00a0")


def hold_same_verdict(message: Element, style: Style = PLAIN) -> None:
    """Another validator of XML Schema says the same of a message (the server says more of some values)."""
    body = to_xml(message, style).encode()
    if any(sign in element.text for *_, element in message.walk() for sign in _LENIENT):
        return
    errors, request = _errors(lambda: from_xml(body, operation_of(message)))
    valid = request is not None and not errors
    if not valid and all(error.code != Code.SCHEMA_INVALID for error in errors):
        return
    verdict = _independent().is_valid(parse(body))  # type: ignore[arg-type]  # it takes trees of lxml too
    hold(verdict == valid, f"xmlschema says {verdict}, the server {valid}", body, errors)
