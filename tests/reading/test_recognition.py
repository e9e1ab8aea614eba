"""Pictures of text are recognised where the operator has the program for it, and never taken as sure."""

import stat
import sys

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject

from paraphe.reading import read

from .paper import PAYER, SELLER, totals, written
from .test_layouts import table, values


def scan() -> bytes:
    """Make a page that is one white picture."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    image = DecodedStreamObject()
    image.set_data(b"\xff" * 100 * 141)
    numbers = {"/Width": 100, "/Height": 141, "/BitsPerComponent": 8}
    image.update({NameObject(name): NumberObject(number) for name, number in numbers.items()})
    image.update({NameObject("/Subtype"): NameObject("/Image"), NameObject("/ColorSpace"): NameObject("/DeviceGray")})
    objects = DictionaryObject({NameObject("/Im1"): writer._add_object(image)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): objects})
    return written(writer)


@pytest.fixture
def tesseract(tmp_path):
    """A program that answers as tesseract does, and only to a bitmap of the picture's size."""
    words = []
    for number, line in enumerate([*SELLER, *PAYER, *table(), *totals("714,00")]):
        for word in line.split():
            left = line.index(word) * 12
            words.append(f"5\t1\t1\t1\t{number}\t1\t{left}\t{number * 40}\t{len(word) * 12}\t20\t91.5\t{word}")
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    (tmp_path / "words.tsv").write_text("\n".join([head, *words]), "utf-8")
    program = tmp_path / "tesseract"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nassert sys.stdin.buffer.read().startswith(b'P5\\n100 141\\n255\\n')\n"
        f"sys.stdout.buffer.write(open({str(tmp_path / 'words.tsv')!r}, 'rb').read())\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def test_a_picture_of_text_says_so_where_there_is_no_recognition():
    reading = read(scan())

    assert reading.failure == "NO_TEXT_LAYER"
    assert reading.needs_review()


def test_a_recognised_invoice_is_read_and_always_looked_at(tesseract):
    reading = read(scan(), tesseract=tesseract)

    assert values(reading)["invoice_number"] == "FA-26-11-0340"
    assert "RECOGNISED_TEXT" in {each.code for each in reading.warnings}
    assert reading.needs_review()


def test_a_program_that_fails_leaves_the_picture_unread():
    assert read(scan(), tesseract="/bin/false").failure == "NO_TEXT_LAYER"
