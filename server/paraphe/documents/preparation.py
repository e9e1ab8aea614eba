"""A PDF made ready for a signature: field, stamp and a gap for the signature, all behind the bytes that are there.

Here the document is taken apart, and no key is needed for it. So documents from outside are prepared in a process of
its own (`prepared_apart`): a fresh interpreter with limits that the system enforces, which sees nothing of the server.
"""

import io
import json
import os
import sys
import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from subprocess import TimeoutExpired
from typing import IO, Any

from pyhanko.pdf_utils.content import AppearanceContent
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, FloatObject, IndirectObject, NameObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers import ExternalSigner, PdfSignatureMetadata, PdfSigner
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, read_certification_data
from pyhanko.stamp import BaseStampStyle

from ..spool import Content, pieces_of, stream_of
from .apart import Limits, confine, run

#: Bytes of the largest document from outside that is sealed.
MOST_BYTES = 100_000_000
_FIELD = "Paraphe"


class Unsealable(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """A PDF cannot be sealed; keep it as it is. `code` says why.

    TOO_LARGE · NOT_A_PDF · DAMAGED · ENCRYPTED · HYBRID (two tables of contents that may differ) ·
    CHANGES_FORBIDDEN (by the author's certification, or a signature that is there would not survive) ·
    TOO_COMPLEX (took more time or memory than a document can need) · NOT_SEALED (asked to raise the level of none)
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """What the signature says and how it looks. `room` is for the signature, in bytes.

    The stamp is a picture of `width` by `height` points, with its lower left corner at `x`, `y` of the page as it is
    seen; without `width` there is none.
    """

    reason: str
    name: str
    moment: str
    algorithm: str
    room: int
    page: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What comes behind the document, and the gap in it: from `start` to before `end`, counted from the document's."""

    tail: bytes
    start: int
    end: int


class Addition(IncrementalPdfFileWriter):
    """What is added behind a PDF."""

    def _update_meta(self) -> None:
        """Leave alone what the document says about itself, such as to be PDF/A: pyHanko would write it anew."""


def prepared(content: Content, wish: Wish, picture: bytes) -> Prepared:
    """Make a document ready, in this process. `picture` is the stamp, a PDF of one page. Raises Unsealable."""
    _ensure_possible(content)
    try:
        return _prepared(content, wish, picture)
    except Unsealable:
        raise
    except (MemoryError, RecursionError):
        raise Unsealable("TOO_COMPLEX") from None
    except Exception as error:  # nobody has a list of what a parser raises at hostile bytes
        raise Unsealable("DAMAGED") from error


def _ensure_possible(content: Content) -> None:
    if b"%PDF-" not in content[:1024]:
        raise Unsealable("NOT_A_PDF")


def _prepared(content: Content, wish: Wish, picture: bytes) -> Prepared:
    # Not strict: invoices come from all kinds of programs, and small faults of form do no harm to a signature.
    writer = Addition(stream_of(content), strict=False)
    _ensure_open(writer.prev)
    signer = PdfSigner(
        PdfSignatureMetadata(
            field_name=_free_name(writer.prev),
            md_algorithm=wish.algorithm,
            subfilter=SigSeedSubFilter.PADES,
            reason=wish.reason,
            name=wish.name,
        ),
        signer=ExternalSigner(signing_cert=None, cert_registry=None, signature_value=b""),
        stamp_style=_Style(border_width=0, picture=picture),
        new_field_spec=None,
    )
    signer.new_field_spec = _field(writer, signer.signature_meta.field_name or _FIELD, wish)
    session = signer.init_signing_session(writer)
    session.system_time = datetime.fromisoformat(wish.moment)
    document = session.prepare_tbs_document(validation_info=None, bytes_reserved=2 * wish.room)
    with room_like(content) as whole:
        gap, _ = document.digest_tbs_document(output=whole)
        whole.seek(0)
        if any(whole.read(len(piece)) != piece for piece in pieces_of(content)):
            raise Unsealable("DAMAGED")
        tail = whole.read()
        _ensure_survival([each.field_name for each in writer.prev.embedded_signatures], whole)
    return Prepared(tail, gap.reserved_region_start, gap.reserved_region_end)


def room_like(content: Content) -> IO[bytes]:
    """Return where a little more than this content can be written: in memory, or in a file if that is in one."""
    return io.BytesIO() if isinstance(content, bytes) else tempfile.TemporaryFile()


def _ensure_open(reader: PdfFileReader) -> None:
    """Raise Unsealable for a document that nothing may be added to, or not in a way that all readers understand."""
    if reader.encrypted:
        raise Unsealable("ENCRYPTED")
    if reader.xrefs.hybrid_xrefs_present:
        raise Unsealable("HYBRID")
    if any(each.docmdp_level == MDPPerm.NO_CHANGES for each in reader.embedded_signatures):
        raise Unsealable("CHANGES_FORBIDDEN")


def _ensure_survival(signed: Collection[str], whole: IO[bytes]) -> None:
    """Raise Unsealable if one of the signatures of before, named by its field, does not allow what was added."""
    if signed:
        reader = PdfFileReader(whole, strict=False)
        for name, _, field in enumerate_sig_fields(reader):
            if name in signed:
                signature = EmbeddedPdfSignature(reader, field.get_object(), name)
                signature.compute_integrity_info()
                if signature.summarise_integrity_info()["docmdp_ok"] is False:
                    raise Unsealable("CHANGES_FORBIDDEN")


def _free_name(reader: PdfFileReader) -> str:
    taken = {name for name, _, _ in enumerate_sig_fields(reader)}
    return next(name for name in (f"{_FIELD}-{number}" for number in range(1, 10_000)) if name not in taken)


# The place of the stamp ----------------------------------------------------------------------------------------


def _field(writer: Addition, name: str, wish: Wish) -> SigFieldSpec:
    """Return the new field, on no place of a page if there is no stamp, no page that holds it, or no right to."""
    # A visible signature that was not foreseen counts as a forbidden change of a certified document.
    if not wish.width or read_certification_data(writer.prev) is not None:
        return SigFieldSpec(name)
    count = int(writer.root["/Pages"]["/Count"])
    number = wish.page if -count <= wish.page < count else -1
    page = writer.find_page_for_modification(number)[0].get_object()
    box = _on_page(page, wish)
    return SigFieldSpec(name, on_page=number, box=box)  # type: ignore[arg-type]  # fractions of points are fine


def _on_page(page: DictionaryObject, wish: Wish) -> tuple[float, float, float, float] | None:
    """Return where the stamp is in the coordinates of the page, which may be turned, or None if it does not fit."""
    left, bottom, right, top = _visible(page)
    turned = _turned(page)
    wide, high = (right - left, top - bottom) if turned in (0, 180) else (top - bottom, right - left)
    if wish.width > wide or wish.height > high:
        return None
    x1 = min(max(wish.x, 0.0), wide - wish.width)
    y1 = min(max(wish.y, 0.0), high - wish.height)
    corners = [_unturned(x, y, turned, right - left, top - bottom) for x, y in _corners(x1, y1, wish)]
    (a, b), (c, d) = corners
    return left + min(a, c), bottom + min(b, d), left + max(a, c), bottom + max(b, d)


def _corners(x: float, y: float, wish: Wish) -> list[tuple[float, float]]:
    return [(x, y), (x + wish.width, y + wish.height)]


def _unturned(x: float, y: float, turned: int, width: float, height: float) -> tuple[float, float]:
    """Return the point of a page of this size that is seen at x, y when the page is shown turned clockwise."""
    return {0: (x, y), 90: (width - y, x), 180: (width - x, height - y), 270: (y, height - x)}[turned]


def _visible(page: DictionaryObject) -> tuple[float, float, float, float]:
    box = _inherited(page, "/CropBox") or _inherited(page, "/MediaBox")
    a, b, c, d = (float(each) for each in box)
    return min(a, c), min(b, d), max(a, c), max(b, d)


def _turned(page: DictionaryObject) -> int:
    turned = int(_inherited(page, "/Rotate") or 0) % 360
    return turned if turned in (90, 180, 270) else 0


def _inherited(page: DictionaryObject, key: str) -> Any:
    """Return what a page or one of the nodes above it says; 64 nodes at most, as they might be a circle."""
    node = page
    for _ in range(64):
        if key in node:
            return node[key]
        if "/Parent" not in node:
            break
        node = node["/Parent"]
    return None


@dataclass(frozen=True)
class _Style(BaseStampStyle):
    """A stamp that is a page of another PDF, with its fonts."""

    picture: bytes = b""

    def create_stamp(self, writer: Any, box: Any, text_params: Any) -> Any:
        """Return the stamp for a field."""
        return _Drawn(writer, self.picture)


class _Drawn(AppearanceContent):
    def __init__(self, writer: Any, picture: bytes) -> None:
        super().__init__(writer)
        self._picture = picture
        self._turned = 0

    def apply_appearance(self, annot_dict: DictionaryObject) -> None:
        """Show the stamp in a field, upright also where the page is turned."""
        self._turned = _turned(annot_dict["/P"])
        super().apply_appearance(annot_dict)

    def register(self) -> IndirectObject:
        """Return the page as a form, turned against the page that it is shown on."""
        writer: Any = self.writer
        reference: IndirectObject = writer.import_page_as_xobject(PdfFileReader(io.BytesIO(self._picture)))
        cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[self._turned]
        matrix = (cosine, sine, -sine, cosine, 0, 0)
        reference.get_object()[NameObject("/Matrix")] = ArrayObject(map(FloatObject, matrix))
        return reference


# In a process of its own ---------------------------------------------------------------------------------------

DEFAULT = Limits()


def prepared_apart(content: Content, wish: Wish, picture: bytes, limits: Limits = DEFAULT) -> Prepared:
    """Do the same as `prepared` in a process of its own, so that no document can harm the server."""
    if len(content) > MOST_BYTES:
        raise Unsealable("TOO_LARGE")
    _ensure_possible(content)
    head = json.dumps({"wish": asdict(wish), "limits": asdict(limits), "picture": len(picture)}).encode()
    try:
        said, _, tail = run(__name__, len(head).to_bytes(8, "big") + head + picture + bytes(content), limits).partition(
            b"\n"
        )
        answer = json.loads(said)
    except (TimeoutExpired, ValueError):
        raise Unsealable("TOO_COMPLEX") from None
    if "code" in answer:
        raise Unsealable(str(answer["code"]))
    return Prepared(tail, int(answer["start"]), int(answer["end"]))


def _main() -> None:
    stream, output = sys.stdin.buffer, sys.stdout.buffer
    head = json.loads(stream.read(int.from_bytes(stream.read(8), "big")))
    picture, content = stream.read(head["picture"]), stream.read()
    confine(Limits(**head["limits"]), len(content))
    try:
        done = prepared(content, Wish(**head["wish"]), picture)
        output.write(json.dumps({"start": done.start, "end": done.end}).encode() + b"\n" + done.tail)
    except Unsealable as reason:
        output.write(json.dumps({"code": reason.code}).encode() + b"\n")
    output.flush()
    os._exit(0)  # nothing to tidy up


if __name__ == "__main__":
    _main()
