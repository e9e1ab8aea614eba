"""All of a record in one PDF: every page under its bookmark, signed documents untouched inside, nothing that acts."""

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, RectangleObject, StreamObject, TextStringObject

from paraphe import spool
from paraphe.apart import Limits
from paraphe.documents import joined
from paraphe.documents.bundle import Document
from paraphe.documents.joined import NotJoined, joined_pdf

from .acting import active_content
from .sealing import made as paper
from .sealing import pdfsig, sealed, statuses
from .test_bundle import document, pdf, written

COVER = pdf(595)


def reader(made):
    return PdfReader(io.BytesIO(bytes(made.content)))


def widths(made):
    """The widths of all pages but the cover."""
    first, *others = (int(page.mediabox.width) for page in reader(made).pages)
    assert first == 595
    return others


def bookmarks(made):
    found = reader(made)
    entries: list[Any] = found.outline
    return [(entry.title, found.get_destination_page_number(entry)) for entry in entries]


def annotations(page):
    found: Any = page["/Annots"]
    return [annotation.get_object() for annotation in found]


def test_every_page_is_joined_in_order_and_every_document_has_a_bookmark_with_its_title():
    first = document(pdf(100, 110), title="Facture n° 41")
    second = document(pdf(120), title="Feuille d'émargement")

    made = joined_pdf(COVER, [first, second], "Dossier 7")

    assert widths(made) == [100, 110, 120]
    assert bookmarks(made) == [("Dossier 7", 0), ("Facture n° 41", 1), ("Feuille d'émargement", 3)]
    assert made.left_out == []


def test_a_document_without_title_is_bookmarked_by_its_file_name():
    made = joined_pdf(COVER, [document(pdf(), file_name="convention.pdf")], "Dossier")

    assert bookmarks(made)[1:] == [("convention.pdf", 1)]


def encrypted():
    writer = PdfWriter(clone_from=io.BytesIO(pdf()))
    writer.encrypt(user_password="", owner_password="owner", algorithm="RC4-128")
    return written(writer)


def raw(*objects):
    """A PDF of these objects, the first of which is the catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + table + trailer


CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
DEEP = b"[" * 30_000 + b"]" * 30_000
SPOILT = {
    "no PDF": b"PK\x03\x04 a word processor's file",
    "empty": b"",
    "a header only": b"%PDF-1.7\n" + b"\0" * 20_000,
    "cut off": pdf()[:-200],
    "encrypted": encrypted(),
    "without pages": raw(CATALOGUE, b"<< /Type /Pages /Kids [] /Count 0 >>"),
    "pages that hold themselves": raw(CATALOGUE, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"),
    "annotations that are none": raw(CATALOGUE, PAGES, b"<< /Type /Page /Parent 2 0 R /Annots [1 2 3] >>"),
    "nested without end": raw(CATALOGUE, PAGES, b"<< /Type /Page /Parent 2 0 R /Annots " + DEEP + b" >>"),
    "a page repeated endlessly": raw(
        CATALOGUE, b"<< /Type /Pages /Kids [" + b"3 0 R " * 3000 + b"] /Count 3000 >>", b"<< /Type /Page >>"
    ),
}


@pytest.mark.parametrize("content", SPOILT.values(), ids=SPOILT)
def test_what_cannot_be_joined_is_left_out_and_named_and_the_rest_is_joined(content):
    spoilt = document(content, file_name="spoilt.pdf")

    made = joined_pdf(COVER, [document(pdf(100)), spoilt, document(pdf(120))], "Dossier")

    assert (widths(made), made.left_out) == ([100, 120], [spoilt])


def test_if_nothing_can_be_joined_there_is_the_cover_alone():
    spoilt = document(b"no PDF")

    made = joined_pdf(COVER, [spoilt], "Dossier")

    assert (widths(made), made.left_out) == ([], [spoilt])


def test_what_would_make_the_pdf_too_long_is_left_out():
    long = document(pdf(130, 140), file_name="long.pdf")

    made = joined_pdf(COVER, [document(pdf(100, 110)), long, document(pdf(120))], "Dossier", most_pages=4)

    assert (widths(made), made.left_out) == ([100, 110, 120], [long])


def test_the_same_document_twice_stands_twice_in_the_pdf():
    made = joined_pdf(COVER, [document(pdf(100)), document(pdf(100))], "Dossier")

    assert (widths(made), made.left_out) == ([100, 100], [])


def script(code=b"app.alert(1)"):
    return DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(code)})


def launch():
    return DictionaryObject({NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("calc.exe")})


def with_everything_that_acts():
    """A PDF that runs, opens, attaches and asks for whatever a PDF can; with a form field that looks like a cross."""
    writer = PdfWriter()
    page = writer.add_blank_page(100, 200)
    writer.root_object[NameObject("/OpenAction")] = script()
    writer.add_attachment("virus.exe", b"MZ")
    page[NameObject("/AA")] = DictionaryObject({NameObject("/O"): launch()})
    look = StreamObject()
    look.set_data(b"0 0 m 9 9 l S % the look of the field")
    look.update({NameObject("/Subtype"): NameObject("/Form"), NameObject("/BBox"): RectangleObject((0, 0, 9, 9))})
    field = {
        "/Type": NameObject("/Annot"),
        "/Subtype": NameObject("/Widget"),
        "/FT": NameObject("/Sig"),
        "/T": TextStringObject("signature"),
        "/Rect": RectangleObject((10, 10, 19, 19)),
        "/AP": DictionaryObject({NameObject("/N"): writer._add_object(look)}),
        "/A": script(),
        "/AA": DictionaryObject({NameObject("/E"): launch()}),
    }
    widget = writer._add_object(DictionaryObject({NameObject(key): value for key, value in field.items()}))
    page[NameObject("/Annots")] = ArrayObject([widget])
    form = DictionaryObject({NameObject("/Fields"): ArrayObject([widget])})
    writer.root_object[NameObject("/AcroForm")] = form
    writer.add_annotation(0, Link(rect=(1, 1, 9, 9), url="https://centre.example/"))
    annotations(page)[-1]["/A"][NameObject("/Next")] = launch()
    return written(writer)


def test_what_a_form_field_shows_and_what_a_web_link_leads_to_stay():
    made = joined_pdf(COVER, [document(with_everything_that_acts())], "Dossier")

    field, link = annotations(reader(made).pages[1])
    assert field["/AP"]["/N"].get_data().endswith(b"% the look of the field")
    assert link["/A"] == {"/S": "/URI", "/URI": "https://centre.example/"}


def test_the_same_documents_give_the_same_pdf():
    documents = [document(with_everything_that_acts()), document(pdf(100, 110), title="Convention")]

    once, again = (bytes(joined_pdf(COVER, documents, "Dossier").content) for _ in range(2))
    assert once == again


# Nothing that acts ---------------------------------------------------------------------------------------------

ACTIONS = [
    *("JavaScript", "Launch", "SubmitForm", "ImportData", "ResetForm", "Hide", "Named", "GoToR", "GoToE", "Thread"),
    *("Sound", "Movie", "Rendition", "SetOCGState", "Trans", "GoTo3DView", "RichMediaExecute"),
]


def action(kind):
    return DictionaryObject({NameObject("/S"): NameObject(f"/{kind}"), NameObject("/JS"): TextStringObject("x")})


def with_actions_everywhere():
    """A PDF with each kind of action on a link, one after a link, in the look of a stamp, in fonts and in pages."""
    writer = PdfWriter()
    for kind in ACTIONS:
        page = writer.add_blank_page(100, 200)
        writer.add_annotation(page, Link(rect=(1, 1, 9, 9), url="https://centre.example/"))
        link = annotations(page)[-1]
        link[NameObject("/A")] = action(kind)
        link[NameObject("/PA")] = action(kind)
        link[NameObject("/Parent")] = writer._add_object(DictionaryObject({NameObject("/AA"): action(kind)}))
        writer.add_annotation(page, Link(rect=(1, 1, 9, 9), url="https://centre.example/"))
        annotations(page)[-1]["/A"][NameObject("/Next")] = ArrayObject([action(kind)])
        resources = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F1"): action(kind)})})
        page[NameObject("/Resources")] = resources
        page[NameObject("/PieceInfo")] = action(kind)
        page[NameObject("/AA")] = DictionaryObject({NameObject("/O"): action(kind)})
    writer.root_object[NameObject("/OpenAction")] = script()
    writer.root_object[NameObject("/Names")] = DictionaryObject({NameObject("/JavaScript"): script()})
    return written(writer)


@pytest.mark.parametrize("acting", [with_everything_that_acts, with_actions_everywhere])
def test_nothing_that_acts_is_in_any_object_of_the_pdf(acting):
    content = acting()
    assert active_content(PdfReader(io.BytesIO(content)))

    made = joined_pdf(COVER, [document(content)], "Dossier")

    assert made.left_out == []
    assert active_content(reader(made)) == []
    assert reader(made).attachments == {}


def test_the_walk_through_the_objects_finds_what_is_hidden_in_them():
    writer = PdfWriter()
    page = writer.add_blank_page(100, 200)
    hidden = DictionaryObject({NameObject("/Deep"): ArrayObject([action("Launch")])})
    page[NameObject("/Unknown")] = writer._add_object(hidden)

    assert active_content(PdfReader(io.BytesIO(written(writer)))) == ["/S /Launch", "/JS"]


# Signed documents ----------------------------------------------------------------------------------------------


def test_signed_documents_are_inside_byte_for_byte_and_others_are_not(credential):
    signed = sealed(paper(), credential).content
    other = sealed(
        paper(b'#set document(title: "Avenant", date: datetime(year: 2026, month: 1, day: 1))\nAvenant'), credential
    ).content
    documents = [document(pdf(100)), document(signed, "Facture été.pdf"), document(other, title="Avenant")]

    made = joined_pdf(COVER, documents, "Dossier")

    assert reader(made).attachments == {"02-Facture-ete.pdf": [signed], "03-FAC-2026-041.pdf": [other]}
    catalogue: Any = reader(made).root_object
    assert [each.get_object()["/AFRelationship"] for each in catalogue["/AF"]] == ["/Source"] * 2
    assert hashlib.sha256(signed).hexdigest() in catalogue["/AF"][0].get_object()["/Desc"]


def test_what_is_inside_still_validates_and_so_does_the_whole_once_it_is_sealed(credential, tmp_path, tsa):
    signed = sealed(paper(), credential).content
    made = joined_pdf(COVER, [document(signed)], "Dossier")

    whole = sealed(made.content, credential).content

    assert isinstance(whole, spool.InFile)
    (status,) = statuses(bytes(whole), tsa.issuer.certificate)
    assert status.bottom_line
    said = pdfsig(tmp_path, bytes(whole), tsa.issuer.certificate)
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    (inside,) = PdfReader(io.BytesIO(bytes(whole))).attachments["01-FAC-2026-041.pdf"]
    (status,) = statuses(inside, tsa.issuer.certificate)
    assert status.bottom_line


# Processes -----------------------------------------------------------------------------------------------------


def test_a_document_that_kills_the_process_is_left_out_and_the_rest_is_joined(monkeypatch):
    spoilt = document(pdf(66), file_name="spoilt.pdf")
    apart = joined._apart

    def dying(cover, documents, *more):
        if spoilt in documents:
            raise NotJoined
        return apart(cover, documents, *more)

    monkeypatch.setattr(joined, "_apart", dying)

    made = joined_pdf(COVER, [document(pdf(100)), spoilt, document(pdf(120))], "Dossier")

    assert (widths(made), made.left_out) == ([100, 120], [spoilt])


def test_what_takes_too_much_time_ends_with_its_process():
    with pytest.raises(NotJoined):
        joined._apart(COVER, [document(pdf(100))] * 300, "Dossier", 1000, Limits(seconds=0.01))


@pytest.mark.slow
def test_large_documents_are_embedded_without_having_them_in_the_memory_of_the_server(credential):
    large = bytes(range(256)) * 40_000
    content = sealed(paper() + b"%" + large.replace(b"\n", b"\r").replace(b"\r", b" "), credential, foreign=False)
    in_file = spool.spooled([bytes(content.content)], spool.nameless())
    given = Document("OTHER", None, "scan.pdf", "ab" * 32, datetime(2026, 9, 14, tzinfo=UTC), in_file)

    made = joined_pdf(COVER, [given], "Dossier")

    assert len(made.content) > len(large)
    assert reader(made).attachments == {"01-scan.pdf": [bytes(in_file)]}
