"""A record's documents in one ZIP, untouched; `joined.py` puts them into one PDF.

Bytes in, bytes out, large ones in files: the same documents give the same bytes.
"""

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

from ..spool import LARGE, Content, content_of, pieces_of


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


def zipped(documents: Sequence[Document], manifest: Mapping[str, Any], created_on: datetime) -> Content:
    """Return a ZIP of all documents, byte for byte as they are, and of manifest.json.

    `manifest` is what the record says, ready for JSON; the documents are added to it under `documents`, each with its
    `path` inside the ZIP. Times inside are those at which the documents joined the record, in UTC; `created_on` is that
    of the manifest. Nothing is compressed: a PDF is so already, and it would make the bytes depend on the zlib in use.
    """
    paths = [path_of(number, document) for number, document in enumerate(documents, 1)]
    listed = [_described(path, document) for path, document in zip(paths, documents, strict=True)]
    large = sum(len(document.content) for document in documents) > LARGE
    with tempfile.TemporaryFile() if large else io.BytesIO() as written:
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
            text = json.dumps({**manifest, "documents": listed}, ensure_ascii=False, indent=2)
            archive.writestr(_entry("manifest.json", created_on), text.encode() + b"\n")
            for path, document in zip(paths, documents, strict=True):
                with archive.open(_entry(path, document.created_on), "w") as entry:
                    for piece in pieces_of(document.content):
                        entry.write(piece)
        return content_of(written)


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


def path_of(number: int, document: Document) -> str:
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
