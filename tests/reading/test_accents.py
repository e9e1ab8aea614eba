"""Accents that a PDF draws apart from their letters."""

import pytest

from paraphe.reading.accents import composed
from paraphe.reading.glyphs import Glyph

ACUTE, CIRCUMFLEX, DOTLESS = (
    "\N{ACUTE ACCENT}",
    "\N{MODIFIER LETTER CIRCUMFLEX ACCENT}",
    "\N{LATIN SMALL LETTER DOTLESS I}",
)


def glyph(text: str, x0: float, width: float = 5.0, y: float = 100.0) -> Glyph:
    return Glyph(text, x0, x0 + width, y, 10.0, 0)


def read(*glyphs: Glyph) -> str:
    return "".join(each.text for each in composed(glyphs))


@pytest.mark.parametrize(
    ("glyphs", "text"),
    [
        ([glyph("M", 0, 8), glyph(ACUTE, 7.9), glyph("e", 8, 4.4)], "Mé"),
        ([glyph("u", 0, 6), glyph(CIRCUMFLEX, 0.6), glyph("t", 6)], "ût"),
        ([glyph(ACUTE, 1, y=104.5), glyph("E", 0, 7), glyph("c", 7)], "Éc"),
        ([glyph(CIRCUMFLEX, 0), glyph(DOTLESS, 0.5, 4)], "î"),
    ],
    ids=["before", "behind", "over a capital", "without a dot"],
)
def test_an_accent_over_a_letter_is_a_part_of_it(glyphs, text):
    assert read(*glyphs) == text


@pytest.mark.parametrize(
    ("glyphs", "text"),
    [
        ([glyph("d", 0), glyph(ACUTE, 5), glyph("u", 10)], f"d{ACUTE}u"),
        ([glyph("e", 0), glyph(ACUTE, 0, y=112.0)], f"e{ACUTE}"),
        ([glyph("t", 0), glyph(ACUTE, 0)], f"t{ACUTE}"),
    ],
    ids=["in a place of its own", "in another line", "over what takes none"],
)
def test_an_accent_elsewhere_stays_what_it_is(glyphs, text):
    assert read(*glyphs) == text
