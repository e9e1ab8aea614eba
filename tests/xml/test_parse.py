"""Bytes to a tree: encodings as callers really send them, and nothing that a message merely points to."""

import codecs

import pytest

from paraphe.errors import Code, Refused
from paraphe.xml.parse import parse


def error_of(body, charset=None):
    with pytest.raises(Refused) as refusal:
        parse(body, charset)
    (error,) = refusal.value.errors
    return error


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("<a>é€</a>".encode(), None),
        ("<a>é€</a>".encode(), "utf-8"),
        ("<a>é€</a>".encode(), "UTF8"),
        (codecs.BOM_UTF8 + "<a>é€</a>".encode(), "iso-8859-1"),
        ("<a>é€</a>".encode("utf-16"), None),
        ("<a>é€</a>".encode("utf-16"), "utf-8"),
        ("<a>é€</a>".encode("utf-16-le"), "utf-16le"),
        ("<a>é€</a>".encode("utf-16-be"), "UTF-16BE"),
        ("<a>é€</a>".encode("cp1252"), "windows-1252"),
        ('<?xml version="1.0" encoding="windows-1252"?><a>é€</a>'.encode("cp1252"), None),
        ('<?xml version="1.0" encoding="utf-8"?><a>é€</a>'.encode("cp1252"), "windows-1252"),
        ('<?xml version="1.0" encoding="iso-8859-15"?><a>é€</a>'.encode("iso-8859-15"), None),
        (b"<a>&#233;&#x20AC;</a>", "us-ascii"),
        (b"<a><![CDATA[\xc3\xa9\xe2\x82\xac]]></a>", None),
        ("<a>é<!-- between -->€</a>".encode(), None),
        ("<a>é<?p between?>€</a>".encode(), None),
    ],
)
def test_a_text_is_read_in_the_encoding_that_wins(body, charset):
    assert parse(body, charset).text == "é€"


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (b"", None),
        (b"  \r\n ", "utf-8"),
        (codecs.BOM_UTF8, None),
        (b"<a>", None),
        (b"<a></b>", None),
        (b"<a/><b/>", None),
        (b"hello", None),
        (b"{}", None),
        (b"\x00\x01\x02", None),
        (b"<a>\x01</a>", None),
        (b"<a>&#1;</a>", None),
        (b"<a>&nbsp;</a>", None),
        (b"<a>AT&T</a>", None),
        (b"<a b=c/>", None),
        (b"<p:a/>", None),
        (b"<a>&#55357;&#56832;</a>", None),
        ("<a>é</a>".encode("latin-1"), "utf-8"),
        ('<?xml version="1.0" encoding="utf-8"?><a>é</a>'.encode("latin-1"), None),
        (b"<a/>", "klingon"),
        (b"<a/>", "utf-8; drop table"),
    ],
)
def test_what_is_not_well_formed_is_malformed(body, charset):
    error = error_of(body, charset)

    assert error.code == Code.MALFORMED_MESSAGE
    assert error.message.endswith(".")
    assert error.hint


def test_the_line_is_told():
    assert error_of(b"<a>\n<b>\n</c>\n</a>").line == 3


def test_an_empty_message_is_told_to_be_empty():
    assert "empty" in error_of(b"").message


DOCTYPES = {
    "plain": b"<!DOCTYPE a><a/>",
    "an entity": b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
    "a file": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
    "the network": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    "a parameter entity": b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]><a/>',
    "a default attribute": b'<!DOCTYPE a [<!ATTLIST a b CDATA "x">]><a/>',
}


@pytest.mark.parametrize("kind", DOCTYPES)
def test_a_document_type_is_forbidden_whatever_it_says(kind):
    assert error_of(DOCTYPES[kind]).code == Code.FORBIDDEN_CONSTRUCT


def test_a_billion_laughs_are_not_laughed():
    lines = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
    bomb = b'<!DOCTYPE a [<!ENTITY l0 "ha">' + lines + b"]><a>&l11;</a>"

    assert error_of(bomb).code in (Code.FORBIDDEN_CONSTRUCT, Code.MALFORMED_MESSAGE)


def test_a_long_text_is_taken_beyond_the_limit_of_the_library():
    body = b"<a><content>" + b"x" * 12_000_000 + b"</content></a>"

    assert len(parse(body)[0].text or "") == 12_000_000


def test_no_text_of_a_library_reaches_the_caller():
    for body in (b"<a>", b"<a>&nbsp;</a>", b"<p:a/>"):
        error = error_of(body)
        assert "libxml" not in error.message
        assert "EntityRef" not in error.message
        assert "nbsp" not in error.message


@pytest.mark.parametrize(
    "behind", ["<b/>", "<b xmlns='relative'/>"], ids=["the last thing told", "a warning behind it"]
)
def test_a_prefix_that_is_not_declared_is_no_xml_whatever_comes_after_it(behind):
    error = error_of(f'<a xmlns="urn:a" foreign:x="1">{behind}</a>'.encode())

    assert (error.code, error.line) == (Code.MALFORMED_MESSAGE, 1)
