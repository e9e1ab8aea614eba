"""What must hold for each kind of item, beyond the schema."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from paraphe import contract
from paraphe.accounts import Account
from paraphe.context import Context
from paraphe.errors import Code
from paraphe.work.sync_rules import RANGES

from .sync_support import LATER, School, actions, counts, course, said, student


@pytest.fixture
def school(engine: Engine, account: Account, context: Callable[..., Context]) -> School:
    return School(engine, account, context)


@pytest.fixture
def neighbour(school: School, other_account: Account) -> School:
    return school.of(other_account)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


MORNING = datetime(2026, 9, 14, 7, tzinfo=UTC)
AUTUMN, SPRING = date(2026, 9, 1), date(2027, 3, 1)


@pytest.mark.parametrize("field", RANGES)
def test_the_ranges_are_those_that_the_schema_documents(field):
    kind = contract.complex_type("Classroom" if field == "capacity" else "Course")
    (documentation,) = [each.documentation for each in kind.fields if each.name == field]

    assert "{} to {}".format(*RANGES[field]) in documentation


# People --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["students", "teachers", "contacts"])
def test_an_end_is_not_before_its_start(school, operation):
    person = {**student("P1"), "type": "TUTOR"} if operation == "contacts" else student("P1")

    errors = school.refused(operation, [{**person, "start": SPRING, "end": AUTUMN}])

    assert said(errors) == [(1, Code.VALUES_CONTRADICT, "end")]
    assert school.sync(operation, [{**person, "start": AUTUMN, "end": AUTUMN}])["created"] == 1


def test_an_end_alone_is_held_against_the_stored_start(school):
    school.sync("students", [student("S1", start=SPRING)])

    (error,) = school.refused("students", [student("S1", end=AUTUMN)])

    assert (error.code, error.field) == (Code.VALUES_CONTRADICT, "end")
    assert error.message == "end 2026-09-01 (sent) is before start 2027-03-01 (stored)."


def test_a_start_alone_is_held_against_the_stored_end(school):
    school.sync("students", [student("S1", end=AUTUMN)])

    (error,) = school.refused("students", [student("S1", start=SPRING)])

    assert (error.code, error.field) == (Code.VALUES_CONTRADICT, "start")
    assert error.message == "end 2026-09-01 (stored) is before start 2027-03-01 (sent)."


def test_a_stored_end_may_be_cleared_with_a_later_start(school):
    school.sync("students", [student("S1", end=AUTUMN)])

    assert school.sync("students", [student("S1", start=SPRING, clear_fields=["end"])])["updated"] == 1


@pytest.mark.parametrize("born", [date(1, 1, 1), date(1899, 12, 31), date(2026, 9, 15)])
def test_nobody_is_born_tomorrow_or_before_1900(school, born):
    errors = school.refused("students", [student("S1", birth_date=born)])

    assert said(errors) == [(1, Code.VALUE_OUT_OF_RANGE, "birthDate")]
    assert errors[0].value == born.isoformat()


def test_a_start_that_a_program_never_set_is_out_of_range(school):
    errors = school.refused("teachers", [student("T1", start=date(1, 1, 1))])

    assert said(errors) == [(1, Code.VALUE_OUT_OF_RANGE, "start")]


# Contacts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [{"organisation": "OPCO Horizon"}, {"last_name": "Martin"}])
def test_a_contact_has_an_organisation_or_a_last_name(school, name):
    contact = {"reference": "C1", "type": "OPCO"}

    assert said(school.refused("contacts", [contact])) == [(1, Code.VALUE_REQUIRED, "organisation")]
    assert school.sync("contacts", [{**contact, **name}])["created"] == 1
    assert school.sync("contacts", [contact])["unchanged"] == 1


def test_a_contact_keeps_one_of_its_names(school):
    school.sync("contacts", [{"reference": "C1", "type": "OPCO", "organisation": "OPCO Horizon"}])
    cleared = {"reference": "C1", "type": "OPCO", "clear_fields": ["organisation"]}

    assert said(school.refused("contacts", [cleared])) == [(1, Code.VALUE_REQUIRED, "organisation")]
    assert school.sync("contacts", [{**cleared, "last_name": "Martin"}])["updated"] == 1


# Rooms ---------------------------------------------------------------------------------------------------------


def test_a_new_room_needs_a_name_and_a_known_one_keeps_it(school):
    assert said(school.refused("classrooms", [{"reference": "R1"}])) == [(1, Code.VALUE_REQUIRED, "name")]

    school.sync("classrooms", [{"reference": "R1", "name": "Salle Ada Lovelace"}])

    assert school.sync("classrooms", [{"reference": "R1", "capacity": 16}])["updated"] == 1
    assert school.rows("classroom")["R1"]["name"] == "Salle Ada Lovelace"
    cleared = {"reference": "R1", "clear_fields": ["name"]}
    assert said(school.refused("classrooms", [cleared])) == [(1, Code.VALUE_REQUIRED, "name")]


@pytest.mark.parametrize(("capacity", "possible"), [(-1, False), (0, True), (100_000, True), (100_001, False)])
def test_the_seats_of_a_room_are_0_to_100000(school, capacity, possible):
    room = {"reference": "R1", "name": "Salle Ada Lovelace", "capacity": capacity}

    if possible:
        assert school.sync("classrooms", [room])["created"] == 1
    else:
        assert said(school.refused("classrooms", [room])) == [(1, Code.VALUE_OUT_OF_RANGE, "capacity")]


def test_a_site_comes_alone(school):
    site = {"reference": "N", "type": "SITE", "name": "Nantes Centre"}

    errors = school.refused("classrooms", [site, {**site, "reference": "M", "site_reference": "N"}])

    assert said(errors) == [(2, Code.VALUES_CONTRADICT, "siteReference")]


def test_a_room_becomes_a_site_when_its_site_is_cleared(school):
    school.sync("classrooms", [{"reference": "N", "name": "Nantes", "site_reference": "W"}])
    site = {"reference": "N", "type": "SITE"}

    assert said(school.refused("classrooms", [site])) == [(1, Code.VALUES_CONTRADICT, "siteReference")]
    assert school.sync("classrooms", [{**site, "clear_fields": ["siteReference"]}])["updated"] == 1


# When a course is ----------------------------------------------------------------------------------------------


def test_the_day_of_a_course_is_that_of_its_start_where_the_account_is(school):
    late = {"start": datetime(2026, 9, 14, 22, 30, tzinfo=UTC), "end": datetime(2026, 9, 14, 23, tzinfo=UTC)}

    school.sync("courses", [course("C1", **late), course("C2", **late, date=date(2026, 9, 15))])

    assert [row["date"] for row in school.rows("course").values()] == [date(2026, 9, 15)] * 2
    assert school.rows("course")["C1"]["start"] == late["start"]


def test_a_course_sent_with_another_offset_is_unchanged(school):
    school.sync("courses", [course("C1")])

    elsewhere = course("C1", start=MORNING.astimezone(ZoneInfo("Europe/Paris")))
    assert counts(school.sync("courses", [elsewhere], now=LATER)) == {"received": 1, "unchanged": 1}


def test_a_course_that_moves_takes_its_day_along(school):
    school.sync("courses", [course("C1")])

    school.sync("courses", [course("C1", start=MORNING + minutes(1440), end=MORNING + minutes(1500))])

    assert school.rows("course")["C1"]["date"] == date(2026, 9, 15)


def test_a_date_that_is_not_the_day_of_start_contradicts(school):
    errors = school.refused("courses", [course("C1", date=date(2026, 9, 15))])

    assert said(errors) == [(1, Code.VALUES_CONTRADICT, "date")]


@pytest.mark.parametrize(
    ("length", "code"),
    [
        (-1, Code.VALUES_CONTRADICT),
        (0, Code.VALUES_CONTRADICT),
        (1, None),
        (1440, None),
        (1441, Code.VALUE_OUT_OF_RANGE),
    ],
)
def test_a_course_ends_after_its_start_and_within_24_hours(school, length, code):
    sitting = course("C1", start=MORNING, end=MORNING + minutes(length))

    if code:
        assert said(school.refused("courses", [sitting])) == [(1, code, "end")]
    else:
        assert school.sync("courses", [sitting])["created"] == 1


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_a_course_in_an_impossible_year_is_out_of_range(school, year):
    start = datetime(year, 12, 31, 12, tzinfo=UTC)

    errors = school.refused("courses", [course("C1", start=start, end=start + minutes(60))])

    assert said(errors) == [(1, Code.VALUE_OUT_OF_RANGE, "start")]


@pytest.mark.parametrize(
    ("key", "field", "most"),
    [
        ("break_minutes", "breakMinutes", 1440),
        ("signature_opens_before", "signatureOpensBefore", 1440),
        ("signature_closes_after", "signatureClosesAfter", 10_080),
    ],
)
def test_minutes_stay_in_their_range(school, key, field, most):
    items = [course(f"C{number}", **{key: number}) for number in (-1, 0, most, most + 1)]

    assert said(school.refused("courses", items)) == [
        (1, Code.VALUE_OUT_OF_RANGE, field),
        (4, Code.VALUE_OUT_OF_RANGE, field),
    ]


# Whom and what a course names ----------------------------------------------------------------------------------


@pytest.fixture
def campus(school: School) -> School:
    """A school that has sent a student in group G1, a teacher and a room."""
    school.sync("students", [student("S1", groups=["G1"])])
    school.sync("teachers", [student("T1")])
    school.sync("classrooms", [{"reference": "R1", "name": "Salle Ada Lovelace"}])
    return school


EVERYTHING = {"students": ["S1"], "teachers": ["T1"], "classroom": "R1", "groups": ["G1"]}


def test_a_course_may_name_all_that_the_account_knows(campus):
    assert campus.sync("courses", [course("C1", **EVERYTHING)])["created"] == 1


@pytest.mark.parametrize("field", EVERYTHING)
def test_an_unknown_reference_is_named_with_its_field(campus, field):
    unknown = "X9" if field == "classroom" else [*EVERYTHING[field], "X9"]

    (error,) = campus.refused("courses", [course("C1", **EVERYTHING), course("C2", **{field: unknown})])

    assert said([error]) == [(2, Code.UNKNOWN_REFERENCE, field)]
    assert error.value == "X9"
    assert "X9" in error.message


def test_each_unknown_reference_is_an_error_of_its_own(campus):
    errors = campus.refused("courses", [course("C1", students=["X1", "S1", "X2", "X1"], teachers=["S1"])])

    assert [(error.field, error.value) for error in errors] == [
        ("teachers", "S1"),
        ("students", "X1"),
        ("students", "X2"),
    ]


@pytest.mark.parametrize("field", EVERYTHING)
def test_what_another_account_knows_is_unknown(campus, neighbour, field):
    errors = neighbour.refused("courses", [course("C1", **{field: EVERYTHING[field]})])

    assert said(errors) == [(1, Code.UNKNOWN_REFERENCE, field)]


def test_what_became_inactive_is_known(campus):
    for operation in ("students", "teachers", "classrooms"):
        campus.sync(operation, [], mode="REPLACE")

    assert campus.sync("courses", [course("C1", **EVERYTHING)])["created"] == 1


def test_a_group_that_no_student_has_any_more_is_unknown(campus):
    campus.sync("students", [student("S1", groups=["G2"])])

    assert said(campus.refused("courses", [course("C1", groups=["G1"])])) == [(1, Code.UNKNOWN_REFERENCE, "groups")]


def test_what_is_stored_and_not_sent_is_not_asked_again(campus):
    campus.sync("courses", [course("C1", groups=["G1"])])
    campus.sync("students", [student("S1", groups=["G2"])])

    assert actions(campus.sync("courses", [course("C1", module="SQL")])) == [("C1", "UPDATED")]


def test_only_the_course_that_names_the_unknown_is_rejected(campus):
    items = [course("C1", students=["S1"]), course("C2", students=["X9"])]

    answer = campus.sync("courses", items, on_error="KEEP_VALID")

    assert actions(answer) == [("C1", "CREATED"), ("C2", "REJECTED")]


def test_a_reference_twice_in_one_list_is_kept_once(campus):
    campus.sync("students", [student("S2")])

    campus.sync("courses", [course("C1", students=["S2", "S1", "S2"])])

    assert campus.rows("course")["C1"]["students"] == '["S2","S1"]'


def test_a_remote_course_needs_no_room(school):
    assert school.sync("courses", [course("C1", modality="REMOTE_SYNC")])["created"] == 1
