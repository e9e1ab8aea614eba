"""What can go wrong: the exchange refused the message, or it was not reached."""

from collections.abc import Sequence
from dataclasses import dataclass

# Codes that say "nothing was stored, send it again in a moment", and those that are worth a few attempts only; as the
# chapter "Send it again?" of docs/errors.md says.
PASSING = frozenset({"IN_PROGRESS", "SERVER_BUSY", "TOO_MANY_REQUESTS", "TOO_SLOW"})
FAILING = frozenset({"SERVER_ERROR"})


@dataclass(frozen=True, kw_only=True)
class ItemError:
    """One error of an answer: where, what, and what to do. `index` counts from 1; `code` is from the closed list."""

    code: str
    message: str
    index: int | None = None
    reference: str | None = None
    field: str | None = None
    hint: str | None = None
    line: int | None = None
    path: str | None = None
    value: str | None = None


class ExchangeError(Exception):
    """The base of all errors of this package; raised itself when an answer does not follow the contract.

    Then what became of the message is not known: it may be stored. `again` says whether sending the same message again
    may help; `retry_after` is the wait in seconds that the server asked for, if it did. `message_id` is the one that
    was sent, also when the caller gave none.
    """

    def __init__(
        self,
        message: str,
        *,
        again: bool = False,
        retry_after: float | None = None,
        message_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.again = again
        self.retry_after = retry_after
        self.message_id = message_id

    def __str__(self) -> str:
        if self.message_id is None:
            return self.message
        return f"{self.message} It is safe to send the message again with the same messageId {self.message_id}."


class ExchangeRefused(ExchangeError):  # noqa: N818 - the house names exceptions by what is the case
    """The server answered 500 ERROR, or a fault (`fault`): nothing of the message is stored.

    `request_id` finds the request in the server's log. `xml` is the answer as it came.
    """

    return_code = "500 ERROR"

    def __init__(
        self,
        message: str,
        *,
        request_id: str = "",
        errors: Sequence[ItemError] = (),
        fault: bool = False,
        retry_after: float | None = None,
        message_id: str | None = None,
        xml: bytes = b"",
    ) -> None:
        self.codes = frozenset(error.code for error in errors)
        again = bool(self.codes & (PASSING | FAILING))
        super().__init__(message, again=again, retry_after=retry_after, message_id=message_id)
        self.request_id = request_id
        self.errors = tuple(errors)
        self.fault = fault
        self.xml = xml

    def __str__(self) -> str:
        return f"{self.message} (requestId {self.request_id})" if self.request_id else self.message


class ExchangeUnavailable(ExchangeError):  # noqa: N818
    """No answer of the exchange came back: not reached, timed out, cut off, or something else answered.

    Whether the message was stored is not known. It is safe to send it again with the same messageId: the exchange
    stores it once. `status` is the HTTP status, if there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        again: bool = True,
        status: int | None = None,
        retry_after: float | None = None,
        message_id: str | None = None,
    ) -> None:
        super().__init__(message, again=again, retry_after=retry_after, message_id=message_id)
        self.status = status
