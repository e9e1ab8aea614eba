"""The WSDL is public, and names the configured address whatever a request says."""

import pytest
import requests
from lxml import etree

from paraphe import contract

from .conftest import opened

PUBLIC = "https://exchange.centre.example/paraphe"
DOCUMENTS = {"wsdl": "http://schemas.xmlsoap.org/wsdl/soap/", "wsdl12": "http://schemas.xmlsoap.org/wsdl/soap12/"}


@pytest.fixture(scope="module")
def proxied(houses):
    """A server that is told its public address."""
    house = houses("sqlite")
    with opened(house.kind, house.database, house.folder, public_url=PUBLIC) as server:
        yield server


def get(house, query, **options):
    return requests.get(f"{house.url}/soap/v1?{query}", timeout=30, **options)


@pytest.mark.parametrize("query", DOCUMENTS)
def test_it_is_public(house, query):
    response = get(house, query)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize("query", DOCUMENTS)
@pytest.mark.parametrize("host", ["evil.example", "localhost", "[::1]:99"])
def test_it_names_the_configured_address_whatever_the_host_header(proxied, query, host):
    forged = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "ftp"}

    (address,) = etree.fromstring(get(proxied, query, headers=forged).content).iter(f"{{{DOCUMENTS[query]}}}address")

    assert address.get("location") == f"{PUBLIC}/soap/v1"


def test_addresses_of_records_begin_with_it_too(proxied):
    caller = proxied.account()
    reply = caller.fixture("SendInvoicingInfo")
    listed = caller.post("<GetRecordList/>", headers={"Host": "evil.example"})

    assert reply.ok
    assert (listed.text("records/recordIndex/zipUrl") or "").startswith(f"{PUBLIC}/records/")


def test_each_document_has_one_version_only(house):
    for query, namespace in DOCUMENTS.items():
        other = next(each for each in DOCUMENTS.values() if each != namespace)
        content = get(house, query).text

        assert f'"{namespace}"' in content
        assert f'"{other}"' not in content


@pytest.mark.parametrize("query", ["WSDL", "Wsdl", "wsdl=", "wsdl=1"])
def test_it_is_found_however_the_query_is_written(house, query):
    assert get(house, query).content == get(house, "wsdl").content


def test_a_head_request_is_answered_without_body(house):
    response = requests.head(f"{house.url}/soap/v1?wsdl", timeout=30)

    assert response.status_code == 200
    assert response.headers["Content-Length"] == get(house, "wsdl").headers["Content-Length"]
    assert response.content == b""


@pytest.mark.parametrize("name", contract.FILES)
def test_the_files_of_the_schema_are_public_too(house, name):
    response = requests.get(f"{house.url}/xsd/v1/{name}.xsd", timeout=30)

    assert response.content == contract.source(f"{name}.xsd")


@pytest.mark.parametrize("path", ["/nothing", "/soap/v2?wsdl", "/xsd/v1/../messages.xsd", "/soap/v1/"])
def test_there_is_nothing_anywhere_else(house, path):
    assert requests.get(house.url + path, timeout=30).status_code == 404


def test_a_get_of_the_address_alone_says_what_to_do(house):
    response = requests.get(f"{house.url}/soap/v1", timeout=30)

    assert response.status_code == 405
    assert "?wsdl" in response.text
