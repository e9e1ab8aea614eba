"""Tables: which line is the head of one, what its columns hold, and what a row says in them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from .dates import MONTH, aligned, days
from .labels import Sheet
from .layout import Cell, Line
from .measures import Measure, measures

# What the head of a column may say, folded; the first that fits wins.
_ROLES = (
    ("CONTRACT",
        r"(?:n\s?[°o]\.?\s*(?:de\s+|du\s+)?)?(?:contrat|deca|convention)s?(?:\s*(?:n\s?[°o]|deca|d'apprentissage))*"),
    ("FILE", r"(?:n\s?[°o]\.?\s*(?:de\s+|du\s+)?)?(?:dossier|apc|accord|pec)s?(?:\s*n\s?[°o])?"),
    ("PRICE",
        r"(?:prix|tarifs?|taux|cout)(?:\s*/?\s*(?:unitaires?|horaires?|de l'heure|heures?|h))?(?:\s*(?:h\.?t\.?|ttc|"
        r"\(.*?\)))*|p\.?\s?u\.?(?:\s*h\.?t\.?)?|/\s?h\b|(?:€|eur)\s?/\s?h(?:eure)?"),
    ("VAT", r"(?:taux\s+)?t\.?v\.?a\.?"),
    ("PLANNED",
        r"(?:heures?|h\.?|duree)\s+(?:prevues?|convention\w*|theoriques?|contrat\w*|d'absences?|absences?)|prevues?|"
        r"absences?"),
    ("HOURS",
        r"(?:total\s*\(h(?:eures)?\)|total\s+(?:d'|des\s+|en\s+)?(?:heures?|h\b\.?(?!\s?t))|(?:nb\.?|nbre\.?|nombre)\s*(?:total\s+)?(?:de\s+|d')?\s?h(?:eures?|rs?)?\.?|"
        r"heures?(?:\s+(?:realisees?|facturees?|effectuees?|stagiaires?|presence|de presence|suivies?|dispensees?))*"

                  r"|duree(?:\s+(?:realisee|effectuee|totale|en heures|facturee))?(?:\s*\(h(?:eures)?\))?|"
                  r"volume(?:\s+horaire)?|hrs?|temps(?:\s+(?:de\s+)?\w+)?|h\b\.?(?!\s?t))"),
    ("QUANTITY", r"(?:qtes?|qt|quantites?|nb|nombre)\b\.?(?:\s*\(?h(?:eures)?\)?)?"),
    ("AMOUNT",
        r"(?:montants?|totaux|total|net|somme|echeances?(?=\s*\((?:€|eur))|mensualites?)"
        r"(?:\s+(?:net\s+)?(?:h\.?t\.?|t\.?t\.?c\.?|ligne|\(.*?\)|en euros|€|"
        r"a payer))*|h\.t\.|\bht\b|\bttc\b"),
    ("BOTH",
        r"(?:nom\s*(?:,|et|/|&|-)?\s*prenoms?|prenoms?\s*(?:,|et|/|&|-)?\s*nom|"
        r"noms\s+et\s+prenoms)(?:\s+d[eu]s?\s*\w*)*|(?:nom\s+d[eu]s?\s+|identite\s+d[eu]s?\s+)?(?:stagiaires?|"
        r"participante?s?|apprenante?s?|apprenti(?:\(?e\)?)?s?|alternante?s?|candidat(?:\(?e\)?)?s?|beneficiaires?|"
        r"demandeu(?:r|se)s?\s+d'emplois?|salarie(?:\(?e\)?)?s?|eleves?|etudiant(?:\(?e\)?)?s?|auditeurs?|collaborateurs?|identite|"
        r"personne(?: formee)?)(?:\s*\((?:nom|prenom)[^)]*\))?"),
    ("LAST", r"noms?(?:\s+(?:de famille|de naissance|d'usage))?"),
    ("FIRST", r"prenoms?"),
    ("COMPANY", r"entreprises?|employeurs?|societes?|etablissements?|clients?"),
    ("TRAINING",
        r"formations?|actions?|intitules?|designations?|libelles?|modules?|prestations?|descriptions?|objet|diplome|"
        r"parcours|detail"),
    ("START", r"(?:date\s+)?(?:de\s+)?debut|du|entree"),
    ("END", r"(?:date\s+)?(?:de\s+)?fin|au|sortie"),
    ("PART", rf"{MONTH}(?:\s+(?:20)?\d\d)?|(?:0[1-9]|1[0-2])/20\d\d|semaine\s*\d*|s\.?\s?\d\d"),
    ("DATE", r"dates?|jours?|periodes?|mois|sessions?|seances?|horaires?|matin(?:ee)?s?|apres-midis?"),
    ("UNIT", r"unites?|u\."),
    ("INDEX", r"#|n\s?[°o]|rang|lignes?|ref\.?|references?|code"),
)  # fmt: skip
_ROLE = re.compile("|".join(rf"(?P<{role}>(?<!\w)(?:{pattern})(?!\w))" for role, pattern in _ROLES))
_NAMES = {"BOTH", "LAST", "FIRST"}
_FIGURES = {"HOURS", "QUANTITY", "AMOUNT", "PRICE", "PLANNED"}
_DONE = re.compile(r"(?:factur|realis|effectu|retenu)e?e?s?")
_OF = re.compile(r"\s*(?:d[eu]s?|de la|de l'|d')\s*")
_FAMILY = re.compile(r"noms? (?!.*prenom)")
TOTAL = re.compile(
    r"^(?:totaux|total|sous[- ]total|s/total|a reporter|report|montant|net\b|soit\b|arrete|reste|tva|t\.v\.a|base|"
    r"cumul|ensemble|remise|acompte)"
)
_SUM = re.compile(r"^(?:totaux|total|sous[- ]total|s/total|a reporter|report)\b")
_CARRIED = re.compile(r"^(?:a reporter|report|sous[- ]total|s/total|cumul)")


_BESIDE = 6.0  # points by which a cell may end before the first column begins, and still stand in it


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its role, where its head stands, and the head's words, folded."""

    role: str
    x0: float
    x1: float
    head: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line under a head, with the columns that apply to it."""

    line: Line
    columns: tuple[Column, ...]
    adds_up: bool = False  # it says nothing but what the lines above make together

    def of(self, x0: float, x1: float) -> Column | None:
        """Return the column of what stands between two places; a row with a cell for every head has them in order."""
        if self.is_full():
            at = next((at for at, cell in enumerate(self.line.cells) if cell.x0 - 1 <= x0 and x1 <= cell.x1 + 1), None)
            if at is not None:
                return self.columns[at]
        return max(self.columns, key=lambda each: _closeness(each, x0, x1), default=None)

    def is_full(self) -> bool:
        """Whether it has a cell for every head, in their order."""
        cells, heads = self.line.cells, self.columns
        return len(cells) == len(heads) and all(
            (not at or cells[at].x0 > heads[at - 1].x0) and (at + 1 == len(heads) or cells[at].x1 < heads[at + 1].x1)
            for at in range(len(heads))
        )

    def cells(self, *roles: str) -> list[Cell]:
        """Return the cells in columns of these roles."""
        inside = [cell for cell in self.line.cells if cell.x1 > self.columns[0].x0 - _BESIDE] or self.line.cells
        return [cell for cell in inside if (column := self.of(cell.x0, cell.x1)) and column.role in roles]

    def measures(self) -> list[tuple[Measure, Column | None]]:
        """Return the row's numbers with their columns."""
        return [(each, self.of(each.x0, each.x1)) for each in measures(self.line)]

    @property
    def is_total(self) -> bool:
        """Whether it is a sum and no item."""
        return (
            self.adds_up
            or bool(TOTAL.search(self.line.folded))
            or any(_SUM.search(cell.folded) for cell in self.line.cells[1:3])
        )

    @property
    def is_carried(self) -> bool:
        """Whether it is a sum of a part: of a page, of a group."""
        return any(_CARRIED.search(cell.folded) for cell in self.line.cells[:2])


def _closeness(column: Column, x0: float, x1: float) -> float:
    overlap = min(column.x1, x1) - max(column.x0, x0)
    if overlap > 0:
        return overlap + 1000
    return -min(abs(column.x1 - x1), abs(column.x0 - x0), -overlap)


def head(line: Line) -> tuple[Column, ...]:
    """Return the columns that a line is the head of; none if it is no head."""
    columns: list[Column] = []
    covered = letters = 0
    for cell in line.cells:
        folded = aligned(cell.text)
        letters += len(re.sub(r"[\W_]", "", folded))
        matches = list(_ROLE.finditer(folded))
        if not any(each.lastgroup == "END" for each in matches):
            matches = [each for each in matches if each[0] != "du" or len(matches) == 1]
        if any(_OF.fullmatch(folded[one.end() : two.start()]) for one, two in pairwise(matches)):
            covered += sum(len(re.sub(r"[\W_]", "", each[0])) for each in matches[1:])
            matches = matches[:1]  # "prénom du stagiaire"
        for match in matches:
            role = str(match.lastgroup)
            covered += len(re.sub(r"[\W_]", "", match[0]))
            x0, x1 = cell.span(match.start(), match.end())
            whole = len(matches) == 1
            columns.append(Column(role, cell.x0 if whole else x0, cell.x1 if whole else x1, match[0]))
        if not matches:
            columns.append(Column("OTHER", cell.x0, cell.x1, folded))
    if any(each.role == "FIRST" for each in columns):
        columns = [replace(each, role="LAST") if _FAMILY.match(each.head) else each for each in columns]
    if any(each.role == "PLANNED" for each in columns):
        columns = [replace(each, role="HOURS") if _DONE.fullmatch(each.head) else each for each in columns]
    roles = {each.role for each in columns} - {"OTHER"}
    enough = 0.4 if len(roles) > 3 or (roles & _NAMES and "HOURS" in roles) else 0.6
    is_head = len(roles) >= 2 and roles & _FIGURES and covered >= enough * letters and len(line.cells) > 1
    figures = any(each.kind in ("MONEY", "HOURS") for each in measures(line))
    return tuple(columns) if is_head and not figures else ()


@lru_cache(maxsize=4)
def rows(sheet: Sheet) -> tuple[Row, ...]:
    """Return every line that is below a head of a table, down to the next head; a table goes on on the next page."""
    tables: list[list[Row]] = []
    columns: tuple[Column, ...] = ()
    lines = list(sheet.lines)
    for index, line in enumerate(lines):
        if own := head(line):
            columns = _with_second_line(own, lines, index)
            tables.append([])
        elif columns:
            tables[-1].append(Row(line, columns, bool(sums(lines, index))))
    return tuple(row for table in tables for row in _with_billed_hours(_as_wide_as_their_rows(table)))


@lru_cache(maxsize=4)
def lines_of_items(sheet: Sheet) -> frozenset[int]:
    """Return the numbers of the lines between the heads of tables and their totals."""
    found: set[int] = set()
    ended: tuple[Column, ...] | None = None
    for row in rows(sheet):
        if (row.adds_up or _SUM.match(row.line.folded)) and not row.is_carried:
            ended = row.columns
        elif row.columns != ended:
            found.add(row.line.number)
    return frozenset(found)


def _as_wide_as_their_rows(table: list[Row]) -> list[Row]:
    """Widen the columns of a table by what stands in them where a row has a cell for each: heads are to the left of
    what they announce, or to its right."""
    full = [row for row in table if row.is_full() and not row.is_total and any(True for _ in measures(row.line))]
    if not full:
        return table
    cells = list(zip(*(row.line.cells for row in full), strict=True))
    columns = tuple(
        replace(column, x0=min(column.x0, *(one.x0 for one in here)), x1=max(column.x1, *(one.x1 for one in here)))
        for column, here in zip(table[0].columns, cells, strict=True)
    )
    return [replace(row, columns=columns) for row in table]


_MAY_BE_HOURS = ("HOURS", "PART", "OTHER")
_SAYS_HOURS = re.compile(r"\b(?:heures?|hres?|hrs?|h)\b")
_SAYS_DONE = re.compile(r"presen[ct]|realis|effectu|suivi|factur|faites?\b")
_OTHER_UNIT = re.compile(r"jour|jrs?\b|\bj\b|semaine|seance|session|forfait|unite|repas")
_COUNTS = ("NUMBER", "HOURS", "CLOCK")
_CENTS = Decimal("0.0151")


def _with_billed_hours(table: list[Row]) -> list[Row]:
    """Say which of several columns of hours is billed: the only one that all amounts follow, at one price.

    Its head says hours, or what was done of them; what counts anything else is never taken for hours.
    "Inscrit 70,00 | Absences 7,00 | Présences 63,00 | Coût 630,00" and "70,00 | 21,00 | 49,00 | 490,00": presences.
    """
    counting = [figures for row in table if not row.is_total and len(figures := _by_column(row)) > 2]
    same = set.intersection(*(set(each) for each in counting)) if len(counting) > 1 else set()
    if len(same) < 3:
        return table
    *before, last = sorted(same)
    hours = [at for at in before if all(each[at].kind in _COUNTS for each in counting)]
    follow = [at for at in hours if _follow(counting, at, last)]
    columns = list(table[0].columns)
    if len(follow) != 1 or columns[follow[0]].role not in _MAY_BE_HOURS:
        return table
    called, kinds = columns[follow[0]].head, {each[follow[0]].kind for each in counting}
    others = [at for at in hours if at != follow[0]]
    if _OTHER_UNIT.search(called) or not (_SAYS_HOURS.search(called) or _SAYS_DONE.search(called)):
        return table
    if not _SAYS_HOURS.search(called) and any(_SAYS_HOURS.search(columns[at].head) for at in others):
        return table
    if kinds == {"NUMBER"} and any(each[at].kind != "NUMBER" for at in others for each in counting):
        return table  # a unit says which the hours are
    for at in hours:
        if columns[at].role in _MAY_BE_HOURS:
            columns[at] = replace(columns[at], role="HOURS" if at == follow[0] else "PLANNED")
    return [replace(row, columns=tuple(columns)) for row in table]


def _by_column(row: Row) -> dict[int, Measure]:
    """Return the figures of a row by the number of their column; none if two stand in one."""
    found = [(row.columns.index(column), each) for each, column in row.measures() if column]
    return dict(found) if len({at for at, _ in found}) == len(found) else {}


def _follow(counting: Sequence[Mapping[int, Measure]], hours: int, amounts: int) -> bool:
    """Say whether the amounts of rows are those of a column, times one price, and the column's values differ."""
    pairs = [(abs(each[hours].value), abs(each[amounts].value)) for each in counting]
    if not all(hour and amount for hour, amount in pairs) or len({hour for hour, _ in pairs}) == 1:
        return False
    hour, amount = pairs[0]
    return all(abs(amount / hour * other - money) <= _CENTS for other, money in pairs)


_WORDLESS = re.compile(r"(?:[\W\d_]|\b(?:h|hrs?|heures?|eur(?:os?)?)\b)*")
_FURTHEST = 60  # lines that a column may have


def sums(lines: Sequence[Line], index: int) -> list[Measure]:
    """Return the figures of a line without words that are each the sum of the figures above them."""
    line = lines[index]
    if not _WORDLESS.fullmatch(line.folded) or any(True for _ in days(line.text)):
        return []
    return [each for each in measures(line) if _is_sum(each, lines[max(0, index - _FURTHEST) : index], line.page)]


def _is_sum(total: Measure, above: Sequence[Line], page: int) -> bool:
    added, count = Decimal(), 0
    for line in reversed(above):
        under = next((each for each in measures(line) if is_aligned(each, total)), None) if line.page == page else None
        if under is not None:
            added, count = added + under.value, count + 1
            if count > 1 and added == total.value and added:
                return True
    return False


def is_aligned(one: Measure, other: Measure) -> bool:
    """Say whether two figures stand in one column: at one left or right edge, or with one middle."""
    middle = abs(one.x0 + one.x1 - other.x0 - other.x1) / 2
    return min(abs(one.x0 - other.x0), abs(one.x1 - other.x1), middle) < _EDGE


_EDGE = 3.0  # points


def _with_second_line(columns: tuple[Column, ...], lines: Sequence[Line], index: int) -> tuple[Column, ...]:
    """Add what a line just above or below the head says, where the head is of two lines."""
    found = list(columns)
    for near in (index - 1, index + 1):
        if not 0 <= near < len(lines) or lines[near].page != lines[index].page:
            continue
        line = lines[near]
        if abs(line.y - lines[index].y) > 1.6 * line.size or any(True for _ in measures(line)):
            continue
        for cell in line.cells:
            match = _ROLE.match(aligned(cell.text))
            over = next((each for each in found if each.x0 < cell.x1 and cell.x0 < each.x1), None)
            if match and over is None:
                found.append(Column(str(match.lastgroup), cell.x0, cell.x1, match[0]))
            elif (
                match
                and over
                and match.lastgroup in ("HOURS", "PLANNED")
                and over.role in ("QUANTITY", "AMOUNT", "INDEX", "HOURS", "OTHER")
            ):
                found[found.index(over)] = Column(
                    str(match.lastgroup), min(over.x0, cell.x0), max(over.x1, cell.x1), f"{over.head} {match[0]}"
                )
    return tuple(sorted(found, key=lambda each: each.x0))


def is_of_names(columns: Sequence[Column]) -> bool:
    """Say whether a table has a column for names of persons."""
    return any(each.role in _NAMES for each in columns)


def family_first(columns: Sequence[Column]) -> bool | None:
    """Say what the head tells of the order of names; None if nothing."""
    for each in columns:
        if each.role == "BOTH" and "nom" in each.head and "prenom" in each.head:
            return not each.head.startswith("prenom")
    return None


def product(found: Sequence[Measure]) -> tuple[Measure, Measure, Measure] | None:
    """Return quantity, price and amount of a row: three numbers, in this order, of which the last is the product."""
    figures = [each for each in found if each.kind not in ("PERCENT", "DAYS", "HALF_DAYS") and each.value]
    for end in range(len(figures) - 1, 1, -1):  # the amount stands last; before it may be "3 trainees x 14 h = 42 h"
        for at in range(end - 1, 0, -1):
            for quantity in figures[:at]:
                if quantity.kind != "MONEY" and is_product(quantity.value, figures[at].value, figures[end].value):
                    return quantity, figures[at], figures[end]
    return None


def is_product(quantity: Decimal, price: Decimal, amount: Decimal) -> bool:
    """Say whether quantity x price is the amount, but for rounding; signs do not count."""
    return abs(abs(quantity * price) - abs(amount)) <= Decimal("0.0151") and abs(amount) > 0
