"""What a PDF may do besides being read, taken out of it: before it is joined, and once more out of all that was joined.

What is kept of pages, annotations and actions is a list of what is known to do nothing; so what nobody thought of is
left out as well.
"""

from collections.abc import Iterator
from typing import Any

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

# Forms and their scripts, attached files and names (which would clash with those of other documents), programs.
_OF_DOCUMENT = ("/AcroForm", "/Names", "/Dests", "/Outlines", "/Threads", "/OpenAction", "/AA", "/AF", "/Collection")
_OF_PAGE = {
    *("/Type", "/Parent", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Rotate", "/UserUnit"),
    *("/Resources", "/Contents", "/Group", "/Annots"),
}
# What is drawn on a page and can do nothing; left out are films, sounds, attached files, 3D and their kind.
_DRAWN = {
    *("/Link", "/Stamp", "/FreeText", "/Text", "/Ink", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut"),
    *("/Line", "/Square", "/Circle", "/Polygon", "/PolyLine"),
}
_OF_ANNOTATION = {
    *("/Type", "/Subtype", "/Rect", "/F", "/AP", "/AS", "/Border", "/BS", "/BE", "/C", "/IC", "/CA", "/Contents"),
    *("/QuadPoints", "/L", "/LE", "/LL", "/LLE", "/Vertices", "/InkList", "/DA", "/DS", "/Q", "/RD", "/CL", "/Name"),
    *("/Dest", "/A", "/H"),
}
_LOOK = ("/Rect", "/F", "/AP", "/AS")
# Actions that only lead somewhere, each with what says where.
_LEADING = {"/URI": "/URI", "/GoTo": "/D"}
# All other actions that ISO 32000-2 knows, by their /S.
ACTING = {
    *("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/Hide", "/Named", "/GoToR", "/GoToE"),
    *(
        "/GoToDp",
        "/GoTo3DView",
        "/Thread",
        "/Sound",
        "/Movie",
        "/Rendition",
        "/SetOCGState",
        "/Trans",
        "/RichMediaExecute",
    ),
}
ACTIVE = ("/AA", "/OpenAction", "/JS", "/JavaScript", "/XFA", "/AcroForm", "/RichMediaContent", "/PieceInfo")


def without_acts(reader: PdfReader) -> None:
    """Take out of a document what acts, before it is copied."""
    for part in _OF_DOCUMENT:
        reader.root_object.pop(part, None)
    for page in reader.pages:
        for key in [key for key in page if key not in _OF_PAGE]:
            del page[key]
        if "/Annots" in page:
            page[NameObject("/Annots")] = ArrayObject(_harmless(page))


def _harmless(page: PageObject) -> Iterator[Any]:
    """Give the annotations that show something, without what they might do."""
    annotations: Any = page["/Annots"]
    for reference in annotations:
        annotation = reference.get_object()
        if annotation.get("/Subtype") == "/Widget":
            # Only the look of a field: nothing to fill in, no script, no signature that would read as broken.
            look = {key: annotation.raw_get(key) for key in _LOOK if key in annotation}
            if "/AP" in look:
                names = {"/Type": NameObject("/Annot"), "/Subtype": NameObject("/Stamp")}
                yield DictionaryObject({NameObject(key): value for key, value in (names | look).items()})
        elif annotation.get("/Subtype") in _DRAWN:
            for key in [key for key in annotation if key not in _OF_ANNOTATION]:
                del annotation[key]
            action = annotation.pop("/A", None)
            if action is not None and (followed := _leading(action.get_object())):
                annotation[NameObject("/A")] = followed
            yield reference


def _leading(action: DictionaryObject) -> DictionaryObject | None:
    """Return an action that only leads to an address or a page, without what it may have lined up as next."""
    target = _LEADING.get(str(action.get("/S")))
    if target is None or target not in action:
        return None
    return DictionaryObject({NameObject(key): action.raw_get(key) for key in ("/S", target)})


def calm(writer: PdfWriter) -> None:
    """Take what acts out of every object of a PDF that is being written, wherever it came from."""
    waiting: list[Any] = [each for each in writer._objects if each is not None]
    while waiting:
        each = waiting.pop()
        if isinstance(each, DictionaryObject):
            kind = each.get("/S")
            if kind in ACTING:
                each.clear()
            for key in (*ACTIVE, *(("/Next",) if kind in _LEADING else ())):
                each.pop(key, None)
            waiting += each.values()
        elif isinstance(each, ArrayObject):
            waiting += each
