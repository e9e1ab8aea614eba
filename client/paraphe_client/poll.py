"""The polling of signatures: each change once, one JSON line a participant, a cursor kept in a file.

A page is handed over first, then its cursor is stored. With an output file both are one: while a page is handed over,
the state says to which file and how long that was before; what a killed run added is taken off, and each change stands
there exactly once. At any other time nothing is ever taken off a file, whoever wrote it. On the standard output a page
may come twice after a kill; courseReference, personReference and modifiedOn tell.
"""

import datetime
import hashlib
import json
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import durable
from .answers import CourseAttendance, Participant, SignatureListAnswer
from .codec import from_plain, plain
from .errors import ExchangeError, ExchangeUnavailable
from .exchange import Exchange
from .items import AttendanceStatus
from .patience import PATIENT, Patience


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is polled for: a period or what changed since a time, of everybody or of some."""

    period_start: datetime.date | None = None
    period_end: datetime.date | None = None
    modified_since: datetime.datetime | None = None
    course_reference: str | None = None
    student_reference: str | None = None
    teacher_reference: str | None = None
    status: AttendanceStatus | None = None


class OtherQuestion(ValueError):  # noqa: N818 - the house names exceptions by what is the case
    """The state file belongs to another question, or there is neither a question nor a state file."""


def poll_signatures(
    exchange: Exchange,
    state: Path,
    question: Question | None = None,
    *,
    output: Path | None = None,
    images: Path | None = None,
    limit: int | None = None,
    patience: Patience = PATIENT,
) -> int:
    """Hand over what is new since the last poll, to `output` or the standard output; return how many participants.

    `question` is needed the first time only. `images` is a folder for the PNGs, each named by its SHA-256. May be
    killed at any moment. Raises OtherQuestion, durable.Busy (another process polls), durable.NotOurs (`state` is
    something else), ExchangeRefused, ExchangeUnavailable.
    """
    with durable.locked(state):
        position = _position(state, question, output)
        return _pages(exchange, state, position, output, images, limit, patience)


def _pages(
    exchange: Exchange,
    state: Path,
    position: dict[str, Any],
    output: Path | None,
    images: Path | None,
    limit: int | None,
    patience: Patience,
) -> int:
    """Hand over page after page, each before its cursor is stored."""
    asked = from_plain(Question, position["question"])
    total = 0
    while True:
        cursor = position["cursor"]
        page = patience.send(partial(_page, exchange, asked, cursor, images, limit))
        lines = [_line(course, person) for course in page.courses for person in course.participants]
        if lines and output is not None:
            _note(state, position, output)
            durable.append(output, b"".join(lines))
        elif lines:
            sys.stdout.buffer.write(b"".join(lines))
            sys.stdout.buffer.flush()
        total += len(lines)
        if lines or page.next_cursor not in (None, cursor):
            position["cursor"] = page.next_cursor or cursor
            _note(state, position, None)
        if not page.more:
            return total
        if position["cursor"] == cursor:
            raise ExchangeError("The answer does not follow the contract: there is more, and no new cursor.")


def _position(state: Path, question: Question | None, output: Path | None) -> dict[str, Any]:
    """Return where the last poll ended, with the output as it was then; begin if there is no state file."""
    position = durable.load(state, "question", "cursor")
    if position is None:
        if question is None:
            raise OtherQuestion(f"There is no {state} yet: say since when, or for which period.")
        position = {"question": plain(question), "cursor": None}
        _note(state, position, None)
    elif question is not None and plain(question) != position["question"]:
        raise OtherQuestion(f"{state} belongs to another question: {json.dumps(position['question'])}.")
    if output is not None and position.get("output") == _address(output):  # killed while a page was handed over
        if durable.size(output) > position["outputBytes"]:
            durable.cut(output, position["outputBytes"])
        _note(state, position, None)
    return position


def _note(state: Path, position: dict[str, Any], output: Path | None) -> None:
    """Store the position, and the file that a page is about to be added to, with its length; None: there is none."""
    position["output"] = None if output is None else _address(output)
    position["outputBytes"] = None if output is None else durable.size(output)
    durable.save(state, position)


def _address(output: Path) -> str:
    """Name a file so that it is the same one in whatever folder the next poll is started."""
    return str(output.resolve())


def _page(
    exchange: Exchange, question: Question, cursor: str | None, images: Path | None, limit: int | None
) -> SignatureListAnswer:
    """Ask for a page, and put its images on the disk."""
    page = exchange.get_signature_list(**vars(question), cursor=cursor, include_images=images is not None, limit=limit)
    if images is not None:
        images.mkdir(parents=True, exist_ok=True)
        for course in page.courses:
            for person in course.participants:
                _save_image(images, person)
    return page


def _save_image(folder: Path, person: Participant) -> None:
    if person.image is None:
        return
    digest = hashlib.sha256(person.image).hexdigest()
    if person.image_sha256 is not None and digest != person.image_sha256.lower():
        raise ExchangeUnavailable(f"The image {person.image_sha256} was damaged on the way.")
    path = folder / f"{digest}.png"
    if not path.exists():
        durable.write(path, person.image)


def _line(course: CourseAttendance, person: Participant) -> bytes:
    """Write a participant with its course as one JSON line; the image itself is left out."""
    members = plain(replace(course, participants=())) | plain(replace(person, image=None))
    del members["participants"]
    return json.dumps(members, ensure_ascii=False).encode() + b"\n"
