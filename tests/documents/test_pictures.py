"""A picture that a renderer would leave out without a word is found before it is printed."""

import struct
import zlib
from pathlib import Path

import pytest

from paraphe.documents import images
from paraphe.documents.glyphs import coverage
from paraphe.documents.images import png_size
from paraphe.fixture_loader import attendance

from .school import chunk, png

FONTS = Path(images.__file__).parent / "fonts"


def drawn(header: tuple[int, ...], raw: bytes, *extra: bytes) -> bytes:
    body = b"".join([chunk(b"IHDR", struct.pack(">IIBBBBB", *header)), *extra, chunk(b"IDAT", zlib.compress(raw))])
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def test_drawn_signatures_of_the_fixtures_can_be_shown():
    signatures = {row["image"] for row in attendance() if row["image"]}

    assert {png_size(image) for image in signatures} == {(300, 100)}


@pytest.mark.parametrize(
    ("header", "raw"),
    [
        ((2, 2, 8, 6, 0, 0, 0), bytes(2 * 9)),
        ((9, 1, 1, 0, 0, 0, 0), bytes(1 + 2)),
        ((3, 2, 16, 2, 0, 0, 0), bytes(2 * (1 + 18))),
        # Interlaced: seven passes, each with lines of its own
        ((8, 8, 8, 0, 0, 0, 1), bytes(2 + 2 + 3 + 2 * 3 + 2 * 5 + 4 * 5 + 4 * 9)),
        ((1, 1, 8, 0, 0, 0, 1), bytes(2)),
    ],
)
def test_all_kinds_of_png_are_measured(header, raw):
    assert png_size(drawn(header, raw)) == header[:2]


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        png()[:-20],
        png().replace(b"IDAT", b"IDAX"),
        png()[:40] + b"\0" + png()[41:],
        drawn((2, 2, 8, 0, 0, 0, 0), bytes(5)),
        drawn((2, 2, 8, 0, 0, 0, 0), bytes(7)),
        drawn((2, 2, 8, 0, 0, 0, 0), b"\x05" + bytes(5)),
        drawn((2, 2, 8, 3, 0, 0, 0), bytes(6)),
        drawn((2, 2, 3, 0, 0, 0, 0), bytes(6)),
        drawn((0, 2, 8, 0, 0, 0, 0), b""),
        drawn((60_000, 60_000, 8, 6, 0, 0, 0), bytes(10)),
    ],
    ids=range(13),
)
def test_what_cannot_be_shown_is_known(image):
    assert png_size(image) is None


def test_a_bomb_is_not_unpacked():
    bomb = drawn((1000, 1000, 8, 0, 0, 0, 0), bytes(50_000_000))

    assert png_size(bomb) is None


def test_an_address_becomes_a_qr_code_and_no_address_none():
    assert images.qr("https://exchange.centre.example/documents/a").startswith("<svg")
    assert images.qr("") == ""


@pytest.mark.parametrize("name", ["NotoSans-Regular.ttf", "NotoSans-Bold.ttf"])
def test_the_fonts_have_the_letters_of_european_and_vietnamese_names(name):
    known = coverage((FONTS / name).read_bytes())

    letters = "ÀÉÎÔÙÇŒœæŸłŁőşțđĐğıİßñØåžẢễộưỳ«»…°€\N{EN DASH}\N{RIGHT SINGLE QUOTATION MARK}\N{REPLACEMENT CHARACTER}"
    assert set(map(ord, letters)) <= known
    assert ord("李") not in known


def test_a_damaged_font_is_refused():
    font = (FONTS / "NotoSans-Regular.ttf").read_bytes()

    for damaged in (b"", font[:100], font[:12]):
        with pytest.raises(ValueError, match="not a TrueType"):
            coverage(damaged)
