"""The tables, and the one way to a transaction. SQLite and PostgreSQL differ in this folder only."""

from .bulk import driver_form, is_among, known, python_form, update, upsert
from .copies import CannotCopy, copied, digests, put_back
from .forgetting import Forgetting
from .later import Later
from .lookup import Lookup
from .tables import (
    Money,
    UtcDateTime,
    account,
    attendance,
    classroom,
    contact,
    course,
    document,
    journal,
    key,
    message,
    metadata,
    moment_text,
    record,
    record_event,
    secret,
    student,
    teacher,
)
from .transactions import Busy, Taken, Unsure, lock_account, open_engine, reading, writing

__all__ = [
    "Busy",
    "CannotCopy",
    "Forgetting",
    "Later",
    "Lookup",
    "Money",
    "Taken",
    "Unsure",
    "UtcDateTime",
    "account",
    "attendance",
    "classroom",
    "contact",
    "copied",
    "course",
    "digests",
    "document",
    "driver_form",
    "is_among",
    "journal",
    "key",
    "known",
    "lock_account",
    "message",
    "metadata",
    "moment_text",
    "open_engine",
    "put_back",
    "python_form",
    "reading",
    "record",
    "record_event",
    "secret",
    "student",
    "teacher",
    "update",
    "upsert",
    "writing",
]
