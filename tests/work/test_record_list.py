import os
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from paraphe import store
from paraphe.columns import rows
from paraphe.work.filing import create
from paraphe.work.paging import cursor_at
from paraphe.work.record_list import get_record_list

from .cast import INVOICE, NOW, acknowledge, caller, codes, refusal, statements


@pytest.fixture
def call(engine, account, context):
    return caller(engine, context)


@pytest.fixture
def other(engine, other_account, context):
    return caller(engine, context, account=other_account)


def fill(call, count, **changes):
    """Open this many records without documents, all but the first as copies of it; return their numbers."""

    def work(context, _):
        first = create(context, INVOICE | changes, "READY").number
        ours = store.account.c.id == context.account.id
        last = context.connection.scalar(select(store.account.c.last_record).where(ours))
        copied = store.record.c.account_id == context.account.id, store.record.c.record_number == first
        row = context.connection.execute(select(store.record).where(*copied)).one()._asdict()
        del row["id"]
        opened = [f"2026-{number:06d}" for number in range(last, last + count)]
        context.connection.execute(update(store.account).where(ours).values(last_record=last + count - 1))
        copies = [row | {"record_number": number, "link": os.urandom(16)} for number in opened[1:]]
        if copies:
            context.connection.execute(insert(store.record), copies)
        return opened

    return call(work)


def ask(call, **question):
    answer = call(get_record_list, question)
    return answer | {"records": rows(answer["records"])}


def numbers(answer):
    return [each["record_number"] for each in answer["records"]]


# Pages ---------------------------------------------------------------------------------------------------------


def test_2500_records_are_three_pages_with_1500_then_500_then_none_remaining(call):
    opened = fill(call, 2500)

    pages = [ask(call)]
    while "next_cursor" in pages[-1]:
        pages.append(ask(call, cursor=pages[-1]["next_cursor"]))

    assert [len(page["records"]) for page in pages] == [1000, 1000, 500]
    assert [page["remaining"] for page in pages] == [1500, 500, 0]
    assert [number for page in pages for number in numbers(page)] == opened


def test_a_full_page_that_is_the_last_one_has_no_cursor(call):
    fill(call, 2)

    assert "next_cursor" not in ask(call, limit=2)
    assert ask(call, limit=2)["remaining"] == 0


def test_an_account_without_records_has_an_empty_list(call):
    assert ask(call) == {"records": [], "remaining": 0}


def test_records_extracted_or_opened_while_a_caller_turns_pages_are_neither_missed_nor_repeated(call):
    fill(call, 5)
    first = ask(call, limit=2)
    acknowledge(call, *numbers(first))
    fill(call, 1)

    second = ask(call, limit=2, cursor=first["next_cursor"])
    third = ask(call, limit=2, cursor=second["next_cursor"])

    assert numbers(second) + numbers(third) == [f"2026-{number:06d}" for number in range(3, 7)]


@pytest.mark.parametrize(("limit", "code"), [(1001, "LIMIT_EXCEEDED"), (0, "VALUE_OUT_OF_RANGE")])
def test_a_limit_is_1_to_1000(call, limit, code):
    assert codes(refusal(ask, call, limit=limit)) == [(code, "limit")]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "2026-000001",
        "é",
        cursor_at("s1", "2026-000001"),
        cursor_at("r1", "\0"),
        cursor_at("r1", "2026-999999"),
    ],
)
def test_a_cursor_that_was_never_given_is_refused(call, cursor):
    fill(call, 1)

    assert codes(refusal(ask, call, cursor=cursor)) == [("INVALID_CURSOR", "cursor")]


# What is listed ------------------------------------------------------------------------------------------------


def test_a_record_is_listed_without_its_documents_but_with_all_that_its_invoice_says(call):
    fill(call, 1)

    (index,) = ask(call)["records"]

    assert index["invoice"] == INVOICE
    assert "documents" not in index
    assert index["zip_url"].endswith(".zip")
    assert "pdf_url" not in index


def test_a_list_can_be_narrowed(engine, call, context):
    fill(call, 1)
    fill(caller(engine, context, now=NOW + timedelta(hours=1)), 1, invoice_number="FAC-2026-042")
    noon = NOW + timedelta(hours=1)

    assert numbers(ask(call, invoice_number="FAC-2026-042")) == ["2026-000002"]
    assert numbers(ask(call, created_from=noon)) == ["2026-000002"]
    assert numbers(ask(call, created_to=noon)) == ["2026-000001"]
    assert numbers(ask(call, status="NEEDS_REVIEW")) == []
    assert len(numbers(ask(call, status="READY"))) == 2


def test_times_that_contradict_each_other_are_refused(call):
    errors = refusal(ask, call, created_from=NOW, created_to=NOW - timedelta(seconds=1))

    assert codes(errors) == [("VALUES_CONTRADICT", "createdTo")]


def test_the_number_of_statements_does_not_depend_on_the_number_of_records(engine, call):
    def counted(limit):
        with statements(engine) as asked:
            answer = ask(call, limit=limit)
        with statements(engine) as acknowledged:
            acknowledge(call, *numbers(answer))
        return len(asked), len(acknowledged)

    fill(call, 300)
    assert counted(1) == counted(200)


# Acknowledged --------------------------------------------------------------------------------------------------


def test_acknowledged_records_leave_the_list(call):
    first, second, third = fill(call, 3)

    assert acknowledge(call, first, third) == {"acknowledged": 2, "already_extracted": 0}
    assert numbers(ask(call)) == [second]
    assert len(numbers(ask(call, include_extracted=True))) == 3


def test_a_record_counts_once_however_often_it_is_named(call):
    first, second = fill(call, 2)
    acknowledge(call, first)

    assert acknowledge(call, second, first, second, first) == {"acknowledged": 1, "already_extracted": 1}


def test_every_unknown_number_is_an_error_and_nothing_is_stored(call):
    (first,) = fill(call, 1)

    errors = refusal(acknowledge, call, "2026-000009", first, "x", "2026-000009")

    assert [(error.code.value, error.index, error.reference) for error in errors] == [
        ("UNKNOWN_RECORD", 1, "2026-000009"),
        ("UNKNOWN_RECORD", 3, "x"),
    ]
    assert numbers(ask(call)) == [first]


def test_acknowledging_nothing_does_nothing(call):
    assert acknowledge(call) == {"acknowledged": 0, "already_extracted": 0}


# Another account -----------------------------------------------------------------------------------------------


def test_a_list_holds_nothing_of_another_account(call, other):
    fill(call, 3)
    fill(other, 1, invoice_number="THEIRS")

    assert [each["invoice"]["invoice_number"] for each in ask(other)["records"]] == ["THEIRS"]
    assert [ask(call, limit=2)["remaining"], ask(other)["remaining"]] == [1, 0]


def test_a_cursor_of_another_account_gives_nothing_of_it(call, other):
    fill(call, 3)
    cursor = ask(call, limit=2)["next_cursor"]

    assert codes(refusal(ask, other, cursor=cursor)) == [("INVALID_CURSOR", "cursor")]
    fill(other, 3, invoice_number="THEIRS")
    assert [each["invoice"]["invoice_number"] for each in ask(other, cursor=cursor)["records"]] == ["THEIRS"]
