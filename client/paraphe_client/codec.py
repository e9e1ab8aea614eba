"""Between this package's dataclasses and the contract's elements: the one translation of names and types.

Requests are built by zeep from the WSDL. Answers are read here, by name: a newer server may add optional elements
anywhere (contract rule 7). At an element that its copy of the WSDL does not know, zeep 4.3 refuses the answer (strict)
or loses what follows (not strict).
"""

import base64
import datetime
import json
import types
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from lxml import etree

from .errors import ExchangeError

NAMESPACE = "urn:paraphe:exchange:v1"

T = TypeVar("T")


def camel(name: str) -> str:
    """Write a name as the contract does: `image_sha256` is imageSha256."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def encode(value: Any, kind: Any) -> Any:
    """Turn a value into what zeep takes for its type `kind`; None members are left out.

    Takes the dataclasses of `items`, or mappings with the same names. A list becomes the contract's ArrayOf… with its
    one repeated element.
    """
    if isinstance(value, Mapping) or is_dataclass(value):
        members = value if isinstance(value, Mapping) else vars(value)
        kinds = {name: element.type for name, element in kind.elements}
        given = {camel(name): member for name, member in members.items() if member is not None}
        for name in given:
            if name not in kinds:
                raise TypeError(f"{kind.name} has no element {name}")
        return {name: encode(member, kinds[name]) for name, member in given.items()}
    if isinstance(value, Decimal):
        return format(value, "f")  # str() would write 1E+3, which xs:decimal is not
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        ((name, element),) = kind.elements
        return {name: [encode(member, element.type) for member in value]}
    return value


def decode(shape: type[T], node: etree._Element) -> T:
    """Read an element of an answer into the dataclass `shape`; ExchangeError if it does not follow the contract."""
    children = {etree.QName(child).localname: child for child in node if isinstance(child.tag, str)}
    values: dict[str, Any] = {}
    for name, (kind, many) in _members(cast(Any, shape)).items():
        child = children.get(camel(name))
        if child is None:
            continue
        values[name] = tuple(_read(kind, item) for item in child.iterchildren("*")) if many else _read(kind, child)
    try:
        return shape(**values)
    except TypeError as error:
        raise ExchangeError(f"The answer does not follow the contract: {error}.") from error


def plain(value: Any) -> Any:
    """Turn a value into what json.dumps takes, with the contract's names; Decimal stays exact, as text."""
    if is_dataclass(value):
        members = {camel(field.name): getattr(value, field.name) for field in fields(value)}
        return {name: plain(member) for name, member in members.items() if member is not None}
    if isinstance(value, tuple | list):
        return [plain(member) for member in value]
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, Decimal) else value


def from_plain(shape: type[T], document: Any) -> T:
    """Read what json.loads gave, with the contract's names, into `shape`; null counts as absent.

    Raises ValueError, which says what is wrong.
    """
    if not isinstance(document, dict):
        raise ValueError(f"{shape.__name__} must be an object")
    members = {camel(name): (name, *how) for name, how in _members(cast(Any, shape)).items()}
    values: dict[str, Any] = {}
    for key, value in document.items():
        if key not in members:
            raise ValueError(f"{shape.__name__} has no element {key}")
        name, kind, many = members[key]
        if many and not isinstance(value, list | None):
            raise ValueError(f"{key} must be a list")
        if value is not None:
            values[name] = tuple(_take(kind, key, item) for item in value) if many else _take(kind, key, value)
    return shape(**values)


def _take(kind: Any, name: str, value: Any) -> Any:
    if is_dataclass(kind):
        return from_plain(cast(type[Any], kind), value)
    try:
        if not isinstance(value, str | int | float | Decimal):
            raise ValueError(f"{name} must be a text or a number")
        return _scalar(kind, str(value).lower() if isinstance(value, bool) else str(value))
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{name} cannot be {json.dumps(value, default=str)}") from error


def _read(kind: Any, node: etree._Element) -> Any:
    if is_dataclass(kind):
        return decode(cast(type[Any], kind), node)
    try:
        value = _scalar(kind, node.text or "")
        return value.astimezone(datetime.UTC) if kind is datetime.datetime else value
    except (ValueError, ArithmeticError) as error:
        name = etree.QName(node).localname
        what = "no base64" if kind is bytes else repr(node.text)  # which may be a whole file
        raise ExchangeError(f"The answer does not follow the contract: {name} is {what}.") from error


def _scalar(kind: Any, text: str) -> Any:
    if kind is str:
        return text
    text = text.strip()
    if kind is bool:
        return _boolean(text)
    if kind is datetime.datetime:
        return datetime.datetime.fromisoformat(text)
    if kind is datetime.date:
        return datetime.date.fromisoformat(text[:10])
    if kind is bytes:
        # Without validate, base64 passes over damaged characters and gives what is left. White space is in order.
        return base64.b64decode("".join(text.split()), validate=True)
    return kind(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "1", "false", "0"):
        raise ValueError(f"{text!r} is not true or false")
    return text in ("true", "1")


@cache
def _members(shape: Hashable) -> dict[str, tuple[Any, bool]]:
    """Return the type of each member, without "or None", and whether there are many of it."""
    return {name: _bare(hint) for name, hint in get_type_hints(cast(type, shape)).items()}


def _bare(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (kind for kind in get_args(hint) if kind is not types.NoneType)
    if get_origin(hint) in (tuple, Sequence):
        return _bare(get_args(hint)[0])[0], True
    return (str if get_origin(hint) is Literal else hint), False
