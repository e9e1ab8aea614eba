"""The queue: what was asked for is done once in effect, whoever dies."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import delete, inspect, select, update

from paraphe import store
from paraphe.accounts import Impossible
from paraphe.work import filing, jobs
from paraphe.work.handlers import JOBS, jobs_here
from paraphe.work.jobs import LEASE, MOST_TRIES, Kind
from paraphe.work.workers import Lost, do

from .cast import INVOICE, NOW, caller, statements
from .queue_support import listed, marking, marks, take

LATER = NOW + timedelta(minutes=1)


def test_a_job_stands_in_the_queue_only_if_what_asked_for_it_is_stored(engine, context):
    call = caller(engine, context)

    def work(context, _):
        jobs.enqueue(context, Kind.RECOGNISE, filing.create(context, INVOICE, "READY").record_id)
        raise LookupError

    with pytest.raises(LookupError):
        call(work)

    assert listed(engine) == []


def test_a_job_is_taken_once(engine, asked):
    record_id = asked()

    first, second = take(engine, "W-1"), take(engine, "W-2")

    assert (first.record_id, first.tries, first.worker) == (record_id, 1, "W-1")
    assert second is None
    assert listed(engine) == [("TAKEN", 1, None)]


def test_workers_that_take_at_once_get_different_jobs_and_every_one(engine, asked):
    expected = sorted(asked() for _ in range(12))
    together, taken = Barrier(4), []

    def work(name):
        together.wait(60)
        while (job := take(engine, name)) is not None:
            taken.append(job.record_id)

    threads = [Thread(target=work, args=(f"W-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(taken) == expected


def test_of_one_record_one_job_is_worked_on_at_a_time(engine, asked, context):
    record_id = asked()
    caller(engine, context)(lambda context, _: jobs.enqueue(context, Kind.RECOGNISE, record_id))

    first = take(engine)

    assert take(engine) is None
    with store.writing(engine) as connection:
        assert jobs.finish(connection, first)
    assert take(engine).record_id == record_id


def test_two_who_look_at_once_never_get_two_jobs_of_one_record(engine, asked, context):
    """On PostgreSQL both would see that nobody works on the record yet."""
    record_id, call = asked(), caller(engine, context)
    for _ in range(20):
        with store.writing(engine) as connection:
            connection.execute(delete(store.job))
        call(lambda context, _: jobs.enqueue(context, Kind.PREPARE, record_id))
        call(lambda context, _: jobs.enqueue(context, Kind.RAISE_SEAL, record_id))
        together = Barrier(2)
        taken: list[jobs.Job | None] = []

        def look(name, together=together, taken=taken):
            together.wait(60)
            taken.append(take(engine, name))

        threads = [Thread(target=look, args=(name,)) for name in ("W-1", "W-2")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(each is None for each in taken) == [False, True]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_record_that_somebody_changes_is_passed_over_and_waited_for_by_nobody(engine, asked):
    changed, free = asked(), asked()
    with store.writing(engine) as connection:
        connection.execute(update(store.record).where(store.record.c.id == changed).values(version=2))
        assert take(engine).record_id == free
        assert take(engine) is None

    assert take(engine).record_id == changed


def test_jobs_that_failed_long_ago_are_not_looked_through(engine, asked):
    """By an index that they are not in."""
    with store.reading(engine) as connection:
        indexes = {each["name"]: each for each in inspect(connection).get_indexes("job")}
        where = indexes["ix_job_run_after"]["dialect_options"][f"{engine.dialect.name}_where"]

    assert "failed_on IS NULL" in str(where)


def test_the_lease_of_a_worker_that_died_runs_out_and_another_takes_the_job(engine, asked):
    asked()
    take(engine, "W-1")

    assert take(engine, "W-2", NOW + LEASE - timedelta(seconds=1)) is None
    assert take(engine, "W-2", NOW + LEASE).tries == 2


def test_a_lease_can_be_renewed_by_who_has_it_alone(engine, asked):
    asked()
    job = take(engine, "W-1")
    with store.writing(engine) as connection:
        jobs.renew(connection, [replace(job, worker="W-2")], NOW + 9 * LEASE)
        jobs.renew(connection, [job], NOW + LEASE)

    assert take(engine, "W-2", NOW + LEASE) is None
    assert take(engine, "W-2", NOW + 2 * LEASE) is not None


def test_what_a_job_does_is_stored_with_its_leaving_the_queue(engine, asked, workplace):
    record_id = asked()

    do(workplace, take(engine), marking)

    assert marks(engine) == [record_id]
    assert listed(engine) == []


def test_a_worker_that_lost_its_job_stores_nothing(engine, asked, workplace):
    asked()
    late = take(engine, "W-1")
    do(workplace, take(engine, "W-2", NOW + LEASE), marking)

    with pytest.raises(Lost):
        do(workplace, late, marking)

    assert len(marks(engine)) == 1


def test_what_fails_is_tried_again_later_and_later_and_ends_in_the_list_of_what_failed(engine, asked):
    asked()
    now, pauses = NOW, []
    for _ in range(MOST_TRIES):
        job = take(engine, now=now)
        with store.writing(engine) as connection:
            jobs.postpone(connection, job, "ARCHIVE_UNAVAILABLE", now)
            again = connection.execute(select(store.job.c.run_after)).scalar_one()
        pauses.append((again - now).total_seconds())
        now = max(now, again)

    assert pauses[:4] == [5, 10, 20, 40]
    assert listed(engine, failed_only=True) == [("FAILED", MOST_TRIES, "ARCHIVE_UNAVAILABLE")]
    assert take(engine, now=now + timedelta(days=9)) is None


def test_a_job_that_takes_every_worker_along_ends_in_the_list_as_well(engine, asked):
    asked()
    now = NOW
    for _ in range(MOST_TRIES):
        assert take(engine, now=now) is not None
        now += LEASE

    assert take(engine, now=now) is None
    assert listed(engine, failed_only=True) == [("FAILED", MOST_TRIES, jobs.WORKER_LOST)]


def test_an_operator_can_have_what_failed_tried_anew(engine, asked):
    asked()
    job = take(engine)
    with store.writing(engine) as connection:
        connection.execute(update(store.job).values(failed_on=NOW, taken_by=None, taken_until=None))
        jobs.retry(connection, job.id, LATER)

    assert take(engine, now=LATER).tries == 1


def test_only_what_failed_can_be_tried_anew(engine, asked):
    asked()
    job = take(engine)

    with store.writing(engine) as connection, pytest.raises(Impossible, match="among those that failed"):
        jobs.retry(connection, job.id, NOW)


def test_to_look_into_an_empty_queue_is_one_statement(engine):
    with statements(engine) as seen:
        assert take(engine) is None

    assert len(seen) == 1


def test_text_is_recognised_by_nodes_that_can_do_it(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert jobs_here().keys() == JOBS.keys() - {Kind.RECOGNISE}

    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert jobs_here() == JOBS


def test_a_node_leaves_in_the_queue_what_others_can_do(engine, asked):
    record_id = asked()

    assert jobs.take(engine, "W-1", NOW, [Kind.PREPARE]) is None
    found = jobs.take(engine, "W-2", NOW, [Kind.PREPARE, Kind.RECOGNISE])
    assert found is not None
    assert found.record_id == record_id
