"""A message as a tree of elements, and how callers may write it: XML in many spellings, and JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from paraphe.columns import rows as by_row
from paraphe.contract import NAMESPACE, Complex, Field, Operation, Simple
from paraphe.xml.validate import items_of

XSI = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(eq=False, repr=False)
class Element:
    """An element of a message; equal to itself only.

    Of a leaf, `text` is how it is spelled, `json` the same as JSON text, and `value` what the server must read
    (None: as if the element were absent). `member` is None for the root and for what the contract does not know.
    """

    name: str
    kind: Simple | Complex
    member: Field | None = None
    children: list["Element"] = field(default_factory=list)
    text: str = ""
    json: str | None = None
    value: Any = None
    namespace: str = NAMESPACE
    attributes: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return to_xml(self)

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """Let Hypothesis print the message, not its type."""
        printer.text(repr(self))

    def copy(self) -> "Element":
        """A copy whose elements can be changed."""
        return Element(
            self.name,
            self.kind,
            self.member,
            [child.copy() for child in self.children],
            self.text,
            self.json,
            self.value,
            self.namespace,
            dict(self.attributes),
        )

    @property
    def is_array(self) -> bool:
        return isinstance(self.kind, Complex) and self.kind.item is not None

    @property
    def is_leaf(self) -> bool:
        return isinstance(self.kind, Simple)

    def walk(self, chain: "Chain" = ()) -> Iterator["Chain"]:
        """Every element below and with this one, each as the chain that leads to it."""
        chain = (*chain, self)
        yield chain
        for child in self.children:
            yield from child.walk(chain)


Chain = tuple[Element, ...]


def values_of(element: Element) -> Any:
    """What the server must make of a valid element."""
    if isinstance(element.kind, Simple):
        return element.value
    if element.is_array:
        return [values_of(child) for child in element.children]
    read = {child.member.key: values_of(child) for child in element.children if child.member}
    return {key: value for key, value in read.items() if value is not None}


def rows(values: dict[str, Any], operation: Operation) -> dict[str, Any]:
    """The values of a request with its items one by one, where the decoder gives them in slices, by columns."""
    items = items_of(operation)
    if items is None or items.key not in values:
        return dict(values)
    return values | {items.key: [item for columns in values[items.key] for item in by_row(columns)]}


# Places ----------------------------------------------------------------------------------------------------------


def _number(parent: Element, child: Element) -> int:
    """The number of a child among those of its name, from 1."""
    return 1 + [one for one in parent.children if one.name == child.name].index(child)


def path_of(chain: Chain) -> str:
    """The place as errors tell it: /SyncStudents/students/student[17]/birthDate. Those of its name are counted."""
    path = f"/{chain[0].name}"
    for parent, child in pairwise(chain):
        path += f"/{child.name}"
        if child.member is not None and child.member.many:
            path += f"[{_number(parent, child)}]"
    return path


def pointer_of(chain: Chain) -> str:
    """The same place as a JSON pointer: /students/16/birthDate."""
    steps = [
        str(parent.children.index(child)) if parent.is_array else child.name.replace("~", "~0").replace("/", "~1")
        for parent, child in pairwise(chain)
    ]
    return "".join(f"/{step}" for step in steps)


def item_of(chain: Chain) -> int | None:
    """The 1-based number of the Sync item that a place is in, None outside of the items."""
    if len(chain) < 3 or not chain[1].is_array or chain[2].is_leaf or chain[2].member is None:
        return None
    return _number(chain[1], chain[2])


# XML -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Style:
    """How XML is spelled; none of it may change what is read."""

    prefix: str = ""
    indent: str = ""
    cdata: bool = False
    references: bool = False
    comments: bool = False
    instructions: bool = False
    empty_tags: bool = True


PLAIN = Style()


def to_xml(element: Element, style: Style = PLAIN, declared: str | None = None) -> str:
    """Write an element; `declared` is the namespace that the surroundings have without prefix."""
    prefix = f"{style.prefix}:" if style.prefix and element.namespace == NAMESPACE else ""
    name, attributes = (
        prefix + element.name,
        "".join(f" {key}={quoteattr(value)}" for key, value in element.attributes.items()),
    )
    if style.prefix and element.member is None and declared is None:
        attributes += f' xmlns:{style.prefix}="{NAMESPACE}"'
    if not prefix and element.namespace != declared:
        attributes += f" xmlns={quoteattr(element.namespace)}"
        declared = element.namespace
    inside = _text(element.text, style) if element.text or element.is_leaf else ""
    inside += "".join(style.indent + to_xml(child, style, declared or "") for child in element.children)
    if element.children:
        inside += style.indent
    if style.comments and element.is_leaf is False:
        inside += "<!-- é --><!---->"
    if style.instructions:
        inside = f"<?pi é?>{inside}"
    if not inside and style.empty_tags:
        return f"<{name}{attributes}/>"
    return f"<{name}{attributes}>{inside}</{name}>"


def _text(text: str, style: Style) -> str:
    if style.references:
        signs = (
            f"&#{ord(sign)};" if place % 3 == 0 or sign == "\r" else escape(sign) for place, sign in enumerate(text)
        )
        return "".join(signs)
    if style.cdata and "]]>" not in text and "\r" not in text:
        half = len(text) // 2
        middle = "<!---->" if style.comments else ""
        return f"<![CDATA[{text[:half]}]]>{middle}{escape(text[half:])}"
    return escape(text).replace("\r", "&#13;")


# JSON ------------------------------------------------------------------------------------------------------------


def to_json(element: Element) -> str:
    """Write the content of an element as JSON; members may stand twice."""
    if element.json is not None:
        return element.json
    if element.is_leaf:
        return json.dumps(element.text, ensure_ascii=False)
    if element.is_array:
        return f"[{','.join(map(to_json, element.children))}]"
    members = [f"{json.dumps(child.name, ensure_ascii=False)}: {to_json(child)}" for child in element.children]
    return f"{{{', '.join(members)}}}"
