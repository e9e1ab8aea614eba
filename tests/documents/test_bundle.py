import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject

from paraphe import spool
from paraphe.documents.bundle import Document, zipped

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


def test_documents_in_files_give_the_same_bytes(scan):
    in_memory, in_file = scan
    small = document(pdf(100))

    made = zipped([small, in_file], {}, WHEN)

    assert isinstance(made, spool.InFile)
    assert bytes(made) == bytes(zipped([small, in_memory], {}, WHEN))
    assert len(made) > len(in_memory.content)
