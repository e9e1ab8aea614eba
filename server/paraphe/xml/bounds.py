"""How much one message may hold, and XML messages held to it.

Nearly every message is far from every bound, and a look at its bytes says so in some microseconds: what is not in the
bytes often enough cannot be in the tree. Only otherwise the tree is asked, which says exactly. Everything here takes
linear time. What comes after it may not: lxml, for example, looks for the namespace of each element that is moved
among all those that are declared in the same item.
"""

import re
from dataclasses import dataclass
from functools import cache

from lxml import etree

from ..contract import NAMESPACE, Complex, Field, Simple, operations, types
from ..errors import Code, Error, Refused
from ..spool import Content

DEEPEST = 256
"""The depth at which libxml2 stops by itself, unless it is told to accept long texts."""

# Characters of a namespace. libxml2 writes it into each of its messages: 1 MB, a megabyte long namespace on a thousand
# elements that are not expected, took 12 s.
_NAMESPACE = 10_000
# An item that declares more namespaces than this many elements may have is none of the contract.
_ELEMENTS = 10
# Encodings in which a byte that looks like = or < is one, and the other way round.
PLAIN = re.compile(r"utf-?8|(us-)?ascii|(iso-?8859-?|latin-?|windows-125|cp125)[0-9]+", re.IGNORECASE)
# Bytes of the shortest element, <a/>; an attribute has more.
_SHORTEST = 4
# Bytes of a character, in the encodings that take most.
_WIDEST = 4
# An XML declaration is shorter.
_DECLARATION = 120


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one message may hold; `settings.OPTIONS` explains each."""

    expanded_bytes: int = 300_000_000
    element_depth: int = DEEPEST
    element_attributes: int = 100
    message_attributes: int = 1_000_000
    message_elements: int = 2_000_000
    list_items: int = 200_000
    text_length: int = 1_000_000


STANDARD = Bounds()


@dataclass(frozen=True, slots=True)
class Signs:
    """What the bytes of a message say may be in its tree: more than an element, or the message, may have of it."""

    attributes: bool
    attributes_of_all: bool
    declarations: bool
    long_namespaces: bool
    long_texts: bool


class Growing:
    """A tree that grows while its message arrives: held to what cannot wait until it is whole.

    An element takes thirty times as much memory as the four bytes that it may have on the wire.
    """

    _STEP = 2 << 20

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._signs = self._unseen = self._run = 0
        self._is_comment = False

    def coming(self, piece: bytes) -> None:
        """Look at bytes before they are parsed: libxml2 reads a start tag as a whole, with all its attributes."""
        begins = piece.rfind(b"<")
        if begins >= 0:
            self._signs = self._run = 0
            self._is_comment = piece.startswith((b"<!-", b"<?"), begins)
        self._signs += piece.count(b"=", max(begins, 0))
        self._run += len(piece) - max(begins, 0)
        if self._signs > self._bounds.message_elements:
            raise too_many_elements(self._bounds)

    def grown(self, root: etree._Element | None, piece: bytes, *, taken: bool) -> None:
        """Look at the tree, which is incomplete; `root` is None as long as nothing of the contract has begun.

        `taken`: what has arrived last is a text that is taken out of the tree.
        """
        if self._run > _WIDEST * self._bounds.text_length and (self._is_comment or not taken):
            raise too_long(self._bounds)
        self._unseen += len(piece)
        if root is None:
            if self._unseen > _SHORTEST * self._bounds.message_elements:
                raise too_many_elements(self._bounds)
        elif self._unseen > self._STEP:
            self._unseen = 0
            _hold_elements(root, self._bounds)


def look(body: Content, encoding: str | None, bounds: Bounds) -> Signs:
    """Look at the bytes of a message; `encoding` is what the parser found."""
    # A message in UTF-16 need not say so: its first "<" does.
    plain = b"\0" not in body[:4] and PLAIN.fullmatch(encoding or "utf-8") is not None
    attributes = not plain or has_more(body, b"=", bounds.element_attributes)
    return Signs(
        attributes,
        attributes and (not plain or body.count(b"=") > bounds.message_attributes),
        attributes and (not plain or has_more(body, b"xmlns", bounds.element_attributes)),
        len(body) > _NAMESPACE and (not plain or _has_run(body, _NAMESPACE)),
        len(body) > bounds.text_length and (not plain or _has_run(body, bounds.text_length)),
    )


def hold(root: etree._Element, body: Content, bounds: Bounds, *, deeper: bool) -> None:
    """Refuse a message (MESSAGE_TOO_COMPLEX) that holds more than it may.

    `body` is what `root` was parsed from; `deeper` says that it may be deeper than DEEPEST.
    """
    if len(body) > _SHORTEST * bounds.message_elements:
        _hold_elements(root, bounds)
    may_be_long = len(body) > _SHORTEST * bounds.list_items
    if may_be_long and any(len(array) > bounds.list_items for array in root.iter(*_lists())):
        raise too_many_items(bounds)
    hold_part(root, look(body, root.getroottree().docinfo.encoding, bounds), bounds, deeper=deeper)


def hold_part(root: etree._Element, signs: Signs, bounds: Bounds, *, deeper: bool) -> None:
    """Refuse (MESSAGE_TOO_COMPLEX) a part of a message that holds more than the whole may, whose `signs` are given."""
    if (deeper or bounds.element_depth < DEEPEST) and _any("/*" * (bounds.element_depth + 1))(root):
        raise too_deep(bounds)
    if signs.attributes:
        _hold_attributes(root, bounds)
    if signs.attributes_of_all:
        _hold_all_attributes(int(_count("descendant-or-self::*/@*")(root)), bounds)
    if signs.declarations:
        _hold_namespaces(root, bounds)
    if signs.long_namespaces:
        _hold_lengths_of_namespaces(root)
    if signs.long_texts:
        hold_texts(root, bounds)


def has_more(body: Content, sign: bytes, most: int) -> bool:
    """Say whether a sign is there more than `most` times: when it is rare, much faster than to count it."""
    at = -1
    for _ in range(most + 1):
        at = body.find(sign, at + 1)
        if at < 0:
            return False
    return True


def _hold_attributes(root: etree._Element, bounds: Bounds) -> None:
    most = bounds.element_attributes
    if _any(f"descendant-or-self::*/@*[{most + 1}]")(root):
        raise _too_complex(
            f"An element has more than {most} attributes.", "Values stand in elements; leave attributes out."
        )


def _hold_all_attributes(count: int, bounds: Bounds) -> None:
    if count > bounds.message_attributes:
        raise _too_complex(
            f"The elements of the message have more than {bounds.message_attributes} attributes.",
            "Values stand in elements; leave attributes out.",
        )


def _hold_elements(root: etree._Element, bounds: Bounds) -> None:
    count = int(_count("descendant-or-self::*")(root)) + int(_count("descendant-or-self::*/@*")(root))
    declarations = etree.iterwalk(root, events=("start-ns",))
    if count + sum(1 for _ in declarations) > bounds.message_elements:
        raise too_many_elements(bounds)


def _hold_namespaces(root: etree._Element, bounds: Bounds) -> None:
    """Hold the declarations of namespaces to what an element, an item and a message may have."""
    most = bounds.element_attributes
    # A list's items are below Envelope, Body, the operation and the list; without SOAP two levels higher. What stands
    # in the place of a list and is none counts as an item.
    items_at = 5 if etree.QName(root).localname == "Envelope" else 3
    depth = here = inside = count = 0
    in_list = False
    for event, element in etree.iterwalk(root, events=("start-ns", "start", "end")):
        if event == "start-ns":
            here += 1
            count += 1
        elif event == "start":
            depth += 1
            begins = depth < items_at or (depth == items_at and in_list)
            if depth == items_at - 1:
                in_list = isinstance(element, etree._Element) and str(element.tag) in _lists()
            inside = here if begins else inside + here
            here = 0
        else:
            depth -= 1
        if here > most or (depth >= items_at - 1 and inside > _ELEMENTS * most):
            raise _too_complex(
                f"An element declares more than {most} namespaces, or an item more than {_ELEMENTS * most}.",
                "Declare each namespace once, at the first element of the message.",
            )
    _hold_all_attributes(count, bounds)


def _hold_lengths_of_namespaces(root: etree._Element) -> None:
    for _, declared in etree.iterwalk(root, events=("start-ns",)):
        _, namespace = declared  # type: ignore[misc]  # prefix and name
        if len(namespace) > _NAMESPACE:
            raise _too_complex(
                f"A namespace has more than {_NAMESPACE} characters.", f"The operations are in {NAMESPACE}."
            )


def _has_run(body: Content, length: int) -> bool:
    """Say whether there may be a text or attribute of more than `length` bytes.

    It may be put together of several, with comments, CDATA or processing instructions between.
    """
    if has_run_in_one(body, length):
        return True
    # One sign is found a hundred times as fast as two.
    return (b"!" in body and b"<!" in body) or (body.find(b"?", _DECLARATION) >= 0 and body.find(b"<?", 2) >= 0)


def has_run_in_one(body: Content, length: int) -> bool:
    """Say whether there may be a text or attribute of more than `length` bytes that is not put together of several.

    It has no < in it, so one half of its length, at least, is a block without.
    """
    half = length // 2
    return any(body.find(b"<", at, at + half) < 0 for at in range(0, len(body) - half + 1, half))


def may_have_too_many_elements(body: Content, bounds: Bounds) -> bool:
    """Say whether a message may have more elements than it may."""
    most = bounds.message_elements
    return len(body) > _SHORTEST * most and body.count(b"<") > most


def hold_texts(root: etree._Element, bounds: Bounds) -> None:
    """Refuse a message (MESSAGE_TOO_COMPLEX) with a text that is too long, and no file."""
    for node in ("descendant-or-self::*[not(self::{0})]/text()", "descendant-or-self::*/@*"):
        path = node.format(" or self::".join(f"*[local-name() = '{name}']" for name in _files()))
        if _any(f"{path}[string-length() > {bounds.text_length}]")(root):
            raise too_long(bounds)


@cache
def _fields() -> list[Field]:
    kinds = [*types().values(), *(operation.request for operation in operations().values())]
    return [field for kind in kinds if isinstance(kind, Complex) for field in kind.fields]


@cache
def _files() -> frozenset[str]:
    """Return the names of the elements that hold files."""
    kinds = [(field.name, field.type) for field in _fields()]
    return frozenset(name for name, kind in kinds if isinstance(kind, Simple) and kind.primitive == "base64Binary")


@cache
def _lists() -> frozenset[str]:
    """Return the tags of the elements that hold lists, in the contract's namespace and, for old stacks, in none."""
    names = {field.name for field in _fields() if isinstance(field.type, Complex) and field.type.item is not None}
    return frozenset(names | {f"{{{NAMESPACE}}}{name}" for name in names})


@cache
def _any(path: str) -> etree.XPath:
    return etree.XPath(f"boolean({path})")


@cache
def _count(path: str) -> etree.XPath:
    return etree.XPath(f"count({path})")


# What a caller is told -----------------------------------------------------------------------------------------


def _too_complex(message: str, hint: str) -> Refused:
    return Refused(Error(Code.MESSAGE_TOO_COMPLEX, message, hint=hint))


def too_deep(bounds: Bounds) -> Refused:
    """Refuse a message that is nested too deeply."""
    return _too_complex(
        f"The message is nested more than {bounds.element_depth} levels deep.",
        "Compare it with the schema of the operation.",
    )


def too_many_elements(bounds: Bounds) -> Refused:
    """Refuse a message of too many elements."""
    return _too_complex(
        f"The message has more than {bounds.message_elements} elements and attributes.",
        "Compare it with the schema of the operation, or send what it holds in several messages.",
    )


def too_many_items(bounds: Bounds) -> Refused:
    """Refuse a message with a list that is too long."""
    return _too_complex(
        f"A list of the message has more than {bounds.list_items} items.", "Send the items in several messages."
    )


def too_long(bounds: Bounds) -> Refused:
    """Refuse a message with a text that is too long."""
    return _too_complex(
        f"A text of the message has more than {bounds.text_length} characters.",
        "The schema says how long each value may be.",
    )
