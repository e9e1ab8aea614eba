"""People that an invoice lists without invoicing them: absent, withdrawn, there to help, of another session."""

import re
from bisect import bisect_left

from .labels import Sheet
from .measures import measures
from .mentions import Mention

_LEFT_OUT = re.compile(
    r"\b(?:annulee?s?\b|annulation|desist|absente?s?\b|abandon|excusee?s?\b|retiree?s?\b|reportee?s?\b|"
    r"observat(?:eur|rice)|intervenante?s?\b|(?<!de )(?<!des )format(?:eur|rice)\b|comedien(?:ne)?\b|"
    r"non (?:facture|presente?s?\b|venue?s?\b)|"
    r"facturee?s? (?:separement|ulterieurement|a part))"
)
_HEADING = re.compile(rf"{_LEFT_OUT.pattern}|pour information|\bprochaine?s? session")
_FURTHEST = 12  # lines from a heading to who stands below it


def is_left_out(sheet: Sheet, mention: Mention) -> bool:
    """Say whether somebody has no hours at all, or words in the line or the heading above that leave them out."""
    return has_nothing(mention) or is_said_to_be(sheet, mention)


def has_nothing(mention: Mention) -> bool:
    """Say whether the hours of somebody are none: "0,00"."""
    return mention.hours is not None and not mention.hours.value


def is_said_to_be(sheet: Sheet, mention: Mention) -> bool:
    """Say whether words beside somebody, or the heading above, say that nothing of theirs is invoiced."""
    beside = mention.line.folded.replace(mention.cell.folded, " ") if len(mention.line.cells) > 1 else ""
    return _LEFT_OUT.search(beside) is not None or _is_below_heading(sheet, mention)


def _is_below_heading(sheet: Sheet, mention: Mention) -> bool:
    """Say whether a line of one text leaves out who follows, with nothing but lines that count hours between."""
    at = bisect_left(sheet.lines, mention.line.number, key=lambda each: each.number)
    for line in reversed(sheet.lines[max(0, at - _FURTHEST) : at]):
        if line.page != mention.line.page:
            return False
        if _HEADING.search(line.folded) and len(line.cells) == 1:
            return True
        if not any(each.kind == "HOURS" for each in measures(line)):
            return False
    return False
