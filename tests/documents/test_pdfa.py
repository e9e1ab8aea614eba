"""Every paper bears the marks of PDF/A-3b and is tagged. veraPDF would prove more; these are the structural ones."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any

import pytest
from lxml import etree
from pypdf import PdfReader

from paraphe import preview
from paraphe.documents.papers import Paper

KINDS = ("certificate", "attestation", "week", "statement", "cover")
IDENTIFICATION = "{http://www.aiim.org/pdfa/ns/id/}"


@pytest.fixture(scope="module")
def made() -> dict[str, Paper]:
    """The papers of the fictional centre."""
    return dict(zip(KINDS, preview.sample_papers(preview.sample()), strict=True))


@pytest.fixture(params=KINDS)
def paper(request: pytest.FixtureRequest, made: dict[str, Paper]) -> Paper:
    """Each of them in turn."""
    return made[request.param]


@pytest.fixture
def reader(paper: Paper) -> PdfReader:
    """The same, read again."""
    return PdfReader(io.BytesIO(paper.content), strict=True)


def fonts(resources: Any) -> Iterator[Any]:
    """Every font in use on a page, in forms too."""
    for font in resources.get("/Font", {}).values():
        yield font.get_object()
    for drawn in resources.get("/XObject", {}).values():
        yield from fonts(drawn.get_object().get("/Resources", {}))


def test_the_metadata_claims_pdf_a_3b_and_repeats_the_title(paper, reader):
    xmp = etree.fromstring(reader.root_object["/Metadata"].get_object().get_data())
    texts = {element.tag: (element.text or "").strip() for element in xmp.iter() if isinstance(element.tag, str)}
    given = {name: value for element in xmp.iter() for name, value in element.attrib.items()}

    assert (texts | given)[f"{IDENTIFICATION}part"] == "3"
    assert (texts | given)[f"{IDENTIFICATION}conformance"] == "B"
    assert paper.title in "".join(xmp.xpath("string(//*[local-name() = 'title'])"))


def test_there_is_an_output_intent_with_a_colour_profile(reader):
    intents = [each.get_object() for each in reader.root_object["/OutputIntents"]]

    assert [each["/S"] for each in intents] == ["/GTS_PDFA1"]
    assert intents[0]["/DestOutputProfile"].get_object().get_data()[36:40] == b"acsp"


def test_every_font_is_embedded_and_can_be_read_as_text(reader):
    found = [font for page in reader.pages for font in fonts(page["/Resources"])]

    assert found
    for font in found:
        assert "/ToUnicode" in font
        (inner,) = font["/DescendantFonts"]
        descriptor = inner.get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)
        assert re.fullmatch(r"/[A-Z]{6}\+NotoSans-(Regular|Bold)", descriptor["/FontName"])


def test_nothing_that_pdf_a_forbids_is_in_it(paper, reader):
    assert not reader.is_encrypted
    assert re.search(rb"/ID\s*\[", paper.content)
    for forbidden in (b"/JavaScript", b"/Launch", b"/AA", b"/Movie", b"/Sound", b"/LZWDecode"):
        assert not re.search(forbidden + rb"\b", paper.content)


def test_it_is_tagged_with_title_and_language(paper, reader):
    root = reader.root_object

    assert root["/Lang"] == "fr-FR"
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert reader.metadata.title == paper.title
    assert reader.metadata.author == "Centre Erdre & Sillon"


def test_headings_tables_and_pictures_are_structure_and_pictures_are_described(paper, reader):
    elements = [
        each
        for number in range(1, len(reader.xref[0]) + 1)
        if isinstance(each := reader.get_object(number), dict) and each.get("/Type") == "/StructElem"
    ]
    kinds = {each["/S"] for each in elements}

    assert "/H1" in kinds
    if paper.document_type != "COMPLETION_CERTIFICATE":
        assert {"/Table", "/THead", "/TH", "/TD"} <= kinds
    assert all(each.get("/Alt") for each in elements if each["/S"] == "/Figure")


def test_the_date_of_the_file_is_the_moment_that_was_given(reader):
    assert reader.metadata.creation_date.astimezone(timezone(timedelta(hours=2))).isoformat() == (
        "2026-09-21T10:30:00+02:00"
    )
