"""Lines that stand where trainees stand, and name nobody that could be read: then somebody may be missing.

Sums can agree by chance, and hours of a line without a name can go to its neighbour; the shape of a list does not lie.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from . import tables
from .dates import aligned
from .labels import Sheet, announced
from .layout import Cell, Line
from .measures import Measure, measures
from .mentions import LABEL, Mention
from .tables import Row

_EDGE = 1.5  # points


def unread(sheet: Sheet, found: Sequence[Mention], rows: dict[int, Row]) -> Line | None:
    """Return a line that stands in the list of trainees as theirs do, without being read as one; None if none does."""
    taken = {each.line.number for each in found}
    others = [line for line in sheet.lines if line.number not in taken and not _is_sum(line, rows)]
    return next(
        (line for shape in (_in_rows, _behind_labels, _above_lines) for line in shape(sheet, found, others)), None
    )


def _is_sum(line: Line, rows: dict[int, Row]) -> bool:
    return rows.get(line.number, Row(line, ())).is_total or bool(tables.head(line))


def _in_rows(sheet: Sheet, found: Sequence[Mention], others: Sequence[Line]) -> Iterator[Line]:
    """Give the lines that begin where a trainee's does and have figures where that one has."""
    shapes = {(round(each.cell.x0), len(own)): (each.cell, own) for each in found if (own := _figures(each.line))}
    for line in others:
        figures = _figures(line)
        for cell, own in shapes.values():
            begins = any(abs(one.x0 - cell.x0) < _EDGE and not one.text.isdigit() for one in line.cells)
            alike = len(figures) == len(own) and all(map(tables.is_aligned, figures, own))
            if begins and alike and any(each.kind in ("HOURS", "MONEY") or each.decimals for each in figures):
                yield line


def _figures(line: Line) -> list[Measure]:
    return [each for each in measures(line) if each.kind != "PERCENT"]


def _behind_labels(sheet: Sheet, found: Sequence[Mention], others: Sequence[Line]) -> Iterator[Line]:
    """Give the lines in which a label that announces trainees announces something else."""
    taken = {each.line.number for each in found}
    said = {each.label for places in announced(sheet, LABEL) for each in places[:1] if each.at.number in taken}
    left = {line.number for line in others}
    for places in announced(sheet, LABEL):
        first = next(iter(places), None)
        if first and first.label in said and first.how == "same" and first.at.number in left:
            below = first.at.number + 1 in taken  # the name goes on there
            if not below and not re.match(r"\d", first.text):
                yield first.at


def _above_lines(sheet: Sheet, found: Sequence[Mention], others: Sequence[Line]) -> Iterator[Line]:
    """Give the lines above what stands below a trainee's name, in its column: "Contrat …", "Heures suivies : …"."""
    columns: dict[tuple[int, str], int] = {}
    for each in found:
        if word := _word_below(sheet, each.line, each.cell):
            columns[round(each.cell.x0), word] = columns.get((round(each.cell.x0), word), 0) + 1
    taken = [(each.line.number, each.cell.x0) for each in found]
    for line in sheet.lines if columns else ():
        for cell in line.cells:
            if any(number == line.number and abs(x0 - cell.x0) < _EDGE for number, x0 in taken):
                continue
            word = _word_below(sheet, line, cell)
            if word and any(word == one and abs(cell.x0 - x0) <= _EDGE for x0, one in columns):
                yield line


def _word_below(sheet: Sheet, line: Line, cell: Cell) -> str:
    """Return the first word of the line that goes on below a cell, if figures follow it there."""
    below = next(islice(sheet.flow(line, cell), 1, None), None)
    match = re.match(r"([a-z]{3,})\b[^\d]{0,40}\d", aligned(below[1].text)) if below else None
    return match[1] if match and not re.search(r"\d", cell.text) else ""
