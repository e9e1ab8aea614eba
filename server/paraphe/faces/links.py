"""The addresses of signatures and documents: /signatures/…, /documents/…, /records/…

Anything else than the exact address of something that is there answers 404 with the same words, after the same work:
the token's seal is checked first and the row looked up by an indexed column, whether or not the seal was right.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from .. import store
from ..call import Call
from ..work import records, signatures
from . import http

log = logging.getLogger("paraphe.links")

_NOBODY = bytes(16)


@dataclass(frozen=True, slots=True)
class File:
    """What an address stands for; `length` bytes in pieces."""

    media_type: str
    name: str
    length: int
    pieces: Iterable[bytes]


def serve(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
    """Answer a GET or HEAD of an address."""
    call: Call = environ["paraphe.call"]
    call.face = "links"
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return http.plain(start, 405, b"This address takes GET.\n")
    _, place, name = (*environ["PATH_INFO"].split("/", 2), "", "")[:3]
    token, dot, extension = name.partition(".")
    suffix = dot + extension
    find = _PLACES[place].get(suffix)
    link = call.exchange.addresses.link(place, token, suffix, call.received_on)
    file = None
    if find is not None:
        with store.reading(call.exchange.engine) as connection:
            file = find(connection, call, link or _NOBODY)
    if file is None or link is None:
        log.info("no such address", extra={"request_id": call.request_id, "place": place})
        return http.plain(start, 404, b"There is nothing at this address.\n")
    log.info("address read", extra={"request_id": call.request_id, "place": place, "answer_bytes": file.length})
    headers = [
        ("Content-Disposition", f'attachment; filename="{_ascii(file.name)}"'),
        ("Cache-Control", "private, no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Robots-Tag", "noindex"),
    ]
    http.respond(start, 200, file.media_type, file.length, headers)
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    return http.until_sent(file.pieces, environ, call)


def _signature(connection: Connection, call: Call, link: bytes) -> File | None:
    digest = signatures.image_of(connection, link)
    if digest is None:
        return None
    image = call.exchange.archive.read(digest)
    return File("image/png", "signature.png", len(image), [image])


def _document(connection: Connection, call: Call, link: bytes) -> File | None:
    found = records.open_document(connection, link)
    if found is None:
        return None
    return File("application/pdf", found.file_name, found.size_bytes, call.exchange.archive.chunks(found.sha256))


def _record_as_pdf(connection: Connection, call: Call, link: bytes) -> File | None:
    opened = records.open_record(connection, link)
    if opened is None:
        return None
    content, left_out = opened.pdf(call.exchange.archive)
    if not content:
        return None
    # Who has a PDF that something is missing from has not got the record.
    return _record(call, opened, ".pdf", "application/pdf", content, whole=not left_out)


def _record_as_zip(connection: Connection, call: Call, link: bytes) -> File | None:
    opened = records.open_record(connection, link)
    if opened is None:
        return None
    return _record(call, opened, ".zip", "application/zip", opened.zip(call.exchange.archive), whole=True)


def _record(call: Call, opened: records.Opened, suffix: str, media_type: str, content: bytes, *, whole: bool) -> File:
    if whole:
        call.after_sent.append(opened.extraction(call.received_on, call.request_id))
    return File(media_type, f"{opened.head.record_number}{suffix}", len(content), http.sliced(content))


def _ascii(name: str) -> str:
    return "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "_" for sign in name)


_PLACES: dict[str, dict[str, Callable[[Connection, Call, bytes], File | None]]] = {
    "signatures": {".png": _signature},
    "documents": {".pdf": _document},
    "records": {".pdf": _record_as_pdf, ".zip": _record_as_zip},
}
PATHS = tuple(f"/{place}/" for place in _PLACES)
