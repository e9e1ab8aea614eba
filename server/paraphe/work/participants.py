"""Which participants a question is about, in the order of their changes: each is found by an index that is made for it.

Left to itself SQLite, which knows nothing of what is in the tables, would go through all changes of an account.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, union_all

from ..store import attendance, course

#: Courses that a period may have to be looked through course by course; in a longer one, change by change.
FEW_COURSES = 2000


def asked_for(
    connection: Connection, account_id: int, request: Mapping[str, Any], after: int, course_id: int | None, most: int
) -> Sequence[ColumnElement[bool]]:
    """Return what holds for the first `most` participants that are asked for after a revision.

    It may hold for later ones too. `course_id` is that of the course which is asked for, if one is. The statement that
    these conditions are put into joins participants with their courses, and orders them by revision.
    """
    changed = list(_changed(connection, account_id, request, after))
    in_period, people = _in_period(request), _people(request)
    ours = attendance.c.account_id == account_id
    if course_id is not None:
        ours = attendance.c.course_id == course_id
    elif in_period and not people and _are_few(connection, account_id, in_period):
        # The courses first: few of the account's changes are theirs.
        in_courses = _ids(most, course.c.account_id == account_id, *in_period, *changed)
        return [attendance.c.id.in_(in_courses)]
    if len(people) < 2:
        return [ours, *changed, *in_period, *people]
    # Each by itself: no index begins with the one or the other.
    each = [_ids(most, ours, *changed, *in_period, person).subquery() for person in people]
    return [attendance.c.id.in_(union_all(*(select(one.c.id) for one in each)))]


def _ids(most: int, *conditions: ColumnElement[bool]) -> Select[Any]:
    participants = attendance.join(course, attendance.c.course_id == course.c.id)
    found = select(attendance.c.id).select_from(participants).where(*conditions)
    return found.order_by(attendance.c.revision).limit(most)


def _changed(
    connection: Connection, account_id: int, request: Mapping[str, Any], after: int
) -> Iterator[ColumnElement[bool]]:
    since = request.get("modified_since")
    if since is not None:
        yield attendance.c.modified_on >= since
        # Implied by that; of two conditions on the revision SQLite would begin at either.
        after = max(after, _revision_before(connection, account_id, since))
    yield attendance.c.revision > after
    if "status" in request:
        yield attendance.c.status == request["status"]


def _in_period(request: Mapping[str, Any]) -> Sequence[ColumnElement[bool]]:
    first, last = request.get("period_start"), request.get("period_end")
    return [
        *([] if first is None else [course.c.date >= first]),
        *([] if last is None else [course.c.date <= last]),
    ]


def _people(request: Mapping[str, Any]) -> Sequence[ColumnElement[bool]]:
    return [
        and_(attendance.c.person_type == kind, attendance.c.person_reference == request[key])
        for kind, key in (("STUDENT", "student_reference"), ("TEACHER", "teacher_reference"))
        if key in request
    ]


def _are_few(connection: Connection, account_id: int, in_period: Sequence[ColumnElement[bool]]) -> bool:
    courses = select(course.c.id).where(course.c.account_id == account_id, *in_period).limit(FEW_COURSES + 1)
    return (connection.scalar(select(func.count()).select_from(courses.subquery())) or 0) <= FEW_COURSES


def _revision_before(connection: Connection, account_id: int, moment: datetime) -> int:
    """Return the last revision before `moment`: `modified_on` never falls while revisions rise."""
    last: int | None = connection.scalar(
        select(attendance.c.revision)
        .where(attendance.c.account_id == account_id, attendance.c.modified_on < moment)
        .order_by(attendance.c.modified_on.desc(), attendance.c.revision.desc())
        .limit(1)
    )
    return last or 0
