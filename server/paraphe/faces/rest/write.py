"""JSON out: one encoder for each type of the contract, compiled once from the contract."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import chain
from json.encoder import encode_basestring
from typing import Any

from pybase64 import b64encode

from ...columns import rows
from ...contract import Complex, Simple
from ...slices import Slices
from ...spool import Body, Content, InBase64, joined
from ...xml.encode import moment

Write = Callable[[str | InBase64], None]
Encoder = Callable[[Any, Write], None]


def encode(kind: Complex, value: Mapping[str, Any]) -> Body:
    """Write `value` as a JSON object of type `kind`; keys are the contract's names in snake_case.

    Absent keys and None are left out; a required one that is missing raises KeyError (a mistake of ours). Decimals
    are numbers with the digits that they have: 172.50. A list of items may be given by columns, or in slices.
    """
    parts: list[Any] = []
    _encoder(kind)(value, parts.append)
    try:
        text = "".join(parts)
    except TypeError:  # large files are among the texts, which is too seldom to look for them
        return joined([part if isinstance(part, InBase64) else part.encode("utf-8", "replace") for part in parts])
    return text.encode("utf-8", "replace")


@cache
def _encoder(kind: Simple | Complex) -> Encoder:
    if isinstance(kind, Simple):
        if kind.primitive == "base64Binary":
            return _write_file
        convert = _converter(kind)
        return lambda value, write: write(convert(value))
    if kind.item is not None:
        return _array(_encoder(kind.item.type))
    members = [(field.key, field.required, f'"{field.name}":', _encoder(field.type)) for field in kind.fields]

    def write_members(value: Mapping[str, Any], write: Write) -> None:
        comma = "{"
        for key, required, name, write_member in members:
            member = value.get(key)
            if member is not None:
                write(comma + name)
                write_member(member, write)
                comma = ","
            elif required:
                raise KeyError(f"{kind.name} lacks {key}")
        write("{}" if comma == "{" else "}")

    return write_members


def _array(write_item: Encoder) -> Encoder:
    def write_items(values: Any, write: Write) -> None:
        comma = "["
        for value in _each(values):
            write(comma)
            write_item(value, write)
            comma = ","
        write("[]" if comma == "[" else "]")

    return write_items


def _each(values: Any) -> Iterable[Any]:
    if isinstance(values, Slices):
        return chain.from_iterable(map(rows, values))
    return rows(values) if isinstance(values, dict) else values


def _converter(kind: Simple) -> Callable[[Any], str]:
    match kind.primitive:
        case "string":
            return lambda value: encode_basestring(str(value))
        case "int":
            return int.__repr__
        case "decimal":
            return _decimal
        case "boolean":
            return lambda value: "true" if value else "false"
        case "date":
            return lambda value: f'"{date.isoformat(value)}"'
        case "dateTime":
            return lambda value: f'"{moment(value)}"'
    raise ValueError(f"no encoder for xs:{kind.primitive}")


def _write_file(value: Content, write: Write) -> None:
    write('"')
    write(b64encode(value).decode("ascii") if isinstance(value, bytes) else InBase64(value))
    write('"')


def _decimal(value: Decimal) -> str:
    return f"{value:f}"
