"""What a REPLACE does with the rows that a message lacks."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from paraphe.accounts import Account
from paraphe.context import Context
from paraphe.errors import Code, Error

from .sync_support import LATER, School, actions, counts, said, student, students


@pytest.fixture
def school(engine: Engine, account: Account, context: Callable[..., Context]) -> School:
    return School(engine, account, context)


def wrong(reference: str) -> dict[str, Any]:
    return student(reference, start=date(2026, 9, 2), end=date(2026, 9, 1))


def test_an_upsert_removes_nothing(school):
    school.sync("students", students(3))

    school.sync("students", [student("S001")], mode="UPSERT", max_removals=100)

    assert school.active("student") == ["S001", "S002", "S003"]


def test_what_is_missing_becomes_inactive_and_is_reported_last_and_sorted(school):
    school.sync("students", [student("S3"), student("S10"), student("S1")])

    answer = school.sync("students", [student("S9"), student("S1")], mode="REPLACE")

    assert counts(answer) == {"received": 2, "created": 1, "unchanged": 1, "removed": 2}
    assert actions(answer) == [("S9", "CREATED"), ("S1", "UNCHANGED"), ("S10", "REMOVED"), ("S3", "REMOVED")]
    assert all("index" not in item for item in answer["items"][2:])


def test_what_is_removed_is_never_deleted(school):
    school.sync("students", [student("S1", phone="123"), student("S2")])

    school.sync("students", [student("S2")], mode="REPLACE", now=LATER)

    row = school.rows("student")["S1"]
    assert (row["active"], row["phone"], row["modified_on"]) == (False, "123", LATER)


def test_what_is_inactive_already_is_not_removed_again(school):
    school.sync("students", students(2))
    school.sync("students", [student("S001")], mode="REPLACE")
    before = school.rows("student")

    assert counts(school.sync("students", [student("S001")], mode="REPLACE", now=LATER)) == {
        "received": 1,
        "unchanged": 1,
    }
    assert school.rows("student") == before


def test_what_comes_back_is_updated_and_has_all_it_held(school):
    school.sync("students", [student("S1", phone="123")])
    school.sync("students", [], mode="REPLACE")

    assert actions(school.sync("students", [student("S1")], now=LATER)) == [("S1", "UPDATED")]
    row = school.rows("student")["S1"]
    assert (row["active"], row["phone"], row["modified_on"]) == (True, "123", LATER)


# Too many removals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("active", "most"), [(5, 5), (6, 5), (59, 5), (60, 6), (109, 10)])
def test_without_max_removals_five_or_a_tenth_of_the_active_rows_may_go(school, active, most):
    school.sync("students", students(active))

    if most < active:
        (error,) = school.refused("students", students(active - most - 1), mode="REPLACE")
        assert (error.code, error.field) == (Code.REMOVAL_THRESHOLD, "maxRemovals")
        assert f"{most + 1} of {active} students" in error.message
        assert f"at most {most} " in error.message
        assert f"maxRemovals {most + 1}" in (error.hint or "")
    assert school.sync("students", students(active - most), mode="REPLACE")["removed"] == most


def test_inactive_rows_do_not_count_for_the_threshold(school):
    school.sync("students", students(100))
    school.sync("students", students(50), mode="REPLACE", max_removals=50)

    assert "6 of 50 students" in school.refused("students", students(44), mode="REPLACE")[0].message


def test_too_many_removals_store_nothing_of_the_message(school):
    school.sync("students", students(20))
    before = school.rows("student")

    school.refused("students", [student("S001", phone="123"), student("S900")], mode="REPLACE", now=LATER)

    assert school.rows("student") == before


def test_max_removals_allows_more_or_fewer(school):
    school.sync("students", students(20))

    assert said(school.refused("students", students(19), mode="REPLACE", max_removals=0)) == [
        (None, Code.REMOVAL_THRESHOLD, "maxRemovals")
    ]
    assert school.sync("students", [], mode="REPLACE", max_removals=20)["removed"] == 20


@pytest.mark.parametrize("mode", ["UPSERT", "REPLACE"])
def test_max_removals_is_not_negative(school, mode):
    errors = school.refused("students", students(1), mode=mode, max_removals=-1)

    assert said(errors) == [(None, Code.VALUE_OUT_OF_RANGE, "maxRemovals")]


# Wrong items in a REPLACE --------------------------------------------------------------------------------------


def test_a_rejected_item_is_never_a_removal(school):
    school.sync("students", students(3))
    before = school.rows("student")
    found = [Error(Code.SCHEMA_INVALID, "birthDate is no date.", index=2, reference="S002")]

    answer = school.sync(
        "students", [wrong("S001")], mode="REPLACE", on_error="KEEP_VALID", rejected=found, max_removals=1
    )

    assert actions(answer) == [("S001", "REJECTED"), ("S002", "REJECTED"), ("S003", "REMOVED")]
    assert school.active("student") == ["S001", "S002"]
    assert [school.rows("student")[reference] for reference in ("S001", "S002")] == [before["S001"], before["S002"]]


def test_an_inactive_row_stays_inactive_when_its_item_is_rejected(school):
    school.sync("students", students(1))
    school.sync("students", [], mode="REPLACE")

    school.sync("students", [wrong("S001")], mode="REPLACE", on_error="KEEP_VALID")

    assert school.active("student") == []


def test_a_replace_with_a_reference_that_cannot_be_read_is_refused_whole(school):
    school.sync("students", students(2))
    found = [Error(Code.SCHEMA_INVALID, "reference is too long.", index=2, field="reference")]
    items = [student("S001", phone="123"), wrong("S002")]

    errors = school.refused("students", items, mode="REPLACE", on_error="KEEP_VALID", rejected=found)

    assert said(errors) == [
        (2, Code.VALUE_REQUIRED, "reference"),
        (2, Code.SCHEMA_INVALID, "reference"),
        (3, Code.VALUES_CONTRADICT, "end"),
    ]
    assert school.rows("student")["S001"]["phone"] is None


def test_an_upsert_takes_the_others_when_a_reference_cannot_be_read(school):
    found = [Error(Code.SCHEMA_INVALID, "reference is too long.", index=1, field="reference")]

    answer = school.sync("students", [student("S1")], on_error="KEEP_VALID", rejected=found)

    assert counts(answer) == {"received": 2, "created": 1, "rejected": 1}
