"""What HTTP faces share: credentials and bodies read, answers written."""

import re
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Iterator
from email.message import Message
from functools import lru_cache
from typing import Any

from ..accounts import Account
from ..call import Call
from ..errors import Code, Error, Refused

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_REASONS = {
    200: "OK",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
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
    """Return the request's body, expanded; Refused, MESSAGE_TOO_LARGE, above `limit` bytes."""
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
    return _expanded(body, environ.get("HTTP_CONTENT_ENCODING", "").strip().lower(), limit)


def _expanded(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo gzip or deflate; Refused, MESSAGE_TOO_LARGE, when what comes out is larger than `limit`."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Refused(
            Error(
                Code.UNSUPPORTED_MEDIA_TYPE,
                f"The Content-Encoding {encoding[:40]} is not taken here.",
                hint="Send the message as it is, or with gzip or deflate.",
            )
        )
    # 47: gzip or zlib, whichever the first bytes say. Some senders of "deflate" leave zlib's first bytes out: -15.
    bare = encoding == "deflate" and (len(body) < 2 or body[0] & 15 != 8 or int.from_bytes(body[:2], "big") % 31)
    try:
        inflater = zlib.decompressobj(-15 if bare else 47)
        expanded = inflater.decompress(body, limit + 1)
    except zlib.error:
        expanded, inflater = b"", None
    if len(expanded) > limit:
        raise Refused(
            Error(
                Code.MESSAGE_TOO_LARGE,
                f"The message expands to more than {limit} bytes.",
                hint="Send fewer items in one message, or a smaller file.",
            )
        )
    if inflater is None or not inflater.eof:
        raise Refused(
            Error(
                Code.MALFORMED_MESSAGE,
                f"The message is not {encoding}, or its end is missing.",
                hint="Check the Content-Encoding.",
            )
        )
    return expanded


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


def bearer_key(environ: Environ) -> str | None:
    """Return the key of `Authorization: Bearer`, or None."""
    scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def recognise(call: Call, credentials: tuple[str, str] | str | None, hint: str) -> Account:
    """Return whose credentials these are: user and key, or a key alone.

    Refused when there are none (`hint` says how they are sent here), or wrong ones, whichever of the two is wrong.
    """
    if credentials is None:
        raise Refused(Error(Code.CREDENTIALS_REQUIRED, "The message holds no credentials.", hint=hint))
    gate = call.exchange.gate
    account = gate.recognise_key(credentials) if isinstance(credentials, str) else gate.recognise(*credentials)
    if account is None:
        raise Refused(
            Error(
                Code.CREDENTIALS_REFUSED,
                "The user or the key is wrong, or the key was revoked.",
                hint='Check apiUser and apiKey; the operator makes a new key with "paraphe account add-key".',
            )
        )
    return account


def media_type_refused(kind: str, hint: str) -> Refused:
    """Refuse a Content-Type; `hint` says which ones are taken here."""
    return Refused(Error(Code.UNSUPPORTED_MEDIA_TYPE, f"The Content-Type {kind[:60]} is not taken here.", hint=hint))


def method_refused(method: str, hint: str) -> Refused:
    """Refuse an HTTP method; `hint` says which ones are taken here."""
    return Refused(Error(Code.METHOD_NOT_ALLOWED, f"{method[:20]} is not taken at this address.", hint=hint))


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
