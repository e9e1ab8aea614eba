"""Accents that are drawn apart from their letters, as TeX's older fonts have them, and belong over them."""

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

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


def composed(glyphs: Sequence[Glyph]) -> list[Glyph]:
    """Return the glyphs with each accent that is drawn over a letter made one with it; others stay as they are."""
    marks = [at for at, each in enumerate(glyphs) if each.text in _ACCENTS]
    if not marks:
        return list(glyphs)
    letters = sorted((each.x0, at) for at, each in enumerate(glyphs) if each.text.isalpha() and len(each.text) == 1)
    with_accent, used = dict[int, Glyph](), set[int]()
    for mark in marks:
        accent = glyphs[mark]
        middle = (accent.x0 + accent.x1) / 2
        near = letters[bisect_left(letters, (middle - accent.size, 0)) : bisect_left(letters, (middle, 0))]
        for _, at in reversed(near):
            letter = glyphs[at]
            over = middle < letter.x1 and abs(accent.y - letter.y) < _HIGHER * letter.size
            base = _DOTLESS.get(letter.text, letter.text)
            one = unicodedata.normalize("NFC", base + _ACCENTS[accent.text])
            if over and at not in with_accent and len(one) == 1:
                with_accent[at] = replace(letter, text=one)
                used.add(mark)
                break
    return [with_accent.get(at, each) for at, each in enumerate(glyphs) if at not in used]
