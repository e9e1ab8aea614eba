"""The hours of the whole invoice: printed as a total, in a sentence, or made by what is printed."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from . import items, tables
from .dates import aligned
from .items import Total
from .labels import Sheet, announced, paragraphs
from .layout import Line
from .measures import Measure, in_text, measures
from .tables import Row

_CENT = Decimal("0.01")
_HOURS_LABELS = (
    ("total of hours", 95, re.compile(

            r"(?<!\w)(?:total|totaux|nombre total|nb total|volume total|cumul|duree totale|quantite totale|"
            r"total general)\s*(?:des?|d'|en|:)?\s*(?:heures?|hres?|h\b|quantites?|qte|duree|"
            r"volume)?(?:\s*[-/ ]?\s*(?:stagiaires?|facturees?|realisees?|effectuees?|formation|dispensees?|"
            r"apprenants?))*"
        r"(?!\s*(?:h\.?\s?t|ttc|t\.t|tva|net|a payer|general))")),
    ("hours done", 90, re.compile(

            r"(?<!\w)(?:(?:nombre|nb\.?|nbre|volume)\s*(?:d'|de )?(?:heures?|horaire)|heures?|volume horaire|quantite|"
            r"qte|duree)\s*(?:[-/ ]?\s*(?:stagiaires?|facturees?|realisees?|effectuees?|dispensees?|suivies?|totales?|"
            r"globales?|de formation|de presence|\(h(?:eures)?\)))*\s*(?:facturees?|realisees?|effectuees?)?")),
    ("hours said", 86, re.compile(r"(?<!\w)(?:total|volume|duree|heures?|nombre d'heures)\b[^:\d]{1,50}:")),
    ("in a sentence", 90, re.compile(
        r"(?:pour |soit )?(?:une? )?(?:duree totale|total|volume total|duree|"
        r"volume)(?: global)?(?: horaire)? (?:facturee? )?de\s+")),
    ("in a sentence", 80, re.compile(r"(?<!\w)soit\s+(?:un total de\s+)?")),
)  # fmt: skip
_PER_PERSON = re.compile(
    r"par (?:stagiaire|apprenant|participant|personne|jour|semaine|mois|session)|/\s?(?:stagiaire|jour|semaine|"
    r"mois)|chacun|individuel|unitaire|minim|absen|prevu|conventionn|\bcontrat|plus de|delai"
)


_HOURLY = re.compile(r"\bheures?\b|horaire|/\s?h\b|\bnb\.? h\b|\((?:h|heu|hur)\)|\d\s?(?:h|heu|hur)\b|\bh\.?/stag")
_UNITS = {"h", "hr", "hrs", "heu", "hur", "heure", "heures"}


def is_in_hours(sheet: Sheet) -> bool:
    """Say whether the invoice counts in hours at all."""
    if any(cell.folded.strip(" .") in _UNITS for line in sheet.lines for cell in line.cells):
        return True
    return any(_HOURLY.search(aligned(line.text)) for line in sheet.lines)


def hours(sheet: Sheet, excl: Decimal | None = None, *, in_hours: bool) -> list[Total]:
    """Return what may be the hours of the whole invoice, the surest first; equal ones once.

    `excl` is the amount without tax: lines that multiply and make it count everything that is invoiced.
    """
    found: dict[Decimal, Total] = {}
    sums = {row.line.number: row for row in tables.rows(sheet) if row.is_total}

    def offer(value: Decimal, sure: int, line: Line, rule: str) -> None:
        value = abs(value)
        if 0 < value < 200_000 and sure > (found[value].confidence if value in found else 0):
            found[value] = Total(value, sure, line, rule)

    for rule, sure, label in _HOURS_LABELS:
        for places in announced(sheet, label):
            for each in places:
                if tables.head(each.at) and (each.how != "below" or "total" not in each.label):
                    continue
                near = aligned(each.text)[:60]
                if re.search(r"report|sous-|\d\s?$", each.before[-12:]) or _PER_PERSON.search(f"{each.label} {near}"):
                    break
                first = next(iter(in_text(each.text)), None)
                row = sums.get(each.line.number)
                total = _hours_of_total_row(row, in_hours=in_hours) if row else None
                if first and total and total.value != first[1]:
                    break  # of several columns of hours the first, and not the one that is invoiced
                units = rule != "hours said" and (
                    "heure" in each.label or "volume" in each.label or re.search(r"\bh\b", each.label)
                )
                accepted = (
                    ("HOURS", "CLOCK", "NUMBER")
                    if units
                    else ("HOURS", "CLOCK")
                    if "total" in each.label and rule != "hours said"
                    else ("HOURS",)
                )
                if first and first[2] < 4 and first[0] in accepted:
                    offer(
                        first[1],
                        sure
                        - {"same": 0, "right": 1, "above": 6, "below": 6}[each.how]
                        - (8 if first[0] == "NUMBER" else 0),
                        each.line,
                        rule,
                    )
                    break
    for value, sure, line, rule in (*_in_tables(sheet, in_hours=in_hours), *_for_all_trainees(sheet)):
        if excl is None or abs(value) != abs(excl):
            offer(value, sure, line, rule)
    for value, sure, line, rule in _from_prices(sheet, excl, list(found.values()), in_hours=in_hours) if excl else ():
        offer(value, sure, line, rule)
    several = sum(each.rule == "hours done" for each in found.values()) > 1  # a label of each trainee's hours
    totals = [
        replace(each, confidence=60) if several and each.rule == "hours done" else each for each in found.values()
    ]
    return sorted(totals, key=lambda each: -each.confidence)


_FOR_EACH = re.compile(
    r"\s*(?:chacune?\b|(?:/\s?|par |pour chaque )(?:stagiaire|apprenant|participant|personne|beneficiaire|salarie))"
)


def hours_of_each(sheet: Sheet) -> tuple[Line, Decimal] | None:
    """Return the hours that every trainee has, if that is said of one number only: "21 heures par personne"."""
    said = {
        hours: line
        for line, text in paragraphs(sheet)
        for kind, hours, _, to in in_text(text)
        if kind == "HOURS" and _FOR_EACH.match(aligned(text[to:]))
    }
    return next(((line, hours) for hours, line in said.items()), None) if len(said) == 1 else None


_Offer = tuple[Decimal, int, Line, str]


def _in_tables(sheet: Sheet, *, in_hours: bool) -> Iterator[_Offer]:
    """Give the sums of tables: rows that are called so, figures that add up, columns of hours."""
    for row in tables.rows(sheet):
        if row.is_total and not row.is_carried and (total := _hours_of_total_row(row, in_hours=in_hours)):
            yield total.value, 94, row.line, "row of totals"
    for index, line in enumerate(sheet.lines):
        for figure in tables.sums(sheet.lines, index):
            if figure.kind != "MONEY":
                yield figure.value, 90 if figure.kind == "HOURS" else 70, line, "sum of the lines above"
    if column := _column_of_hours(sheet):
        yield column


def _for_all_trainees(sheet: Sheet) -> Iterator[_Offer]:
    for line in sheet.lines:
        for product in _multiplied(line.text):
            yield product, 94, line, "hours x trainees"
    counted = [(value, line) for line, text in paragraphs(sheet) for value in _of_all_trainees(text)]
    for value, line in counted:
        yield value, 93 if len({one for one, _ in counted}) == 1 else 70, line, "hours of all trainees"


def _from_prices(sheet: Sheet, excl: Decimal, found: list[Total], *, in_hours: bool) -> Iterator[_Offer]:
    """Give the hours that prices turn into the amount, where nothing is printed as the total: that is not put right."""
    for line in sheet.lines if not found else ():
        for each in measures(line):
            if each.kind == "HOURS" and items.makes(sheet, each.value, excl):
                yield each.value, 82, line, "hours that a price turns into the amount"
    counted = items.items(sheet, in_hours=in_hours)
    every = sum((abs(each[2].value) for each in (*counted, *items.flat(sheet))), Decimal())
    if counted and abs(every - abs(excl)) <= _CENT and not any(each.confidence >= 90 for each in found):
        told = all(each[0].kind == "HOURS" or abs(each[1].value) < items.DEAREST_HOUR for each in counted)
        total = sum((abs(each[0].value) for each in counted), Decimal())
        yield total, 88 if told else 60, counted[0][3], "items that make the amount"


def _of_all_trainees(text: str) -> Iterator[Decimal]:
    """Give the hours that a text counts for all trainees: "189 heures-stagiaires", "7 stagiaires x 21 heures"."""
    folded = aligned(text)
    found = list(in_text(text))
    for kind, hours, start, to in found:
        of_all = re.search(r"h\w*[\s-]+(?:stagiaires?|apprenants?|participants?)(?:\(s\))?$", folded[start:to])
        if kind == "HOURS" and (of_all or re.match(r"\W{0,2}(?:au total|en tout|au global)\b", folded[to:])):
            yield hours
    for one, two in pairwise(found):
        between, before = folded[one[3] : two[2]], folded[max(0, one[2] - 25) : one[2]]
        people = re.search(_PEOPLE, between) or re.search(rf"{_PEOPLE}\W{{1,8}}$", before)
        if one[0] == "NUMBER" and two[0] == "HOURS" and people and re.search(r"[x\u00d7*]\s*$", between):
            yield one[1] * two[1]


_PEOPLE = r"(?:stagiaire|participant|apprenant|apprenti|beneficiaire|salarie|personne|alternant)\w{0,2}(?:\(s\))?"


def _multiplied(text: str) -> Iterator[Decimal]:
    """Give the hours that a text says to be a product: "14 h x 5 stagiaires = 70 h"."""
    found = [each for each in in_text(text) if each[0] in ("HOURS", "NUMBER")]
    for one, two, three in zip(found, found[1:], found[2:], strict=False):
        signs = aligned(text)[one[3] : two[2]], aligned(text)[two[3] : three[2]]
        times, equals = re.search(r"[x\u00d7*]", signs[0]), re.search(r"=|soit", signs[1])
        if times and equals and "HOURS" in (one[0], two[0], three[0]) and one[1] * two[1] == three[1]:
            yield three[1]


def _column_of_hours(sheet: Sheet) -> tuple[Decimal, int, Line, str] | None:
    """Return the sum of a column of hours in a table that names nobody: "3 trainees, 14 h each, 42 h in all"."""
    found = []
    for row in tables.rows(sheet):
        if row.is_total or tables.is_of_names(row.columns):
            continue
        inside = [
            (each, column)
            for each, column in row.measures()
            if column and column.role == "HOURS" and each.kind in ("HOURS", "NUMBER", "CLOCK")
        ]
        named = [pair for pair in inside if "total" in pair[1].head]
        if len(inside) == 1 or len(named) == 1:
            found.append((named or inside)[0][0].value)
            line = row.line
    return (sum(map(abs, found), Decimal()), 84, line, "column of hours") if found else None


def _hours_of_total_row(row: Row, *, in_hours: bool) -> Measure | None:
    pairs = row.measures()
    explicit = [each for each, column in pairs if each.kind == "HOURS" and column and column.role == "HOURS"]
    explicit = explicit or [each for each, column in pairs if each.kind == "HOURS" and not _is_planned(column)]
    if explicit:
        return explicit[-1] if len({each.value for each in explicit}) == 1 else None
    roles = ("HOURS", "QUANTITY") if in_hours else ("HOURS",)
    inside = [each for each, column in pairs if column and column.role in roles and each.kind in ("NUMBER", "CLOCK")]
    return inside[0] if len(inside) == 1 else None


def _is_planned(column: tables.Column | None) -> bool:
    return column is not None and column.role == "PLANNED"
