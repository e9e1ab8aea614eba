"""A request element to the operation it names and its plain values, valid or refused."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson
from lxml import etree

from ..columns import Columns
from ..contract import NAMESPACE, Field, Operation, operations
from ..errors import Code, Error, Refused
from ..slices import Slices
from ..spool import InFile, digest_of
from . import xop
from .decode import Unreadable, unreadable
from .items import request_decoder
from .tolerance import mend, told
from .validate import MAXIMUM_ERRORS, defects, items_of, locate

MOST_REJECTED = 10_000
"""Errors of items that are left out. Each is told with its place, and to find those costs more than all else; a message
with more wrong values than this is wrong as a whole."""


class ReadSlices(Slices):
    """The items of a large message, and what identifies each slice."""

    def __init__(self) -> None:
        super().__init__()
        self.digests: list[str] = []

    def add(self, columns: Columns) -> None:
        """See Slices."""
        super().add(columns)
        self.digests.append(digest_of_slice(columns))


class Taken(Protocol):
    """The items that were taken out of a request: while it arrived (`long_lists`), or before (`plain`)."""

    payload: etree._Element | None
    rejected: list[Error]
    errors: list[Error]

    @property
    def slices(self) -> ReadSlices | list[Columns] | None:
        """What was taken, or None."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks: the operation, and its values under snake_case keys; a Sync's items in slices, by columns.

    With onError=KEEP_VALID the values may hold `rejected`: the errors of the items that broke the schema and were
    taken out, each with its 1-based index in the message.
    """

    operation: Operation
    values: dict[str, Any]
    #: By which the same message is known again; empty without a messageId.
    digest: bytes = b""
    #: What was tolerated in the message, for the answer.
    hint: str | None = None


def find_operation(payload: etree._Element) -> Operation:
    """Return the operation that a request element names; Refused, UNKNOWN_OPERATION.

    One that names it without a namespace is let through: `read_request` knows whether the caller may do so.
    """
    name = etree.QName(payload)
    operation = operations().get(name.localname) if name.namespace in (NAMESPACE, None) else None
    if operation is None:
        raise _unknown(name)
    return operation


def _unknown(name: etree.QName) -> Refused:
    return Refused(
        Error(
            Code.UNKNOWN_OPERATION,
            f"There is no operation {name.localname[:80]} in "
            f"{'the namespace ' + name.namespace[:80] if name.namespace else 'no namespace'}.",
            hint=f"The operations are in the namespace {NAMESPACE}: {', '.join(operations())}.",
        )
    )


def read_request(
    payload: etree._Element,
    operation: Operation,
    zone: ZoneInfo,
    *,
    tolerant: bool = False,
    binaries: xop.Binaries = xop.NONE,
    taken: Taken | None = None,
) -> Request:
    """Validate and decode a request element; Refused with all defects (at most 100) when it is not valid.

    `tolerant`: what is not valid is tried once more without the habits of old stacks; then its defects are told of
    what is left. `binaries` are those that `xop.take_out` found; the message means the same as with them inside.
    """
    hint = None
    if taken is not None and taken.slices is not None and taken.payload is payload:
        values, rejected = _read_around(payload, operation, zone, taken, taken.slices)
    else:
        items = items_of(operation)
        found = defects(payload, operation, _most(_keeps_valid(payload, items)))
        if found and tolerant:
            payload, habits = mend(payload, operation)
            hint, found = told(habits), defects(payload, operation, _most(_keeps_valid(payload, items)))
        values, rejected = _decoded(payload, operation, zone, found)
    xop.put_in(values, binaries)
    digest = _digest(operation, values, rejected)
    if rejected:
        values["rejected"] = rejected
    return Request(operation, values, digest, hint)


def read_values(payload: etree._Element, operation: Operation, zone: ZoneInfo) -> tuple[dict[str, Any], list[Error]]:
    """Validate and decode a request element; return its values, and the errors of the items that it asks to leave out.

    Refused with all other defects.
    """
    found = defects(payload, operation, _most(_keeps_valid(payload, items_of(operation))))
    return _decoded(payload, operation, zone, found)


def _read_around(
    payload: etree._Element, operation: Operation, zone: ZoneInfo, taken: Taken, slices: ReadSlices | list[Columns]
) -> tuple[dict[str, Any], list[Error]]:
    """Read what is left of a request whose items were taken out."""
    if taken.errors:
        refuse_if([*defects(payload, operation), *taken.errors])
    values, rejected = read_values(payload, operation, zone)
    rejected += taken.rejected
    refuse_if(rejected if len(rejected) > MOST_REJECTED else [])
    values[items_of(operation).key] = slices  # type: ignore[union-attr]
    return values, rejected


def _most(keep: bool) -> int:
    return MOST_REJECTED if keep else MAXIMUM_ERRORS


def _decoded(
    payload: etree._Element, operation: Operation, zone: ZoneInfo, found: Sequence[Error]
) -> tuple[dict[str, Any], list[Error]]:
    """Return the values of a message, and the errors of the items that it asks to leave out.

    `found` is what is wrong with the tree. Refused for what is wrong elsewhere than in such items.
    """
    if found and etree.QName(payload).namespace is None:
        raise _unknown(etree.QName(payload))
    items = items_of(operation)
    kept = items if _keeps_valid(payload, items) else None
    rejected: list[Error] = []
    array = None if kept is None else payload.find(f"{{{NAMESPACE}}}{kept.name}")
    positions: dict[etree._Element, int] = {}
    read = request_decoder(operation.request, items, zone)
    while True:
        if not found:
            try:
                return read(payload), sorted(rejected, key=lambda error: error.index or 0)
            except Unreadable:
                found = _unreadables(payload, operation, zone, kept, array)
                if not found:
                    raise
        if kept is None or array is None or len(found) > MOST_REJECTED:
            refuse_if(found)
        else:
            refuse_if([error for error in found if error.index is None])
            positions = positions or {item: position for position, item in enumerate(array, 1)}
            rejected += _taken_out(operation, kept, array, positions, found)
            found = defects(payload, operation)


def _keeps_valid(payload: etree._Element, items: Field | None) -> bool:
    return items is not None and payload.findtext(f"{{{NAMESPACE}}}onError", "").strip() == "KEEP_VALID"


def _digest(operation: Operation, values: Mapping[str, Any], rejected: Sequence[Error]) -> bytes:
    """Return what identifies a message: what it says, however it is spelled and through whatever face it comes."""
    if "message_id" not in values:
        return b""
    items = items_of(operation)
    said = dict(values)
    if items is not None and items.key in said:
        slices = said[items.key]
        said[items.key] = list(map(digest_of_slice, slices)) if isinstance(slices, list) else slices.digests
    refused = [(error.path, error.value) for error in rejected]
    return hashlib.sha256(orjson.dumps([operation.name, said, refused], default=_plain)).digest()


def digest_of_slice(columns: Columns) -> str:
    """Return what identifies the items of a slice."""
    return hashlib.sha256(orjson.dumps(columns, default=_plain)).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, bytes | InFile):
        return digest_of(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    raise TypeError(f"a message holds a {type(value).__name__}")


def refuse_if(errors: Sequence[Error]) -> None:
    """Raise Refused when there are errors, with the first 100 and a word about the rest."""
    if not errors:
        return
    shown = list(errors[:MAXIMUM_ERRORS])
    if len(errors) > len(shown):
        shown[-1] = replace(shown[-1], message=f"{shown[-1].message} More errors are not shown.")
    raise Refused(*shown)


def _taken_out(
    operation: Operation,
    items: Field,
    array: etree._Element,
    positions: dict[etree._Element, int],
    found: Sequence[Error],
) -> list[Error]:
    """Remove the items with errors from their list; return the errors with the places that the items had at first."""
    present = list(array)
    bad = {error.index: present[error.index - 1] for error in found if error.index is not None}
    original = {index: positions[item] for index, item in bad.items()}
    for item in bad.values():
        item.clear()  # to take out a large item as it is takes lxml (6.1) the square of its size
        array.remove(item)
    return [at_first(error, operation, items, original[error.index]) for error in found if error.index is not None]


def at_first(error: Error, operation: Operation, items: Field, index: int) -> Error:
    """Give an error inside an item the place that the item had in the message as it was sent."""
    start = f"/{operation.name}/{items.name}/{items.type.item.name}["  # type: ignore[union-attr]
    rest = (error.path or "").removeprefix(start).partition("]")[2]
    return replace(error, index=index, path=f"{start}{index}]{rest}")


def _unreadables(
    payload: etree._Element, operation: Operation, zone: ZoneInfo, kept: Field | None, array: etree._Element | None
) -> list[Error]:
    """Return the errors of the values that the schema lets through and nobody can read.

    Those inside the items of `kept` alone if there are any; otherwise the first ones of the message.
    """
    if kept is not None and array is not None:
        kind = kept.type.item.type  # type: ignore[union-attr]
        inside = [
            _unreadable(operation, failure, index)
            for index, item in enumerate(array, 1)
            for failure in unreadable(kind, item, zone)
        ]
        if inside:
            return inside
    failures = islice(unreadable(operation.request, payload, zone), MAXIMUM_ERRORS + 1)
    return [_unreadable(operation, failure) for failure in failures]


def _unreadable(operation: Operation, failure: Unreadable, index: int | None = None) -> Error:
    if failure.element is None:
        raise TypeError("an unreadable value without its element") from failure
    place = locate(operation, failure.element, index)
    return replace(place, code=failure.code, message=f"{place.field} {failure}.")
