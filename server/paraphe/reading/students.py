"""The students of the account that an invoice names: the surest of anchors, in any layout."""

import re
from collections.abc import Sequence

from .labels import Sheet
from .layout import fold
from .mentions import NOT_OF_THE_CLASS, Mention, contract_in
from .names import Name
from .result import Known, Student


def known(sheet: Sheet, known_ones: Known) -> list[Mention]:
    """Return the students of the account that the invoice names, family name and given name in either order."""
    by_first: dict[str, list[tuple[tuple[str, ...], Student]]] = {}
    for student in known_ones.students:
        last, first = _words(student.last_name), _words(student.first_name)
        for spelling in {last + first, first + last}:
            if last and first:
                by_first.setdefault(spelling[0], []).append((spelling, student))
    found = []
    for line in sheet.lines:
        words = _words(line.text)
        place = 0
        while place < len(words):
            best = _longest(words, place, by_first)
            if best:
                spelling, students = best
                if not NOT_OF_THE_CLASS.search(line.folded):
                    student = students[0]
                    printed = Name(
                        f"{student.last_name} {student.first_name}", student.last_name, student.first_name, "known", 9
                    )
                    found.append(
                        Mention(printed, line, "known student", 97, contract=contract_in(line), students=students)
                    )
                place += len(spelling)
            else:
                place += 1
    return found


def _longest(
    words: Sequence[str], place: int, by_first: dict[str, list[tuple[tuple[str, ...], Student]]]
) -> tuple[tuple[str, ...], tuple[Student, ...]] | None:
    fitting = [
        (spelling, student)
        for spelling, student in by_first.get(words[place], ())
        if tuple(words[place : place + len(spelling)]) == spelling
    ]
    if not fitting:
        return None
    longest = max((spelling for spelling, _ in fitting), key=len)
    same = {student.reference: student for spelling, student in fitting if spelling == longest}
    return longest, tuple(same.values())


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W\d_]+", fold(text)))
