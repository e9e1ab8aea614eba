"""Where an invoice mentions its trainees: in a table, behind a label, in a line with hours, in a sentence."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from . import tables
from .dates import aligned
from .labels import Sheet, announced
from .layout import Cell, Line, fold
from .measures import Measure, in_text, measures
from .names import Name, key, name, named_in_prose
from .result import Known, Student
from .tables import Row
from .words import GIVEN_NAMES

_WHO = (
    r"(?:stagiaires?|participante?s?|apprenante?s?|apprenti(?:\(?e\)?|·e|\.e)?s?|alternante?s?|beneficiaires?|"
    r"salarie(?:\(?e\)?)?s?|candidat(?:\(?e\)?)?s?|eleves?|"
    r"etudiant(?:\(?e\)?)?s?|auditeurs?|auditrices?|collaborateurs?|collaboratrices?|noms?(?:\s+(?:et|,|"
    r"/)?\s*prenoms?)?(?:\s+du\s+\w+)?|prenoms?\s+(?:et\s+)?noms?)"
)
_LABEL = re.compile(
    r"(?:^|(?<=[\s(\-:,;]))(?:liste\s+(?:nominative\s+)?des\s+|nom\s+d[ue]s?\s+|"
    rf"concerne\s*:?\s*)?{_WHO}(?:\s+(?:concernee?s?|formee?s?|presente?s?|"
    rf"de la formation))?(?:\s*(?:n\s?°\s?)?\d{{1,3}}(?!\d))?\s*(?:\(s\)|\(e\)|\(x\))?\s*(?::|$|-\s|=|(?=m\.|mme|"
    r"mlle|mr\b))"
)
_NOT_OF_THE_CLASS = re.compile(
    r"format(?:eur|rice)|intervenant|animat(?:eur|rice)|direct(?:eur|rice)|gerante?|president|contact|interlocut|"
    r"suivi administratif|(?:dossier|affaire|client|commande)\s+suivie? par|^suivi par|conseill|referent|"
    r"tut(?:eur|rice)|maitre|signat|attention|represent|"
    r"responsable|mediateur|comptab|redig|gestionnaire|secretaire|commercial|consultant"
)
_CONTRACT = re.compile(
    r"(?:contrat|deca|convention)s?\s*(?:d'apprentissage|de professionnalisation|"
    r"pro)?\s*(?:\(deca\)\s*)?(?:n\s?[°o]?\.?)?\s*[:.]?\s*([a-z]{0,4}-?(?=[\w/-]*\d)[\w/-]{3,24})"
)
_CODE = re.compile(r"\(\s*(?:n°\s*)?([A-Z]{0,4}-?\d[\w-]{3,20})\s*\)")


@dataclass(slots=True)
class Mention:
    """A trainee where the invoice names him. `hours` and `amount` are what stands there as well."""

    name: Name
    line: Line
    rule: str
    confidence: int
    row: Row | None = None
    hours: Measure | None = None
    amount: Measure | None = None
    proven: bool = False  # hours x price = amount
    contract: str | None = None
    students: tuple[Student, ...] = ()
    parts: list[Decimal] = field(default_factory=list)  # the hours of several rows of one person

    @property
    def key(self) -> tuple[str, ...]:
        """What two spellings of this name have in common."""
        return key(self.name.printed)


# Tables ------------------------------------------------------------------------------------------------------------


def in_tables(sheet: Sheet, *, in_hours: bool) -> list[Mention]:
    """Return the trainees of tables that have a column for them."""
    found = []
    rows = [row for row in tables.rows(sheet) if tables.is_of_names(row.columns)]
    for index, row in enumerate(rows):
        if row.is_total:
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


def _person(rows: Sequence[Row], index: int) -> Name | None:
    """Read the name of a row; it may be in two columns, or broken over two lines."""
    row = rows[index]
    own, order = _name_text(row), tables.family_first(row.columns)
    if isinstance(own, Name):
        return own
    following = _loose_text(rows[index + 1], row) if index + 1 < len(rows) else ""
    broken = own.endswith("-") or (following and fold(following) in GIVEN_NAMES and not name_in(f"{following}", order))
    if following and broken and (joined := name_in(f"{own}{'' if own.endswith('-') else ' '}{following}", order)):
        return joined
    if found := name_in(own, order):
        return found
    leading = _loose_text(rows[index - 1], row) if index else ""
    for text in (f"{own} {following}", f"{leading} {own}", f"{leading} {following}" if not own else ""):
        if text.strip() and text.strip() != own and (found := name_in(text, order)):
            return found
    return None


def _name_text(row: Row) -> Name | str:
    last, first = row.cells("LAST"), row.cells("FIRST")
    if last and first and any(each.role == "LAST" for each in row.columns):
        family, given = last[0].text.strip(" .,"), first[0].text.strip(" .,")
        both = name(f"{family}, {given}") if "," not in family + given else None
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
    inside = [
        (each, column)
        for each, column in found
        if column and column.role == "HOURS" and each.kind in ("HOURS", "CLOCK", "NUMBER")
    ]
    elsewhere = [
        each
        for each, column in found
        if each.kind == "HOURS" and (column is None or column.role not in ("PLANNED", "PRICE"))
    ]
    if not inside and not elsewhere:
        elsewhere = [each for each, column in found if each.kind == "CLOCK" and column is None]
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


def contract_in(line: Line) -> str | None:
    """Return the number of a contract that a line names."""
    return next((found for cell in line.cells if (found := contract_in_text(cell.text))), None)


def contract_in_text(text: str) -> str | None:
    """Return the number of a contract that a text names, or a code in brackets."""
    if match := _CONTRACT.search(aligned(text)):
        return text[match.start(1) : match.end(1)]
    code = _CODE.search(text)
    return code[1] if code else None


_PARTS = re.compile(r"\s[-/:]\s|[;:]|\s{2,}|,\s(?=contrat|n[ée]|\d)")
_HEADED = re.compile(rf"\s*(?:(?:et|&)\s+)?(?:{_WHO}\b\s*(?:n°\s*\d+)?\s*:?\s*)?")


def _bare(part: str) -> str:
    """Take from a part what announces a name: "stagiaire Mme DURAND Anne" is one of three words."""
    match = _HEADED.match(aligned(part))
    return part[match.end() :] if match else part


def name_in(text: str, family_first: bool | None = None) -> Name | None:
    """Read the one name in the text of a cell that may hold more: a number, a code in brackets, a training."""
    text = re.sub(r"^\s*(?:\(?\d{1,3}\s*[.):/-]?\s+|[•·*>-]\s*)+", "", text)
    bare = re.sub(r"\(.*?\)|\[.*?\]|\bn[ée]e?\s.*$", " ", text).strip()
    if found := name(bare, family_first=family_first):
        return found
    parts = [_bare(part) for part in _PARTS.split(bare) if part.strip()]
    found_parts = [found for part in parts if (found := name(part, family_first=family_first))]
    if (
        len(parts) > 1
        and len(found_parts) == 1
        and (found_parts[0].likeness or parts[0].strip().startswith(found_parts[0].printed))
    ):
        return found_parts[0]
    if match := re.match(r"^([^\d(]+?)[\s,]+(?:\d|contrat|\bn°)", bare):
        return name(match[1], family_first=family_first)
    return None


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
        person = name_in(_stripped(text))
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


def _stripped(text: str) -> str:
    """Take from a text what joins it to the one before and to its hours: "), et Mme DURAND Anne (" is a name."""
    text = re.sub(r"^[\s),;.:/&•·-]*(?:et\s+)?", "", text)
    text = re.sub(rf"^.*?\b{_WHO}\s*:\s*", "", text, flags=re.IGNORECASE)
    return re.sub(r"[\s(,;:=/-]+$|\s*\b(?:pour|durée|soit|de)\s*:?\s*$", "", text)


# Elsewhere ---------------------------------------------------------------------------------------------------------


def in_lines(sheet: Sheet, *, in_hours: bool, least: int = 2) -> list[Mention]:
    """Return the names that stand in one line with hours, as in "Mme DURAND Anne (contrat n° 12) : 24,50 h"."""
    found = []
    columns: dict[int, Row] = {row.line.number: row for row in tables.rows(sheet)}
    for line in sheet.lines:
        row = columns.get(line.number, Row(line, ()))
        if row.is_total or _NOT_OF_THE_CLASS.search(line.folded):
            continue
        if side_by_side := _side_by_side(row, "line with hours", 86):
            found += side_by_side
            continue
        hours, amount, proven = figures(row, in_hours=in_hours)
        if hours is None:
            continue
        for cell in line.cells:
            column = row.of(cell.x0, cell.x1)
            if column and column.role == "COMPANY":
                continue
            text = _LABEL.sub(" ", aligned(cell.text))
            text = cell.text[len(cell.text) - len(text.lstrip()) :] if len(text) == len(cell.text) else cell.text
            person = name_in(re.split(r"[:(]\s*(?=\d)", text)[0]) or name_in(
                re.sub(rf"^{_WHO}\s*:?\s*", "", text, flags=re.IGNORECASE)
            )
            if person and person.likeness >= 2:
                found.append(
                    Mention(person, line, "line with hours", 86, row, hours, amount, proven, contract_in(line))
                )
                break
    return found


def labelled(sheet: Sheet, *, least: int) -> list[Mention]:
    """Return the names behind labels such as "Stagiaire :", alone, in a row, or in a list below.

    `least` is how much a text must be like a name where the label could announce a company as well.
    """
    found: list[Mention] = []
    for places in announced(sheet, _LABEL):
        for each in places:
            if _NOT_OF_THE_CLASS.search(each.before):
                break
            sure = 90 if each.how != "below" else 84
            here = [
                Mention(person, each.line, f"label {each.label.strip(' :-')}", sure, contract=contract_in(each.line))
                for person in several(each.text)
            ]
            if "beneficiaire" in each.label or each.how == "below":
                here = [mention for mention in here if mention.name.likeness >= least]
            if here and each.how == "below":
                here = _names_of(each.line, f"label {each.label.strip(' :-')}", least) or here
            if here:
                found += here
                found += _list_below(sheet, each.line, each.cell.x0, least)
                break
    return found


def _names_of(line: Line, rule: str, least: int = 1) -> list[Mention]:
    """Return the names of a line that holds nothing else, in one column or several."""
    people = [several(cell.text) for cell in line.cells]
    if not all(people) or any(each.likeness < least for cell in people for each in cell):
        return []
    return [Mention(each, line, rule, 82, contract=contract_in(line)) for cell in people for each in cell]


def in_sentences(sheet: Sheet) -> list[Mention]:
    """Return the trainees that a label announces in running text of several lines, each with hours behind."""
    found: list[Mention] = []
    for places in announced(sheet, _LABEL):
        if not places or places[0].how != "same" or len(places[0].text) < 25:
            continue
        line, text = places[0].line, places[0].text
        for other in sheet.lines:
            if (
                other.page == line.page
                and 0 < other.number - line.number < 40
                and abs(other.cells[0].x0 - line.cells[0].x0) < 60
            ):
                if _LABEL.search(aligned(other.text)) or re.match(r"(?:soit|total|pour)\b", other.folded):
                    break
                text += " " + other.text
        here = [
            (value, start, to, text[start:to]) for kind, value, start, to in in_text(text) if kind in ("HOURS", "CLOCK")
        ]
        place = 0
        for value, start, to, raw in here:
            person = name_in(_stripped(text[place:start]))
            if person is None:
                break
            hours = Measure("HOURS", value, raw, 0, 0.0, 0.0, 2)
            found.append(
                Mention(
                    person, line, "sentence of names", 88, hours=hours, contract=contract_in_text(text[place:start])
                )
            )
            place = to
    return found


def on_their_own(sheet: Sheet) -> list[Mention]:
    """Return the names that fill a cell of a line without hours; only what proves them makes them trainees."""
    found: list[tuple[Cell, Mention]] = []
    for line in sheet.lines:
        counts = [each for each in measures(line) if each.kind in ("HOURS", "MONEY", "CLOCK") or each.decimals == 2]
        if counts or _NOT_OF_THE_CLASS.search(line.folded):
            continue
        for cell in line.cells:
            if person := name_in(cell.text):
                found.append((cell, Mention(person, line, "line of its own", 80, contract=contract_in(line))))
    sure = {(mention.line.page, round(cell.x0)) for cell, mention in found if mention.name.likeness >= 2}
    return [
        mention for cell, mention in found if mention.name.likeness >= 2 or (mention.line.page, round(cell.x0)) in sure
    ]


def _list_below(sheet: Sheet, first: Line, x0: float, least: int) -> Iterator[Mention]:
    """Go on with the lines that hold nothing but names, below one that is in a list."""
    last = first
    for line in sheet.lines:
        if line.number <= last.number or line.page != last.page:
            continue
        listed = any(abs(each.x0 - x0) < 14 or each.text[:1] in "•-*" for each in line.cells)
        people = _names_of(line, "list of names", least) if listed and last.y - line.y <= 2.2 * line.size else []
        if not people:
            return
        yield from people
        last = line


def several(text: str) -> list[Name]:
    """Read a text as names and nothing else: "DURAND Anne, PETIT Luc et M. Jean MARTIN"; none if a part is no name."""
    whole = name_in(text)
    if whole and not re.search(r"\set\s|;|,.*,", text):
        return [whole]
    prose = [person for person, _, _ in named_in_prose(text)]
    bare = re.sub(r"\(.*?\)", " ", text)
    parts = [part for part in re.split(r"\s+et\s+|;|,|/|\s&\s|•|·", bare) if part.strip(" .")]
    people = [name(re.sub(r"^\s*\d+[.)]\s*", "", part)) for part in parts]
    if len(parts) > 1 and all(people):
        return [each for each in people if each]
    return prose or ([whole] if whole else [])


def in_prose(sheet: Sheet) -> list[Mention]:
    """Return the names that a civility announces in sentences, without those of the organisation's own people."""
    found = []
    lines = list(sheet.lines)
    for index, line in enumerate(lines):
        for cell in line.cells:
            text = cell.text
            if index + 1 < len(lines) and lines[index + 1].page == line.page and len(text) > 60:
                text += " " + lines[index + 1].cells[0].text
            people = list(named_in_prose(text))
            starts = [*(start for _, start, _ in people[1:]), len(text)]
            for (person, start, end), following in zip(people, starts, strict=False):
                near = fold(text[max(0, start - 40) : end + 25])
                if start < len(cell.text) and not _NOT_OF_THE_CLASS.search(near):
                    hours = _hours_behind(text[end:following])
                    found.append(Mention(person, line, "civility", 84, hours=hours, contract=contract_in(line)))
    return found


def _hours_behind(text: str) -> Measure | None:
    """Return the hours that follow a name in a sentence, up to the next name."""
    counted = [each for each in in_text(text) if each[0] == "HOURS"]
    if len(counted) != 1 or counted[0][2] > 40:
        return None
    _, value, start, to = counted[0]
    return Measure("HOURS", value, text[start:to], 0, 0.0, 0.0, 2)


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
                if not _NOT_OF_THE_CLASS.search(line.folded):
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
