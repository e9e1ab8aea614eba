"""What a work function is given besides the request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine

from .accounts import Account
from .addresses import Addresses
from .archive import Archive


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in force, for example Limit("messageBytes", 314_572_800, "bytes")."""

    name: str
    value: int
    unit: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """One message before its transaction: for what takes long, stores no row, and must not hold up other writers.

    `limits` are those in force. `make_pdf` is told a record's id, and for which request: it makes the PDF of the
    record's version, and stores that in a transaction of its own.
    """

    engine: Engine
    account: Account
    now: datetime
    request_id: str
    archive: Archive
    make_pdf: Callable[[int, str], None] = lambda record_id, request_id: None
    limits: Sequence[Limit] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """One message being worked on: in whose name, in which transaction, at what moment.

    `after_sent` collects what is to be done, in a transaction of its own, once the last byte of the answer has been
    written to the caller. `queued` collects the kinds of jobs that were put into the queue: after the commit, the
    workers of this process are told. `actor` is who does it if that is not the account's user.
    """

    connection: Connection
    account: Account
    now: datetime
    request_id: str
    archive: Archive
    addresses: Addresses
    after_sent: list[Callable[[Connection], None]] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    actor: str | None = None
