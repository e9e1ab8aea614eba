"""Whoever reads `xsd/` or a WSDL gets a whole schema of it: from files without a network, and from a server.

With two validators, lxml and xmlschema. What generators make of the documents is tried in tests/interop.
"""

import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest
import xmlschema
import zeep
from lxml import etree

from paraphe import contract

from ..soap.house import fixture_of
from .description import FILES, ROOT, SOAP, XS

OPERATIONS = list(contract.operations())
QUERIES = {"1.1": "wsdl", "1.2": "wsdl12"}
every_file = pytest.mark.parametrize("name", contract.FILES)


class Fetched(etree.Resolver):
    """Answers an include over HTTP, and remembers what was asked for: libxml2 has no HTTP of its own any more."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        assert system_url
        self.addresses.append(system_url)
        return self.resolve_string(fetch(system_url), context, base_url=system_url)


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def compiled_by_lxml(url):
    """Fetch a schema and all that it includes; give it with the addresses of what it includes."""
    parser, fetched = etree.XMLParser(), Fetched()
    parser.resolvers.add(fetched)
    return etree.XMLSchema(etree.fromstring(fetch(url), parser, base_url=url)), fetched.addresses


def request(operation):
    """The child of the Body in an example of an operation."""
    return etree.fromstring(fixture_of("1.1", operation))[-1][0]


# From files ------------------------------------------------------------------------------------------------------


@every_file
def test_a_file_compiles_offline_with_lxml(name):
    etree.XMLSchema(etree.parse(ROOT / "xsd" / f"{name}.xsd", etree.XMLParser(no_network=True)))


@every_file
def test_a_file_compiles_offline_with_xmlschema(name):
    schema = xmlschema.XMLSchema10(str(ROOT / "xsd" / f"{name}.xsd"), allow="sandbox")

    assert schema.target_namespace == contract.NAMESPACE


def test_the_schema_cut_out_of_a_document_compiles_offline_with_both(description):
    """As text: SoapUI and others compile it by itself; a prefix that the WSDL alone declared would be lost."""
    _, start, rest = description.text.partition("<xs:schema")
    schema, end, _ = rest.partition("</xs:schema>")

    etree.XMLSchema(etree.fromstring(start + schema + end, etree.XMLParser(no_network=True)))
    assert set(OPERATIONS) <= set(xmlschema.XMLSchema10(start + schema + end, allow="none").elements)


def test_zeep_reads_a_document_offline(version):
    (service,) = zeep.Client(str(FILES[version])).wsdl.services.values()
    (port,) = service.ports.values()

    assert sorted(port.binding._operations) == sorted(OPERATIONS)


# As served -------------------------------------------------------------------------------------------------------


@every_file
def test_a_served_file_compiles_with_lxml_with_all_that_it_includes(house, name):
    schema, included = compiled_by_lxml(f"{house.url}/xsd/v1/{name}.xsd")

    assert all(address.startswith(f"{house.url}/xsd/v1/") for address in included)
    assert bool(included) == (b"<xs:include" in contract.source(f"{name}.xsd"))
    if name == "messages":
        assert all(schema.validate(request(operation)) for operation in OPERATIONS)


@pytest.mark.slow
@every_file
def test_a_served_file_compiles_with_xmlschema_with_all_that_it_includes(house, name):
    schema = xmlschema.XMLSchema10(f"{house.url}/xsd/v1/{name}.xsd", allow="remote")

    places = {urlsplit(source.url).netloc for source in schema.maps.iter_schemas() if source.url and "v1" in source.url}
    assert places == {urlsplit(house.url).netloc}
    if name == "messages":
        assert all(schema.is_valid(request(operation)) for operation in OPERATIONS)


@pytest.mark.slow
def test_the_schema_of_a_served_document_compiles_with_both(house, version):
    (inline,) = etree.fromstring(fetch(f"{house.url}/soap/v1?{QUERIES[version]}")).iter(f"{{{XS}}}schema")
    alone = etree.tostring(inline)

    by_lxml = etree.XMLSchema(etree.fromstring(alone))
    by_xmlschema = xmlschema.XMLSchema10(alone.decode(), allow="none")
    for operation in OPERATIONS:
        assert by_lxml.validate(request(operation))
        assert by_xmlschema.is_valid(request(operation))


# What tools that import a WSDL ask for: SoapUI, and others that keep it as a file ----------------------------------


def test_a_document_needs_nothing_but_itself(description):
    """No import and no schemaLocation: an import of a relative address has no base once the document is a file."""
    assert not description.all("//wsdl:import | //xs:import | //xs:include | //xs:redefine")
    assert not description.all("//@schemaLocation/.. | //@location[not(parent::soap:address)]/..")
    assert "schemaLocation" not in description.text


def test_a_document_as_a_file_has_an_absolute_address(description):
    (address,) = description.all("//soap:address")

    assert urlsplit(address.get("location")).scheme == "http"
    assert urlsplit(address.get("location")).path == "/soap/v1"


def test_a_served_document_has_the_absolute_address_that_it_is_served_at(house, version):
    """Where no public address is configured, that of the listening server."""
    served = etree.fromstring(fetch(f"{house.url}/soap/v1?{QUERIES[version]}"))
    (address,) = served.iter(f"{{{SOAP[version]}}}address")

    assert address.get("location") == f"{house.url}/soap/v1"
