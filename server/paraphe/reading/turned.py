"""Tables turned round: each trainee is a column, and hours and contracts stand in lines below the names."""

import re
from collections.abc import Iterator

from .dates import aligned
from .labels import Sheet, joined
from .layout import Cell, Line
from .measures import Measure, measures
from .mentions import LABEL, Mention, contract_in_text, name_in
from .names import Name

_HOURS = re.compile(r"(?:nb\.?|nbre|nombre|volume|total)?\s*(?:d'|de |des )?(?:heures?|h\b|duree|horaire)")
_CONTRACT = re.compile(r"(?:n\s?[°o]\s*)?(?:de\s+|du\s+)?(?:contrat|deca|convention)")
_REACH = 14  # lines that such a table may have


def in_turned_tables(sheet: Sheet) -> list[Mention]:
    """Return the trainees of tables whose columns they are, each with the hours of the line of hours."""
    found: list[Mention] = []
    for index, line in enumerate(sheet.lines):
        if len(line.cells) < 2 or not LABEL.match(aligned(line.cells[0].text)):
            continue
        people = [(cell, person) for cell in line.cells[1:] if (person := _name(sheet, line, cell))]
        below = [each for each in sheet.lines[index + 1 : index + _REACH] if each.page == line.page]
        if len(people) > 1:
            found += _with_lines(line, people, below)
        else:
            found += _over_figures(line, below)
    return found or _over_totals(sheet)


def _over_figures(line: Line, below: list[Line]) -> list[Mention]:
    """Return the trainees of a line of names that stand so close that only the figures below tell them apart."""
    hours = next((each for each in below if _HOURS.match(each.cells[0].folded)), None)
    figures = [each for each in measures(hours, 1) if each.kind in ("HOURS", "CLOCK", "NUMBER")] if hours else []
    texts: list[list[str]] = [[] for _ in figures]
    for word in (word for cell in line.cells[1:] for word in cell.words if figures):
        middle = (word.x0 + word.x1) / 2
        nearest = min(range(len(figures)), key=lambda at: abs((figures[at].x0 + figures[at].x1) / 2 - middle))
        texts[nearest].append(word.text)
    people = [name_in(" ".join(each)) for each in texts]
    found = [
        Mention(person, line, "column of its own", 88, hours=figure)
        for person, figure in zip(people, figures, strict=True)
        if person
    ]
    return found if len(found) > 1 and len(found) >= len(figures) - 1 else []


_TALLEST = 40  # lines of a table whose rows are days
_OF_A_DAY = re.compile(r"[^a-z]*|abs(?:ent|ente|ence)?\.?|ni|nc|x")


def _over_totals(sheet: Sheet) -> list[Mention]:
    """Return the trainees of tables whose rows are days: names over columns that a row of hours sums up."""
    for index, line in enumerate(sheet.lines):
        sums = [each for each in measures(line, 1) if each.kind in ("HOURS", "CLOCK", "NUMBER")]
        if len(sums) < 2 or not re.match(r"(?:sous-)?tota(?:l|ux)\b|nombre d'heures|heures", line.folded):
            continue
        above = [each for each in sheet.lines[max(0, index - _TALLEST) : index] if each.page == line.page]
        people = [(name_in(_head_over(above, each)), each) for each in sums]
        found = [Mention(person, line, "column of its own", 88, hours=each) for person, each in people if person]
        if len(found) > 1 and len(found) >= len(sums) - 1:  # the last column may be the sum of all
            return found
    return []


def _head_over(above: list[Line], total: Measure) -> str:
    """Return the words at the top of a column of figures, from above; its head may have several lines."""
    words: list[Cell] = []
    for line in reversed(above):
        middle = (total.x0 + total.x1) / 2
        over = next((each for each in line.cells if abs((each.x0 + each.x1) / 2 - middle) < _OFF_CENTRE), None)
        over = over or next((each for each in line.cells if each.x0 < total.x1 and total.x0 < each.x1), None)
        if words and (over is None or line.y - words[-1].y > 2 * words[-1].size):
            if line.y - words[-1].y > 2 * words[-1].size:
                break
        elif over is not None and not _OF_A_DAY.fullmatch(over.folded):
            words.append(over)
    return joined(each.text for each in reversed(words))


_OFF_CENTRE = 4.0  # points


def _name(sheet: Sheet, line: Line, cell: Cell) -> Name | None:
    """Read the name in a column's head, whose lines may be several."""
    texts = [each.text for _, each in sheet.flow(line, cell)]
    names = (name_in(joined(texts[:count])) for count in (3, 2, 1) if count <= len(texts) or count == 1)
    return next((each for each in names if each), None)


def _with_lines(line: Line, people: list[tuple[Cell, Name]], below: list[Line]) -> Iterator[Mention]:
    hours = next((each for each in below if _HOURS.match(each.cells[0].folded)), None)
    contracts = next((each for each in below if _CONTRACT.match(each.cells[0].folded)), None)
    for cell, person in people:
        mention = Mention(person, line, "column of its own", 88)
        mention.hours = _number_under(cell, hours) if hours else None
        under = [each for each in contracts.cells[1:] if _is_under(cell, each.x0, each.x1)] if contracts else []
        if under:
            text = under[0].text.replace(" ", "")
            mention.contract = text if re.fullmatch(r"(?=.*\d)[\w/-]{4,24}", text) else contract_in_text(under[0].text)
        yield mention


def _number_under(cell: Cell, line: Line) -> Measure | None:
    under = [each for each in measures(line, 1) if _is_under(cell, each.x0, each.x1)]
    return under[0] if len(under) == 1 and under[0].kind in ("HOURS", "CLOCK", "NUMBER") else None


def _is_under(cell: Cell, x0: float, x1: float) -> bool:
    return (x0 < cell.x1 and cell.x0 < x1) or abs(x0 - cell.x0) < 3
