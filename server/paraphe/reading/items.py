"""Lines that multiply, and prices: quantity x price = amount is what proves hours more surely than any word."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from . import tables
from .labels import Sheet
from .layout import Line
from .measures import Measure, measures
from .tables import Row

DEAREST_HOUR = 150  # euros; more is the price of a day, or of a person


@dataclass(frozen=True, slots=True)
class Total:
    """A sum as printed, with how believable it is."""

    value: Decimal
    confidence: int
    line: Line
    rule: str


Item = tuple[Measure, Measure, Measure, Line]


def items(sheet: Sheet, *, in_hours: bool) -> list[Item]:
    """Return the lines that multiply hours: quantity, price, amount; without fees, of which there is one or none."""
    if not in_hours:
        return []
    found = [each for each in _products(sheet) if each[0].kind == "HOURS" or abs(each[1].value) <= DEAREST_HOUR]
    return [each for each in found if not _is_flat(each)] or found


def without_unit(sheet: Sheet, excl: Decimal | None) -> list[Item]:
    """Return the lines of an invoice that names no unit, if their prices may be those of hours and make its amount.

    That one of them is no whole number tells hours from pieces.
    """
    found = _products(sheet)
    added = sum((abs(each[2].value) for each in found), Decimal())
    cheap = all(abs(each[1].value) <= DEAREST_HOUR and each[0].kind == "NUMBER" for each in found)
    parts = any(each[0].value % 1 for each in found)
    return found if cheap and parts and excl is not None and abs(added - abs(excl)) <= Decimal("0.02") else []


_OTHER_UNITS = (
    ("HALF_DAY", re.compile(r"demi-?\s?journees?|(?:1\W2|\u00bd)\s?j(?:ournees?|ours?)?\b")),
    ("DAY", re.compile(r"\b(?:jours?|journees?|jrs?|nb j)\b|\d ?j\b")),
    ("MONTH", re.compile(r"\bmois\b")),
)


def in_another_unit(sheet: Sheet, excl: Decimal) -> tuple[Decimal, str, Line] | None:
    """Return what an invoice counts that names no hours: HALF_DAY, DAY or MONTH, if its prices make the amount."""
    found = _products(sheet, ("DAYS", "HALF_DAYS"))
    if found and abs(sum((abs(each[2].value) for each in found), Decimal()) - abs(excl)) <= Decimal("0.02"):
        lines = [line for line in sheet.lines if tables.head(line)] + [each[3] for each in found]
        said = "  ".join(line.folded for line in lines)
        unit = next((name for name, words in _OTHER_UNITS if words.search(said)), None)
        return (sum((abs(each[0].value) for each in found), Decimal()), unit, found[0][3]) if unit else None
    for line in sheet.lines:
        for match in _MONTHS.finditer(line.folded):
            months = Decimal(match[1].replace(",", "."))
            if makes(sheet, months, excl, _DEAREST_MONTH):
                return months, "MONTH", line
    return None


_MONTHS = re.compile(r"(?<![\w,.])(\d{1,3}(?:[.,]\d{1,2})?) mois\b")
_DEAREST_MONTH = 5_000  # euros


def flat(sheet: Sheet) -> list[Item]:
    """Return the lines that multiply something else: fees, days; none if all do."""
    found = _products(sheet)
    others = [each for each in found if _is_flat(each) or abs(each[1].value) > DEAREST_HOUR]
    return others if len(others) < len(found) else []


def _is_flat(item: Item) -> bool:
    unit = any(_FLAT_UNIT.fullmatch(cell.folded.strip(" .")) for cell in item[3].cells)
    return item[0].kind != "HOURS" and (item[0].value == 1 or unit)


_FLAT_UNIT = re.compile(r"u|un|unites?|forfaits?|ff?t|ens|pce|pieces?|jours?|j|lot|stagiaires?|pers(?:onnes?)?|mois")


@lru_cache(maxsize=4)
def _products(sheet: Sheet, counted: tuple[str, ...] = ()) -> list[Item]:
    """Return the lines that multiply; `counted` are kinds of measures that may be quantities as mere numbers are."""
    found = []
    rows = {row.line.number: row for row in tables.rows(sheet)}
    for line in sheet.lines:
        if re.match(r"total|sous", line.folded):
            continue
        row = rows.get(line.number, Row(line, ()))
        numbers = [replace(each, kind="NUMBER") if each.kind in counted else each for each in measures(line)]
        if proof := tables.product(numbers):
            found.append((*_turned(proof, row), line))
    return _with_one_price(found)


def _with_one_price(found: list[Item]) -> list[Item]:
    """Take for the price what all lines have in common, where nothing says which of the two numbers it is."""
    quantities, prices = {each[0].value for each in found}, {each[1].value for each in found}
    if len(quantities) > 1 or len(prices) < 2 or any(each[0].kind == "HOURS" for each in found):
        return found
    if any(each[1].kind == "MONEY" for each in found):
        return found
    return [(price, quantity, amount, line) for quantity, price, amount, line in found]


def _turned(proof: tuple[Measure, Measure, Measure], row: Row) -> tuple[Measure, Measure, Measure]:
    """Put quantity and price in their order: a column says which is which, a unit, or the decimals of a price."""
    one, two, amount = proof
    roles = [column.role if (column := row.of(each.x0, each.x1)) else "" for each in (one, two)]
    if two.kind == "MONEY":
        return proof
    price_first = roles[0] == "PRICE" or roles[1] in ("QUANTITY", "HOURS") or two.kind == "HOURS"
    quantity_first = roles[1] == "PRICE" or roles[0] in ("QUANTITY", "HOURS") or one.kind == "HOURS"
    if price_first == quantity_first:
        price_first = one.decimals == 2 and two.decimals < 2
    return (two, one, amount) if price_first else proof


def makes(sheet: Sheet, hours: Decimal, excl: Decimal, dearest: int = DEAREST_HOUR) -> bool:
    """Say whether hours times a printed price are an amount; no price of an hour is higher than `dearest`, in euros."""
    return bool(hours and excl) and any(
        1 < each <= dearest and abs(each * abs(hours) - abs(excl)) <= Decimal("0.06") for each in printed_numbers(sheet)
    )


@lru_cache(maxsize=4)
def printed_numbers(sheet: Sheet) -> frozenset[Decimal]:
    """Return every number on the invoice that may be a price."""
    return frozenset(
        abs(each.value)
        for line in sheet.lines
        for each in measures(line)
        if each.kind == "MONEY" or (each.kind == "NUMBER" and each.decimals >= 2)
    )
