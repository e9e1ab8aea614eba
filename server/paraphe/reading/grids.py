"""People and figures that stand in one grid: which of its columns holds the hours is told by what they add up to.

No head is needed. A column whose sum is printed, or whose product with a price is the amount, is more surely the
hours than one that is called so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce

from . import tables
from .folding import fold
from .labels import Sheet
from .layout import Cell, Line
from .measures import Measure, added, measures
from .mentions import NOT_OF_THE_CLASS, Mention, contract_in, is_staff, name_in
from .names import Name, name
from .tables import Row
from .words import GIVEN_NAMES

_NEAR = 3.0  # how far apart the edges of one column's figures are at most, in points
_REACH = 4  # lines below a name in which its figures may stand
_LIKELY = 4  # clues that make a column the one of the hours


@dataclass(slots=True)
class _Entry:
    """A name of the grid with the numbers that belong to it."""

    person: Name
    line: Line
    cell: Cell
    figures: list[Measure] = field(default_factory=list)


def in_grids(sheet: Sheet, makes_amount: Callable[[Decimal], bool], *, in_hours: bool) -> list[Mention]:
    """Return the people of lists whose figures stand in columns, with their hours; else the largest list without.

    `makes_amount` says whether hours times a printed price are the amount of the invoice.
    """
    rows = {row.line.number: row for row in tables.rows(sheet)}
    told: list[Mention] = []
    largest: list[Mention] = []
    lists = _lists(sheet)
    for entries in lists if len({each.person.printed for one in lists for each in one}) > 1 else ():
        column = _column_of_hours(sheet, entries, rows, makes_amount)
        if column and not in_hours and any(each.kind not in ("HOURS", "CLOCK") for each in column):
            column = None  # months, days
        if column is None and not any(each.person.likeness >= 2 for each in entries):
            continue
        found = [_mention(each, rows, column[at] if column else None) for at, each in enumerate(entries)]
        told += found if column else []
        beside = {each.line.number for each in found} == {each.line.number for each in largest}
        largest = largest + found if beside else max(largest, found, key=len)  # two columns of one list
    return told or largest


def _mention(entry: _Entry, rows: dict[int, Row], hours: Measure | None) -> Mention:
    row = rows.get(entry.line.number, Row(entry.line, ()))
    return Mention(entry.person, entry.line, "grid", 85, row, hours, contract=contract_in(entry.line))


def _lists(sheet: Sheet) -> list[list[_Entry]]:
    """Return the lists of names that begin at one edge, each name with the figures up to the next."""
    rows = {row.line.number: row for row in tables.rows(sheet)}
    every = [entry for line in sheet.lines for entry in _names(rows.get(line.number, Row(line, ())))]
    edges: dict[int, list[_Entry]] = {}
    for each in every:
        edge = next((one for one in edges if abs(one - each.cell.x0) < _NEAR), round(each.cell.x0))
        edges.setdefault(edge, []).append(each)
    lists = []
    for entries in edges.values():
        for at, each in enumerate(entries):
            following = entries[at + 1].line.number if at + 1 < len(entries) else each.line.number + _REACH
            each.figures = _figures(sheet, each, min(following, each.line.number + _REACH))
        lists.append(_alike(entries))
    return sorted(lists, key=len, reverse=True)


def _alike(entries: list[_Entry]) -> list[_Entry]:
    """Leave out what has only the form of a name, and other figures than the names have that are likely ones."""
    usual = {_kinds(each) for each in entries if each.person.likeness}
    return [each for each in entries if each.person.likeness or not usual or _kinds(each) in usual]


def _kinds(entry: _Entry) -> tuple[str, ...]:
    return tuple(each.kind for each in entry.figures[:2])


def _names(row: Row) -> list[_Entry]:
    line = row.line
    if NOT_OF_THE_CLASS.search(line.folded) or tables.TOTAL.search(line.folded):
        return []
    given = sum(fold(cell.text).split("-")[0] in GIVEN_NAMES for cell in line.cells)
    found = []
    for at, cell in enumerate(line.cells):
        column = row.of(cell.x0, cell.x1)
        person = name_in(cell.text) if column is None or column.role not in ("FIRST", "COMPANY") else None
        following = line.cells[at + 1] if at + 1 < len(line.cells) else None
        if person is None and following and given < 3 and not _is_of_companies(row, following):
            person = _in_two_cells(cell, following)
        if person and not is_staff("  ".join(one.text for one in line.cells[:at]), ""):
            found.append(_Entry(person, line, cell))
    return found


def _is_of_companies(row: Row, cell: Cell) -> bool:
    column = row.of(cell.x0, cell.x1)
    return column is not None and column.role == "COMPANY"


def _in_two_cells(left: Cell, right: Cell) -> Name | None:
    """Read family name and given name in two columns, in either order; one of them has to be a given name known."""
    for family, given in ((left, right), (right, left)):
        if fold(given.text).split("-")[0] in GIVEN_NAMES:
            return name(f"{family.text.strip(' .,')}, {given.text.strip(' .,')}")
    return None


def _figures(sheet: Sheet, entry: _Entry, end: int) -> list[Measure]:
    every: list[Measure] = []
    for line in sheet.lines:
        if entry.line.number <= line.number < end and line.page == entry.line.page:
            if tables.TOTAL.search(line.folded):
                break
            found = [each for each in measures(line) if each.kind not in ("PERCENT", "DAYS", "HALF_DAYS")]
            every += [each for each in found if line is not entry.line or each.x0 > entry.cell.x0]
    return every


def _column_of_hours(
    sheet: Sheet, entries: Sequence[_Entry], rows: dict[int, Row], makes_amount: Callable[[Decimal], bool]
) -> list[Measure] | None:
    """Return the figures of the column that is the hours by what it adds up to and by what it is called."""
    if not all(each.figures for each in entries):
        return None
    columns = [column for first in entries[0].figures if (column := _column(first, entries))]
    taken = {each.line.number for each in entries}
    printed = {abs(each.value) for line in sheet.lines if line.number not in taken for each in measures(line)}
    if len(columns) > 1 and all(each[0].kind != "MONEY" for each in columns):
        columns.append([reduce(added, row) for row in zip(*columns, strict=True)])
    ranked = sorted(
        ((_clues(each, columns, rows, entries, printed, makes_amount), each) for each in columns),
        key=lambda pair: -pair[0],
    )
    if not ranked or ranked[0][0] < _LIKELY:
        return None
    values = [[each.value for each in column] for clues, column in ranked if clues == ranked[0][0]]
    return ranked[0][1] if all(each == values[0] for each in values) else None


def _column(first: Measure, entries: Sequence[_Entry]) -> list[Measure] | None:
    """Return for every entry the figure that stands where the first one's does."""
    column = []
    for each in entries:
        under = next((one for one in each.figures if tables.is_aligned(one, first)), None)
        if under is None:
            return None
        column.append(under)
    return column


def _clues(
    column: list[Measure],
    columns: Sequence[list[Measure]],
    rows: dict[int, Row],
    entries: Sequence[_Entry],
    printed: set[Decimal],
    makes_amount: Callable[[Decimal], bool],
) -> int:
    total = sum((abs(each.value) for each in column), Decimal())
    roles = {
        found.role
        for each, entry in zip(column, entries, strict=True)
        if (row := rows.get(entry.line.number)) and (found := row.of(each.x0, each.x1))
    }
    multiplied = any(
        all(tables.is_product(a.value, b.value, c.value) for a, b, c in zip(column, price, amount, strict=True))
        for price in columns
        for amount in columns
        if len({id(column), id(price), id(amount)}) == 3 and price[0].kind != "HOURS"
    )
    clues = 3 * makes_amount(total) + 3 * multiplied + 2 * (len(entries) > 1 and total in printed)
    clues += 3 * all(each.kind in ("HOURS", "CLOCK") for each in column) + 2 * bool(roles & {"HOURS", "QUANTITY"})
    clues -= 3 * bool(roles & {"PLANNED", "PRICE", "AMOUNT", "INDEX", "CONTRACT", "FILE", "DATE"})
    return clues - 6 * any(each.kind == "MONEY" or not each.value for each in column)
