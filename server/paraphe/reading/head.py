"""Number, date, kind, period, seller, payer and file of an invoice: what its head says."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from . import dates, tables
from .dates import DAY, aligned
from .labels import Announced, Sheet, announced, value
from .layout import Cell, Line, fold
from .result import Known, Value

_NO = r"(?:n\s?[°o]s?\b\.?|n°s?\.?|numero|num\b\.?|ref(?:erence)?\b\.?|#)"
_PAPER = (
    r"(?:factures?|avoirs?|note d'honoraires|note de credit|note de debit|invoice|facture[- ]avoir|facture d'avoir|"
    r"memoire)"
)
_KIND = r"(?:\s+(?:de formation|d'acompte|de solde|definitive|acquittee|originale|de prestations?|d'avoir|finale))?"
_NUMBER_LABELS = (
    ("number of the invoice", 97, re.compile(
        rf"\b{_NO}\s*(?:de\s+|d'\s?|du\s+)?(?:la\s+|l')?{_PAPER}(?:\s*{_NO})?(?![a-z])")),
    ("invoice number", 97, re.compile(rf"\b{_PAPER}{_KIND}\s*[-:/]?\s*{_NO}")),
    ("invoice:", 92, re.compile(rf"\b{_PAPER}{_KIND}\s*:")),
    ("piece", 90, re.compile(
        rf"\b(?:{_NO}\s*(?:de\s+|du\s+)?(?:la\s+)?(?:piece|document|doc\.?)|(?:piece|document)(?: comptable| de vente)?\s*(?:{_NO}|:))(?![a-z])")),
    ("invoice", 88, re.compile(rf"(?:^|^.{{0,3}})\b{_PAPER}{_KIND}(?=\s+[-\w]*\d|\s*$)")),
    ("number alone", 82, re.compile(rf"^{_NO}\s*:?")),
    ("our reference", 81, re.compile(r"^(?:n/ref|nos? ref(?:erences?)?|notre ref(?:erence)?)\b\.?\s*:?")),
)  # fmt: skip
_NUMBER = re.compile(
    r"(?:[A-Z]{1,3}[ ](?=\d))?(?=[\w/.-]*\d)[A-Za-z0-9]+(?:[/_.\-]+[A-Za-z0-9]+)*(?![\w€%]|\s?€|[,]\d)"
)
_OTHER_PAPER = re.compile(
    r"annul|origine|relati[fv]|rectifi|concern|correspond|imput|rappel|mention|toute |reclamation|commande|client|"
    r"dossier|convention|contrat|devis|(?:^|\s)sur\s|"
    r"initiale|remplace|deduire|acompte verse|precedent|accord|siret|declaration|tva|iban|tel\b"
)
_NOT_A_NUMBER = re.compile(
    rf"{DAY}|\d{{14}}|\d{{9}}|0\d(?:[ .]\d\d){{4}}|(?:19|20)\d\d|\d{{1,2}}|page.*|bc.*", re.IGNORECASE
)

_DATE_LABELS = (
    ("date of the invoice", 98, re.compile(

            r"\bdate\s+(?:de\s+|d'\s?|du\s+)?(?:la\s+|l'\s?)?(?:factur\w*|avoir|emission|etablissement|edition|piece|"
            r"document|creation)|\bemise?\s+le|\betablie?\s+le|"
        r"\bediteee?\s+le|\beditee?\s+le|\bfacturee?\s+le|\bdate\s+d'envoi")),
    ("date", 90, re.compile(
        r"(?:^|[-/,;]\s*|\s{2,})date\b(?!\s*(?:d|l|prev|lim|ech|de|pa|val|pre|sess|nais|fin|but))\s*:?|"
        r"\bfacture\s+dat\w+\s+du")),
    ("invoice of", 96, re.compile(rf"\b{_PAPER}[^:]{{0,40}}?\s+(?:du|en date du|le)\s+(?={DAY})")),
    ("day alone", 92, re.compile(rf"^(?:le|du|en date du)\s+(?={DAY}\s*$)")),
    ("place and day", 93, re.compile(rf"^(?!fait )[a-z][a-z' -]{{1,40}},?\s+le\s*:?\s+(?={DAY}\s*\.?$)")),
    ("done at", 80, re.compile(rf"^fait [a-z' -]{{1,40}},?\s+le\s*:?\s+(?={DAY}\s*\.?$)")),
)  # fmt: skip
_OTHER_DAY = re.compile(
    r"echeance|limite|reglement|payable|paiement|regler|debut|\bfin\b|naissance|livraison|version|commande|"
    r"convention|signature|session|validite|a compter|effet|"
    r"accord|contrat|verse|acompte|origine|annul|relati|virement|prelevement|terme"
)

_PERIOD_WORDS = re.compile(
    r"period|realis|effectu|suivi[es]?\b|organis|factur(?:ee|ation)|dispens|deroul|session|dates? (?:de |"
    r"d')?(?:formation|session|l'action|stage|realis)|mois|"
    r"\bformation\b|prestation|heures|execut|action|module|intervention"
)
_NO_PERIOD = re.compile(
    r"contrat|convention|echeance|validite|commande|conditions|agrement|reglement|payable|article|penalit|\bcdd\b|"
    r"qualiopi|certifi(?:e|cat) (?:du|n|qualiopi)|exercice|\baccord\b"
)
_BROKEN_OFF = re.compile(rf"{DAY}\s*(?:(?:au|a|et|jusqu'au)|-|/|→)\s*$|\d\s+(?:du|au|de)\s*$|^(?:du|de)\s+{DAY}\s*$")
_START = re.compile(
    r"\b(?:date\s+(?:de\s+)?(?:debut|entree)(?:\s+de\s+(?:la\s+)?(?:periode|formation|session|l'action))?|"
    r"debut(?:\s+de\s+(?:periode|formation|session|l'action))?|du|entree)\b\s*(?:\(.*?\))?\s*:?"
)
_END = re.compile(
    r"\b(?:date\s+(?:de\s+)?(?:fin|sortie)(?:\s+de\s+(?:la\s+)?(?:periode|formation|session|l'action))?|"
    r"fin(?:\s+de\s+(?:periode|formation|session|l'action))?|au|sortie)\b\s*(?:\(.*?\))?\s*:?"
)
_ONE_DAY = re.compile(
    r"(?:period\w*|realis\w*|effectu\w*|dispens\w*|suivie?s?|organis\w*|deroul\w*|sessions?|stage|formations?|"
    r"prestations?|journee|action|facture(?:e|s) pour|intervention)"
    r"(?: (?:de |d'|du |de la |la |l')?(?:facturation|facture\w*|realisation|formation|stage|session|prestation|"
    r"concernee?|action|execution|intervention))*"
    r"\s*:?\s*(?:s'est \w+\s*)?(?:(?:en date )?du|le|ce)?\s*:?\s*$"
)


# Number ------------------------------------------------------------------------------------------------------------


def number(sheet: Sheet) -> list[Value]:
    """Return the numbers that the invoice may have, the surest first; equal ones once."""
    found: dict[str, Value] = {}
    for rule, confidence, label in _NUMBER_LABELS:
        for places in announced(sheet, label):
            each, token = next(((each, token) for each in places if (token := _number_in(each, rule))), (None, ""))
            if each is not None:
                sure = confidence - {"same": 0, "right": 1, "below": 4}[each.how] - (6 if each.line.page > 1 else 0)
                if sure > (found[token].confidence if token in found else 0):
                    found[token] = value(token, sure, each.line, rule)
    return sorted(found.values(), key=lambda each: -each.confidence)


def _number_in(each: Announced, rule: str) -> str | None:
    if _OTHER_PAPER.search(each.before) or (each.how == "below" and (rule == "invoice:" or tables.head(each.at))):
        return None
    if rule in ("number alone", "our reference") and (each.line.page > 1 or each.line.number > 25):
        return None
    match = _NUMBER.match(re.sub(rf"^(?:{_NO}|N°)\s*[:.]?\s*", "", each.text, flags=re.IGNORECASE))
    if not match:
        return None
    token = match[0].strip(" .-/")
    rest = match.string[match.end() :]
    if joined := re.match(r"\s(\d{3,6})\s*$", rest):
        token = f"{token} {joined[1]}"
    if _NOT_A_NUMBER.fullmatch(fold(token)) and not re.fullmatch(r"0\d+", token):
        return None
    if re.match(r"(?:du|de|le|la|en|au|a|sur|page|et)\s", fold(token)) or re.match(
        r"\s?(?:heures|h\b|jours)", fold(rest)
    ):
        return None
    return None if re.search(r"\b(?:tva|siret|siren|nda|iban|rcs|naf)\b", fold(each.text[: match.start()])) else token


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
    for rule, confidence, label in _DATE_LABELS:
        for places in announced(sheet, label):
            each, read = next(((each, read) for each in places if (read := _day_in(each, rule))), (None, None))
            if each is not None and read is not None:
                sure = confidence - {"same": 0, "right": 1, "below": 3}[each.how] - (6 if each.line.page > 1 else 0)
                if sure > (found[read].confidence if read in found else 0):
                    found[read] = value(read, sure, each.line, rule)
    return sorted(found.values(), key=lambda each: -each.confidence)


def _day_in(each: Announced, rule: str) -> date | None:
    if _OTHER_DAY.search(each.before) or _OTHER_DAY.search(each.label):
        return None
    if rule in ("day alone", "place and day") and (each.how != "same" or _PERIOD_WORDS.search(each.label)):
        return None
    match = re.match(rf"(?:le|du|:)?\s*({DAY})", aligned(each.text))
    if not match or re.match(r"\s*(?:au|-|→|/)\s*\d", aligned(each.text)[match.end() :]):
        return None
    return dates.day(match[1])


# Period ------------------------------------------------------------------------------------------------------------


def period(sheet: Sheet, issued: date | None) -> list[tuple[Value, Value]]:
    """Return the periods that may be invoiced, each as its first and last day, the surest first."""
    found: dict[tuple[date, date], tuple[int, Line, str]] = {}

    def offer(start: date, end: date, sure: int, line: Line, rule: str) -> None:
        if start <= end and sure > found.get((start, end), (0,))[0]:
            found[start, end] = (sure, line, rule)

    for line, before, text in _pieces(sheet):
        for each in dates.periods(text):
            head = aligned(f"{before} {text[: each.at]}")[-90:]
            offer(each.start, each.end, _sureness(each, head), line, f"period: {each.how}")
        for read, at, to in dates.days(text):
            ahead, behind = aligned(f"{before} {text[:at]}")[-70:], aligned(text)[to:]
            if (
                _ONE_DAY.search(ahead)
                and not re.match(r"\s*(?:au|a|-|/|→|jusqu)\s*(?:le\s*)?\d", behind)
                and not _NO_PERIOD.search(ahead[-30:])
            ):
                offer(read, read, 84, line, "one day")
    for start, end, line in _two_labels(sheet):
        offer(start, end, 93, line, "beginning and end")
    ranked = sorted(found.items(), key=lambda each: -each[1][0])
    return [
        (value(start, sure, line, rule), value(end, sure, line, rule)) for (start, end), (sure, line, rule) in ranked
    ]


def _pieces(sheet: Sheet) -> Iterator[tuple[Line, str, str]]:
    """Give every cell with the text that leads to it; a cell that fills its line goes on with the next."""
    for index, line in enumerate(sheet.lines):
        for place, cell in enumerate(line.cells):
            near = [other for other in reversed(sheet.lines[max(0, index - 2) : index]) if other.page == line.page]
            over = (each.text for other in near for each in other.cells if each.x0 < cell.x1 and cell.x0 < each.x1)
            above = next(over, "")
            before = f"{above} {line.cells[place - 1].text if place else ''}"
            text = cell.text
            if index + 1 < len(sheet.lines) and place == len(line.cells) - 1 and len(text) > 45:
                after = sheet.lines[index + 1]
                if after.page == line.page and line.y - after.y < 2 * line.size:
                    text += " " + after.cells[0].text
            elif _BROKEN_OFF.search(cell.folded):
                text += " " + _under(sheet, line, cell)
            yield line, before, text


def _under(sheet: Sheet, line: Line, cell: Cell) -> str:
    """Return the text right below a cell, in its column: the second line of one cell of a table."""
    for other, below in sheet.below(line, cell):
        if line.y - other.y < 2 * cell.size and (abs(below.x0 - cell.x0) < 3 or abs(below.x1 - cell.x1) < 3):
            return below.text
    return ""


def _sureness(each: dates.Period, head: str) -> int:
    sure = {"two days": 90, "two days without a word": 84, "months": 80, "month in figures": 70, "quarter": 84}[
        each.how
    ]
    near = head[-45:]
    if re.search(
        r"period|mois (?:de|d')|realis|effectu|prestation|factur(?:ee|ation)|suivi|organis|deroul|"
        r"dates? (?:de )?(?:formation|session)",
        near,
    ):
        sure += 8
    elif _PERIOD_WORDS.search(near):
        sure += 4
    if _NO_PERIOD.search(near):
        sure -= 30
    return sure


def _two_labels(sheet: Sheet) -> Iterator[tuple[date, date, Line]]:
    """Give the periods whose days stand behind two labels, or in two columns of a table (all rows together)."""
    starts, ends = _labelled_days(sheet, _START), _labelled_days(sheet, _END)
    for line, start in starts:
        for other, end in ends:
            if other.page == line.page and 0 <= other.number - line.number <= 2 and start <= end:
                yield start, end, line
    columns = list(_columns_of_days(sheet))
    if columns:
        yield min(each[0] for each in columns), max(each[1] for each in columns), columns[0][2]


def _labelled_days(sheet: Sheet, label: re.Pattern[str]) -> list[tuple[Line, date]]:
    found = []
    for places in announced(sheet, label):
        for each in places:
            match = re.match(rf"(?:le\s+)?({DAY})", aligned(each.text))
            here = re.match(r"date|debut|fin|entree|sortie", each.label) or not each.before
            if match and here and not _NO_PERIOD.search(each.before) and (read := dates.day(match[1])):
                found.append((each.line, read))
                break
    return found


def _columns_of_days(sheet: Sheet) -> Iterator[tuple[date, date, Line]]:
    columns: tuple[float, float] | None = None
    for line in sheet.lines:
        heads = {fold(cell.text).strip(" :."): (cell.x0 + cell.x1) / 2 for cell in line.cells}
        start = next(
            (x for text, x in heads.items() if re.fullmatch(r"(?:date )?(?:de )?debut|du|entree|date d'entree", text)),
            None,
        )
        end = next(
            (x for text, x in heads.items() if re.fullmatch(r"(?:date )?(?:de )?fin|au|sortie|date de sortie", text)),
            None,
        )
        if start is not None and end is not None and len(line.cells) > 3:
            columns = (start, end)
            continue
        here = [(read, (cell.x0 + cell.x1) / 2) for cell in line.cells for read, _, _ in dates.days(cell.text)]
        if (
            columns
            and len(here) == 2
            and len(line.cells) > 3
            and all(abs(here[n][1] - columns[n]) < 45 for n in (0, 1))
            and here[0][0] <= here[1][0]
        ):
            yield here[0][0], here[1][0], line


# Seller, payer, file -----------------------------------------------------------------------------------------------

_SIRET = re.compile(r"(?<!\d)(\d{3}[ .]?\d{3}[ .]?\d{3}[ .]?\d{5}|\d{9} \d{5})(?!\d)")


def is_siret(digits: str) -> bool:
    """Say whether fourteen digits are a SIRET by their check digit (La Poste's own rule is its sum of digits)."""
    if len(digits) != 14 or not digits.isdigit():
        return False
    doubled = [int(each) * (2 - at % 2) for at, each in enumerate(digits)]
    return sum(each - 9 * (each > 9) for each in doubled) % 10 == 0 or (
        digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0
    )


def seller(sheet: Sheet, known: Known) -> Value | None:
    """Return the SIRET of who invoices: one of the account's own, else the first that is not the payer's."""
    found: dict[str, tuple[int, Line]] = {}
    for index, line in enumerate(sheet.lines):
        for cell in line.cells:
            for match in _SIRET.finditer(cell.text):
                digits = re.sub(r"\D", "", match[1])
                near = fold(
                    " ".join(
                        c.text
                        for other in sheet.lines[max(0, index - 4) : index + 1]
                        for c in other.cells
                        if c.x0 < cell.x1 and cell.x0 < c.x1
                    )
                )
                sure = 92 if "siret" in near else 60
                sure -= 30 * bool(
                    re.search(
                        r"\bclient|destinataire|factur(?:e|er) a\b|adresse a|doit\b|opco|payeur|financeur|"
                        r"employeur|entreprise",
                        near,
                    )
                )
                sure += 6 if digits in known.sirets else 0
                if is_siret(digits) and sure > found.get(digits, (0,))[0]:
                    found[digits] = (sure, line)
    if not found:
        return None
    best = max(found, key=lambda digits: found[digits][0])
    sure, line = found[best]
    return value(best, sure, line, "SIRET with a valid check digit")


_FILE_LABELS = (
    ("file number", 95, re.compile(
        rf"\b(?:{_NO}\s*(?:de\s+|du\s+)?(?:votre\s+)?dossier|dossier[^:\d]{{0,40}}?(?:{_NO}|:)|ref(?:erence|"
        r"\.)?\s*(?:de\s+|du\s+)?(?:votre\s+)?dossier|dossier)\b(?:\s+(?:opco|de financement|de prise en charge|"
        r"financeur|formation))?\s*:?")),
    ("agreement", 90, re.compile(
        r"\b(?:accord(?: de (?:prise en charge|financement))?|prise en charge|apc|pec|convention(?:\s*/\s*dossier)?|"
        rf"subrogation)\b[^:\d]{{0,25}}?(?:{_NO}|:)")),
    ("agreement", 84, re.compile(
        rf"\b(?:{_NO}\s*(?:de\s+|d'\s?)?(?:l')?(?:accord|prise en charge|apc|pec|convention|financement|engagement)|"
        r"(?:v/|vos?\s|votre\s)\s?ref(?:erences?)?\.?)\b(?:\s+(?:de prise en charge|opco|dossier))?\s*:?")),
)  # fmt: skip


def file(sheet: Sheet) -> Value | None:
    """Return the number of the file at the payer."""
    found: dict[str, Value] = {}
    for rule, confidence, label in _FILE_LABELS:
        for places in announced(sheet, label):
            each, token = next(((each, token) for each in places if (token := _file_in(each))), (None, ""))
            if each is not None:
                sure = confidence - {"same": 0, "right": 1, "below": 3}[each.how]
                if sure > (found[token].confidence if token in found else 0):
                    found[token] = value(token, sure, each.line, rule)
    return max(found.values(), key=lambda each: each.confidence, default=None)


_AGREEMENT = re.compile(r"\b(?:convention|contrat)(?! d)(?: de formation)?\s*(?:n\s?[°o]\.?|numero|:)\s*:?")


def agreement(sheet: Sheet) -> Value | None:
    """Return the number of the convention or contract that the head names; those of single trainees stand with them."""
    found = {}
    for places in announced(sheet, _AGREEMENT):
        for each in places[:1]:
            match = _NUMBER.match(each.text)
            if match and len(match[0]) >= 4 and not re.fullmatch(DAY, fold(match[0])):
                found[match[0]] = value(match[0], 86, each.line, "agreement")
    return next(iter(found.values())) if len(found) == 1 else None


def _file_in(each: Announced) -> str | None:
    text = re.sub(rf"^(?:{_NO}|N°|opco)\s*[:.]?\s*", "", each.text, flags=re.IGNORECASE)
    match = _NUMBER.match(text)
    if not match or re.fullmatch(DAY, fold(match[0])) or len(match[0]) < 4:
        return None
    return None if re.search(r"contrat|apprentissage", each.label) else match[0].strip(" .-/")


_PAYER_LABEL = re.compile(
    r"^(?:client|facturee?\s+a|adressee?\s+a|destinataire|payeur|financeur|adresse\s+de\s+facturation|doit|"
    r"a\s+l'attention\s+de|factur[ée]r?\s+a|organisme\s+financeur|opco\s+financeur|tiers\s+payeur|bill to|"
    r"nom\s+du\s+client|client\s+facture)\b\s*:?"
)
_STREET = re.compile(
    r"^(?:\d+\s?(?:bis|ter)?,?\s|(?:rue|avenue|av\.|boulevard|bd|zac|zi|za|route|chemin|place|quai|impasse|allee|"
    r"bp|cs|cours|square|parc|service|domaine|tour)\b)"
)
_TOWN = re.compile(r"(?:^|\s)\d{5}\s+[A-ZÀ-Ý]")
_NO_PAYER = re.compile(
    r"siret|siren|\bnda\b|\bemise? le|factur|avoir\b|\bdate\b|\btel\b|dossier|\bcode\b|numero|n°|stagiaire|@|www|\d{2}/\d{2}|"
    r"reference"
)


def payer(sheet: Sheet, known: Known) -> Value | None:
    """Return the name of who pays: one that the account knows, a labelled one, or the addressee's block."""
    folded_names = [(fold(each.name), each.name) for each in known.payers if len(each.name) > 3]
    for line in sheet.lines[:40]:
        for cell in line.cells:
            for folded_name, name in folded_names:
                if fold(cell.text).startswith(folded_name):
                    return value(name, 95, line, "known payer")
    labelled = [
        next((each for each in places if _is_payer(each.text)), None) for places in announced(sheet, _PAYER_LABEL)
    ]
    for each in labelled:
        if each is not None:
            return value(each.text.strip(" ,"), 88, each.line, "labelled payer")
    return _addressee(sheet)


def _is_payer(text: str) -> bool:
    folded = fold(text)
    return (
        bool(re.search(r"[a-z]{3}", folded))
        and not _NO_PAYER.search(folded)
        and not _STREET.match(folded)
        and len(text) < 80
    )


_SELLER_WORDS = re.compile(
    r"siret|siren|\bnda\b|\btel\b|declaration|enregistre|@|\btva\b|\bape\b|\bnaf\b|\brcs\b|capital"
)


def _addressee(sheet: Sheet) -> Value | None:
    """Return who an address before the table is of, if it is not the seller's; an OPCO before any other."""
    blocks = []
    for index, line in enumerate(sheet.lines[:45]):
        for cell in line.cells:
            if not _TOWN.search(cell.text) or len(cell.text) > 60 or _SELLER_WORDS.search(cell.folded):
                continue
            lower = [each for each in sheet.lines[index + 1 : index + 6] if each.page == line.page]
            lower = [each for each in lower if line.y - each.y < 5 * cell.size]
            after = [each.folded for other in lower for each in other.cells if abs(each.x0 - cell.x0) < 6]
            block = _column_above(sheet.lines[max(0, index - 8) : index], line, cell)
            if block and not any(_SELLER_WORDS.search(each) and "client" not in each for each in after):
                blocks.append(block)
    payers = [each for block in blocks for each in block if fold(each[1]).startswith("opco")]
    if payers or blocks:
        line, text = payers[0] if payers else blocks[0][0] if len(blocks) == 1 else blocks[-1][0]
        return value(text.strip(" ,"), 85 if payers else 75, line, "address block")
    return None


def _column_above(lines: Iterable[Line], line: Line, town: Cell) -> list[tuple[Line, str]]:
    """Return the lines above an address's town that begin or end where it does, down to the street."""
    block: list[tuple[Line, str]] = []
    y = line.y
    for other in reversed(list(lines)):
        cell = next((each for each in other.cells if abs(each.x0 - town.x0) < 6 or abs(each.x1 - town.x1) < 3), None)
        if other.page != line.page or other.y - y > 2.2 * other.size:
            break
        if cell is None:
            continue
        if _NO_PAYER.search(fold(cell.text)) or _PAYER_LABEL.search(fold(cell.text)) or len(cell.text) > 60:
            break
        y = other.y
        block.insert(0, (other, cell.text))
    return block


def conflicting(candidates: list[Value], margin: int = 6) -> bool:
    """Say whether a second candidate is nearly as believable as the first."""
    return len(candidates) > 1 and candidates[0].confidence - candidates[1].confidence < margin
