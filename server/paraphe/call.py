"""The hall that every caller passes: one transaction, idempotency, dry run, journal, one answer.

The rule "200 OK: all of it is durably stored; 500 ERROR: nothing of it" is one `with` block, here. No face and no
operation can forget it, and each inherits the idempotency, the journal and the wording of errors.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from . import store
from .accounts import Account, Gate
from .addresses import Addresses
from .admission import FailedLogins, Requests
from .archive import Archive, Unavailable
from .context import Ahead, Context, Limit
from .errors import Code, Error, Refused
from .metrics import Metrics
from .remembered import packed, unpacked
from .spool import Body
from .xml.bounds import STANDARD, Bounds

OK = "200 OK"
ERROR = "500 ERROR"
Answer = dict[str, Any]
Render = Callable[[Answer], Body]

log = logging.getLogger("paraphe.call")

_AGAIN = 5
"""Seconds after which a message is worth sending again for which there was no room."""

_LOOK_AGAIN = 0.5
"""Seconds between two tries to learn what became of a commit, while the database does not answer."""

# Kept, because to build a statement for each message takes as long as to run it.
_ANSWERED_BEFORE = store.Prepared(
    select(store.message.c.digest, store.message.c.answer).where(
        store.message.c.account_id == bindparam("account"), store.message.c.message_id == bindparam("message")
    )
)
_REMEMBER = store.Prepared(
    insert(store.message), ["account_id", "message_id", "operation", "digest", "answer", "answered_on"]
)
_JOURNAL = store.Prepared(
    insert(store.journal), [column.name for column in store.journal.columns if column is not store.journal.c.id]
)
_TOLD = select(store.journal.c.return_code).where(store.journal.c.request_id == bindparam("request"))


class Uses(Enum):
    """What an operation does with the database: nothing, it reads, or it writes."""

    NOTHING = auto()
    READS = auto()
    WRITES = auto()


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation does, what it uses the database for, and how its success is told in one sentence.

    `work` is given a Context; where no database is used, it is given Ahead, and there is neither transaction nor
    `ahead`. That is done before the transaction begins and stores no row; what it returns is given to `work` as well.
    """

    work: Callable[..., Answer]
    uses: Uses
    sentence: Callable[[Answer], str]
    ahead: Callable[[Ahead, Mapping[str, Any]], Any] | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What all calls share: the database, who may call, the archive, the addresses, the limits in force.

    `later` writes the journal of messages of which nothing was stored; `forgetting` removes what is too old.
    `bounds` are what one message may hold; `requests` and `failed_logins` count who comes in, `strangers` whom nobody
    knows. `wake` tells the workers of this process that there are new jobs; `make_pdf` is that of Ahead.
    """

    engine: Engine
    gate: Gate
    archive: Archive
    addresses: Addresses
    later: store.Later
    forgetting: store.Forgetting
    requests: Requests
    failed_logins: FailedLogins
    strangers: FailedLogins
    bounds: Bounds = STANDARD
    limits: Sequence[Limit] = ()
    metrics: Metrics = field(default_factory=Metrics)
    wake: Callable[[], None] = lambda: None
    make_pdf: Callable[[int, str], None] = lambda record_id, request_id: None


def _new_request_id() -> str:
    # It begins with the time: so the journal's index on it grows at its end, which halves what a row costs SQLite.
    return f"{time.time_ns():016x}{os.urandom(8).hex()}"


@dataclass(slots=True)
class Call:
    """One message, from its arrival to the last byte of its answer."""

    exchange: Exchange
    #: The address that the message comes from.
    source: str = ""
    face: str = ""
    #: Who does it, if that is not the account's user.
    actor: str | None = None
    request_bytes: int = 0
    account: Account | None = None
    operation: str | None = None
    request_id: str = field(default_factory=_new_request_id)
    received_on: datetime = field(default_factory=lambda: datetime.now(UTC))
    #: What was tolerated in the message, for the answer.
    hint: str | None = None
    #: Seconds after which a refused message is worth sending again.
    retry_after: int | None = None
    # True when the server failed, so that faces answer with a fault rather than with the operation's result.
    failed: bool = False
    _began: float = field(default_factory=time.perf_counter)
    _message_id: str | None = None
    _entered: int | None = None
    #: True when the row of a refusal is in the journal before the refusal is told.
    _journalled: bool = False
    after_sent: list[Callable[[Connection], None]] = field(default_factory=list)
    _queued: list[str] = field(default_factory=list)

    def enter(self, account: Account) -> bool:
        """Count among the requests of an account until `leave`; False if it has too many already."""
        if self.exchange.requests.enter(account.id):
            self._entered = account.id
        return self._entered is not None

    def leave(self) -> None:
        """Count no longer; harmless if it did not, and twice."""
        entered, self._entered = self._entered, None
        if entered is not None:
            self.exchange.requests.leave(entered)

    def run(self, operation: Operation, request: Mapping[str, Any], render: Render, *, digest: bytes = b"") -> Body:
        """Do the operation in one transaction and return its rendered answer.

        `digest` identifies the content of a request with a message_id: the same one again is answered again.

        The answer is rendered before the commit, so that one which cannot be written stores nothing either. The
        journal's row is part of the same commit.
        """
        try:
            match operation.uses:
                case Uses.WRITES:
                    return self._write(operation, request, render, digest)
                case Uses.READS:
                    return self._read(operation, request, render)
                case Uses.NOTHING:
                    return self._told(self._finished(operation, operation.work(self._ahead(), request)), render)
        except Refused as refused:
            if refused.errors[0].code == Code.SERVER_BUSY:
                self.failed, self.retry_after = True, _AGAIN
            return self.refuse(refused, render)
        except store.Taken:
            return self.refuse(_in_progress(), render)
        except (store.Busy, Unavailable) as failure:
            self.failed = True
            return self.refuse(self.busy(failure), render)
        except OSError as failure:
            self.failed = True
            no_room = Unavailable(f"Large answers cannot be put into files: {failure.strerror}.")
            no_room.__cause__ = failure
            return self.refuse(self.busy(no_room), render)
        except Exception:
            log.exception("failed", extra={"request_id": self.request_id})
            self.failed = True
            return self.refuse(server_error(), render)

    def refuse(self, refused: Refused, render: Render) -> Body:
        """Journal a message of which nothing was stored, and return its rendered answer.

        Those that are too many are in the log only: what the limit on them saves is their rows.
        """
        self.after_sent.clear()
        answer = self._answer({}, ERROR, str(refused), errors=refused.errors)
        body = render(answer)
        too_many = refused.errors[0].code == Code.TOO_MANY_REQUESTS or self._comes_from_a_crowd()
        self._done(answer, len(body), journalled=too_many or self._journalled)
        return body

    def _comes_from_a_crowd(self) -> bool:
        """Say whether nobody knows who sent it, and its source has sent many such: they are counted, no more."""
        return self.account is None and self.exchange.strangers.note(self.source, "") > 0

    def busy(self, failure: store.Busy | Unavailable) -> Refused:
        """Refuse because the database or the archive does not answer; the log says why."""
        log.error("busy", exc_info=failure, extra={"request_id": self.request_id})
        what = "archive" if isinstance(failure, Unavailable) else "database"
        self.exchange.metrics.busy(what)
        self.retry_after = _AGAIN
        return Refused(
            Error(
                Code.SERVER_BUSY,
                f"The server's {what} cannot take the message now; nothing of it was stored.",
                hint="Send it again later.",
            )
        )

    def sent(self) -> None:
        """Do what waits for the answer's last byte to be written to the caller, such as marking as extracted.

        A failure cannot be told to the caller any more. It is logged; the record then stands in the next list again.
        """
        if not self.after_sent:
            return
        try:
            with store.writing(self.exchange.engine) as connection:
                for action in self.after_sent:
                    action(connection)
        except Exception:
            log.exception("not marked", extra={"request_id": self.request_id})

    def _write(self, operation: Operation, request: Mapping[str, Any], render: Render, digest: bytes) -> Body:
        dry_run = bool(request.get("dry_run"))
        self._message_id = None if dry_run else request.get("message_id")
        sole = f"{self._caller.id}:{self._message_id}" if self._message_id else None
        try:
            with store.alone(self.exchange.engine, sole) as transaction:
                done_ahead = self._done_ahead(operation, request, digest)
                with transaction() as connection:
                    answer = self._answered_before(connection, digest) or self._worked_anew(
                        connection, operation, request, digest, *done_ahead, dry_run=dry_run
                    )
                    body = render(answer)
                    _JOURNAL.execute(connection, self._row(answer, len(body)))
        except store.Unsure:
            if not self._was_stored(self._row(answer, len(body))):
                raise
        if self._queued:
            self.exchange.wake()
        self._done(answer, len(body), journalled=True)
        return body

    def _worked_anew(
        self,
        connection: Connection,
        operation: Operation,
        request: Mapping[str, Any],
        digest: bytes,
        *done_ahead: Any,
        dry_run: bool,
    ) -> Answer:
        tried = connection.begin_nested() if dry_run else None
        answer = self._worked(connection, operation, request, *done_ahead)
        if tried:
            tried.rollback()
        self._remember(connection, digest, answer)
        return answer

    def _was_stored(self, row: Mapping[str, Any]) -> bool:
        """Learn what became of a commit whose end nobody saw, however long the database is away.

        The journal has one row for a request. One that says "refused" can be written only if the commit came to
        nothing, and as long as it is under way the database lets us wait. Until then either answer could be a lie,
        and a caller who does not wait has none: it sends the message again.
        """
        refused = {**row, "return_code": ERROR, "duplicate": False, "error_codes": Code.SERVER_BUSY.value}
        code: str | None = None
        while code is None:
            try:
                with suppress(IntegrityError), store.writing(self.exchange.engine) as connection:
                    connection.execute(_JOURNAL.statement, refused)
                with store.reading(self.exchange.engine) as connection:
                    code = connection.scalar(_TOLD, {"request": self.request_id})
            except Exception as failure:  # whatever it is, it is not the journal's word
                log.warning("unsure", exc_info=failure, extra={"request_id": self.request_id})
                time.sleep(_LOOK_AGAIN)
        self._journalled = code == ERROR
        return code == OK

    def _read(self, operation: Operation, request: Mapping[str, Any], render: Render) -> Body:
        done_ahead = self._done_ahead(operation, request, b"")
        with store.reading(self.exchange.engine) as connection:
            answer = self._worked(connection, operation, request, *done_ahead)
        return self._told(answer, render)

    def _told(self, answer: Answer, render: Render) -> Body:
        body = render(answer)
        self._done(answer, len(body), journalled=False)
        return body

    def _done_ahead(self, operation: Operation, request: Mapping[str, Any], digest: bytes) -> tuple[Any, ...]:
        """Do what an operation does before its transaction, unless the message was answered before."""
        if operation.ahead is None:
            return ()
        if self._message_id is not None:
            with store.reading(self.exchange.engine) as connection:
                if self._answered_before(connection, digest) is not None:
                    return ()
        return (operation.ahead(self._ahead(), request),)

    def _ahead(self) -> Ahead:
        exchange = self.exchange
        return Ahead(
            exchange.engine,
            self._caller,
            self.received_on,
            self.request_id,
            exchange.archive,
            exchange.make_pdf,
            exchange.limits,
        )

    def _worked(
        self, connection: Connection, operation: Operation, request: Mapping[str, Any], *done_ahead: Any
    ) -> Answer:
        context = Context(
            connection,
            self._caller,
            self.received_on,
            self.request_id,
            self.exchange.archive,
            self.exchange.addresses,
            self.after_sent,
            self._queued,
            self.actor,
        )
        return self._finished(operation, operation.work(context, request, *done_ahead))

    def _finished(self, operation: Operation, result: Answer) -> Answer:
        return self._answer(result, OK, operation.sentence(result), errors=result.pop("errors", ()))

    @property
    def _caller(self) -> Account:
        if self.account is None:
            raise RuntimeError("an operation without an account")
        return self.account

    def _answer(self, result: Answer, code: str, message: str, *, errors: Sequence[Error] = ()) -> Answer:
        members = {"return_code": code, "message": message, "request_id": self.request_id, "duplicate": False}
        if errors:
            members["errors"] = [_members(error) for error in errors]
        if self.hint:
            members["hint"] = self.hint
        return members | result

    def _answered_before(self, connection: Connection, digest: bytes) -> Answer | None:
        if self._message_id is None:
            return None
        mine = {"account": self._caller.id, "message": self._message_id}
        known = _ANSWERED_BEFORE.first(connection, mine)
        if known is None:
            return None
        if known.digest != digest:
            raise Refused(
                Error(
                    Code.MESSAGE_ID_REUSED,
                    "This messageId was used before for another message.",
                    field="messageId",
                    hint="Give each message a new messageId; keep it only to send the very same message again.",
                )
            )
        return unpacked(known.answer) | {"request_id": self.request_id, "duplicate": True, "hint": self.hint}

    def _remember(self, connection: Connection, digest: bytes, answer: Answer) -> None:
        if self._message_id is None:
            return
        row = {
            "account_id": self._caller.id,
            "message_id": self._message_id,
            "operation": self.operation,
            "digest": digest,
            "answer": packed(answer),
            "answered_on": self.received_on,
        }
        _REMEMBER.execute(connection, row)

    def _row(self, answer: Answer, answer_bytes: int) -> dict[str, Any]:
        codes = sorted({str(error["code"]) for error in answer.get("errors", ())})
        return {
            "request_id": self.request_id,
            "account_id": self.account.id if self.account else None,
            "face": self.face,
            "operation": self.operation,
            "message_id": self._message_id,
            "received_on": self.received_on,
            "duration_ms": round((time.perf_counter() - self._began) * 1000),
            "request_bytes": self.request_bytes,
            "answer_bytes": answer_bytes,
            "return_code": answer["return_code"],
            "duplicate": answer["duplicate"],
            "error_codes": " ".join(codes) or None,
        }

    def _done(self, answer: Answer, answer_bytes: int, *, journalled: bool) -> None:
        """Write the message into the log, and soon into the journal; nobody waits for that while others write."""
        row = self._row(answer, answer_bytes)
        seconds, sizes = time.perf_counter() - self._began, (self.request_bytes, answer_bytes)
        self.exchange.metrics.message(self.face, self.operation, row["return_code"], seconds, sizes)
        if row["error_codes"]:
            self.exchange.metrics.errors(row["error_codes"].split())
        if not journalled:
            self.exchange.later.owe(_JOURNAL.statement, row)
        self.exchange.forgetting.remind(self.received_on)
        log.info("message", extra=row)


def server_error() -> Refused:
    """Refuse because the server failed; the log has the reason under the request's number."""
    return Refused(
        Error(
            Code.SERVER_ERROR,
            "The server failed; nothing of the message was stored.",
            hint="Send it again later; if it fails again, give the requestId to the operator.",
        )
    )


def _in_progress() -> Refused:
    return Refused(
        Error(
            Code.IN_PROGRESS,
            "A message with this messageId is still being worked on.",
            field="messageId",
            hint="Send the same message again in a few seconds; it is stored once.",
        )
    )


def _members(error: Error) -> dict[str, Any]:
    return {name: getattr(error, name) for name in error.__slots__}
