"""The published documents are WSDL 1.1 by the official schemas: for WSDL, and for its binding to SOAP.

The schemas are those that the package xmlschema carries, with their licence in them (IBM and Microsoft 2001-2005:
copies may be passed on). The binding to SOAP 1.2 is a W3C submission of 2006 that repeats the one to SOAP 1.1 in a
namespace of its own and adds the attribute `soapActionRequired`; its schema is made of that of SOAP 1.1.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import pytest
import xmlschema
from lxml import etree
from xmlschema.extras.wsdl import Wsdl11Document

from .description import FILES, SOAP, WSDL, XS, with_a_breach

OFFICIAL = files("xmlschema").joinpath("schemas", "WSDL")
ANY_URI = '<xs:attribute name="soapAction" type="xs:anyURI" use="optional" />'


@cache
def sources() -> dict[str, str]:
    """The schemas by their namespaces."""
    binding = OFFICIAL.joinpath("wsdl-soap.xsd").read_text(encoding="utf-8")
    required = '<xs:attribute name="soapActionRequired" type="xs:boolean" />'
    assert ANY_URI in binding
    later = binding.replace(SOAP["1.1"], SOAP["1.2"]).replace(ANY_URI, ANY_URI + required)
    return {
        WSDL: OFFICIAL.joinpath("wsdl.xsd").read_text(encoding="utf-8"),
        SOAP["1.1"]: binding,
        SOAP["1.2"]: later,
    }


class Sources(etree.Resolver):
    """Answers an import of `memory:/NAMESPACE`."""

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        return self.resolve_string(sources()[(system_url or "").removeprefix("memory:/")], context)


@cache
def by_lxml() -> etree.XMLSchema:
    parser = etree.XMLParser()
    parser.resolvers.add(Sources())
    imports = "".join(f'<xs:import namespace="{name}" schemaLocation="memory:/{name}"/>' for name in sources())
    return etree.XMLSchema(etree.fromstring(f'<xs:schema xmlns:xs="{XS}">{imports}</xs:schema>', parser))


@cache
def by_xmlschema() -> xmlschema.XMLSchema10:
    return xmlschema.XMLSchema10(list(sources().values()), allow="sandbox", base_url=str(OFFICIAL))


def test_r2028_r2029_the_document_is_valid_for_lxml(description):
    by_lxml().assertValid(description.root)


@pytest.mark.slow
def test_r2028_r2029_the_document_is_valid_for_xmlschema(description):
    by_xmlschema().validate(description.text)


def strangers(description):
    """The elements of the binding that its schema does not know; such a schema lets them pass."""
    return [node.tag for node in description.all("//soap:*") if node.tag not in by_xmlschema().maps.elements]


def test_every_element_of_the_binding_is_known_to_its_schema(description):
    assert strangers(description) == []
    assert strangers(with_a_breach(description.version, "<soap:address", "<soap:adress"))


BREACHES = {
    "an unknown use": ('use="literal"', 'use="litteral"'),
    "a misspelt attribute": ('<soap:body use="literal"', '<soap:body usage="literal"'),
    "no transport": (' transport="', ' transit="'),
    "a part without a name": ('<wsdl:part name="parameters"', "<wsdl:part"),
    "an unknown element": ("<wsdl:types>", "<wsdl:kinds/><wsdl:types>"),
    "a message of no name": ('<wsdl:message name="SyncStudentsRequest">', "<wsdl:message>"),
    "a message twice": ('<wsdl:message name="SyncStudentsRequest">', '<wsdl:message name="SyncTeachersRequest">'),
    "an operation's input after its output": (
        '<wsdl:input message="tns:SyncStudentsRequest"/>\n      <wsdl:output message="tns:SyncStudentsAnswer"/>',
        '<wsdl:output message="tns:SyncStudentsAnswer"/><wsdl:fault/><wsdl:input message="tns:SyncStudentsRequest"/>',
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("breach", BREACHES)
def test_both_validators_notice(breach, version):
    broken = with_a_breach(version, *BREACHES[breach])

    assert not by_lxml().validate(broken.root)
    assert not by_xmlschema().is_valid(broken.text)


@pytest.mark.slow
def test_xmlschema_reads_it_as_wsdl_with_all_its_references(version):
    """It finds every message, port type, binding and port that another names, or refuses the document."""
    document = Wsdl11Document(str(FILES[version]))

    (port_type,) = document.port_types.values()
    (binding,) = document.bindings.values()
    assert len(port_type.operations) == len(binding.operations) == 15
    assert binding.port_type is port_type
