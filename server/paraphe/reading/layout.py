"""Lines and cells: glyphs put back into what a reader sees as a line, and a line into its columns.

A *cell* is a run of words with no gap that only a column or a tabulator makes. A *line* is what stands on one height.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from .accents import composed
from .folding import fold, plain
from .glyphs import Glyph

# Shares of the size of the type, measured on fourteen producers of PDF.
_WORD_GAP = 0.14
_CELL_GAP = 1.15
_SPACED_CELL_GAP = 3.0  # when the gap is one drawn space: justified prose
_COLUMN_GAP = 0.5  # when other lines show that a column begins there
_SAME_LINE = 0.32


@dataclass(frozen=True, slots=True)
class Word:
    """A word: where it begins in its cell's text, and where it stands on the page."""

    start: int
    text: str
    x0: float
    x1: float


@dataclass(frozen=True, slots=True)
class Cell:
    """Words of one line that stand together; y grows upwards."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    words: tuple[Word, ...]

    @classmethod
    def of(cls, words: Sequence[tuple[str, float, float]], y: float, size: float) -> "Cell":
        """Make a cell of words: each its text, its left and its right end."""
        parts, start = [], 0
        for text, x0, x1 in words:
            text = plain(text)
            parts.append(Word(start, text, x0, x1))
            start += len(text) + 1
        return cls(" ".join(part.text for part in parts), words[0][1], words[-1][2], y, size, tuple(parts))

    def span(self, start: int, end: int) -> tuple[float, float]:
        """Return where a piece of the text stands on the page."""
        inside = [word for word in self.words if word.start < end and word.start + len(word.text) > start]
        if not inside:
            return self.x0, self.x1
        first, last = inside[0], inside[-1]
        left = first.x0 + (first.x1 - first.x0) * max(0, start - first.start) / max(1, len(first.text))
        right = last.x0 + (last.x1 - last.x0) * min(1.0, (end - last.start) / max(1, len(last.text)))
        return left, right

    def spaces(self) -> Iterator[float]:
        """Give the spaces between the words, in sizes of type."""
        yield from ((right.x0 - left.x1) / max(self.size, 1.0) for left, right in pairwise(self.words))

    @property
    def folded(self) -> str:
        """The text, to compare it."""
        return fold(self.text)


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on one height of a page. `page` counts from 1, `number` from 0 over the whole document."""

    page: int
    number: int
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """The cells, two spaces between them."""
        return "  ".join(cell.text for cell in self.cells)

    @property
    def folded(self) -> str:
        """The text, to compare it."""
        return fold(self.text)

    @property
    def y(self) -> float:
        """Height of the line on its page."""
        return self.cells[0].y

    @property
    def size(self) -> float:
        """Size of its type."""
        return max(cell.size for cell in self.cells)


_RULE = re.compile(r"[-+=_*.~·•\s]*")  # rules drawn with characters; nothing to read


def lines(page: int, first: int, glyphs: Sequence[Glyph]) -> list[Line]:
    """Return the lines of a page from the top, those along a margin last. Text across (a watermark) is left out."""
    glyphs = [each for each in glyphs if each.text]
    if not glyphs:
        return []
    angles = Counter(each.angle for each in glyphs if each.text.strip()).most_common()
    found: list[Line] = []
    for angle in [each for each, _ in angles[:1]] + [each for each, _ in angles[1:] if each in _UPRIGHT]:
        turned = [each for each in glyphs if each.angle == angle]
        found += _of_one_direction(page, first + len(found), turned, _APART if found else 0)
    return found


_UPRIGHT = (90, 270)
_APART = -10_000  # turned text stands at no height of the page


def _of_one_direction(page: int, first: int, glyphs: Sequence[Glyph], shift: float) -> list[Line]:
    found: list[Line] = []
    rows = _rows(composed(glyphs))
    ruled = sum(sum(each.text == "!" for each in row) > 2 for row in rows) > 2
    for row in rows:
        cells = tuple(each for each in _cells(row, _BARS + "!" * ruled) if not _RULE.fullmatch(each.text))
        if cells:
            cells = tuple(replace(cell, y=cell.y + shift) for cell in cells) if shift else cells
            found.append(Line(page, first + len(found), cells))
    return _parted(_parted(found))  # what the rows near a head show, further rows learn from them


def _parted(found: list[Line]) -> list[Line]:
    """Part cells of a table's row that stand closer than columns do, where other rows show that a column begins."""
    rows = [line for line in found if len(line.cells) > 1]
    lefts = [(cell.x0, line.number) for line in rows for cell in line.cells[1:]]
    rights = [(cell.x1, line.number) for line in rows for cell in line.cells[1:]]
    spaces = sorted(space for line in found for cell in line.cells for space in cell.spaces())
    least = 1.5 * spaces[len(spaces) // 2] if spaces else 0.0  # letters of one width have wide spaces
    parted = []
    for line in found:
        cells = line.cells
        if len(cells) > 1:
            near = [
                [place for place, number in edges if 0 < abs(number - line.number) <= 12] for edges in (lefts, rights)
            ]
            cells = tuple(piece for cell in cells for piece in _pieces_of(cell, least, near[0], near[1]))
        parted.append(Line(line.page, line.number, cells))
    return parted


def _pieces_of(cell: Cell, least: float, lefts: Sequence[float], rights: Sequence[float]) -> Iterator[Cell]:
    """Part a cell at the gaps, wider than between words, behind which other rows' cells begin or end as well."""
    gaps = [at for at, space in enumerate(cell.spaces(), 1) if space > max(_COLUMN_GAP, least)]
    start = 0
    for at, following in pairwise([*gaps, len(cell.words)]):
        begins, ends = cell.words[at].x0, cell.words[following - 1].x1
        if any(abs(each - begins) < 1 for each in lefts) or any(abs(each - ends) < 1 for each in rights):
            yield _piece(cell, start, at)
            start = at
    yield _piece(cell, start, len(cell.words))


def _piece(cell: Cell, start: int, end: int) -> Cell:
    if end - start == len(cell.words):
        return cell
    return Cell.of([(word.text, word.x0, word.x1) for word in cell.words[start:end]], cell.y, cell.size)


def _rows(glyphs: Iterable[Glyph]) -> list[list[Glyph]]:
    """Bring together what stands on one height; raised letters ("1er") join the line that they touch."""
    rows: list[_Row] = []
    for glyph in sorted(glyphs, key=lambda each: -each.y):
        if rows and abs(rows[-1].y - glyph.y) <= 0.04 * (glyph.size or 1):
            rows[-1].glyphs.append(glyph)
        else:
            rows.append(_Row(glyph.y, glyph.size, [glyph]))
    joined: list[_Row] = []
    for row in rows:
        before = next((each for each in joined[-3:][::-1] if _is_one_line(each, row)), None)
        if before is None:
            joined.append(row)
        else:
            before.join(row)
    return [row.glyphs for row in joined]


@dataclass(slots=True)
class _Row:
    y: float
    size: float
    glyphs: list[Glyph]

    def join(self, other: "_Row") -> None:
        if len(other.glyphs) > len(self.glyphs) and other.size >= self.size:
            self.y = other.y
        self.size = max(self.size, other.size)
        self.glyphs += other.glyphs

    def spans(self) -> list[tuple[float, float]]:
        return sorted((each.x0, each.x1) for each in self.glyphs if each.text.strip())


def _is_one_line(upper: _Row, lower: _Row) -> bool:
    """Say whether two rows are one line: nearly one height and side by side, or letters raised beside the other."""
    apart, size = abs(upper.y - lower.y), min(upper.size, lower.size)
    if apart > 0.55 * max(upper.size, lower.size):
        return False
    above, below = upper.spans(), lower.spans()
    if not above or not below:
        return apart <= _SAME_LINE * size
    if apart <= _SAME_LINE * size:
        return not _overlap(above, below)
    small, big = (above, below) if upper.size < lower.size else (below, above)
    if size > 0.85 * max(upper.size, lower.size) or len(small) > 12:
        return False
    return not _overlap(above, below) and any(
        abs(end - small[0][0]) < 0.35 * max(upper.size, lower.size) for _, end in big
    )


def _overlap(first: list[tuple[float, float]], second: list[tuple[float, float]]) -> bool:
    """Say whether letters of two rows would stand on each other, were the rows one line."""
    merged = sorted([(*each, 0) for each in first] + [(*each, 1) for each in second])
    reach = [float("-inf"), float("-inf")]
    for start, end, which in merged:
        if start < reach[1 - which] - 0.35 * (end - start):
            return True
        reach[which] = max(reach[which], end)
    return False


_BARS = "|│┃"  # between columns; line printers draw them as "!"


def _cells(row: list[Glyph], bars: str) -> Iterator[Cell]:
    row.sort(key=lambda each: each.x0)
    words: list[list[Glyph]] = []
    spaces = 0
    for glyph in row:
        if not glyph.text.strip():
            spaces += 1
        elif glyph.text in bars:
            if words:
                yield _cell(words)
            words, spaces = [], 0
        elif not words:
            words, spaces = [[glyph]], 0
        elif not _is_drawn_again(words[-1][-1], glyph):
            last, em = words[-1][-1], max(glyph.size, 1.0)
            gap = glyph.x0 - last.x1
            if gap > (_SPACED_CELL_GAP if spaces == 1 else _CELL_GAP) * em:
                yield _cell(words)
                words = [[glyph]]
            elif gap > _WORD_GAP * em or (spaces and gap > -0.1 * em):
                words.append([glyph])
            else:
                words[-1].append(glyph)
            spaces = 0
    if words:
        yield _cell(words)


def _is_drawn_again(last: Glyph, glyph: Glyph) -> bool:
    """Say whether a letter is the one before drawn twice to look bold."""
    return last.text == glyph.text and abs(last.x0 - glyph.x0) < 0.12 * glyph.size


def _cell(words: list[list[Glyph]]) -> Cell:
    if len(words) > _SPACED_OUT and sum(len(each) == 1 for each in words) > 0.8 * len(words):
        words = _closed_up(words)
    letters = [("".join(each.text for each in word), word[0].x0, word[-1].x1) for word in words]
    return Cell.of(letters, words[0][0].y, max(each.size for word in words for each in word))


_SPACED_OUT = 6  # letters


def _closed_up(words: list[list[Glyph]]) -> list[list[Glyph]]:
    """Bring together letters that are spaced out, as in "F A C T U R E   N °": only wider gaps part words."""
    gaps = [right[0].x0 - left[-1].x1 for left, right in pairwise(words)]
    usual = sorted(gaps)[len(gaps) // 2]
    together = [list(words[0])]
    for gap, word in zip(gaps, words[1:], strict=True):
        if gap > 1.6 * usual:
            together.append(list(word))
        else:
            together[-1] += word
    return together


_INVOICE_WORDS = re.compile(
    r"\b(?:factures?|avoir|invoice|total|montant|tva|siret|heures?|formation|stagiaires?|du|le|de)\b"
)


def is_readable(found: Sequence[Line]) -> bool:
    """Say whether lines are text that a rule can read, and not the codes of a font that tells no letters."""
    text = " ".join(line.text for line in found)
    return is_text(found) and len(text) > 40 and len(_INVOICE_WORDS.findall(fold(text))) >= 3


def is_text(found: Sequence[Line]) -> bool:
    """Say whether lines are letters at all; enough for a short page behind one that can be read."""
    text = " ".join(line.text for line in found)
    letters = sum(each.isalnum() for each in text)
    odd = sum(
        "\ue000" <= each <= "\uf8ff" or each in "\ufffd\x00" or unicodedata.category(each) == "Cc" for each in text
    )
    return letters > 10 and odd < 0.1 * letters
