"""The job RECOGNISE: an invoice that is a picture gets its text recognised, once its caller has his answer.

What was recognised is a proposal for whoever reviews the record; it settles nothing. Where the program tesseract is not
installed, the job is left to others; it is dropped when a person has settled the record.
"""

import shutil
from typing import Any

from sqlalchemy import ColumnElement, select

from ..accounts import Account
from ..context import Context
from ..store import document, reading, record
from . import analysis, elements, filing
from .filing import Event
from .jobs import Failed, Job
from .known import looking
from .workers import Store, Workplace


def is_possible() -> bool:
    """Say whether text can be recognised on this machine."""
    return _tesseract() is not None


def _tesseract() -> str | None:
    return shutil.which("tesseract")


def recognise(workplace: Workplace, account: Account, job: Job) -> Store:
    """Recognise the invoice of a record that waits for a review; nothing if it waits no more."""
    with reading(workplace.engine) as connection:
        digest = connection.scalar(
            select(document.c.sha256)
            .join(record, document.c.record_id == record.c.id)
            .where(_waits(job.record_id), document.c.document_type == "INVOICE")
        )
    if digest is None:
        return lambda context: None
    if (tesseract := _tesseract()) is None:
        raise Failed("RECOGNITION_NOT_INSTALLED")
    look = looking(workplace.engine, account)
    read = analysis.read(workplace.archive.read(digest), look, tesseract=tesseract)

    def store(context: Context) -> None:
        found = context.connection.execute(
            select(record.c.record_number, record.c.version, *elements.COLUMNS)
            .where(_waits(job.record_id))
            .with_for_update()
        ).one_or_none()
        if found is None or read.failure is not None:
            return
        number, version, *columns = tuple(found)
        before = elements.said(columns)
        proposed = analysis.analyse(read, before, account.threshold)
        filing.change(context, number, **elements.columns_of(proposed.said))
        said = {"version": version, "status": "NEEDS_REVIEW", "invoice": elements.as_published(before)}
        filing.note(context, Event.RECOGNISED, {job.record_id: said}, proposed.outcome())

    return store


def _waits(record_id: int) -> ColumnElement[Any]:
    return (record.c.id == record_id) & (record.c.status == "NEEDS_REVIEW")
