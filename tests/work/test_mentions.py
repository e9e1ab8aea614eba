"""Data that papers state changes: they are made anew as a new version; what they do not state costs next to nothing."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from paraphe import store
from paraphe.work import jobs, sync
from paraphe.work.handlers import JOBS
from paraphe.work.signatures import record_attendance
from paraphe.work.workers import Workplace, do

from .cast import NOW, add_people, caller, index, statements
from .sync_support import columns
from .test_preparing import ALL, DAYS, LATER, PEOPLE, centre, inform, kinds, signed, text

pytestmark = pytest.mark.slow

__all__ = ["centre"]
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def call(engine, context, centre):
    """An account with a room, an employer, a group, and two mornings that were signed."""
    call = caller(engine, context, account=centre)
    call(record_attendance, [signed(day, kind, person) for day in DAYS for kind, person in PEOPLE])
    synced(call, "classrooms", reference="R-1", name="Salle 12")
    synced(call, "contacts", reference="EMP-1", type="EMPLOYER", organisation="Erdre & Fils")
    synced(call, "students", reference="STU-1", employer="EMP-1", groups=["G-1"])
    for day in DAYS:
        synced(call, "courses", reference=day, classroom="R-1", teachers=["TEA-1"], students=["STU-1"])
    return call


@pytest.fixture
def work(engine, archive, addresses):
    """Give `work()`: have the jobs of the queue done until none is left; returns how often papers were made."""
    workplace = Workplace(engine, archive, addresses, lambda: NOW)

    def done():
        count = 0
        while (job := jobs.take(engine, "W-1", LATER)) is not None:
            do(workplace, job, JOBS[job.kind])
            count += job.kind is jobs.Kind.PREPARE
        return count

    return done


@pytest.fixture
def record(call, work):
    """A record whose papers are made."""
    inform(call)
    work()
    return index(call)


def synced(call, key, mode="UPSERT", **item):
    """Send one item; what a table must have and the test does not say is what is stored already."""
    needed = {"students": _NAMED, "teachers": _NAMED, "contacts": {"type": "EMPLOYER"}, "courses": {}}.get(key, {})
    request = {key: [columns([needed | item])], "mode": mode}
    return call(getattr(sync, key), request)


_NAMED = {"last_name": "Le Goff STU-1", "first_name": "Ada"}
MORNING: dict[str, Any] = {"date": date(2026, 9, 21), "start": datetime(2026, 9, 21, 7, tzinfo=UTC)}
MORNING |= {"end": datetime(2026, 9, 21, 10, tzinfo=UTC), "name": "Mise à niveau"}
STATED: dict[str, tuple[str, dict[str, Any]]] = {
    "the name of a trainee": ("students", {"reference": "STU-1", "last_name": "Le Goff-Kerbrat"}),
    "the employer of a trainee": ("students", {"reference": "STU-1", "employer": "EMP-2"}),
    "the name of a trainer": ("teachers", {"reference": "TEA-1", "last_name": "Durand"}),
    "the name of a room": ("classrooms", {"reference": "R-1", "name": "Salle 14"}),
    "the name of an employer": ("contacts", {"reference": "EMP-1", "organisation": "Erdre & Filles"}),
    "the length of a course": ("courses", {"reference": "CRS-1", "break_minutes": 30}),
    "a course that is cancelled": ("courses", {"reference": "CRS-1", "cancelled": True}),
    "another course of the trainee": ("courses", MORNING | {"reference": "CRS-7", "students": ["STU-1"]}),
    "another course of the group": ("courses", MORNING | {"reference": "CRS-7", "groups": ["G-1"]}),
}
NOT_STATED: dict[str, tuple[str, dict[str, Any]]] = {
    "the telephone of a trainee": ("students", {"reference": "STU-1", "mobile_phone": "+33600000000"}),
    "another trainee": ("students", {"reference": "STU-9", "last_name": "Durand"}),
    "the capacity of a room": ("classrooms", {"reference": "R-1", "capacity": 12}),
    "another room": ("classrooms", {"reference": "R-9", "name": "Salle 99"}),
    "another employer": ("contacts", {"reference": "EMP-9", "organisation": "Autre"}),
    "when a course can be signed": ("courses", {"reference": "CRS-1", "signature_opens_before": 5}),
    "a course of others": ("courses", MORNING | {"reference": "CRS-7", "students": ["STU-9"]}),
    "a course of another time": (
        "courses",
        MORNING
        | {
            "reference": "CRS-7",
            "students": ["STU-1"],
            "date": date(2026, 12, 1),
            "start": datetime(2026, 12, 1, 7, tzinfo=UTC),
            "end": datetime(2026, 12, 1, 10, tzinfo=UTC),
        },
    ),
}


@pytest.fixture
def others(engine, centre):
    """People of whom no paper speaks."""
    add_people(engine, centre, store.student, ["STU-9"])


@on_one_database
@pytest.mark.parametrize("kind", STATED)
def test_what_papers_state_changes_and_they_are_made_anew_as_a_new_version(call, record, work, engine, centre, kind):
    key, item = STATED[kind]
    if item.get("employer") == "EMP-2":
        synced(call, "contacts", reference="EMP-2", type="EMPLOYER", organisation="Loire & Cie")

    synced(call, key, **item)

    assert index(call)["status"] == "PREPARING"
    assert work() == 1
    found = index(call)
    assert (found["status"], found["version"], {*kinds(call)}) == ("READY", record["version"] + 1, {*ALL})
    assert not {each["document_id"] for each in found["documents"]} & {
        each["document_id"] for each in record["documents"]
    }


def test_the_new_papers_say_what_is_so_now_and_the_old_ones_what_was(call, record, work, archive):
    synced(call, "students", reference="STU-1", last_name="Le Goff-Kerbrat")
    work()

    assert "Kerbrat" in text(archive, index(call)["documents"][1])
    assert "Kerbrat" not in text(archive, record["documents"][1])


@on_one_database
@pytest.mark.parametrize("kind", NOT_STATED)
def test_what_papers_do_not_state_leaves_records_alone(call, record, others, engine, kind):
    key, item = NOT_STATED[kind]

    synced(call, key, **item)

    assert index(call) == record
    with store.reading(engine) as connection:
        assert connection.execute(select(store.job.c.id)).all() == []


@on_one_database
def test_a_course_that_goes_missing_makes_them_anew(call, record, work):
    synced(call, "courses", mode="REPLACE", reference="CRS-1")

    assert index(call)["status"] == "PREPARING"
    assert work() == 1
    assert index(call)["version"] == record["version"] + 1


@on_one_database
def test_what_looks_concerned_and_states_the_same_makes_no_new_version(call, record, work):
    synced(call, "students", reference="STU-1", groups=["G-1", "G-9"])
    assert index(call)["status"] == "PREPARING"

    work()

    assert index(call) == record


@on_one_database
def test_a_dry_run_makes_nothing_anew(call, record, engine):
    item = columns([_NAMED | {"reference": "STU-1", "first_name": "Alma"}])

    call(sync.students, {"students": [item], "dry_run": True})

    assert index(call) == record


def test_who_is_named_before_he_is_known_is_on_the_papers_once_he_is(call, work, archive):
    inform(call, trainees=[{"reference": "STU-8", "last_name": "Inconnue"}])
    work()

    synced(call, "students", reference="STU-8", last_name="Connue", first_name="Zoé")
    synced(call, "courses", reference="CRS-1", students=["STU-8"])
    work()

    assert any("Connue" in text(archive, each) for each in index(call)["documents"])


def test_what_changes_while_papers_are_made_is_noticed_though_there_were_none_before(
    call, engine, archive, addresses, centre
):
    inform(call)
    workplace = Workplace(engine, archive, addresses, lambda: NOW)
    job = jobs.take(engine, "W-1", NOW)
    assert job is not None
    keep = JOBS[job.kind](workplace, centre, job)

    synced(call, "teachers", reference="TEA-1", last_name="Durand")
    call(lambda context, _: keep(context))

    assert (index(call)["status"], kinds(call)) == ("PREPARING", [])


def test_papers_are_made_anew_for_all_records_that_are_concerned_and_for_no_other(call, engine, work, others):
    for number in range(3):
        inform(call, invoice_number=f"F-{number}")
    inform(call, invoice_number="F-9", trainees=[{"reference": "STU-9"}])
    work()

    synced(call, "students", reference="STU-1", first_name="Alma")

    columns_ = store.record.c.invoice_number, store.record.c.status
    with store.reading(engine) as connection:
        found = {row[0]: row[1] for row in connection.execute(select(*columns_))}
    assert found == {"F-0": "PREPARING", "F-1": "PREPARING", "F-2": "PREPARING", "F-9": "READY"}


# What it costs -------------------------------------------------------------------------------------------------


def of_mentions(seen):
    return [each for each in seen if "mention" in each]


@pytest.mark.parametrize(
    ("key", "item", "most"),
    [
        ("students", {"reference": "STU-1"}, 0),
        ("students", {"reference": "STU-1", "mobile_phone": "+33600000000"}, 0),
        ("students", {"reference": "STU-9", "first_name": "Alma"}, 1),
        ("courses", {"reference": "CRS-1", "signature_opens_before": 5}, 0),
    ],
)
def test_a_message_that_concerns_no_record_costs_one_statement_at_most(call, record, others, engine, key, item, most):
    with statements(engine) as seen:
        synced(call, key, **item)

    assert len(of_mentions(seen)) <= most


def test_an_account_without_papers_pays_nothing(engine, context, account):
    add_people(engine, account, store.student, ["STU-1"])
    call = caller(engine, context)

    with statements(engine) as seen:
        synced(call, "students", reference="STU-1", first_name="Alma")

    assert of_mentions(seen) == []


def test_mentions_are_found_by_an_index(engine, call, record):
    of_student = select(store.mention.c.record_id).where(
        store.mention.c.account_id == 1, store.mention.c.kind == "STUDENT", store.mention.c.reference == "STU-1"
    )
    with store.reading(engine) as connection:
        connection.exec_driver_sql("SET enable_seqscan = off") if engine.dialect.name == "postgresql" else None
        explain = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        written = str(of_student.compile(engine, compile_kwargs={"literal_binds": True}))
        plan = " ".join(str(row) for row in connection.exec_driver_sql(explain + written))

    assert "uq_mention" in plan or "sqlite_autoindex_mention" in plan
