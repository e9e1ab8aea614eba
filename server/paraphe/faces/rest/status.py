"""Which HTTP status goes with which error code: a closed table; `returnCode` in the body is what counts."""

from ...errors import Code

# What stands in no line is 422: the message was understood, and is refused for what it says.
STATUSES: dict[int, tuple[Code, ...]] = {
    status: tuple(Code(name) for name in names.split())
    for status, names in {
        400: "MALFORMED_MESSAGE FORBIDDEN_CONSTRUCT INVALID_ENVELOPE VERSION_MISMATCH HEADER_NOT_UNDERSTOOD"
        " INVALID_ATTACHMENT MESSAGE_TOO_COMPLEX",
        401: "CREDENTIALS_REQUIRED CREDENTIALS_REFUSED CREDENTIALS_UNSUPPORTED",
        404: "UNKNOWN_OPERATION NOT_FOUND",
        405: "METHOD_NOT_ALLOWED",
        408: "TOO_SLOW",
        409: "MESSAGE_ID_REUSED IN_PROGRESS",
        413: "MESSAGE_TOO_LARGE",
        415: "UNSUPPORTED_MEDIA_TYPE",
        429: "TOO_MANY_REQUESTS",
        500: "SERVER_ERROR",
        503: "SERVER_BUSY",
    }.items()
}
_BY_CODE = {code: status for status, codes in STATUSES.items() for code in codes}
STATUSES[422] = tuple(code for code in Code if code not in _BY_CODE)


def status_of(code: Code) -> int:
    """Return the HTTP status of an answer whose first error has this code."""
    return _BY_CODE.get(code, 422)
