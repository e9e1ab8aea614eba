"""The WSDL documents: composed from `xsd/` by a command, and served as published.

The wording follows what sixteen stub generators take best: document/literal wrapped, one inline schema, parts
named `parameters`, one binding and one port in a document, SOAP 1.2 in a document of its own. What is served is the
published file with the address of the configured public URL put in; a request's Host header is never looked at.
"""

from functools import cache
from importlib.resources import files

from lxml import etree

from ... import contract

PATH = "/soap/v1"
PLACEHOLDER = f"http://localhost:8080{PATH}"
FILES = {"1.1": "v1.wsdl", "1.2": "v1-soap12.wsdl"}

_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_BINDINGS = {"1.1": "http://schemas.xmlsoap.org/wsdl/soap/", "1.2": "http://schemas.xmlsoap.org/wsdl/soap12/"}
_SCHEMA = "schema"
_HTTP = "http://schemas.xmlsoap.org/soap/http"


def action(operation: str) -> str:
    """Return the soapAction of an operation: an absolute URI of its own."""
    return f"{contract.NAMESPACE}:{operation}"


def compose(version: str) -> bytes:
    """Make the WSDL document for SOAP "1.1" or "1.2" from `xsd/`; the same bytes on each call."""
    binding_namespace = _BINDINGS[version]
    suffix = "Soap" + version.replace(".", "")
    root = etree.Element(
        f"{{{_WSDL}}}definitions",
        {"name": "ParapheExchange", "targetNamespace": contract.NAMESPACE},
        nsmap={"wsdl": _WSDL, "soap": binding_namespace, "tns": contract.NAMESPACE},
    )

    def add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
        prefix, _, name = tag.rpartition(":")
        namespace = binding_namespace if prefix == "soap" else _WSDL
        node = etree.SubElement(parent, f"{{{namespace}}}{name}", attributes)
        node.text = text
        return node

    add(root, "documentation", "Paraphe exchange, version 1. The address is that of the server you asked.")
    add(root, "types").append(etree.Comment(_SCHEMA))
    for name in contract.operations():
        for message, element in ((f"{name}Request", name), (f"{name}Answer", f"{name}Response")):
            add(add(root, "message", name=message), "part", name="parameters", element=f"tns:{element}")
    add(add(root, "message", name="CredentialsHeader"), "part", name="credentials", element="tns:Credentials")
    add(add(root, "message", name="ServiceException"), "part", name="fault", element="tns:ServiceFault")

    port_type = add(root, "portType", name="ExchangePortType")
    binding = add(root, "binding", name=f"Exchange{suffix}Binding", type="tns:ExchangePortType")
    add(binding, "soap:binding", style="document", transport=_HTTP)
    for name, operation in contract.operations().items():
        abstract = add(port_type, "operation", name=name)
        add(abstract, "documentation", operation.documentation)
        add(abstract, "input", message=f"tns:{name}Request")
        add(abstract, "output", message=f"tns:{name}Answer")
        add(abstract, "fault", name="ServiceFault", message="tns:ServiceException")
        concrete = add(binding, "operation", name=name)
        add(concrete, "soap:operation", soapAction=action(name), style="document")
        request = add(concrete, "input")
        header = {"message": "tns:CredentialsHeader", "part": "credentials", "use": "literal"}
        add(request, "soap:header", **header)
        add(request, "soap:body", use="literal")
        add(add(concrete, "output"), "soap:body", use="literal")
        add(add(concrete, "fault", name="ServiceFault"), "soap:fault", name="ServiceFault", use="literal")
    service = add(root, "service", name="ParapheExchange")
    port = add(service, "port", name=f"Exchange{suffix}", binding=f"tns:Exchange{suffix}Binding")
    add(port, "soap:address", location=PLACEHOLDER)
    etree.indent(root, "  ")
    document = etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
    # As text, because lxml would leave out the declarations of the schema that the WSDL has too, and some tools cut
    # the schema out of the WSDL to compile it by itself.
    schema = etree.tostring(contract.schema(), encoding="UTF-8").replace(b"\n", b"\n    ")
    return document.replace(f"<!--{_SCHEMA}-->".encode(), schema)


@cache
def published(version: str, public_url: str) -> bytes:
    """Return the published document for SOAP "1.1" or "1.2" with the address under `public_url`."""
    root = etree.fromstring(files("paraphe.wsdl").joinpath(FILES[version]).read_bytes())
    for address in root.iter(f"{{{_BINDINGS[version]}}}address"):
        address.set("location", public_url.rstrip("/") + PATH)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
