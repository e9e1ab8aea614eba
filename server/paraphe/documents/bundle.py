"""A record's documents in one file: a PDF for who wants to read them, a ZIP for who wants them untouched.

Bytes in, bytes out, large ones in files: the same documents give the same bytes. The documents come from outside and
may be damaged or hostile; what cannot be joined is left out and named, and never stops the rest.
"""

import io
import json
import logging
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any
from unicodedata import normalize

from pypdf import Configuration, PageObject, PdfReader, PdfWriter, apply_configuration
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from ..spool import LARGE, Content, InFile, pieces_of

# pypdf describes what it repairs, with pieces of the document. They may be personal, so they are no matter for a log.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

#: Pages of a joined PDF, all documents together.
MOST_PAGES = 5000
# Measured with pypdf 7.1: with these, the worst of 32 hostile files costs half a second; its own limits allow minutes.
_LIMITS = Configuration(
    stream_parsing_work_maximum_count=200_000,
    zlib_maximum_output_length=20_000_000,
    array_based_stream_maximum_output_length=20_000_000,
    stream_decoding_work_maximum_length=40_000_000,
    page_tree_maximum_entries=2000,
)
_MOST_XREF_ENTRIES = 200_000
# What is drawn on a page and can do nothing; left out are films, sounds, attached files, 3D and their kind.
_HARMLESS = {
    *("/Link", "/Stamp", "/FreeText", "/Text", "/Ink", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut"),
    *("/Line", "/Square", "/Circle", "/Polygon", "/PolyLine"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a record: its bytes, and what the record says about it."""

    document_type: str
    title: str | None
    file_name: str
    sha256: str
    created_on: datetime
    content: Content


def is_pdf(content: Content) -> bool:
    """Say whether a file calls itself a PDF: "%PDF-" within its first 1024 bytes, as the readers take it."""
    return b"%PDF-" in content[:1024]


# One PDF -------------------------------------------------------------------------------------------------------


def joined_pdf(documents: Sequence[Document]) -> tuple[Content, list[Document]]:
    """Return all documents in one PDF with a bookmark for each, and those that had to be left out.

    Left out are files that are no PDF, are damaged, encrypted or too large to be joined in reasonable time, and those
    that would make it longer than MOST_PAGES. No bytes if none could be joined. Scripts, actions, forms and attached
    files stay behind; signatures inside the documents cannot survive and are left as pictures. Never raises. It takes
    about as much memory as the documents have bytes.
    """
    with apply_configuration(_LIMITS):
        whole, _ = _joined(documents)
        if whole:
            return whole, []
        good, pages = [], 0
        for document in documents:
            alone, count = _joined([document])
            if alone and pages + count <= MOST_PAGES:
                good.append(document)
                pages += count
        together, _ = _joined(good)
    kept = {id(document) for document in good} if together else set()
    return together, [document for document in documents if id(document) not in kept]


def _joined(documents: Sequence[Document]) -> tuple[Content, int]:
    """Return one PDF and how many pages it has; no bytes if one of the documents spoils it, or if there is none."""
    if not documents:
        return b"", 0
    writer = PdfWriter()
    with _made(documents) as written:
        try:
            for document in documents:
                _append(writer, document)
            writer.write(written)
        except (
            Exception
        ):  # nobody has a list of what a parser raises at hostile bytes; the caller hears of the document
            return b"", 0
        return _content(written), len(writer.pages)


def _made(documents: Sequence[Document]) -> IO[bytes]:
    """Return where something may be made of documents: in memory, or a file if they are large together."""
    large = sum(len(document.content) for document in documents) > LARGE
    return tempfile.TemporaryFile() if large else io.BytesIO()


def _content(made: IO[bytes]) -> Content:
    return made.getvalue() if isinstance(made, io.BytesIO) else InFile.of(made)


def _append(writer: PdfWriter, document: Document) -> None:
    """Add a document's pages under a bookmark; raises whatever the parser does if that cannot be."""
    content = document.content
    stream = io.BytesIO(content) if isinstance(content, bytes) else content.open()
    reader = PdfReader(stream, xref_stream_maximum_entries=_MOST_XREF_ENTRIES)
    if reader.is_encrypted or not 1 <= len(reader.pages) <= MOST_PAGES - len(writer.pages):
        raise ValueError("encrypted, empty or too long")
    # Forms and their scripts, attached files and names (which would clash with those of the other documents).
    for part in ("/AcroForm", "/Names", "/Dests", "/Outlines", "/Threads"):
        reader.root_object.pop(part, None)
    for page in reader.pages:
        page.pop("/AA", None)
        if "/Annots" in page:
            page[NameObject("/Annots")] = ArrayObject(_harmless(page))
    writer.append(reader, document.title or document.file_name, import_outline=False, excluded_fields=["/B"])


def _harmless(page: PageObject) -> Iterator[Any]:
    """Give the annotations that show something, without what they might do."""
    annotations: Any = page["/Annots"]
    for reference in annotations:
        annotation = reference.get_object()
        if annotation.get("/Subtype") == "/Widget":
            # Only the look of a field: nothing to fill in, no script, no signature that would read as broken.
            look = {key: annotation.raw_get(key) for key in ("/Rect", "/F", "/AP", "/AS") if key in annotation}
            if "/AP" in look:
                names = {"/Type": NameObject("/Annot"), "/Subtype": NameObject("/Stamp")}
                yield DictionaryObject({NameObject(key): value for key, value in (names | look).items()})
        elif annotation.get("/Subtype") in _HARMLESS:
            annotation.pop("/AA", None)
            action = annotation.pop("/A", None)
            if action is not None and (followed := _harmless_action(action.get_object())):
                annotation[NameObject("/A")] = followed
            yield reference


def _harmless_action(action: DictionaryObject) -> DictionaryObject | None:
    """Return an action that only leads to an address or a page, without what it may have lined up as next."""
    target = {"/URI": "/URI", "/GoTo": "/D"}.get(str(action.get("/S")))
    if target is None or target not in action:
        return None
    return DictionaryObject({NameObject(key): action.raw_get(key) for key in ("/S", target)})


# One ZIP -------------------------------------------------------------------------------------------------------


def zipped(documents: Sequence[Document], manifest: Mapping[str, Any], created_on: datetime) -> Content:
    """Return a ZIP of all documents, byte for byte as they are, and of manifest.json.

    `manifest` is what the record says, ready for JSON; the documents are added to it under `documents`, each with its
    `path` inside the ZIP. Times inside are those at which the documents joined the record, in UTC; `created_on` is that
    of the manifest. Nothing is compressed: a PDF is so already, and it would make the bytes depend on the zlib in use.
    """
    paths = [_path(number, document) for number, document in enumerate(documents, 1)]
    listed = [_described(path, document) for path, document in zip(paths, documents, strict=True)]
    with _made(documents) as written:
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
            text = json.dumps({**manifest, "documents": listed}, ensure_ascii=False, indent=2)
            archive.writestr(_entry("manifest.json", created_on), text.encode() + b"\n")
            for path, document in zip(paths, documents, strict=True):
                with archive.open(_entry(path, document.created_on), "w") as entry:
                    for piece in pieces_of(document.content):
                        entry.write(piece)
        return _content(written)


def _described(path: str, document: Document) -> dict[str, Any]:
    return {
        "path": path,
        "documentType": document.document_type,
        "title": document.title,
        "fileName": document.file_name,
        "sizeBytes": len(document.content),
        "sha256": document.sha256,
        "createdOn": document.created_on.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _path(number: int, document: Document) -> str:
    """Return a name that every system can unpack, unlike all others by its number: "01-FAC-2026-041.pdf"."""
    plain = normalize("NFKD", document.file_name).encode("ascii", "ignore").decode()
    parts = re.fullmatch(r"(.*)\.([A-Za-z0-9]{1,8})", plain)
    stem, suffix = parts.groups() if parts else (plain, "bin")
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:80] or "document"
    suffix = "pdf" if is_pdf(document.content) else suffix.lower()
    return f"{number:02d}-{stem}.{suffix}"


def _entry(path: str, moment: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, moment.astimezone(UTC).timetuple()[:6])
    entry.create_system = 3  # the same bytes on every system
    entry.external_attr = 0o644 << 16
    return entry
