"""Hours for names that have none in their line: from below, beside, their section, a list apart, or one for all."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

from . import rows, tables
from .labels import Sheet
from .layout import Cell, Line
from .measures import Measure, added, measures
from .mentions import Mention, name_in
from .names import key
from .proof import Proof

_OF_HOURS = re.compile(r"(?:nombre |nb\.? |total |volume )?(?:d'|de |des )?(?:heures?|duree|horaire)\b")


_BOX = 8  # lines
_MOST_HOURS = 10_000  # of one trainee
_ALONE = ("line of its own", "civility", "capitals")
_NEXT = 3  # lines between two names of one text


def _is_list(found: Sequence[Mention]) -> bool:
    """Say whether names that nothing announces stand in a list: at one edge, in a line or a few, by one that is."""
    alone = [each for each in found if each.rule in _ALONE]
    if len(alone) < len(found):
        others = [each.line.number for each in found if each not in alone]
        return all(min(abs(each.line.number - number) for number in others) <= _NEXT for each in alone)
    numbers = sorted(each.line.number for each in found)
    if all(each.rule != "line of its own" for each in found):
        return all(below - above <= _NEXT for above, below in pairwise(numbers))
    lines, edges = {each.line.number for each in found}, {round(each.cell.x0 / 3) for each in found}
    return len(lines) == 1 or len(edges) < len(found)


def _hours_in_box(line: Line, cell: Cell) -> Measure | None:
    """Return the hours of a cell, or of the one to its right, if it is the label of hours."""
    at = line.cells.index(cell)
    alone = Line(line.page, line.number, line.cells[at : at + 2] if _OF_HOURS.match(cell.folded) else (cell,))
    return rows.labelled_hours(alone) or next((each for each in measures(alone) if each.kind == "HOURS"), None)


class Lender:
    """Gives names the hours that stand elsewhere, if together they are proven."""

    def __init__(self, sheet: Sheet, proof: Proof) -> None:
        self.sheet, self.proof = sheet, proof
        self.in_hours = proof.in_hours
        self.rows = {row.line.number: row for row in tables.rows(sheet)}

    def lend(self, found: list[Mention]) -> list[Mention]:
        """Give mentions without hours those of the lines around them, all from the same side."""
        lacking = [each for each in found if each.hours is None]
        if not lacking or len(lacking) != len(found):
            return found
        under = [self._hours_under(found, index) for index in range(len(found))]
        if all(under) and self.proof.fits([each.value for each in under if each]):
            for each, hours in zip(found, under, strict=True):
                each.hours = hours
            return found
        for after in (True, False):
            given = [self._hours_beside(found, index, after=after) for index in range(len(found))]
            if all(given) and self.proof.fits([each.value for each in given if each]):
                for each, hours in zip(found, given, strict=True):
                    each.hours = hours
                return found
        if self._count_on_their_own(found):
            return found  # none of these hours is what stands beside the names
        sections = () if self._name_others(found) else (self._sums_of_sections(found), self._rows_of_sections(found))
        for given in (*sections, self._list_beside(found)):
            if all(given) and self.proof.fits([each.value for each in given if each]):
                for each, hours in zip(found, given, strict=True):
                    each.hours = hours
                return found
        together = _is_list(found) and not self._only_some_count(found)
        shared = self._hours_for_each(len(found)) if together else None
        if shared is not None:
            for each in found:
                each.hours = shared
        return found

    def _count_on_their_own(self, found: list[Mention]) -> bool:
        """Say whether the lines of the names count hours that differ: then nobody has those of another place."""
        return len({each.value for each in self._counted(found) if each is not None}) > 1

    def _only_some_count(self, found: list[Mention]) -> bool:
        """Say whether hours stand in the lines of some names and not of the others, who then have none of them."""
        counted = self._counted(found)
        return any(counted) and not all(counted)

    def _counted(self, found: list[Mention]) -> list[Measure | None]:
        lines = {each.line.number: each.line for each in found}.values()
        return [rows.figures(self.rows.get(line.number, tables.Row(line, ())), in_hours=True)[0] for line in lines]

    def _hours_under(self, found: list[Mention], index: int) -> Measure | None:
        """Return the hours in the column of a mention, down to the next one there: boxes side by side."""
        line, x0 = found[index].line, found[index].cell.x0
        others = {(each.line.number, each.cell.x0) for each in found}
        at = bisect_right(self.sheet.lines, line.number, key=lambda each: each.number)
        for other in self.sheet.lines[at : at + _BOX]:
            below = next((each for each in other.cells if abs(each.x0 - x0) < 2), None)
            if other.page != line.page or (below and (other.number, below.x0) in others):
                break
            if below and (hours := _hours_in_box(other, below)):
                return hours
        return None

    def _hours_beside(self, found: list[Mention], index: int, *, after: bool) -> Measure | None:
        """Return the hours between a mention and its neighbour."""
        line = found[index].line.number
        if after:
            start, end = line, found[index + 1].line.number if index + 1 < len(found) else line + 7
        else:
            start, end = (found[index - 1].line.number + 1 if index else line - 6), line + 1
        for candidate in self.sheet.lines:
            if start <= candidate.number < end and not tables.TOTAL.search(candidate.folded):
                row = self.rows.get(candidate.number, tables.Row(candidate, ()))
                hours, _, _ = rows.figures(row, in_hours=self.in_hours)
                hours = hours or rows.labelled_hours(candidate)
                if hours is not None and abs(hours.value) < _MOST_HOURS:
                    return hours
        return None

    def _section(self, found: list[Mention], index: int) -> list[tables.Row]:
        """Return the rows from a mention to the next one; the last section ends with its sum."""
        start = found[index].line.number
        end = found[index + 1].line.number if index + 1 < len(found) else start + 40
        below = []
        for line in self.sheet.lines:
            if start < line.number < end:
                below.append(self.rows.get(line.number, tables.Row(line, ())))
                if index + 1 == len(found) and below[-1].is_total:
                    break
        return below

    def _sums_of_sections(self, found: list[Mention]) -> list[Measure | None]:
        """Return for each mention the hours of the sum that ends its section."""
        given = []
        for index in range(len(found)):
            sums = [row for row in self._section(found, index) if row.is_total]
            read = (rows.figures(row, in_hours=self.in_hours)[0] for row in sums)
            given.append(next((each for each in read if each is not None), None))
        return given

    def _name_others(self, found: list[Mention]) -> bool:
        """Say whether the section of a mention has hours of somebody else."""
        return any(
            self._names_another(row, own) for index, own in enumerate(found) for row in self._section(found, index)
        )

    def _names_another(self, row: tables.Row, own: Mention) -> bool:
        """Say whether a row with hours of its own names somebody else."""
        if row.is_total or rows.figures(row, in_hours=self.in_hours)[0] is None:
            return False
        named = (name_in(cell.text) for cell in row.line.cells)
        return any(each.likeness and key(each.printed) != own.key for each in named if each)

    def _rows_of_sections(self, found: list[Mention]) -> list[Measure | None]:
        """Return for each mention the hours of the rows of its section together."""
        given: list[Measure | None] = []
        for index in range(len(found)):
            items = [row for row in self._section(found, index) if not row.is_total and row.columns]
            read = [hours for row in items if (hours := rows.figures(row, in_hours=self.in_hours)[0])]
            given.append(reduce(added, read) if read else None)
        return given

    def _list_beside(self, found: list[Mention]) -> list[Measure | None]:
        """Return the hours of a list of its own that counts as many lines as the list of names: "Stagiaire 1 : 7 h"."""
        named = {each.line.number for each in found}
        runs: list[list[Measure | None]] = [[]]
        for line in self.sheet.lines:
            counted = [each for each in measures(line) if each.kind == "HOURS"]
            if len(counted) == 1 and line.number not in named and not tables.TOTAL.search(line.folded):
                runs[-1].append(counted[0])
            elif runs[-1]:
                runs.append([])
        return next((run for run in runs if len(run) == len(found)), [None])

    def _hours_for_each(self, count: int) -> Measure | None:
        """Return hours that every trainee has, if their product with the number of trainees is the total."""
        if count < 2:
            return None
        every = [each for line in self.sheet.lines for each in measures(line)]
        counted = {abs(each.value) for each in every if each.kind == "HOURS"}
        for each in every:
            total = abs(each.value) * count
            printed = any(one.value == total and one.confidence >= 80 for one in self.proof.sums)
            if counted - {abs(each.value), total} and not (printed and self.proof.makes_amount(total)):
                continue  # others have other hours
            if each.kind in ("HOURS", "CLOCK") and self.proof.fits([each.value] * count):
                return each
            if each.kind == "NUMBER" and printed and self.proof.makes_amount(total):
                return each
        return None
