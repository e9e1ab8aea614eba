"""Accents that are drawn apart from their letters, as TeX's older fonts have them, and belong over them."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from .glyphs import Glyph

#: Accents that take a place of their own, and those that belong to the letter before them.
_ACCENTS = {
    "\N{ACUTE ACCENT}": "\N{COMBINING ACUTE ACCENT}",
    "\N{GRAVE ACCENT}": "\N{COMBINING GRAVE ACCENT}",
    "\N{DIAERESIS}": "\N{COMBINING DIAERESIS}",
    "\N{MODIFIER LETTER CIRCUMFLEX ACCENT}": "\N{COMBINING CIRCUMFLEX ACCENT}",
    "\N{CIRCUMFLEX ACCENT}": "\N{COMBINING CIRCUMFLEX ACCENT}",
    "\N{SMALL TILDE}": "\N{COMBINING TILDE}",
    "\N{TILDE}": "\N{COMBINING TILDE}",
    "\N{CEDILLA}": "\N{COMBINING CEDILLA}",
    "\N{CARON}": "\N{COMBINING CARON}",
    "\N{BREVE}": "\N{COMBINING BREVE}",
    "\N{RING ABOVE}": "\N{COMBINING RING ABOVE}",
    "\N{DOUBLE ACUTE ACCENT}": "\N{COMBINING DOUBLE ACUTE ACCENT}",
    "\N{DOT ABOVE}": "\N{COMBINING DOT ABOVE}",
}
_DOTLESS = {"\N{LATIN SMALL LETTER DOTLESS I}": "i", "\N{LATIN SMALL LETTER DOTLESS J}": "j"}
_HIGHER = 0.6  # sizes of type by which an accent stands above the line of a capital, at most
_SQUARE = 12.0  # points
_MOST = 16  # letters of a square that are looked at: more stand on each other


def composed(glyphs: Sequence[Glyph]) -> list[Glyph]:
    """Return the glyphs with each accent that is drawn over a letter made one with it; others stay as they are."""
    marks = [at for at, each in enumerate(glyphs) if each.text in _ACCENTS]
    if not marks:
        return list(glyphs)
    squares: dict[tuple[int, int], list[int]] = {}
    for at, each in enumerate(glyphs):
        if each.text.isalpha() and len(here := squares.setdefault(_square(each.x0, each.y), [])) < _MOST:
            here.append(at)
    with_accent, used = dict[int, Glyph](), set[int]()
    for mark in marks:
        accent = glyphs[mark]
        near = [at for at in _around(squares, accent) if at not in with_accent and _is_over(accent, glyphs[at])]
        for at in sorted(near, key=lambda at: -glyphs[at].x0):
            letter = glyphs[at].text
            one = unicodedata.normalize("NFC", _DOTLESS.get(letter, letter) + _ACCENTS[accent.text])
            if len(one) == 1:
                with_accent[at] = replace(glyphs[at], text=one)
                used.add(mark)
                break
    return [with_accent.get(at, each) for at, each in enumerate(glyphs) if at not in used]


def _square(x: float, y: float) -> tuple[int, int]:
    return int(x // _SQUARE), int(y // _SQUARE)


def _around(squares: Mapping[tuple[int, int], Sequence[int]], accent: Glyph) -> Iterator[int]:
    column, row = _square((accent.x0 + accent.x1) / 2, accent.y)
    for x, y in product((column - 1, column, column + 1), (row - 1, row, row + 1)):
        yield from squares.get((x, y), ())


def _is_over(accent: Glyph, letter: Glyph) -> bool:
    middle = (accent.x0 + accent.x1) / 2
    return letter.x0 < middle < letter.x1 and abs(accent.y - letter.y) < _HIGHER * letter.size
