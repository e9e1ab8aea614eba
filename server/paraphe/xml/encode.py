"""Plain values to XML text: one encoder for each type of the contract, compiled once."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from ..contract import Complex, Field, Simple

Write = Callable[[str], None]
Encoder = Callable[[Any, Write], None]

# What no XML document may hold (XML 1.0, section 2.2); a stored text with such a character must not spoil an answer.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def encode(kind: Complex, name: str, value: Mapping[str, Any], attributes: str = "") -> str:
    """Write `value` as the element `name` of type `kind`; keys are the contract's names in snake_case.

    Absent keys and None are left out; a required one that is missing raises KeyError (a mistake of ours).
    """
    parts = [f"<{name}{attributes}>"]
    _encoder(kind)(value, parts.append)
    parts.append(f"</{name}>")
    text = "".join(parts)
    return _FORBIDDEN.sub("\ufffd", text) if _FORBIDDEN.search(text) else text


@cache
def _encoder(kind: Complex) -> Encoder:
    if kind.item is not None:
        return _array(kind.item)
    members = [(field.key, field.required, _member(field)) for field in kind.fields]

    def write_members(value: Mapping[str, Any], write: Write) -> None:
        for key, required, write_member in members:
            member = value.get(key)
            if member is not None:
                write_member(member, write)
            elif required:
                raise KeyError(f"{kind.name} lacks {key}")

    return write_members


def _array(item: Field) -> Encoder:
    write_item = _member(item)

    def write_items(values: Any, write: Write) -> None:
        for value in values:
            write_item(value, write)

    return write_items


def _member(field: Field) -> Encoder:
    opening, closing = f"<{field.name}>", f"</{field.name}>"
    if isinstance(field.type, Simple):
        convert = _converter(field.type)
        return lambda value, write: write(opening + convert(value) + closing)
    inner = _encoder(field.type)

    def write_element(value: Any, write: Write) -> None:
        write(opening)
        inner(value, write)
        write(closing)

    return write_element


def _converter(kind: Simple) -> Callable[[Any], str]:
    match kind.primitive:
        case "string":
            return str if kind.enumeration else _text
        case "int":
            return int.__repr__
        case "decimal":
            return _decimal
        case "boolean":
            return lambda value: "true" if value else "false"
        case "date":
            return date.isoformat
        case "dateTime":
            return moment
        case "base64Binary":
            return lambda value: b64encode(value).decode("ascii")
    raise ValueError(f"no encoder for xs:{kind.primitive}")


def text_of(value: str) -> str:
    """Return a text as it may stand in an element by itself, without characters that XML forbids."""
    return _FORBIDDEN.sub("\ufffd", _text(value))


def _text(value: str) -> str:
    if "&" in value:
        value = value.replace("&", "&amp;")
    if "<" in value:
        value = value.replace("<", "&lt;")
    if ">" in value:
        value = value.replace(">", "&gt;")
    return value.replace("\r", "&#13;") if "\r" in value else value


def _decimal(value: Decimal) -> str:
    return f"{value:f}"


def moment(value: datetime) -> str:
    """Write a moment in UTC: 2026-09-14T07:00:00Z, with a fraction only where there is one."""
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
