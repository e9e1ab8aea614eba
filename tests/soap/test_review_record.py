"""ReviewRecord."""

import pytest

from paraphe import store

from . import cast
from .cast import invoicing
from .house import codes
from .questions import Questions

WRONG_UNIT = "<recordNumber>2026-000001</recordNumber><invoice><unit>WEEK</unit></invoice>"


class TestReviewRecord(Questions):
    operation = "ReviewRecord"
    broken, place = WRONG_UNIT, "invoice/unit"

    def message(self, caller):
        return {"recordNumber": cast.open_with_pdf(caller, b"no PDF"), "invoice": invoicing()}

    def test_it_settles_a_record_that_waits_for_a_review(self, caller):
        answer = caller.call("ReviewRecord", **self.message(caller))

        assert answer.returnCode == "200 OK"
        assert answer.recordIndex.status in ("READY", "PREPARING")
        assert answer.recordIndex.version == 2
        assert answer.recordIndex.invoice.invoiceNumber == "FAC-2026-041"

    def test_what_was_known_before_stays_in_its_history(self, caller):
        caller.call("ReviewRecord", **self.message(caller))

        events = caller.house.rows(
            store.record_event.select().where(store.record_event.c.account_id == caller.account.id)
        )
        assert "REVIEWED" in [event.event for event in events]
        assert any("NEEDS_REVIEW" in (event.before or "") for event in events)

    def test_twice_is_refused_the_second_time(self, caller):
        message = self.message(caller)
        caller.call("ReviewRecord", **message)

        assert codes(caller.call("ReviewRecord", **message)) == ["RECORD_NOT_IN_REVIEW"]

    def test_the_same_message_twice_has_the_first_answer_again(self, caller):
        message = self.message(caller) | {"messageId": "M-1"}
        first, again = (caller.call("ReviewRecord", **message) for _ in range(2))

        assert again.duplicate is True
        assert again.recordIndex.version == first.recordIndex.version == 2

    def test_a_record_of_another_account_is_unknown(self, caller, other):
        message = self.message(caller)

        assert codes(other.call("ReviewRecord", **message)) == ["UNKNOWN_RECORD"]
        assert caller.call("ReviewRecord", **message).returnCode == "200 OK"

    def test_an_empty_invoice_is_refused(self, caller):
        number = self.message(caller)["recordNumber"]

        reply = caller.post(f"<ReviewRecord><recordNumber>{number}</recordNumber><invoice/></ReviewRecord>")

        assert set(reply.codes) == {"VALUE_REQUIRED"}

    @pytest.mark.in_all_pairs
    @pytest.mark.parametrize(("case", "found"), [("request", []), ("not-in-review", ["RECORD_NOT_IN_REVIEW"])])
    def test_the_messages_of_the_fixtures_are_answered(self, caller, case, found):
        number = cast.open_record(caller) if found else cast.open_with_pdf(caller, b"no PDF")

        assert caller.fixture("ReviewRecord", case, recordNumber=number).codes == found

    def test_many_records_are_settled_one_after_the_other(self, caller):
        for _ in range(8):
            assert caller.call("ReviewRecord", **self.message(caller)).recordIndex.version == 2
