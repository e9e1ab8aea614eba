"""Number and date of an invoice that no label announces: what looks like one, where one would stand.

Many weak clues make a candidate; none of them is sure, so a person confirms what is found here.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from . import dates, tables
from .dates import DAY, aligned
from .folding import fold
from .labels import Sheet, value
from .layout import Cell, Line
from .measures import has_check_digit, measures
from .result import Value

_SUREST = 76  # below what needs no person
_HEAD = 30  # lines of the first page in which a head stands
_TOKEN = re.compile(
    r"(?<![\w@./+-])(?=[\w/.-]*\d)[A-Za-z0-9]{1,12}(?:[/_.\-]+[A-Za-z0-9]+){0,4}(?![\w@%€]|\s?[€%]|,\d)"
)
_PAPER = re.compile(r"factures?|factur|\bavoir\b|honoraires|note de (?:credit|debit)|memoire|\bpiece\b|\bdocument\b")
_OF_OTHERS = re.compile(
    r"client|dossier|convention|contrat|commande|devis|accord|siret|siren|\bnda\b|declaration|\btva\b|\biban\b|\bbic\b|"
    r"\bnaf\b|\bape\b|\brcs\b|\btel|\bfax|\bcode|agrement|activite|compte|capital|session|\bcpf\b|\bcoh?efi|deca\b|"
    r"adherent|engagement|\barticle|\bart\.|\brue\b|avenue|boulevard|place\b|allee|chemin|\bbp\b|\bcs\b|\bza\b|\bzi\b|"
    r"qualiopi|certificat|uai|banque|guichet|page\b"
)
_NO_NUMBER = re.compile(
    rf"{DAY}|\d{{1,3}}|\d{{5}}|\d{{11,}}|0\d(?:[ .]\d\d){{4}}|(?:19|20)\d\d|\d{{4}}[a-z]|fr\d.*|www.*|"
    r".*\.(?:fr|com|org|example)|"
    r"\d+[.,]\d\d|\d+h\d*|(?:0?[1-9]|1[0-2])/20\d\d|[a-z]?\d{1,2}[a-z]?|\d{1,3}/\d{1,3}|"
    r"(?:iso|art|bts?|cap|niveau)[-/. ]?\w*"
)


def number(sheet: Sheet) -> list[Value]:
    """Return what may be the invoice's number, the likeliest first."""
    seen: dict[str, int] = {}
    for line in sheet.lines:
        for match in _TOKEN.finditer(line.text):
            seen[match[0]] = seen.get(match[0], 0) + 1
    found: dict[str, tuple[int, Line]] = {}
    for line, cell, match in _tokens(sheet):
        token, folded = match[0].strip(".-/"), fold(match[0].strip(".-/"))
        near = _near(sheet, line, cell, aligned(cell.text)[: match.start()])
        siren = re.fullmatch(r"\d{9}", token) and has_check_digit(token)
        if siren or _NO_NUMBER.fullmatch(folded) or _OF_OTHERS.search(near):
            continue
        sure = 36 + 12 * bool(re.search(r"[a-z]", folded) and len(folded) > 4) + 14 * bool(_PAPER.search(near))
        sure += 8 * bool(re.search(r"20[2-3]\d|(?<!\d)2\d(?=[-/.\d])", folded)) + 6 * (seen[match[0]] > 1)
        sure += 8 * (len(cell.text) - len(token) < 5) + 4 * (cell.size > 11) - line.number // 4
        if sure > found.get(token, (0, line))[0]:
            found[token] = (sure, line)
    return _ranked(
        (value(token, min(_SUREST, sure), line, "looks like a number") for token, (sure, line) in found.items())
    )


def _tokens(sheet: Sheet) -> Iterator[tuple[Line, Cell, re.Match[str]]]:
    rows = {row.line.number for row in tables.rows(sheet)}
    for line in sheet.lines[:_HEAD]:
        for cell in line.cells if line.page == sheet.lines[0].page and line.number not in rows else ():
            if len(cell.text) < 60:
                yield from ((line, cell, match) for match in _TOKEN.finditer(cell.text))


def _near(sheet: Sheet, line: Line, cell: Cell, before: str) -> str:
    """Return what stands before a text: in its cell, left of it, above it."""
    left = next((other.folded for other in reversed(line.cells) if other.x1 <= cell.x0), "")
    over = [
        other.folded
        for one in sheet.lines[: line.number]
        if one.page == line.page and 0 < one.y - line.y < 2.2 * max(cell.size, one.size)
        for other in one.cells
        if other.x0 < cell.x1 and cell.x0 < other.x1
    ]
    above = over[-1] if over else ""
    under = next((one for one in sheet.lines if one.number == line.number + 1 and one.page == line.page), None)
    below = [other.folded for other in under.cells if abs(other.x0 - cell.x0) < 3] if under else []
    above += " ".join(each for each in below if re.match(r"(?:facture|avoir)\b", each))
    return f"{'' if re.search(r'[.,;]$', above) else above} | {left[-30:]} | {before[-40:]}"


_OTHER_DAY = re.compile(
    r"echeance|limite|regl|payable|paiement|payer|debut|\bfin\b|naissance|\bnee?\b|livraison|version|commande|convention|session|"
    r"validite|compter|effet|accord|contrat|verse|acompte|origine|annul|relati|virement|prelev|terme|avant|\bdu\b|\bau\b|"
    r"period|formation|stage|realis|module|jour"
)
_NUMBERED = re.compile(rf"{_PAPER.pattern}|n\s?°|\bnumero")
_TERMS = (30, 31, 45, 60)  # days in which French invoices are paid


def day_of_issue(sheet: Sheet) -> list[Value]:
    """Return the days that may be the invoice's date, the likeliest first."""
    every = {read for line in sheet.lines for read, _, _ in dates.days(line.text)}
    found: dict[date, tuple[int, Line]] = {}
    for line in sheet.lines:
        if len([each for each in measures(line) if each.kind in ("HOURS", "MONEY") or each.decimals == 2]) > 1:
            continue  # the day of a session
        for cell in line.cells:
            inside = [(each.at, each.to) for each in dates.periods(cell.text)]
            for read, at, to in dates.days(cell.text):
                near = _near(sheet, line, cell, aligned(cell.text)[:at])
                if _OTHER_DAY.search(near.split("|")[-1]) or any(start <= at < end for start, end in inside):
                    continue
                sure = 50 - 14 * bool(_OTHER_DAY.search(near)) + 10 * bool(_NUMBERED.search(near)) - line.number // 4
                sure += 8 * (len(cell.text) - (to - at) < 30) + 10 * any(
                    read + timedelta(each) in every for each in _TERMS
                )
                if sure > found.get(read, (0, line))[0]:
                    found[read] = (sure, line)
    return _ranked(
        (value(read, min(_SUREST, sure), line, "day that is of nothing else") for read, (sure, line) in found.items())
    )


def _ranked(found: Iterable[Value]) -> list[Value]:
    return sorted(found, key=lambda each: -each.confidence)
