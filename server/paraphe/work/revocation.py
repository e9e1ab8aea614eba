"""Addresses that were given out and must not work any more."""

import os

from sqlalchemy import Connection, Select, Table, bindparam, select, update

from ..errors import Code, Error, Refused
from ..store import attendance, course, document, record
from .filing import unknown_record


def revoke_record(connection: Connection, account_id: int, number: str) -> int:
    """Revoke all addresses of a record and its documents; return how many rows got new ones.

    From the commit on every address made before answers 404; the next list or record gives new ones. Refused,
    UNKNOWN_RECORD.
    """
    mine = (record.c.account_id == account_id) & (record.c.record_number == number)
    changed = _relink(connection, record, select(record.c.id).where(mine))
    if not changed:
        raise Refused(unknown_record(number))
    documents = select(document.c.id).join(record, document.c.record_id == record.c.id).where(mine)
    return changed + _relink(connection, document, documents)


def revoke_course(connection: Connection, account_id: int, reference: str) -> int:
    """Revoke the addresses of all signatures of a course; return how many. Refused, UNKNOWN_REFERENCE."""
    mine = (course.c.account_id == account_id) & (course.c.reference == reference)
    if connection.scalar(select(course.c.id).where(mine)) is None:
        message = f"There is no course {reference}."
        raise Refused(Error(Code.UNKNOWN_REFERENCE, message, reference=reference, field="courseReference"))
    signatures = select(attendance.c.id).join(course, attendance.c.course_id == course.c.id).where(mine)
    return _relink(connection, attendance, signatures)


def _relink(connection: Connection, table: Table, which: Select[tuple[int]]) -> int:
    links = [{"row": row, "new": os.urandom(16)} for row in connection.scalars(which)]
    if links:
        connection.execute(update(table).where(table.c.id == bindparam("row")).values(link=bindparam("new")), links)
    return len(links)
