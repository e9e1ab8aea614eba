"""The period of an invoice: two days, months, two labels, two columns; the surest first."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from . import dates, tables
from .dates import DAY, MONTH, aligned
from .folding import fold
from .labels import Announced, Sheet, announced, joined, paragraphs, value
from .layout import Cell, Line
from .measures import measures
from .result import Value

_EDGE = 3  # points
_LONGEST = 400  # days of a period
_OPENING = 3  # characters before a day at the beginning of a line
_NOT_OF_SESSIONS = re.compile(r"contrat|naiss|entree|sortie|embauche|echeance")
_MARGIN = 6  # candidates that are less apart are equally believable

#: Words that announce when something was done.
PERIOD_WORDS = re.compile(
    r"period|realis|effectu|suivi[es]?\b|anime|organis|factur(?:ee|ation)|dispens|deroul|session|dates? (?:de |"
    r"d')?(?:formation|session|l'action|stage|realis)|mois|"
    r"\bformation\b|prestation|\bassuree?s?\b|\bdates\b|heures|execut|action|module|intervention"
)
_NO_PERIOD = re.compile(
    r"contrat|convention|echeance|validite|\bvalable|assurance|commande|conditions|agrement|reglement|payable|article|penalit|\bcdd\b|"
    r"qualiopi|certifi(?:e|cat) (?:du|n|qualiopi)|exercice|\baccord\b|\bprochaine?s?\b|\bprevue?s? (?:en|pour|le)\b"
)
_DAYS_LABEL = re.compile(
    r"^(?:dates?|periodes?|jours|seances|calendrier)(?:\s+(?:de\s+|d'\s?|du\s+|des\s+)?(?:la\s+|l'\s?)?(?:realisation|formation|"
    r"sessions?|stage|execution|action|prestations?|seances?|entretiens|intervention|accompagnement))+\s*(?::|$)"
)
_NUMBERED = re.compile(r"(?:\bn\s?°|\bnumero|\bfactures?|\bavoir|\bref\w*)\W*$")  # "n° 12 - 30 janvier 2026"
_GOES_ON = re.compile(rf"(?:{MONTH}\s*(?:,|et)\s*)?")
_BROKEN_OFF = re.compile(
    rf"\b(?:du|de|depuis le)\s+{DAY}\s*$|{DAY}\s*(?:(?:au|a|et|jusqu'au)|-|/|→)\s*$|\d\s+(?:du|au|de)\s*$"
)
_OF_IT = (
    r"(?:\s+(?:en formation|(?:de\s+(?:la\s+|l')?|d[eu]\s+|d'\s?)?(?:periode|formation|session|action|stage|"
    r"prestations?)(?:\s+(?:facture|realise|effectue|execute|concerne)e?s?)?|(?:d[eu]s?\s+|d')?(?:la\s+|l')?[a-z]{3,}(?:\s+[a-z]{3,}){0,2}(?=\s*(?::|$))))?"
)
_START = re.compile(rf"\b(?:(?:date\s+(?:de\s+)?)?(?:debut|entree){_OF_IT}|du)\b\s*(?:\(.*?\))?\s*:?")
_END = re.compile(rf"\b(?:(?:date\s+(?:de\s+)?)?(?:fin|sortie){_OF_IT}|au)\b\s*(?:\(.*?\))?\s*:?")
_OF_AN_ITEM = re.compile(
    r"(?:^|[-:(]\s*|\b(?:session|seance|journee|stage|formation|module|date)s?\s*:?\s*)(?:le|du|en date du)\s+$"
)
_DUE = re.compile(r"\W*(?:au plus tard|dernier delai|delai)")
_NEAR = 120  # characters before a day that may say what it is of
_OF_AN_OBJECT = re.compile(r"\b(?:formation|stage|session|atelier|journee)s?\b.*[^\d],\s+le\s+$")
_TO = re.compile(
    r"\s*(?:au|a|jusqu'au|et|jusqu)\s*(?:le\s*)?(?:\d|$)|"
    rf"\s*[-/→]\s*(?:le\s*)?(?:$|{DAY}|\d{{1,2}}(?:er)?\s+(?:{MONTH}))"
)
_ONE_OF_TWO = re.compile(rf"\b(?:debut|entree|fin|sortie){_OF_IT}\s*:?\s*$")
_ONE_DAY = re.compile(
    r"(?:period\w*|realis\w*|effectu\w*|dispens\w*|suivie?s?|organis\w*|deroul\w*|sessions?|stage|formations?|"
    r"prestations?|journee|action|facture(?:e|s) pour|intervention|\bdates)"
    r"(?: (?:de |d'|du |de la |la |l')?(?:facturation|facture\w*|realisation|formation|stage|session|prestation|"
    r"concernee?|action|execution|intervention))*"
    r"\s*:?\s*(?:s'est \w+\s*)?(?:(?:en date )?du|le|ce)?\s*:?\s*$"
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    start: date
    end: date
    sure: int
    line: Line
    rule: str
    whole: bool = False  # it is said to be all of a training, of which a part may be invoiced
    invoiced: bool = False  # it is said to be what is invoiced

    @property
    def days(self) -> tuple[date, date]:
        return self.start, self.end

    def holds(self, other: "_Candidate") -> bool:
        """Say whether another one lies within this."""
        return self.start <= other.start and other.end <= self.end

    def values(self) -> tuple[Value, Value]:
        both = [value(each, self.sure, self.line, self.rule) for each in self.days]
        return both[0], both[1]


def period(sheet: Sheet, issued: date | None = None) -> list[tuple[Value, Value]]:
    """Return the periods that may be invoiced, each as its first and last day, the surest first.

    `issued` is the date of the invoice, so that it is not taken for a day of the training.
    """
    found: dict[tuple[date, date], _Candidate] = {}

    def offer(each: _Candidate) -> None:
        if each.start <= each.end and (each.days not in found or each.sure > found[each.days].sure):
            found[each.days] = each

    for candidate in (*_written(sheet), *_two_labels(sheet)):
        offer(candidate)
    found = _parts_first(found)
    for whole in (_together(list(found.values())), _from_days(sheet, issued) if _weak(found) else None):
        if whole:
            offer(whole)
    return [each.values() for each in sorted(found.values(), key=lambda each: -each.sure)]


def invoiced_outside(sheet: Sheet, start: date, end: date) -> date | None:
    """Return a day that a line of a table is of and that is not in a period; None if there is none."""
    inside = tables.lines_of_items(sheet)
    for row in tables.rows(sheet):
        for place, cell in enumerate(row.line.cells) if row.line.number in inside else ():
            column = row.of(cell.x0, cell.x1)
            if column and (column.role in ("START", "END") or _NOT_OF_SESSIONS.search(column.head)):
                continue
            over = next((each.text for _, each in islice(sheet.flow(row.line, cell, up=True), 1, 2)), "")
            for read, at, _ in dates.days(cell.text):
                far = not start <= read <= end and abs((read - start).days) <= _LONGEST
                goes_on = at < _OPENING and _OF_SOMETHING_ELSE.search(fold(over))
                if far and not goes_on and not _of_something_else(row.line, place, at):
                    return read
    return None


def _parts_first(found: dict[tuple[date, date], _Candidate]) -> dict[tuple[date, date], _Candidate]:
    """Make what is called the whole of a training less believable, where a part of it is announced beside it.

    So is any other period beside one that is called the one invoiced.
    """
    parts = [each for each in found.values() if each.sure >= 84 and not each.whole]
    invoiced = any(each.invoiced for each in parts)
    less = {
        days
        for days, each in found.items()
        if (invoiced and not each.invoiced) or (each.whole and any(map(each.holds, parts)))
    }
    return {days: replace(each, sure=each.sure - 20) if days in less else each for days, each in found.items()}


def _written(sheet: Sheet) -> Iterator[_Candidate]:
    """Give the periods that a cell or a line writes out, and single days that are announced as the period."""
    for line, before, text, after in _pieces(sheet):
        for each in dates.periods(text):
            own = aligned(text[: each.at])
            if _GOES_ON.fullmatch(own) and re.search(r"(?:^|\s)\d{1,2}\s*,?\s*$", before):
                continue  # "le 2", and below "décembre 2025"
            head = own if PERIOD_WORDS.search(own) else aligned(f"{before} {own}")[-90:]
            yield _candidate(each, head, line)
        for read, at, to in dates.days(text):
            ahead, behind = aligned(f"{before} {text[:at]}")[-70:], aligned(f"{text[to:]} {after}")
            if _TO.match(behind):
                continue
            if _is_of_an_item(sheet, line, aligned(text[:at])[-_NEAR:], behind):
                yield _Candidate(read, read, 90, line, "day of an item")
            elif _OF_AN_OBJECT.search(aligned(text[:at])[-_NEAR:]) and not _NO_PERIOD.search(ahead):
                yield _Candidate(read, read, 80, line, "one day")
            elif _ONE_DAY.search(ahead) and not _NO_PERIOD.search(ahead[-30:]) and not _ONE_OF_TWO.search(ahead):
                broken = re.search(r"period\w* (?:du|de)\s*$", ahead) and not behind.strip()
                yield _Candidate(read, read, 74 if broken else 86, line, "one day")
    for places in announced(sheet, _DAYS_LABEL):
        for place in places[:1]:
            goes_on = (
                cell.text
                for line, cell in sheet.flow(place.line, place.cell)
                if _is_of(place, line) and (line is place.line or not _OF_SOMETHING_ELSE.search(cell.folded))
            )
            text = joined(goes_on)
            said = [read for read, _, _ in dates.days(text)]
            if len(said) > 1 and not dates.periods(text):
                yield _Candidate(min(said), max(said), 86, place.line, "days behind a label")
    for line, text in paragraphs(sheet):
        for each in dates.periods(text):
            at = next((at for at, cell in enumerate(line.cells) if at and text.startswith(cell.text)), 0)
            left = f"{line.cells[at - 1].text} " if at else ""
            found = _candidate(each, aligned(f"{left}{text[: each.at]}")[-90:], line)
            yield replace(found, sure=found.sure - 1)
    for line in sheet.lines:
        for each in dates.periods(line.text) if len(line.cells) > 1 else ():
            found = _candidate(each, aligned(line.text[: each.at])[-90:], line)
            if each.how.startswith("two days"):
                yield replace(found, sure=found.sure - 1, rule=f"period in several columns: {each.how}")


def _is_of_an_item(sheet: Sheet, line: Line, before: str, behind: str) -> bool:
    """Say whether a day is of what is invoiced in a table: "Word - le 11/02/2026"."""
    inside = line.number in tables.lines_of_items(sheet)
    other = _OF_SOMETHING_ELSE.search(before) or _DUE.match(behind)
    return bool(inside and _OF_AN_ITEM.search(before) and not other)


def _is_of(place: Announced, line: Line) -> bool:
    """Say whether a line may go on with what a label announces: no other label stands below that one."""
    if line is place.line or place.how != "right":
        return True
    label = max((cell.x0 for cell in place.at.cells if cell.x1 <= place.cell.x0), default=place.cell.x0)
    return not any(abs(cell.x0 - label) < _EDGE for cell in line.cells)


def _together(found: list[_Candidate]) -> _Candidate | None:
    """Return the time from the first to the last of several sessions that are equally believable."""
    best = max((each.sure for each in found), default=0)
    alike = [each for each in found if best - each.sure < _MARGIN and each.sure > 60]
    if len(alike) < 2:
        return None
    start, end = min(each.start for each in alike), max(each.end for each in alike)
    whole = next((each for each in alike if each.days == (start, end)), None)
    if whole:
        return replace(whole, sure=min(99, best + _MARGIN))
    if (end - start).days > _LONGEST:
        return None
    same = len({each.rule for each in alike}) == 1 and len({each.line.number for each in alike}) == len(alike)
    sure = best + _MARGIN if same else best + 1
    return _Candidate(start, end, sure, alike[0].line, "from the first to the last of several")


def _weak(found: Mapping[tuple[date, date], _Candidate]) -> bool:
    return all(each.sure < 80 or each.rule == "one day" for each in found.values())


def _from_days(sheet: Sheet, issued: date | None) -> _Candidate | None:
    """Return the time from the first to the last day that nothing says to be of something else.

    Days of a column, one below the other, are sessions; other days are for a person to confirm.
    """
    days = [
        (read, line, cell)
        for line in sheet.lines
        for place, cell in enumerate(line.cells)
        for read, at, _ in dates.days(cell.text)
        if not _of_something_else(line, place, at)
    ]
    column = [
        (read, line)
        for read, line, cell in days
        if any(other is not line and other.page == line.page and abs(one.x0 - cell.x0) < 3 for _, other, one in days)
        and any(each.kind in _COUNTED for each in measures(line))
    ]
    if issued in {read for read, _ in column}:
        column = []  # dates of the paper below each other: issued, due
    if len({read for read, _ in column}) > 1:
        chosen, sure, rule = column, 79, "column of days"
    else:
        chosen = [(read, line) for read, line, _ in days if issued is None or read < issued]
        sure, rule = 55, "days that are of nothing else"
    if not chosen:
        return None
    first, last = min(read for read, _ in chosen), max(read for read, _ in chosen)
    return _Candidate(first, last, sure, chosen[0][1], rule) if (last - first).days <= _LONGEST else None


_COUNTED = ("HOURS", "CLOCK", "NUMBER", "MONEY")
_OF_SOMETHING_ELSE = re.compile(
    rf"{_NO_PERIOD.pattern}|factur|avoir|emis|date d[e'u]\s?(?!format|stage|sess|real|l'act)|limite|\bne\(?e?\b|nais|"
    r"verse|acompte|virement|prelev|terme|edit|etabli|commande|devis|\bpayer\b|\bregler\b|inscri|\bavant\b|attendu"
)


def _of_something_else(line: Line, place: int, at: int) -> bool:
    near = aligned(f"{line.cells[place - 1].text if place else ''} {line.cells[place].text[:at]}")[-40:]
    return bool(_OF_SOMETHING_ELSE.search(near))


def _pieces(sheet: Sheet) -> Iterator[tuple[Line, str, str, str]]:
    """Give every cell between the texts before and behind it; a cell that fills its line goes on with the next."""
    for index, line in enumerate(sheet.lines):
        for place, cell in enumerate(line.cells):
            near = [other for other in reversed(sheet.lines[max(0, index - 2) : index]) if other.page == line.page]
            over = (each.text for other in near for each in other.cells if each.x0 < cell.x1 and cell.x0 < each.x1)
            above = next(over, "")
            before = f"{above} {line.cells[place - 1].text if place else ''}"
            text = cell.text
            if index + 1 < len(sheet.lines) and place == len(line.cells) - 1 and len(text) > 45:
                after = sheet.lines[index + 1]
                goes_on = next((below.text for _, below in islice(sheet.flow(line, cell), 1, None)), "")
                if goes_on:
                    text += " " + goes_on
                elif after.page == line.page and line.y - after.y < 2 * line.size:
                    text += " " + after.cells[0].text
            elif _BROKEN_OFF.search(cell.folded):
                text += " " + _under(sheet, line, cell)
            yield line, before, text, line.cells[place + 1].text if place + 1 < len(line.cells) else ""


def _under(sheet: Sheet, line: Line, cell: Cell) -> str:
    """Return the text right below a cell, in its column: the second line of one cell of a table."""
    for other, below in sheet.below(line, cell):
        if line.y - other.y < 2 * cell.size and (abs(below.x0 - cell.x0) < 3 or abs(below.x1 - cell.x1) < 3):
            return below.text
    return ""


#: What announces all of a training: "session complète : du 2 mai au 29 octobre".
_OF_THE_WHOLE = re.compile(
    r"\b(?:complet(?:e|s|es)?|integral\w*|entier(?:e|s|es)?|globale?s?|totale?s?|previsionnel\w*|prevu(?:e|s|es)?|"
    r"initiale?ment|initiale?s?)\b[^\d]{0,25}$"
)


_INVOICED = re.compile(r"\b(?:period|mois|dates?|heures)[^\d:]{0,30}\bfactur(?:ee?s?|ation)\b[^\d]{0,12}$")


def _since_the_last(head: str) -> str:
    """Return of a text before a period what stands behind the period before it, if that announces anything."""
    rest = re.split(DAY, head[-45:])[-1]
    return rest if PERIOD_WORDS.search(rest) or _OF_THE_WHOLE.search(rest) else head[-45:]


def _candidate(each: dates.Period, head: str, line: Line) -> _Candidate:
    near = _since_the_last(head)
    whole, invoiced = bool(_OF_THE_WHOLE.search(near)), bool(_INVOICED.search(near))
    return _Candidate(each.start, each.end, _sureness(each, head), line, f"period: {each.how}", whole, invoiced)


def _sureness(each: dates.Period, head: str) -> int:
    sure = {
        "two days": 90,
        "two days without a word": 84,
        "months": 80,
        "month in figures": 70,
        "quarter": 84,
        "several days": 86,
    }[each.how]
    near = _since_the_last(head)
    if re.search(
        r"period|mois (?:de|d')|realis|effectu|anime|prestation|factur(?:ee|ation)|suivi|organis|deroul|"
        r"dates? (?:de )?(?:formation|session)",
        near,
    ):
        sure += 8
    elif PERIOD_WORDS.search(near):
        sure += 4
    elif each.how.startswith("month"):
        sure -= 6
    if _NO_PERIOD.search(near[max(0, near.rfind("period")) :]) or (
        each.how == "two days without a word" and _NUMBERED.search(near)
    ):
        sure -= 30
    return sure


def _two_labels(sheet: Sheet) -> Iterator[_Candidate]:
    """Give the periods whose days stand behind two labels, or in two columns of a table (all rows together)."""
    starts, ends = _labelled_days(sheet, _START), _labelled_days(sheet, _END)
    for line, start in starts:
        for other, end in ends:
            if other.page == line.page and 0 <= other.number - line.number <= 2 and start <= end:
                yield _Candidate(start, end, 93, line, "beginning and end")
    columns = list(_columns_of_days(sheet))
    if columns:
        start, end = min(each[0] for each in columns), max(each[1] for each in columns)
        yield _Candidate(start, end, 93, columns[0][2], "beginning and end")


_PERIOD_BEFORE = re.compile(r"(?:periodes?(?: d\w*)?\W*)?")


def _labelled_days(sheet: Sheet, label: re.Pattern[str]) -> list[tuple[Line, date]]:
    found = []
    for places in announced(sheet, label):
        for each in places:
            match = re.match(rf"(?:le\s+)?({DAY})", aligned(each.text))
            here = re.match(r"date|debut|fin|entree|sortie", each.label) or _PERIOD_BEFORE.fullmatch(each.before)
            if (
                match
                and here
                and not _NO_PERIOD.search(f"{each.before} {each.label}")
                and (read := dates.day(match[1]))
            ):
                found.append((each.line, read))
                break
    return found


def _columns_of_days(sheet: Sheet) -> Iterator[tuple[date, date, Line]]:
    columns: tuple[float, float] | None = None
    for line in sheet.lines:
        heads = {fold(cell.text).strip(" :."): (cell.x0 + cell.x1) / 2 for cell in line.cells}
        start = next(
            (x for text, x in heads.items() if re.fullmatch(r"(?:date )?(?:de )?debut|du|entree|date d'entree", text)),
            None,
        )
        end = next(
            (x for text, x in heads.items() if re.fullmatch(r"(?:date )?(?:de )?fin|au|sortie|date de sortie", text)),
            None,
        )
        if start is not None and end is not None and len(line.cells) > 3:
            columns = (start, end)
            continue
        here = [(read, (cell.x0 + cell.x1) / 2) for cell in line.cells for read, _, _ in dates.days(cell.text)]
        if (
            columns
            and len(here) == 2
            and len(line.cells) > 3
            and all(abs(here[n][1] - columns[n]) < 45 for n in (0, 1))
            and here[0][0] <= here[1][0]
        ):
            yield here[0][0], here[1][0], line
