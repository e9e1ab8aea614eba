"""What acts in a PDF, found by walking through every object that can be reached, whatever its place."""

from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

#: ISO 32000-2, table 201, but for what only leads to an address or a page of the same document.
_ACTIONS = {
    *("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/Hide", "/Named", "/GoToR", "/GoToE"),
    *("/GoToDp", "/GoTo3DView", "/Thread", "/Sound", "/Movie", "/Rendition", "/SetOCGState", "/Trans"),
    "/RichMediaExecute",
}
_KEYS = {"/AA", "/OpenAction", "/JS", "/JavaScript", "/XFA", "/RichMediaContent"}
_ANNOTATIONS = {"/Widget", "/Movie", "/Sound", "/Screen", "/FileAttachment", "/RichMedia", "/3D"}


def active_content(reader: PdfReader, *, signature: bool = False) -> list[str]:
    """Tell of everything that acts; `signature` allows the one field that a signature needs."""
    found: list[str] = []
    seen: set[int] = set()
    waiting: list[Any] = [reader.trailer]
    while waiting:
        each = waiting.pop()
        if isinstance(each, IndirectObject):
            if each.idnum not in seen:
                seen.add(each.idnum)
                waiting.append(each.get_object())
        elif isinstance(each, DictionaryObject):
            found += _of(each, signature=signature)
            waiting += [each.raw_get(key) for key in each]
        elif isinstance(each, ArrayObject):
            waiting += list(each)
    return found


def _of(each: DictionaryObject, *, signature: bool) -> list[str]:
    told = [f"/S {each['/S']}"] if each.get("/S") in _ACTIONS else []
    told += [key for key in each if key in _KEYS]
    fields: Any = each.get("/Fields", [])
    if "/AcroForm" in each and not signature:
        told.append("/AcroForm")
    told += [str(field.get_object().get("/FT")) for field in fields if field.get_object().get("/FT") != "/Sig"]
    kind = each.get("/Subtype")
    if kind in _ANNOTATIONS and not (signature and each.get("/FT") == "/Sig"):
        told.append(str(kind))
    return told
