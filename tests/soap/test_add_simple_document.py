"""AddSimpleDocument."""

import pytest

from . import cast
from .documents import DocumentQuestions
from .house import values_of


class TestAddSimpleDocument(DocumentQuestions):
    operation, document_type = "AddSimpleDocument", "AGREEMENT"
    more = {"documentType": "AGREEMENT", "title": "Convention de formation"}  # noqa: RUF012
    before_file = "<documentType>AGREEMENT</documentType><title>Convention de formation</title>"
    broken = "<recordNumber>1</recordNumber><documentType>LETTER</documentType>"
    place = "documentType"

    @pytest.mark.parametrize("version", ["1.1"], indirect=True)
    def test_every_type_of_document_is_taken(self, caller):
        number = cast.open_record(caller)
        types = values_of("DocumentType")

        for kind in types:
            caller.call("AddSimpleDocument", recordNumber=number, **self.file() | {"documentType": kind})

        assert [document.documentType for document in self.documents(caller, number)] == list(types)

    def test_a_file_that_was_changed_on_the_way_is_refused_in_the_fixtures_too(self, caller):
        reply = caller.fixture("AddSimpleDocument", "digest-mismatch", recordNumber=cast.open_record(caller))

        assert reply.codes == ["DIGEST_MISMATCH"]
