"""The queue of work that outlives a call: kept in the database, so that nothing which was asked for is ever lost.

A *job* is put into the queue by the transaction that makes it necessary, and leaves it in the transaction that stores
what came of it: so it is done once in effect, however often it is begun. Who works on one has a *lease*, which runs
out when that process dies; then another takes the job. What fails is tried again, later each time, MOST_TRIES times;
then it stays in the list of what failed until an operator asks for it again. Rows are locked in one order: job, record,
document.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, delete, func, insert, or_, select, update

from ..accounts import Impossible
from ..context import Context
from ..store import account, job, reading, record, writing


class Kind(StrEnum):
    """What there is to do for a record."""

    RECOGNISE = "RECOGNISE"
    PREPARE = "PREPARE"
    SEAL_INVOICE = "SEAL_INVOICE"
    RAISE_SEAL = "RAISE_SEAL"
    JOIN = "JOIN"


MOST_TRIES = 8
LEASE = timedelta(seconds=30)
"""How long a job belongs to whoever took it, unless the lease is renewed."""
_MOST_PASSED = 20  # records that are passed over in one look, as somebody changes them just now

_FIRST_PAUSE = timedelta(seconds=5)  # doubled with each try: the eighth begins about ten minutes after the first
#: Nobody renewed the lease any more, each time: the process that had the job died.
WORKER_LOST = "WORKER_LOST"
#: The job came to a standstill in the thread that had it.
STANDSTILL = "STANDSTILL"


class Failed(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """A job cannot be done now; `reason` is the code under which it stands in the list of what failed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was taken; `worker` is the name under which it was, which no other lease has."""

    id: int
    kind: Kind
    account_id: int
    record_id: int
    request_id: str
    tries: int
    worker: str


def enqueue(context: Context, kind: Kind, *records: int, after: timedelta = timedelta()) -> None:
    """Have something done for records once this transaction is committed, or a while later."""
    asked = {
        "account_id": context.account.id,
        "kind": kind.value,
        "request_id": context.request_id,
        "created_on": context.now,
        "run_after": context.now + after,
    }
    context.connection.execute(insert(job), [asked | {"record_id": record_id} for record_id in records])
    context.queued.append(kind.value)


# Those who work ------------------------------------------------------------------------------------------------


def take(engine: Engine, worker: str, now: datetime, kinds: Collection[Kind] = tuple(Kind)) -> Job | None:
    """Take the job that has waited longest, if there is one; no two workers get the same, nor one record at once.

    `worker` is a name for this lease alone. A record that somebody is changing is passed over.
    """
    free = _free(now).where(job.c.kind.in_([kind.value for kind in kinds]))
    with reading(engine) as connection:
        if connection.execute(free.limit(1)).first() is None:  # looked for without a lock, as it is most often so
            return None
    passed: list[int] = []
    with writing(engine) as connection:
        _give_up(connection, now)
        while len(passed) < _MOST_PASSED:
            candidate = connection.execute(free.where(job.c.record_id.not_in(passed)).limit(1)).first()
            if candidate is None:
                break
            if taken := _taken(connection, candidate.id, candidate.record_id, worker, now):
                return taken
            passed.append(candidate.record_id)
    return None


def _taken(connection: Connection, job_id: int, record_id: int, worker: str, now: datetime) -> Job | None:
    """Take this job unless it, or its record, is somebody else's.

    The record's row is locked before it is looked whether somebody works on another job of the record: two who look at
    once would both find that nobody does. Nothing is waited for, so this is in nobody's way.
    """
    of_nobody = select(record.c.id).where(record.c.id == record_id).with_for_update(skip_locked=True, key_share=True)
    if connection.scalar(of_nobody) is None:
        return None
    still_free = _free(now).with_only_columns(job.c.id).where(job.c.id == job_id).with_for_update(skip_locked=True)
    row = connection.execute(
        update(job)
        .where(job.c.id == still_free.scalar_subquery())
        .values(taken_by=worker, taken_until=now + LEASE, tries=job.c.tries + 1)
        .returning(*(job.c[name] for name in ("id", "kind", "account_id", "record_id", "request_id", "tries")))
    ).one_or_none()
    if row is None:
        return None
    return Job(row.id, Kind(row.kind), row.account_id, row.record_id, row.request_id, row.tries, worker)


def _free(now: datetime) -> Any:
    other = job.alias()
    at_work = select(other.c.id).where(other.c.record_id == job.c.record_id, other.c.taken_until > now)
    return (
        select(job.c.id, job.c.record_id)
        .where(_waits(now), job.c.run_after <= now, ~at_work.exists())
        .order_by(job.c.run_after, job.c.id)
    )


def _waits(now: datetime) -> Any:
    return and_(job.c.failed_on.is_(None), or_(job.c.taken_until.is_(None), job.c.taken_until <= now))


def _give_up(connection: Connection, now: datetime) -> None:
    """Put into the list of what failed what took its last worker along."""
    lost = and_(job.c.failed_on.is_(None), job.c.taken_until <= now, job.c.tries >= MOST_TRIES)
    connection.execute(
        update(job).where(lost).values(failed_on=now, reason=WORKER_LOST, taken_by=None, taken_until=None)
    )


def renew(connection: Connection, held: Collection[Job], now: datetime) -> None:
    """Go on having these jobs, but for those that somebody else has meanwhile."""
    connection.execute(update(job).where(_are_ours(held)).values(taken_until=now + LEASE))


def _are_ours(held: Collection[Job]) -> Any:
    return job.c.id.in_([each.id for each in held]) & job.c.taken_by.in_([each.worker for each in held])


def finish(connection: Connection, done: Job) -> bool:
    """Take a job out of the queue, in the transaction that stores what came of it.

    False if it was taken by somebody else meanwhile: then nothing may be stored.
    """
    mine = and_(job.c.id == done.id, job.c.taken_by == done.worker)
    return connection.execute(delete(job).where(mine)).rowcount == 1


def postpone(connection: Connection, failed: Job, reason: str, now: datetime) -> None:
    """Have a job that failed tried again later, or put it into the list of what failed if it was the last try."""
    pause = _FIRST_PAUSE * 2 ** (failed.tries - 1)
    later: dict[str, Any] = {"run_after": now + pause} if failed.tries < MOST_TRIES else {"failed_on": now}
    mine = and_(job.c.id == failed.id, job.c.taken_by == failed.worker)
    connection.execute(update(job).where(mine).values(reason=reason, taken_by=None, taken_until=None, **later))


def hand_back(connection: Connection, held: Collection[Job]) -> None:
    """Let others have at once what its worker cannot finish; the try does not count."""
    again = {"taken_by": None, "taken_until": None, "tries": job.c.tries - 1}
    connection.execute(update(job).where(_are_ours(held)).values(again))


def drop(connection: Connection, kind: Kind, record_id: int) -> None:
    """Take out of the queue what there is no more to do for a record; a job that is being worked on ends by itself."""
    needless = (job.c.record_id == record_id) & (job.c.kind == kind.value) & job.c.taken_until.is_(None)
    idle = select(job.c.id).where(needless).with_for_update(skip_locked=True)
    connection.execute(delete(job).where(job.c.id.in_(idle)))


# The operator --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is in the queue.

    `waiting` are jobs that nobody works on, also those that are to be done later; `running` are those at work, `failed`
    those that are not tried again. `late_seconds` is how long the first of those that could be done has waited for it.
    """

    waiting: int
    running: int
    failed: int
    late_seconds: float


def figures(connection: Connection, now: datetime) -> Figures:
    """Count what is in the queue."""
    free = _waits(now)
    failed, due = job.c.failed_on.is_not(None), case((and_(free, job.c.run_after <= now), job.c.run_after))
    counts = func.count(), func.count(case((failed, 1))), func.count(case((free, 1))), func.min(due)
    every, given_up, waiting, since = connection.execute(select(*counts)).one()
    late = max(0.0, (now - since).total_seconds()) if since is not None else 0.0
    return Figures(waiting, every - given_up - waiting, given_up, late)


def listed(connection: Connection, *, failed_only: bool = False) -> list[dict[str, Any]]:
    """Return all jobs, or those that failed: the oldest first, under names for JSON."""
    columns = job.c.id, job.c.kind, account.c.name, account.c.environment, record.c.record_number
    more = job.c.created_on, job.c.run_after, job.c.tries, job.c.reason, job.c.taken_until, job.c.failed_on
    found = (
        select(*columns, *more)
        .join_from(job, account, job.c.account_id == account.c.id)
        .join(record, job.c.record_id == record.c.id)
        .order_by(job.c.id)
    )
    if failed_only:
        found = found.where(job.c.failed_on.is_not(None))
    return [_described(row) for row in connection.execute(found)]


def _described(row: Any) -> dict[str, Any]:
    state = "FAILED" if row.failed_on else "TAKEN" if row.taken_until else "WAITING"
    return {
        "id": row.id,
        "kind": row.kind,
        "account": row.name,
        "environment": row.environment,
        "recordNumber": row.record_number,
        "state": state,
        "tries": row.tries,
        "reason": row.reason,
        "createdOn": row.created_on.isoformat(),
        "runAfter": row.run_after.isoformat() if state == "WAITING" else None,
        "failedOn": row.failed_on.isoformat() if row.failed_on else None,
    }


def retry(connection: Connection, job_id: int, now: datetime) -> None:
    """Have a job that failed tried anew, with all its tries. Raises Impossible if it is not among those."""
    again = {"tries": 0, "run_after": now, "failed_on": None, "taken_by": None, "taken_until": None}
    failed = and_(job.c.id == job_id, job.c.failed_on.is_not(None))
    if connection.execute(update(job).where(failed).values(again)).rowcount != 1:
        raise Impossible(f"There is no job {job_id} among those that failed.")
