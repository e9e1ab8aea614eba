import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, RectangleObject, StreamObject, TextStringObject

from paraphe import spool
from paraphe.documents import bundle
from paraphe.documents.bundle import Document, joined_pdf, zipped

WHEN = datetime(2026, 9, 14, 7, 30, 12, tzinfo=UTC)


def written(writer):
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf(*widths):
    """A PDF with an empty page of each of these widths, by which a test knows it again."""
    writer = PdfWriter()
    for width in widths or (100,):
        writer.add_blank_page(width, 200)
    return written(writer)


def document(content, file_name="FAC-2026-041.pdf", title=None):
    return Document("OTHER", title, file_name, hashlib.sha256(content).hexdigest(), WHEN, content)


def widths(content):
    return [int(page.mediabox.width) for page in PdfReader(io.BytesIO(content)).pages]


def bookmarks(content):
    reader = PdfReader(io.BytesIO(content))
    entries: list[Any] = reader.outline
    return [(entry.title, reader.get_destination_page_number(entry)) for entry in entries]


def annotations(page):
    found: Any = page["/Annots"]
    return [annotation.get_object() for annotation in found]


# One PDF -------------------------------------------------------------------------------------------------------


def test_every_page_is_joined_in_order_and_every_document_has_a_bookmark_with_its_title():
    first = document(pdf(100, 110), title="Facture n° 41")
    second = document(pdf(120), title="Feuille d'émargement")

    joined, left_out = joined_pdf([first, second])

    assert widths(joined) == [100, 110, 120]
    assert bookmarks(joined) == [("Facture n° 41", 0), ("Feuille d'émargement", 2)]
    assert left_out == []


def test_a_document_without_title_is_bookmarked_by_its_file_name():
    joined, _ = joined_pdf([document(pdf(), file_name="convention.pdf")])

    assert bookmarks(joined) == [("convention.pdf", 0)]


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

    joined, left_out = joined_pdf([document(pdf(100)), spoilt, document(pdf(120))])

    assert widths(joined) == [100, 120]
    assert left_out == [spoilt]


def test_if_nothing_can_be_joined_there_are_no_bytes():
    assert joined_pdf([document(b"no PDF")]) == (b"", [document(b"no PDF")])
    assert joined_pdf([]) == (b"", [])


def test_what_would_make_the_pdf_too_long_is_left_out(monkeypatch):
    monkeypatch.setattr(bundle, "MOST_PAGES", 3)
    long = document(pdf(130, 140), file_name="long.pdf")

    joined, left_out = joined_pdf([document(pdf(100, 110)), long, document(pdf(120))])

    assert widths(joined) == [100, 110, 120]
    assert left_out == [long]


def test_the_same_document_twice_stands_twice_in_the_pdf():
    joined, left_out = joined_pdf([document(pdf(100)), document(pdf(100))])

    assert widths(joined) == [100, 100]
    assert left_out == []


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


def test_scripts_actions_forms_and_attached_files_stay_behind():
    acting = with_everything_that_acts()
    names = (
        b"/JavaScript",
        b"/JS",
        b"/Launch",
        b"/AA",
        b"/AcroForm",
        b"/Widget",
        b"/Sig",
        b"/EmbeddedFile",
        b"/Next",
        b"/OpenAction",
    )
    assert all(name in acting for name in names)

    joined, left_out = joined_pdf([document(acting)])

    assert left_out == []
    assert [name for name in names if name in joined] == []


def test_what_a_form_field_shows_and_what_a_web_link_leads_to_stay():
    joined, _ = joined_pdf([document(with_everything_that_acts())])

    field, link = annotations(PdfReader(io.BytesIO(bytes(joined))).pages[0])
    assert field["/AP"]["/N"].get_data().endswith(b"% the look of the field")
    assert link["/A"] == {"/S": "/URI", "/URI": "https://centre.example/"}


def test_the_same_documents_give_the_same_pdf():
    documents = [document(with_everything_that_acts()), document(pdf(100, 110), title="Convention")]

    assert joined_pdf(documents) == joined_pdf(documents)


# One ZIP -------------------------------------------------------------------------------------------------------


def opened(content):
    return zipfile.ZipFile(io.BytesIO(content))


def manifest_of(content):
    return json.loads(opened(content).read("manifest.json"))


def test_a_zip_holds_every_document_byte_for_byte_and_a_manifest_that_describes_it():
    invoice = document(pdf(100), file_name="FAC-2026-041.pdf", title="Facture n° 41")

    archive = zipped([invoice], {"recordNumber": "2026-000041", "version": 3}, WHEN)

    assert opened(archive).read("01-FAC-2026-041.pdf") == invoice.content
    assert manifest_of(archive) == {
        "recordNumber": "2026-000041",
        "version": 3,
        "documents": [
            {
                "path": "01-FAC-2026-041.pdf",
                "documentType": "OTHER",
                "title": "Facture n° 41",
                "fileName": "FAC-2026-041.pdf",
                "sizeBytes": len(invoice.content),
                "sha256": invoice.sha256,
                "createdOn": "2026-09-14T07:30:12Z",
            }
        ],
    }


def test_a_zip_without_documents_holds_the_manifest_alone():
    archive = zipped([], {"recordNumber": "2026-000041"}, WHEN)

    assert opened(archive).namelist() == ["manifest.json"]
    assert manifest_of(archive)["documents"] == []


def test_the_same_documents_give_the_same_zip():
    documents = [document(pdf(100)), document(pdf(110))]

    assert zipped(documents, {"version": 1}, WHEN) == zipped(documents, {"version": 1}, WHEN)


@pytest.mark.parametrize(
    ("file_name", "path"),
    [
        ("Convention été 2026.pdf", "01-Convention-ete-2026.pdf"),
        ("../../etc/passwd", "01-etc-passwd.pdf"),
        ("..", "01-document.pdf"),
        ("con", "01-con.pdf"),
        ("C:\\facture.pdf", "01-C-facture.pdf"),
        ("合同.pdf", "01-document.pdf"),
        ("a\u202efdp.exe", "01-afdp.pdf"),
        ("x" * 255, f"01-{'x' * 80}.pdf"),
        (".pdf", "01-document.pdf"),
    ],
)
def test_a_name_inside_a_zip_can_be_unpacked_everywhere(file_name, path):
    archive = zipped([document(pdf(), file_name=file_name)], {}, WHEN)

    assert opened(archive).namelist() == ["manifest.json", path]
    assert manifest_of(archive)["documents"][0]["fileName"] == file_name


def test_a_file_that_is_no_pdf_is_not_named_like_one():
    archive = zipped([document(b"PK\3\4", file_name="facture.docx"), document(b"GIF89a", file_name="scan")], {}, WHEN)

    assert opened(archive).namelist()[1:] == ["01-facture.docx", "02-scan.bin"]


def test_two_files_of_one_name_are_two_files_in_a_zip():
    archive = zipped([document(pdf(100)), document(pdf(110))], {}, WHEN)

    assert opened(archive).namelist()[1:] == ["01-FAC-2026-041.pdf", "02-FAC-2026-041.pdf"]


def test_the_times_in_a_zip_are_those_at_which_the_documents_joined_the_record():
    (manifest, invoice) = opened(zipped([document(pdf())], {}, WHEN.replace(hour=9))).infolist()

    assert manifest.date_time == (2026, 9, 14, 9, 30, 12)
    assert invoice.date_time == (2026, 9, 14, 7, 30, 12)


# Large documents -----------------------------------------------------------------------------------------------


@pytest.fixture
def scan():
    """A PDF of more than a file may have that is kept in memory, and the same one in a file."""
    writer = PdfWriter()
    page = writer.add_blank_page(300, 200)
    picture = StreamObject()
    picture._data = bytes(range(256)) * (spool.LARGE // 200)
    page[NameObject("/Scan")] = writer._add_object(picture)
    content = written(writer)
    return document(content), replace(document(content), content=spool.spooled([content], spool.nameless()))


@pytest.mark.parametrize("make", [lambda some: zipped(some, {}, WHEN), lambda some: joined_pdf(some)[0]])
def test_documents_in_files_give_the_same_bytes(scan, make):
    in_memory, in_file = scan
    small = document(pdf(100))

    made = make([small, in_file])

    assert isinstance(made, spool.InFile)
    assert bytes(made) == bytes(make([small, in_memory]))
    assert len(made) > len(in_memory.content)
