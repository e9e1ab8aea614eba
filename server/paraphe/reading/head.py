"""Number, date and kind of an invoice: what its head says."""

import re
from datetime import date

from . import dates, tables
from .dates import DAY, aligned
from .folding import fold
from .labels import Announced, Sheet, announced, value
from .layout import Line
from .measures import has_check_digit, measures
from .periods import PERIOD_WORDS
from .result import Value

#: What announces a number.
NO = r"(?:n\s?[°o]s?\b(?!-\d)\.?|n°s?\.?|numero|num\b\.?|ref(?:erence)?\b\.?|#)"
_PAPER = (
    r"(?:factures?|avoirs?|note d'honoraires|note de credit|note de debit|invoice|facture[- ]avoir|facture d'avoir|"
    r"memoire)"
)
_KIND = (
    r"(?:\s+(?:(?:de |d'|en |pour )?(?:formations?|prestations?|alternance|apprentissage|acompte|solde|avoir|"
    r"services?|clients?)|[a-z]{3,}(?:elle|ale|aire|ive|ique|ee|ente|ante)|proforma)\b){0,3}"
)
_NUMBER_LABELS = (
    ("number of the invoice", 97, re.compile(
        rf"\b{NO}\s*(?:de\s+|d'\s?|du\s+)?(?:la\s+|l')?{_PAPER}(?:\s*{NO})?(?![a-z])")),
    ("invoice number", 97, re.compile(rf"\b{_PAPER}{_KIND}\s*[-:/]?\s*{NO}")),
    ("invoice:", 92, re.compile(rf"\b{_PAPER}{_KIND}\s*:")),
    ("piece", 90, re.compile(
        rf"\b(?:{NO}\s*(?:de\s+|du\s+)?(?:la\s+)?(?:piece|document|doc\.?)|(?:piece|document)"
        rf"(?: comptable| de vente)?\s*(?:{NO}|:))(?![a-z])")),
    ("invoice", 88, re.compile(
        rf"(?:^|^.{{0,3}})\b{_PAPER}{_KIND}(?=\s+(?:[a-z]{{1,3}} )?[-\w/.]*\d|\s*(?:/ ?(?:invoice|credit note))?$)")),
    ("invoice, number and day", 86, re.compile(
        rf"^{_PAPER}\s+(?:[a-z][a-z'-]{{0,20}}\s+){{1,3}}(?=[-/\w.]{{1,30}}\s+(?:du|en date du|-)\s+{DAY})")),
    ("number alone", 82, re.compile(rf"^{NO}\s*:?")),
    ("our reference", 78, re.compile(r"^(?:n/ref|nos? ref(?:erences?)?|notre ref(?:erence)?)\b\.?\s*:?")),
)  # fmt: skip
#: A number of a paper.
NUMBER = re.compile(r"(?:[A-Z]{1,3}[ ](?=\d))?(?=[\w/.-]*\d)[A-Za-z0-9]+(?:[/_.\-]+[A-Za-z0-9]+)*(?![\w€%]|\s?€|[,]\d)")
_OTHER_PAPER = re.compile(
    r"annul|origine|relati[fv]|rectifi|correct|corrig|concern|correspond|imput|rappel|mention|toute |"
    r"reclamation|commande|client|dossier|convention|contrat|devis|(?:^|\s)sur\s|"
    r"initiale|remplace|deduire|deduction|acompte verse|precedent|accord|siret|declaration|tva|iban|tel\b"
)
_OF_ANOTHER = re.compile(r"concern|origine|initiale|annulee|creditee|rectifiee|corrigee|correspond|precedente|suivante")
_OF_WHAT_FOLLOWS = re.compile(r"annul|remplac|relati|rectifi|corrig|acompte|rappel|concern|sur\s*$")
#: A label that on a credit note may announce the invoice that is paid back.
_OF_AN_INVOICE = re.compile(r"^(?!.*(?:avoir|credit)).*factur")
_SHORT = 16  # what a number of three digits at most is less sure by
_CREDIT = re.compile(r"av|nc|cn|a[-\d]", re.IGNORECASE)  # how numbers of credit notes begin
_NOT_A_NUMBER = re.compile(
    rf"{DAY}|\d{{14}}|\d{{9}}|0\d(?:[ .]\d\d){{4}}|(?:19|20)\d\d|\d{{1,2}}|page.*|bc.*", re.IGNORECASE
)

_DATE_LABELS = (
    ("date of the invoice", 98, re.compile(
        r"\bdate\s+(?:de\s+|d'\s?|du\s+)?(?:la\s+|l'\s?)?(?:factur\w*|avoir|emission|etablissement|edition|piece|"
        r"document|creation|presente(?: facture)?(?=\s*[:/]|\s*$))(?:\s*/\s*(?:issue |invoice )?date)?|"
        rf"^emis(?:e|sion)?\s*:?$|\bemise?\s+le|(?:^|[·;,]\s?|(?<=\s\s))emission\s*:?\s*(?={DAY})|"
        r"\betablie?\s+(?:a\s+[a-z' -]{2,30}\s+)?le|"
        r"\bfacturee?\s+le|(?:^|[-,;]\s*)datee?\s+du|\bdate\s+d'envoi")),
    ("written on", 86, re.compile(r"\bredigee?\s+le|\bemise?\s+a\s+[a-z' -]{2,30}\s+le")),
    ("printed on", 88, re.compile(rf"\beditee?\s+le(?!\s*:?\s*{DAY}\D{{1,5}}\d\d?[:h]\d\d)")),
    ("date", 90, re.compile(
        r"(?:^|[-/,;·]\s*|\s{2,})date(?![a-z])(?!\s*(?:d|l|prev|lim|ech|de|pa|val|pre|sess|nais|fin|but))\s*:?|"
        r"\bfacture\s+dat\w+\s+du")),
    ("invoice of", 96, re.compile(
        rf"\b{_PAPER}(?:[^:]{{0,40}}?|(?:\s[a-z]{{1,20}})?\s?:\s?[-/\w.]{{0,20}}\d[-/\w.]{{0,20}})\s{{1,3}}"
        rf"(?:du|en date du|le)\s+(?={DAY})")),
    ("behind the number", 94, re.compile(
        rf"(?:\b{_PAPER}{_KIND}\s*(?:{NO})?\s*:?\s*[-/\w.]*\d[-/\w.]*\s+[-/,|]|"
        rf"^{NO}\s*:?\s*[-/\w.]*\d[-/\w.]*\s+(?:[-/,|]|du|le))\s+(?={DAY}\s*$)")),
    ("behind what looks like the number", 84, re.compile(
        rf"^(?=[-/\w.]{{6,20}}\s)[a-z]{{1,4}}[-/\w.]*\d[-/\w.]*\s+[-/,|]\s+(?={DAY}\s*$)")),
    ("day alone", 92, re.compile(rf"^(?:(?:le|du|en date du)\s+|(?:le|du)\s*:\s*)(?={DAY}\s*$)")),
    ("day below the number", 86, re.compile(rf"^(?={DAY}\s*$)|^(?:le|du|en date du)\s+(?={DAY}\s*(?:[-,|·]|sur)\s)")),
    ("place and day", 89, re.compile(rf"^(?!fait )[a-z][a-z' -]{{1,40}}(?:,|,?\s+le\s*:?)\s+(?={DAY}\s*\.?$)")),
    ("done at", 80, re.compile(rf"^fait [a-z' -]{{1,40}},?\s+le\s*:?\s+(?={DAY}\s*\.?$)")),
)  # fmt: skip
_OTHER_WRITING = re.compile(
    r"devis|bilan|attestation|rapport|cheque|mandat|compte[- ]rendu|convention|contrat|programme"
)
_TAUGHT = re.compile(r"\b(?:dispens|heures)")  # what a day behind it is the first of
_NUMBERED = re.compile(rf"(?:{_PAPER}|piece|document)\b.*\d|^{NO}")
_OTHER_DAY = re.compile(
    r"echeance|limite|reglement|payable|paiement|regler|payer|avant|debut|\bfin\b|naissance|livraison|version|commande|"
    r"convention|signature|session|validite|a compter|effet|"
    r"accord|contrat|verse|acompte|acquitt|origine|annul|relati|virement|prelevement|terme|releve|annexe"
)


# Number ------------------------------------------------------------------------------------------------------------


def number(sheet: Sheet) -> list[Value]:
    """Return the numbers that the invoice may have, the surest first; equal ones once."""
    found: dict[str, Value] = {}
    credit = is_credit_note(sheet) is not None
    for rule, confidence, label in _NUMBER_LABELS:
        for places in announced(sheet, label):
            each, token = next(((each, token) for each in places if (token := _number_in(each, rule))), (None, ""))
            if each is not None and not (_is_deducted(sheet, each, token) or _is_captioned(sheet, each)):
                sure = (
                    confidence
                    - {"same": 0, "right": 1, "above": 4, "below": 4}[each.how]
                    - (6 if each.line.page > 1 else 0)
                    + (4 if rule == "number alone" and each.how == "below" and _is_in_box(sheet, each) else 0)
                    - (20 if credit and _OF_AN_INVOICE.search(each.label) and not _CREDIT.match(token) else 0)
                    - (_SHORT if re.fullmatch(r"\d{1,3}", token) else 0)
                )
                if sure > (found[token].confidence if token in found else 0):
                    found[token] = value(token, sure, each.line, rule)
    return sorted(found.values(), key=lambda each: -each.confidence)


def _number_in(each: Announced, rule: str) -> str | None:
    explicit = rule in ("number of the invoice", "invoice number")
    if (
        _OTHER_PAPER.search(_nearest(each))
        or (_OTHER_PAPER if rule == "invoice, number and day" else _OF_ANOTHER).search(each.label)
        or (each.how == "below" and (rule == "invoice:" or (not explicit and tables.head(each.at))))
        or (each.how != "same" and _OTHER_PAPER.search(_left_of(each)))
    ):
        return None
    if rule in ("number alone", "our reference") and (each.line.page > 1 or each.line.number > 25):
        return None
    match = NUMBER.match(re.sub(rf"^(?:{NO}|N°)\s*[:.]?\s*", "", each.text, flags=re.IGNORECASE))
    if not match:
        return None
    token = match[0].strip(" .-/")
    rest = match.string[match.end() :]
    if joined := re.match(r"\s([A-Z]{0,3}\d{3,6})\s*$", rest):
        token = f"{token} {joined[1]}"
    elif joined := re.match(rf"\s?/\s(?!{DAY})(\d{{2,6}})(?=\s*$|\s+(?:du|en date du)\s)", aligned(rest)):
        token, rest = f"{token} / {joined[1]}", rest[joined.end() :]
    ends = not rest.strip() or re.match(rf"\s+(?:du|en date du|-)\s+{DAY}", aligned(rest))
    if explicit and each.how == "same" and not each.before.strip() and ends and re.fullmatch(r"\d{1,3}", token):
        return token
    nine = re.fullmatch(r"\d{9}", token) and (explicit or not has_check_digit(token))
    if _NOT_A_NUMBER.fullmatch(fold(token)) and not re.fullmatch(r"0\d+", token) and not nine:
        return None
    if re.fullmatch(r"\d{5}", token) and re.match(r"\s+[A-ZÀ-Ý]", rest) and each.how != "same":
        return None  # a town
    if each.how == "below" and re.match(r"\s+(?:(?:bis|ter)\s+)?[^\W\d_]{3}|\s+-\s+\d+\s+\w", rest):
        return None  # a street
    if re.match(r"N?DA\b", token):
        return None  # of the declaration of activity
    if re.fullmatch(r"\d+h(?:\d\d)?", fold(token)) or re.match(r":\d\d\b", rest):
        return None  # "Temps facturé : 137h30"
    if re.match(r"(?:du|de|le|la|en|au|a|sur|page|et)\s", fold(token)) or re.match(
        r"\s?(?:heures|h\b|jours)", fold(rest)
    ):
        return None
    return None if re.search(r"\b(?:tva|siret|siren|nda|iban|rcs|naf)\b", fold(each.text[: match.start()])) else token


def _nearest(each: Announced) -> str:
    """Return of what stands before a label what is of the same statement: "Commande : 12 · Facture : 26-118".

    What is before the point is another one only if it says something whole, and not what became of another paper.
    """
    *others, own = _statements(each)
    whole = others and re.search(r"[:\d]", others[-1])
    return own if whole and not _OF_WHAT_FOLLOWS.search(each.before) else each.before


def _statements(each: Announced) -> list[str]:
    """Return what points part before a label; the last is of the label's own statement."""
    return (each.before + "·" * each.label.startswith("·")).split("·")


def _is_captioned(sheet: Sheet, each: Announced) -> bool:
    """Say whether another label stands between a label and a number below it: "FACTURE", "N° de dossier", "26-118"."""
    between = (line for line in sheet.lines if each.at.number < line.number < each.line.number)
    cells = [cell for line in between for cell in line.cells if cell.x0 < each.cell.x1 and each.cell.x0 < cell.x1]
    return each.how == "below" and bool(cells) and bool(_OTHER_PAPER.search(cells[-1].folded))


def _left_of(each: Announced) -> str:
    """Return what stands left of a text below its label, if that is another label: "Dossier CPF" and "4810336"."""
    left = next((cell.folded for cell in reversed(each.line.cells) if cell.x1 <= each.cell.x0), "")
    return left if each.line is not each.at and not re.search(r"\d", left) else ""


def _is_in_box(sheet: Sheet, each: Announced) -> bool:
    """Say whether a number stands below a bare label that one for the date stands right of: "N° | Date | …"."""
    heads = [cell.folded.strip(" :.") for cell in each.at.cells]
    at = next((at for at, head in enumerate(heads) if re.fullmatch(NO, head)), len(heads))
    over = [line.folded for line in sheet.lines if 0 < each.at.number - line.number <= 2]  # the title of the box
    dated = any(re.fullmatch(r"date(?: d.*)?", head) for head in heads[at + 1 : at + 3])
    return dated and not any(map(_OTHER_PAPER.search, over))


_DEDUCTED = re.compile(
    r"\bsolde\b|acomptes? (?:deja )?(?:verse|regle|percu|paye|factur|deduit)|deja (?:verse|regle|factur|paye)|"
    r"(?:a deduire|deduction)|moins acompte"
)


def _is_deducted(sheet: Sheet, each: Announced, token: str) -> bool:
    """Say whether a number is of an advance that the invoice takes off, and not the invoice's own."""
    advance = "acompte" in each.label or any(
        token in line.text and re.search(r"acompte|deja", line.folded) for line in sheet.lines if line is not each.line
    )
    return advance and any(_DEDUCTED.search(line.folded) for line in sheet.lines)


def is_credit_note(sheet: Sheet) -> Line | None:
    """Return the line that calls the paper a credit note; None if it is an invoice."""
    titles = re.compile(
        r"^(?:facture[ -](?:d')?)?avoir\b(?!\s+(?:droit|lieu|ete|pris|a\b))|^facture d'avoir|^note de credit|"
        r"\bavoir\s+(?:n\s?[°o]|sur)|\(avoir\b"
    )
    for line in sheet.lines:
        if line.page == 1 and any(titles.search(cell.folded) for cell in line.cells):
            return line
    return None


# Date --------------------------------------------------------------------------------------------------------------


def day_of_issue(sheet: Sheet) -> list[Value]:
    """Return the days that may be the invoice's date, the surest first; equal ones once."""
    found: dict[date, Value] = {}
    own = [fold(each.value) for each in number(sheet)[:1]]
    for rule, confidence, label in _DATE_LABELS:
        for places in announced(sheet, label):
            each, read = next(((each, read) for each in places if (read := _day_in(sheet, each, rule))), (None, None))
            if each is not None and read is not None and not (rule == "invoice of" and _is_of_another(each, own)):
                sure = (
                    confidence
                    - {"same": 0, "right": 1, "above": 3, "below": 3}[each.how]
                    - (6 if each.line.page > 1 else 0)
                )
                if sure > (found[read].confidence if read in found else 0):
                    found[read] = value(read, sure, each.line, rule)
    return sorted(found.values(), key=lambda each: -each.confidence)


def _day_in(sheet: Sheet, each: Announced, rule: str) -> date | None:
    *others, _ = _statements(each)
    of_the_paper = not others or re.search(_PAPER, others[-1])
    before = _nearest(each) if of_the_paper else each.before
    if rule == "date" and not of_the_paper:
        return None  # "Devis D-118 · date : …"
    if rule == "place and day" and _OTHER_WRITING.search(each.label):
        return None
    if rule == "written on" and _OTHER_WRITING.search(f"{each.before} {each.line.folded}"):
        return None
    if _OTHER_DAY.search(before) or _OTHER_DAY.search(each.label):
        return None
    if rule == "invoice of" and (
        _OTHER_PAPER.search(each.before) or "rembours" in each.before or _TAUGHT.search(each.label)
    ):
        return None
    if rule == "invoice of" and is_credit_note(sheet) and _is_paid_back(each):
        return None
    if rule == "day below the number" and (each.how != "same" or not _is_of_the_number_above(sheet, each)):
        return None
    alone = rule in ("day alone", "place and day")
    if alone and (each.how != "same" or PERIOD_WORDS.search(each.label) or _is_among_items(sheet, each)):
        return None
    if rule == "place and day" and not each.cell.text[:1].isupper():
        return None  # "… au plus", and below "tard le 13 février 2026"
    if (each.how == "below" and (tables.head(each.at) or _is_first_of_days(sheet, each))) or (
        rule == "day alone" and _counts(each.line)
    ):
        return None
    if rule == "day alone" and ":" in each.label and not _is_of_the_number_above(sheet, each):
        return None
    left = next((cell.folded for cell in reversed(each.at.cells) if cell.x1 <= each.cell.x0), "")
    if rule == "day alone" and (PERIOD_WORDS.search(left) or _OTHER_DAY.search(left)):
        return None
    match = re.match(rf"(?:le|du|:)?\s*({DAY})", aligned(each.text))
    if not match or re.match(r"\s*(?:au|-|→|/)\s*\d|\s+au$", aligned(each.text)[match.end() :]):
        return None
    return dates.day(match[1])


def _is_among_items(sheet: Sheet, each: Announced) -> bool:
    return each.line.number in tables.lines_of_items(sheet)


def _is_of_another(each: Announced, own: list[str]) -> bool:
    """Say whether a label dates an invoice with another number than this one's: "solde (facture F-264 du …)"."""
    numbers = [token[0].strip(" .-/").lower() for token in NUMBER.finditer(each.label.upper())]
    return bool(own and numbers) and not any(f" {each}".endswith(f" {own[0]}") for each in numbers)


def _is_paid_back(each: Announced) -> bool:
    """Say whether a label of a credit note dates the invoice that is paid back: "Avoir sur facture F-26-198 du …"."""
    own = re.search(r"factur\w* (?:d'|d' )?avoir|\b(?:av|nc)-?\d", each.label)
    return bool(re.search(r"\bnotre\b", each.before)) or ("factur" in each.label and not own)


def _is_first_of_days(sheet: Sheet, each: Announced) -> bool:
    """Say whether another day stands right below a day, in its column: sessions, and no date of a paper."""
    _, below = next(sheet.below(each.line, each.cell), (None, None))
    return below is not None and re.match(DAY, aligned(below.text)) is not None


def _is_of_the_number_above(sheet: Sheet, each: Announced) -> bool:
    """Say whether a day stands right below the number of the paper, and no "Au : …" beside it makes it a period."""
    near = [line for line in sheet.lines if abs(line.number - each.at.number) <= 2 and line.page == each.at.page]
    if any(re.match(r"(?:jusqu')?au\b", cell.folded) for line in near for cell in line.cells):
        return False
    over = [line for line in near if 0 < line.y - each.at.y < 2 * each.cell.size]
    cells = [cell for line in over for cell in line.cells if cell.x0 < each.cell.x1 and each.cell.x0 < cell.x1]
    text = cells[-1].folded if cells else ""
    return bool(_NUMBERED.search(text)) and not _OTHER_PAPER.search(text) and not PERIOD_WORDS.search(text)


def _counts(line: Line) -> bool:
    return any(each.kind in ("HOURS", "MONEY") for each in measures(line))


def conflicting(candidates: list[Value], margin: int = 6) -> bool:
    """Say whether a second candidate is nearly as believable as the first."""
    return len(candidates) > 1 and candidates[0].confidence - candidates[1].confidence < margin
