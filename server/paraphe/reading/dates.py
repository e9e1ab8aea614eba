"""Days and periods as French invoices write them."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from .folding import fold

_MONTHS = {
    "janvier": 1, "janv": 1, "jan": 1, "fevrier": 2, "fevr": 2, "fev": 2, "mars": 3, "avril": 4, "avr": 4, "mai": 5,
    "juin": 6, "juillet": 7, "juil": 7, "aout": 8, "septembre": 9, "sept": 9, "sep": 9, "octobre": 10, "oct": 10,
    "novembre": 11, "nov": 11, "decembre": 12, "dec": 12,
}  # fmt: skip
MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_WEEKDAY = r"(?:(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|(?:lun|mar|mer|jeu|ven|sam|dim)\.)"
_DAY = r"(?:1\s?er|0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:20\d\d|\d\d)"
# A day as a rule sees it: folded text, with names of groups left to the reader.
DAY = (
    rf"(?:(?:{_WEEKDAY},?\s+)?(?:"
    rf"20\d\d[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12]\d|3[01])"
    rf"|{_DAY}\s?[/.-]\s?(?:0?[1-9]|1[0-2])\s?[/.-]\s?{_YEAR}"
    rf"|{_DAY}[\s-]+{MONTH}[\s-]+{_YEAR}))(?![\d])"
)
_DAY_WITHOUT_YEAR = (
    rf"(?:(?:{_WEEKDAY},?\s+)?(?:{_DAY}(?:\s?[/.]\s?|-)(?:0?[1-9]|1[0-2])(?:\.(?=\s))?(?![\d/.-])|"
    rf"{_DAY}\s+{MONTH}|{_DAY}))"
)
_TO = r"\s*(?:au\s*/\s*to|au|a|jusqu'au|jusqu'a|->|=>|→|➔|>|/|-|…|\.\.\.?)\s*(?:le\s+)?"
_FIND_DAY = re.compile(rf"(?<![\d/.-]){DAY}")
_FIND_PERIOD = re.compile(
    rf"(?<![\w/.-])(?:(?:du|de|entre le|le|debut)?\s*:?\s*)(?P<start>{DAY}|{_DAY_WITHOUT_YEAR})"
    rf"(?P<to>{_TO}|\s+et le\s+|\s*;?,?\s*fin\s*:?\s*)(?P<end>{DAY})"
)
# "4, 5 et 6 mai 2026", "du 4 au 5 mai et du 11 au 12 mai 2026": days that share a month and a year.
_AND = r"\s*(?:,|;|\bet\b|&|\+|\bpuis\b)\s*(?:et\s+)?(?:(?:les?|du)\s+)?"
_SOME_DAY = rf"(?:{DAY}|{_DAY_WITHOUT_YEAR})"
_SOME_DAYS = rf"{_SOME_DAY}(?:\s*(?:au|-|→)\s*(?:le\s+)?{_SOME_DAY})?"
_FIND_DAYS = re.compile(
    rf"(?<![\w/.,-])(?:(?:du|les?)\s*:?\s+)?(?P<first>{_SOME_DAYS})(?:{_AND}{_SOME_DAYS}){{0,11}}{_AND}(?:{_SOME_DAY}\s*(?:au|-|→)\s*)?(?P<last>{DAY})"
)
_ONE_OF_DAYS = re.compile(rf"(?<![\w/.-])(?:{DAY}|{_DAY_WITHOUT_YEAR})(?!\d)")
_FIND_MONTHS = re.compile(
    rf"(?<![\w/.-])(?:de\s+|d')?(?P<first>{MONTH})(?:\s+(?P<year1>20\d\d))?\s*(?:a|au|-|/|et|->|"
    rf"→)\s*(?P<last>{MONTH})\s+(?P<year>20\d\d)(?!\d)"
)
_FIND_SEMESTER = re.compile(
    r"(?<![\w])(?:(?P<n>[12])\s?(?:er|e|eme|nd|de)\s+semestre|s(?:emestre\s)?(?P<m>[12]))\s*[-/]?\s*(?:de\s+)?(?P<year>20\d\d)(?!\d)"
)
_FIND_MONTH = re.compile(rf"(?<![\w/.-])(?P<month>{MONTH})\s+(?P<year>20\d\d)(?!\d)")
_FIND_NUMBERED_MONTH = re.compile(r"(?<![\w/.-])(?P<month>0[1-9]|1[0-2])[/-](?P<year>20\d\d)(?![\d/.-])")
_FIND_QUARTER = re.compile(
    r"(?<![\w])(?:(?P<n>[1-4])\s?(?:er|e|eme|nd|de)\s+trimestre|"
    r"t(?:rimestre\s)?(?P<m>[1-4]))\s*[-/]?\s*(?P<year>20\d\d)(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Period:
    """A first and a last day, where it stands in the text, and how it was written."""

    start: date
    end: date
    at: int
    to: int
    how: str


def day(text: str, year: int | None = None, month: int | None = None) -> date | None:
    """Read one day; `year` and `month` are taken where the text has none."""
    text = re.sub(rf"^(?:{_WEEKDAY}),?\s+", "", fold(text).strip().rstrip(".")).replace("1 er", "1").replace("1er", "1")
    if match := re.fullmatch(r"(20\d\d)[-/.](\d\d)[-/.](\d\d)", text):
        return _date(*map(int, match.groups()))
    if match := re.fullmatch(r"(\d{1,2})\s?[/.-]\s?(\d{1,2})(?:\s?[/.-]\s?(\d{2,4}))?", text):
        return _date(_full(match[3], year), int(match[2]), int(match[1]))
    if match := re.fullmatch(rf"(\d{{1,2}})[\s-]+({MONTH})(?:[\s-]+(\d{{2,4}}))?", text):
        return _date(_full(match[3], year), _MONTHS[match[2].rstrip(".")], int(match[1]))
    if text.isdigit() and month:
        return _date(year, month, int(text))
    return None


def _full(year: str | None, default: int | None) -> int | None:
    if year is None:
        return default
    return int(year) + 2000 if len(year) == 2 else int(year)


def _date(year: int | None, month: int, number: int) -> date | None:
    if year is None or not 2000 <= year <= 2099 or not 1 <= month <= 12:
        return None
    if not 1 <= number <= calendar.monthrange(year, month)[1]:
        return None
    return date(year, month, number)


def days(text: str) -> Iterator[tuple[date, int, int]]:
    """Give every day in a text with the places where it begins and ends."""
    folded = aligned(text)
    for match in _FIND_DAY.finditer(folded):
        if found := day(match[0]):
            yield found, match.start(), match.end()


@lru_cache(maxsize=20_000)
def aligned(text: str) -> str:
    """Fold a text letter by letter, so that places in it are places in the original."""
    return "".join(each if len(each) == 1 else each[:1] or " " for each in map(fold, text))


def periods(text: str) -> list[Period]:
    """Return every period in a text: two days, a month, several months, a quarter; those written out in full first."""
    folded = aligned(text)
    found: list[Period] = []
    for pattern, read in _READERS:
        for match in pattern.finditer(folded):
            period = read(match)
            taken = any(each.at < match.end() and match.start() < each.to for each in found)
            if period and not taken:
                found.append(period)
    return sorted(found, key=lambda each: each.at)


def _two_days(match: re.Match[str]) -> Period | None:
    end = day(match["end"])
    if end is None:
        return None
    start = day(match["start"], end.year, end.month)
    if start and start > end and not _FIND_DAY.fullmatch(match["start"]):
        start = _date(end.year - 1, start.month, start.day)
    if start is None or (end - start).days < 0 or (end - start).days > 1500:
        return None
    bare = match["start"].strip().removesuffix("er").strip().isdigit()
    words = re.match(r"(?:du|de|entre|le|debut)\b", match[0])
    if bare and not re.search(r"[a-z]", match["to"]) and not _fills(match):
        return None  # "12 - 15/03/2026" is as likely a number and a day
    return Period(start, end, match.start(), match.end(), "two days" if words else "two days without a word")


def _fills(match: re.Match[str]) -> bool:
    """Say whether a period in words is all that its text says: "12 - 30 janvier 2026"."""
    around = match.string[: match.start()] + match.string[match.end() :]
    return not around.strip(" .()") and bool(re.search(MONTH, match["end"]))


def _several_days(match: re.Match[str]) -> Period | None:
    """Read days that "et" or commas join as the time from the first to the last of them."""
    end = day(match["last"])
    found = [end] if end else []
    year, month = (end.year, end.month) if end else (None, None)
    for each in reversed(_ONE_OF_DAYS.findall(match.string[match.start("first") : match.start("last")])):
        if (one := day(each, year, month)) is None:
            return None
        if found and one > found[-1] and year is not None and not _FIND_DAY.fullmatch(each):
            one = _date(year - 1, one.month, one.day) or one
        year, month = one.year, one.month
        found.append(one)
    bare = any(each.isdigit() for each in _ONE_OF_DAYS.findall(match["first"]))
    joined = match.string[match.end("first") : match.start("last")]
    if (
        re.search(r"\bdu\b", joined)
        and not re.match(r"(?:du|les?)\b", match[0])
        and not _FIND_DAY.match(match["first"])
    ):
        return None  # "tranche 4/12, du 1er au 30 juin 2026"
    words = re.search(r"\b(?:du|les|et|puis)\b|^\S+ & " if bare else r"\b(?:du|les?|et|puis)\b|[a-z]{3}", match[0])
    if len(found) < 2 or (not words and len(found) < 3 + bare) or (max(found) - min(found)).days > 750:
        return None
    return Period(min(found), max(found), match.start(), match.end(), "several days")


def _months(first: str, last: str, match: re.Match[str], year: int) -> Period | None:
    one, two = _MONTHS[first.rstrip(".")], _MONTHS[last.rstrip(".")]
    begins = int(match["year1"]) if "year1" in match.groupdict() and match["year1"] else year - (one > two)
    start, end = date(begins, one, 1), date(year, two, calendar.monthrange(year, two)[1])
    return Period(start, end, match.start(), match.end(), "months") if start <= end else None


def _several_months(match: re.Match[str]) -> Period | None:
    return _months(match["first"], match["last"], match, int(match["year"]))


def _one_month(match: re.Match[str]) -> Period | None:
    before = match.string[: match.start()]
    if re.search(rf"(?:^|\W){_DAY}\s+$", before):
        return None  # the month of a day
    return _months(match["month"], match["month"], match, int(match["year"]))


def _numbered_month(match: re.Match[str]) -> Period:
    year, month = int(match["year"]), int(match["month"])
    end = date(year, month, calendar.monthrange(year, month)[1])
    return Period(date(year, month, 1), end, match.start(), match.end(), "month in figures")


def _quarter(match: re.Match[str]) -> Period:
    year, last = int(match["year"]), 3 * int(match["n"] or match["m"])
    end = date(year, last, calendar.monthrange(year, last)[1])
    return Period(date(year, last - 2, 1), end, match.start(), match.end(), "quarter")


def _semester(match: re.Match[str]) -> Period:
    year, last = int(match["year"]), 6 * int(match["n"] or match["m"])
    end = date(year, last, calendar.monthrange(year, last)[1])
    return Period(date(year, last - 5, 1), end, match.start(), match.end(), "quarter")


_READERS = (
    (_FIND_DAYS, _several_days),
    (_FIND_PERIOD, _two_days),
    (_FIND_MONTHS, _several_months),
    (_FIND_QUARTER, _quarter),
    (_FIND_SEMESTER, _semester),
    (_FIND_MONTH, _one_month),
    (_FIND_NUMBERED_MONTH, _numbered_month),
)
