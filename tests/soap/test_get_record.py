"""GetRecord."""

import io
import json
import zipfile
from typing import Any

import pytest
from pypdf import PdfReader

from . import cast
from .cast import AGREEMENT, INVOICE, digest
from .house import codes
from .questions import Questions


def pages(content):
    return len(PdfReader(io.BytesIO(content)).pages)


class TestGetRecord(Questions):
    operation = "GetRecord"
    broken, place = "<recordNumber>1</recordNumber><format>DOCX</format>", "format"

    def message(self, caller):
        return {"recordNumber": cast.open_with_pdf(caller), "format": "PDF"}

    def complete(self, caller):
        """A record with an invoice and an agreement."""
        number = cast.open_with_pdf(caller)
        file = {"fileName": "CONV-2026-018.pdf", "content": AGREEMENT}
        caller.call("AddSimpleDocument", recordNumber=number, documentType="AGREEMENT", title="Convention", **file)
        return number

    def test_a_pdf_holds_every_document(self, caller):
        answer = caller.call("GetRecord", recordNumber=self.complete(caller), format="PDF")

        assert answer.returnCode == "200 OK"
        assert answer.fileName == f"{answer.recordIndex.recordNumber}.pdf"
        assert pages(answer.content) == 1 + pages(INVOICE) + pages(AGREEMENT)  # and a cover

    def test_a_zip_holds_every_document_as_it_is_and_a_manifest(self, caller):
        answer = caller.call("GetRecord", recordNumber=self.complete(caller), format="ZIP")

        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        assert {digest(INVOICE), digest(AGREEMENT)} <= {digest(content) for content in files.values()}
        manifest = next(json.loads(content) for name, content in files.items() if name.endswith(".json"))
        assert manifest["recordNumber"] == answer.recordIndex.recordNumber

    def test_the_index_has_every_document_with_its_address_and_no_content(self, caller):
        answer = caller.call("GetRecord", recordNumber=self.complete(caller), format="INDEX")

        assert answer.content is None
        index = answer.recordIndex
        assert [document.sha256 for document in index.documents.document] == [digest(INVOICE), digest(AGREEMENT)]
        assert (index.documentCount, index.sizeBytes) == (2, len(INVOICE) + len(AGREEMENT))
        addresses = [index.pdfUrl, index.zipUrl, *(document.url for document in index.documents.document)]
        assert all(address.startswith(caller.house.url) for address in addresses)

    def test_without_content_there_are_the_addresses_only(self, caller):
        number = self.complete(caller)

        answer = caller.call("GetRecord", recordNumber=number, format="PDF", includeContent=False)

        assert answer.content is None
        assert answer.recordIndex.pdfUrl
        assert cast.to_extract(caller) == [number]

    @pytest.mark.parametrize("format_", ["PDF", "ZIP"])
    def test_twice_gives_the_same_bytes(self, caller, format_):
        number = self.complete(caller)

        first, second = (caller.call("GetRecord", recordNumber=number, format=format_) for _ in range(2))

        assert first.content == second.content

    def test_a_record_of_another_account_is_unknown(self, caller, other):
        number = self.complete(caller)

        assert codes(other.call("GetRecord", recordNumber=number, format="INDEX")) == ["UNKNOWN_RECORD"]

    def test_an_empty_record_has_no_pdf_but_a_zip(self, caller):
        number = cast.open_record(caller)

        assert codes(caller.call("GetRecord", recordNumber=number, format="PDF")) == ["RECORD_WITHOUT_DOCUMENT"]
        assert caller.call("GetRecord", recordNumber=number, format="ZIP").content

    @pytest.mark.in_all_pairs
    def test_the_messages_of_the_fixtures_are_answered(self, caller):
        number = cast.open_with_pdf(caller)

        for case in ("request", "index", "pdf", "zip"):
            assert caller.fixture("GetRecord", case, recordNumber=number).ok
        assert caller.fixture("GetRecord", "unknown-record").codes == ["UNKNOWN_RECORD"]

    @pytest.mark.slow
    def test_many_documents_are_given_together(self, caller):
        number = cast.open_with_pdf(caller)
        for _ in range(15):
            caller.call("AddSimpleInvoice", recordNumber=number, fileName="F.pdf", content=INVOICE)

        answer = caller.call("GetRecord", recordNumber=number, format="PDF")

        whole = PdfReader(io.BytesIO(answer.content))
        entries: list[Any] = whole.outline
        documents = entries[1:]  # behind the cover, which has two pages for so many
        assert len(documents) == 16
        assert len(whole.pages) == whole.get_destination_page_number(documents[0]) + 16 * pages(INVOICE)
