"""What HTTP faces share: credentials and bodies read, answers written."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Iterator
from email.message import Message
from functools import lru_cache
from typing import Any

from ..call import Call
from ..errors import Code, Error, Refused

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_CHUNK = 1 << 20


@lru_cache(256)
def content_type(line: str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type into the media type (lower case) and its parameters (names in lower case)."""
    message = Message()
    message["content-type"] = line
    (kind, _), *parameters = message.get_params(failobj=[(line, "")]) or [(line, "")]
    return kind.strip().lower(), {name.lower(): value for name, value in parameters}


def read_body(environ: Environ, limit: int) -> bytes:
    """Return the request's body; Refused, MESSAGE_TOO_LARGE, above `limit` bytes."""
    declared = environ.get("CONTENT_LENGTH") or "0"
    length = int(declared) if re.fullmatch(r"\d{1,18}", declared) else 0
    if length > limit:
        raise Refused(
            Error(
                Code.MESSAGE_TOO_LARGE,
                f"The message has {length} bytes; at most {limit} are taken.",
                hint="Send fewer items in one message, or a smaller file.",
            )
        )
    body: bytes = environ["wsgi.input"].read(length)
    return body


def basic_credentials(environ: Environ) -> tuple[str, str] | None:
    """Return user and key of HTTP Basic, or None; read as UTF-8, then as Latin-1 (RFC 7617, appendix B)."""
    scheme, _, encoded = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = b64decode(encoded.strip(), validate=True)
    except (Base64Error, ValueError):
        return "", ""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    user, _, key = text.partition(":")
    return user, key


def status_line(status: int) -> str:
    """Return the status as HTTP writes it: 404 is "404 Not Found"."""
    return f"{status} {_REASONS[status]}"


def respond(
    start: StartResponse, status: int, media_type: str, length: int, headers: Iterable[tuple[str, str]] = ()
) -> None:
    """Begin an answer with the headers that each of ours has."""
    start(
        status_line(status),
        [
            ("Content-Type", media_type),
            ("Content-Length", str(length)),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        ],
    )


def plain(start: StartResponse, status: int, text: bytes) -> list[bytes]:
    """Answer with a few words."""
    respond(start, status, "text/plain; charset=utf-8", len(text))
    return [text]


def until_sent(pieces: Iterable[bytes], environ: Environ, call: Call) -> Iterator[bytes]:
    """Give the pieces of an answer, and tell the call once the last byte has been written to the caller.

    `paraphe.flush` is the server's: it waits until all bytes are with the caller's system. A WSGI server without it
    is taken at its word when it asks for more after the last piece.
    """
    yield from pieces
    flush: Callable[[], bool] = environ.get("paraphe.flush", lambda: True)
    if flush():
        call.sent()


def sliced(body: bytes) -> Iterator[bytes]:
    """Cut a large body into pieces of 1 MB, so that the server can notice a caller who went away."""
    view = memoryview(body)
    for begin in range(0, len(body), _CHUNK):
        yield bytes(view[begin : begin + _CHUNK])
