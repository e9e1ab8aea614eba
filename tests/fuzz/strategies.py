"""Messages that follow the contract, drawn by Hypothesis: types, occurrence and facets are read from `xsd/`."""

import json
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from lxml import etree

from paraphe import contract
from paraphe.contract import XS, Field, Operation, Simple
from paraphe.xml.decode import collapse

from .messages import Element, Style

ZONE = ZoneInfo("Europe/Paris")
"""The time zone of the accounts that messages are drawn for."""

Draw = st.DrawFn

# What is likely to mean something to the operations, so that messages meet what others stored.
_KNOWN = {
    "Reference": [f"R-{number:03}" for number in range(40)] + ["STU-0001", "GRP-1", "é 1"],
    "RecordNumber": [f"2026-{number:06}" for number in range(1, 30)],
    "MessageId": [f"M-{number}" for number in range(50)],
    "Label": ["Le Goff", "Ada", "phone", "birthDate", "groups"],
}
_SIGNS = st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", exclude_categories=("Cs", "Cc"))
_BLANKS = st.sampled_from(["", "", "", " ", "\n  ", "\t", " \r\n "])


@cache
def facets(name: str) -> dict[str, str]:
    """What the schema says of a simple type: the value of each facet by its name, enumerations left out."""
    if name.startswith("xs:"):
        return {}
    node = next(node for node in contract.schema().iterfind(f"{XS}simpleType") if node.get("name") == name)
    found = {etree.QName(facet).localname: facet.get("value", "") for facet in node[-1]}
    found.pop("enumeration", None)
    return found


# Leaves ----------------------------------------------------------------------------------------------------------

Leaf = tuple[str, str | None, Any]
"""How a value is spelled, how as JSON (None: as a JSON string of the same), and what must be read."""


@cache
def leaves(kind: Simple) -> st.SearchStrategy[Leaf]:
    """Spellings of the values of a simple type, each with what must be read."""
    if kind.enumeration:
        return st.sampled_from(kind.enumeration).map(lambda text: (text, None, text))
    return {
        "string": _strings,
        "int": _ints,
        "decimal": _decimals,
        "boolean": _booleans,
        "date": _dates,
        "dateTime": _moments,
        "base64Binary": _files,
    }[kind.primitive](kind)


def _strings(kind: Simple) -> st.SearchStrategy[Leaf]:
    said = facets(kind.name)
    least, most = int(said.get("minLength", 0)), int(said.get("maxLength", 300))
    if "pattern" in said:
        # \s of Python is more than that of XML Schema, so what is drawn follows both.
        texts = st.from_regex(said["pattern"], fullmatch=True, alphabet=_SIGNS)
    else:
        texts = st.text(_SIGNS, min_size=least, max_size=min(most, 20)) | st.integers(least, most).map("é".__mul__)
    if kind.name in _KNOWN:
        texts = st.sampled_from(_KNOWN[kind.name]) | st.sampled_from(_KNOWN[kind.name]) | texts
    if not kind.collapse:
        return texts.map(lambda text: (text, None, text))
    collapsed = texts.map(collapse).filter(lambda text: least <= len(text) <= most)
    return st.tuples(_BLANKS, collapsed, _BLANKS).map(lambda drawn: ("".join(drawn), None, drawn[1]))


def _ints(_: Simple) -> st.SearchStrategy[Leaf]:
    numbers = st.integers(-3, 100) | st.integers(-(2**31), 2**31 - 1)
    return st.tuples(numbers, st.sampled_from(["{}", "{}", "{:+}", "{:05}", " {}\n"])).map(
        lambda drawn: (drawn[1].format(drawn[0]), str(drawn[0]), drawn[0])
    )


def _decimals(kind: Simple) -> st.SearchStrategy[Leaf]:
    said = facets(kind.name)
    places, digits = int(said.get("fractionDigits", 2)), int(said.get("totalDigits", 12))
    numbers = st.integers(-(10**digits) + 1, 10**digits - 1) | st.integers(-10000, 10000)

    def spelled(drawn: tuple[int, int]) -> Leaf:
        number = Decimal(drawn[0]).scaleb(-places)
        text = f"{number:f}"
        short = text.rstrip("0").rstrip(".")
        texts = [text, short, text.replace("0.", ".", 1) if text.startswith("0.") else text, f" {text}\t"]
        texts += [f"+{text}" if drawn[0] >= 0 else text, "0" + text if drawn[0] >= 0 else text]
        return texts[drawn[1]], [text, short, json.dumps(text)][drawn[1] % 3], number

    return st.tuples(numbers, st.integers(0, 5)).map(spelled)


def _booleans(_: Simple) -> st.SearchStrategy[Leaf]:
    spelled = [("true", "true", True), ("false", "false", False), ("1", "true", True), (" 0\n", "false", False)]
    return st.sampled_from(spelled)


_ZONES = st.sampled_from(["", "Z", "+02:00", "-05:30", "+14:00", "-14:00"])


def _dates(_: Simple) -> st.SearchStrategy[Leaf]:
    days = st.dates(date(2020, 1, 1), date(2030, 12, 31)) | st.dates(date(1, 1, 2))
    real = st.tuples(_BLANKS, days, _ZONES, _BLANKS).map(
        lambda drawn: (f"{drawn[0]}{drawn[1].isoformat()}{drawn[2]}{drawn[3]}", None, drawn[1])
    )
    return real | real | real | st.just(("0001-01-01", None, None))


def _moments(_: Simple) -> st.SearchStrategy[Leaf]:
    moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31)) | st.datetimes(  # noqa: DTZ001
        datetime(2, 1, 1),  # noqa: DTZ001
        datetime(9998, 12, 31),  # noqa: DTZ001
    )
    fractions = st.sampled_from(["", "", ".5", ".000001", ".1234567", ".000"])
    drawn = st.tuples(moments.map(lambda moment: moment.replace(microsecond=0, fold=0)), fractions, _ZONES, _BLANKS)
    return drawn.map(_moment) | st.just(("0001-01-01T00:00:00", None, None))


def _moment(drawn: tuple[datetime, str, str, str]) -> Leaf:
    moment, fraction, zone, blank = drawn
    text = moment.isoformat()
    midnight = moment.hour == 0 and not moment.minute and not moment.second and not fraction.strip(".0")
    if midnight:
        text = (moment - timedelta(days=1)).isoformat()[:11] + "24:00:00"
    exact = moment + timedelta(microseconds=int((fraction[1:] + "000000")[:6]))
    if zone:
        sign = -1 if zone[0] == "-" else 1
        offset = timedelta() if zone == "Z" else sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
        value = (exact - offset).replace(tzinfo=UTC)
    else:
        value = exact.replace(tzinfo=ZONE).astimezone(UTC)
    return f"{blank}{text}{fraction}{zone}{blank}", None, value


_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def _files(_: Simple) -> st.SearchStrategy[Leaf]:
    contents = st.just(_PDF) | st.binary(max_size=80) | st.binary(max_size=200).map(_PDF.__add__)

    def spelled(drawn: tuple[bytes, int]) -> Leaf:
        text = b64encode(drawn[0]).decode()
        if drawn[1]:
            text = " \r\n".join(text[place : place + drawn[1]] for place in range(0, len(text), drawn[1]))
        return text, None, drawn[0]

    return st.tuples(contents, st.sampled_from([0, 0, 76, 64])).map(spelled)


# Trees -----------------------------------------------------------------------------------------------------------


@cache
def _named(field: Field) -> st.SearchStrategy[Leaf]:
    """Spellings of a field's values; of a required one only those that stand for a value."""
    if not isinstance(field.type, Simple):
        raise TypeError(f"{field.name} has members")
    drawn = leaves(field.type)
    return drawn.filter(lambda leaf: leaf[2] is not None) if field.required else drawn


def _fill(draw: Draw, element: Element, most: int) -> None:
    kind = element.kind
    if isinstance(kind, Simple):
        return
    if kind.item is not None:
        for _ in range(draw(st.integers(0, most))):
            element.children.append(_child(draw, kind.item, most))
        return
    optional = [each for each in kind.fields if not each.required]
    # One number chooses the optional elements; one draw for each of them costs half of the time.
    chosen = draw(st.integers(0, (1 << len(optional)) - 1)) if optional else 0
    if draw(st.booleans()):
        chosen &= draw(st.integers(0, (1 << len(optional)) - 1)) if optional else 0
    wanted = {each.name for place, each in enumerate(optional) if chosen >> place & 1}
    for each in kind.fields:
        if each.required or each.name in wanted:
            element.children.append(_child(draw, each, most))


def _child(draw: Draw, field: Field, most: int) -> Element:
    child = Element(field.name, field.type, field)
    if isinstance(field.type, Simple):
        child.text, child.json, child.value = draw(_named(field))
    else:
        _fill(draw, child, most)
    return child


@st.composite
def messages(draw: Draw, operation: Operation | None = None, most: int = 3) -> Element:
    """A valid message of an operation (of any, if none is given) with at most `most` elements in each list."""
    operation = operation or draw(st.sampled_from(list(contract.operations().values())))
    root = Element(operation.name, operation.request)
    _fill(draw, root, most)
    return root


def operation_of(root: Element) -> Operation:
    """The operation of a message."""
    return contract.operations()[root.name]


styles = st.builds(
    Style,
    prefix=st.sampled_from(["", "v1", "é"]),
    indent=st.sampled_from(["", "\n", "\r\n\t "]),
    cdata=st.booleans(),
    references=st.booleans(),
    comments=st.booleans(),
    instructions=st.booleans(),
    empty_tags=st.booleans(),
)
