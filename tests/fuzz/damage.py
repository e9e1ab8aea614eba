"""Bytes and headers that nobody should send: valid messages of the fixtures, damaged at random."""

import gzip
import json
import zlib
from base64 import b64encode
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from lxml import etree

from paraphe import contract
from paraphe.contract import NAMESPACE, Complex, Simple
from paraphe.xml.parse import parse

from .target import SOAP, V1, Account, Request

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
_ITEMS = 2

# The messages to damage --------------------------------------------------------------------------------------------


@cache
def envelopes() -> tuple[tuple[str, bytes], ...]:
    """The messages of the fixtures as envelopes, each with its operation; long lists are cut to two items."""
    found = []
    for path in sorted(FIXTURES.glob("*/*.xml")):
        if "answer" not in path.stem:
            root = etree.fromstring(path.read_bytes())
            for element in root.iter():
                if len(element) > _ITEMS and len({child.tag for child in element}) == 1:
                    del element[_ITEMS:]
            found.append((path.parent.name, etree.tostring(root, xml_declaration=True, encoding="UTF-8")))
    return tuple(found)


@cache
def payloads() -> tuple[tuple[str, bytes], ...]:
    """The same without envelope."""
    return tuple((name, etree.tostring(_payload(name, message), encoding="UTF-8")) for name, message in envelopes())


@cache
def objects() -> tuple[tuple[str, bytes], ...]:
    """The same as JSON."""
    return tuple(
        (name, json.dumps(_said(_payload(name, message), contract.operations()[name].request)).encode())
        for name, message in envelopes()
    )


@cache
def packages() -> tuple[tuple[str, bytes], ...]:
    """The same as MTOM: what is base64 stands in parts of its own. The boundary is `BOUNDARY`."""
    return tuple((name, packed(message)) for name, message in envelopes())


BOUNDARY = "MIME_boundary"
MTOM = 'multipart/related; type="application/xop+xml"'


def _payload(name: str, message: bytes) -> etree._Element:
    return next(etree.fromstring(message).iter(f"{V1}{name}"))


def _said(element: etree._Element, kind: Simple | Complex) -> Any:
    if isinstance(kind, Complex):
        if kind.item is not None:
            return [_said(child, kind.item.type) for child in element]
        types = {V1 + member.name: member.type for member in kind.fields}
        return {
            etree.QName(child).localname: _said(child, types[str(child.tag)]) for child in element if child.tag in types
        }
    text = element.text or ""
    read: dict[str, Any] = {"int": int, "boolean": "true".__eq__, "decimal": float}
    try:
        return read.get(kind.primitive, str)(text)
    except ValueError:
        return text


def packed(message: bytes) -> bytes:
    """Write an envelope as MTOM: the base64 of its elements `content` in parts of their own."""
    root = parse(message)
    parts = []
    for number, content in enumerate(root.iter(f"{V1}content"), 1):
        parts.append(b"Content-ID: <%d@x>\r\n\r\n%s" % (number, (content.text or "").encode()))
        content.text = None
        include = etree.SubElement(content, "{http://www.w3.org/2004/08/xop/include}Include", href=f"cid:{number}@x")
        include.tail = None
    encoding = b"Content-Transfer-Encoding: base64\r\n"
    kind = b'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\nContent-ID: <root>\r\n\r\n'
    pieces = [kind + etree.tostring(root, encoding="UTF-8"), *(encoding + part for part in parts)]
    line = b"--" + BOUNDARY.encode()
    return line + b"\r\n" + (b"\r\n" + line + b"\r\n").join(pieces) + b"\r\n" + line + b"--\r\n"


# Bytes -----------------------------------------------------------------------------------------------------------

# What readers of XML, JSON and MIME take for something.
TOKENS = (
    b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"&x;", b"&lt;", b"&#0;", b"&#xD800;", b"&#1114112;", b"]]>", b"<![CDATA[",
    b"<!--", b"-->", b"<?xml version='1.1'?>", b"<?pi ?>", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3",
    b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"<a>", b"</a>", b"<a", b"/>", b"'", b'"', b"=", b" x='1'", b" xmlns='y'",
    b" xmlns:a=''", b" xsi:nil='true'", b" xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='Student'",
    b"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/passwd'/>",
    b" xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='urn:x http://127.0.0.1:9/x.xsd'",
    b"<a>" * 300, b"[" * 2000, b'{"a":' * 500, b"9" * 5000, b"x" * 3000, b" " * 3000, b"-", b"1e999999", b"NaN",
    b"null", b"true", b"\\ud800", b"\\u0000", b"{}", b"[]", b",", b"}", b"]", b"\r\n", b"\r\n--" + BOUNDARY.encode(),
    b"--" + BOUNDARY.encode() + b"--\r\n", b"Content-ID: <root>\r\n", b"Content-Transfer-Encoding: x\r\n", b"cid:",
    b"%00", b"REPLACE", b"KEEP_VALID", b"0001-01-01", b"9999-12-31T24:00:00-14:00", b"-2147483648", b"2147483648",
    b"<reference/>",
)  # fmt: skip
ENCODINGS = (
    "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "latin-1", "cp037", "cp1252", "shift_jis",
    "utf-8",
)  # fmt: skip


def damaged(chance: Random, body: bytes) -> bytes:
    """Damage some bytes of a message in one to four ways."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        body = chance.choice(_WAYS)(chance, body)
    return body


def _cut(chance: Random, body: bytes) -> tuple[bytes, bytes, bytes]:
    begin, end = sorted((chance.randint(0, len(body)), chance.randint(0, len(body))))
    if chance.random() < 0.7:
        end = min(end, begin + 20)
    return body[:begin], body[begin:end], body[end:]


def _flip(chance: Random, body: bytes) -> bytes:
    if not body:
        return b"\0"
    place = chance.randrange(len(body))
    return body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]


def _insert(chance: Random, body: bytes) -> bytes:
    before, _, after = _cut(chance, body)
    return before + chance.randbytes(chance.randint(1, 8)) + after


def _put_token(chance: Random, body: bytes) -> bytes:
    before, middle, after = _cut(chance, body)
    return before + chance.choice(TOKENS) + (middle if chance.random() < 0.5 else b"") + after


def _put_token_between(chance: Random, body: bytes) -> bytes:
    sign = chance.choice((b">", b"<", b'"', b",", b"\n"))
    pieces = body.split(sign)
    place = chance.randrange(len(pieces))
    pieces[place] = chance.choice(TOKENS) if chance.random() < 0.5 else pieces[place] + chance.choice(TOKENS)
    return sign.join(pieces)


def _repeat(chance: Random, body: bytes) -> bytes:
    before, middle, after = _cut(chance, body)
    return before + middle * chance.choice((2, 2, 3, 50)) + after if len(middle) < 2000 else before + middle * 2 + after


def _remove(chance: Random, body: bytes) -> bytes:
    before, _, after = _cut(chance, body)
    return before + after


def _truncate(chance: Random, body: bytes) -> bytes:
    return body[: chance.randint(0, len(body))]


def _splice(chance: Random, body: bytes) -> bytes:
    _, other = chance.choice(chance.choice((envelopes, payloads, objects, packages))())
    return _cut(chance, body)[0] + _cut(chance, other)[2]


def _change_number(chance: Random, body: bytes) -> bytes:
    digits = [place for place, sign in enumerate(body) if 48 <= sign <= 57]
    if not digits:
        return body
    place = chance.choice(digits)
    return body[:place] + chance.choice((b"-1", b"0", b"4294967296", b"1.5", b"99", b"")) + body[place + 1 :]


def _encode(chance: Random, body: bytes) -> bytes:
    return body.decode("utf-8", "replace").encode(chance.choice(ENCODINGS), "replace")


_WAYS = (
    _flip, _flip, _insert, _put_token, _put_token, _put_token_between, _put_token_between, _repeat, _remove,
    _truncate, _splice, _change_number, _encode,
)  # fmt: skip

# Requests --------------------------------------------------------------------------------------------------------

_TYPES = (
    "text/xml", "text/xml; charset=utf-8", "application/soap+xml", 'application/soap+xml; action="urn:x"',
    "application/xml", "application/json", "application/json; charset=utf-8", "text/plain", "", "*/*",
    "multipart/related", f'multipart/related; type="application/xop+xml"; boundary={BOUNDARY}',
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml; charset*=utf-8''utf-8",
    "text/xml; charset*0=utf; charset*1=-8", "text/xml;charset=", "text/xml; charset=\"", "text/xml; charset=\xe9",
    "text/xml; x=\x00", ";;;=", "a/b" * 1000, "text/xml, application/json", "text/xml; a*0=x; a*=y",
    "=?utf-8?q?text/xml?=", "TEXT/XML; CHARSET=UTF-16", "application/dime",
)  # fmt: skip
_CHARSETS = (
    "utf-8", "UTF8", "utf-16", "utf-16le", "utf-32", "utf-7", "iso-8859-1", "iso-8859-15", "windows-1252", "ascii",
    "us-ascii", "x" * 500, "idna", "punycode", "rot13", "hex", "undefined", "unicode_escape", "cp037", "mbcs", "\x00",
    "'", "utf-8\t", "utf_8_sig", "EBCDIC", "..", "base64",
)  # fmt: skip
_ANY = (
    "", " ", "*", "\x00", "\xff", "é", "%00", "..", "x" * 4000, '"', "''", ";q=", "-1", "9" * 30, "{}", "<a>", "gzip",
    "identity", "0", "urn:x", "null",
)  # fmt: skip
_HEADERS: dict[str, tuple[str, ...]] = {
    "Accept": (
        "*/*", "text/xml", "application/json", "application/xml", "multipart/related",
        "application/json;q=0, text/xml;q=nan", "a/b;q=1e309", "x" * 2000, ",,,;;q=,",
        "multipart/related; type=\"application/xop+xml\"",
    ),
    "Accept-Encoding": ("gzip", "gzip;q=0", "identity;q=0, *;q=0", "br", "*", "gzip;q=nan"),
    "Content-Encoding": ("gzip", "deflate", "x-gzip", "br", "identity", "gzip, gzip", "GZIP"),
    "SOAPAction": ('""', "", "urn:paraphe:exchange:v1:SyncStudents", '"x"', "\xe9"),
    "Expect": ("100-continue",),
    "Range": ("bytes=0-1", "bytes=-1", "bytes=9-1", "bytes=0-0,5-9", "x"),
    "If-None-Match": ("*", '"x"', "W/"),
    "If-Modified-Since": ("Sun, 22 Nov 2026 10:00:00 GMT", "x", "Sun, 22 Nov 99999 10:00:00 GMT"),
    "If-Range": ('"x"', "Sun, 22 Nov 2026 10:00:00 GMT"),
    "Origin": ("null", "http://127.0.0.1"),
    "X-Request-Id": ("x",),
    "X-Forwarded-For": ("1.2.3.4", "unknown"),
    "Content-Length": ("0", "-1", "x", "10", "9" * 30, "+5", "1_0", "٣".encode().decode("latin-1")),
    "Cookie": ("a=b",),
}  # fmt: skip
_METHODS = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "post", "X" * 100, "PROPFIND")
_PATHS = (
    "/", "", "/soap/v1", "/soap/v1/", "/soap", "/soap/v2", "/api/v1", "/api/v1/", "/api/v1/openapi.json",
    "/api/v1/SyncStudent", "/api/v1/é", "/api/v1/CheckConnection/", "/api/v1/" + "x" * 5000, "/api/v1//", "/api",
    "/xsd/v1/common.xsd", "/xsd/v1/../common.xsd", "/signatures/", "/signatures/x.png", "/documents/x.pdf",
    "/records/x.zip", "/records/" + "A" * 64 + ".pdf", "/records/\x00.pdf", "/documents/\xff\xfe.pdf", "/favicon.ico",
    "/robots.txt", "/.git/config", "//", "/%2e%2e/", "*", "/soap/v1?wsdl", "\x00",
)  # fmt: skip


def request(chance: Random, account: Account) -> Request:
    """Draw a request: a message of one of the faces, damaged somewhere, from one who may call (mostly)."""
    body, made = chance.choice(_MESSAGES)(chance)
    made.headers["Authorization"] = account.basic
    made.body = damaged(chance, body) if chance.random() < 0.85 else body
    for change in chance.sample(_CHANGES, chance.choice((0, 0, 1, 1, 2, 3))):
        change(chance, account, made)
    return made


def _as_soap(chance: Random) -> tuple[bytes, Request]:
    _, body = chance.choice(envelopes())
    version = chance.choice(("1.1", "1.2"))
    kind = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}[version]
    body = body.replace(SOAP["1.1"].encode(), SOAP[version].encode())
    return body, Request("/soap/v1", headers={"Content-Type": kind})


def _as_package(chance: Random) -> tuple[bytes, Request]:
    _, body = chance.choice(packages())
    kind = f'{MTOM}; boundary="{BOUNDARY}"; start="<root>"; start-info="text/xml"'
    return body, Request("/soap/v1", headers={"Content-Type": kind})


def _as_xml(chance: Random) -> tuple[bytes, Request]:
    name, body = chance.choice(payloads())
    return body, Request(f"/api/v1/{name}", headers={"Content-Type": "application/xml"})


def _as_json(chance: Random) -> tuple[bytes, Request]:
    name, body = chance.choice(objects())
    return body, Request(f"/api/v1/{name}", headers={"Content-Type": "application/json"})


_MESSAGES = (_as_soap, _as_soap, _as_package, _as_xml, _as_json, _as_json)


def _change_type(chance: Random, account: Account, made: Request) -> None:
    made.headers["Content-Type"] = chance.choice(_TYPES)


def _change_charset(chance: Random, account: Account, made: Request) -> None:
    kind = made.headers.get("Content-Type", "").partition(";")[0]
    made.headers["Content-Type"] = f"{kind}; charset={chance.choice(_CHARSETS)}"


def _compress(chance: Random, account: Account, made: Request) -> None:
    name = chance.choice(("gzip", "deflate", "x-gzip"))
    packed = gzip.compress(made.body, 1) if "gzip" in name else zlib.compress(made.body, 1)
    made.headers["Content-Encoding"] = name
    made.body = damaged(chance, packed) if chance.random() < 0.5 else packed


def _add_header(chance: Random, account: Account, made: Request) -> None:
    name = chance.choice(list(_HEADERS))
    made.headers[name] = chance.choice(_HEADERS[name] + _ANY)


_CREDENTIALS = (
    *("", "Basic", "Basic ", "Basic =", "Basic \xff", "basic " + "QUFB" * 2000, "Basic //79OnI="),
    *("Bearer ", "Bearer \xe9", "Digest x", "Negotiate x"),
)  # fmt: skip


def _change_credentials(chance: Random, account: Account, made: Request) -> None:
    wrong = b64encode(f"{account.user}:x".encode()).decode()
    made.headers["Authorization"] = chance.choice((*_CREDENTIALS, f"Basic {wrong}", f"Bearer {account.key}"))


def _move_credentials(chance: Random, account: Account, made: Request) -> None:
    """Put the credentials into the envelope's header, as the contract or WS-Security writes them."""
    made.headers.pop("Authorization", None)
    wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
    user, key = account.user, account.key
    own = f'<Credentials xmlns="{NAMESPACE}"><apiUser>{user}</apiUser><apiKey>{key}</apiKey></Credentials>'
    token = f"<UsernameToken><Username>{user}</Username><Password>{key}</Password></UsernameToken>"
    token = f'<Security xmlns="{wsse}">{token}</Security>'
    wsa = '<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:x&lt;</a:MessageID>'
    header = f"<soap:Header>{chance.choice((own, token, own + token, token + wsa))}</soap:Header><soap:Body".encode()
    if chance.random() < 0.3:
        header = damaged(chance, header)
    made.body = made.body.replace(b"<soap:Body", header, 1)


def _change_method(chance: Random, account: Account, made: Request) -> None:
    made.method = chance.choice(_METHODS)


def _change_path(chance: Random, account: Account, made: Request) -> None:
    made.path = chance.choice(_PATHS)
    if chance.random() < 0.2:
        made.path = damaged(chance, made.path.encode()).decode("latin-1")
    made.query = chance.choice(("", "", "wsdl", "wsdl12", "WSDL=1", "x=%00", "wsdl&wsdl12", "&" * 500))
    if chance.random() < 0.5:
        made.method = chance.choice(("GET", "HEAD"))


_CHANGES = (
    _change_type, _change_charset, _compress, _add_header, _add_header, _change_credentials, _move_credentials,
    _change_method, _change_path,
)  # fmt: skip
