"""A PDF from outside: its text with places, what is attached to it, and what it would do if it could.

pypdf runs here with limits under which the worst of 32 hostile files costs half a second; the process around it
(apart.py) bounds what pypdf does not. Nothing in a PDF is ever executed or followed.
"""

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject

from . import einvoice
from .glyphs import TooMuch, glyphs
from .hyphens import rejoined
from .layout import Line, is_readable, is_text, lines

# pypdf describes what it repairs, with pieces of the document. They may be personal, so they are no matter for a log.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

_LIMITS = Configuration(
    stream_parsing_work_maximum_count=400_000,
    zlib_maximum_output_length=20_000_000,
    lzw_maximum_output_length=20_000_000,
    run_length_maximum_output_length=20_000_000,
    array_based_stream_maximum_output_length=20_000_000,
    stream_decoding_work_maximum_length=40_000_000,
    page_tree_maximum_entries=2000,
    xform_maximum_invocations_per_extraction=500,
)
_MOST_XREF_ENTRIES = 200_000
_ACTIONS = {
    "/JavaScript": "scripts",
    "/Launch": "programs to start",
    "/SubmitForm": "forms to send",
    "/ImportData": "data to import",
    "/Movie": "films",
    "/RichMedia": "films",
}


class Unreadable(Exception):  # noqa: N818 - says what is so, as crafts do here
    """The file cannot be read; `code` says why, the message what the caller can do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Page:
    """One page. `readable` is false for pictures of text and for fonts that tell no letters."""

    lines: list[Line]
    readable: bool
    invisible: bool = False
    source: Any = None


@dataclass(slots=True)
class Paper:
    """What a PDF holds."""

    pages: list[Page] = field(default_factory=list)
    xml: list[tuple[str, bytes]] = field(default_factory=list)
    papers: list[bytes] = field(default_factory=list)
    active: list[str] = field(default_factory=list)


def open_paper(content: bytes, most_pages: int) -> Paper:
    """Read a PDF. Raises Unreadable."""
    if not content:
        raise Unreadable("EMPTY_FILE", "The file is empty.")
    if b"%PDF-" not in content[:1024]:
        raise Unreadable("NOT_A_PDF", "The file is not a PDF.")
    with apply_configuration(_LIMITS):
        try:
            return _paper(content, most_pages)
        except (LimitReachedError, TooMuch, RecursionError, MemoryError) as error:
            raise Unreadable(
                "PDF_TOO_COMPLEX", "The PDF is beyond what an invoice can need; it was not read."
            ) from error
        except (FileNotDecryptedError, DependencyError) as error:
            raise Unreadable("PDF_ENCRYPTED", "The PDF is protected by a password.") from error
        except Unreadable:
            raise
        except Exception as error:  # pypdf raises whatever a damaged object makes it raise
            raise Unreadable("PDF_DAMAGED", "The PDF is damaged and cannot be read.") from error


def _paper(content: bytes, most_pages: int) -> Paper:
    reader = PdfReader(io.BytesIO(content), strict=False, xref_stream_maximum_entries=_MOST_XREF_ENTRIES)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("PDF_ENCRYPTED", "The PDF is protected by a password.")
    paper = Paper()
    pages = len(reader.pages)
    if pages > most_pages:
        raise Unreadable("PDF_TOO_MANY_PAGES", f"The PDF has {pages} pages; at most {most_pages} are read.")
    if not pages:
        raise Unreadable("PDF_DAMAGED", "The PDF has no page.")
    _attached(reader, paper)
    failure: Exception | None = None
    for number, source in enumerate(reader.pages, 1):
        try:
            page = _page(number, source, sum(len(each.lines) for each in paper.pages))
        except (PyPdfError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            failure, page = error, Page([], readable=False)
        paper.pages.append(page)
    if failure is not None and not any(page.lines for page in paper.pages):
        raise failure
    if any(page.readable for page in paper.pages):
        for page in paper.pages:
            page.readable |= is_text(page.lines)
    paper.active = sorted(set(_active(reader)))
    return paper


def _page(number: int, source: Any, first: int) -> Page:
    found = glyphs(source)
    visible = [each for each in found if not each.invisible]
    page = Page(rejoined(lines(number, first, visible)), readable=True, source=source)
    if not is_readable(page.lines):
        hidden = lines(number, first, [each for each in found if each.invisible])
        if is_readable(hidden):  # the layer that a scanner's text recognition lays under its picture
            return Page(hidden, readable=True, invisible=True, source=source)
        page.readable = False
    return page


# What else is inside -----------------------------------------------------------------------------------------------


def _attached(reader: PdfReader, paper: Paper) -> None:
    """Take the XML of an e-invoice and PDFs (a portfolio's invoice) among the attached files."""
    try:
        names = list(reader.attachments)[:50]
        for name in names:
            low = str(name).lower()
            if low.endswith(einvoice.NAMES):
                paper.xml += [(str(name), bytes(each)) for each in reader.attachments[name][:1]]
            elif low.endswith(".pdf") and len(paper.papers) < 3:
                paper.papers += [bytes(each) for each in reader.attachments[name][:1]]
    except LimitReachedError:
        raise
    except Exception:  # an attachment that cannot be read does not make the page unreadable
        return


def _active(reader: PdfReader) -> Iterator[str]:
    """Give what the PDF would do by itself or at a click."""
    root = reader.trailer["/Root"].get_object()
    if not isinstance(root, DictionaryObject):
        return
    yield from _actions(root.get("/OpenAction"))
    yield from _actions(root.get("/AA"))
    names = _resolved(root.get("/Names"))
    if isinstance(names, DictionaryObject) and "/JavaScript" in names:
        yield _ACTIONS["/JavaScript"]
    for page in list(reader.pages)[:50]:
        yield from _actions(page.get("/AA"))
        annotations = _resolved(page.get("/Annots"))
        for annotation in (annotations if isinstance(annotations, ArrayObject) else [])[:500]:
            annotation = _resolved(annotation)
            if isinstance(annotation, DictionaryObject):
                yield from _actions(annotation.get("/A"))
                yield from _actions(annotation.get("/AA"))


def _actions(value: Any, depth: int = 0) -> Iterator[str]:
    value = _resolved(value)
    if not isinstance(value, DictionaryObject) or depth > 5:
        return
    if (kind := _ACTIONS.get(str(value.get("/S")))) is not None:
        yield kind
    for inner in list(value.values())[:20]:
        inner = _resolved(inner)
        for each in (inner if isinstance(inner, ArrayObject) else [inner])[:20]:
            each = _resolved(each)
            if isinstance(each, DictionaryObject) and "/S" in each:
                yield from _actions(each, depth + 1)


def _resolved(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value
