"""Who was there: attendance as it comes in, and as callers poll it.

A *participant* is one person in one course. Its *revision* is the account's count of changes when it last changed. The
account's row is locked while revisions are given and until they are committed, so a reader who sees one revision sees
all before it: whoever goes on after the last one he saw misses nothing and gets nothing twice.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from ..context import Context
from ..errors import Code, Error, Refused
from ..store import account, attendance, course, is_among, lock_account, student, teacher
from . import mentions, participants
from .paging import cursor_at, invalid_cursor, limit_of, position_of

_Row = Row[*tuple[Any, ...]]
_CURSOR = "s1"
#: Images in one answer, in bytes: a page ends early rather than grow beyond it.
MOST_IMAGE_BYTES = 16_000_000

# The list ------------------------------------------------------------------------------------------------------

_OF_COURSE = (
    course.c.id,
    course.c.reference,
    course.c.name,
    course.c.date,
    course.c.start,
    course.c.end,
    course.c.classroom,
    course.c.cancelled,
)
_OF_PARTICIPANT = (
    attendance.c.person_reference,
    attendance.c.person_type,
    func.coalesce(student.c.last_name, teacher.c.last_name, "").label("last_name"),
    func.coalesce(student.c.first_name, teacher.c.first_name, "").label("first_name"),
    attendance.c.status,
    attendance.c.collect_mode,
    attendance.c.place,
    attendance.c.arrived_at,
    attendance.c.left_at,
    attendance.c.minutes_present,
    attendance.c.collected_on,
    attendance.c.received_on,
    attendance.c.image_sha256,
    attendance.c.justification,
    attendance.c.modified_on,
    attendance.c.flags,
    attendance.c.link,
    attendance.c.revision,
)
_MEMBERS = tuple(column.name for column in _OF_PARTICIPANT[:-3])


def _person(table: Any, kind: str) -> ColumnElement[bool]:
    return and_(
        attendance.c.person_type == kind,
        table.c.account_id == attendance.c.account_id,
        table.c.reference == attendance.c.person_reference,
    )


_FOUND = (
    select(*_OF_COURSE, *_OF_PARTICIPANT)
    .join_from(attendance, course, attendance.c.course_id == course.c.id)
    .outerjoin(student, _person(student, "STUDENT"))
    .outerjoin(teacher, _person(teacher, "TEACHER"))
    .order_by(attendance.c.revision)
)


def get_signature_list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return participants by their courses, oldest change first, and the cursor to go on with.

    A student and a teacher asked for together give the participants that are either. The cursor counts changes of
    participants: what SyncCourses or SyncStudents changes afterwards makes none of them new. With `include_images` a
    page may end before `limit`. Four statements at most, whatever the number of participants.
    """
    _check_question(request)
    limit = limit_of(request)
    after = _revision_in(request)
    # Asked before the page is: what is committed later has a higher revision, and the next call will find it.
    last, course_id = _last_revision(context, request, after)
    conditions = participants.asked_for(context.connection, context.account.id, request, after, course_id, limit + 1)
    rows = context.connection.execute(_FOUND.where(*conditions).limit(limit + 1)).all()
    images = _images(context, rows[:limit]) if request.get("include_images") else None
    page = rows[: limit if images is None else min(limit, len(images))]
    more = len(rows) > len(page)
    seen = page[-1].revision if page else 0
    return {
        "courses": _by_course(context, page, images),
        "next_cursor": cursor_at(_CURSOR, seen if more else max(seen, last)),
        "more": more,
    }


def _check_question(request: Mapping[str, Any]) -> None:
    start, end = request.get("period_start"), request.get("period_end")
    if not (start and end) and not request.keys() & {"modified_since", "cursor"}:
        field = "periodEnd" if start else "periodStart" if end else None
        message = "Send periodStart and periodEnd, or modifiedSince, or the cursor of an earlier answer."
        raise Refused(Error(Code.VALUE_REQUIRED, message, field=field))
    if start and end and end < start:
        raise Refused(Error(Code.VALUES_CONTRADICT, "periodEnd is before periodStart.", field="periodEnd"))


def _revision_in(request: Mapping[str, Any]) -> int:
    if "cursor" not in request:
        return 0
    position = position_of(_CURSOR, request["cursor"])
    if not (position.isascii() and position.isdigit() and len(position) <= 18):
        raise invalid_cursor()
    return int(position)


def _last_revision(context: Context, request: Mapping[str, Any], after: int) -> tuple[int, int | None]:
    """Return the account's last revision, and the id of the course that is asked for, if one is.

    Refused for references that the account does not know, or a cursor beyond its changes.

    A cursor lies beyond them if it is another account's, or if the database was restored from a backup since.
    """
    asked = {
        field: (table, request[key])
        for field, key, table in (
            ("courseReference", "course_reference", course),
            ("studentReference", "student_reference", student),
            ("teacherReference", "teacher_reference", teacher),
        )
        if key in request
    }
    last, *known = context.connection.execute(
        select(
            account.c.last_revision,
            *(
                select(table.c.id)
                .where(table.c.account_id == account.c.id, table.c.reference == reference)
                .scalar_subquery()
                for table, reference in asked.values()
            ),
        ).where(account.c.id == context.account.id)
    ).one()
    unknown = [
        _unknown_reference(field, reference)
        for (field, (_, reference)), found in zip(asked.items(), known, strict=True)
        if found is None
    ]
    if unknown:
        raise Refused(*unknown)
    if after > last:
        raise invalid_cursor()
    return int(last), known[0] if "course_reference" in request else None


def _unknown_reference(field: str, reference: str, index: int | None = None) -> Error:
    return Error(
        Code.UNKNOWN_REFERENCE,
        f"Nothing with the reference {reference} is known to this account.",
        index=index,
        field=field,
        value=reference[:80],
        hint="Send it with its Sync operation first, and write the reference exactly alike.",
    )


def _images(context: Context, rows: Sequence[_Row]) -> list[bytes | None]:
    """Read the image of each row, the same one once; stop where the answer would grow too large.

    What is returned is shorter than `rows` then, but never empty.
    """
    read: dict[str, bytes] = {}
    images: list[bytes | None] = []
    size = 0
    for row in rows:
        digest = row.image_sha256
        if digest is not None and digest not in read:
            read[digest] = context.archive.read(digest)
        image = None if digest is None else read[digest]
        size += len(image or b"")
        if images and size > MOST_IMAGE_BYTES:
            break
        images.append(image)
    return images


def _by_course(context: Context, page: Sequence[_Row], images: Sequence[bytes | None] | None) -> list[Any]:
    """Put the participants under their courses, each course where its first participant stands."""
    expires_on = context.addresses.expiry(context.now)
    courses: dict[int, dict[str, Any]] = {}
    for place, row in enumerate(page):
        number, reference, name, date, start, end, classroom, cancelled, *values, flags, link, _ = tuple(row)
        if number not in courses:
            courses[number] = {
                "course_reference": reference,
                "course_name": name or "",
                "date": date,
                "start": start,
                "end": end,
                "classroom_reference": classroom,
                "cancelled": bool(cancelled),
                "participants": [],
            }
        participant = {key: value for key, value in zip(_MEMBERS, values, strict=True) if value is not None}
        if flags:
            participant["flags"] = json.loads(flags)
        if "image_sha256" in participant:
            participant["signature_url"] = context.addresses.url("signatures", link, ".png", context.now)
            participant["signature_url_expires_on"] = expires_on
            if images is not None:
                participant["image"] = images[place]
        courses[number]["participants"].append(participant)
    return list(courses.values())


def image_of(connection: Connection, link: bytes) -> str | None:
    """Return the digest of the image that an address stands for, or None if there is none (any more)."""
    digest: str | None = connection.scalar(select(attendance.c.image_sha256).where(attendance.c.link == link))
    return digest


# What comes in -------------------------------------------------------------------------------------------------

_KEY = ("course_id", "person_type", "person_reference")
_SAID = (
    "status",
    "collect_mode",
    "place",
    "arrived_at",
    "left_at",
    "minutes_present",
    "collected_on",
    "received_on",
    "justification",
    "flags",
    "image_sha256",
)
_PERSONS = {"STUDENT": student, "TEACHER": teacher}


def record_attendance(context: Context, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Bring the participants that `rows` name to what they say; return how many were created, updated, unchanged.

    A row holds course_reference, person_type, person_reference, status and, where there is something to say,
    collect_mode, place, arrived_at, left_at, minutes_present, collected_on, received_on (aware datetimes),
    justification, flags (a list), image (the bytes of a PNG). It says all that is known of the participant: what it
    leaves out becomes empty. A changed image gets a new address, which revokes those of the old one.

    Refused, with nothing stored, if a course or person is unknown or a participant is named twice. Images are kept
    before anything else; the number of statements does not depend on the number of rows.
    """
    courses = _courses_of(context, rows)
    _check_participants(context, rows, courses)
    digests = {image: context.archive.keep(image) for image in {row["image"] for row in rows if row.get("image")}}
    wanted = [_stored(row, courses, digests) for row in rows]
    lock_account(context.connection, context.account.id)
    known = _known(context, courses)
    changed = [values for values in wanted if _differs(values, known.get(_key(values)))]
    _number_changes(context, changed)
    for values in changed:
        old = known.get(_key(values))
        if old is not None and values["image_sha256"] == old.image_sha256:
            values["link"] = old.link
        else:
            values["link"] = os.urandom(16)
    created = [values for values in changed if _key(values) not in known]
    updated = [values | {"row_id": known[_key(values)].id} for values in changed if _key(values) in known]
    _write(context.connection, created, updated)
    mentions.ask_again(context, changed)
    return {"created": len(created), "updated": len(updated), "unchanged": len(rows) - len(changed)}


def _courses_of(context: Context, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the ids of the courses that `rows` name, by reference, as far as the account knows them."""
    references = sorted({row["course_reference"] for row in rows})
    found = context.connection.execute(
        select(course.c.reference, course.c.id).where(
            course.c.account_id == context.account.id, is_among(context.connection, course.c.reference, references)
        )
    )
    return {row.reference: row.id for row in found}


def _check_participants(context: Context, rows: Sequence[Mapping[str, Any]], courses: Mapping[str, int]) -> None:
    people = {kind: _known_people(context, kind, rows) for kind in _PERSONS}
    seen = set()
    errors = []
    for index, row in enumerate(rows, 1):
        name = row["course_reference"], row["person_type"], row["person_reference"]
        if name[0] not in courses:
            errors.append(_unknown_reference("courseReference", name[0], index))
        if name[2] not in people[name[1]]:
            errors.append(_unknown_reference("personReference", name[2], index))
        if name in seen:
            message = f"{name[2]} is named twice for the course {name[0]}."
            errors.append(Error(Code.DUPLICATE_REFERENCE, message, index=index, reference=name[2]))
        seen.add(name)
    if errors:
        raise Refused(*errors)


def _known_people(context: Context, kind: str, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    table = _PERSONS[kind]
    references = sorted({row["person_reference"] for row in rows if row["person_type"] == kind})
    found = context.connection.scalars(
        select(table.c.reference).where(
            table.c.account_id == context.account.id, is_among(context.connection, table.c.reference, references)
        )
    )
    return set(found)


def _stored(row: Mapping[str, Any], courses: Mapping[str, int], digests: Mapping[bytes, str]) -> dict[str, Any]:
    """Return a row as the table holds it, except what depends on what was there before."""
    flags = row.get("flags")
    return {
        "course_id": courses[row["course_reference"]],
        "person_type": row["person_type"],
        "person_reference": row["person_reference"],
        **{name: row.get(name) for name in _SAID},
        "flags": json.dumps(flags, ensure_ascii=False) if flags else None,
        "image_sha256": digests.get(row.get("image") or b""),
    }


def _key(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values[name] for name in _KEY)


def _differs(values: Mapping[str, Any], old: _Row | None) -> bool:
    return old is None or any(values[name] != getattr(old, name) for name in _SAID)


def _known(context: Context, courses: Mapping[str, int]) -> dict[tuple[Any, ...], _Row]:
    """Return what is stored of these courses' participants."""
    ours = course.c.account_id == context.account.id
    numbers = select(course.c.id).where(ours, is_among(context.connection, course.c.reference, list(courses)))
    columns = [attendance.c[name] for name in ("id", "link", *_KEY, *_SAID)]
    found = context.connection.execute(select(*columns).where(attendance.c.course_id.in_(numbers)))
    return {(row.course_id, row.person_type, row.person_reference): row for row in found}


def _number_changes(context: Context, changed: Sequence[dict[str, Any]]) -> None:
    """Give each change the account's next revision, and a `modified_on` that never falls while revisions rise."""
    if not changed:
        return
    ours = attendance.c.account_id == context.account.id
    latest = context.connection.scalar(
        select(attendance.c.modified_on).where(ours).order_by(attendance.c.revision.desc()).limit(1)
    )
    last = context.connection.scalar(
        update(account)
        .where(account.c.id == context.account.id)
        .values(last_revision=account.c.last_revision + len(changed))
        .returning(account.c.last_revision)
    )
    modified_on = max(context.now, latest or context.now)
    for revision, values in enumerate(changed, last - len(changed) + 1):
        values |= {"account_id": context.account.id, "revision": revision, "modified_on": modified_on}


def _write(connection: Connection, created: Sequence[dict[str, Any]], updated: Sequence[dict[str, Any]]) -> None:
    if created:
        connection.execute(insert(attendance), created)
    if updated:
        columns = ("link", "revision", "modified_on", *_SAID)
        changes: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
        connection.execute(
            update(attendance).where(attendance.c.id == bindparam("row_id")).values(changes),
            [{"row_id": values["row_id"], **{f"new_{name}": values[name] for name in columns}} for values in updated],
        )
