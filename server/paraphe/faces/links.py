"""The addresses of signatures and documents: /signatures/…, /documents/…, /records/…

Anything else than the exact address of something that is there answers 404 with the same words, after the same work:
the token's seal is checked first and the row looked up by an indexed column, whether or not the seal was right.

A download that broke off can be resumed: ranges and preconditions are those of RFC 9110, sections 13 and 14. Only an
answer that holds the whole file counts as having handed it over.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import Connection

from .. import store
from ..call import Call
from ..spool import digest_of
from ..work import records, signatures
from . import http

log = logging.getLogger("paraphe.links")

_NOBODY = bytes(16)


class _NotMade(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The PDF of this version of a record is not there yet."""

    def __init__(self, record_id: int) -> None:
        super().__init__(record_id)
        self.record_id = record_id


@dataclass(frozen=True, slots=True)
class File:
    """What an address stands for: `length` bytes in pieces, with the digest of them all."""

    media_type: str
    name: str
    length: int
    digest: str
    pieces: Iterable[bytes]


Find = Callable[[Connection, Call, bytes], File | None]
"""Looks for what an address stands for; raises _NotMade if that has to be made first."""


def serve(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
    """Answer a GET or HEAD of an address."""
    call: Call = environ["paraphe.call"]
    call.face = "links"
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return http.plain(start, 405, b"This address takes GET.\n", [("Allow", "GET, HEAD")])
    _, place, name = (*environ["PATH_INFO"].split("/", 2), "", "")[:3]
    token, dot, extension = name.partition(".")
    suffix = dot + extension
    find = _PLACES[place].get(suffix)
    link = call.exchange.addresses.link(place, token, call.received_on)
    file = None
    if find is not None:
        try:
            file = _found(call, find, link or _NOBODY)
        except _NotMade:
            later = [("Retry-After", str(http.RETRY_AFTER))]
            return http.plain(start, 503, b"The PDF of this record is not made yet.\n", later)
    if file is None or link is None:
        call.after_sent.clear()
        log.info("no such address", extra={"request_id": call.request_id, "place": place})
        return http.nothing_here(start)
    return _give(file, place, environ, start)


def _found(call: Call, find: Find, link: bytes) -> File | None:
    """Find what an address stands for, and make it first if need be, holding nothing of the database meanwhile."""
    try:
        with store.reading(call.exchange.engine) as connection:
            return find(connection, call, link)
    except _NotMade as missing:
        call.exchange.make_pdf(missing.record_id, call.request_id)
    with store.reading(call.exchange.engine) as connection:
        return find(connection, call, link)


def _give(file: File, place: str, environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
    """Answer with the file, or with the part of it that was asked for."""
    call: Call = environ["paraphe.call"]
    etag = f'"{file.digest}"'
    status, first, end = _wanted(environ, etag, file.length)
    headers = [
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", "private, no-store"),
        ("Content-Disposition", attachment(file.name)),
        ("ETag", etag),
        ("X-Robots-Tag", "noindex"),
    ]
    if place == "signatures":
        # Whoever has the address may show the picture on a page of their own.
        headers.append(("Cross-Origin-Resource-Policy", "cross-origin"))
    log.info("address read", extra={"request_id": call.request_id, "place": place, "answer_bytes": end - first})
    call.exchange.metrics.document(end - first)
    if (first, end) != (0, file.length):
        call.after_sent.clear()
    if status == 206:
        headers.append(("Content-Range", f"bytes {first}-{end - 1}/{file.length}"))
    elif status == 416:
        headers.append(("Content-Range", f"bytes */{file.length}"))
    if status == 304:
        start(http.status_line(status), headers)
        return []
    http.respond(start, status, file.media_type, end - first, headers)
    return _part(file.pieces, first, end)


def _wanted(environ: http.Environ, etag: str, length: int) -> tuple[int, int, int]:
    """Return the status, and where the part to be sent begins and ends; both 0 if nothing is to be sent."""
    if not _among(etag, re.sub(r'W/"[^"]*"', "", environ.get("HTTP_IF_MATCH", "*"))):  # compared strongly
        return 412, 0, 0
    if _among(etag, environ.get("HTTP_IF_NONE_MATCH", "")):
        return 304, 0, 0
    unchanged = environ.get("HTTP_IF_RANGE", etag).strip() == etag
    # Several ranges at once, other units and what cannot be read: the whole file, as if nothing had been said.
    asked = re.fullmatch(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", environ.get("HTTP_RANGE", ""))
    if asked is None or not unchanged or environ["REQUEST_METHOD"] != "GET" or asked[0].strip() == "bytes=-":
        return 200, 0, length
    if not asked[1]:
        first, end = max(0, length - int(asked[2])), length
    else:
        first, end = int(asked[1]), min(int(asked[2] or sys.maxsize - 1) + 1, length)
        if asked[2] and int(asked[2]) < first:
            return 200, 0, length
    return (206, first, end) if first < length else (416, 0, 0)


def _among(etag: str, listed: str) -> bool:
    """Say whether a precondition's list holds this tag, or any."""
    return "*" in listed.split() or etag in re.findall(r'"[^"]*"', listed)


def _part(pieces: Iterable[bytes], first: int, end: int) -> Iterator[bytes]:
    """Give the bytes from `first` to before `end`."""
    at = 0
    for piece in pieces:
        if at + len(piece) > first and at < end:
            yield piece[max(0, first - at) : end - at]
        at += len(piece)
        if at >= end:
            return


def attachment(name: str) -> str:
    """Return a Content-Disposition that saves a file under a name (RFC 6266), whatever the name holds.

    What leads to another folder, is invisible or turns the direction of writing becomes "_".
    """
    safe = "".join(sign if sign.isprintable() and sign not in '"\\/<>:|?*' else "_" for sign in name)
    safe = safe.strip(". ") or "document"
    plain = "".join(sign if sign.isascii() else "_" for sign in safe)
    return f'attachment; filename="{plain}"' + ("" if plain == safe else f"; filename*=UTF-8''{quote(safe, safe='')}")


def _signature(connection: Connection, call: Call, link: bytes) -> File | None:
    digest = signatures.image_of(connection, link)
    if digest is None:
        return None
    image = call.exchange.archive.read(digest)
    return File("image/png", "signature.png", len(image), digest, [image])


def _document(connection: Connection, call: Call, link: bytes) -> File | None:
    found = records.open_document(connection, link)
    if found is None:
        return None
    # What is opened by a double click must be opened as what it was sent as.
    name = found.file_name if found.file_name.lower().endswith(".pdf") else f"{found.file_name}.pdf"
    pieces = call.exchange.archive.chunks(found.sha256)
    return File("application/pdf", name, found.size_bytes, found.sha256, pieces)


def _record_as_pdf(connection: Connection, call: Call, link: bytes) -> File | None:
    opened = records.open_record(connection, link)
    if opened is None or not opened.documents:
        return None
    whole = opened.whole
    if whole is None:
        raise _NotMade(opened.head.id)
    if not opened.joins:
        return None
    _count_as_extracted(call, opened, whole=not opened.left_out)
    pieces = call.exchange.archive.chunks(whole.sha256)
    return File("application/pdf", whole.file_name, whole.size_bytes, whole.sha256, pieces)


def _record_as_zip(connection: Connection, call: Call, link: bytes) -> File | None:
    opened = records.open_record(connection, link)
    if opened is None:
        return None
    _count_as_extracted(call, opened, whole=True)
    content = opened.zip(call.exchange.archive)
    name = f"{opened.head.record_number}.zip"
    return File("application/zip", name, len(content), digest_of(content), http.sliced(content))


def _count_as_extracted(call: Call, opened: records.Opened, *, whole: bool) -> None:
    """Have a record extracted once it was sent; who has a PDF that something is missing from has not got it."""
    if whole:
        call.after_sent.append(opened.extraction(call.received_on, call.request_id, "whoever has the address"))


_PLACES: dict[str, dict[str, Find]] = {
    "signatures": {".png": _signature},
    "documents": {".pdf": _document},
    "records": {".pdf": _record_as_pdf, ".zip": _record_as_zip},
}
PATHS = tuple(f"/{place}/" for place in _PLACES)
