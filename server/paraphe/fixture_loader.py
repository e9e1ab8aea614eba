"""Fills an account with the fictional training centre of `fixtures/`: its five repositories and its attendance.

The repositories go through the same hall as any caller's message, so they are journalled and may be loaded again.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from sqlalchemy import Engine

from . import store
from .accounts import Account
from .app import exchange_of
from .archive import Archive
from .call import OK, Answer, Call, Exchange
from .context import Context
from .errors import Refused
from .faces.soap import envelope
from .operations import OPERATIONS
from .settings import Settings
from .work.signatures import record_attendance
from .xml.parse import parse
from .xml.request import find_operation, read_request

# In this order, because a course names the rooms and people before it.
REPOSITORIES = ("SyncContacts", "SyncClassrooms", "SyncTeachers", "SyncStudents", "SyncCourses")
_MOMENTS = ("arrived_at", "left_at", "collected_on", "received_on")


def load(engine: Engine, archive: Archive, settings: Settings, account: Account) -> dict[str, Any]:
    """Load all fixtures into `account`; return what became of them by operation. Refused if they contradict it."""
    with store.Later(engine) as later:
        exchange = exchange_of(engine, archive, settings, later)
        loaded: dict[str, Any] = {name: _send(exchange, account, name) for name in REPOSITORIES}
    now = datetime.now(UTC)
    with store.writing(engine) as connection:
        context = Context(connection, account, now, "load-fixtures", archive, exchange.addresses)
        loaded["attendance"] = record_attendance(context, list(attendance()))
    return loaded


def message(operation: str, case: str = "request") -> bytes:
    """Return one message of the fixtures, for example message("SyncStudents")."""
    return files("paraphe.fixtures").joinpath(operation, f"{case}.xml").read_bytes()


def attendance() -> Iterator[Mapping[str, Any]]:
    """Give the rows of attendance of the fixtures, with the images in them."""
    folder = files("paraphe.fixtures") / "attendance"
    for row in json.loads(folder.joinpath("attendance.json").read_text("utf-8")):
        moments = {name: datetime.fromisoformat(row[name]) for name in _MOMENTS if row[name]}
        image = folder.joinpath("signatures", row["image"]).read_bytes() if row["image"] else None
        yield {**row, **moments, "image": image}


def _send(exchange: Exchange, account: Account, operation_name: str) -> dict[str, int]:
    payload = envelope.read(parse(message(operation_name)))
    operation = find_operation(payload)
    request = read_request(payload, operation, account.time_zone)
    call = Call(exchange, face="fixtures", account=account, operation=operation.name)
    answers: list[Answer] = []

    def keep(answer: Answer) -> bytes:
        answers.append(answer)
        return b""

    call.run(OPERATIONS[operation.name], request.values, keep)
    answer = answers[-1]
    if answer["return_code"] != OK:
        raise Refused(*answer["errors"])
    return {name: answer[name] for name in ("created", "updated", "unchanged")}
