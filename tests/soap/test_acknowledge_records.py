"""AcknowledgeRecords."""

import pytest

from . import cast
from .house import codes
from .questions import Questions


class TestAcknowledgeRecords(Questions):
    operation = "AcknowledgeRecords"
    broken, place = "", "recordNumbers"

    def message(self, caller):
        return {"recordNumbers": {"recordNumber": [cast.open_record(caller)]}}

    def acknowledge(self, caller, *numbers, **said):
        return caller.call("AcknowledgeRecords", recordNumbers={"recordNumber": list(numbers)}, **said)

    def test_what_the_schema_does_not_know_is_refused(self, caller):
        reply = caller.post("<AcknowledgeRecords/>")

        (error,) = reply.errors
        assert (error["code"], error["field"], error["path"]) == (
            "SCHEMA_INVALID",
            "recordNumbers",
            "/AcknowledgeRecords",
        )

    def test_it_marks_records_as_extracted(self, caller):
        first, second, third = (cast.open_record(caller) for _ in range(3))

        answer = self.acknowledge(caller, first, third)

        assert answer.returnCode == "200 OK"
        assert (answer.acknowledged, answer.alreadyExtracted) == (2, 0)
        assert cast.to_extract(caller) == [second]

    def test_twice_finds_them_extracted_already(self, caller):
        number = cast.open_record(caller)
        self.acknowledge(caller, number)

        answer = self.acknowledge(caller, number, number)

        assert (answer.acknowledged, answer.alreadyExtracted) == (0, 1)

    def test_the_same_message_twice_has_the_first_answer_again(self, caller):
        number = cast.open_record(caller)

        first, again = (self.acknowledge(caller, number, messageId="M-1") for _ in range(2))

        assert first.acknowledged == again.acknowledged == 1
        assert again.duplicate is True

    def test_an_unknown_number_refuses_the_whole_message(self, caller):
        number = cast.open_record(caller)

        answer = self.acknowledge(caller, "2026-999999", number)

        assert answer.returnCode == "500 ERROR"
        assert [(error.index, error.code) for error in answer.errors.error] == [(1, "UNKNOWN_RECORD")]
        assert cast.to_extract(caller) == [number]

    def test_a_record_of_another_account_is_unknown(self, caller, other):
        number = cast.open_record(caller)

        assert codes(self.acknowledge(other, number)) == ["UNKNOWN_RECORD"]
        assert cast.to_extract(caller) == [number]

    @pytest.mark.in_all_pairs
    def test_the_messages_of_the_fixtures_are_answered(self, caller):
        number = cast.open_record(caller)

        assert caller.fixture("AcknowledgeRecords", recordNumber=number).text("acknowledged") == "1"
        assert "UNKNOWN_RECORD" in caller.fixture("AcknowledgeRecords", "unknown-record").codes

    def test_an_empty_list_acknowledges_nothing(self, caller):
        reply = caller.post("<AcknowledgeRecords><recordNumbers/></AcknowledgeRecords>")

        assert (reply.text("acknowledged"), reply.text("alreadyExtracted")) == ("0", "0")

    def test_many_are_acknowledged_at_once(self, caller):
        numbers = [cast.open_record(caller) for _ in range(30)]

        assert self.acknowledge(caller, *numbers).acknowledged == 30
        assert cast.to_extract(caller) == []
