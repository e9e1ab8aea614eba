"""The queue: what was asked for is done once in effect, whoever dies."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import delete, inspect, select, update

from paraphe import store
from paraphe.accounts import Impossible
from paraphe.archive import Unavailable
from paraphe.operations import JOBS, jobs_here
from paraphe.work import filing, jobs
from paraphe.work.jobs import LEASE, MOST_TRIES, Kind
from paraphe.work.workers import USUAL, Lost, Workers, Workplace, do

from .cast import INVOICE, NOW, caller, statements

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def workplace(engine, archive, addresses):
    return Workplace(engine, archive, addresses, lambda: NOW)


@pytest.fixture
def asked(engine, context):
    """Give `asked()`: a record for which something is to be done; returns its id."""
    call = caller(engine, context)

    def work(context, _):
        record_id = filing.create(context, INVOICE, "READY").record_id
        jobs.enqueue(context, Kind.RECOGNISE, record_id)
        return record_id

    return lambda: call(work)


def take(engine, worker="W-1", now=NOW):
    return jobs.take(engine, worker, now)


def listed(engine, **more):
    with store.reading(engine) as connection:
        return [(each["state"], each["tries"], each["reason"]) for each in jobs.listed(connection, **more)]


def marking(workplace, account, job):
    """A handler that leaves a mark in the record's history."""
    return lambda context: filing.note(context, filing.Event.RECOGNISED, {job.record_id: None})


def marks(engine):
    recognised = store.record_event.c.event == filing.Event.RECOGNISED.value
    with store.reading(engine) as connection:
        return connection.scalars(select(store.record_event.c.record_id).where(recognised)).all()


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


# Threads -------------------------------------------------------------------------------------------------------


def test_workers_that_are_woken_do_the_job_at_once(engine, asked, workplace):
    done = Event()

    def handler(workplace, account, job):
        done.set()
        return marking(workplace, account, job)

    with Workers({Kind.RECOGNISE: handler}, 2) as workers:
        workers.begin(workplace)
        record_id = asked()
        workers.wake()
        assert done.wait(60)

    assert marks(engine) == [record_id]
    assert listed(engine) == []


def test_a_job_that_fails_is_kept_with_its_reason_and_the_next_one_is_done(engine, asked, workplace):
    bad, good = asked(), asked()
    done = Event()

    def handler(workplace, account, job):
        if job.record_id == bad:
            raise Unavailable("The archive is not there.")
        done.set()
        return marking(workplace, account, job)

    with Workers({Kind.RECOGNISE: handler}, 1) as workers:
        workers.begin(workplace)
        assert done.wait(60)

    assert marks(engine) == [good]
    assert listed(engine) == [("WAITING", 1, "ARCHIVE_UNAVAILABLE")]


def test_the_end_waits_for_the_job_that_is_being_worked_on(engine, asked, workplace):
    record_id = asked()
    begun, go = Event(), Event()

    def handler(workplace, account, job):
        begun.set()
        go.wait(60)
        return marking(workplace, account, job)

    with Workers({Kind.RECOGNISE: handler}, 1) as workers:
        workers.begin(workplace)
        assert begun.wait(60)
        Thread(target=go.set).start()

    assert marks(engine) == [record_id]


def test_what_cannot_be_finished_in_time_is_handed_back_without_counting(engine, asked, workplace, monkeypatch):
    asked()
    begun, go = Event(), Event()
    monkeypatch.setattr("paraphe.work.workers.LAST_ORDERS", 0.05)

    def handler(workplace, account, job):
        begun.set()
        go.wait(60)
        raise ValueError

    with Workers({Kind.RECOGNISE: handler}, 1) as workers:
        workers.begin(workplace)
        assert begun.wait(60)
    handed_back = listed(engine)
    go.set()
    for thread in workers._threads:
        thread.join(60)

    assert handed_back == [("WAITING", 0, None)]


class Panic(BaseException):
    """What a library written in Rust raises when it panics."""


def test_a_panic_is_a_failure_of_the_job_and_not_the_end_of_the_thread(engine, asked, workplace):
    bad, good = asked(), asked()
    done = Event()

    def handler(workplace, account, job):
        if job.record_id == bad:
            raise Panic
        done.set()
        return marking(workplace, account, job)

    with Workers({Kind.RECOGNISE: handler}, 1) as workers:
        workers.begin(workplace)
        assert done.wait(60)

    assert marks(engine) == [good]
    assert listed(engine) == [("WAITING", 1, "SERVER_ERROR")]


def test_no_more_jobs_are_begun_once_it_is_said(engine, asked, workplace):
    begun, go = Event(), Event()

    def handler(workplace, account, job):
        begun.set()
        go.wait(60)
        return marking(workplace, account, job)

    first = asked()
    with Workers({Kind.RECOGNISE: handler}, 1) as workers:
        workers.begin(workplace)
        assert begun.wait(60)
        workers.no_more()
        asked()
        workers.wake()
        go.set()

    assert marks(engine) == [first]
    assert listed(engine) == [("WAITING", 0, None)]


# Progress ------------------------------------------------------------------------------------------------------


class Hours:
    """A clock that is put on by hand, for the thread's seconds and for the moments in the database."""

    def __init__(self, monkeypatch):
        self.seconds = 0.0
        monkeypatch.setattr("paraphe.work.workers.monotonic", lambda: self.seconds)

    def now(self):
        return NOW + timedelta(seconds=self.seconds)


@pytest.fixture
def hours(monkeypatch):
    return Hours(monkeypatch)


@pytest.fixture
def workplace_of_hours(workplace, hours):
    return replace(workplace, clock=hours.now)


def test_a_job_may_take_as_long_as_it_makes_progress(engine, asked, workplace_of_hours, hours):
    record_id = asked()
    parts, looked = [Event() for _ in range(3)], [Event() for _ in range(3)]

    def handler(workplace, account, job):
        for part, look in zip(parts, looked, strict=True):
            workplace.progress()
            part.set()
            look.wait(60)
        return marking(workplace, account, job)

    with Workers({Kind.PREPARE: handler, Kind.RECOGNISE: handler}, 1) as workers:
        workers.begin(workplace_of_hours)
        for part, look in zip(parts, looked, strict=True):
            assert part.wait(60)
            hours.seconds += 200
            workers._look_after(workplace_of_hours)
            assert take(engine, "W-2", hours.now()) is None
            look.set()

    assert marks(engine) == [record_id]


def test_a_job_that_stands_still_is_left_and_its_thread_can_do_no_harm_later(engine, asked, workplace_of_hours, hours):
    record_id = asked()
    begun, go = [Event(), Event()], [Event(), Event()]

    def handler(workplace, account, job):
        turn = job.tries - 1
        begun[turn].set()
        go[turn].wait(60)
        if turn == 0:
            raise ValueError
        return marking(workplace, account, job)

    with Workers({Kind.RECOGNISE: handler}, 1) as workers:
        workers.begin(workplace_of_hours)
        (first,) = workers._threads
        assert begun[0].wait(60)
        hours.seconds += USUAL + 1
        workers._look_after(workplace_of_hours)
        assert listed(engine) == [("WAITING", 1, jobs.STANDSTILL)]

        hours.seconds += 60
        workers.wake()
        assert begun[1].wait(60)
        go[0].set()
        first.join(60)
        assert listed(engine) == [("TAKEN", 2, jobs.STANDSTILL)]
        go[1].set()

    assert marks(engine) == [record_id]
    assert listed(engine) == []


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


# How much there is ---------------------------------------------------------------------------------------------


def figures(engine, now=NOW):
    with store.reading(engine) as connection:
        found = jobs.figures(connection, now)
    return found.waiting, found.running, found.failed, found.late_seconds


def test_an_empty_queue_has_nothing_in_it(engine, account):
    assert figures(engine) == (0, 0, 0, 0.0)


def test_jobs_are_counted_by_what_becomes_of_them_and_the_longest_wait_is_told(engine, asked):
    for _ in range(3):
        asked()
    assert figures(engine, NOW + timedelta(seconds=90)) == (3, 0, 0, 90.0)

    job = take(engine)
    assert job is not None
    assert figures(engine) == (2, 1, 0, 0.0)

    with store.writing(engine) as connection:
        jobs.postpone(connection, replace(job, tries=MOST_TRIES), "SERVER_ERROR", NOW)
    assert figures(engine) == (2, 0, 1, 0.0)


def test_a_job_that_is_to_be_done_later_waits_and_is_not_late(engine, asked):
    asked()
    with store.writing(engine) as connection:
        connection.execute(update(store.job).values(run_after=NOW + timedelta(minutes=5)))

    assert figures(engine, NOW + timedelta(minutes=1)) == (1, 0, 0, 0.0)
    assert figures(engine, NOW + timedelta(minutes=6)) == (1, 0, 0, 60.0)


def test_a_job_whose_worker_died_waits_again(engine, asked):
    asked()
    take(engine)

    assert figures(engine, NOW + LEASE + timedelta(seconds=1))[:3] == (1, 0, 0)
