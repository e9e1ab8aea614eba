"""Names that a narrow column breaks at their hyphen: "GUÉRIN-" and, below it, "LASSALLE" are one cell again."""

import re
from collections.abc import Sequence
from dataclasses import replace

from .layout import Cell, Line

# Part of a name, or of a few, with capitals at their beginning: the hyphens of prose part words in small letters.
_BEGINS = re.compile(r"(?:[A-ZÀ-ÖØ-Þ][^\W\d_]*(?:['. -]+|$)){0,3}[A-ZÀ-ÖØ-Þ][^\W\d_]*-")
_GOES_ON = re.compile(r"[A-ZÀ-ÖØ-Þ][^\W\d_]*(?:[' -][A-ZÀ-ÖØ-Þ][^\W\d_]*)*-?")
_LEADING = 1.75  # sizes of type between the lines of one cell
_BETWEEN = 3  # lines, since the other cells of the row may stand at half their height


def rejoined(lines: Sequence[Line]) -> list[Line]:
    """Return lines in which each broken name stands whole, in that line of its row which has the most cells."""
    found = list(lines)
    for at in reversed(range(len(found))):  # so that what is broken twice is whole, too
        for cell in found[at].cells:
            if _BEGINS.fullmatch(cell.text) and (end := _end_of(found, at, cell)):
                _join(found, at, cell, *end)
    kept = [line for line in found if line.cells]
    return [replace(line, number=lines[0].number + at) for at, line in enumerate(kept)]


def _end_of(lines: Sequence[Line], at: int, cell: Cell) -> tuple[int, Cell] | None:
    """Return where a cell that ends in the middle of a name goes on: right below it, at its left edge."""
    for below in range(at + 1, min(len(lines), at + 1 + _BETWEEN)):
        near = [each for each in lines[below].cells if each.x0 < cell.x1 and cell.x0 < each.x1]
        if near:
            most = _LEADING * cell.size * (1.6 if below > at + 1 else 1)
            goes_on = abs(near[0].x0 - cell.x0) < 2 and cell.y - near[0].y < most
            return (below, near[0]) if goes_on and _GOES_ON.fullmatch(near[0].text) else None
    return None


def _join(lines: list[Line], at: int, cell: Cell, below: int, end: Cell) -> None:
    row = max(range(at, below + 1), key=lambda each: len(lines[each].cells))
    words = [(word.text, word.x0, word.x1) for word in cell.words]
    text, left, right = words[-1]
    first, *others = [(word.text, word.x0, word.x1) for word in end.words]
    words[-1] = (text + first[0], left, max(right, first[2]))
    whole = replace(Cell.of([*words, *others], cell.y, cell.size), y=lines[row].y if lines[row].cells else cell.y)
    for each in (at, below):
        lines[each] = replace(lines[each], cells=tuple(one for one in lines[each].cells if one not in (cell, end)))
    cells = sorted([*lines[row].cells, whole], key=lambda each: each.x0)
    lines[row] = replace(lines[row], cells=tuple(cells))
