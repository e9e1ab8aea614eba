"""What HTTP faces share: credentials and bodies read, answers written.

A face is a WSGI callable that gives its answer whole and as it is. `send` stands around all of them and does what is
the same for every answer: the headers that protect a browser, compression, HEAD, and telling when the last byte has
arrived.
"""

import io
import re
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email.message import Message
from functools import lru_cache
from typing import Any

from .. import store
from ..accounts import Account
from ..archive import Unavailable
from ..call import Call
from ..errors import Code, Error, Refused
from ..spool import LARGE, Body, Content, InFile, gathered, nameless, spooled

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_REASONS = {
    200: "OK",
    206: "Partial Content",
    304: "Not Modified",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_CHUNK = 4 << 20
_LONGEST_TYPE = 2000  # characters of a Content-Type; well-known stacks send 300

# What a compressed body may consist of at most: each member of a gzip file costs some time, also an empty one.
_MEMBERS = 10_000
_BLOCK = 1 << 16

RETRY_AFTER = 5
"""Seconds after which a message is worth sending again that the server could not take."""

CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of an answer that may load nothing, do nothing and be shown in no frame."""

PUBLISHED = [
    ("Cache-Control", "no-cache"),
    ("Content-Security-Policy", f"{CLOSED}; style-src 'unsafe-inline'; img-src data:"),
]
"""The headers of a WSDL or a schema: browsers show XML with styles and pictures of their own, which count as ours."""

# The headers of an answer that says nothing else. There is no Strict-Transport-Security: that is the proxy's, which
# has the certificate and knows what else is served under its name. No Access-Control-…: no other site's page may read.
_USUAL = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CLOSED,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# Compression of answers; see docs/decisions/2026-11-22-compressed-answers.md for the figures.
_TEXTS = ("application/json", "application/soap+xml", "application/xml", "text/html", "text/plain", "text/xml")
_LEAST, _MOST = 1024, 16 << 20
_SAMPLE = 1 << 14
_LEVEL = 2
_GZIP = 31  # zlib's window of 32 kB, with gzip's head and tail


@lru_cache(256)
def content_type(line: str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type into the media type (lower case) and its parameters (names in lower case).

    One that is too long is no media type at all: to take it apart takes quadratic time, 3 s for 60 kB.
    """
    if len(line) > _LONGEST_TYPE:
        return line[:_LONGEST_TYPE].lower(), {}
    message = Message()
    message["content-type"] = line
    try:
        (kind, _), *parameters = message.get_params(failobj=[(line, "")]) or [(line, "")]
    except (TypeError, ValueError):  # what Python 3.11 makes of a*0=x; a*=y, which RFC 2231 does not allow
        kind, parameters = line.partition(";")[0], []
    # A value in the form of RFC 2231 (charset*=utf-8''…) comes in three parts, of which the last is the text.
    return kind.strip().lower(), {name.lower(): text if isinstance(text, str) else text[2] for name, text in parameters}


@contextmanager
def arriving(call: Call) -> Iterator[None]:
    """Read a message; Refused, SERVER_BUSY, if what is large in it cannot be put into files."""
    try:
        yield
    except Unavailable as failure:
        raise call.busy(failure) from failure
    except OSError as failure:
        raise call.busy(Unavailable(f"Large messages cannot be put into files: {failure.strerror}.")) from failure


def read_body(environ: Environ, limit: int, expanded: int) -> Content:
    """Return the request's body, in a file if it is large.

    Refused, MESSAGE_TOO_LARGE, above `limit` bytes, or `expanded` if it is compressed.
    """
    if environ.get("paraphe.broken"):
        message = "The message is not in chunks, or its Transfer-Encoding says that it is in another form."
        raise Refused(Error(Code.MALFORMED_MESSAGE, message, hint="Check the chunks, or send a Content-Length."))
    declared = environ.get("CONTENT_LENGTH") or "0"
    length = int(declared) if re.fullmatch(r"\d{1,18}", declared) else 0
    if length > limit:
        raise _too_large(f"The message has {length} bytes; at most {limit} are taken.")
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding in ("", "identity"):
        return _taken(environ["wsgi.input"], length)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        environ["paraphe.headers"] = [("Accept-Encoding", "gzip, deflate")]
        raise Refused(
            Error(
                Code.UNSUPPORTED_MEDIA_TYPE,
                f"The Content-Encoding {encoding[:40]} is not taken here.",
                hint="Send the message as it is, or compressed once, with gzip or deflate.",
            )
        )
    return gathered(_expanded(environ["wsgi.input"], length, encoding, expanded))


def _taken(stream: Any, length: int) -> Content:
    if length <= LARGE:
        body: bytes = stream.read(length)
        return body
    # waitress has it in a file; other servers may give it as it comes.
    if isinstance(stream, io.BufferedRandom) and stream.tell() == 0:
        return InFile.of(stream)
    return spooled(_read(stream, length), nameless())


def _read(stream: Any, length: int) -> Iterator[bytes]:
    while length > 0 and (piece := stream.read(min(_BLOCK, length))):
        length -= len(piece)
        yield piece


def _too_large(message: str) -> Refused:
    return Refused(Error(Code.MESSAGE_TOO_LARGE, message, hint="Send fewer items in one message, or a smaller file."))


def _expanded(stream: Any, length: int, encoding: str, limit: int) -> Iterator[bytes]:
    """Undo gzip or deflate; Refused, MESSAGE_TOO_LARGE, when what comes out is larger than `limit`."""
    block = stream.read(min(_BLOCK, length))
    length -= len(block)
    # 47: gzip or zlib, whichever the first bytes say. Some senders of "deflate" leave zlib's first bytes out: -15.
    bare = encoding == "deflate" and (len(block) < 2 or block[0] & 15 != 8 or int.from_bytes(block[:2], "big") % 31)
    size = 0
    # deflate is one stream; a gzip file may have several members one behind the other.
    for _ in range(_MEMBERS if encoding != "deflate" else 1):
        inflater = zlib.decompressobj(-15 if bare else 47)
        while not inflater.eof:
            if not block:
                block = stream.read(min(_BLOCK, length))
                length -= len(block)
            try:
                piece = inflater.decompress(block, _BLOCK)
            except zlib.error:
                raise _not_compressed(encoding) from None
            size += len(piece)
            if size > limit:
                raise _too_large(f"The message expands to more than {limit} bytes.")
            if not block and not piece and not inflater.eof:
                raise _not_compressed(encoding)
            yield piece
            block = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        if not block and not length:
            return
    raise _not_compressed(encoding)


def _not_compressed(encoding: str) -> Refused:
    return Refused(
        Error(
            Code.MALFORMED_MESSAGE,
            f"The message is not {encoding}, its end is missing, or something follows it.",
            hint="Check the Content-Encoding.",
        )
    )


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

    Refused when there are none (`hint` says how they are sent here), or wrong ones, whichever of the two is wrong; when
    the account has too many requests at once; or when the database does not answer.
    """
    if credentials is None:
        raise Refused(Error(Code.CREDENTIALS_REQUIRED, "The message holds no credentials.", hint=hint))
    gate = call.exchange.gate
    try:
        account = gate.recognise_key(credentials) if isinstance(credentials, str) else gate.recognise(*credentials)
    except store.Busy as failure:
        raise call.busy(failure) from failure
    if account is None:
        raise _wrong(call, "" if isinstance(credentials, str) else credentials[0])
    if not call.enter(account):
        call.retry_after = 1
        raise Refused(
            Error(
                Code.TOO_MANY_REQUESTS,
                f"The account has {call.exchange.requests.most} requests at work already, which is as many as it may.",
                hint="Wait for one of them to end, then send the same message again.",
            )
        )
    return account


def _wrong(call: Call, user: str) -> Refused:
    call.exchange.metrics.failed_login()
    hint = 'Check apiUser and apiKey; the operator makes a new key with "paraphe account add-key".'
    call.retry_after = call.exchange.failed_logins.note(call.source, user) or None
    if call.retry_after is None:
        return Refused(
            Error(Code.CREDENTIALS_REFUSED, "The user or the key is wrong, or the key was revoked.", hint=hint)
        )
    return Refused(
        Error(
            Code.TOO_MANY_REQUESTS,
            "Too many wrong keys came from this address, and this one was none of ours either.",
            hint=f"{hint} The right key is taken at any time.",
        )
    )


def too_slow() -> Refused:
    """Refuse a message of which the server has got a part only, because it arrived too slowly."""
    message = "The message arrived too slowly, and its end was not waited for."
    return Refused(Error(Code.TOO_SLOW, message, hint="Send it again; CheckConnection tells the limits in force."))


def unread(environ: Environ) -> Refused | None:
    """Refuse a request, whatever it says, if it arrived too slowly, or when the server had been told to stop."""
    if environ.get("paraphe.late"):
        return too_slow()
    if not environ.get("paraphe.stopping"):
        return None
    message = "The server is about to stop, or to be started again; nothing of the message was stored."
    return Refused(Error(Code.SERVER_BUSY, message, hint="Send it again in a few seconds."))


def media_type_refused(kind: str, hint: str) -> Refused:
    """Refuse a Content-Type; `hint` says which ones are taken here."""
    message = f"The Content-Type {kind[:60]} is not taken here." if kind else "The message has no Content-Type."
    return Refused(Error(Code.UNSUPPORTED_MEDIA_TYPE, message, hint=hint))


def method_refused(method: str, hint: str) -> Refused:
    """Refuse an HTTP method; `hint` says which ones are taken here."""
    return Refused(Error(Code.METHOD_NOT_ALLOWED, f"{method[:20]} is not taken at this address.", hint=hint))


def status_line(status: int) -> str:
    """Return the status as HTTP writes it: 404 is "404 Not Found"."""
    return f"{status} {_REASONS[status]}"


# Answers ---------------------------------------------------------------------------------------------------------


def respond(
    start: StartResponse, status: int, media_type: str, length: int, headers: Iterable[tuple[str, str]] = ()
) -> None:
    """Begin an answer; `headers` go before those that `send` gives to every answer."""
    start(status_line(status), [("Content-Type", media_type), ("Content-Length", str(length)), *headers])


def plain(start: StartResponse, status: int, text: bytes, headers: Iterable[tuple[str, str]] = ()) -> Iterable[bytes]:
    """Answer with a few words."""
    respond(start, status, "text/plain; charset=utf-8", len(text), headers)
    return [text]


def nothing_here(start: StartResponse) -> Iterable[bytes]:
    """Answer that there is nothing at an address."""
    return plain(start, 404, b"There is nothing at this address.\n")


def sliced(body: Body | InFile) -> Iterator[bytes]:
    """Give a body in pieces, of 4 MB if it is in memory, so that the server can notice a caller who went away."""
    if not isinstance(body, bytes):
        yield from body.pieces()
        return
    if len(body) <= _CHUNK:  # most of them, which need not be copied
        yield body
        return
    view = memoryview(body)
    for begin in range(0, len(body), _CHUNK):
        yield bytes(view[begin : begin + _CHUNK])


def send(face: Wsgi, environ: Environ, start: StartResponse) -> Iterable[bytes]:
    """Let a face answer, and send that: with the headers of every answer, compressed if the caller likes it.

    The face says the Content-Length, and answers HEAD like GET. It has a `paraphe.call` in its environ, and may leave
    further headers there in `paraphe.headers`.
    """
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    pieces = face(environ, lambda status, headers, *_: begun.append((status, list(headers))))
    status, given = begun[-1]
    call: Call = environ["paraphe.call"]
    given += environ.get("paraphe.headers", ())
    if call.retry_after is not None and all(name != "Retry-After" for name, _ in given):
        given.append(("Retry-After", str(call.retry_after)))
    headers = {name.lower(): value for name, value in given}
    if headers.get("content-type", "").partition(";")[0] in _TEXTS:
        given.append(("Vary", "Accept-Encoding"))
        least = least_to_compress(environ.get("HTTP_ACCEPT_ENCODING", ""))
        if least <= int(headers.get("content-length", -1)) <= _MOST:
            body = _compressed(b"".join(pieces))
            pieces = sliced(body)
            given = [(name, value) for name, value in given if name.lower() != "content-length"]
            given += [("Content-Length", str(len(body))), ("Content-Encoding", "gzip")]
    given += [(name, value) for name, value in _USUAL.items() if name.lower() not in headers]
    start(status, [*given, ("X-Request-Id", call.request_id)])
    if environ["REQUEST_METHOD"] != "HEAD":
        return until_sent(pieces, environ, call)
    # waitress would send the body of an answer to HEAD too, and the next answer would begin in the middle of it.
    close: Callable[[], None] = getattr(pieces, "close", lambda: None)
    close()
    return []


def until_sent(pieces: Iterable[bytes], environ: Environ, call: Call) -> Iterator[bytes]:
    """Give the pieces of an answer; if something waits for it, tell the call once the caller has the last byte.

    `paraphe.flush` is the server's: it waits until all bytes are with the caller's system. A WSGI server without it
    is taken at its word when it asks for more after the last piece.
    """
    yield from pieces
    flush: Callable[[], bool] = environ.get("paraphe.flush", lambda: True)
    if call.after_sent and flush():
        call.sent()


@lru_cache(256)
def least_to_compress(accept: str) -> int:
    """Return how many bytes an answer has at least that is compressed for who sends this Accept-Encoding.

    RFC 9110, section 12.5.3. More than any answer has, if gzip is not taken, or less liked than none. An answer that
    is not worth it is compressed nevertheless for who refuses `identity`.
    """
    weights: dict[str, float] = {}
    for part in accept.lower().split(",")[:50]:
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weights[name] = _quality(parameters)
    others = weights.get("*")
    gzip = max((weights[name] for name in ("gzip", "x-gzip") if name in weights), default=others or 0.0)
    as_it_is = weights.get("identity", others)
    if not gzip or (as_it_is or 0.0) > gzip:
        return _MOST + 1
    return 0 if as_it_is == 0 else _LEAST


def _quality(parameters: Iterable[str]) -> float:
    """Return the weight that parameters give, 0 for one that cannot be read; 1 without any."""
    for parameter in parameters:
        name, _, value = (piece.strip() for piece in parameter.partition("="))
        if name == "q":
            return float(value) if re.fullmatch(r"[01](\.\d{0,3})?", value) else 0.0
    return 1.0


def _compressed(body: bytes) -> bytes:
    """Compress as gzip. A file in base64 gets Huffman codes alone: smaller than otherwise, in a quarter of the time."""
    strategy = zlib.Z_DEFAULT_STRATEGY
    if len(body) > 4 * _SAMPLE:
        middle = memoryview(body)[len(body) // 2 :][:_SAMPLE]
        if len(zlib.compress(middle, 1)) > 0.7 * _SAMPLE:
            strategy = zlib.Z_HUFFMAN_ONLY
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP, zlib.DEF_MEM_LEVEL, strategy)
    return deflater.compress(body) + deflater.flush()
