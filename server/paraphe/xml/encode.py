"""Plain values to XML text: one encoder for each type of the contract, compiled once."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from ..contract import Complex, Field, Simple

#: Takes a binary that is not to stand in the text, and returns what stands for it in its element.
Attach = Callable[[bytes], str]
#: Writes a value as the content of its element.
Encoder = Callable[[Any, Attach | None], str]

# What no XML document may hold (XML 1.0, section 2.2); a stored text with such a character must not spoil an answer.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONTROLS = bytes({*range(32)} - set(b"\t\n\r"))


def encode(
    kind: Complex, name: str, value: Mapping[str, Any], attributes: str = "", *, attach: Attach | None = None
) -> str:
    """Write `value` as the element `name` of type `kind`; keys are the contract's names in snake_case.

    Absent keys and None are left out; a required one that is missing raises KeyError (a mistake of ours). A list of
    items may be given by columns. Binaries are written as base64, or handed to `attach`, those of columns one column
    after the other. What comes out goes through `utf8`.
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

    def write_items(values: Any, attach: Attach | None) -> str:
        if isinstance(values, Mapping):
            texts = list(_column_writer(item.type)(values, attach))
            return f"{opening}{(closing + opening).join(texts)}{closing}" if texts else ""
        return "".join([opening + content(value, attach) + closing for value in values])

    return write_items


def _content(field: Field) -> tuple[bool, Callable[..., str]]:
    """Return whether a field is written without regard to attachments, and what writes it."""
    if isinstance(field.type, Complex):
        return False, _encoder(field.type)
    if field.type.primitive == "base64Binary":
        return False, lambda value, attach: attach(value) if attach else b64encode(value).decode("ascii")
    return True, _converter(field.type)


# Many items ----------------------------------------------------------------------------------------------------

#: Writes what each of many items has between its tags; or what each has of one member, with the member's tags.
WriteColumns = Callable[[Any, Attach | None], Iterable[str]]


@cache
def _column_writer(kind: Complex) -> WriteColumns:
    members = [(field.key, field.required, _column(field)) for field in kind.fields]

    def write_columns(columns: Mapping[str, Any], attach: Attach | None) -> Iterable[str]:
        pieces = []
        for key, required, write in members:
            column = columns.get(key)
            if column is not None:
                pieces.append(write(column, attach))
            elif required:
                raise KeyError(f"{kind.name} lacks {key}")
        return map("".join, zip(*pieces, strict=True))

    return write_columns


def _column(field: Field) -> WriteColumns:
    opening, closing = f"<{field.name}>", f"</{field.name}>"
    leaf, content = _content(field)
    as_it_is = isinstance(field.type, Simple) and field.type.primitive == "string"

    def write_column(column: Any, attach: Attach | None) -> Iterable[str]:
        if isinstance(column, Mapping):
            return [opening + text + closing for text in _column_writer(field.type)(column, attach)]
        lacking = None in column
        if lacking and field.required:
            raise KeyError(f"an item lacks {field.key}")
        if as_it_is and not lacking and not _to_escape("".join(column)):
            return [f"{opening}{value}{closing}" for value in column]
        if leaf:
            return [f"{opening}{content(value)}{closing}" if value is not None else "" for value in column]
        return [f"{opening}{content(value, attach)}{closing}" if value is not None else "" for value in column]

    return write_column


# Values --------------------------------------------------------------------------------------------------------


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


def _to_escape(value: str) -> bool:
    return "&" in value or "<" in value or ">" in value or "\r" in value


def _text(value: str) -> str:
    if _to_escape(value):
        return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return value


def _decimal(value: Decimal) -> str:
    text = str(value)
    return f"{value:f}" if "E" in text else text


def moment(value: datetime) -> str:
    """Write a moment in UTC: 2026-09-14T07:00:00Z, with a fraction only where there is one."""
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()[:-6] + "Z"
