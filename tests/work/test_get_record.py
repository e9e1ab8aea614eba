import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from paraphe import store
from paraphe.work.filing import Happening
from paraphe.work.invoices import send_invoicing_info
from paraphe.work.records import get_record, mark_extracted, open_document, open_record

from .cast import (
    FIRST,
    INVOICE,
    NOW,
    acknowledge,
    add,
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
    widths,
)


@pytest.fixture
def call(engine, account, context):
    return caller(engine, context)


# Taken away ----------------------------------------------------------------------------------------------------


def test_a_zip_holds_every_document_and_says_what_the_record_says(call):
    send(call, hints=INVOICE)
    add(call)

    answer = get(call)
    archive = inside(answer["content"])
    manifest = json.loads(archive.read("manifest.json"))

    assert answer["file_name"] == "2026-000001.zip"
    assert archive.namelist() == ["manifest.json", "01-FAC-2026-041.pdf", "02-convention.pdf"]
    assert archive.read("02-convention.pdf") == pdf(200)
    assert (manifest["recordNumber"], manifest["version"], manifest["status"]) == (FIRST, 2, "READY")
    assert manifest["invoice"]["periodStart"] == "2026-09-01"
    assert manifest["invoice"]["quantity"] == "172.50"
    assert manifest["invoice"]["trainees"][1] == {
        "reference": "STU-2",
        "quantity": "72.00",
        "unit": "HOUR",
        "amountExclVat": "864.00",
    }


def test_a_pdf_holds_every_document_in_the_order_in_which_they_joined(call):
    send(call)
    add(call)

    answer = get(call, kind="PDF")

    assert answer["file_name"] == "2026-000001.pdf"
    assert widths(answer["content"]) == [100, 200]
    assert answer["warnings"] == []


@pytest.mark.parametrize("kind", ["PDF", "ZIP"])
def test_content_that_is_not_wanted_is_not_sent_and_extracts_nothing(call, kind):
    send(call)

    answer = get(call, kind=kind, elements={"include_content": False})

    assert "content" not in answer
    assert answer["file_name"] == f"{FIRST}.{kind.lower()}"
    assert listed(call) == [FIRST]


def test_a_record_without_documents_has_no_pdf_and_a_zip_with_the_manifest_alone(call):
    call(send_invoicing_info, invoice=INVOICE)

    assert codes(refusal(get, call, kind="PDF")) == [("RECORD_WITHOUT_DOCUMENT", "format")]
    assert inside(get(call)["content"]).namelist() == ["manifest.json"]


def test_a_document_that_cannot_be_joined_is_left_out_of_the_pdf_with_a_warning(call):
    send(call)
    add(call, content=b"%PDF-1.7 and no more", file_name="damaged.pdf")

    answer = get(call, kind="PDF")

    assert widths(answer["content"]) == [100]
    (warning,) = answer["warnings"]
    assert warning["code"] == "DOCUMENT_NOT_JOINED"
    assert "damaged.pdf" in warning["message"]
    assert "ZIP" in warning["hint"]


def test_a_pdf_that_something_is_missing_from_extracts_nothing_but_the_zip_does(call):
    send(call)
    add(call, content=b"%PDF-1.7 and no more")

    get(call, kind="PDF")
    assert listed(call) == [FIRST]

    get(call, kind="ZIP")
    assert listed(call) == []


def test_if_no_document_can_be_joined_there_is_no_pdf(call):
    send(call, content=b"no PDF")

    assert codes(refusal(get, call, kind="PDF")) == [("RECORD_WITHOUT_DOCUMENT", "format")]


def test_addresses_lead_to_the_record_and_to_each_document(call, engine, addresses):
    send(call)

    def link(url, place, suffix):
        return addresses.link(place, url.rpartition("/")[2].removesuffix(suffix), NOW)

    found = index(call)
    with store.reading(engine) as connection:
        for url, suffix in ((found["pdf_url"], ".pdf"), (found["zip_url"], ".zip")):
            record = open_record(connection, link(url, "records", suffix))
            assert record is not None
            assert record.head.record_number == FIRST
        document = open_document(connection, link(found["documents"][0]["url"], "documents", ".pdf"))
        assert document is not None
        assert (document.sha256, document.file_name) == (digest_of(pdf(100)), "FAC-2026-041.pdf")
        assert open_record(connection, document.link) is None
        assert open_document(connection, b"0" * 16) is None


# Extracted -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PDF", "ZIP"])
def test_a_record_is_extracted_when_its_content_was_sent(call, kind):
    send(call)

    get(call, kind=kind)

    assert listed(call) == []
    assert listed(call, include_extracted=True) == [FIRST]
    assert index(call)["extracted_on"] == NOW


@pytest.mark.parametrize("kind", ["PDF", "ZIP"])
def test_a_record_whose_caller_died_before_the_last_byte_stands_in_the_next_list(call, kind):
    send(call)

    get(call, kind=kind, sent=False)

    assert listed(call) == [FIRST]


def test_listing_and_looking_mark_nothing(call):
    send(call)

    assert listed(call) == listed(call, include_extracted=True) == [FIRST]
    index(call)
    assert listed(call) == [FIRST]


def test_only_the_version_that_was_sent_is_extracted(call, engine, context):
    send(call)
    with store.writing(engine) as connection:
        message = context(connection)
        get_record(message, {"record_number": FIRST, "format": "ZIP"})
    add(call)

    with store.writing(engine) as connection:
        message.after_sent[0](connection)

    assert listed(call) == [FIRST]
    assert index(call)["extracted_on"] is None


@pytest.mark.parametrize("change", [add, review])
def test_a_record_that_changes_after_it_was_extracted_stands_in_the_list_again(call, change):
    send(call)
    get(call)

    change(call)

    assert listed(call) == [FIRST]
    assert index(call)["extracted_on"] is None


def test_marking_twice_or_late_changes_nothing(call, engine, account):
    send(call)
    add(call)

    def mark(version, now):
        with store.writing(engine) as connection:
            record_id = connection.scalars(select(store.record.c.id)).one()
            mark_extracted(connection, record_id, version, Happening(account.id, now, "R-0002", "pa_user"))

    mark(2, NOW)
    mark(2, NOW + timedelta(hours=1))
    mark(1, NOW + timedelta(hours=2))
    mark(3, NOW + timedelta(hours=3))

    assert index(call)["extracted_on"] == NOW
    assert [event for event, _ in history(engine)] == ["CREATED", "READ", "DOCUMENT_ADDED", "EXTRACTED"]


def test_every_change_of_a_record_stands_in_its_history(call, engine):
    send(call)
    add(call)
    review(call)
    get(call)
    add(call)
    acknowledge(call, FIRST)

    assert [(event, before and before["version"]) for event, before in history(engine)] == [
        ("CREATED", None),
        ("READ", None),
        ("DOCUMENT_ADDED", 1),
        ("REVIEWED", 2),
        ("EXTRACTED", 3),
        ("DOCUMENT_ADDED", 3),
        ("ACKNOWLEDGED", 4),
    ]
