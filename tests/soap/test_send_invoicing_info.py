"""SendInvoicingInfo."""

from datetime import date
from decimal import Decimal

import pytest

from . import cast
from .cast import invoicing
from .house import codes
from .questions import Questions


class TestSendInvoicingInfo(Questions):
    operation = "SendInvoicingInfo"
    broken, place = "<invoice><quantity>seven</quantity></invoice>", "invoice/quantity"

    def message(self, caller):
        return {"invoice": invoicing()}

    def send(self, caller, **said):
        return caller.call("SendInvoicingInfo", **self.message(caller) | said)

    def test_it_opens_a_record_that_says_what_was_sent(self, caller):
        answer = self.send(caller)

        assert answer.returnCode == "200 OK"
        assert answer.documentId is None
        said = caller.call("GetRecord", recordNumber=answer.recordNumber, format="INDEX").recordIndex.invoice
        assert (said.invoiceNumber, said.invoiceDate) == ("FAC-2026-041", date(2026, 9, 30))
        assert (said.quantity, said.unit) == (Decimal("7.50"), "HOUR")
        assert said.trainees.trainee[0].lastName == "Le Goff"

    def test_twice_are_two_records(self, caller):
        assert self.send(caller).recordNumber != self.send(caller).recordNumber

    def test_the_same_message_twice_is_one_record(self, caller):
        first, again = (self.send(caller, messageId="M-1") for _ in range(2))

        assert (again.duplicate, again.recordNumber) == (True, first.recordNumber)
        assert cast.to_extract(caller) == [first.recordNumber]

    def test_another_account_has_numbers_of_its_own(self, caller, other):
        assert self.send(caller).recordNumber == self.send(other).recordNumber

    def test_an_empty_invoice_is_refused_with_all_that_is_missing(self, caller):
        reply = caller.post("<SendInvoicingInfo><invoice/></SendInvoicingInfo>")

        assert not reply.is_fault
        assert {error["field"] for error in reply.errors} == {
            "invoiceNumber",
            "invoiceDate",
            "periodStart",
            "periodEnd",
            "quantity",
            "unit",
            "trainees",
        }
        assert set(reply.codes) == {"VALUE_REQUIRED"}

    def test_a_period_that_ends_before_it_starts_is_refused(self, caller):
        answer = self.send(caller, invoice=invoicing(periodEnd=date(2026, 8, 31)))

        assert codes(answer) == ["VALUES_CONTRADICT"]
        assert cast.to_extract(caller) == []

    def test_sums_that_do_not_fit_are_a_warning_only(self, caller):
        answer = self.send(caller, invoice=invoicing(quantity=Decimal("8.00")))

        assert answer.returnCode == "200 OK"
        assert "SUM_MISMATCH" in [warning.code for warning in answer.warnings.warning]

    @pytest.mark.in_all_pairs
    def test_the_message_of_the_fixtures_is_taken(self, caller):
        assert caller.fixture("SendInvoicingInfo").ok

    def test_many_trainees_are_taken_at_once(self, caller):
        trainees = {"trainee": [{"lastName": f"Le Goff {number}"} for number in range(300)]}

        answer = self.send(caller, invoice=invoicing(trainees=trainees))

        index = caller.call("GetRecord", recordNumber=answer.recordNumber, format="INDEX").recordIndex
        assert [trainee.lastName for trainee in index.invoice.trainees.trainee][::299] == ["Le Goff 0", "Le Goff 299"]
