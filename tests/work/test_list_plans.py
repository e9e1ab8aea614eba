"""Lists find what they are asked for by an index, on both databases: after years as fast as on the first day."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event, text

from paraphe import store
from paraphe.work import participants
from paraphe.work.filing import create
from paraphe.work.paging import cursor_at
from paraphe.work.record_list import get_record_list
from paraphe.work.signatures import get_signature_list, record_attendance

from .cast import INVOICE, NOW, add_courses, add_people, caller

SINCE = {"modified_since": NOW - timedelta(days=1)}
DAY = {"period_start": date(2026, 9, 14), "period_end": date(2026, 9, 14)}


@pytest.fixture
def call(engine, account, context):
    add_people(engine, account, store.student, ["S1"])
    add_people(engine, account, store.teacher, ["T1"])
    add_courses(engine, account, ["C1", "C2"])
    call = caller(engine, context)
    call(
        record_attendance,
        [
            {"course_reference": course, "person_type": kind, "person_reference": person, "status": "PRESENT"}
            for course in ("C1", "C2")
            for kind, person in (("STUDENT", "S1"), ("TEACHER", "T1"))
        ],
    )
    for _ in range(3):
        call(lambda context, _: create(context, INVOICE, "READY"))
    return call


@pytest.fixture
def plans(engine, call):
    """Give `plans(work, question)`: how the database would run each of the statements, were there many rows."""

    def explained(work, question):
        asked = []

        def see(connection, cursor, statement, parameters, *_):
            asked.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", see)
        call(work, question)
        event.remove(engine, "before_cursor_execute", see)
        with engine.connect() as connection:  # never committed
            if engine.dialect.name == "postgresql":
                # What earlier tests left of statistics, whenever the server took them, decides about few rows.
                connection.execute(text("DELETE FROM pg_statistic"))
                connection.execute(
                    text("UPDATE pg_class SET relpages = 0, reltuples = -1 WHERE relnamespace = 'public'::regnamespace")
                )
                for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):  # which few rows would be read by
                    connection.execute(text(f"SET LOCAL enable_{way} = off"))
            return [_plan(connection, statement, parameters) for statement, parameters in asked]

    return explained


def _plan(connection, statement, parameters):
    explain = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    rows = connection.exec_driver_sql(explain + statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


NAMES = {
    "revision": ("uq_attendance_account_id_revision", "sqlite_autoindex_attendance_1 (account_id=? AND revision>?)"),
    "course": ("ix_attendance_course", "ix_attendance_course (course_id=? AND revision>?)"),
    "person": (
        "ix_attendance_person",
        "ix_attendance_person (account_id=? AND person_type=? AND person_reference=? AND revision>?)",
    ),
    "status": ("ix_attendance_status", "ix_attendance_status (account_id=? AND status=? AND revision>?)"),
    "waiting": ("ix_record_to_extract", "ix_record_to_extract (account_id=? AND id>?"),
    "all": ("ix_record_account", "ix_record_account (account_id=? AND id>?"),
    "waiting by status": ("ix_record_status_to_extract", "ix_record_status_to_extract (account_id=? AND status=?"),
    "created": ("ix_record_created", "ix_record_created (account_id=? AND created_on>?)"),
    "invoice": ("ix_record_invoice_number", "ix_record_invoice_number (account_id=? AND invoice_number=?"),
}


def by(engine, name):
    return NAMES[name][engine.dialect.name == "sqlite"]


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ({"cursor": cursor_at("s1", 2)}, "revision"),
        (SINCE, "revision"),
        (SINCE | {"course_reference": "C1"}, "course"),
        (SINCE | {"student_reference": "S1"}, "person"),
        (SINCE | {"student_reference": "S1", "teacher_reference": "T1"}, "person"),
        (SINCE | {"status": "EXCUSED"}, "status"),
        (DAY, "course"),
        (DAY | {"student_reference": "S1"}, "person"),
    ],
)
def test_participants_are_found_by_the_index_of_what_is_asked_for(engine, plans, question, index):
    last = plans(get_signature_list, question)[-1]

    assert by(engine, index) in last
    assert "SCAN attendance" not in last


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL weighs this by what is in the tables
def test_participants_of_a_long_period_are_found_in_the_order_of_their_changes(engine, plans, monkeypatch):
    monkeypatch.setattr(participants, "FEW_COURSES", 0)

    assert by(engine, "revision") in plans(get_signature_list, DAY)[-1]


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ({"limit": 1}, "waiting"),
        ({"limit": 1, "cursor": cursor_at("r1", "2026-000001")}, "waiting"),
        ({"limit": 1, "include_extracted": True}, "all"),
        ({"limit": 1, "status": "NEEDS_REVIEW"}, "waiting by status"),
        ({"limit": 1, "status": "READY"}, "waiting by status"),
    ],
)
def test_records_are_found_by_the_index_of_what_is_asked_for(engine, plans, question, index):
    told = plans(get_record_list, question)

    assert any(by(engine, index) in plan for plan in told)
    assert not any("SCAN record" in plan or "Seq Scan on record" in plan for plan in told)
    assert not any("pk_record" in plan for plan in told)


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ({"limit": 1, "invoice_number": "FAC-2026-041"}, "invoice"),
        ({"limit": 1, "created_from": NOW - timedelta(days=1)}, "created"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL weighs this by what is in the tables
def test_sqlite_finds_records_of_a_number_or_a_time_by_an_index(engine, plans, question, index):
    told = plans(get_record_list, question)

    assert any(by(engine, index) in plan for plan in told)
    assert not any("SCAN record" in plan for plan in told)


@pytest.mark.parametrize(
    "question", [{"limit": 1}, {"limit": 1, "include_extracted": True}, {"limit": 1, "status": "READY"}]
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_remains_is_counted_without_a_look_at_the_records(plans, question):
    assert "COVERING INDEX" in plans(get_record_list, question)[-1]


# Whichever index it is, the answer is the same -----------------------------------------------------------------


@pytest.mark.parametrize("few", [0, 2000])
@pytest.mark.parametrize(
    "people", [{}, {"student_reference": "S1"}, {"student_reference": "S1", "teacher_reference": "T1"}]
)
def test_a_period_is_paged_alike_whether_its_courses_are_many_or_few(call, monkeypatch, few, people):
    monkeypatch.setattr(participants, "FEW_COURSES", few)
    question = {"period_start": date(2026, 9, 14), "period_end": date(2026, 9, 15), "limit": 1, **people}
    found = []
    answer = call(get_signature_list, question)
    while answer["courses"]:
        found += [(each["course_reference"], each["participants"][0]["person_reference"]) for each in answer["courses"]]
        answer = call(get_signature_list, question | {"cursor": answer["next_cursor"]})

    asked = ["S1"] if len(people) == 1 else ["S1", "T1"]
    assert found == [(course, person) for course in ("C1", "C2") for person in asked]
