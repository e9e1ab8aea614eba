"""The questions that AddSimpleInvoice and AddSimpleDocument answer alike."""

from typing import Any

import pytest

from . import cast
from .cast import AGREEMENT, digest
from .house import Caller, codes
from .questions import Questions


class DocumentQuestions(Questions):
    broken, place = "<recordNumber>1</recordNumber><content>JVBERi0=</content>", "content"
    document_type = ""
    #: What the operation needs besides the record and the file, by hand and through zeep.
    more: dict[str, Any]
    before_file = ""

    def message(self, caller: Caller) -> dict[str, Any]:
        return {"recordNumber": cast.open_record(caller)} | self.file()

    def file(self, content: bytes = AGREEMENT) -> dict[str, Any]:
        return {"fileName": "CONV-2026-018.pdf", "content": content} | self.more

    def documents(self, caller: Caller, number: str) -> list[Any]:
        index = caller.call("GetRecord", recordNumber=number, format="INDEX").recordIndex
        return list(index.documents.document) if index.documents else []

    def test_it_adds_the_file_to_the_record_and_archives_it(self, caller: Caller) -> None:
        message = self.message(caller)

        answer = caller.call(self.operation, **message, sha256=digest(AGREEMENT))

        assert answer.returnCode == "200 OK"
        assert (answer.sha256, answer.sizeBytes) == (digest(AGREEMENT), len(AGREEMENT))
        (document,) = self.documents(caller, message["recordNumber"])
        assert (document.documentId, document.documentType) == (answer.documentId, self.document_type)
        assert caller.house.archive.read(digest(AGREEMENT)) == AGREEMENT

    def test_it_raises_the_version_so_that_the_record_is_to_be_extracted_again(self, caller: Caller) -> None:
        message = self.message(caller)
        caller.call("AcknowledgeRecords", recordNumbers={"recordNumber": [message["recordNumber"]]})
        assert cast.to_extract(caller) == []

        caller.call(self.operation, **message)

        assert cast.to_extract(caller) == [message["recordNumber"]]

    def test_twice_are_two_documents(self, caller: Caller) -> None:
        message = self.message(caller)

        first, second = (caller.call(self.operation, **message) for _ in range(2))

        assert first.documentId != second.documentId
        assert len(self.documents(caller, message["recordNumber"])) == 2

    def test_the_same_message_twice_is_one_document(self, caller: Caller) -> None:
        message = self.message(caller) | {"messageId": "M-1"}

        first, again = (caller.call(self.operation, **message) for _ in range(2))

        assert (again.duplicate, again.documentId) == (True, first.documentId)
        assert len(self.documents(caller, message["recordNumber"])) == 1

    def test_a_record_of_another_account_is_unknown(self, caller: Caller, other: Caller) -> None:
        message = self.message(caller)

        assert codes(other.call(self.operation, **message)) == ["UNKNOWN_RECORD"]
        assert self.documents(caller, message["recordNumber"]) == []

    def test_what_is_no_pdf_or_was_changed_is_refused(self, caller: Caller) -> None:
        message = self.message(caller)

        assert codes(caller.call(self.operation, **message | {"content": b"Dear Sir"})) == ["NOT_A_PDF"]
        assert codes(caller.call(self.operation, **message, sha256=digest(b"another"))) == ["DIGEST_MISMATCH"]
        assert self.documents(caller, message["recordNumber"]) == []

    def test_an_empty_file_is_refused(self, caller: Caller) -> None:
        number = cast.open_record(caller)
        record = f"<recordNumber>{number}</recordNumber>{self.before_file}"

        reply = caller.post(f"<{self.operation}>{record}<fileName>F.pdf</fileName><content/></{self.operation}>")

        assert reply.codes == ["EMPTY_FILE"]

    @pytest.mark.in_all_pairs
    def test_the_message_of_the_fixtures_is_taken(self, caller: Caller) -> None:
        assert caller.fixture(self.operation, recordNumber=cast.open_record(caller)).ok

    def test_many_documents_stand_in_the_order_in_which_they_joined(self, caller: Caller) -> None:
        message = self.message(caller)

        ids = [caller.call(self.operation, **message).documentId for _ in range(12)]

        assert [document.documentId for document in self.documents(caller, message["recordNumber"])] == ids
