"""What an invoice says in sum: hours, amount without tax, tax, amount with tax."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from . import tables
from .dates import aligned
from .labels import Sheet, announced, paragraphs
from .layout import Line
from .measures import Measure, in_text, measures
from .tables import Row

_CENT = Decimal("0.01")
_EXCL = re.compile(
    r"(?<!\w)(?:(?:sous[- ])?totaux?|montants?|net|base|total general|prix|cout|somme)?\s*(?:general |global |"
    r"total |net |facture )*(?:\(?h\.?\s?t\.?(?!\w)\)?|hors[- ]taxes?|hors tva)(?:\s*\(?(?:en )?(?:€|"
    r"eur(?:os)?)\)?)?"
)
_VAT = re.compile(
    r"(?<!\w)(?:montant |total |dont )*(?:de la )?(?:t\.v\.a\.?|tva|vat|taxes?)(?!\w)(?!\s*(?:intra|non|sur|fr|n°|"
    r":?\s*fr|acquitt))"
)
_INCL = re.compile(
    r"(?<!\w)(?:(?:totaux?|montants?|net|solde|somme|reste)\s*(?:general |global |total |net |facture |"
    r"due? )*(?:\(?t\.?\s?t\.?\s?c\.?(?!\w)\)?|toutes taxes comprises)|net a (?:payer|regler)(?:\s*t\.?t\.?c\.?)?|"
    r"total a (?:payer|regler)|total(?=\s*:)|(?:net|total) a votre (?:debit|credit)|total net(?! h)|"
    r"montant (?:du|a payer|a regler|net)|net eur\w*|net (?:de taxes?|de tva|total)|reste a payer|a payer|"
    r"total general|t\.t\.c\.|ttc)(?:\s*\(?(?:en )?(?:€|eur(?:os)?)\)?)?"
)
_IN_PROSE = re.compile(r"(?:s'eleve\w*|se monte|est) (?:donc )?a (?:la somme de )?|arrete\w* .{0,60}somme de ")
_NO_VAT = re.compile(
    r"tva non applicable|exon[e]r|non assujetti|nets? de (?:taxe|tva)|hors champ|293 ?b|261[-. ]?4|sans tva|tva\s*:?\s*(?:neant|nulle)|"
    r"franchise"
)
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
    r"mois)|chacun|individuel|unitaire|minim|absen|prevu|conventionn|plus de|delai"
)


DEAREST_HOUR = 150  # euros; more is the price of a day, or of a person
_UNITS = {"h", "hr", "hrs", "heure", "heures"}


@dataclass(frozen=True, slots=True)
class Total:
    """A sum as printed, with how believable it is."""

    value: Decimal
    confidence: int
    line: Line
    rule: str


def is_in_hours(sheet: Sheet) -> bool:
    """Say whether the invoice counts in hours at all."""
    if any(cell.folded.strip(" .") in _UNITS for line in sheet.lines for cell in line.cells):
        return True
    return any(
        re.search(r"\bheures?\b|horaire|\bnb\.? h\b|\(h\)|\d\s?h\b|\bh\.?/stag", aligned(line.text))
        for line in sheet.lines
    )


def hours(sheet: Sheet, excl: Decimal | None = None, *, in_hours: bool) -> list[Total]:
    """Return what may be the hours of the whole invoice, the surest first; equal ones once.

    `excl` is the amount without tax: lines that multiply and make it count everything that is invoiced.
    """
    found: dict[Decimal, Total] = {}

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
    for row in tables.rows(sheet):
        if row.is_total and not row.is_carried and (total := _hours_of_total_row(row, in_hours=in_hours)):
            offer(total.value, 94, row.line, "row of totals")
    for index, line in enumerate(sheet.lines):
        for each in tables.sums(sheet.lines, index):
            if each.kind != "MONEY":
                offer(each.value, 90 if each.kind == "HOURS" else 70, line, "sum of the lines above")
        for product in _multiplied(line.text):
            offer(product, 94, line, "hours x trainees")
    counted_for_all = [(each, line) for line, text in paragraphs(sheet) for each in _of_all_trainees(text)]
    for each, line in counted_for_all:
        offer(each, 93 if len({one for one, _ in counted_for_all}) == 1 else 70, line, "hours of all trainees")
    if column := _column_of_hours(sheet):
        offer(*column)
    counted = items(sheet, in_hours=in_hours)
    for line in sheet.lines if excl and not found else ():
        for each in measures(line):
            if each.kind == "HOURS" and makes(sheet, each.value, excl):
                offer(each.value, 82, line, "hours that a price turns into the amount")
    said = any(each.confidence >= 90 for each in found.values())  # what is printed as the total is not put right
    if (
        excl
        and counted
        and not said
        and abs(sum(abs(each[2].value) for each in (*counted, *_flat(sheet))) - abs(excl)) <= _CENT
    ):
        told = all(each[0].kind == "HOURS" or abs(each[1].value) < DEAREST_HOUR for each in counted)
        total = sum((abs(each[0].value) for each in counted), Decimal())
        offer(total, 88 if told else 60, counted[0][3], "items that make the amount")
    several = sum(each.rule == "hours done" for each in found.values()) > 1  # a label of each trainee's hours
    totals = [
        replace(each, confidence=60) if several and each.rule == "hours done" else each for each in found.values()
    ]
    return sorted(totals, key=lambda each: -each.confidence)


def makes(sheet: Sheet, hours: Decimal, excl: Decimal, dearest: int = DEAREST_HOUR) -> bool:
    """Say whether hours times a printed price are an amount; no price of an hour is higher than `dearest`, in euros."""
    return bool(hours and excl) and any(
        1 < each <= dearest and abs(each * abs(hours) - abs(excl)) <= Decimal("0.06")
        for each in set(printed_numbers(sheet))
    )


def _of_all_trainees(text: str) -> Iterator[Decimal]:
    """Give the hours that a text counts for all trainees: "189 heures-stagiaires", "7 stagiaires x 21 heures"."""
    folded = aligned(text)
    found = list(in_text(text))
    for kind, hours, start, to in found:
        if kind == "HOURS" and re.search(
            r"h\w*[\s-]+(?:stagiaires?|apprenants?|participants?)(?:\(s\))?$", folded[start:to]
        ):
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


_Item = tuple[Measure, Measure, Measure, Line]


def items(sheet: Sheet, *, in_hours: bool) -> list[_Item]:
    """Return the lines that multiply hours: quantity, price, amount; without fees, of which there is one or none."""
    if not in_hours:
        return []
    found = [each for each in _products(sheet) if each[0].kind == "HOURS" or abs(each[1].value) <= DEAREST_HOUR]
    return [each for each in found if not _is_flat(each)] or found


def _flat(sheet: Sheet) -> list[_Item]:
    found = _products(sheet)
    flat = [each for each in found if _is_flat(each) or abs(each[1].value) > DEAREST_HOUR]
    return flat if len(flat) < len(found) else []


def _is_flat(item: _Item) -> bool:
    unit = any(_FLAT_UNIT.fullmatch(cell.folded.strip(" .")) for cell in item[3].cells)
    return item[0].kind != "HOURS" and (item[0].value == 1 or unit)


_FLAT_UNIT = re.compile(r"u|un|unites?|forfaits?|ff?t|ens|pce|pieces?|jours?|j|lot|stagiaires?|pers(?:onnes?)?|mois")


def _products(sheet: Sheet) -> list[_Item]:
    found = []
    rows = {row.line.number: row for row in tables.rows(sheet)}
    for line in sheet.lines:
        if re.match(r"total|sous", line.folded):
            continue
        row = rows.get(line.number, Row(line, ()))
        if proof := tables.product(list(measures(line))):
            found.append((*_turned(proof, row), line))
    return found


def _turned(proof: tuple[Measure, Measure, Measure], row: Row) -> tuple[Measure, Measure, Measure]:
    """Put quantity and price in their order: a column says which is which, a unit, or the decimals of a price."""
    one, two, amount = proof
    roles = [column.role if (column := row.of(each.x0, each.x1)) else "" for each in (one, two)]
    if two.kind == "MONEY":
        return proof
    price_first = roles[0] == "PRICE" or roles[1] in ("QUANTITY", "HOURS") or two.kind == "HOURS"
    quantity_first = roles[1] == "PRICE" or roles[0] in ("QUANTITY", "HOURS") or one.kind == "HOURS"
    if price_first == quantity_first:
        price_first = one.decimals == 2 and not two.decimals
    return (two, one, amount) if price_first else proof


# Amounts -----------------------------------------------------------------------------------------------------------


def amounts(sheet: Sheet) -> dict[str, Total]:
    """Return amount_excl_vat, vat_amount and amount_incl_vat, as far as they are printed and agree with each other."""
    excl = _amounts(sheet, _EXCL, 92)
    vat = _amounts(sheet, _VAT, 90)
    incl = _amounts(sheet, _INCL, 92) or list(_amounts_in_prose(sheet))
    exempt = next((line for line in sheet.lines if _NO_VAT.search(line.folded)), None)
    if exempt is not None:
        vat.append(Total(Decimal("0.00"), 80, exempt, "exempt from VAT"))
    for one in incl:
        for two in excl:
            for tax in vat:
                if two.value + tax.value == one.value and abs(two.value) >= abs(tax.value):
                    return {"amount_excl_vat": _sure(two), "vat_amount": _sure(tax), "amount_incl_vat": _sure(one)}
    if not incl and not excl:
        incl = _largest(sheet, vat)
    if incl and not excl:
        whole = max(incl, key=lambda each: abs(each.value))  # what one trainee costs may be labelled alike
        taxes = [each for each in vat if abs(each.value) < abs(whole.value)]
        if taxes and taxes[0].value == 0:
            net = Total(whole.value, min(88, whole.confidence), whole.line, "amount without VAT, as there is none")
            return {"amount_excl_vat": net, "vat_amount": taxes[0], "amount_incl_vat": whole}
    if incl and not excl and not vat:
        line = incl[0].line
        none = Total(Decimal("0.00"), 60, line, "no tax is named")
        return {"amount_excl_vat": replace(incl[0], confidence=60), "vat_amount": none, "amount_incl_vat": incl[0]}
    if incl and vat and not excl:
        excl = _printed(sheet, incl[0].value - vat[0].value)
    return {
        name: each[0]
        for name, each in (("amount_excl_vat", excl), ("vat_amount", vat), ("amount_incl_vat", incl))
        if each
    }


def _printed(sheet: Sheet, amount: Decimal) -> list[Total]:
    """Return an amount if it is printed anywhere."""
    lines = [line for line in sheet.lines if any(each.value == amount for each in measures(line))]
    return [Total(amount, 88, lines[-1], "amount with VAT less VAT, printed")] if lines and amount else []


def _largest(sheet: Sheet, vat: list[Total]) -> list[Total]:
    """Return the largest amount that is printed, if there is no tax that had to be told from it."""
    every = [
        (abs(each.value), line)
        for line in sheet.lines
        for each in measures(line)
        if each.kind == "MONEY" or (each.kind == "NUMBER" and each.decimals == 2)
    ]
    if not every or any(each.value for each in vat):
        return []
    if not vat:
        vat.append(Total(Decimal("0.00"), 60, every[0][1], "no tax is named"))
    amount, line = max(every, key=lambda pair: pair[0])
    return [Total(amount.quantize(_CENT), 70, line, "largest amount")]


def _sure(total: Total) -> Total:
    return Total(total.value, 98, total.line, total.rule + ", sums agree")


def _amounts(sheet: Sheet, label: re.Pattern[str], sure: int) -> list[Total]:
    """Return the amounts behind a label, in the order of the page turned round: totals stand at the end."""
    found: dict[Decimal, Total] = {}
    for places in announced(sheet, label):
        for each in places:
            if tables.head(each.line) and each.how != "below":
                continue
            if label is _VAT and re.search(r"(?:net|hors|sans|exoner\w*)\s+(?:de\s+)?$", each.before):
                break
            number = _amount_in(each.text) if each.how != "same" else _last_amount(each.text)
            if number is None and each.how != "below":
                rest = [
                    m
                    for m in measures(each.line)
                    if m.kind in ("MONEY", "NUMBER") and m.x0 > each.cell.x0 and m.decimals == 2
                ]
                number = rest[-1].value if rest else None
            if number is not None:
                found.setdefault(
                    number,
                    Total(
                        number,
                        sure - {"same": 0, "right": 1, "above": 6, "below": 6}[each.how],
                        each.line,
                        "labelled amount",
                    ),
                )
                break
    return sorted(found.values(), key=lambda each: -each.line.number)


def _amounts_in_prose(sheet: Sheet) -> Iterator[Total]:
    """Give the amount of a sentence such as "le montant de la facture s'élève à 420,00 €", with tax or without any."""
    for places in announced(sheet, _IN_PROSE):
        for each in places[:1]:
            money = next((one for one in in_text(each.text) if one[0] == "MONEY"), None)
            told = re.search(r"factur|montant|somme|total|avoir", each.before + each.label)
            if money and money[2] < 3 and told and not _EXCL.match(aligned(each.text)[money[3] :].lstrip()):
                yield Total(money[1].quantize(_CENT), 86, each.line, "amount in a sentence")


def _last_amount(text: str) -> Decimal | None:
    numbers = [
        value
        for kind, value, start, to in in_text(text)
        if kind == "MONEY" or (kind == "NUMBER" and re.search(r"[.,]\d\d\)?-?$", text[start:to].strip()))
    ]
    return numbers[-1].quantize(_CENT) if numbers else None


def _amount_in(text: str) -> Decimal | None:
    first = next((each for each in in_text(text) if each[0] != "PERCENT"), None)
    if first is None or first[0] not in ("MONEY", "NUMBER") or first[2] > 3:
        return None
    kind, value, start, to = first
    return value.quantize(_CENT) if kind == "MONEY" or re.search(r"[.,]\d\d\)?-?$", text[start:to].strip()) else None


def printed_numbers(sheet: Sheet) -> Iterator[Decimal]:
    """Give every number on the invoice that may be a price."""
    for line in sheet.lines:
        for each in measures(line):
            if each.kind == "MONEY" or (each.kind == "NUMBER" and each.decimals >= 2):
                yield abs(each.value)
