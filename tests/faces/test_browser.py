"""What a person sees who opens an address in a browser: shown as it is meant, and nothing in the console."""

import pytest
import requests

from ..soap.house import PATIENCE
from .browser import NAMES, PROGRAM, browsing
from .plain import one_database

pytestmark = [
    one_database,
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason=f"no browser is installed: none of {', '.join(NAMES)}"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/", "/api/v1/openapi.json", "/soap/v1?wsdl", "/xsd/v1/common.xsd", "/"]
)
def test_a_document_is_shown_without_a_complaint(house, browser, path):
    assert browser.open(house.url + path) == []


def test_the_page_has_its_style_and_loads_nothing_else(house, browser):
    assert browser.open(f"{house.url}/api/v1/") == []

    assert browser.value("getComputedStyle(document.body).maxWidth") == "960px"
    assert browser.value("performance.getEntriesByType('resource').length") == 0


def test_every_link_of_the_page_leads_somewhere(house, browser):
    browser.open(f"{house.url}/api/v1/")

    broken = """[...document.querySelectorAll('a[href^="#"]')]
        .filter(link => !document.getElementById(link.hash.slice(1))).map(link => link.hash)"""
    assert browser.value(broken) == []
    others = '[...document.querySelectorAll("a:not([href^=\\"#\\"])")].map(link => link.href)'
    for address in browser.value(others):
        assert requests.get(address, timeout=PATIENCE).status_code == 200


def test_an_example_opens_by_a_click(house, browser):
    browser.open(f"{house.url}/api/v1/")
    seen = "document.querySelector('details pre').checkVisibility()"

    assert browser.value(seen) is False
    browser.value("document.querySelector('details summary').click()")
    assert browser.value(seen) is True


def test_a_schema_in_the_browser_shows_its_tags(house, browser):
    browser.open(f"{house.url}/soap/v1?wsdl")

    assert "<wsdl:definitions" in browser.value("document.documentElement.innerText")


def test_a_script_that_got_into_the_page_would_not_run(house, browser):
    browser.open(f"{house.url}/api/v1/")

    browser.value("""
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = true">');
    """)

    assert browser.value("window.ran") is None
    assert any("Content Security Policy" in said for said in browser.complaints)


def test_a_page_of_another_site_can_neither_read_an_answer_nor_frame_it(house, browser):
    # This page has no policy of its own, so it is the answer that forbids it.
    browser.open("data:text/html,<title>elsewhere</title>")

    asked = f"fetch('{house.url}/api/v1/openapi.json').then(() => 'read', () => 'refused')"
    assert browser.value(asked) == "refused"
    framed = f"""new Promise(done => {{
        const frame = document.createElement('iframe');
        frame.onload = () => done(frame.contentDocument === null ? 'foreign' : 'own');
        frame.src = '{house.url}/api/v1/';
        document.body.append(frame);
    }})"""
    browser.value(framed)
    assert any("frame" in said.lower() for said in browser.complaints)
