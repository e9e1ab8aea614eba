"""A job has the time that it needs as long as it makes progress; one that stands still is left."""

from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from paraphe.work import jobs
from paraphe.work.jobs import Kind
from paraphe.work.workers import USUAL, Workers

from .cast import NOW
from .queue_support import listed, marking, marks, take


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
