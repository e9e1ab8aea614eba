"""Threads that do the jobs of the queue, in `serve` or in `paraphe worker`.

A handler does the long part of a job first, without a transaction, and returns what stores the result. That runs in the
transaction in which the job leaves the queue, so a job whose lease was lost meanwhile stores nothing.
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from time import monotonic

from sqlalchemy import Engine

from .. import accounts, store
from ..addresses import Addresses
from ..archive import Archive, Damaged, Missing, Unavailable
from ..context import Context
from ..documents.papers import BrokenTemplate, TooLong
from ..seals import Seals
from . import jobs
from .jobs import Job, Kind

LOOK = 5.0
"""Seconds after which a worker looks for jobs that others have put into the queue."""

LONGEST = 600.0
"""Seconds after which a job counts as hanging: its lease is renewed no more, so that another worker gets it."""

LAST_ORDERS = 20.0
"""Seconds that jobs have to finish when the workers are told to stop; others then have them at once."""

_ON_PAPER = timedelta(days=3653)
_REASONS = {
    Unavailable: "ARCHIVE_UNAVAILABLE",
    Missing: "DOCUMENT_MISSING",
    Damaged: "DOCUMENT_DAMAGED",
    store.Busy: "DATABASE_BUSY",
    TooLong: "PAPER_TOO_LONG",
}
log = logging.getLogger("paraphe.jobs")


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a handler is given besides its job.

    `clock` tells the time, `seals` are what accounts sign with, `templates` is the operator's folder of templates.
    """

    engine: Engine
    archive: Archive
    addresses: Addresses
    clock: Callable[[], datetime]
    seals: Seals | None = None
    templates: Path | None = None

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


class Workers:
    """Threads that take jobs as long as the block lasts; `wake` tells them that there are new ones.

    They start with the first call of `begin`, because what they need may be known only inside the block.
    """

    def __init__(self, handlers: Mapping[Kind, Handler], threads: int) -> None:
        self._handlers = handlers
        self._name = ""
        #: When the jobs were begun that are being worked on, by their ids.
        self._held: dict[int, float] = {}
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
            self._workplace, self._name = workplace, f"{os.getpid()}-{token_hex(8)}"
            working = [(self._work, f"worker-{number}") for number in range(1, self._many + 1)]
            for run, name in [*working, (self._keep_leases, "leases")]:
                thread = threading.Thread(target=run, args=(workplace,), name=name, daemon=True)
                thread.start()
                self._threads.append(thread)

    def wake(self) -> None:
        """Have a thread look for jobs now."""
        with self._changed:
            self._news += 1
            self._changed.notify_all()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take no more jobs, and wait for those that are being worked on, LAST_ORDERS at most."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        end = monotonic() + LAST_ORDERS
        for thread in self._threads[:-1]:
            thread.join(max(0.0, end - monotonic()))
        self._ended.set()
        if self._workplace is not None and self._held:
            log.warning("jobs handed back", extra={"jobs": len(self._held)})
            with store.writing(self._workplace.engine) as connection:
                jobs.hand_back(connection, self._name)

    # The threads

    def _work(self, workplace: Workplace) -> None:
        while not self._stopping:
            seen = self._news
            try:
                job = jobs.take(workplace.engine, self._name, workplace.clock(), tuple(self._handlers))
            except Exception:
                log.warning("queue not read", exc_info=True)
                job = None
            if job is not None:
                self._try(workplace, job)
            else:
                self._wait(seen)

    def _wait(self, seen: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._news != seen, LOOK)

    def _try(self, workplace: Workplace, job: Job) -> None:
        told = {"job": job.id, "kind": job.kind.value, "request_id": job.request_id, "tries": job.tries}
        began = self._held[job.id] = monotonic()
        try:
            do(workplace, job, self._handlers[job.kind])
        except Lost:
            log.warning("job lost", extra=told)
        except Exception as failure:
            reason = reason_of(failure)
            log.exception("job failed", extra=told | {"reason": reason})
            self._postpone(workplace, job, reason)
        else:
            log.info("job done", extra=told | {"duration_ms": round((monotonic() - began) * 1000)})
        finally:
            self._held.pop(job.id, None)

    def _postpone(self, workplace: Workplace, job: Job, reason: str) -> None:
        try:
            with store.writing(workplace.engine) as connection:
                jobs.postpone(connection, job, reason, workplace.clock())
        except store.Busy:
            log.warning("job not postponed", extra={"job": job.id}, exc_info=True)  # its lease runs out

    def _keep_leases(self, workplace: Workplace) -> None:
        while not self._ended.wait(jobs.LEASE.total_seconds() / 3):
            held = [job for job, began in list(self._held.items()) if monotonic() - began < LONGEST]
            try:
                if held:
                    with store.writing(workplace.engine) as connection:
                        jobs.renew(connection, self._name, held, workplace.clock())
            except store.Busy:
                log.warning("leases not renewed", exc_info=True)


def broken_template(broken: BrokenTemplate) -> jobs.Failed:
    """Return as what a job fails whose template is broken: the list of what failed names file and line."""
    place = f"{broken.file}:{broken.line}" if broken.line else broken.file
    log.error("template broken", extra={"file": broken.file, "line": broken.line})
    return jobs.Failed(f"BROKEN_TEMPLATE {place}"[:64])


def reason_of(failure: Exception) -> str:
    """Return the code under which a failure stands in the list of what failed; the log says more."""
    if isinstance(failure, jobs.Failed):
        return failure.reason
    return next((code for kind, code in _REASONS.items() if isinstance(failure, kind)), "SERVER_ERROR")
