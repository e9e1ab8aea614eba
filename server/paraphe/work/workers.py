"""Threads that do the jobs of the queue, in `serve` or in `paraphe worker`.

A handler does the long part of a job first, without a transaction, and returns what stores the result. That runs in the
transaction in which the job leaves the queue, so a job whose lease was lost meanwhile stores nothing.

A lease is renewed as long as the job makes progress, which handlers of long jobs tell. One that stands still is left to
its thread, which may never come back, and tried again later by another.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from .. import accounts, store
from ..addresses import Addresses
from ..archive import Archive, Damaged, Missing, Unavailable
from ..context import Context
from . import jobs
from .jobs import Job, Kind

if TYPE_CHECKING:
    from ..seals import Seals

LOOK = 5.0
"""Seconds after which a worker looks for jobs that others have put into the queue."""

LONGEST: dict[Kind, float] = {Kind.RECOGNISE: 300.0}
"""Seconds without progress after which a job of a kind stands still; USUAL for the others."""

USUAL = 600.0

LAST_ORDERS = 20.0
"""Seconds that jobs have to finish when the workers are told to stop; others then have them at once."""

_ON_PAPER = timedelta(days=3653)
_REASONS = {
    Unavailable: "ARCHIVE_UNAVAILABLE",
    Missing: "DOCUMENT_MISSING",
    Damaged: "DOCUMENT_DAMAGED",
    store.Busy: "DATABASE_BUSY",
}
log = logging.getLogger("paraphe.jobs")


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a handler is given besides its job.

    `clock` tells the time, `seals` gives what accounts sign with (and loads what that takes), `templates` is the
    operator's folder of templates. `progress` is called by what takes long, each time that a part of it is done.
    """

    engine: Engine
    archive: Archive
    addresses: Addresses
    clock: Callable[[], datetime]
    seals: "Callable[[], Seals] | None" = None
    templates: Path | None = None
    progress: Callable[[], None] = lambda: None

    @property
    def addresses_on_paper(self) -> Addresses:
        """Return what makes addresses that are printed: they work as long as accounting documents are kept."""
        return replace(self.addresses, lifetime=_ON_PAPER)


Store = Callable[[Context], None]
Handler = Callable[[Workplace, accounts.Account, Job], Store]


class Lost(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The job belongs to somebody else by now."""


def do(workplace: Workplace, job: Job, handler: Handler) -> None:
    """Do a job and take it out of the queue. Raises what the handler raises, and Lost."""
    with store.reading(workplace.engine) as connection:
        account = accounts.numbered(connection, job.account_id)
    keep = handler(workplace, account, job)
    with store.writing(workplace.engine) as connection:
        if not jobs.finish(connection, job):
            raise Lost
        now = workplace.clock()
        context = Context(
            connection, account, now, job.request_id, workplace.archive, workplace.addresses, actor="server"
        )
        keep(context)


@dataclass(slots=True)
class _Held:
    """A job in the hands of a thread; `moved` is when it made progress last, `left` says that it was given up."""

    job: Job
    thread: threading.Thread
    began: float
    moved: float
    left: bool = False

    def move(self) -> None:
        self.moved = monotonic()

    @property
    def stands_still(self) -> bool:
        return monotonic() - self.moved > LONGEST.get(self.job.kind, USUAL)


class Workers:
    """Threads that take jobs as long as the block lasts; `wake` tells them that there are new ones.

    They start with the first call of `begin`, because what they need may be known only inside the block.
    """

    def __init__(self, handlers: Mapping[Kind, Handler], threads: int) -> None:
        self._handlers = handlers
        self._name = ""
        self._leases = count(1)
        #: What is being worked on, by the names of the leases.
        self._held: dict[str, _Held] = {}
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._news = 0
        self._stopping = False
        self._many = threads
        self._threads: list[threading.Thread] = []
        self._workplace: Workplace | None = None

    def begin(self, workplace: Workplace) -> None:
        """Start the threads."""
        if self._many and self._workplace is None:
            self._workplace, self._name = workplace, f"{os.getpid()}-{token_hex(6)}"
            for _ in range(self._many):
                self._start(workplace)
            threading.Thread(target=self._keep_leases, args=(workplace,), name="leases", daemon=True).start()

    def _start(self, workplace: Workplace) -> None:
        thread = threading.Thread(target=self._work, args=(workplace,), name="worker", daemon=True)
        self._threads.append(thread)
        thread.start()

    def wake(self) -> None:
        """Have a thread look for jobs now."""
        with self._changed:
            self._news += 1
            self._changed.notify_all()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def no_more(self) -> None:
        """Take no more jobs. It only says so, and may be called from a signal handler."""
        self._stopping = True

    def stop(self) -> None:
        """Take no more jobs, and wait for those that are being worked on, LAST_ORDERS at most."""
        self.no_more()
        self.wake()
        end = monotonic() + LAST_ORDERS
        for thread in [*self._threads]:
            thread.join(max(0.0, end - monotonic()))
        self._ended.set()
        held = [each.job for each in [*self._held.values()]]
        if self._workplace is not None and held:
            log.warning("jobs handed back", extra={"jobs": len(held)})
            self._hand_back(self._workplace, held)

    # The threads

    def _work(self, workplace: Workplace) -> None:
        while not self._stopping:
            seen = self._news
            job = self._next(workplace)
            if job is None:
                self._wait(seen)
            elif not self._try(workplace, job):
                return  # another thread has taken its place

    def _next(self, workplace: Workplace) -> Job | None:
        lease = f"{self._name}-{next(self._leases)}"
        try:
            job = jobs.take(workplace.engine, lease, workplace.clock(), tuple(self._handlers))
        except Exception:
            log.warning("queue not read", exc_info=True)
            return None
        if job is not None and self._stopping:
            self._hand_back(workplace, [job])
            return None
        return job

    def _wait(self, seen: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._news != seen, LOOK)

    def _try(self, workplace: Workplace, job: Job) -> bool:
        """Do a job, or have it tried again later; False if it was given up meanwhile."""
        told = {"job": job.id, "kind": job.kind.value, "request_id": job.request_id, "tries": job.tries}
        held = self._held[job.worker] = _Held(job, threading.current_thread(), monotonic(), monotonic())
        try:
            do(replace(workplace, progress=held.move), job, self._handlers[job.kind])
        except Lost:
            log.warning("job lost", extra=told)
        except BaseException as failure:  # what Rust calls a panic is no Exception, and no end of this thread
            reason = reason_of(failure)
            log.exception("job failed", extra=told | {"reason": reason})
            self._postpone(workplace, job, reason)
        else:
            log.info("job done", extra=told | {"duration_ms": round((monotonic() - held.began) * 1000)})
        finally:
            self._held.pop(job.worker, None)
        return not held.left

    def _postpone(self, workplace: Workplace, job: Job, reason: str) -> None:
        try:
            with store.writing(workplace.engine) as connection:
                jobs.postpone(connection, job, reason, workplace.clock())
        except Exception:
            log.warning("job not postponed", extra={"job": job.id}, exc_info=True)  # its lease runs out

    def _hand_back(self, workplace: Workplace, held: Collection[Job]) -> None:
        try:
            with store.writing(workplace.engine) as connection:
                jobs.hand_back(connection, held)
        except Exception:
            log.warning("jobs not handed back", extra={"jobs": len(held)}, exc_info=True)  # their leases run out

    def _keep_leases(self, workplace: Workplace) -> None:
        while not self._ended.wait(jobs.LEASE.total_seconds() / 3):
            try:
                self._look_after(workplace)
            except Exception:
                log.warning("leases not renewed", exc_info=True)

    def _look_after(self, workplace: Workplace) -> None:
        """Renew the leases of jobs that make progress, and leave those that stand still."""
        held = [*self._held.values()]
        for each in held:
            if each.stands_still:
                self._leave(workplace, each)
        going = [each.job for each in held if not each.left]
        if going:
            with store.writing(workplace.engine) as connection:
                jobs.renew(connection, going, workplace.clock())

    def _leave(self, workplace: Workplace, held: _Held) -> None:
        held.left = True
        self._held.pop(held.job.worker, None)
        self._threads.remove(held.thread)
        log.error("job stands still", extra={"job": held.job.id, "kind": held.job.kind.value})
        self._postpone(workplace, held.job, jobs.STANDSTILL)
        if not self._stopping:
            self._start(workplace)


def reason_of(failure: BaseException) -> str:
    """Return the code under which a failure stands in the list of what failed; the log says more."""
    if isinstance(failure, jobs.Failed):
        return failure.reason
    return next((code for kind, code in _REASONS.items() if isinstance(failure, kind)), "SERVER_ERROR")
