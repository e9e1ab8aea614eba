"""Plain values to XML text: one encoder for each type of the contract, compiled once."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from ..contract import Complex, Field, Simple
from ..spool import Content

#: Takes a binary that is not to stand in the text, and returns what stands for it in its element.
Attach = Callable[[Content], str]
#: Writes a value as the content of its element.
Encoder = Callable[[Any, Attach | None], str]

# What no XML document may hold (XML 1.0, section 2.2); a stored text with such a character must not spoil an answer.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONTROLS = bytes({*range(32)} - set(b"\t\n\r"))


def encode(
    kind: Complex, name: str, value: Mapping[str, Any], attributes: str = "", *, attach: Attach | None = None
) -> str:
    """Write `value` as the element `name` of type `kind`; keys are the contract's names in snake_case.

    Absent keys and None are left out; a required one that is missing raises KeyError (a mistake of ours). Binaries
    are written as base64, or handed to `attach` in the order of the text. What comes out goes through `utf8`.
    """
    return f"<{name}{attributes}>{_encoder(kind)(value, attach)}</{name}>"


def utf8(text: str) -> bytes:
    """Return the bytes of a document, with U+FFFD for each character that XML forbids."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return _FORBIDDEN.sub("\ufffd", text).encode()
    # A regular expression takes five times as long for the same answer, which is nearly always no.
    if len(encoded.translate(None, _CONTROLS)) == len(encoded) and "\ufffe" not in text and "\uffff" not in text:
        return encoded
    return _FORBIDDEN.sub("\ufffd", text).encode()


@cache
def _encoder(kind: Complex) -> Encoder:
    return _members(kind) if kind.item is None else _array(kind.item)


def _members(kind: Complex) -> Encoder:
    """Write out, as Python, what encodes the members of a type one after the other, and compile it.

    An answer with a thousand records has thirty thousand leaves; a loop over a table of members
    takes that apart again for each. What is compiled holds nothing but names of the contract.
    """
    names: dict[str, Any] = {}
    lines = ["def write_members(value, attach):", " get = value.get", ' text = ""']
    for number, field in enumerate(kind.fields):
        leaf, names[f"write{number}"] = _content(field)
        content = f"write{number}(member)" if leaf else f"write{number}(member, attach)"
        lines += [
            f" member = get({field.key!r})",
            " if member is not None:",
            f'  text += f"<{field.name}>{{{content}}}</{field.name}>"',
        ]
        if field.required:
            lines += [" else:", f"  raise KeyError({f'{kind.name} lacks {field.key}'!r})"]
    exec("\n".join([*lines, " return text"]), names)  # noqa: S102
    encoder: Encoder = names["write_members"]
    return encoder


def _array(item: Field) -> Encoder:
    opening, closing = f"<{item.name}>", f"</{item.name}>"
    leaf, content = _content(item)
    if leaf:
        return lambda values, _: "".join([opening + content(value) + closing for value in values])
    return lambda values, attach: "".join([opening + content(value, attach) + closing for value in values])


def _content(field: Field) -> tuple[bool, Callable[..., str]]:
    """Return whether a field is written without regard to attachments, and what writes it."""
    if isinstance(field.type, Complex):
        return False, _encoder(field.type)
    if field.type.primitive == "base64Binary":
        return False, lambda value, attach: attach(value) if attach else b64encode(bytes(value)).decode("ascii")
    return True, _converter(field.type)


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
    raise ValueError(f"no encoder for xs:{kind.primitive}")


def text_of(value: str) -> str:
    """Return a text as it may stand in an element by itself, without characters that XML forbids."""
    return _FORBIDDEN.sub("\ufffd", _text(value))


def _text(value: str) -> str:
    if "&" in value or "<" in value or ">" in value or "\r" in value:
        return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return value


def _decimal(value: Decimal) -> str:
    text = str(value)
    return f"{value:f}" if "E" in text else text


def moment(value: datetime) -> str:
    """Write a moment in UTC: 2026-09-14T07:00:00Z, with a fraction only where there is one."""
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()[:-6] + "Z"
