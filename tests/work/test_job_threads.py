"""The threads that work on the queue: woken, failing, and at their end."""

from threading import Event, Thread

import pytest

from paraphe.archive import Unavailable
from paraphe.work.jobs import Kind
from paraphe.work.workers import Workers

from .queue_support import listed, marking, marks


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


class Panic(BaseException):
    """What a library written in Rust raises when it panics."""


@pytest.mark.parametrize(
    ("failure", "code"),
    [(Unavailable("The archive is not there."), "ARCHIVE_UNAVAILABLE"), (Panic(), "SERVER_ERROR")],
    ids=["failure", "panic"],
)
def test_a_job_that_fails_is_kept_with_its_reason_and_the_next_one_is_done(engine, asked, workplace, failure, code):
    bad, good = asked(), asked()
    done = Event()

    def handler(workplace, account, job):
        if job.record_id == bad:
            raise failure
        done.set()
        return marking(workplace, account, job)

    with Workers({Kind.RECOGNISE: handler}, 1) as workers:
        workers.begin(workplace)
        assert done.wait(60)

    assert marks(engine) == [good]
    assert listed(engine) == [("WAITING", 1, code)]


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
