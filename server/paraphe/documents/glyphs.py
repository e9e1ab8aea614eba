"""Which characters the fonts can show, and what is printed instead of the others.

PDF/A forbids a character without a shape, so it has to be known before a paper is set.
"""

import struct
from collections.abc import Iterator
from typing import Any
from unicodedata import category, normalize

#: Printed for a character that no font has; the fonts that come with the house have it.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Controls of direction: they would let a name be read otherwise than it is written.
_DIRECTIONS = {*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def coverage(font: bytes) -> frozenset[int]:
    """Return the code points that a TrueType or OpenType font has a shape for (its cmap, formats 4 and 12).

    ValueError if it is no such font or is damaged.
    """
    try:
        tables = struct.unpack_from(">H", font, 4)[0]
        entries = (struct.unpack_from(">4sIII", font, 12 + 16 * number) for number in range(tables))
        start = next(offset for tag, _, offset, _ in entries if tag == b"cmap")
        count = struct.unpack_from(">H", font, start + 2)[0]
        offsets = {struct.unpack_from(">HHI", font, start + 4 + 8 * number)[2] for number in range(count)}
        return frozenset(point for offset in offsets for point in _points(font, start + offset))
    except (struct.error, StopIteration) as error:
        raise ValueError("not a TrueType or OpenType font") from error


def _points(font: bytes, table: int) -> Iterator[int]:
    kind = struct.unpack_from(">H", font, table)[0]
    if kind == 12:
        for group in range(struct.unpack_from(">I", font, table + 12)[0]):
            first, last, glyph = struct.unpack_from(">III", font, table + 16 + 12 * group)
            yield from range(first + (glyph == 0), min(last, 0x10FFFF) + 1)
    elif kind == 4:
        yield from _points_of_format_4(font, table)


def _points_of_format_4(font: bytes, table: int) -> Iterator[int]:
    """Give the points of the segments; a segment either shifts its points to glyphs or has a list of them."""
    double = struct.unpack_from(">H", font, table + 6)[0]
    segments = f">{double // 2}H"
    ends, starts, deltas, ranges = (
        struct.unpack_from(segments, font, table + place)
        for place in (14, 16 + double, 16 + 2 * double, 16 + 3 * double)
    )
    for number, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for point in range(first, last + 1):
            glyph = point + deltas[number]
            if ranges[number]:
                place = table + 16 + 3 * double + 2 * number + ranges[number] + 2 * (point - first)
                glyph = struct.unpack_from(">H", font, place)[0]
            if glyph % 0x10000 and point != 0xFFFF:
                yield point


def printable(value: Any, known: frozenset[int], missing: set[str]) -> Any:
    """Return JSON with every text in it as it can be printed; what cannot be is added to `missing`.

    Texts are composed (NFC), controls become blanks, controls of direction are dropped.
    """
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else _printable(value, known, missing)
    if isinstance(value, dict):
        return {key: printable(each, known, missing) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [printable(each, known, missing) for each in value]
    return value


def _printable(text: str, known: frozenset[int], missing: set[str]) -> str:
    shown = []
    for character in normalize("NFC", text):
        if category(character) == "Cc":
            shown.append(" ")
        elif ord(character) in known and ord(character) not in _DIRECTIONS:
            shown.append(character)
        elif ord(character) not in _DIRECTIONS:
            missing.add(character)
            shown.append(REPLACEMENT)
    return "".join(shown)
