"""A record's documents in one PDF: a cover, every document under a bookmark of its own, nothing in it that acts.

To be joined, documents are taken apart and written anew, which breaks their signatures. So those that are signed are
embedded besides, byte for byte. The documents come from outside and may be damaged or hostile: they are joined in a
process of its own, with limits on time and memory; what cannot be joined is left out and named, and never stops the
rest. The same documents give the same bytes.
"""

import json
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from subprocess import TimeoutExpired
from typing import IO, Any

from pypdf import Configuration, PdfReader, PdfWriter, apply_configuration
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject, TextStringObject

from ..spool import Content, InFile, Spooled, nameless, pieces_of, spooled
from .apart import Limits, confine, run
from .bundle import Document, path_of
from .harmless import calm, without_acts

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
_ALL = Limits(seconds=120.0, processor_seconds=90, megabytes=700)
_ONE = Limits(seconds=20.0, processor_seconds=15, megabytes=700)


class NotJoined(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """Not even the cover could be made a PDF of."""


@dataclass(frozen=True, slots=True)
class Joined:
    """One PDF, in a file, and the documents that could not be joined into it."""

    content: InFile
    left_out: list[Document]

    def spooled(self) -> Spooled:
        """Return the PDF as the archive takes it."""
        return spooled(self.content.pieces(), nameless())


@dataclass(frozen=True, slots=True)
class _Part:
    """Where a document lies in the file of all, its bookmark, and its name as an attachment if it becomes one."""

    begin: int
    end: int
    title: str
    name: str | None
    sha256: str


def joined_pdf(cover: bytes, documents: Sequence[Document], title: str, most_pages: int = MOST_PAGES) -> Joined:
    """Return the cover and all documents in one PDF with a bookmark for each, and those that had to be left out.

    Left out are files that are no PDF, are damaged, encrypted or too large to be joined in reasonable time, and those
    that would make it longer than `most_pages`. Scripts, actions, forms and attached files stay behind; signatures
    are left as pictures. Raises NotJoined.
    """
    try:
        return _apart(cover, documents, title, most_pages, _ALL)
    except NotJoined:
        good = [each for each in documents if _is_good(cover, each)]
    whole = _apart(cover, good, title, most_pages, _ALL)
    known = {id(each) for each in good} - {id(each) for each in whole.left_out}
    return Joined(whole.content, [each for each in documents if id(each) not in known])


def _is_good(cover: bytes, document: Document) -> bool:
    """Say whether a document can be joined, also by a process that it may kill."""
    try:
        return not _apart(cover, [document], "", MOST_PAGES, _ONE).left_out
    except NotJoined:
        return False


def _apart(cover: bytes, documents: Sequence[Document], title: str, most_pages: int, limits: Limits) -> Joined:
    with tempfile.TemporaryFile() as stack, tempfile.TemporaryFile() as made:
        parts = [asdict(part) for part in _stacked(stack, cover, documents, title)]
        head = {"title": title, "parts": parts, "most_pages": most_pages, "limits": asdict(limits)}
        try:
            said = run(__name__, json.dumps(head).encode(), limits, (stack.fileno(), made.fileno()))
            left_out = {int(number) for number in json.loads(said)}
        except (TimeoutExpired, ValueError):
            raise NotJoined from None
        return Joined(InFile.of(made), [each for number, each in enumerate(documents, 1) if number in left_out])


def _stacked(stack: IO[bytes], cover: bytes, documents: Sequence[Document], title: str) -> list[_Part]:
    """Write all into one file, one behind the other; return where they are. The first one is the cover."""
    stack.write(cover)
    parts = [_Part(0, len(cover), title, None, "")]
    for number, document in enumerate(documents, 1):
        for piece in pieces_of(document.content):
            stack.write(piece)
        bookmark = document.title or document.file_name
        name = path_of(number, document) if is_signed(document.content) else None
        parts.append(_Part(parts[-1].end, stack.tell(), bookmark, name, document.sha256))
    stack.flush()
    return parts


def is_signed(content: Content) -> bool:
    """Say whether a PDF holds a signature: each has a /ByteRange, which can be compressed nowhere."""
    return b"/ByteRange" in content


# In a process of its own ---------------------------------------------------------------------------------------


def _main() -> None:
    head = json.loads(sys.stdin.buffer.read())
    stack, made = (int(number) for number in sys.argv[1:3])
    parts = [_Part(**each) for each in head["parts"]]
    size = parts[-1].end
    confine(Limits(**head["limits"]), size, 3 * size + 50_000_000)
    with os.fdopen(stack, "rb") as file:
        whole = InFile.of(file)
    with os.fdopen(made, "wb") as output, apply_configuration(_LIMITS):
        left_out = _join(whole, parts, head["title"], head["most_pages"], output)
    sys.stdout.write(json.dumps(left_out))
    sys.stdout.flush()
    os._exit(0)  # nothing to tidy up


def _join(whole: InFile, parts: Sequence[_Part], title: str, most_pages: int, output: IO[bytes]) -> list[int]:
    """Write one PDF of the parts, and return the numbers of those that had to be left out."""
    if _written(whole, parts, title, most_pages, output):
        return []
    good, pages = [parts[0]], 1
    for part in parts[1:]:
        count = _written(whole, [part], title, most_pages, _Nowhere())
        if count and pages + count <= most_pages:
            good.append(part)
            pages += count
    if not _written(whole, good, title, most_pages, output):
        good = [parts[0]]
        if not _written(whole, good, title, most_pages, output):
            raise NotJoined
    return [number for number, part in enumerate(parts) if part not in good]


def _written(whole: InFile, parts: Sequence[_Part], title: str, most_pages: int, output: Any) -> int:
    """Write one PDF and return how many pages it has; 0 if one of the parts spoils it."""
    writer = PdfWriter()
    writer.pdf_header = "%PDF-1.7"
    output.seek(0)
    output.truncate()
    try:
        for part in parts:
            _append(writer, whole.part(part.begin, part.end), part.title, most_pages)
        calm(writer)
        _describe(writer, title)
        _attach(writer, [(part, whole.part(part.begin, part.end)) for part in parts if part.name])
        writer.write(output)
    except Exception:  # nobody has a list of what a parser raises at hostile bytes; the caller hears of the document
        return 0
    return len(writer.pages)


def _append(writer: PdfWriter, content: InFile, bookmark: str, most_pages: int) -> None:
    """Add a document's pages under a bookmark; raises whatever the parser does if that cannot be."""
    reader = PdfReader(content.open(), xref_stream_maximum_entries=_MOST_XREF_ENTRIES)
    if reader.is_encrypted or not 1 <= len(reader.pages) <= most_pages - len(writer.pages):
        raise ValueError("encrypted, empty or too long")
    without_acts(reader)
    writer.append(reader, bookmark, import_outline=False, excluded_fields=["/B"])


def _describe(writer: PdfWriter, title: str) -> None:
    writer.add_metadata({"/Title": title, "/Producer": "Paraphe"})
    root = writer.root_object
    root[NameObject("/Lang")] = TextStringObject("fr-FR")
    root[NameObject("/PageMode")] = NameObject("/UseOutlines")


def _attach(writer: PdfWriter, files: Sequence[tuple[_Part, InFile]]) -> None:
    """Embed files as they are, without having them in memory."""
    if not files:
        return
    specifications = ArrayObject()
    names = ArrayObject()
    for part, content in files:
        stream = writer._add_object(_Embedded(content))
        name = TextStringObject(part.name)
        specification = {
            "/Type": NameObject("/Filespec"),
            "/F": name,
            "/UF": name,
            "/Desc": TextStringObject(f"{part.title} (SHA-256 {part.sha256})"),
            "/EF": DictionaryObject({NameObject("/F"): stream, NameObject("/UF"): stream}),
            "/AFRelationship": NameObject("/Source"),
        }
        entries = {NameObject(key): value for key, value in specification.items()}
        reference = writer._add_object(DictionaryObject(entries))
        specifications.append(reference)
        names.extend([name, reference])
    tree = DictionaryObject({NameObject("/Names"): names})
    writer.root_object[NameObject("/Names")] = DictionaryObject({NameObject("/EmbeddedFiles"): tree})
    writer.root_object[NameObject("/AF")] = specifications


class _Embedded(StreamObject):
    """An embedded file whose bytes are read when they are written."""

    def __init__(self, content: InFile) -> None:
        super().__init__()
        self._content = content
        self[NameObject("/Type")] = NameObject("/EmbeddedFile")
        self[NameObject("/Subtype")] = NameObject("/application#2Fpdf")
        size = DictionaryObject({NameObject("/Size"): NumberObject(len(content))})
        self[NameObject("/Params")] = size

    def write_to_stream(self, stream: Any) -> None:
        """Write the dictionary, and the file in pieces."""
        self[NameObject("/Length")] = NumberObject(len(self._content))
        DictionaryObject.write_to_stream(self, stream)
        stream.write(b"\nstream\n")
        for piece in self._content.pieces():
            stream.write(piece)
        stream.write(b"\nendstream")


class _Nowhere:
    """A file that forgets what is written to it."""

    def __init__(self) -> None:
        self._at = 0

    def write(self, piece: bytes) -> int:
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._at

    def seek(self, place: int) -> None:
        self._at = place

    def truncate(self) -> None:
        """Be empty."""

    def flush(self) -> None:
        """Be written."""


if __name__ == "__main__":
    _main()
