"""Bytes to a tree, without reading anything that the message merely points to.

A large message, which lies in a file, is read piece by piece, by the same parser with the same settings. Meanwhile
*takers* may take out of the growing tree what would make it large: files (`files`), or the items of a long list.
"""

import codecs
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

from lxml import etree

from ..contract import operations
from ..errors import Code, Error, Refused
from ..spool import LARGE, Content, InFile, nameless
from . import bounds as bounding
from . import names
from .bounds import PLAIN, Bounds, Growing

# Above this libxml2 must be told to accept long texts; it stops at 10 MB in one text otherwise.
_LARGE = 9_000_000
_XINCLUDE = "{http://www.w3.org/2001/XInclude}include"
# What libxml2 does not know under each of its names. No others: some of Python's codecs take quadratic time.
_DECODED_HERE = {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso8859-1", "iso8859-15", "cp1252"}


# How messages begin that libxml2 (2.14) reads in memory only.
_UTF_32 = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
}
_ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)""")
_COUNTED = re.compile(rf"{PLAIN.pattern}|utf-?16([lb]e|-[lb]e)?|ucs-?[24]|iso-10646-ucs-[24]|utf-32", re.IGNORECASE)
_EBCDIC = b"\x4c\x6f\xa7\x94"
# Bytes of a large message that are read before the takers are told.
_PIECE = 256 << 10


class Taker(Protocol):
    """Takes elements, or what is in them, out of a message that arrives.

    It is told of the elements with one of its `names`, in any namespace. What has begun grows until it has ended; what
    a taker may change then is the text and the children of such an element, not the element itself nor those around.
    Bounds are held to what is left in the tree in the end: what is taken out must be held to them by who takes it.
    """

    names: Sequence[str]

    @property
    def takes_text(self) -> bool:
        """Whether the text that arrives now is taken out of the tree, so that it may be long."""

    def begun(self, element: etree._Element) -> None:
        """Hear that an element has begun; its attributes are there."""

    def grown(self) -> None:
        """Hear that another piece of the message was read."""

    def ended(self, element: etree._Element) -> None:
        """Hear that an element is complete."""


class _Fault(NamedTuple):
    """Where libxml2 stopped, and why."""

    message: str
    code: int
    line: int


class _Broken(Exception):  # noqa: N818
    def __init__(self, fault: _Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def parse(
    body: Content, charset: str | None = None, bounds: Bounds = bounding.STANDARD, takers: Sequence[Taker] = ()
) -> etree._Element:
    """Parse a message into its root element. `takers` are told of a message in a file only.

    `charset` is what the transport said; a byte order mark wins over it, and it wins over the XML declaration
    (RFC 7303, section 3). Refused: MALFORMED_MESSAGE; FORBIDDEN_CONSTRUCT for a document type declaration or an
    inclusion; MESSAGE_TOO_COMPLEX beyond `bounds`.
    """
    names.reading(body)
    body, charset = _readable(body, charset)
    options: dict[str, Any] = {
        "encoding": charset,
        "resolve_entities": False,
        "no_network": True,
        "load_dtd": False,
        "remove_comments": True,
        "remove_pis": True,
        # Nothing of a message is looked for by its xml:id.
        "collect_ids": False,
        "huge_tree": len(body) > _LARGE,
    }
    root: etree._Element
    try:
        if isinstance(body, bytes):
            parser = etree.XMLParser(**options)
            root = etree.fromstring(body, parser)
            _hold_well_formed(parser.error_log)
        else:
            root = _arriving(body, options, takers, bounds)
    except etree.XMLSyntaxError as failure:
        raise _refused(body, _Fault(failure.msg, failure.code, failure.lineno or 0), bounds) from failure
    except _Broken as failure:
        raise _refused(body, failure.fault, bounds) from failure
    if root.getroottree().docinfo.doctype:
        raise _doctype()
    if next(root.iter(_XINCLUDE), None) is not None:
        raise Refused(
            Error(
                Code.FORBIDDEN_CONSTRUCT,
                "The message holds an inclusion (xi:include).",
                hint="Write into the message what is to stand in it.",
            )
        )
    bounding.hold(root, body, bounds, deeper=len(body) > _LARGE)
    return root


def _arriving(body: InFile, options: dict[str, Any], takers: Sequence[Taker], bounds: Bounds) -> etree._Element:
    _hold_encoding(body, options["encoding"])
    concerned = {name: taker for taker in takers for name in taker.names}
    tags = [f"{{*}}{name}" for name in {*concerned, *_roots()}]
    parser = etree.XMLPullParser(events=("start", "end"), tag=tags, **options)
    begun: etree._Element | None = None
    growing, told = Growing(bounds), 0
    for piece in body.pieces(_PIECE):
        growing.coming(piece)
        parser.feed(piece)
        told = _hold_well_formed(parser.feed_error_log, told)
        for event, element in parser.read_events():
            begun = element.getroottree().getroot() if begun is None else begun
            if taker := concerned.get(etree.QName(element).localname):
                (taker.begun if event == "start" else taker.ended)(element)
        for taker in takers:
            taker.grown()
        growing.grown(begun, piece, taken=any(taker.takes_text for taker in takers))
    root: etree._Element = parser.close()
    return root


@cache
def _roots() -> frozenset[str]:
    """Return the names that the first element of a message may have."""
    return frozenset({"Envelope", *operations()})


def _hold_encoding(body: InFile, charset: str | None) -> None:
    """Refuse a large message in which < and = are other bytes than elsewhere, so that they cannot be counted."""
    declared = _ENCODING.match(body[:200])
    name = charset or (declared[1].decode("latin-1") if declared else "utf-8")
    if body.startswith(_EBCDIC) or not _COUNTED.fullmatch(name):
        raise Refused(
            Error(
                Code.MALFORMED_MESSAGE,
                f"A message above {LARGE >> 20} MiB cannot be in this encoding.",
                hint="Send it in UTF-8.",
            )
        )


def _hold_well_formed(log: etree._ListErrorLog, told: int = 0) -> int:
    """Raise _Broken for what lxml (6.1) lets pass: an entity or prefix not declared, if a warning comes after it.

    Of what the parser has told, the first `told` are known to be warnings; return how many are now.
    """
    for place in range(told, len(log)):
        if log[place].level > etree.ErrorLevels.WARNING:
            raise _Broken(_Fault(log[place].message, log[place].type, log[place].line))
    return len(log)


def _doctype() -> Refused:
    return Refused(
        Error(
            Code.FORBIDDEN_CONSTRUCT,
            "The message holds a document type declaration (DOCTYPE).",
            hint="Leave the DOCTYPE out; write special characters directly or as &#number;.",
        )
    )


def _refused(body: Content, fault: _Fault, bounds: Bounds) -> Refused:
    if b"<!DOCTYPE" in body[:1000]:
        return _doctype()  # which may be why: libxml2 does not follow entities that grow
    if "Excessive depth" in fault.message:
        return bounding.too_deep(bounds)
    if fault.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        return bounding.too_long(bounds)  # 9 MB of UTF-16 may be 10 MB of UTF-8
    return Refused(_malformed(body, fault))


def _readable(body: Content, charset: str | None) -> tuple[Content, str | None]:
    """Return the body and the encoding to read it in, None for the one that it declares itself."""
    if isinstance(body, InFile) and (form := _UTF_32.get(body[:4])):
        return _recoded(body, form, "replace"), "utf-8"
    if charset is None or body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body, None
    if charset.lower() == "utf-8":
        return body, "utf-8"
    if charset.lower() == "utf-16":  # without a mark, where the zero of the first "<" stands says which one
        charset = "utf-16be" if body.startswith(b"\0") else "utf-16le"
    try:
        etree.XMLParser(encoding=charset)
    except (LookupError, ValueError):  # ValueError: a control character in the name
        pass
    else:
        return body, charset
    try:
        if codecs.lookup(charset).name not in _DECODED_HERE:
            raise LookupError(charset)
        return _recoded(body, charset), "utf-8"
    except (LookupError, ValueError):
        raise Refused(
            Error(
                Code.MALFORMED_MESSAGE,
                f"The charset {charset[:40]!r} of the Content-Type is not known, or not that of the message.",
                hint="Send charset=utf-8.",
            )
        ) from None


def _recoded(body: Content, charset: str, errors: str = "strict") -> Content:
    if isinstance(body, bytes):
        return body.decode(charset).encode()
    decoder, recoded = codecs.getincrementaldecoder(charset)(errors), nameless()
    for piece in body.pieces():
        recoded.write(decoder.decode(piece).encode())
    recoded.write(decoder.decode(b"", final=True).encode())
    return recoded


def _malformed(body: Content, fault: _Fault) -> Error:
    if not any(piece.strip() for piece in ([body] if isinstance(body, bytes) else body.pieces())):
        return Error(Code.MALFORMED_MESSAGE, "The message is empty.", hint="Send the XML message as the request body.")
    line = fault.line or None
    place = f" at line {line}" if line else ""
    return Error(
        Code.MALFORMED_MESSAGE,
        f"The message is not well-formed XML{place}.",
        hint="Check the tags, the characters & and <, and that the text is in the encoding it declares.",
        line=line,
    )
