"""SendInvoice reads: what is sure becomes the record, what is not waits for a person, and the caller's word counts."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import BoundedSemaphore

import pytest
from sqlalchemy import insert, select, update

from paraphe import reading, store
from paraphe.accounts import set_threshold
from paraphe.reading import Known, Reading, Trainee, Value
from paraphe.reading.lookup import everybody
from paraphe.work import analysis, jobs
from paraphe.work.handlers import JOBS
from paraphe.work.invoices import send_invoice
from paraphe.work.known import words_lack
from paraphe.work.workers import Workplace, do

from ..reading.test_recognition import scan, tesseract
from .cast import INVOICE, NOW, caller, codes, index, pdf, refusal, review

__all__ = ["tesseract"]

INVOICES = Path(__file__).resolve().parents[2] / "fixtures" / "invoices"
GOOD = (INVOICES / "FAC-2026-042.pdf").read_bytes()
DOUBTFUL = (INVOICES / "FAC-2026-043.pdf").read_bytes()
PEOPLE = {"STU-7": ("Le Quéré", "Noémie"), "STU-8": ("Rœsch", "Timothée"), "STU-9": ("Loisel", "Maëlys")}


@pytest.fixture
def call(engine, account, context):
    known = {"account_id": account.id, "created_on": NOW, "modified_on": NOW}
    with store.writing(engine) as connection:
        connection.execute(
            insert(store.student),
            [
                {**known, "reference": key, "last_name": last, "first_name": first}
                for key, (last, first) in PEOPLE.items()
            ],
        )
        words_lack(connection, account)
    return caller(engine, context)


def send(call, content=GOOD, **more):
    return call(send_invoice, file_name="FAC-2026-042.pdf", content=content, **more)


def warned(answer):
    return [(warning["code"], warning["field"]) for warning in answer["warnings"]]


def events(engine):
    columns = store.record_event.c.event, store.record_event.c.actor, store.record_event.c.outcome
    with store.reading(engine) as connection:
        found = connection.execute(select(*columns).order_by(store.record_event.c.id))
        return [(event, actor, outcome and json.loads(outcome)) for event, actor, outcome in found]


# What was read -------------------------------------------------------------------------------------------------


def test_an_invoice_that_is_read_surely_needs_no_person(call):
    answer = send(call)

    invoice = index(call)["invoice"]
    assert answer["status"] == index(call)["status"] == "READY"
    assert (invoice["invoice_number"], invoice["quantity"], invoice["unit"]) == (
        "FAC-2026-042",
        Decimal("76.15"),
        "HOUR",
    )
    assert [each["reference"] for each in invoice["trainees"]] == ["STU-7", "STU-8"]
    assert [each["quantity"] for each in invoice["trainees"]] == [Decimal("38.50"), Decimal("37.65")]


def test_every_value_read_has_its_confidence_page_snippet_and_rule(call):
    values = {each["field"]: each for each in send(call)["read_values"]}

    assert {"invoiceNumber", "quantity", "unit", "trainees[1].lastName", "trainees[2].quantity"} <= values.keys()
    number = values["invoiceNumber"]
    assert number["value"] == "FAC-2026-042"
    assert Decimal("0.80") <= number["confidence"] <= 1
    assert number["page"] == 1
    assert "FAC-2026-042" in number["snippet"]
    assert all(each["rule"] and len(each["snippet"]) <= 200 for each in values.values())


def test_what_contradicts_itself_waits_for_a_person(call):
    answer = send(call, DOUBTFUL)

    assert answer["status"] == "NEEDS_REVIEW"
    assert ("SUM_MISMATCH", "quantity") in warned(answer)


def test_a_trainee_whom_the_account_does_not_know_waits_for_a_person(call):
    assert ("UNKNOWN_TRAINEE", "trainees[2].lastName") in warned(send(call, DOUBTFUL))


@pytest.mark.parametrize(("threshold", "status"), [(None, "READY"), (0, "READY"), (100, "NEEDS_REVIEW")])
def test_how_sure_is_sure_enough_is_the_accounts_to_say(engine, account, call, context, threshold, status):
    with store.writing(engine) as connection:
        strict = set_threshold(connection, account, threshold)

    assert send(caller(engine, context, account=strict))["status"] == status


def test_what_is_below_the_threshold_is_told_and_not_taken(engine, account, call, context):
    with store.writing(engine) as connection:
        strict = set_threshold(connection, account, 100)
    strictly = caller(engine, context, account=strict)

    answer = send(strictly)

    assert "quantity" in {each["field"] for each in answer["read_values"]}
    assert index(strictly)["invoice"] == {}


def test_what_was_read_stays_in_the_history_after_a_review(call, engine):
    send(call, DOUBTFUL)
    review(call)

    (_, _, read), (_, who, _) = events(engine)[1:]
    assert [event for event, _, _ in events(engine)] == ["CREATED", "READ", "REVIEWED"]
    assert {each["field"] for each in read["readValues"]} > {"invoiceNumber", "quantity"}
    assert "SUM_MISMATCH" in {each["code"] for each in read["warnings"]}
    assert who == "lycee-horizon"


# The caller's word ---------------------------------------------------------------------------------------------


def test_what_the_caller_says_counts_and_the_difference_is_told(call):
    answer = send(call, hints={"invoice_date": date(2026, 10, 9), "payer_name": "OPCO Horizon"})

    assert ("HINT_DIFFERS", "invoiceDate") in warned(answer)
    assert index(call)["invoice"]["invoice_date"] == date(2026, 10, 9)


def test_a_hint_that_says_what_is_on_the_page_is_no_difference(call):
    assert "HINT_DIFFERS" not in {code for code, _ in warned(send(call, hints={"invoice_number": "FAC-2026-042"}))}


def test_hints_that_say_all_settle_what_cannot_be_read(call):
    assert send(call, pdf(), hints=INVOICE)["status"] == "READY"


@pytest.mark.parametrize("content", [b"PK\x03\x04", GOOD[:900]])
def test_hints_do_not_settle_a_file_that_nobody_can_open(call, content):
    assert send(call, content, hints=INVOICE)["status"] == "NEEDS_REVIEW"


def test_a_hint_that_contradicts_the_page_waits_for_a_person(call):
    answer = send(call, hints={"period_end": date(2026, 1, 1)})

    assert answer["status"] == "NEEDS_REVIEW"
    assert ("PERIOD_ORDER", "periodEnd") in warned(answer)


# What cannot be ------------------------------------------------------------------------------------------------


def test_what_the_contract_has_no_room_for_is_told_and_waits_for_a_person():
    name = Value("LOISEL Maëlys", 95, 1, "LOISEL Maëlys", "row")
    read = Reading(
        values={name: Value(value, 99, 1, str(value), "rule") for name, value in INVOICE.items() if name != "trainees"}
    )
    read.values["invoice_number"] = Value("F" * 65, 99, 1, "F", "rule")
    read.trainees = [Trainee(name, "LOISEL", "Maëlys", quantity=Value(Decimal("172.505"), 99, 1, "", "rule"))]

    found = analysis.analyse(read, {}, None)

    assert found.needs_review
    assert "invoice_number" not in found.said
    assert [each["field"] for each in found.warnings if each["code"] == "VALUE_UNFIT"] == [
        "invoiceNumber",
        "trainees[1].quantity",
    ]


# Before the transaction ----------------------------------------------------------------------------------------


def test_others_can_write_while_an_invoice_is_read(call, engine, monkeypatch):
    """The whole point: on SQLite one transaction writes at a time."""
    really, written = reading.read, []

    def read(*arguments, **named):
        with store.writing(engine) as connection:
            written.append(connection.execute(update(store.account).values(last_revision=0)).rowcount)
        return really(*arguments, **named)

    monkeypatch.setattr(reading, "read", read)

    assert send(call)["status"] == "READY"
    assert written == [1]


def test_the_file_is_in_the_archive_before_it_is_read(call, archive, monkeypatch):
    def read(content, known, **named):
        assert content in [archive.read(digest) for digest in archive.digests()]
        raise MemoryError

    monkeypatch.setattr(reading, "read", read)

    with pytest.raises(MemoryError):
        send(call)


# Places --------------------------------------------------------------------------------------------------------


def test_a_caller_is_told_to_come_again_while_too_many_are_read(call, monkeypatch):
    monkeypatch.setattr(analysis, "_PATIENCE", 0.01)
    monkeypatch.setattr(analysis, "_READERS", BoundedSemaphore(1))

    with analysis._READERS:
        assert codes(refusal(send, call)) == [("SERVER_BUSY", None)]
    assert send(call)["record_number"] == "2026-000001"


def test_recognition_takes_no_place_of_callers(monkeypatch):
    """It goes on for up to 90 s; here callers have one place, and one of them comes in the middle of it."""
    monkeypatch.setattr(analysis, "_PATIENCE", 0.01)
    monkeypatch.setattr(analysis, "_READERS", BoundedSemaphore(1))
    monkeypatch.setattr(analysis, "_RECOGNISERS", BoundedSemaphore(1))

    def read(content, look, *, tesseract):
        return analysis.read(content, look) if tesseract else Reading(kind="CREDIT_NOTE")

    monkeypatch.setattr(reading, "read", read)

    assert analysis.read(GOOD, look=everybody(Known()), tesseract="/usr/bin/tesseract").kind == "CREDIT_NOTE"


# Recognised afterwards -----------------------------------------------------------------------------------------


@pytest.fixture
def recognised(engine, archive, addresses, monkeypatch, tesseract):
    """Give `recognised()`: have the job of the queue done where there is a program that recognises text."""
    monkeypatch.setattr("shutil.which", lambda name: tesseract if name == "tesseract" else None)
    workplace = Workplace(engine, archive, addresses, lambda: NOW)

    def work(job=None):
        job = job or jobs.take(engine, "W-1", NOW)
        assert job is not None
        do(workplace, job, JOBS[job.kind])

    return work


def test_an_invoice_without_text_is_recognised_after_the_answer_and_still_waits_for_a_person(call, engine, recognised):
    answer = send(call, scan())
    assert (answer["status"], warned(answer)[0]) == ("NEEDS_REVIEW", ("NO_TEXT_LAYER", None))

    recognised()

    assert index(call)["invoice"]["invoice_number"] == "FA-26-11-0340"
    assert (index(call)["status"], index(call)["version"]) == ("NEEDS_REVIEW", 2)
    assert [(event, actor) for event, actor, _ in events(engine)][-1] == ("RECOGNISED", "server")


def test_what_the_caller_said_counts_after_recognition_too(call, recognised):
    send(call, scan(), hints={"invoice_number": "FAC-1"})

    recognised()

    assert index(call)["invoice"]["invoice_number"] == "FAC-1"


def test_what_a_person_has_settled_is_not_recognised_any_more(call, engine):
    send(call, scan())
    review(call)

    assert jobs.take(engine, "W-1", NOW) is None


def test_what_a_person_settles_meanwhile_is_not_touched_by_recognition(call, engine, recognised):
    send(call, scan())
    begun = jobs.take(engine, "W-1", NOW)
    review(call)

    recognised(begun)

    assert index(call)["invoice"] == INVOICE
    assert index(call)["version"] == 2


def test_where_no_text_can_be_recognised_the_job_waits_for_others(call, engine, recognised, monkeypatch):
    send(call, scan())
    monkeypatch.setattr("shutil.which", lambda name: None)

    with pytest.raises(jobs.Failed, match="RECOGNITION_NOT_INSTALLED"):
        recognised()

    assert [event for event, _, _ in events(engine)] == ["CREATED", "READ"]
    assert jobs.take(engine, "W-1", NOW) is None
