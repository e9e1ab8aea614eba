"""The closed list of error codes, one error, and the one exception that crosses rooms."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What can be wrong: the enumeration `ErrorCode` of the contract, in its order.

    `xsd/common.xsd` says what each one means; `docs/errors.md` what to do about it.
    """

    MALFORMED_MESSAGE = "MALFORMED_MESSAGE"
    FORBIDDEN_CONSTRUCT = "FORBIDDEN_CONSTRUCT"
    INVALID_ENVELOPE = "INVALID_ENVELOPE"
    VERSION_MISMATCH = "VERSION_MISMATCH"
    HEADER_NOT_UNDERSTOOD = "HEADER_NOT_UNDERSTOOD"
    UNKNOWN_OPERATION = "UNKNOWN_OPERATION"
    INVALID_ATTACHMENT = "INVALID_ATTACHMENT"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_FOUND = "NOT_FOUND"
    MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"
    MESSAGE_TOO_COMPLEX = "MESSAGE_TOO_COMPLEX"
    TOO_SLOW = "TOO_SLOW"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    CREDENTIALS_REQUIRED = "CREDENTIALS_REQUIRED"
    CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"
    CREDENTIALS_UNSUPPORTED = "CREDENTIALS_UNSUPPORTED"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    VALUE_OUT_OF_RANGE = "VALUE_OUT_OF_RANGE"
    VALUE_REQUIRED = "VALUE_REQUIRED"
    VALUES_CONTRADICT = "VALUES_CONTRADICT"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    DUPLICATE_REFERENCE = "DUPLICATE_REFERENCE"
    UNKNOWN_REFERENCE = "UNKNOWN_REFERENCE"
    REMOVAL_THRESHOLD = "REMOVAL_THRESHOLD"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    INVALID_CURSOR = "INVALID_CURSOR"
    MESSAGE_ID_REUSED = "MESSAGE_ID_REUSED"
    IN_PROGRESS = "IN_PROGRESS"
    UNKNOWN_RECORD = "UNKNOWN_RECORD"
    RECORD_NOT_IN_REVIEW = "RECORD_NOT_IN_REVIEW"
    RECORD_WITHOUT_DOCUMENT = "RECORD_WITHOUT_DOCUMENT"
    EMPTY_FILE = "EMPTY_FILE"
    NOT_A_PDF = "NOT_A_PDF"
    DIGEST_MISMATCH = "DIGEST_MISMATCH"
    SERVER_BUSY = "SERVER_BUSY"
    SERVER_ERROR = "SERVER_ERROR"


@dataclass(frozen=True, slots=True)
class Error:
    """One error, in the caller's own terms.

    `index` counts items from 1; `field` is the contract's name of the element; `line`, `path` and `value`
    (80 characters at most) say where a message breaks the schema.
    """

    code: Code
    message: str
    index: int | None = None
    reference: str | None = None
    field: str | None = None
    hint: str | None = None
    line: int | None = None
    path: str | None = None
    value: str | None = None


class Refused(Exception):  # noqa: N818 - a refusal is the answer to the caller, not a failure of the server
    """The message cannot be taken; nothing of it is stored. Carries the errors that say why."""

    def __init__(self, *errors: Error) -> None:
        super().__init__(errors[0].message)
        self.errors = errors

    @classmethod
    def of(cls, errors: Iterable[Error]) -> "Refused":
        """Refuse with errors in the order of the input (those about no item first)."""
        return cls(*sorted(errors, key=lambda error: error.index or 0))
