"""Plain values to XML text: one encoder for each type of the contract, compiled once."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import chain, islice, repeat
from operator import is_
from typing import Any

from pybase64 import b64encode

from ..contract import Complex, Field, Simple
from ..slices import Slices
from ..spool import Content, gathered

#: Takes a binary that is not to stand in the text, and returns what stands for it in its element.
Attach = Callable[[Content], str]
#: A part of a text; or what gives many, one after the other, which are too long to be made at once.
Piece = str | Iterator[str]
#: Adds to a text in pieces what stands in the element of a value.
Encoder = Callable[[Any, Attach | None, list[Any]], None]

# What no XML document may hold (XML 1.0, section 2.2); a stored text with such a character must not spoil an answer.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def encode(
    kind: Complex, name: str, value: Mapping[str, Any], attributes: str = "", *, attach: Attach | None = None
) -> str:
    """Write `value` as the element `name` of type `kind`; keys are the contract's names in snake_case.

    Absent keys and None are left out; a required one that is missing raises KeyError (a mistake of ours). A list of
    items may be given by columns, or in slices; several slices are for `content` and `written` alone. Binaries are
    written as base64, or handed to `attach`, those of columns one column after the other. Characters that XML forbids
    are U+FFFD in what comes out, so that it can be encoded.
    """
    return "".join([f"<{name}{attributes}>", *content(kind, value, attach=attach), f"</{name}>"])


def content(kind: Complex, value: Mapping[str, Any], *, attach: Attach | None = None) -> list[Any]:
    """Write what stands between the tags of an element, in pieces; see `encode`. It may be long: each copy counts."""
    pieces: list[Piece] = []
    _encoder(kind)(value, attach, pieces)
    return pieces


def written(pieces: Sequence[Any]) -> Content:
    """Return pieces as the bytes of one text: in a file if it is large, and made slice by slice."""
    try:
        return "".join(pieces).encode()
    except TypeError:  # there are slices among the texts, which is too seldom to look for them
        parts = ((piece,) if isinstance(piece, str) else piece for piece in pieces)
        return gathered(map(str.encode, chain.from_iterable(parts)))


@cache
def _encoder(kind: Complex) -> Encoder:
    return _members(kind) if kind.item is None else _array(kind.item)


def _members(kind: Complex) -> Encoder:
    """Write out, as Python, what encodes the members of a type one after the other, and compile it.

    An answer with a thousand records has thirty thousand leaves; a loop over a table of members
    takes that apart again for each. What is compiled holds nothing but names of the contract.
    """
    names: dict[str, Any] = {}
    lines = ["def write_members(value, attach, pieces):", " get = value.get", ' text = ""']
    for number, field in enumerate(kind.fields):
        leaf, names[f"write{number}"] = _content(field)
        lines += [f" member = get({field.key!r})", " if member is not None:"]
        if leaf:
            lines += [f'  text += f"<{field.name}>{{write{number}(member)}}</{field.name}>"']
        else:
            lines += [f'  pieces.append(text + "<{field.name}>")', f"  write{number}(member, attach, pieces)"]
            lines += [f'  text = "</{field.name}>"']
        if field.required:
            lines += [" else:", f"  raise KeyError({f'{kind.name} lacks {field.key}'!r})"]
    exec("\n".join([*lines, " pieces.append(text)"]), names)  # noqa: S102
    encoder: Encoder = names["write_members"]
    return encoder


def _array(item: Field) -> Encoder:
    opening, closing = f"<{item.name}>", f"</{item.name}>"
    leaf, content = _content(item)

    def write_leaves(values: Any, _: Attach | None, pieces: list[Any]) -> None:
        pieces += [opening + content(value) + closing for value in values]

    def write_items(values: Any, attach: Attach | None, pieces: list[Any]) -> None:
        if isinstance(values, Slices):
            if len(values) > 1:
                pieces.append(_texts(item, values, attach))
                return
            values = next(iter(values), ())
        if isinstance(values, dict):
            pieces += chain.from_iterable(_filled(item, item.type, values, attach))  # type: ignore[arg-type]
            return
        for value in values:
            pieces.append(opening)
            content(value, attach, pieces)
            pieces.append(closing)

    return write_leaves if leaf else write_items


def _content(field: Field) -> tuple[bool, Callable[..., Any]]:
    """Return whether a field is a short text, and what gives that, or else adds the field's pieces."""
    if isinstance(field.type, Complex):
        return False, _encoder(field.type)
    if field.type.primitive == "base64Binary":
        return False, lambda value, attach, pieces: pieces.append(_binary(value, attach))
    return True, _converter(field.type)


def _binary(value: Content, attach: Attach | None) -> str:
    return attach(value) if attach else b64encode(bytes(value)).decode("ascii")


def _texts(item: Field, slices: Slices, attach: Attach | None) -> Iterator[str]:
    for columns in slices:
        yield "".join(chain.from_iterable(_filled(item, item.type, columns, attach)))  # type: ignore[arg-type]


# Many items ----------------------------------------------------------------------------------------------------

#: Writes a leaf of many items, all of which have a value.
WriteLeaves = Callable[[Sequence[Any], Attach | None], Sequence[str]]
#: What many items have in common, in pieces, and between each two of them one text of every item.
Form = tuple[list[str], list[Sequence[Any]]]


def _filled(item: Field, kind: Complex, columns: Mapping[str, Any], attach: Attach | None) -> Iterator[Iterable[str]]:
    """Give the pieces of each of many items, tags included: joined all at once in a third of the time."""
    common, texts = [f"<{item.name}>"], list[Sequence[Any]]()
    _fill((common, texts), kind, columns, attach)
    if len(set(map(len, texts))) > 1:
        raise ValueError(f"the columns of {kind.name} are not of one length")
    common[-1] += f"</{item.name}>"
    again: list[Iterable[str]] = list(map(repeat, common))
    return zip(*chain.from_iterable(zip(again, texts, strict=False)), again[-1], strict=False)


def _fill(form: Form, kind: Complex, columns: Mapping[str, Any], attach: Attach | None) -> None:
    """Add the members of a type to a form."""
    common, texts = form
    for field in kind.fields:
        column = columns.get(field.key)
        if isinstance(column, dict):
            common[-1] += f"<{field.name}>"
            _fill(form, field.type, column, attach)  # type: ignore[arg-type]
            common[-1] += f"</{field.name}>"
        elif column is not None and not (absent := _count_absent(column)):
            common[-1] += f"<{field.name}>"
            texts.append(_leaves(field)(column, attach))
            common.append(f"</{field.name}>")
        elif field.required:
            raise KeyError(f"{kind.name} lacks {field.key}")
        elif column is not None and absent < len(column):
            written = iter(_leaves(field)([value for value in column if value is not None], attach))
            texts.append(["" if value is None else f"<{field.name}>{next(written)}</{field.name}>" for value in column])
            common.append("")


def _count_absent(column: Sequence[Any]) -> int:
    # By identity: a Decimal takes 0.2 µs to find out that it is not equal to None.
    return sum(map(is_, column, repeat(None)))


@cache
def _leaves(field: Field) -> WriteLeaves:
    """Return what writes a leaf, or a list, of many items."""
    kind = field.type
    if isinstance(kind, Complex):
        if kind.item is None:
            raise TypeError(f"{field.name} of many items must be columns")
        return _lists(kind, kind.item)
    if kind.primitive == "base64Binary":
        return lambda column, attach: [_binary(value, attach) for value in column]
    convert = _converter(kind)

    def write_leaves(column: Sequence[Any], _: Attach | None) -> Sequence[str]:
        if kind.primitive == "string" and _is_plain("".join(column)):
            return column
        return list(map(convert, column))

    def write_decimals(column: Sequence[Any], _: Attach | None) -> Sequence[str]:
        texts = list(map(str, column))
        return list(map(convert, column)) if "E" in "".join(texts) else texts

    return write_decimals if kind.primitive == "decimal" else write_leaves


def _lists(kind: Complex, item: Field) -> WriteLeaves:
    """Write what each of many items has as a list; lists of what has members are written as one, and cut again."""
    if isinstance(item.type, Simple):
        return lambda column, attach: ["".join(content(kind, values, attach=attach)) for values in column]
    members = item.type

    def write_lists(column: Sequence[Any], attach: Attach | None) -> Sequence[str]:
        together = [value for values in column for value in values]
        keys = [field.key for field in members.fields if any(field.key in value for value in together)]
        columns = {key: [value.get(key) for value in together] for key in keys}
        texts = map("".join, _filled(item, members, columns, attach) if together else ())
        return ["".join(islice(texts, len(values))) for values in column]

    return write_lists


# Values --------------------------------------------------------------------------------------------------------


def _converter(kind: Simple) -> Callable[[Any], str]:
    match kind.primitive:
        case "string":
            return str if kind.enumeration else text_of
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
    """Return a text as it stands in an element, without characters that XML forbids."""
    if _is_plain(value):
        return value
    allowed = _FORBIDDEN.sub("\ufffd", value)
    return allowed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _is_plain(value: str) -> bool:
    # What XML forbids, and "\r", is not printable; a regular expression takes ten times as long to find it.
    return value.isprintable() and "&" not in value and "<" not in value and ">" not in value


def _decimal(value: Decimal) -> str:
    text = str(value)
    return f"{value:f}" if "E" in text else text


@lru_cache(4096)
def moment(value: datetime) -> str:
    """Write a moment in UTC: 2026-09-14T07:00:00Z, with a fraction only where there is one."""
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()[:-6] + "Z"
