"""Bytes to a tree, without reading anything that the message merely points to."""

import codecs

from lxml import etree

from ..errors import Code, Error, Refused
from . import bounds as bounding
from .bounds import Bounds

# Above this libxml2 must be told to accept long texts; it stops at 10 MB in one text otherwise.
_LARGE = 9_000_000
_XINCLUDE = "{http://www.w3.org/2001/XInclude}include"
# What libxml2 does not know under each of its names. No others: some of Python's codecs take quadratic time.
_DECODED_HERE = {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso8859-1", "iso8859-15", "cp1252"}


def parse(body: bytes, charset: str | None = None, bounds: Bounds = bounding.STANDARD) -> etree._Element:
    """Parse a message into its root element.

    `charset` is what the transport said; a byte order mark wins over it, and it wins over the XML declaration
    (RFC 7303, section 3). Refused: MALFORMED_MESSAGE; FORBIDDEN_CONSTRUCT for a document type declaration or an
    inclusion; MESSAGE_TOO_COMPLEX beyond `bounds`.
    """
    body, charset = _readable(body, charset)
    parser = etree.XMLParser(
        encoding=charset,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        # Nothing of a message is looked for by its xml:id.
        collect_ids=False,
        huge_tree=len(body) > _LARGE,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as failure:
        raise _refused(body, failure, bounds) from failure
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


def _doctype() -> Refused:
    return Refused(
        Error(
            Code.FORBIDDEN_CONSTRUCT,
            "The message holds a document type declaration (DOCTYPE).",
            hint="Leave the DOCTYPE out; write special characters directly or as &#number;.",
        )
    )


def _refused(body: bytes, failure: etree.XMLSyntaxError, bounds: Bounds) -> Refused:
    if b"<!DOCTYPE" in body[:1000]:
        return _doctype()  # which may be why: libxml2 does not follow entities that grow
    if "Excessive depth" in failure.msg:
        return bounding.too_deep(bounds)
    if failure.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        return bounding.too_long(bounds)  # 9 MB of UTF-16 may be 10 MB of UTF-8
    return Refused(_malformed(body, failure))


def _readable(body: bytes, charset: str | None) -> tuple[bytes, str | None]:
    """Return the body and the encoding to read it in, None for the one that it declares itself."""
    if charset is None or body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body, None
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
        return body.decode(charset).encode(), "utf-8"
    except (LookupError, ValueError):
        raise Refused(
            Error(
                Code.MALFORMED_MESSAGE,
                f"The charset {charset[:40]!r} of the Content-Type is not known, or not that of the message.",
                hint="Send charset=utf-8.",
            )
        ) from None


def _malformed(body: bytes, failure: etree.XMLSyntaxError) -> Error:
    if not body.strip():
        return Error(Code.MALFORMED_MESSAGE, "The message is empty.", hint="Send the XML message as the request body.")
    line = failure.lineno or None
    place = f" at line {line}" if line else ""
    return Error(
        Code.MALFORMED_MESSAGE,
        f"The message is not well-formed XML{place}.",
        hint="Check the tags, the characters & and <, and that the text is in the encoding it declares.",
        line=line,
    )
