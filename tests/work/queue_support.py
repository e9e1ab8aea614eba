"""Jobs that are taken from the queue, what it then holds, and a handler whose work can be seen."""

from sqlalchemy import select

from paraphe import store
from paraphe.work import filing, jobs

from .cast import NOW


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
