"""The published documents as things to ask questions of."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
FILES = {"1.1": ROOT / "wsdl" / "v1.wsdl", "1.2": ROOT / "wsdl" / "v1-soap12.wsdl"}
WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP = {"1.1": "http://schemas.xmlsoap.org/wsdl/soap/", "1.2": "http://schemas.xmlsoap.org/wsdl/soap12/"}
XS = "http://www.w3.org/2001/XMLSchema"


@dataclass(frozen=True)
class Description:
    """A WSDL document: its text, and the same parsed."""

    version: str
    text: str
    root: etree._Element

    def all(self, path: str) -> list[etree._Element]:
        """What an XPath finds; `soap` is the binding namespace of this document's version of SOAP."""
        found = self.root.xpath(path, namespaces={"wsdl": WSDL, "soap": SOAP[self.version], "xs": XS})
        assert isinstance(found, list)
        return [node for node in found if isinstance(node, etree._Element)]

    def one(self, path: str) -> etree._Element:
        """The only element that an XPath finds."""
        (found,) = self.all(path)
        return found

    def referred(self, node: etree._Element, attribute: str, path: str) -> etree._Element:
        """The element of `path` that an attribute names: a name of our namespace, of exactly one element."""
        prefix, _, name = node.attrib[attribute].rpartition(":")
        assert node.nsmap.get(prefix or None) == self.root.get("targetNamespace")
        (found,) = [each for each in self.all(path) if each.get("name") == name]
        return found

    def message(self, node: etree._Element) -> etree._Element:
        """The message that the attribute `message` names."""
        return self.referred(node, "message", "/wsdl:definitions/wsdl:message")

    def bound(self) -> Iterator[tuple[etree._Element, etree._Element]]:
        """Each operation of the binding with the operation of the port type that it binds."""
        for operation in self.all("//wsdl:binding/wsdl:operation"):
            (abstract,) = self.all(f"//wsdl:portType/wsdl:operation[@name='{operation.get('name')}']")
            yield operation, abstract

    def bodies(self) -> Iterator[tuple[etree._Element, etree._Element]]:
        """Each soap:body with the message that it carries."""
        for operation, abstract in self.bound():
            for way in ("input", "output"):
                (body,) = operation.findall(f"{{{WSDL}}}{way}/{{{SOAP[self.version]}}}body")
                (declared,) = abstract.findall(f"{{{WSDL}}}{way}")
                yield body, self.message(declared)


def parts(message: etree._Element) -> list[etree._Element]:
    """The parts of a message."""
    return message.findall(f"{{{WSDL}}}part")


def described(version: str, text: str) -> Description:
    """Read a document."""
    return Description(version, text, etree.fromstring(text.encode()))


@cache
def published(version: str) -> Description:
    """The document as it is committed."""
    return described(version, FILES[version].read_bytes().decode())


def with_a_breach(version: str, sound: str, broken: str) -> Description:
    """The published document with one text replaced, once."""
    text = published(version).text
    assert sound in text
    return described(version, text.replace(sound, broken, 1))
