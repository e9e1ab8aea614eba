import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Thread

import pytest

from paraphe import store
from paraphe.work.invoices import send_invoice, send_invoicing_info
from paraphe.work.record_list import get_record_list
from paraphe.work.records import get_record

from .cast import INVOICE, add_people, caller, codes, digest_of, pdf, refusal

PDF = pdf()


@pytest.fixture
def call(engine, account, context):
    add_people(engine, account, store.student, ["STU-1", "STU-2"])
    add_people(engine, account, store.contact, ["OPCO-1"])
    return caller(engine, context)


@pytest.fixture
def other(engine, other_account, context):
    return caller(engine, context, account=other_account)


def send(call, content=PDF, **more):
    return call(send_invoice, file_name="FAC-2026-041.pdf", content=content, **more)


def inform(call, **changes):
    """Send the elements of a good invoice with these changes; None leaves one out."""
    said = {key: value for key, value in (INVOICE | changes).items() if value is not None}
    return call(send_invoicing_info, invoice=said)


def index_of(call, number):
    return call(get_record, record_number=number, format="INDEX")["record_index"]


def warned(answer):
    """What is warned of, but for missing signatures: nobody has signed anything here, see test_presence.py."""
    found = [(warning["code"], warning["field"]) for warning in answer["warnings"]]
    return [each for each in found if each[0] != "LESS_SIGNED_THAN_INVOICED"]


# With a document -----------------------------------------------------------------------------------------------


def test_an_invoice_is_kept_and_opens_a_record_that_waits_for_a_review(call, archive):
    answer = send(call)
    index = index_of(call, answer["record_number"])

    assert (answer["record_number"], answer["status"]) == ("2026-000001", "NEEDS_REVIEW")
    assert (index["status"], index["version"], index["size_bytes"]) == ("NEEDS_REVIEW", 1, len(PDF))
    assert [(kept["document_id"], kept["document_type"]) for kept in index["documents"]] == [
        (answer["document_id"], "INVOICE")
    ]
    assert archive.read(digest_of(PDF)) == PDF


def test_the_answer_says_that_nothing_could_be_read_and_what_to_do(call):
    answer = send(call)

    assert answer["read_values"] == []
    assert warned(answer) == [("NO_TEXT_LAYER", None)]
    assert "ReviewRecord" in answer["warnings"][0]["hint"]


def test_hints_are_what_the_record_says_until_it_is_reviewed(call):
    hints = {"invoice_number": "FAC-1", "quantity": Decimal("7.5"), "trainees": [{"reference": "STU-1"}]}

    answer = send(call, hints=hints)

    assert index_of(call, answer["record_number"])["invoice"] == hints


def test_a_file_that_is_no_pdf_is_kept_as_well_with_a_warning(call, archive):
    answer = send(call, b"PK\x03\x04 a word processor's file")

    assert warned(answer) == [("NOT_A_PDF", None)]
    assert archive.read(digest_of(b"PK\x03\x04 a word processor's file"))


def test_a_pdf_may_begin_somewhere_in_its_first_1024_bytes(call):
    assert warned(send(call, b"\n" * 1000 + PDF)) == [("NO_TEXT_LAYER", None)]


def test_an_empty_file_is_refused(call):
    assert codes(refusal(send, call, b"")) == [("EMPTY_FILE", "content")]


def test_a_file_that_was_changed_on_the_way_is_refused_and_opens_nothing(call):
    assert codes(refusal(send, call, sha256=digest_of(b"another file"))) == [("DIGEST_MISMATCH", "sha256")]
    assert call(get_record_list, {})["records"]["record_number"] == ()


def test_a_digest_may_be_written_in_capitals(call):
    assert send(call, sha256=hashlib.sha256(PDF).hexdigest().upper())["status"] == "NEEDS_REVIEW"


def test_hints_that_cannot_be_are_refused(call):
    hints = {"period_start": date(2026, 9, 2), "period_end": date(2026, 9, 1), "invoice_date": date(1, 1, 1)}

    assert codes(refusal(send, call, hints=hints)) == [
        ("VALUE_OUT_OF_RANGE", "invoiceDate"),
        ("VALUES_CONTRADICT", "periodEnd"),
    ]


def test_people_that_the_account_does_not_know_are_warnings(call):
    hints = {"payer_reference": "OPCO-9", "trainees": [{"reference": "STU-1"}, {"reference": "STU-9"}]}

    assert warned(send(call, hints=hints))[1:] == [
        ("UNKNOWN_TRAINEE", "trainees[2].reference"),
        ("UNKNOWN_PAYER", "payerReference"),
    ]


# Without a document --------------------------------------------------------------------------------------------


def test_complete_elements_open_a_record_that_is_ready(call):
    answer = inform(call)
    index = index_of(call, answer["record_number"])

    assert (answer["status"], warned(answer)) == ("READY", [])
    assert (index["status"], index["document_count"], index["pdf_url"]) == ("READY", 0, None)
    assert index["invoice"] == INVOICE


def test_every_element_that_is_missing_is_an_error_of_its_own(call):
    errors = refusal(call, send_invoicing_info, invoice={})

    fields = ["invoiceNumber", "invoiceDate", "periodStart", "periodEnd", "quantity", "unit", "trainees"]
    assert codes(errors) == [("VALUE_REQUIRED", field) for field in fields]


def test_a_trainee_needs_a_reference_or_a_name(call):
    errors = refusal(inform, call, trainees=[{"last_name": "Le Goff"}, {"first_name": "Ada"}])

    assert [(error.code.value, error.index, error.field) for error in errors] == [("VALUE_REQUIRED", 2, "reference")]


def test_a_period_that_ends_before_it_starts_is_refused(call):
    assert codes(refusal(inform, call, period_end=date(2026, 8, 1))) == [("VALUES_CONTRADICT", "periodEnd")]


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({"amount_incl_vat": Decimal("2484.01")}, [("SUM_MISMATCH", "amountInclVat")]),
        ({"amount_incl_vat": None}, []),
        ({"quantity": Decimal("173")}, [("SUM_MISMATCH", "quantity")]),
        ({"unit": "DAY"}, [("SUM_MISMATCH", "quantity")]),
        ({"trainees": [{"reference": "STU-1"}]}, []),
        ({"trainees": [{"reference": "STU-1", "quantity": Decimal(9), "unit": "DAY"}]}, []),
    ],
)
def test_sums_that_do_not_fit_are_warnings(call, changes, warnings):
    assert warned(inform(call, **changes)) == warnings


# Numbers -------------------------------------------------------------------------------------------------------


def test_the_year_of_a_record_number_is_that_of_the_account(engine, account, context):
    late = caller(engine, context, now=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    assert inform(late)["record_number"] == "2027-000001"


def test_each_account_counts_its_own_records(call, other):
    inform(call)

    assert inform(other)["record_number"] == "2026-000001"
    assert inform(call)["record_number"] == "2026-000002"


def test_a_refused_message_takes_no_number(call):
    refusal(send, call, b"")
    refusal(inform, call, unit=None)

    assert inform(call)["record_number"] == "2026-000001"


def test_two_at_once_give_no_number_twice_and_leave_no_gap(call):
    numbers: list[str] = []

    def open_records():
        numbers.extend(inform(call)["record_number"] for _ in range(15))

    threads = [Thread(target=open_records) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(numbers) == [f"2026-{number:06d}" for number in range(1, 31)]


# Another account -----------------------------------------------------------------------------------------------


def test_people_of_another_account_are_as_unknown_as_any(call, other):
    assert warned(inform(other, payer_reference="OPCO-1")) == [
        ("UNKNOWN_TRAINEE", "trainees[1].reference"),
        ("UNKNOWN_TRAINEE", "trainees[2].reference"),
        ("UNKNOWN_PAYER", "payerReference"),
    ]
