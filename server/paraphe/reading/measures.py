"""Hours, amounts and plain numbers as French invoices write them: "1 234,56", "17h30", "17,50 h", "70:00"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from .dates import MONTH, aligned
from .layout import Line

_NUMBER = r"(?:\d{1,3}(?:[ .']\d{3})+|\d+)(?:[.,]\d{1,4})?"
_MINUS = r"(?:-|^-\s)?"  # in a text "- 35 h" is no minus but a dash
_CLOCK = re.compile(
    r"(?<!\d)(?:de\s+)?\d{1,2}\s?[h:]\s?(?:[0-5]\d)?\s?(?:a|-|/|et)\s?\d{1,2}\s?[h:]\s?(?:[0-5]\d)?(?!\d)"
)
_DAY_IN_WORDS = re.compile(rf"(?<!\w)(?:(?:1\s?er|0?[1-9]|[12]\d|3[01])\s+)?{MONTH}\s+20\d\d(?![\d,.])")
_TELEPHONE = re.compile(r"(?<![\d,.])(?:\+33 ?[1-9]|0[1-9])(?:[ .]\d\d){4}(?![\d,.]?\d)")
# The unit may follow in letters that belong to it alone; "h.t." is none. HEU and HUR are codes of units.
_UNIT = r"(?:h(?:eures?|rs?|eu|ur)?(?:\s?[/-]?\s?(?:stagiaires?|apprenants?|participants?)(?:\(s\))?)?)(?![\w.]*t\b|\w)"
_TOKEN = re.compile(
    rf"(?P<hm>(?<![\w,./-])-?\d{{1,5}}\s?h(?:eures?)?\s?[0-5]\d(?:\s?mn?|\s?min(?:utes)?)?(?![\d\w]))"
    rf"|(?P<colon>(?<![\w,./:-])-?\d{{1,5}}:[0-5]\d(?![\d:]))"
    rf"|(?P<hours>(?<![\w,./-]){_MINUS}{_NUMBER}\s?{_UNIT})"
    rf"|(?P<days>(?<![\w,./-])-?{_NUMBER}\s?(?:(?:demi-?\s?)?journees?|jours?|j)\b)"
    rf"|(?P<money>(?<![\w,./])(?:(?:€|eur(?:os?)?)\s?)?(?:{_MINUS}{_NUMBER}|\(\s?{_NUMBER}\s?\))-?\s?(?:€|eur(?:os?)?\b|"
    r"c(?=\s|$)))"
    rf"|(?P<percent>(?<![\w,./]){_NUMBER}\s?%)"
    rf"|(?P<number>(?<![\w,./:-])(?:{_MINUS}{_NUMBER}|\(\s?{_NUMBER}\s?\))(?![\w/:-]|[.,]\d))"
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number on a page: `kind` is HOURS, DAYS, HALF_DAYS, MONEY, PERCENT, CLOCK (70:00) or NUMBER."""

    kind: str
    value: Decimal
    text: str
    cell: int
    x0: float
    x1: float
    decimals: int


def added(one: Measure, other: Measure) -> Measure:
    """Return two measures of one kind as one."""
    text = f"{one.text} + {other.text}"
    return Measure(one.kind, one.value + other.value, text, one.cell, one.x0, one.x1, one.decimals)


def decimal(text: str) -> Decimal | None:
    """Read a number with the decimal sign of either language; the sign of a credit note is kept."""
    digits = re.sub(r"[^\d.,]", "", text)
    sign = -1 if re.search(r"-|\(", text) else 1
    if not re.search(r"\d", digits):
        return None
    if "," in digits and "." in digits:
        mark = max(digits.rfind(","), digits.rfind("."))
        digits = re.sub(r"[.,]", "", digits[:mark]) + "." + digits[mark + 1 :]
    elif "," in digits:
        digits = digits.replace(",", ".") if digits.count(",") == 1 else digits.replace(",", "")
    elif digits.count(".") > 1 or re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", digits):
        digits = digits.replace(".", "")
    digits = digits.strip(".")
    return sign * Decimal(digits) if digits and len(digits) < 16 else None


def hours_and_minutes(text: str) -> Decimal | None:
    """Read "17h30" or "70:00" as hours in hundredths; None if it is neither."""
    match = re.search(r"(-?\d{1,5})\s?(?:h(?:eures?)?|:)\s?([0-5]\d)", text)
    if not match:
        return None
    whole = Decimal(match[1].lstrip("-")) + (Decimal(match[2]) / 60).quantize(Decimal("0.01"))
    return -whole if match[1].startswith("-") else whole


def has_check_digit(digits: str) -> bool:
    """Say whether the last of some digits checks the others by Luhn's formula, as those of SIREN and SIRET do."""
    doubled = [int(each) * (1 + at % 2) for at, each in enumerate(reversed(digits))]
    return sum(each - 9 * (each > 9) for each in doubled) % 10 == 0


def without_clocks(folded: str) -> str:
    """Blank times of day ("de 9h00 à 12h30"): they are no duration."""
    return _CLOCK.sub(lambda match: " " * len(match[0]), folded)


def _without_days(folded: str) -> str:
    """Blank days and months written in words: their years are no quantity."""
    return _DAY_IN_WORDS.sub(lambda match: " " * len(match[0]), folded)


def _without_telephones(folded: str) -> str:
    """Blank telephone numbers: their parts may multiply ("01 99 00 …")."""
    return _TELEPHONE.sub(lambda match: " " * len(match[0]), folded)


def measures(line: Line, first: int = 0) -> Iterator[Measure]:
    """Give every number of a line from its cell `first` on, in its order."""
    for index, cell in enumerate(line.cells[first:], first):
        for kind, value, at, to in in_text(cell.text):
            x0, x1 = cell.span(at, to)
            raw = cell.text[at:to]
            after = re.search(r"[.,](\d{1,4})\D*$", raw)
            if kind == "NUMBER" and not cell.text[to:].strip() and index + 1 < len(line.cells):
                kind = _UNITS.get(line.cells[index + 1].folded.strip(" ."), kind)
            yield Measure(kind, value, raw, index, x0, x1, len(after[1]) if after else 0)


def in_text(text: str) -> Iterator[tuple[str, Decimal, int, int]]:
    """Give every number of a text: its kind, its value, and where it begins and ends."""
    return iter(_in_text(text))


@lru_cache(maxsize=20_000)
def _in_text(text: str) -> tuple[tuple[str, Decimal, int, int], ...]:
    found = []
    folded = _without_telephones(_without_days(without_clocks(aligned(text))))
    for match in _TOKEN.finditer(folded):
        kind = str(match.lastgroup)
        raw = match[0]
        if kind == "number" and _CODE.match(raw):
            continue
        if kind == "money" and folded[match.start() : match.end()].rstrip().endswith("c"):
            continue  # "50 c": a code
        value = (
            hours_and_minutes(raw)
            if kind in ("hm", "colon")
            else decimal(re.split(r"[a-z€%]", raw.strip(), maxsplit=1)[0] or raw)
        )
        if value is not None:
            found.append((_KINDS.get(kind, _days(raw)), value, match.start(), match.end()))
    return tuple(found)


def _days(raw: str) -> str:
    return "HALF_DAYS" if "demi" in raw else "DAYS"


_CODE = re.compile(r"0\d{3,}(?![\d.,])")  # the end of a SIRET
# A unit in a column of its own.
_UNITS = dict.fromkeys(("h", "hr", "hrs", "heu", "hur", "heure", "heures"), "HOURS")
_KINDS = {"hm": "HOURS", "colon": "CLOCK", "hours": "HOURS", "money": "MONEY", "percent": "PERCENT", "number": "NUMBER"}
