"""Small invoices as PDF: lines of a typewriter in, bytes out; and files that no invoice should be."""

import io
import zlib
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, FloatObject, NameObject, TextStringObject

SELLER = ["Institut Boreal Formation", "12 rue des Tanneurs", "38160 CHATTE", "SIRET : 002 903 615 00017"]
PAYER = [" " * 50 + "OPCO Cohésia", " " * 50 + "8 chemin des Vignes", " " * 50 + "75999 PARIS-FICTIF"]


def totals(excl: str, vat: str = "0,00") -> list[str]:
    """Write the sums of an invoice without VAT."""
    return ["", f"Total HT      {excl} €", f"TVA 0 %       {vat} €", f"Total TTC     {excl} €"]


def typed(*pages: Sequence[str]) -> bytes:
    """Make a PDF of lines typed in Courier, 10 points; two blanks part columns."""
    writer = PdfWriter()
    for lines in pages:
        page = writer.add_blank_page(595, 842)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Courier"),
                NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        shown = b"".join(b"(" + _escaped(line) + b") Tj T*\n" for line in lines)
        stream = DecodedStreamObject()
        stream.set_data(b"BT /F1 10 Tf 13 TL 40 800 Td\n" + shown + b"ET")
        page[NameObject("/Contents")] = writer._add_object(stream)
    return written(writer)


def _escaped(line: str) -> bytes:
    return line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def written(writer: PdfWriter) -> bytes:
    """Return what a writer holds as a file."""
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def edited(content: bytes) -> PdfWriter:
    """Open a file to change it."""
    return PdfWriter(clone_from=PdfReader(io.BytesIO(content)))


def with_fields(content: bytes, fields: Sequence[tuple[str, tuple[float, float, float, float]]]) -> bytes:
    """Fill form fields in: each its value and its place."""
    writer = edited(content)
    page = writer.pages[0]
    page[NameObject("/Annots")] = ArrayObject(
        writer._add_object(
            DictionaryObject(
                {
                    NameObject("/Type"): NameObject("/Annot"),
                    NameObject("/Subtype"): NameObject("/Widget"),
                    NameObject("/FT"): NameObject("/Tx"),
                    NameObject("/V"): TextStringObject(value),
                    NameObject("/Rect"): ArrayObject(FloatObject(each) for each in place),
                }
            )
        )
        for value, place in fields
    )
    return written(writer)


def bomb() -> bytes:
    """Make a page whose content is 400 MB when it is expanded twice."""
    data = zlib.compress(zlib.compress(b"q " * 200_000_000, 1), 1)
    return _raw(b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n" % len(data) + data + b"\nendstream")


def endless_work() -> bytes:
    """Make a page of a million operators, which takes a minute to look at."""
    data = zlib.compress(b"q Q " * 1_500_000)
    return _raw(b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(data) + data + b"\nendstream")


def circle_of_pages() -> bytes:
    """Make a tree of pages that is its own branch."""
    return _raw(b"<< >>", pages=b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>")


def _raw(content: bytes, pages: bytes = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>") -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        pages,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Contents 4 0 R >>",
        content,
    ]
    file, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n" % number + each + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(file)
    return (
        file
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start
    )
