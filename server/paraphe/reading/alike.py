"""Names among other words in the rows of a table, told by their like in the other rows."""

import re
from collections.abc import Sequence
from itertools import takewhile

from . import rows, tables
from .labels import Sheet
from .layout import Cell
from .mentions import Mention, contract_in
from .names import Name, name, named_by_case
from .tables import Row


def in_alike_rows(sheet: Sheet, *, in_hours: bool) -> list[Mention]:
    """Return the trainees of rows with hours that name one person each: "CHASTAGNIER Loïs ctr K863393".

    There are two persons at least, and the given names of half of them are known; then capitals are enough for the
    others, or words that begin all rows, as in "Heures de formation Durand Anne". None is sure, because what stands
    before may be taken for a part of the name.
    """
    columns = {row.line.number: row for row in tables.rows(sheet)}
    counting = []
    for line in sheet.lines:
        row = columns.get(line.number, Row(line, ()))
        if not row.is_total and (figures := rows.figures(row, in_hours=in_hours))[0] is not None:
            counting.append((row, figures))
    texts = [_texts(row) for row, _ in counting]
    people = _by_capitals(texts) or _behind_same_words(texts)
    likely = sum(each.likeness > 1 for each in people if each)
    found = [
        Mention(each, row.line, "rows alike", 70, row, *figures, contract_in(row.line))
        for each, (row, figures) in zip(people, counting, strict=False)
        if each
    ]
    return found if len({each.key for each in found}) > 1 and 2 * likely >= len(found) else []


def _texts(row: Row) -> list[str]:
    return [cell.text for cell in row.line.cells if not _is_of_a_company(row, cell)]


def _is_of_a_company(row: Row, cell: Cell) -> bool:
    column = row.of(cell.x0, cell.x1)
    return column is not None and column.role == "COMPANY"


def _by_capitals(texts: Sequence[Sequence[str]]) -> list[Name | None]:
    """Return the name of each row that has one in capitals; none at all if a row has several."""
    named = [[person for text in row for person, _, _ in named_by_case(text, least=1)] for row in texts]
    if any(len(people) > 1 for people in named) or not any(named):
        return []
    return [people[0] if people else None for people in named]


def _behind_same_words(texts: Sequence[Sequence[str]]) -> list[Name | None]:
    """Return the names behind the words that begin the longest text of all rows; none at all if a row has none."""
    words = [max(row, key=_letters, default="").split() for row in texts]
    same = sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, zip(*words, strict=False)))
    people = [name(" ".join(each[same:]), placed=True) for each in words] if same else []
    return list(people) if all(people) else []


def _letters(text: str) -> int:
    return len(re.findall(r"[^\W\d_]", text))
