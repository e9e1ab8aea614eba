"""Labels and what they announce: the text behind a label, in the next column, or below it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .dates import aligned
from .layout import Cell, Line
from .result import Value

#: What a person is asked to do with a doubtful value.
COMPARE = "Compare with the invoice."
#: How far below its label a value may stand, in sizes of type.
_BELOW = 3.2
#: The same for the row right below a head with as many cells; forms and cards have tall rows.
_TALL = 5.0
#: How far apart the lines of one text are at most, in sizes of type.
_LEADING = 1.75


@dataclass(frozen=True, slots=True)
class Announced:
    """A text that a label announces. `how` is same, right, above or below; `label` the label's own text, folded."""

    text: str
    how: str
    label: str
    before: str
    line: Line
    cell: Cell
    at: Line  # where the label stands


def _is_row_of(head: Line, line: Line) -> bool:
    """Say whether the next line has a cell below each cell of another."""
    below = zip(head.cells, line.cells, strict=False)
    return (
        line.number == head.number + 1
        and len(head.cells) == len(line.cells) > 2
        and all(one.x0 < other.x1 + 2 and other.x0 - 2 < one.x1 for one, other in below)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The lines of an invoice that are the invoice itself, without terms and attendance sheets."""

    lines: Sequence[Line]
    ocr: bool = False

    def below(self, line: Line, cell: Cell) -> Iterator[tuple[Line, Cell]]:
        """Give the cells below a cell, from the nearest; at most three, none further than a few lines."""
        given = 0
        for other in self.lines:
            if other.page != line.page or other.number <= line.number:
                continue
            reach = _TALL if _is_row_of(line, other) else _BELOW
            if line.y - other.y > reach * max(cell.size, other.size) or given == 3:
                return
            for candidate in other.cells:
                if candidate.x0 < cell.x1 + 2 and cell.x0 - 2 < candidate.x1:
                    given += 1
                    yield other, candidate
                    break

    def flow(self, line: Line, cell: Cell, *, up: bool = False) -> Iterator[tuple[Line, Cell]]:
        """Give a cell and those that go on with its text: at one left edge, one leading apart, downwards or upwards."""
        yield line, cell
        last = cell
        at = bisect_right(self.lines, line.number, key=lambda each: each.number)
        for other in reversed(self.lines[: at - 1]) if up else self.lines[at:]:
            if other.page != line.page or abs(last.y - other.y) > _LEADING * max(last.size, 1.0):
                return
            following = next((each for each in other.cells if abs(each.x0 - cell.x0) < 2), None)
            if following is not None and abs(following.size - cell.size) < 1:
                yield other, following
                last = following


def joined(texts: Iterable[str]) -> str:
    """Join the lines of one text; a word that was broken at its hyphen is whole again."""
    text = ""
    for each in texts:
        text += each if re.search(r"[^\W\d_]-$", text) else f" {each}"
    return text.strip()


@lru_cache(maxsize=4)
def paragraphs(sheet: Sheet) -> tuple[tuple[Line, str], ...]:
    """Return every text with the lines that go on with it, and the line that it begins in."""
    found, read = [], set()
    for line in sheet.lines:
        for cell in line.cells:
            if (line.number, cell.x0) not in read:
                flow = list(sheet.flow(line, cell))
                read |= {(other.number, each.x0) for other, each in flow}
                found.append((line, joined(each.text for _, each in flow)))
    return tuple(found)


def announced(sheet: Sheet, label: re.Pattern[str]) -> Iterator[list[Announced]]:
    """Give for every label what it may announce, the nearest place first: behind it, to the right, below."""
    for line in sheet.lines:
        for index, cell in enumerate(line.cells):
            folded = aligned(cell.text)
            for match in label.finditer(folded):
                yield list(_places(sheet, line, index, folded[: match.start()], match))


_NOTHING = re.compile(r"[:=.#>*-]+|n\s?[°o]\s?[.:]*")


#: The same label in English behind it: "Client / Bill to".
_GLOSS = re.compile(r"^\s*/\s?[A-Z][A-Za-z.]*(?: [A-Za-z.]+){0,2}\s*(?=:|$)")


def _places(sheet: Sheet, line: Line, index: int, before: str, match: re.Match[str]) -> Iterator[Announced]:
    cell = line.cells[index]
    rest = re.sub(r"^[\s:.=#>*]+", "", _GLOSS.sub("", cell.text[match.end() :]))
    if rest:
        yield Announced(rest, "same", match[0], before, line, cell, line)
    if len(rest) > 12 or re.search(r"[^\W\d_]{4}", rest):
        return  # what stands further off is of the words behind the label
    while index + 2 < len(line.cells) and _NOTHING.fullmatch(aligned(line.cells[index + 1].text)):
        index += 1
    if index + 1 < len(line.cells):
        right = re.sub(r"^(?:[\s:.=#>*]|-(?!\s?\d))+", "", line.cells[index + 1].text)
        yield Announced(right, "right", match[0], before, line, line.cells[index + 1], line)
    lower = list(sheet.below(line, cell))
    upper = None if before.strip() or rest else _caption_of(sheet, line, cell)
    if upper and not (lower and line.y - lower[0][0].y < 1.25 * (upper[0].y - line.y)):
        yield Announced(upper[1].text, "above", match[0], before, upper[0], upper[1], line)
    for under, below in lower:
        yield Announced(below.text, "below", match[0], before, under, below, line)


def _caption_of(sheet: Sheet, line: Line, cell: Cell) -> tuple[Line, Cell] | None:
    """Return the cell right above a label that is a caption below its value."""
    at = bisect_left(sheet.lines, line.number, key=lambda each: each.number)
    above = sheet.lines[at - 1] if at else line
    if above.page != line.page or not 0 < above.y - line.y < 2 * above.size:
        return None
    near = [each for each in above.cells if each.x0 < cell.x1 + 2 and cell.x0 - 2 < each.x1]
    return (above, near[0]) if near and re.search(r"\d", near[0].text) else None


def snippet(*lines: Line) -> str:
    """Return the text of lines as evidence: at most 200 characters."""
    return " / ".join(line.text for line in lines)[:200]


def value(read: object, confidence: int, line: Line, rule: str) -> Value:
    """Make a value that was read from a line."""
    return Value(read, confidence, line.page, snippet(line), rule)
