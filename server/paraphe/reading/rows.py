"""The trainees of rows: of tables with a column for names, of lines with hours beside a name."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import reduce
from itertools import islice, takewhile

from . import staff, tables
from .dates import aligned
from .folding import fold
from .labels import Sheet, joined
from .layout import Cell, Line
from .measures import Measure, added, in_text, measures
from .mentions import (
    LABEL,
    NOT_OF_THE_CLASS,
    WHO,
    Mention,
    contract_in,
    contract_in_text,
    is_function,
    is_staff,
    name_in,
    stripped,
)
from .names import BROKEN, CIVILITY, Name, name, named_in_prose
from .tables import Row
from .words import GIVEN_NAMES

_COUNTED = ("HOURS", "CLOCK", "NUMBER")
_EDGE = 2  # points
_NEARER = 0.9
_PROSE = 60  # characters of a line without columns that is no row
# Hours that somebody has agreed on, of which some are invoiced: "volume du contrat : 60 h".
_AGREED = re.compile(
    r"\b(?:volume|heures?|duree|total)\s+(?:d[ue]s?|aux?|de la|de l'|a la)\s*(?:contrat|convention|devis)"
)


def in_tables(sheet: Sheet, *, in_hours: bool) -> list[Mention]:
    """Return the trainees of tables that have a column for them."""
    found = []
    rows = [row for row in tables.rows(sheet) if tables.is_of_names(row.columns)]
    for index, row in enumerate(rows):
        if row.is_total or (len(row.line.cells) == 1 and len(row.line.text) > _PROSE):
            continue
        if side_by_side := _side_by_side(row, "column of names", 92):
            found += side_by_side
            continue
        hours, amount, proven = figures(row, in_hours=in_hours)
        if hours is None and amount is None:
            continue
        if person := _person(rows, index):
            mention = Mention(person, row.line, "column of names", 94, row, hours, amount, proven)
            mention.contract = _contract_of(row)
            found.append(mention)
    with_hours = [each for each in found if each.hours is not None]
    return with_hours or found


_OPENS = re.compile(rf"{CIVILITY}\s")


def _person(rows: Sequence[Row], index: int) -> Name | None:
    """Read the name of a row; it may be in two columns, or broken over two lines or three."""
    row = rows[index]
    own, order = _name_text(row), tables.family_first(row.columns)
    if isinstance(own, Name):
        return _with_second_line(rows, index) or own
    following = _loose_text(rows[index + 1], row) if index + 1 < len(rows) else ""
    if following.endswith("-") and index + 2 < len(rows):
        following += _loose_text(rows[index + 2], rows[index + 1])
    broken = own.endswith("-") or (following and fold(following) in GIVEN_NAMES and not name_in(f"{following}", order))
    if following and broken and (whole := name_in(f"{own}{'' if own.endswith('-') else ' '}{following}", order)):
        return whole
    leading = _loose_text(rows[index - 1], row) if index and _is_headed(rows, index) else ""
    if _OPENS.match(fold(leading)) and not _OPENS.match(fold(own)):
        for parts in ((leading, own, following), (leading, own)):
            if opened := name_in(joined(parts), order):
                return opened
    if found := name_in(own, order, placed=True):
        return found
    for text in (f"{own} {following}", f"{leading} {own}", f"{leading} {following}" if not own else ""):
        if text.strip() and text.strip() != own and (found := name_in(text, order)):
            return found
    return None


def _is_headed(rows: Sequence[Row], index: int) -> bool:
    """Say whether names of a table may begin above their figures: the first one does."""
    table = [row for row in rows if row.columns == rows[index].columns]
    first = next((at for at, row in enumerate(table) if any(each.kind in _COUNTED for each in measures(row.line))), 0)
    return first > 0 and bool(_loose_text(table[first - 1], table[first]))


_FAMILY = re.compile(r"[^\W\d_]+(?:[' -]+[^\W\d_]+)*")


def _with_second_line(rows: Sequence[Row], index: int) -> Name | None:
    """Read the name of a row whose family name goes on below, alone in its column, in capitals as well."""
    row, below = rows[index], rows[index + 1] if index + 1 < len(rows) else None
    if below is None or len(below.line.cells) != 1 or not _loose_text(below, row):
        return None
    (family, *_), (given, *_) = row.cells("LAST"), row.cells("FIRST")
    (more,) = below.line.cells
    capitals = family.text.isupper() and more.text.isupper() and _FAMILY.fullmatch(more.text)
    if not capitals or abs(more.x0 - family.x0) > _EDGE or not _is_nearer(rows, index + 1):
        return None
    return name(f"{family.text} {more.text}, {given.text}", placed=True)


def _is_nearer(rows: Sequence[Row], index: int) -> bool:
    """Say whether a line is clearly nearer to the row above it than to the one below: no title of a section is."""
    above, line, below = rows[index - 1].line, rows[index].line, rows[index + 1].line if index + 1 < len(rows) else None
    if below is None or below.page != line.page:
        return True
    return above.y - line.y < _NEARER * (line.y - below.y)


def _name_text(row: Row) -> Name | str:
    last, first = row.cells("LAST"), row.cells("FIRST")
    if last and first and any(each.role == "LAST" for each in row.columns):
        family, given = last[0].text.strip(" .,"), first[0].text.strip(" .,")
        both = name(f"{family}, {given}", placed=True) if "," not in family + given else None
        if both:
            return both
        return f"{family} {given}"
    cells = row.cells("BOTH", "LAST") or row.cells("BOTH", "LAST", "FIRST", "INDEX")
    return " ".join(cell.text for cell in cells)


def _loose_text(near: Row, row: Row) -> str:
    """Return what stands in the column of names of a line that has no figures of its own."""
    if near.line.page != row.line.page or abs(near.line.y - row.line.y) > 1.7 * row.line.size or near.is_total:
        return ""
    if any(each.kind in ("HOURS", "MONEY", "NUMBER", "CLOCK") for each in measures(near.line)):
        return ""
    if NOT_OF_THE_CLASS.search(near.line.folded):
        return ""
    text = _name_text(near)
    return text.printed if isinstance(text, Name) else text


def figures(row: Row, *, in_hours: bool) -> tuple[Measure | None, Measure | None, bool]:
    """Return hours and amount of a row, and whether hours x price make the amount."""
    found = row.measures()
    every = [each for each, _ in found]
    proof = tables.product(
        [
            each
            for each, column in found
            if column is None
            or column.role not in ("INDEX", "CONTRACT", "FILE", "DATE", "START", "END", "PLANNED", "BOTH", "LAST")
        ]
    )
    hours = _hours(found)
    if hours is None and in_hours:
        hours = next(
            (
                each
                for each, column in found
                if column and column.role == "QUANTITY" and each.kind in ("NUMBER", "CLOCK", "HOURS")
            ),
            None,
        )
    amounts = [
        each for each, column in found if column and column.role == "AMOUNT" and each.kind in ("MONEY", "NUMBER")
    ]
    amount = (
        amounts[-1]
        if amounts
        else proof[2]
        if proof
        else next((each for each in reversed(every) if each.kind == "MONEY"), None)
    )
    if proof and hours is None and in_hours:
        hours = proof[0]
    return hours, amount, bool(proof and hours is not None and proof[0].value == hours.value)


def _hours(found: Sequence[tuple[Measure, tables.Column | None]]) -> Measure | None:
    """Return the hours of a row: in their column; of several columns the total, else the one that is their sum."""
    inside = [(each, column) for each, column in found if column and column.role == "HOURS" and each.kind in _COUNTED]
    elsewhere = [
        each
        for each, column in found
        if each.kind == "HOURS" and (column is None or column.role not in ("PLANNED", "PRICE"))
    ]
    if not inside and not elsewhere:
        elsewhere = [each for each, column in found if each.kind == "CLOCK" and column is None]
    parts = [each for each, column in found if column and column.role == "PART" and each.kind in _COUNTED]
    if not inside and len(parts) > 1:
        return reduce(added, parts)
    if not inside:
        return elsewhere[0] if len(elsewhere) == 1 else _sum_of_others(elsewhere)
    columns = {column.x0 for _, column in inside}
    if len(columns) == 1:
        return inside[0][0] if len(inside) == 1 else _sum_of_others([each for each, _ in inside])
    for word in ("total", "factur", "realis", "effect"):
        named = [each for each, column in inside if word in column.head]
        if len(named) == 1:
            return named[0]
    return _sum_of_others([each for each, _ in inside])


_LABELLED_HOURS = re.compile(
    r"(?:heures?|duree|volume horaire|nb\.? h\w*|nombre d'heures)\b[^:\d]{0,30}:?\s{1,60}(?=\d)|heures?\s*:\s*(?=\d)"
)


def labelled_hours(line: Line) -> Measure | None:
    """Return the number behind a label such as "Heures :", which then needs no unit."""
    match = _LABELLED_HOURS.search(aligned(line.text))
    if match is None:
        return None
    kind, value, start, to = next(in_text(line.text[match.end() :]), ("", Decimal(), 9, 9))
    if kind not in ("NUMBER", "CLOCK", "HOURS") or start:
        return None
    return Measure("HOURS", value, line.text[match.end() :][:to], 0, 0.0, 0.0, 2)


def _sum_of_others(found: Sequence[Measure]) -> Measure | None:
    if len(found) > 2 and sum((each.value for each in found[:-1]), Decimal()) == found[-1].value:
        return found[-1]
    values = {each.value for each in found}
    return found[0] if len(values) == 1 else None


def _contract_of(row: Row) -> str | None:
    cells = row.cells("CONTRACT")
    for cell in cells:
        text = re.sub(r"^(?:n\s?[°o]|contrat)\s*", "", cell.text, flags=re.IGNORECASE)
        if re.fullmatch(r"(?=.*\d)[\w/ .-]{3,30}", text):
            return text.replace(" ", "")
    return contract_in(row.line)


def _side_by_side(row: Row, rule: str, confidence: int) -> list[Mention]:
    """Return the trainees of a line that names several, each with hours: two lists side by side, or a sentence."""
    hours = [
        each
        for each, column in row.measures()
        if each.kind in ("HOURS", "CLOCK") or (column and column.role == "HOURS" and each.kind == "NUMBER")
    ]
    if len(hours) < 2:
        return []
    found: list[Mention] = []
    place = (0, 0)
    for each in hours:
        at = row.line.cells[each.cell].text.find(each.text, place[1] if place[0] == each.cell else 0)
        text = _between(row.line, place, (each.cell, max(at, 0)))
        place = (each.cell, at + len(each.text))
        person = name_in(stripped(text))
        if person:
            found.append(Mention(person, row.line, rule, confidence, row, each, contract=contract_in_text(text)))
    return found if len(found) > 1 else []


def _between(line: Line, start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the text of a line between two places, each a cell and a place in its text."""
    parts = []
    for index in range(start[0], end[0] + 1):
        text = line.cells[index].text
        parts.append(text[start[1] if index == start[0] else 0 : end[1] if index == end[0] else len(text)])
    return "  ".join(parts)


def in_lines(sheet: Sheet, *, in_hours: bool, least: int = 2) -> list[Mention]:
    """Return the names that stand in one line with hours, as in "Mme DURAND Anne (contrat n° 12) : 24,50 h"."""
    found = []
    columns: dict[int, Row] = {row.line.number: row for row in tables.rows(sheet)}
    for line in sheet.lines:
        row = columns.get(line.number, Row(line, ()))
        if row.is_total:
            continue
        if side_by_side := _side_by_side(row, "line with hours", 86):
            found += side_by_side
            continue
        hours, amount, proven = figures(row, in_hours=in_hours)
        if hours is None:
            continue
        for cell in line.cells:
            column = row.of(cell.x0, cell.x1)
            if column and column.role in ("COMPANY", "FIRST"):
                continue
            text = LABEL.sub(" ", aligned(cell.text))
            text = cell.text[len(cell.text) - len(text.lstrip()) :] if len(text) == len(cell.text) else cell.text
            person = name_in(re.split(r"[:(]\s*(?=\d)", text)[0]) or name_in(
                re.sub(rf"^{WHO}\s*:?\s*", "", text, flags=re.IGNORECASE)
            )
            if person and person.likeness >= least and not _of_staff(line, cell, person):
                found.append(
                    Mention(person, line, "line with hours", 86, row, hours, amount, proven, contract_in(line))
                )
                break
    return found


def _of_staff(line: Line, cell: Cell, person: Name) -> bool:
    """Say whether a line's cell, or the label to its left, makes a name one of the organisation's people."""
    at = max(0, cell.text.find(person.printed.split()[0]))
    left = next((each.text for each in line.cells if each.text.rstrip().endswith(":") and each.x1 <= cell.x0), "")
    return is_staff(f"{left} {cell.text[:at]}", cell.text[at + len(person.printed) :])


# "3 x 6 h": neither number is the hours of an item.
_OTHER_HOURS = re.compile(rf"\d\s?[x\u00d7]\s?\d+(?:[.,]\d+)?\s?h|{_AGREED.pattern}")


def in_blocks(sheet: Sheet, *, in_hours: bool) -> list[Mention]:
    """Return the trainees of lines with hours, read from all lines of the text that stands there."""
    heads = {row.line.number: row for row in tables.rows(sheet)}
    counted = []
    for line in sheet.lines:
        row = heads.get(line.number, Row(line, ()))
        read = figures(row, in_hours=in_hours)
        if read[0] is not None and not (row.is_total or tables.head(line) or _OTHER_HOURS.search(line.folded)):
            counted.append((row, read))
    items = {row.line.number for row, _ in counted}
    found: list[Mention] = []
    taken: set[tuple[int, float]] = set()  # a name stands for one item
    for row, (hours, amount, proven) in counted:
        for lines, contract in _texts_of_item(sheet, row.line, items):
            person = _only_name(joined(each.text for _, each in lines)) or (lines and _with_contract(lines[0][1]))
            words = set(person.printed.split()) if person else set()
            named = [(line, each) for line, each in lines if words & set(each.text.split())]
            places = {(line.number, each.x0) for line, each in named}
            if person and not places & taken and not any(_is_by_staff(sheet, *each) for each in named):
                taken |= places
                found.append(Mention(person, row.line, "lines of one item", 86, row, hours, amount, proven, contract))
                break
    return found


def _is_by_staff(sheet: Sheet, line: Line, cell: Cell) -> bool:
    """Say whether the cell left of a name, or above it, names one of the organisation's people: "Formatrice", "…"."""
    left = next((each.folded for each in reversed(line.cells) if each.x1 <= cell.x0), "")
    return is_function(left) or staff.is_below_function(sheet, line, cell)


def _texts_of_item(sheet: Sheet, line: Line, items: set[int]) -> Iterator[tuple[list[tuple[Line, Cell]], str | None]]:
    """Give what an item's text may be, with the contract it names: its lines from here down, then all around here."""
    starts = [(line, cell) for cell in line.cells]
    at = bisect_left(sheet.lines, line.number, key=lambda each: each.number)
    beside = [other for other in sheet.lines[max(0, at - 2) : at] if other.page == line.page]
    starts += [(other, cell) for other in reversed(beside) if other.number not in items for cell in other.cells]
    for around in (False, True):
        for start, cell in starts:
            if not around and _begins_above(sheet, start, cell):
                continue
            if not re.search(r"[^\W\d_]{2}", cell.text) or (start is not line and not around):
                continue
            lines = list(_own(sheet.flow(start, cell), line, items))
            if around:
                lines = [*reversed(list(_own(sheet.flow(start, cell, up=True), line, items))[1:]), *lines]
            contract = next((number for one, _ in lines if (number := contract_in(one))), None)
            yield lines, contract


def _begins_above(sheet: Sheet, line: Line, cell: Cell) -> bool:
    """Say whether a cell goes on with a word that is broken at its hyphen in the line above."""
    over = next(islice(sheet.flow(line, cell, up=True), 1, None), None)
    return over is not None and BROKEN.search(over[1].text) is not None


def _own(flow: Iterator[tuple[Line, Cell]], line: Line, items: set[int]) -> Iterator[tuple[Line, Cell]]:
    """Give the lines of a text up to the next item's, or a sum."""
    return takewhile(
        lambda each: each[0] is line or not (each[0].number in items or tables.TOTAL.search(each[0].folded)), flow
    )


def _with_contract(cell: Cell) -> Name | None:
    """Read a name that the number of a contract follows, which makes it one however rare it is."""
    match = re.match(r"(.+?)\s+contrat\s+(?:n°\s*)?[A-Z]{0,4}-?\d", cell.text)
    return name(match[1], placed=True) if match else None


def _only_name(text: str) -> Name | None:
    """Read the one name in the text of an item."""
    if found := name_in(text):
        at = max(0, text.find(found.printed.split()[0]))
        return found if found.likeness and not is_staff(text[:at], text[at + len(found.printed) :]) else None
    if behind := re.fullmatch(rf"(?:.*\s)?{WHO}\s+(?P<name>[^\d:]+)", aligned(text)):
        person = name(text[behind.start("name") : behind.end("name")])
        if person and not is_staff(text[: behind.start("name")]):
            return person
    named = [person for person, start, end in named_in_prose(text) if not is_staff(text[:start], text[end:])]
    return named[0] if len(named) == 1 else None


def on_their_own(sheet: Sheet) -> list[Mention]:
    """Return the names that fill a cell of a line without hours; only what proves them makes them trainees.

    Names whose given name nobody knows count where they stand in a list with one that is known, or if no name is.
    """
    found: list[tuple[Cell, Mention]] = []
    for line in sheet.lines:
        counts = [each for each in measures(line) if each.kind in ("HOURS", "MONEY", "CLOCK") or each.decimals == 2]
        if counts or NOT_OF_THE_CLASS.search(line.folded):
            continue
        for cell in line.cells:
            if person := name_in(cell.text):
                found.append((cell, Mention(person, line, "line of its own", 80, contract=contract_in(line))))
    least = min(2, max((mention.name.likeness for _, mention in found), default=2))
    sure = {place for cell, mention in found if mention.name.likeness >= least > 0 for place in _places(cell, mention)}
    return [mention for cell, mention in found if sure & _places(cell, mention)]


def _places(cell: Cell, mention: Mention) -> set[tuple[str, int, int]]:
    """Return what names of one list have in common: the edge they begin at, or the line they stand in."""
    return {("edge", mention.line.page, round(cell.x0)), ("line", mention.line.page, mention.line.number)}
