"""KEEP_VALID, REMOVAL_THRESHOLD and what else the Sync operations promise; asked of students and rooms."""

import pytest

from paraphe import store

from .cast import classroom, send, student
from .house import codes
from .questions import counts

GOOD = "<student><reference>S{}</reference><lastName>A</lastName><firstName>B</firstName></student>"
BAD = GOOD.replace("</firstName>", "</firstName><birthDate>never</birthDate>")


def keep_valid(*items, mode=""):
    inside = "".join(item.format(number) for number, item in enumerate(items, 1))
    return f"<SyncStudents>{mode}<onError>KEEP_VALID</onError><students>{inside}</students></SyncStudents>"


# KEEP_VALID ----------------------------------------------------------------------------------------------------


def test_keep_valid_stores_the_items_that_follow_the_schema(caller):
    reply = caller.post(keep_valid(GOOD, BAD, GOOD, BAD, GOOD))

    assert reply.text("returnCode") == "200 OK"
    assert [reply.text(name) for name in ("received", "created", "rejected")] == ["5", "3", "2"]
    assert {error["index"] for error in reply.errors} == {"2", "4"}
    assert {error["reference"] for error in reply.errors} == {"S2", "S4"}
    assert caller.house.count(store.student, caller.account) == 3


def test_errors_of_rejected_items_name_the_place_in_the_message_as_it_was_sent(caller):
    reply = caller.post(keep_valid(BAD, GOOD, BAD))

    assert [error["path"] for error in reply.errors] == [
        "/SyncStudents/students/student[1]/birthDate",
        "/SyncStudents/students/student[3]/birthDate",
    ]


def test_the_items_of_the_answer_stand_in_the_order_of_the_message(caller):
    reply = caller.post(keep_valid(GOOD, BAD, GOOD))

    actions = [(item.findtext("{*}index"), item.findtext("{*}action")) for item in reply.all("items/item")]
    assert actions == [("1", "CREATED"), ("2", "REJECTED"), ("3", "CREATED")]


def test_keep_valid_rejects_what_breaks_a_rule_too(caller):
    answer = send(caller, "classrooms", classroom(1), classroom(2, capacity=-1), classroom(1), onError="KEEP_VALID")

    assert counts(answer) == {"received": 3, "created": 1, "rejected": 2}
    assert [(error.index, error.code) for error in answer.errors.error] == [
        (2, "VALUE_OUT_OF_RANGE"),
        (3, "DUPLICATE_REFERENCE"),
    ]


def test_keep_valid_counts_both_kinds_of_wrong_items_together(caller):
    impossible = (
        "<student><reference>S{}</reference><lastName>A</lastName><firstName>B</firstName>"
        "<start>2026-09-02</start><end>2026-09-01</end></student>"
    )
    reply = caller.post(keep_valid(impossible, BAD, GOOD))

    assert [reply.text(name) for name in ("created", "rejected")] == ["1", "2"]
    assert [error["index"] for error in reply.errors] == sorted(error["index"] for error in reply.errors)


def test_with_keep_valid_an_error_outside_the_items_is_still_a_fault(caller):
    reply = caller.post(keep_valid(GOOD, BAD).replace("<onError>", "<mode>MERGE</mode><onError>"))

    assert reply.is_fault
    assert "SCHEMA_INVALID" in reply.codes
    assert caller.house.count(store.student, caller.account) == 0


def test_without_keep_valid_the_same_message_is_a_fault(caller):
    reply = caller.post(keep_valid(GOOD, BAD).replace("<onError>KEEP_VALID</onError>", ""))

    assert reply.is_fault
    assert caller.house.count(store.student, caller.account) == 0


def test_a_value_that_nobody_can_read_rejects_its_item_only(caller):
    unreadable = GOOD.replace("</firstName>", "</firstName><birthDate>12026-01-01</birthDate>")

    reply = caller.post(keep_valid(GOOD, unreadable, GOOD))

    assert [reply.text(name) for name in ("created", "rejected")] == ["2", "1"]
    assert reply.codes == ["VALUE_OUT_OF_RANGE"]


def test_a_rejected_item_is_not_removed_by_the_replacement_that_names_it(caller):
    send(caller, "students", student(1, reference="S1"), student(2, reference="S2"))

    reply = caller.post(keep_valid(GOOD, BAD, mode="<mode>REPLACE</mode>"))

    assert (reply.text("removed"), reply.text("rejected")) == ("0", "1")
    active = store.student.select().where(store.student.c.account_id == caller.account.id, store.student.c.active)
    assert len(caller.house.rows(active)) == 2


def test_the_message_of_the_fixtures_keeps_its_valid_items(caller):
    reply = caller.fixture("SyncStudents", "keep-valid")

    assert reply.ok
    assert reply.text("rejected") == "1"
    assert reply.text("created") != "0"


# REMOVAL_THRESHOLD ---------------------------------------------------------------------------------------------


def school(caller, size):
    send(caller, "students", *map(student, range(1, size + 1)))


def replace(caller, first, last, **said):
    return send(caller, "students", *map(student, range(first, last + 1)), mode="REPLACE", **said)


@pytest.mark.parametrize(("size", "removed", "stored"), [(20, 5, True), (20, 6, False), (80, 8, True), (80, 9, False)])
def test_a_replacement_may_remove_five_or_a_tenth(caller, size, removed, stored):
    school(caller, size)

    answer = replace(caller, removed + 1, size)

    assert (answer.returnCode, codes(answer)) == (("200 OK", []) if stored else ("500 ERROR", ["REMOVAL_THRESHOLD"]))
    active = store.student.select().where(store.student.c.account_id == caller.account.id, store.student.c.active)
    assert len(caller.house.rows(active)) == (size - removed if stored else size)


def test_the_refusal_says_how_many_it_would_have_been(caller):
    school(caller, 20)

    answer = replace(caller, 13, 20)

    assert "12" in answer.errors.error[0].message
    assert "maxRemovals 12" in answer.errors.error[0].hint


def test_max_removals_allows_more_or_less(caller):
    school(caller, 20)

    assert codes(replace(caller, 2, 20, maxRemovals=0)) == ["REMOVAL_THRESHOLD"]
    assert replace(caller, 13, 20, maxRemovals=12).removed == 12


def test_a_dry_run_is_refused_as_the_real_one_would_be(caller):
    school(caller, 20)

    assert codes(replace(caller, 13, 20, dryRun=True)) == ["REMOVAL_THRESHOLD"]


def test_an_empty_replacement_of_a_school_is_refused(caller):
    school(caller, 20)

    assert codes(send(caller, "students", mode="REPLACE")) == ["REMOVAL_THRESHOLD"]


def test_half_of_the_school_of_the_fixtures_is_refused(caller):
    caller.fixture("SyncStudents")

    assert caller.fixture("SyncStudents", "removal-threshold").codes == ["REMOVAL_THRESHOLD"]


def test_the_table_of_october_is_tried_and_then_done(caller):
    caller.fixture("SyncStudents")
    dry, real = caller.fixture("SyncStudents", "dry-run"), caller.fixture("SyncStudents", "replace")

    names = ("created", "updated", "unchanged", "removed")
    assert [dry.text(name) for name in names] == [real.text(name) for name in names]
    assert (dry.text("dryRun"), real.text("removed")) == ("true", "2")


# Values --------------------------------------------------------------------------------------------------------


def test_what_was_removed_comes_back_with_all_it_held(caller):
    send(caller, "students", student(1, phone="01 99 00 12 34"), student(2))
    replace(caller, 2, 2)

    back = send(caller, "students", {"reference": "STU-0001", "lastName": "Le Goff", "firstName": "Aurélie 1"})

    assert back.items.item[0].action == "UPDATED"
    mine = store.student.c.account_id == caller.account.id
    ((phone,),) = caller.house.rows(
        store.student.select()
        .with_only_columns(store.student.c.phone)
        .where(mine, store.student.c.reference == "STU-0001")
    )
    assert phone == "01 99 00 12 34"


def test_a_reference_twice_in_the_fixtures_is_an_error_on_the_second(caller):
    reply = caller.fixture("SyncStudents", "duplicate-reference")

    assert reply.codes == ["DUPLICATE_REFERENCE"]
    assert int(reply.errors[0]["index"]) > 1


def test_a_telephone_is_emptied_on_purpose_by_the_fixtures(caller):
    caller.fixture("SyncStudents")

    assert caller.fixture("SyncStudents", "clear-fields").text("updated") == "1"


@pytest.mark.parametrize(("name", "code"), [("lastName", "UNKNOWN_FIELD"), ("nonsense", "UNKNOWN_FIELD")])
def test_what_cannot_be_cleared_is_an_error(caller, name, code):
    answer = send(caller, "students", student(1, clearFields={"fieldName": [name]}))

    assert [(error.index, error.field, error.code) for error in answer.errors.error] == [(1, "clearFields", code)]


def test_white_space_around_a_reference_is_dropped(caller):
    send(caller, "students", student(1))

    assert send(caller, "students", student(1, reference="  STU-0001 ")).unchanged == 1


def test_a_negative_number_of_removals_is_refused(caller):
    assert codes(replace(caller, 1, 1, maxRemovals=-1)) == ["VALUE_OUT_OF_RANGE"]
