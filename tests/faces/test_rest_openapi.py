"""The OpenAPI document and its page: valid, complete, and true to the schema and the fixtures."""

import re
from html.parser import HTMLParser
from importlib import import_module

import pytest
import requests
from openapi_spec_validator import validate

from paraphe import contract
from paraphe.contract import Complex

from ..soap.house import FIXTURES, PATIENCE
from .plain import as_json, fixture, one_database, openapi, validator

pytestmark = one_database
NOT_SCHEMA = re.compile("answer|invalid|keep-valid")
CASES = sorted((path.parent.name, path.stem) for path in FIXTURES.glob("*/*.xml") if not NOT_SCHEMA.search(path.stem))


@pytest.fixture
def document(house):
    return openapi(house.url)


def test_the_document_is_a_valid_one(document):
    validate(document)


def test_every_operation_and_every_type_is_in_it(document):
    assert list(document["paths"]) == [f"/{name}" for name in contract.operations()]
    schemas = document["components"]["schemas"]
    arrays = {kind.name for kind in contract.types().values() if isinstance(kind, Complex) and kind.item}
    unused = {"Credentials"}
    assert set(schemas) == (set(contract.types()) | set(contract.operations())) - arrays - unused


def test_every_member_has_its_meaning(document):
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        for member, inside in schema.get("properties", {}).items():
            assert inside["description"], f"{name}.{member}"


def test_every_reference_leads_somewhere_and_every_pattern_compiles(document):
    def look(value):
        if isinstance(value, dict):
            if "$ref" in value:
                kind, name = value["$ref"].removeprefix("#/components/").split("/")
                assert name in document["components"][kind]
            if isinstance(value.get("pattern"), str):
                assert re.compile(value["pattern"])
            value = list(value.values())
        for inside in value if isinstance(value, list) else ():
            look(inside)

    look(document)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_requests_of_the_fixtures_follow_it(house, name, case):
    message = as_json(fixture(name, case), contract.operations()[name].request)

    validator(name, house.url)(_plain(message))


def test_the_examples_follow_it(house, document):
    for item in document["paths"].values():
        post = item["post"]
        for content in (post["requestBody"]["content"], post["responses"]["200"]["content"]):
            example = content["application/json"]["example"]
            name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
            validator(name, house.url)(example)


@pytest.mark.parametrize(
    "item",
    [
        {"reference": ""},
        {"reference": "x" * 65},
        {"civility": "MLLE"},
        {"email": "a(at)b"},
        {"nonsense": 1},
        {"lastName": 1},
        {"groups": {"reference": []}},
        {"address": {"country": "france"}},
        {"requiredSignature": "true"},
    ],
)
def test_what_it_forbids_is_refused_by_the_server(house, caller, item):
    message = {"students": [{"reference": "S1", "lastName": "A", "firstName": "B"} | item]}

    with pytest.raises(import_module("jsonschema").ValidationError):
        validator("SyncStudents", house.url)(message)
    assert caller.json("SyncStudents", message).status == 422


def test_the_servers_address_is_the_public_one(house, document):
    assert document["servers"] == [{"url": f"{house.url}/api/v1"}]


class _Page(HTMLParser):
    """Collects what a page loads, where its links lead, and what has a name."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.names = set(), [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in ("src", "style")
            if name == "href":
                self.links.append(value)
            if name == "id":
                self.names.add(value)


def test_the_page_shows_everything_and_loads_nothing(house):
    response = requests.get(f"{house.url}/api/v1/", timeout=PATIENCE)
    page = _Page()
    page.feed(response.text)

    assert page.names >= set(openapi(house.url)["components"]["schemas"])
    assert {link for link in page.links if link.startswith("#")} <= {f"#{name}" for name in page.names}
    assert [link for link in page.links if not link.startswith("#")] == ["data:,", "openapi.json"]
    assert not page.tags & {"script", "img", "iframe", "form"}


def test_the_page_may_use_its_own_style_and_nothing_else(house):
    response = requests.get(f"{house.url}/api/v1/", timeout=PATIENCE)

    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "; frame-ancestors 'none'; style-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def _plain(value):
    """Decimals as numbers."""
    if isinstance(value, dict):
        return {name: _plain(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [_plain(inside) for inside in value]
    return value if isinstance(value, (str, int, bool)) else float(value)
