"""The promises that all five Sync operations share, asked of students."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, event

from paraphe import contract, store
from paraphe.accounts import Account
from paraphe.context import Context
from paraphe.errors import Code, Error

from .sync_support import LATER, School, actions, counts, course, said, student, students

TABLES = {
    "Student": store.student,
    "Teacher": store.teacher,
    "Classroom": store.classroom,
    "Course": store.course,
    "Contact": store.contact,
}


@pytest.fixture
def school(engine: Engine, account: Account, context: Callable[..., Context]) -> School:
    return School(engine, account, context)


@pytest.fixture
def neighbour(school: School, other_account: Account) -> School:
    return school.of(other_account)


# Created, updated, unchanged -----------------------------------------------------------------------------------


def test_a_new_reference_is_created(school):
    answer = school.sync("students", [student("S1"), student("S2")])

    assert counts(answer) == {"received": 2, "created": 2}
    assert answer["items"] == [
        {"index": 1, "reference": "S1", "action": "CREATED"},
        {"index": 2, "reference": "S2", "action": "CREATED"},
    ]
    assert answer["dry_run"] is False
    assert answer["errors"] == []


def test_what_is_sent_is_stored(school):
    school.sync("students", [student("S1", birth_date=date(1998, 3, 14), required_signature=False, groups=["G1"])])

    row = school.rows("student")["S1"]
    assert (row["last_name"], row["first_name"], row["birth_date"]) == ("Le Goff", "Aurélie", date(1998, 3, 14))
    assert (row["required_signature"], row["groups"], row["phone"]) == (False, '["G1"]', None)
    assert row["active"] is True


def test_the_same_item_again_is_unchanged_and_keeps_its_date(school):
    whole = student(
        "S1",
        birth_date=date(1998, 3, 14),
        address={"city": "Nantes"},
        financers=["C1", "C2"],
        data={"data8": "a"},
        required_signature=True,
    )
    school.sync("students", [whole])
    before = school.rows("student")

    assert counts(school.sync("students", [whole], now=LATER)) == {"received": 1, "unchanged": 1}
    assert school.rows("student") == before


def test_a_change_is_updated_and_keeps_the_date_of_creation(school):
    school.sync("students", [student("S1"), student("S2")])
    before = school.rows("student")

    answer = school.sync("students", [student("S1", last_name="Kerjean"), student("S2")], now=LATER)

    after = school.rows("student")
    assert actions(answer) == [("S1", "UPDATED"), ("S2", "UNCHANGED")]
    assert (after["S1"]["last_name"], after["S1"]["modified_on"]) == ("Kerjean", LATER)
    assert after["S1"]["created_on"] == before["S1"]["created_on"]
    assert after["S1"]["id"] == before["S1"]["id"]
    assert after["S2"] == before["S2"]


def test_references_are_compared_letter_by_letter(school):
    answer = school.sync("students", [student("s1"), student("S1"), student("Š1"), student("1"), student("01")])

    assert counts(answer) == {"received": 5, "created": 5}


def test_an_empty_message_changes_nothing(school):
    school.sync("students", students(2))

    assert counts(school.sync("students", [])) == {}
    assert school.active("student") == ["S001", "S002"]


@pytest.mark.slow
def test_ten_thousand_items_fit_in_one_message(school):
    assert counts(school.sync("students", students(10_000))) == {"received": 10_000, "created": 10_000}
    assert counts(school.sync("students", students(10_000))) == {"received": 10_000, "unchanged": 10_000}


# What an item leaves out, and what it empties ------------------------------------------------------------------


def test_an_absent_element_keeps_its_stored_value(school):
    school.sync("students", [student("S1", phone="+33 1 99 00 12 34", groups=["G1"])])

    assert counts(school.sync("students", [student("S1")])) == {"received": 1, "unchanged": 1}
    assert school.rows("student")["S1"]["phone"] == "+33 1 99 00 12 34"


def test_clear_fields_empties_what_it_names(school):
    school.sync("students", [student("S1", phone="123", birth_date=date(1998, 3, 14), groups=["G1"])])

    answer = school.sync("students", [student("S1", clear_fields=["birthDate", "groups", "groups"])])

    row = school.rows("student")["S1"]
    assert counts(answer) == {"received": 1, "updated": 1}
    assert (row["phone"], row["birth_date"], row["groups"]) == ("123", None, None)


def test_to_clear_what_is_empty_changes_nothing(school):
    school.sync("students", [student("S1")])

    assert counts(school.sync("students", [student("S1", clear_fields=["phone"])])) == {"received": 1, "unchanged": 1}


@pytest.mark.parametrize("name", ["nickname", "lastName", "reference", "clearFields", "birth_date", "active"])
def test_clear_fields_takes_optional_elements_only(school, name):
    (error,) = school.refused("students", [student("S1", clear_fields=[name])])

    assert (error.code, error.field, error.value) == (Code.UNKNOWN_FIELD, "clearFields", name)


def test_a_value_sent_and_cleared_contradicts(school):
    errors = school.refused("students", [student("S1", birth_date=date(1998, 3, 14), clear_fields=["birthDate"])])

    assert said(errors) == [(1, Code.VALUES_CONTRADICT, "birthDate")]


@pytest.mark.parametrize("name", TABLES)
def test_every_element_of_the_contract_has_its_column(name):
    elements = {field.key for field in contract.complex_type(name).fields}

    columns = {column.name for column in TABLES[name].c}
    ours = {"id", "account_id", "active", "created_on", "modified_on", "name_word"}
    assert {"id", "account_id", "active", "created_on", "modified_on"} <= columns - elements <= ours
    assert elements - columns == {"clear_fields"}


def test_every_optional_element_can_be_cleared(school):
    optional = [field.name for field in contract.complex_type("Student").fields if not field.required]
    optional.remove("clearFields")

    assert counts(school.sync("students", [student("S1", clear_fields=optional)])) == {"received": 1, "created": 1}


# Nested values -------------------------------------------------------------------------------------------------


def test_a_nested_value_is_replaced_as_a_whole(school):
    school.sync("students", [student("S1", address={"address_line1": "12 rue des Lilas", "city": "Nantes"})])

    school.sync("students", [student("S1", address={"city": "Rezé"})])

    assert school.rows("student")["S1"]["address"] == '{"city":"Rezé"}'


def test_a_nested_value_is_kept_as_json_whatever_it_holds(school):
    odd = {"data1": 'a "quoted" \\ path', "data2": "tab\tand line\n", "data3": "é € 😀"}

    school.sync("students", [student("S1", data=odd, groups=['G"1', "\\"])])

    row = school.rows("student")["S1"]
    assert json.loads(row["data"]) == odd
    assert json.loads(row["groups"]) == ['G"1', "\\"]


def test_the_order_in_which_a_nested_value_is_written_does_not_count(school):
    school.sync("students", [student("S1", address={"zipcode": "44000", "city": "Nantes"})])

    answer = school.sync("students", [student("S1", address={"city": "Nantes", "zipcode": "44000"})])

    assert counts(answer) == {"received": 1, "unchanged": 1}


@pytest.mark.parametrize(("key", "full", "empty"), [("groups", ["G1"], []), ("address", {"city": "Nantes"}, {})])
def test_an_empty_list_or_nested_value_empties(school, key, full, empty):
    school.sync("students", [student("S1", **{key: full})])

    assert actions(school.sync("students", [student("S1", **{key: empty})])) == [("S1", "UPDATED")]
    assert school.rows("student")["S1"][key] is None
    assert actions(school.sync("students", [student("S1", **{key: empty})])) == [("S1", "UNCHANGED")]


# Wrong items ---------------------------------------------------------------------------------------------------


def wrong(reference: str) -> dict[str, Any]:
    return student(reference, start=date(2026, 9, 2), end=date(2026, 9, 1))


def test_a_wrong_item_refuses_the_message_with_all_errors_in_order_and_nothing_is_stored(school):
    doubly = {**wrong("S4"), "clear_fields": ["nickname"]}

    errors = school.refused("students", [student("S1"), wrong("S2"), student("S1"), doubly])

    assert said(errors) == [
        (2, Code.VALUES_CONTRADICT, "end"),
        (3, Code.DUPLICATE_REFERENCE, "reference"),
        (4, Code.UNKNOWN_FIELD, "clearFields"),
        (4, Code.VALUES_CONTRADICT, "end"),
    ]
    assert [error.reference for error in errors] == ["S2", "S1", "S4", "S4"]
    assert school.rows("student") == {}


def test_a_refusal_lists_a_hundred_errors_and_says_how_many_more_there_are(school):
    errors = school.refused("students", [wrong(f"S{number}") for number in range(130)])

    assert [error.index for error in errors] == list(range(1, 101))
    assert "30" in errors[-1].message
    assert "Errors not listed" not in errors[-2].message


def test_keep_valid_stores_the_valid_items_and_lists_the_errors_of_the_others(school):
    answer = school.sync("students", [student("S1"), wrong("S2"), student("S3")], on_error="KEEP_VALID")

    assert counts(answer) == {"received": 3, "created": 2, "rejected": 1}
    assert actions(answer) == [("S1", "CREATED"), ("S2", "REJECTED"), ("S3", "CREATED")]
    assert said(answer["errors"]) == [(2, Code.VALUES_CONTRADICT, "end")]
    assert school.active("student") == ["S1", "S3"]


def test_a_rejected_item_leaves_its_row_as_it_was(school):
    school.sync("students", [student("S1")])
    before = school.rows("student")

    school.sync("students", [{**wrong("S1"), "last_name": "Kerjean"}], on_error="KEEP_VALID", now=LATER)

    assert school.rows("student") == before


@pytest.mark.parametrize("length", [1, 1000])
def test_items_found_wrong_before_keep_their_positions(school, length):
    rejected = [
        Error(Code.SCHEMA_INVALID, "birthDate is no date.", index=3, reference="S3", field="birthDate", line=40),
        Error(Code.SCHEMA_INVALID, "reference is missing.", index=1),
        Error(Code.SCHEMA_INVALID, "firstName is missing.", index=3),
    ]

    answer = replace(school, slice_length=length).sync(
        "students", [student("S2"), wrong("S4")], on_error="KEEP_VALID", rejected=rejected
    )

    assert counts(answer) == {"received": 4, "created": 1, "rejected": 3}
    assert [(item["index"], item.get("reference"), item["action"]) for item in answer["items"]] == [
        (1, None, "REJECTED"),
        (2, "S2", "CREATED"),
        (3, "S3", "REJECTED"),
        (4, "S4", "REJECTED"),
    ]
    assert [(error.index, error.reference, error.message[:9]) for error in answer["errors"]] == [
        (1, None, "reference"),
        (3, "S3", "birthDate"),
        (3, "S3", "firstName"),
        (4, "S4", "end 2026-"),
    ]
    assert answer["errors"][1].line == 40


def test_what_is_wrong_in_a_later_slice_takes_the_earlier_ones_back(school):
    errors = replace(school, slice_length=2).refused(
        "students", [student("S1"), student("S2"), student("S3"), student("S1"), wrong("S4")]
    )

    assert [(error.index, error.code) for error in errors] == [
        (4, Code.DUPLICATE_REFERENCE),
        (5, Code.VALUES_CONTRADICT),
    ]
    assert school.rows("student") == {}


def test_with_keep_valid_every_rejected_item_has_its_error_in_the_answer(school):
    answer = school.sync("students", [wrong(f"S{number}") for number in range(130)], on_error="KEEP_VALID")

    assert {error.index for error in answer["errors"]} == set(range(1, 131))
    assert (answer["rejected"], len(answer["items"])) == (130, 130)


def test_a_reference_twice_is_an_error_on_the_second_and_the_third(school):
    twice = [student("S1"), student("S1", last_name="Kerjean"), student("S2"), student("S1")]

    answer = school.sync("students", twice, on_error="KEEP_VALID")

    assert [item["action"] for item in answer["items"]] == ["CREATED", "REJECTED", "CREATED", "REJECTED"]
    assert said(answer["errors"]) == [
        (2, Code.DUPLICATE_REFERENCE, "reference"),
        (4, Code.DUPLICATE_REFERENCE, "reference"),
    ]
    assert school.rows("student")["S1"]["last_name"] == "Le Goff"


def test_a_reference_is_twice_also_when_the_first_item_was_wrong(school):
    found = [Error(Code.SCHEMA_INVALID, "birthDate is no date.", index=1, reference="S1")]

    answer = school.sync("students", [student("S1"), student("S2")], on_error="KEEP_VALID", rejected=found)

    assert actions(answer) == [("S1", "REJECTED"), ("S1", "REJECTED"), ("S2", "CREATED")]
    assert answer["errors"][1].code == Code.DUPLICATE_REFERENCE


# Dry run -------------------------------------------------------------------------------------------------------


def test_a_dry_run_answers_as_the_real_call_and_stores_nothing(school):
    school.sync("students", students(8))
    before = school.rows("student")
    message = [student("S001"), student("S002", phone="123"), wrong("S003"), student("S900"), *students(8)[5:]]
    how = {"mode": "REPLACE", "on_error": "KEEP_VALID", "now": LATER}

    tried = school.sync("students", message, dry_run=True, **how)

    assert counts(tried) == {"received": 7, "created": 1, "updated": 1, "unchanged": 4, "removed": 2, "rejected": 1}
    assert school.rows("student") == before
    assert tried["dry_run"] is True
    assert {**school.sync("students", message, **how), "dry_run": True} == tried


def test_a_dry_run_is_refused_as_the_real_call_is(school):
    school.sync("students", students(7))

    assert said(school.refused("students", [], mode="REPLACE", dry_run=True)) == [
        (None, Code.REMOVAL_THRESHOLD, "maxRemovals")
    ]
    assert said(school.refused("students", [wrong("S1")], dry_run=True)) == [(1, Code.VALUES_CONTRADICT, "end")]


# Whose rows, and at what cost ----------------------------------------------------------------------------------


def test_an_account_neither_sees_nor_touches_the_rows_of_another(school, neighbour):
    school.sync("students", [student("S1", phone="123"), student("S2")])
    before = school.rows("student")

    assert actions(neighbour.sync("students", [student("S1")], mode="REPLACE", now=LATER)) == [("S1", "CREATED")]
    assert neighbour.rows("student")["S1"]["phone"] is None
    assert neighbour.sync("students", [], mode="REPLACE")["removed"] == 1
    assert school.rows("student") == before


@pytest.mark.parametrize("mode", ["UPSERT", "REPLACE"])
def test_the_number_of_statements_does_not_depend_on_the_number_of_items(school, mode):
    def statements(count: int, shift: int) -> int:
        issued = []
        people = [f"S{number:03}" for number in range(1, 101)]
        items = [course(f"C{number}", students=people, groups=["G1"]) for number in range(shift, shift + count)]
        listen = event.listens_for(school.engine, "before_cursor_execute")
        note = listen(lambda *arguments: issued.append(arguments))
        school.sync("courses", items, mode=mode, max_removals=1000)
        event.remove(school.engine, "before_cursor_execute", note)
        return len(issued)

    school.sync("students", [*students(100), student("S900", groups=["G1"])])

    few, many = statements(2, 0), statements(300, 1)  # one is missing, one is known, all others are new

    assert few == many - (mode == "REPLACE")  # to make one inactive takes a statement
    assert many < 10


def test_two_messages_of_one_account_take_their_turns(school):
    rounds, created, start = 10, [], Barrier(2)

    def send() -> None:
        for number in range(rounds):
            start.wait(30)
            created.append(school.sync("students", [student(f"S{number}")])["created"])

    senders = [Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)

    assert len(created) == 2 * rounds
    assert sum(created) == rounds


@pytest.mark.parametrize("order", [[1, 2, 3, 4, 5, 6, 2], [9, 8, 7, 10, 11, 3, 8], [1, 2, 10, 100, 3, 4, 100]])
def test_a_reference_that_comes_again_in_any_later_slice_is_told_whatever_the_order(school, order):
    items = [student(f"S-{number}") for number in order]

    errors = replace(school, slice_length=2).refused("students", items)

    assert [(error.code, error.index, error.reference) for error in errors] == [
        (Code.DUPLICATE_REFERENCE, 7, f"S-{order[-1]}")
    ]
