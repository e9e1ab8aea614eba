"""A request element to the operation it names and its plain values, valid or refused."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from ..contract import NAMESPACE, Field, Operation, operations
from ..errors import Code, Error, Refused
from .decode import Unreadable, decoder, unreadable
from .validate import MAXIMUM_ERRORS, defects, items_of, locate

_ANY_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks: the operation, and the values as plain mappings with snake_case keys.

    With onError=KEEP_VALID the values may hold `rejected`: the errors of the items that broke the schema and were
    taken out, each with its 1-based index in the message.
    """

    operation: Operation
    values: dict[str, Any]
    #: By which the same message is known again; empty without a messageId.
    digest: bytes = b""


def find_operation(payload: etree._Element) -> Operation:
    """Return the operation that a request element names; Refused, UNKNOWN_OPERATION."""
    name = etree.QName(payload)
    operation = operations().get(name.localname) if name.namespace == NAMESPACE else None
    if operation is None:
        raise Refused(
            Error(
                Code.UNKNOWN_OPERATION,
                f"There is no operation {name.localname[:80]} in "
                f"{'the namespace ' + name.namespace[:80] if name.namespace else 'no namespace'}.",
                hint=f"The operations are in the namespace {NAMESPACE}: {', '.join(operations())}.",
            )
        )
    return operation


def read_request(payload: etree._Element, operation: Operation, zone: ZoneInfo) -> Request:
    """Validate and decode a request element; Refused with all defects (at most 100) when it is not valid."""
    items = items_of(operation)
    keep = items is not None and payload.findtext(f"{{{NAMESPACE}}}onError", "").strip() == "KEEP_VALID"
    rejected: list[Error] = []
    if items is not None and keep:
        rejected = _take_out_invalid(payload, operation, items)
    else:
        refuse_if(defects(payload, operation, MAXIMUM_ERRORS))
    try:
        values = decoder(operation.request, zone)(payload)
    except Unreadable:
        refuse_if([_unreadable(operation, failure) for failure in unreadable(operation.request, payload, zone)])
        raise
    digest = _digest(operation, values, rejected)
    if rejected:
        values["rejected"] = rejected
    return Request(operation, values, digest)


def _digest(operation: Operation, values: Mapping[str, Any], rejected: Sequence[Error]) -> bytes:
    """Return what identifies a message: what it says, however it is spelled and through whatever face it comes."""
    if "message_id" not in values:
        return b""
    refused = [(error.path, error.value) for error in rejected]
    said = json.dumps([operation.name, values, refused], default=_plain, ensure_ascii=False, check_circular=False)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def refuse_if(errors: Sequence[Error]) -> None:
    """Raise Refused when there are errors, with the first 100 and a word about the rest."""
    if not errors:
        return
    shown = list(errors[:MAXIMUM_ERRORS])
    if len(errors) > len(shown):
        shown[-1] = replace(shown[-1], message=f"{shown[-1].message} More errors are not shown.")
    raise Refused(*shown)


def _take_out_invalid(payload: etree._Element, operation: Operation, items: Field) -> list[Error]:
    """Remove the items that break the schema from the tree and return their errors; Refused for other defects."""
    array = payload.find(f"{{{NAMESPACE}}}{items.name}")
    everyone = [] if array is None else list(array)
    positions = {item: position for position, item in enumerate(everyone, 1)}
    rejected: list[Error] = []
    while True:
        found = defects(payload, operation) or _undecodable(operation, items, array)
        if not found:
            return sorted(rejected, key=lambda error: error.index or 0)
        refuse_if([error for error in found if error.index is None])
        if array is None:
            return rejected
        present = list(array)
        bad = {error.index: present[error.index - 1] for error in found if error.index is not None}
        original = {index: positions[item] for index, item in bad.items()}
        rejected += [_at(error, operation, items, original[error.index]) for error in found if error.index is not None]
        for item in bad.values():
            array.remove(item)


def _at(error: Error, operation: Operation, items: Field, index: int) -> Error:
    """Give an error the item's place in the message as it was sent."""
    start = f"/{operation.name}/{items.name}/{items.type.item.name}["  # type: ignore[union-attr]
    rest = (error.path or "").removeprefix(start).partition("]")[2]
    return replace(error, index=index, path=f"{start}{index}]{rest}")


def _undecodable(operation: Operation, items: Field, array: etree._Element | None) -> list[Error]:
    """Return the errors of the items that the schema lets through and nobody can read."""
    kind = items.type.item.type  # type: ignore[union-attr]
    return [
        _unreadable(operation, failure, index)
        for index, item in enumerate(() if array is None else array, 1)
        for failure in unreadable(kind, item, _ANY_ZONE)
    ]


def _unreadable(operation: Operation, failure: Unreadable, index: int | None = None) -> Error:
    if failure.element is None:
        raise TypeError("an unreadable value without its element") from failure
    place = locate(operation, failure.element, index)
    return replace(place, code=failure.code, message=f"{place.field} {failure}.")
