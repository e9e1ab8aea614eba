from datetime import UTC, datetime
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from sqlalchemy import insert, select

from paraphe import store
from paraphe.work import filing
from paraphe.work.invoices import send_invoice
from paraphe.work.records import add_simple_invoice

from .cast import (
    FIRST,
    INVOICE,
    NOW,
    acknowledge,
    add,
    add_people,
    caller,
    codes,
    digest_of,
    get,
    history,
    index,
    inside,
    listed,
    pdf,
    refusal,
    review,
    send,
)


@pytest.fixture
def call(engine, account, context):
    add_people(engine, account, store.student, ["STU-1", "STU-2"])
    add_people(engine, account, store.contact, ["OPCO-1"])
    return caller(engine, context)


@pytest.fixture
def other(engine, other_account, context):
    return caller(engine, context, account=other_account)


# A record, its documents ---------------------------------------------------------------------------------------


def test_an_index_says_all_that_is_known_of_a_record_and_of_its_documents(call, addresses):
    number = send(call, hints=INVOICE)
    document_id = add(call)["document_id"]

    found = index(call, number)
    invoice, agreement = found.pop("documents")

    assert found.pop("pdf_url").startswith("https://exchange.centre.example/records/")
    assert found.pop("zip_url").startswith("https://exchange.centre.example/records/")
    assert found == {
        "record_number": "2026-000001",
        "status": "READY",
        "version": 2,
        "created_on": NOW,
        "modified_on": NOW,
        "extracted_on": None,
        "invoice": INVOICE,
        "document_count": 2,
        "size_bytes": len(pdf(100)) + len(pdf(200)),
        "urls_expire_on": datetime(2026, 9, 21, 8, tzinfo=UTC),
    }
    assert invoice["document_type"] == "INVOICE"
    assert agreement.pop("url").startswith("https://exchange.centre.example/documents/")
    assert agreement == {
        "document_id": document_id,
        "document_type": "AGREEMENT",
        "title": "Convention",
        "file_name": "convention.pdf",
        "size_bytes": len(pdf(200)),
        "sha256": digest_of(pdf(200)),
        "created_on": NOW,
    }


def test_a_document_that_is_added_is_archived_and_raises_the_version(call, archive):
    send(call)

    answer = add(call)

    assert (answer["record_number"], answer["sha256"], answer["size_bytes"]) == (
        FIRST,
        digest_of(pdf(200)),
        len(pdf(200)),
    )
    assert archive.read(answer["sha256"]) == pdf(200)
    assert index(call)["version"] == 2


def test_an_invoice_that_is_added_is_a_simple_invoice(call):
    send(call)
    call(add_simple_invoice, record_number=FIRST, file_name="avoir.pdf", content=pdf(300))

    assert [each["document_type"] for each in index(call)["documents"]] == ["INVOICE", "SIMPLE_INVOICE"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"content": b"PK\3\4"}, ("NOT_A_PDF", "content")),
        ({"sha256": "0" * 64}, ("DIGEST_MISMATCH", "sha256")),
        ({"number": "2026-999999"}, ("UNKNOWN_RECORD", "recordNumber")),
    ],
)
def test_a_file_that_cannot_join_a_record_leaves_it_as_it_was(call, changes, error):
    send(call)

    assert codes(refusal(add, call, **changes)) == [error]
    assert (index(call)["version"], index(call)["document_count"]) == (1, 1)


def test_an_empty_file_is_refused(call):
    send(call)
    request = {"record_number": FIRST, "file_name": "avoir.pdf", "content": b""}

    assert codes(refusal(call, add_simple_invoice, request)) == [("EMPTY_FILE", "content")]


def test_a_record_grows_no_larger_than_can_be_given_in_one_piece(call, monkeypatch):
    send(call)
    monkeypatch.setattr(filing, "MOST_BYTES", len(pdf(100)) + len(pdf(200)))
    add(call)

    assert codes(refusal(add, call)) == [("LIMIT_EXCEEDED", "content")]


def test_an_invoice_that_fills_more_than_a_record_opens_none(call, monkeypatch):
    monkeypatch.setattr(filing, "MOST_BYTES", len(pdf(100)) - 1)
    request = {"file_name": "FAC-1.pdf", "content": pdf(100)}

    assert codes(refusal(call, send_invoice, request)) == [("LIMIT_EXCEEDED", "content")]
    assert listed(call) == []


def test_papers_of_the_server_take_no_room_from_what_callers_send(call, engine, monkeypatch):
    send(call)
    with store.writing(engine) as connection:
        (opened,) = connection.execute(select(store.document.c.record_id, store.document.c.account_id))
        paper = {"record_id": opened.record_id, "account_id": opened.account_id, "document_id": "D", "link": b"L" * 16}
        said = {"document_type": "OTHER", "sha256": "0" * 64, "size_bytes": 10**9, "created_on": NOW, "made": True}
        connection.execute(insert(store.document).values(paper | said))

    add(call)


def test_two_documents_added_at_once_are_two_versions(call):
    send(call)
    start = Barrier(2)

    def join():
        start.wait(30)
        for _ in range(5):
            add(call)

    threads = [Thread(target=join) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    found = index(call)
    assert (found["version"], found["document_count"], len(found["documents"])) == (11, 11, 11)
    assert found["size_bytes"] == sum(each["size_bytes"] for each in found["documents"])


# Reviewed ------------------------------------------------------------------------------------------------------


def test_a_review_settles_a_record_with_what_the_person_says(call):
    send(call, hints={"payer_name": "read wrongly", "quantity": Decimal("1.00")})

    answer = review(call, payer_name=None)

    found = answer["record_index"]
    assert (found["status"], found["version"], len(found["documents"])) == ("READY", 2, 1)
    assert found["invoice"] == {key: value for key, value in INVOICE.items() if key != "payer_name"}
    assert {each["code"] for each in answer["warnings"]} == {"LESS_SIGNED_THAN_INVOICED"}  # nobody has signed


def test_a_review_warns_of_what_does_not_fit(call):
    send(call)

    answer = review(call, quantity=Decimal(1), trainees=[{"reference": "STU-9", "quantity": Decimal(2)}])

    assert [warning["code"] for warning in answer["warnings"]] == ["SUM_MISMATCH", "UNKNOWN_TRAINEE"]


def test_what_was_known_before_a_review_stays_in_the_history(call, engine):
    send(call, hints={"payer_name": "read wrongly", "quantity": Decimal("1.00")})
    review(call)

    *_, (event, before) = history(engine)
    assert event == "REVIEWED"
    known = {"payerName": "read wrongly", "quantity": "1.00"}
    assert before == {"version": 1, "status": "NEEDS_REVIEW", "invoice": known}


def test_a_record_is_reviewed_once(call):
    send(call)
    review(call)

    assert codes(refusal(review, call)) == [("RECORD_NOT_IN_REVIEW", "recordNumber")]


def test_a_review_needs_all_that_a_record_needs(call):
    send(call)

    assert codes(refusal(review, call, unit=None, trainees=None)) == [
        ("VALUE_REQUIRED", "unit"),
        ("VALUE_REQUIRED", "trainees"),
    ]


# Another account -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [add, review, get, index, acknowledge])
def test_a_foreign_record_answers_exactly_as_an_unknown_one(call, other, change):
    send(call)
    foreign = refusal(change, other, FIRST)

    unknown = refusal(change, other, "2026-000002")

    assert [error.code.value for error in foreign] == ["UNKNOWN_RECORD"]
    assert str(foreign).replace(FIRST, "2026-000002") == str(unknown)


def test_two_accounts_with_the_same_record_number_have_two_records(call, other):
    send(call)
    send(other, content=pdf(400))
    add(call)

    assert index(other)["document_count"] == 1
    assert inside(get(other)["content"]).read("01-FAC-2026-041.pdf") == pdf(400)
    assert (listed(call), listed(other)) == ([FIRST], [])
    assert acknowledge(call, FIRST) == {"acknowledged": 1, "already_extracted": 0}
