"""Valid messages with exactly one thing wrong, and what the server must say of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from paraphe.contract import NAMESPACE, Complex, Simple
from paraphe.errors import Code

from .messages import XSI, Chain, Element, item_of, path_of, pointer_of
from .strategies import Draw, facets

OTHER_NAMES = ("nickname", "birthdate", "Reference", "x", "é", "a" * 80)


@dataclass(frozen=True)
class Defect:
    """A message with one thing wrong: every error must have this code, one of these places, and this field.

    `item` is the Sync item that it is in, which KEEP_VALID leaves out. `paths` are XML paths, `pointers` JSON ones; a
    message that one of the two cannot express has none of them.
    """

    kind: str
    message: Element
    code: Code
    field: str | None
    item: int | None
    paths: frozenset[str] = frozenset()
    pointers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Kind:
    """A way to spoil a message: where it can be done, and the doing."""

    places: Callable[[Chain], bool]
    spoil: Callable[[Draw, Chain], tuple[Iterable[Chain], Iterable[Chain], str | None]]
    """Change the last element of the chain (or its surroundings); return where XML and JSON tell it, and the field."""
    code: Code = Code.SCHEMA_INVALID


def _is_object(chain: Chain) -> bool:
    return not chain[-1].is_leaf and not chain[-1].is_array


def _is_leaf(chain: Chain) -> bool:
    return chain[-1].is_leaf


# Elements --------------------------------------------------------------------------------------------------------


def _remove(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    *around, gone = chain
    parent = around[-1]
    place = parent.children.index(gone)
    del parent.children[place]
    # The place is that of the next element, which comes too early, or that of the parent when there is none.
    told = [tuple(around)] + [(*around, child) for child in parent.children[place : place + 1]]
    return told, [tuple(around)], gone.name


def _add_unknown(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    parent = chain[-1]
    known = {each.name for each in parent.kind.fields} if isinstance(parent.kind, Complex) else set()
    name = draw(st.sampled_from([one for one in OTHER_NAMES if one not in known]))
    alien = Element(name, parent.kind, json="1", text="x")
    parent.children.insert(draw(st.integers(0, len(parent.children))), alien)
    return [(*chain, alien)], [] if parent.is_array else [(*chain, alien)], name


def _add_twice(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    *around, first = chain
    second = first.copy()
    place = around[-1].children.index(first)
    around[-1].children.insert(place + 1, second)
    return [(*around, second)], [chain], first.name


def _swap(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], None]:
    *around, early = chain
    parent = around[-1]
    place = parent.children.index(early)
    late = parent.children[place - 1]
    parent.children[place - 1 : place + 1] = [early, late]
    return [(*around, early), (*around, late)], [], None  # one as well as the other stands in the wrong place


def _has_one_before(chain: Chain) -> bool:
    return len(chain) > 1 and _is_object(chain[:-1]) and chain[-2].children[0] is not chain[-1]


def _take_namespace(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    chain[-1].namespace = draw(st.sampled_from(["", "urn:other", NAMESPACE + "/", NAMESPACE.upper()]))
    return [chain], [], chain[-1].name


def _put_element_inside(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], None]:
    leaf = chain[-1]
    inside = Element("reference", leaf.kind, text="x")
    leaf.children.append(inside)
    return [chain, (*chain, inside)], [], None


# Texts and attributes ------------------------------------------------------------------------------------------------


def _put_text(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    chain[-1].text = draw(st.sampled_from(["x", " é ", "\u00a0", "0"]))
    return [chain], [], chain[-1].name


def _put_attribute(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    name = draw(st.sampled_from(["lang", "id", "xml:lang", "type", "nil", "é"]))
    chain[-1].attributes[name] = draw(st.sampled_from(["", "x", "true", "<&'\">"]))
    return [chain], [], chain[-1].name


def _put_nil(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    chain[-1].attributes |= {"xmlns:xsi": XSI, "xsi:nil": draw(st.sampled_from(["true", "1"]))}
    return [chain], [], chain[-1].name


# Values ----------------------------------------------------------------------------------------------------------

_NUMBERS = ["", " ", "x", "1_000", "1,5", "0x10", "1e3", "٣", "--1", "1 2", "NaN", "INF", "+", "½"]
_DATES = [
    "",
    "x",
    "2026-02-30",
    "2026-13-01",
    "2026-1-1",
    "14/03/1998",
    "20260314",
    "98-03-14",
    "2026-03-14 x",
    "\uff12\uff10\uff12\uff16-01-01",
]
_DATES += ["2026-03-14+25:00", "2026-W11-6", "2026-073"]
WRONG = {
    "int": [*_NUMBERS, "1.0", "2147483648", "-2147483649", "9" * 400],
    "decimal": [*_NUMBERS, ".", "1.005", "1" + "0" * 14, "9" * 400],
    "boolean": ["", "TRUE", "True", "yes", "2", "-1", "oui", "t"],
    "date": [*_DATES, "2026-03-14T00:00:00"],
    "dateTime": [
        *_DATES,
        "2026-03-14",
        "2026-03-14T25:00:00",
        "2026-03-14T10:00",
        "2026-03-14 10:00:00",
        "2026-03-14T24:00:01",
    ],
    "base64Binary": ["é", "====", "YWJ", "Y", "YWJj*", "data:,x", "JVBERi0xLjQ=\u00a0", "YW=J"],
}
IMPOSSIBLE = {
    "date": ["12026-01-01", "-0044-03-15", "10000-01-01", "99999999-01-01Z"],
    "dateTime": ["12026-01-01T00:00:00", "-0044-03-15T12:00:00Z", "9999-12-31T23:59:59-14:00", "9999-12-31T24:00:00Z"],
}


@cache
def wrong_texts(kind: Simple) -> tuple[str, ...]:
    """Texts that break a simple type, one for each thing that the schema says of it."""
    if kind.enumeration:
        first = kind.enumeration[0]
        return "", "x", first.lower(), f" {first}", f"{first} ", f"{first}|{first}"
    if kind.primitive != "string":
        return tuple(WRONG[kind.primitive])
    said, texts = facets(kind.name), []
    if "maxLength" in said:
        texts += ["x" * (int(said["maxLength"]) + 1), "😀" * (int(said["maxLength"]) + 1)]
    if int(said.get("minLength", 0)) > 0:
        texts += ["", " \t\n"]
    if "pattern" in said:
        texts += ["", "a\\/b" if kind.name == "FileName" else "\u00a0@ .", "é/"]
    return tuple(texts)


def _spoil_value(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    leaf = chain[-1]
    assert isinstance(leaf.kind, Simple)
    _write(leaf, draw(st.sampled_from(wrong_texts(leaf.kind))))
    return [chain], [chain], leaf.name


def _has_wrong_texts(chain: Chain) -> bool:
    kind = chain[-1].kind
    return isinstance(kind, Simple) and bool(wrong_texts(kind))


def _out_of_range(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    leaf = chain[-1]
    assert isinstance(leaf.kind, Simple)
    impossible = IMPOSSIBLE[leaf.kind.primitive]
    if leaf.member and leaf.member.required:
        impossible = [*impossible, "0001-01-01" + "T00:00:00" * (leaf.kind.primitive == "dateTime")]
    _write(leaf, draw(st.sampled_from(impossible)))
    return [chain], [chain], leaf.name


def _can_be_out_of_range(chain: Chain) -> bool:
    kind = chain[-1].kind
    return isinstance(kind, Simple) and kind.primitive in IMPOSSIBLE


def _write(leaf: Element, text: str) -> None:
    leaf.text, leaf.json = text, None


_JSON_KINDS = {"string": '"x"', "number": "1", "boolean": "true", "array": "[]", "object": "{}", "texts": '["x"]'}
_FITTING = {"int": {"number"}, "decimal": {"number", "string"}, "boolean": {"boolean"}}


def _change_json_kind(draw: Draw, chain: Chain) -> tuple[list[Chain], list[Chain], str]:
    element = chain[-1]
    fitting = {"array", "texts"} if element.is_array else {"object"}
    if isinstance(element.kind, Simple):
        fitting = _FITTING.get(element.kind.primitive, {"string"})
    element.json = draw(st.sampled_from([text for name, text in _JSON_KINDS.items() if name not in fitting]))
    return [], [chain], element.name


KINDS = {
    "a required element is missing": _Kind(
        lambda chain: bool(chain[-1].member and chain[-1].member.required and not chain[-2].is_array), _remove
    ),
    "an unknown element": _Kind(lambda chain: not chain[-1].is_leaf, _add_unknown),
    "an element twice": _Kind(lambda chain: len(chain) > 1 and not chain[-2].is_array, _add_twice),
    "the wrong order": _Kind(_has_one_before, _swap),
    "the wrong namespace": _Kind(lambda chain: len(chain) > 1, _take_namespace),
    "an element in a leaf": _Kind(_is_leaf, _put_element_inside),
    "text between elements": _Kind(lambda chain: not chain[-1].is_leaf, _put_text),
    "an unknown attribute": _Kind(lambda _: True, _put_attribute),
    "nil": _Kind(_is_leaf, _put_nil),
    "a wrong value": _Kind(_has_wrong_texts, _spoil_value),
    "an impossible value": _Kind(_can_be_out_of_range, _out_of_range, Code.VALUE_OUT_OF_RANGE),
    "another JSON type": _Kind(lambda _: True, _change_json_kind),
}


def possible(message: Element) -> list[str]:
    """The kinds of defects that a message can have."""
    return [name for name, kind in KINDS.items() if any(map(kind.places, message.walk()))]


@st.composite
def defects(draw: Draw, message: Element, name: str | None = None) -> Defect:
    """Spoil a copy of a valid message in one way (of `KINDS`) at one place; `name` must be possible, see `possible`."""
    spoilt = message.copy()
    kind = KINDS[name := name or draw(st.sampled_from(possible(message)))]
    chain = draw(st.sampled_from([chain for chain in spoilt.walk() if kind.places(chain)]))
    item = item_of(chain)
    in_xml, in_json, field = kind.spoil(draw, chain)
    paths, pointers = frozenset(map(path_of, in_xml)), frozenset(map(pointer_of, in_json))
    return Defect(name, spoilt, kind.code, field, item, paths, pointers)
