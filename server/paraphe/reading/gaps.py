"""Lines that stand where trainees stand, and name nobody that could be read: then somebody may be missing.

Sums can agree by chance, and hours of a line without a name can go to its neighbour; the shape of a list does not lie.
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice, pairwise

from . import items, tables
from .dates import DAY, aligned
from .labels import Sheet
from .layout import Cell, Line
from .measures import Measure, measures
from .mentions import Mention
from .names import CIVILITY, key
from .tables import Row

_EDGE = 1.5  # points


def unread(sheet: Sheet, found: Sequence[Mention], rows: dict[int, Row]) -> Line | None:
    """Return a line that stands in the list of trainees as theirs do, without being read as one; None if none does."""
    taken = {each.line.number for each in found}
    names = {frozenset(each.key) for each in found}
    others = [
        line
        for line in sheet.lines
        if line.number not in taken and not _is_sum(line, rows) and not _names_one(line, names)
    ]
    shapes = (_in_rows, _in_frames, _above_lines, _beside_items, _under_labels)
    return next((line for shape in shapes for line in shape(sheet, found, others)), None)


def _names_one(line: Line, names: set[frozenset[str]]) -> bool:
    words = frozenset(key(line.text))
    return any(each <= words for each in names)


def _is_sum(line: Line, rows: dict[int, Row]) -> bool:
    return rows.get(line.number, Row(line, ())).is_total or bool(tables.head(line))


def _in_rows(sheet: Sheet, found: Sequence[Mention], others: Sequence[Line]) -> Iterator[Line]:
    """Give the lines that begin where a trainee's does and have figures where that one has."""
    shapes = {
        (round(each.cell.x0), len(own)): (each.cell, own)
        for each in found
        if each.name.last.split()[-1] in each.cell.text and (own := _figures(each.line))
    }
    hours = sum((abs(each.hours.value) for each in found if each.hours), Decimal())
    for line in others:
        figures = _figures(line)
        if len(found) > 1 and any(abs(each.value) == hours for each in figures):
            continue  # a sum, whatever it is called
        for cell, own in shapes.values():
            begins = any(abs(one.x0 - cell.x0) < _EDGE and not one.text.isdigit() for one in line.cells)
            alike = len(figures) == len(own) and all(map(tables.is_aligned, figures, own))
            if begins and alike and any(each.kind in ("HOURS", "MONEY") or each.decimals for each in figures):
                yield line


def _figures(line: Line) -> list[Measure]:
    return [each for each in measures(line) if each.kind != "PERCENT"]


def _in_frames(sheet: Sheet, found: Sequence[Mention], others: Sequence[Line]) -> Iterator[Line]:
    """Give the lines that say around something else what is said around a name: "Stagiaire : …", "1. … (n° 2)"."""
    frames = {(round(each.cell.x0), frame) for each in found if any(frame := _frame(each))}
    for line in others:
        for cell in line.cells:
            text = _squashed(cell.text)
            for x0, (before, after) in frames:
                inside = len(text) > len(before) + len(after) + 2
                if inside and abs(cell.x0 - x0) < _EDGE and text.startswith(before) and text.endswith(after):
                    between = text[len(before) : len(text) - len(after)]
                    if not re.match(r"\s*0", between):
                        yield line


def _frame(each: Mention) -> tuple[str, str]:
    """Return what stands in a cell before and behind its name, without figures; empty if that says nothing."""
    text = each.cell.text
    at = text.find(each.name.printed)
    before, after = (_squashed(text[:at]), _squashed(text[at + len(each.name.printed) :])) if at >= 0 else ("", "")
    says = re.search(r"[a-z]{3}|0", before + after)
    return (before, after) if says else ("", "")


def _squashed(text: str) -> str:
    bare = re.sub(DAY, "@", re.sub(rf"(?<!\w){CIVILITY}\s+", "", aligned(text)))
    return re.sub(r"\d(?:[\d.,/]|\s(?=\d))*", "0", bare)


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


def _beside_items(sheet: Sheet, found: Sequence[Mention], others: Sequence[Line]) -> Iterator[Line]:
    """Give the items that no line below (or above) names a trainee of, where those of most other items do."""
    taken = {each.line.number for each in found}
    counting = {line.number for *_, line in items.items(sheet, in_hours=True) if line.number not in taken}
    for neighbours in (pairwise(sheet.lines), pairwise(reversed(sheet.lines))):
        beside = [(line, other) for line, other in neighbours if line.number in counting]
        named = sum(other.number in taken for _, other in beside)
        if named > len(beside) / 2 and named > 1:
            yield from (line for line, other in beside if other.number not in taken)


def _under_labels(sheet: Sheet, found: Sequence[Mention], others: Sequence[Line]) -> Iterator[Line]:
    """Give a label of a trainee, as stands above each of those read, if there are more of them than trainees."""
    rules = {each.rule.removeprefix("label ") for each in found if each.rule.startswith("label ")}
    labels = [line for line in sheet.lines for cell in line.cells if cell.folded.strip(" :-") in rules]
    if len(labels) > len(found):
        yield labels[-1]


def _word_below(sheet: Sheet, line: Line, cell: Cell) -> str:
    """Return the first word of the line that goes on below a cell, if figures follow it there."""
    below = next(islice(sheet.flow(line, cell), 1, None), None)
    match = re.match(r"([a-z]{3,})\b[^\d]{0,40}\d", aligned(below[1].text)) if below else None
    return match[1] if match and not re.search(r"\d", cell.text) else ""


_COUNTED = re.compile(
    r"(?<![\d,./-])(?P<n>\d{1,3})\s*(?:stagiaires?|participante?s?|apprenante?s?|apprentis?|alternants?|beneficiaires?|"
    r"salaries?|personnes?)\b|"
    r"(?:stagiaires?|participants?|apprenants?|apprentis?|alternants?|beneficiaires?|salaries?)\s*\((?P<k>\d{1,3})\)|"
    r"(?:nombre|nb\.?|effectif)\s*(?:total\s*)?(?:de |d')?"
    r"(?:stagiaires?|participants?|apprenants?|apprentis?|salaries?)?\s*:\s*(?P<m>\d{1,3})(?![\d,.]|\s*h)"
)


def counted(sheet: Sheet) -> int:
    """Return how many trainees the invoice says to have; 0 if it does not say it."""
    found = [
        int(match["n"] or match["k"] or match["m"]) for line in sheet.lines for match in _COUNTED.finditer(line.folded)
    ]
    return max(found, default=0)
