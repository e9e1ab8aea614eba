"""SendInvoice."""

import pytest

from . import cast
from .cast import INVOICE, digest, invoicing
from .house import codes
from .questions import Questions


class TestSendInvoice(Questions):
    operation = "SendInvoice"
    broken, place = "<fileName>F.pdf</fileName><content/><sha256>12</sha256>", "sha256"

    def message(self, caller):
        return {"fileName": "FAC-2026-041.pdf", "content": INVOICE}

    def send(self, caller, **said):
        return caller.call("SendInvoice", **self.message(caller) | said)

    def test_it_opens_a_record_and_keeps_the_file(self, caller):
        answer = self.send(caller, sha256=digest(INVOICE))

        assert answer.returnCode == "200 OK"
        assert answer.status in ("READY", "NEEDS_REVIEW")
        index = caller.call("GetRecord", recordNumber=answer.recordNumber, format="INDEX").recordIndex
        (document,) = index.documents.document
        assert (document.documentId, document.documentType) == (answer.documentId, "INVOICE")
        assert (document.sha256, document.sizeBytes) == (digest(INVOICE), len(INVOICE))

    def test_twice_are_two_records(self, caller):
        numbers = [self.send(caller).recordNumber for _ in range(2)]

        assert numbers[0] != numbers[1]
        assert cast.to_extract(caller) == numbers

    def test_the_same_message_twice_is_one_record(self, caller):
        first, again = (self.send(caller, messageId="M-1") for _ in range(2))

        assert (first.duplicate, again.duplicate) == (False, True)
        assert again.recordNumber == first.recordNumber
        assert cast.to_extract(caller) == [first.recordNumber]

    def test_hints_are_what_the_record_says(self, caller):
        answer = self.send(caller, hints=invoicing())

        index = caller.call("GetRecord", recordNumber=answer.recordNumber, format="INDEX").recordIndex
        assert index.invoice.invoiceNumber == "FAC-2026-041"
        assert str(index.invoice.quantity) == "7.50"

    def test_a_file_that_is_no_pdf_is_kept_and_waits_for_a_review(self, caller):
        answer = self.send(caller, content=b"Dear Sir")

        assert answer.status == "NEEDS_REVIEW"
        assert "NOT_A_PDF" in [warning.code for warning in answer.warnings.warning]
        assert caller.house.archive.read(digest(b"Dear Sir")) == b"Dear Sir"

    def test_a_file_that_was_changed_on_the_way_is_refused(self, caller):
        assert codes(self.send(caller, sha256=digest(b"another"))) == ["DIGEST_MISMATCH"]
        assert cast.to_extract(caller) == []

    def test_an_empty_file_is_refused(self, caller):
        reply = caller.post("<SendInvoice><fileName>F.pdf</fileName><content></content></SendInvoice>")

        assert reply.codes == ["EMPTY_FILE"]
        assert cast.to_extract(caller) == []

    def test_another_account_has_numbers_of_its_own(self, caller, other):
        assert self.send(caller).recordNumber == self.send(other).recordNumber
        assert len(cast.to_extract(caller)) == len(cast.to_extract(other)) == 1

    @pytest.mark.in_all_pairs
    def test_the_messages_of_the_fixtures_are_taken(self, caller):
        for case in ("request", "with-hints", "needs-review", "not-a-pdf"):
            assert caller.fixture("SendInvoice", case).ok

    @pytest.mark.slow
    def test_many_invoices_have_many_numbers_without_a_gap(self, caller):
        numbers = [self.send(caller).recordNumber for _ in range(12)]

        assert [int(number.partition("-")[2]) for number in numbers] == list(range(1, 13))

    def test_a_large_file_arrives_whole(self, caller):
        large = cast.pdf_of(3_000_000)

        self.send(caller, content=large, sha256=digest(large))

        assert caller.house.archive.read(digest(large)) == large
