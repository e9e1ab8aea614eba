"""The students of the account that an invoice names: the surest of anchors, in any layout."""

import re
from collections.abc import Sequence
from itertools import islice

from .folding import fold
from .labels import Sheet
from .layout import Line
from .mentions import Mention, contract_in, is_staff
from .names import Name, key
from .result import Known, Student

_Spellings = dict[str, list[tuple[tuple[str, ...], Student]]]


def known(sheet: Sheet, known_ones: Known) -> list[Mention]:
    """Return the students of the account that the invoice names, family name and given name in either order."""
    spellings: _Spellings = {}
    for student in known_ones.students:
        last, first = _words(student.last_name), _words(student.first_name)
        for spelling in {last + first, first + last}:
            if last and first:
                spellings.setdefault(spelling[0], []).append((spelling, student))
    found = []
    for line in sheet.lines if spellings else ():
        found += _named(line, line.text, "", spellings)
        for cell in line.cells:
            goes_on = next((below.text for _, below in islice(sheet.flow(line, cell), 1, None)), "")
            if goes_on:
                found += _named(line, cell.text, goes_on, spellings)
    return found


def of_one_name(known_ones: Known) -> dict[tuple[str, ...], tuple[Student, ...]]:
    """Return the students of the account by what the spellings of their names have in common."""
    found: dict[tuple[str, ...], tuple[Student, ...]] = {}
    for student in known_ones.students:
        same = key(f"{student.last_name} {student.first_name}")
        found[same] = (*found.get(same, ()), student)
    return found


def _named(line: Line, text: str, goes_on: str, spellings: _Spellings) -> list[Mention]:
    """Return the students that a text names; with `goes_on` those whose names begin in the one, end in the other."""
    whole = f"{text}  {goes_on}"
    matches = list(_WORD.finditer(whole))
    words = tuple(fold(match[0]) for match in matches)
    found, place = [], 0
    while place < len(words) and matches[place].start() < len(text):
        best = _longest(words, place, spellings)
        if best is None:
            place += 1
            continue
        spelling, students = best
        start, end = matches[place].start(), matches[place + len(spelling) - 1].end()
        if "," in whole[start:end] and spelling[0] != _words(students[0].last_name)[0]:
            place += 1  # "…, LACROIX Benoît, BEAUVILLARD Moussa" does not name Benoît Beauvillard
            continue
        if (end > len(text)) == bool(goes_on) and not is_staff(text[:start], whole[end:]):
            last, first = students[0].last_name, students[0].first_name
            person = Name(f"{last} {first}", last, first, "known", 9)
            found.append(Mention(person, line, "known student", 97, contract=contract_in(line), students=students))
        place += len(spelling)
    return found


def _longest(
    words: Sequence[str], place: int, spellings: _Spellings
) -> tuple[tuple[str, ...], tuple[Student, ...]] | None:
    fitting = [
        (spelling, student)
        for spelling, student in spellings.get(words[place], ())
        if tuple(words[place : place + len(spelling)]) == spelling
    ]
    if not fitting:
        return None
    longest = max((spelling for spelling, _ in fitting), key=len)
    same = {student.reference: student for spelling, student in fitting if spelling == longest}
    return longest, tuple(same.values())


_WORD = re.compile(r"[^\W\d_]+")


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(fold(text)))
