"""Multipart messages: written as well-known stacks write them, and read by Python's own MIME parser."""

import base64
import email
import email.policy
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import quote, unquote

from lxml import etree

XOP = "http://www.w3.org/2004/08/xop/include"
INNER = {"1.1": "text/xml", "1.2": "application/soap+xml"}


def include(content_id: str) -> str:
    """The element that stands for a part, as most stacks write it."""
    return f'<xop:Include xmlns:xop="{XOP}" href="cid:{content_id}"/>'


# Written -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """How a stack packs; `{inner}` is the media type of the SOAP version, `{action}` its parameter of that name."""

    content_type: str
    root_id: str
    root_headers: str
    #: What stands in the message for the part, and the part's own Content-ID without its brackets.
    href: str
    content_id: str
    headers: str
    boundary: str
    declaration: str = ""
    preamble: bytes = b""
    epilogue: bytes = b""

    def pack(self, version: str, envelope: bytes, content: bytes) -> tuple[bytes, dict[str, str]]:
        """The body and its headers; `envelope` holds an Include with the text HREF."""
        said = {"inner": INNER[version], "action": ' action="urn:a"' if version == "1.2" else ""}
        root = self.declaration.encode() + envelope.partition(b"?>\n")[2].replace(b"HREF", self.href.encode())
        parts = [
            (f"{self.root_headers}\r\nContent-ID: <{self.root_id}>".format(**said), root),
            (f"{self.headers}\r\nContent-ID: <{self.content_id}>", content),
        ]
        body = self.preamble + package(self.boundary, parts) + self.epilogue
        return body, {"Content-Type": self.content_type.format(**said, boundary=self.boundary, start=self.root_id)}


def package(boundary: str, parts: list[tuple[str, bytes]], newline: bytes = b"\r\n") -> bytes:
    """A multipart body; the headers of a part are lines without the last line's end."""
    body = b""
    for head, content in parts:
        lines = f"{head}\r\n".lstrip().encode("latin-1").replace(b"\r\n", newline)
        body += b"--" + boundary.encode() + newline + lines + newline + content + newline
    return body + b"--" + boundary.encode() + b"--" + newline


_DOTNET = "http://tempuri.org/1/639000000000000000"

SHAPES = {
    "CXF": Shape(
        'multipart/related; type="application/xop+xml"; boundary="uuid:5d9b8f04-1f2c-4b7a-9d0e-1"; '
        'start="<{start}>"; start-info="{inner}"',
        "root.message@cxf.apache.org",
        'Content-Type: application/xop+xml; charset=UTF-8; type="{inner}"\r\nContent-Transfer-Encoding: binary',
        "5d9b8f04-2@urn%3Aparaphe%3Aexchange%3Av1",
        "5d9b8f04-2@urn%3Aparaphe%3Aexchange%3Av1",
        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary",
        "uuid:5d9b8f04-1f2c-4b7a-9d0e-1",
        preamble=b"\r\n",
    ),
    "Axis2": Shape(
        'multipart/related; boundary={boundary}; type="application/xop+xml"; start="<{start}>"; start-info="{inner}"',
        "0.urn:uuid:0D65C6E1B7E86F1C1D1@apache.org",
        'Content-Type: application/xop+xml; charset=UTF-8; type="{inner}"\r\nContent-Transfer-Encoding: binary',
        "1.urn:uuid:0D65C6E1B7E86F1C1D2@apache.org",
        "1.urn:uuid:0D65C6E1B7E86F1C1D2@apache.org",
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary",
        "MIMEBoundaryurn_uuid_0D65C6E1B7E86F1C1D0",
        declaration="<?xml version='1.0' encoding='UTF-8'?>",
    ),
    ".NET": Shape(
        'multipart/related; type="application/xop+xml";start="<{start}>";boundary="{boundary}";'
        'start-info="{inner}";{action}',
        "http://tempuri.org/0",
        'Content-Transfer-Encoding: 8bit\r\nContent-Type: application/xop+xml;charset=utf-8;type="{inner}"',
        quote(_DOTNET, safe=""),
        _DOTNET,
        "Content-Transfer-Encoding: binary\r\nContent-Type: application/octet-stream",
        "uuid:1f0c2a4e-7f5b-4a51-8d39-4e2d3c6b9a10+id=1",
        preamble=b"\r\n",
    ),
    "node": Shape(
        'multipart/related; type="application/xop+xml"; start="<{start}>"; start-info="text/xml"; '
        "boundary={boundary};{action}",
        "3f1c9a9e-9c1b-4f0d-8a77-5d2f6d1b8e01",
        'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"',
        "invoice",
        "invoice",
        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n"
        'Content-Disposition: attachment; filename="invoice.pdf"',
        "b7d1e1c2-5a0f-4d53-9a5e-6c7f1f0e2d3c",
        declaration='<?xml version="1.0" encoding="utf-8"?>',
    ),
    "gSOAP": Shape(
        'multipart/related; charset=utf-8; boundary="{boundary}"; type="application/xop+xml"; '
        'start="<{start}>"; start-info="{inner}"',
        "SOAP-ENV:Envelope",
        'Content-Type: application/xop+xml; charset=utf-8; type="{inner}"\r\nContent-Transfer-Encoding: binary',
        "id1",
        "id1",
        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary",
        "==Zm9vYmFy+/Zm9v==",
        declaration='<?xml version="1.0" encoding="UTF-8"?>\n',
    ),
    "JAX-WS": Shape(
        'multipart/related; start="<{start}>"; type="application/xop+xml"; boundary="{boundary}"; '
        'start-info="{inner};action=\\"urn:a\\""',
        "rootpart*0c1d2e3f@example.jaxws.sun.com",
        'Content-Type: application/xop+xml;charset=utf-8;type="{inner}"\r\nContent-Transfer-Encoding: binary',
        "0c1d2e3f-1@example.jaxws.sun.com",
        "0c1d2e3f-1@example.jaxws.sun.com",
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary",
        "uuid:0c1d2e3f-0",
        declaration="<?xml version='1.0' encoding='UTF-8'?>",
        epilogue=b"what stands behind is nobody's",
    ),
}


# Read --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Package:
    """A package as it came: the envelope with its references, and the parts that they refer to."""

    envelope: bytes
    parts: Mapping[str, bytes]

    def inlined(self) -> bytes:
        """The envelope as it is meant: with base64 where it refers to a part."""
        root = etree.fromstring(self.envelope)
        for reference in list(root.iter(f"{{{XOP}}}Include")):
            parent = reference.getparent()
            assert parent is not None
            content_id = unquote(reference.attrib["href"].removeprefix("cid:"))
            parent.remove(reference)
            parent.text = base64.b64encode(self.parts[content_id]).decode()
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def opened(content_type: str, body: bytes) -> Package:
    """Read a package, and hold it against what XOP and MTOM ask of one."""
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == "application/xop+xml"
    parts = list(message.iter_parts())
    assert not message.defects
    root, *others = parts
    assert root["Content-ID"] == message.get_param("start")
    assert root.get_content_type() == "application/xop+xml"
    assert root.get_param("type") == message.get_param("start-info")
    assert root.get_param("charset") == "utf-8"
    assert {part["Content-Transfer-Encoding"] for part in parts} == {"binary"}
    contents = {part["Content-ID"][1:-1]: _payload(part) for part in others}
    assert len(contents) == len(others) > 0
    return Package(_payload(root), contents)


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload
