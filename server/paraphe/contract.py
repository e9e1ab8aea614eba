"""What `xsd/` says, read once: the composed schema, its types, its operations.

The XSDs are the only place where a type is written. `schema()` joins them into one document and writes group
references out, because that is what stub generators take best; the WSDLs, the validation, the decoders and
encoders, and whatever Spyne needs are all made from that one document.
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lxml import etree

NAMESPACE = "urn:paraphe:exchange:v1"
XS = "{http://www.w3.org/2001/XMLSchema}"
FILES = ("common", "people", "planning", "signatures", "invoices", "records", "messages")


# Types are looked up by what they are, not by what they hold: each exists once, and codecs are kept by it.
@dataclass(frozen=True, slots=True, eq=False)
class Simple:
    """A simple type: the XML Schema built-in it restricts, and what the restriction says."""

    name: str
    primitive: str
    collapse: bool = False
    enumeration: tuple[str, ...] = ()
    documentation: str = ""
    shortest: int | None = None
    longest: int | None = None
    pattern: str | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None

    def takes(self, text: str) -> bool:
        """Say whether a text or a number written out keeps to the lengths, digits and pattern of this type."""
        if len(text) < (self.shortest or 0) or (self.longest is not None and len(text) > self.longest):
            return False
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            return False
        whole, _, fraction = text.lstrip("-").partition(".")
        digits = len(whole.lstrip("0")) + len(fraction)
        return (self.total_digits is None or digits <= self.total_digits) and (
            self.fraction_digits is None or len(fraction) <= self.fraction_digits
        )


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """An element of a sequence. `key` is its name inside the server (snake_case)."""

    name: str
    key: str
    type: "Simple | Complex"
    required: bool
    many: bool
    documentation: str


@dataclass(frozen=True, slots=True, eq=False)
class Complex:
    """A sequence of elements."""

    name: str
    fields: tuple[Field, ...]
    documentation: str = ""

    @property
    def item(self) -> Field | None:
        """The repeated element, if this type is an `ArrayOf…`."""
        return self.fields[0] if len(self.fields) == 1 and self.fields[0].many else None


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation: its request element and the type of its `…Result`."""

    name: str
    request: Complex
    result: Complex
    documentation: str


def snake_case(name: str) -> str:
    """Translate a name of the contract: birthDate is birth_date, addressLine1 is address_line1."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda hump: "_" + hump[1].lower(), name)


def source(name: str) -> bytes:
    """Return one file of `xsd/` as it is written, for example `source("people.xsd")`."""
    return files("paraphe.xsd").joinpath(name).read_bytes()


@cache
def _composed() -> etree._Element:
    root = etree.Element(
        f"{XS}schema",
        {"targetNamespace": NAMESPACE, "elementFormDefault": "qualified"},
        nsmap={"xs": XS[1:-1], "tns": NAMESPACE},
    )
    groups: dict[str, etree._Element] = {}
    for name in FILES:
        for node in etree.fromstring(source(f"{name}.xsd")):
            if node.tag == f"{XS}group":
                groups[node.attrib["name"]] = node
            elif node.tag in (f"{XS}simpleType", f"{XS}complexType", f"{XS}element"):
                root.append(deepcopy(node))
    for reference in list(root.iter(f"{XS}group")):
        parent = reference.getparent()
        sequence = groups[reference.attrib["ref"]].find(f"{XS}sequence")
        if parent is None or sequence is None:
            raise ValueError(f"group {reference.attrib['ref']} is not a sequence inside a type")
        place = parent.index(reference)
        parent[place : place + 1] = [deepcopy(element) for element in sequence]
    for node in root.iter(f"{XS}element"):
        # A default namespace would be lost inside a WSDL that has a prefix for the same one.
        if ":" not in node.get("type", ":"):
            node.set("type", f"tns:{node.attrib['type']}")
    etree.indent(root, "  ")
    return root


def schema() -> etree._Element:
    """Return a fresh copy of the one schema that all files of `xsd/` make together, without groups."""
    return deepcopy(_composed())


def _documentation(node: etree._Element) -> str:
    return (node.findtext(f"{XS}annotation/{XS}documentation") or "").strip()


@cache
def _nodes() -> dict[str, etree._Element]:
    return {node.attrib["name"]: node for node in _composed() if node.tag != f"{XS}element"}


@cache
def _type(name: str) -> Simple | Complex:
    if name.startswith("xs:"):
        return Simple(name, name.removeprefix("xs:"))
    node = _nodes()[name]
    if node.tag == f"{XS}complexType":
        return Complex(name, _fields(node), _documentation(node))
    restriction = node.find(f"{XS}restriction")
    if restriction is None or not restriction.attrib["base"].startswith("xs:"):
        raise ValueError(f"{name} is not a restriction of a built-in type")
    space = restriction.find(f"{XS}whiteSpace")
    return Simple(
        name,
        restriction.attrib["base"].removeprefix("xs:"),
        space is not None and space.attrib["value"] == "collapse",
        tuple(value.attrib["value"] for value in restriction.iter(f"{XS}enumeration")),
        _documentation(node),
        _number(restriction, "minLength"),
        _number(restriction, "maxLength"),
        _facet(restriction, "pattern"),
        _number(restriction, "totalDigits"),
        _number(restriction, "fractionDigits"),
    )


def _facet(restriction: etree._Element, name: str) -> str | None:
    found = restriction.find(f"{XS}{name}")
    return None if found is None else found.attrib["value"]


def _number(restriction: etree._Element, name: str) -> int | None:
    value = _facet(restriction, name)
    return None if value is None else int(value)


def _fields(node: etree._Element) -> tuple[Field, ...]:
    return tuple(
        Field(
            element.attrib["name"],
            snake_case(element.attrib["name"]),
            _type(element.attrib["type"].removeprefix("tns:")),
            element.get("minOccurs", "1") != "0",
            element.get("maxOccurs", "1") != "1",
            _documentation(element),
        )
        for element in node.iterfind(f"{XS}sequence/{XS}element")
    )


@cache
def types() -> "dict[str, Simple | Complex]":
    """Return every named type of the contract by its name."""
    return {name: _type(name) for name in _nodes()}


@cache
def operations() -> dict[str, Operation]:
    """Return every operation by its name, in the order of `messages.xsd`."""
    elements = {node.attrib["name"]: node for node in _composed() if node.tag == f"{XS}element"}
    found = {}
    for name, node in elements.items():
        response = elements.get(f"{name}Response")
        if response is None:
            continue
        documentation = _documentation(node)
        request = Complex(name, _fields(node[-1]), documentation)
        (result,) = _fields(response[-1])
        if result.name != f"{name}Result" or not isinstance(result.type, Complex):
            raise ValueError(f"{name}Response must hold one {name}Result")
        found[name] = Operation(name, request, result.type, documentation)
    return found


def complex_type(name: str) -> Complex:
    """Return a named complex type; KeyError if the contract has none of this name."""
    kind = types()[name]
    if not isinstance(kind, Complex):
        raise KeyError(name)
    return kind
