"""Names that stand where the organisation's people stand: below a function, above one, at the head of the letter."""

import re
from bisect import bisect_left, bisect_right
from itertools import islice

from .labels import Sheet
from .layout import Cell, Line
from .measures import in_text
from .mentions import LABEL, STAFF_FUNCTION, STAFF_LABEL, Mention, is_function

_FAR = 4  # sizes of type
_EDGE = 3  # points
_LETTERHEAD = 10  # lines
_ADDRESS = 4  # lines from a name to the town
_CLOSING = 3  # lines
_CLOSES = re.compile(
    r"\b(?:salutations|cordialement|(?:nos|mes|de) sentiments|(?:haute|parfaite) consideration|"
    r"consideration distinguee)\b"
)
_FOR = re.compile(r"(?:pour|clients?|destinataires?|payeur|debiteur|(?:factur|adress|envoy)\w* a|a l'attention de|a)")
_TRAINING = re.compile(r"\b(?:formations?|stages?|sessions?|modules?|stagiaires?|suivie?s?)\b")
_TOWN = re.compile(r"\d{5}\s+[A-ZÀ-Ý]")
_IMPRINT = re.compile(r"\bsire[tn]\b|\bnda\b|declaration (?:d'activite|:)")
# Functions of a customer's people; what a training may be called is none ("Assistante de direction").
_FUNCTION = re.compile(
    r"(?:l[ae] )?(?:format(?:eur|rice)\b|consultante?\b|"
    r"responsable (?:de (?:la |l')?|des |du )?(?:rh\b|formations?\b|ressources|administrat|personnel|"
    r"paie|compta)|direct(?:eur|rice)\b|gerante?\b|presidente?\b|drh\b|rh\b|service\b)"
)


def stands_as_staff(sheet: Sheet, mention: Mention) -> bool:
    """Say whether a name stands below a function, without hours right above one, or where a letter is signed."""
    if not mention.students and is_below_function(sheet, mention.line, mention.cell):
        return True
    labelled_one = mention.rule.startswith("label")
    if not labelled_one and not mention.students and _signs(sheet, mention):
        return True
    if labelled_one or mention.students or any(each[0] == "HOURS" for each in in_text(mention.line.text)):
        return False
    at = bisect_right(sheet.lines, mention.line.number, key=lambda each: each.number)
    below = sheet.lines[at] if at < len(sheet.lines) else mention.line
    near = below.page == mention.line.page and mention.line.y - below.y < 2 * mention.line.size
    cells = [cell for cell in below.cells if _overlap(cell, mention.cell)] if near else []
    return any(_FUNCTION.match(cell.folded) and len(cell.text) < 45 for cell in cells)


def _signs(sheet: Sheet, mention: Mention) -> bool:
    """Say whether a name stands alone below the words that close a letter: "… nos salutations distinguées."."""
    at = bisect_left(sheet.lines, mention.line.number, key=lambda each: each.number)
    above = [line for line in sheet.lines[max(0, at - _CLOSING) : at] if line.page == mention.line.page]
    if any(LABEL.search(line.folded) for line in above):
        return False
    alone = len(mention.line.cells) == 1 and mention.line.cells[0].text.endswith(mention.name.printed)
    return alone and any(_CLOSES.search(line.folded) for line in above)


def is_named_as_staff(mention: Mention) -> bool:
    """Say whether a name without hours stands right of a bare function: "Consultante" and, beside it, "Mme …"."""
    if mention.hours is not None:
        return False
    at = mention.line.cells.index(mention.cell)
    left = mention.line.cells[at - 1].folded.strip() if at else ""
    labelled = left.endswith(":") and len(left) < 40 and STAFF_LABEL.match(left)
    return bool(labelled or STAFF_FUNCTION.fullmatch(left))


def is_below_function(sheet: Sheet, line: Line, cell: Cell) -> bool:
    """Say whether a name stands below a function: "La responsable" and, below, "Mme …"."""
    if line.number == 0:
        return False
    at = bisect_left(sheet.lines, line.number, key=lambda each: each.number)
    above = sheet.lines[at - 1] if at else line
    apart = (above.y - line.y) / line.size if above.page == line.page else _FAR
    cells = [each for each in above.cells if _overlap(each, cell)] if apart < _FAR else []
    return any(
        is_function(called) and len(each.text) < 45 and ":" not in each.text
        for each in cells
        for called in (each.folded, each.folded.strip(" ,").rpartition(", ")[2])  # "Pour le CFA, l'agent comptable"
        if apart < 2 or re.match(r"l(?:[ae] |')", called)  # room for a signature: "La directrice,"
    )


def _overlap(one: Cell, other: Cell) -> bool:
    return one.x0 < other.x1 and other.x0 < one.x1


def is_addressed(sheet: Sheet, mention: Mention) -> bool:
    """Say whether a name stands in an address, below a company and above its town: that person gets the letter."""
    if mention.students or mention.rule.startswith("label"):
        return False
    above = [cell for _, cell in islice(sheet.flow(mention.line, mention.cell, up=True), 1, 3)]
    below = [cell for _, cell in islice(sheet.flow(mention.line, mention.cell), 1, _ADDRESS)]
    company = bool(above) and not _FOR.fullmatch(above[0].folded.strip(" :")) and not _TRAINING.search(above[0].folded)
    return company and any(_TOWN.match(cell.text) for cell in below)


def heads_the_letter(sheet: Sheet, mention: Mention) -> bool:
    """Say whether a name opens the first page, or stands above a SIRET in its column there: that person invoices."""
    if mention.students or mention.rule.startswith("label") or not sheet.lines:
        return False
    head = [line for line in sheet.lines[:_LETTERHEAD] if line.page == sheet.lines[0].page]
    if mention.line not in head[:-1]:
        return False
    lower = head[head.index(mention.line) + 1 :]
    column = (cell for line in lower for cell in line.cells if abs(cell.x0 - mention.cell.x0) < _EDGE)
    return mention.line is head[0] or any(_IMPRINT.search(cell.folded) for cell in column)
