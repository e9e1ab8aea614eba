"""Bytes to a tree, without reading anything that the message merely points to."""

import codecs

from lxml import etree

from ..errors import Code, Error, Refused

# Above this libxml2 must be told to accept long texts; it stops at 10 MB in one text otherwise.
_LARGE = 9_000_000
# What libxml2 does not know under each of its names. No others: some of Python's codecs take quadratic time.
_DECODED_HERE = {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso8859-1", "iso8859-15", "cp1252"}


def parse(body: bytes, charset: str | None = None) -> etree._Element:
    """Parse a message into its root element.

    `charset` is what the transport said; a byte order mark wins over it, and it wins over the XML declaration
    (RFC 7303, section 3). Refused: MALFORMED_MESSAGE, or FORBIDDEN_CONSTRUCT for a document type declaration.
    """
    body, charset = _readable(body, charset)
    parser = etree.XMLParser(
        encoding=charset,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=len(body) > _LARGE,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as failure:
        raise Refused(_malformed(body, failure)) from failure
    if root.getroottree().docinfo.doctype:
        raise Refused(
            Error(
                Code.FORBIDDEN_CONSTRUCT,
                "The message holds a document type declaration (DOCTYPE).",
                hint="Leave the DOCTYPE out; write special characters directly or as &#number;.",
            )
        )
    return root


def _readable(body: bytes, charset: str | None) -> tuple[bytes, str | None]:
    """Return the body and the encoding to read it in, None for the one that it declares itself."""
    if charset is None or body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body, None
    try:
        etree.XMLParser(encoding=charset)
    except LookupError:
        pass
    else:
        return body, charset
    try:
        if codecs.lookup(charset).name not in _DECODED_HERE:
            raise LookupError(charset)
        return body.decode(charset).encode(), "utf-8"
    except (LookupError, UnicodeError):
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
