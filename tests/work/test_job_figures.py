"""How much there is in the queue, and how long it has waited."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from paraphe import store
from paraphe.work import jobs
from paraphe.work.jobs import LEASE, MOST_TRIES

from .cast import NOW
from .queue_support import take


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
