"""Who invoices, who pays, and under which file: SIRET, payer, file number, agreement."""

import re
from collections.abc import Iterable, Sequence

from .dates import DAY
from .folding import fold
from .head import NO, NUMBER
from .labels import Announced, Sheet, announced, value
from .layout import Cell, Line
from .measures import has_check_digit
from .result import Known, Value

_SIRET = re.compile(r"(?<!\d)(\d{3}[ .]?\d{3}[ .]?\d{3}[ .]?\d{5}|\d{9} \d{5})(?!\d)")


def is_siret(digits: str) -> bool:
    """Say whether fourteen digits are a SIRET by their check digit (La Poste's own rule is its sum of digits)."""
    if len(digits) != 14 or not digits.isdigit():
        return False
    return has_check_digit(digits) or (digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0)


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
                sure += 4 * bool(_SELLERS_OWN.search(line.folded) or _ends_page(sheet, index))
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


def _ends_page(sheet: Sheet, index: int) -> bool:
    """Say whether a line is at the foot of its page, where who invoices says who it is."""
    below = sheet.lines[index + 1 : index + 3]
    return len(sheet.lines) > _FOOT and (len(below) < 2 or below[1].page != sheet.lines[index].page)


_FOOT = 12  # lines, of which the last two are a foot
#: What who invoices says of itself, beside its SIRET.
_SELLERS_OWN = re.compile(r"\bnda\b|declaration|\bcapital\b|\biban\b|\bn[°o] (?:de )?tva|\brcs\b")

_FILE_LABELS = (
    ("file number", 95, re.compile(
        rf"\b(?:{NO}\s*(?:de\s+|du\s+)?(?:votre\s+)?dossier|dossier[^:\d]{{0,40}}?(?:{NO}|:)|ref(?:erence|"
        r"\.)?\s*(?:de\s+|du\s+)?(?:votre\s+)?dossier|dossier)\b(?:\s+(?:opco|de financement|de prise en charge|"
        r"financeur|de formation|formation))?\s*:?")),
    ("agreement", 90, re.compile(
        r"\b(?:accord(?: de (?:prise en charge|financement))?|prise en charge|apc|pec|aif|convention\s*/\s*dossier|"
        rf"subrogation)\b[^:\d]{{0,25}}?(?:{NO}|:|$)")),
    ("agreement", 84, re.compile(
        rf"\b(?:{NO}\s*(?:de\s+|d'\s?)?(?:l')?(?:accord|prise en charge|apc|pec|convention|financement)|"
        r"(?:v/|vos?\s|votre\s)\s?ref(?:erences?)?\.?|ref(?:erence|\.)? opco)\b"
        r"(?:\s+(?:de prise en charge|opco|dossier|financeur))?(?:\s*/\s*devis)?\s*:?")),
    ("engagement", 82, re.compile(
        rf"\b{NO}\s*(?:de\s+|d'\s?)?(?:l')?engagement\b(?:\s+(?:opco|financeur|du financeur))?\s*:?")),
    ("reference", 76, re.compile(r"^reference(?: client)?\s*:?$")),
    ("convention", 80, re.compile(
        rf"(?:^|/\s?|\bvotre )convention\b(?:[^:\d]{{0,25}}?(?:{NO}|:|$)|\s(?=\d))")),
)  # fmt: skip


def file(sheet: Sheet) -> Value | None:
    """Return the number of the file at the payer."""
    found: dict[str, Value] = {}
    for rule, confidence, label in _FILE_LABELS:
        for places in announced(sheet, label):
            each, token = next(((each, token) for each in places if (token := _file_in(each))), (None, ""))
            if each is not None:
                sure = confidence - {"same": 0, "right": 1, "above": 3, "below": 3}[each.how]
                if sure > (found[token].confidence if token in found else 0):
                    found[token] = value(token, sure, each.line, rule)
    return max(found.values(), key=lambda each: each.confidence, default=None)


_AGREEMENT = re.compile(r"\b(?:convention|contrat)(?! d)(?: de formation)?\s*(?:n\s?[°o]\.?|numero|:)\s*:?")


def agreement(sheet: Sheet) -> Value | None:
    """Return the number of the convention or contract that the head names; those of single trainees stand with them."""
    found = {}
    for places in announced(sheet, _AGREEMENT):
        for each in places[:1]:
            match = NUMBER.match(each.text)
            if match and len(match[0]) >= 4 and not re.fullmatch(DAY, fold(match[0])):
                found[match[0]] = value(match[0], 86, each.line, "agreement")
    return next(iter(found.values())) if len(found) == 1 else None


_IN_GROUPS = re.compile(r"[A-Z]{2,4}(?: \d{2,4}){2,4}(?![\w.,/-])")  # "MOB 26 771 033"


def _file_in(each: Announced) -> str | None:
    text = re.sub(rf"^(?:{NO}|N°|opco)\s*[:.]?\s*", "", each.text, flags=re.IGNORECASE)
    match = _IN_GROUPS.match(text) or NUMBER.match(text)
    if not match or re.fullmatch(DAY, fold(match[0])) or len(match[0]) < 4:
        return None
    return None if re.search(r"contrat|apprentissage", each.label) else match[0].strip(" .-/")


_PAYER_LABEL = re.compile(
    r"^(?:client|facturee?\s+a|adressee?\s+a|destinataire|payeur|financeur|adresse\s+de\s+facturation|doit|"
    r"a\s+l'attention\s+de|factur[ée]r?\s+a|organisme\s+financeur|opco\s+financeur|tiers\s+payeur|bill to|"
    r"nom\s+du\s+client|client\s+facture|acheteur|acquereur|debiteur|redevable|pour(?=\s*:?$))\b\s*:?"
)
_STREET = re.compile(
    r"^(?:\d+\s?(?:bis|ter)?,?\s|(?:rue|avenue|av\.|boulevard|bd|zac|zi|za|route|chemin|place|quai|impasse|allee|"
    r"bp|cs|cours|square|parc|service|domaine|tour)\b)"
)
_TOWN = re.compile(r"(?:^|\s)\d{5}\s+[A-ZÀ-Ý]")
_NO_PAYER = re.compile(
    r"^(?:session|formation|parcours|releve|convention|periode|echeance|objet|commande|conditions|page|employeur)\b|"
    r"siret|siren|\bnda\b|\bemise? le|factur|avoir\b|\bdate\b|\btel\b|dossier|\bcode\b|numero|n°|stagiaire|@|www|"
    r"\d{2}/\d{2}|reference"
)


def payer(sheet: Sheet, known: Known) -> Value | None:
    """Return the name of who pays: one that the account knows, a labelled one, or the addressee's block.

    Of several that the account knows, it is the one that is labelled; a centre may know itself, or an employer besides.
    """
    labelled = [
        next((each for each in places if _is_payer(each.text)), None) for places in announced(sheet, _PAYER_LABEL)
    ]
    said = [
        value(re.sub(r",?\s+\d{5}\s.*$", "", each.text).strip(" ,"), 88, each.line, "labelled payer")
        for each in labelled
        if each is not None
    ]
    addressee = _addressee(sheet, seller(sheet, known))
    if said and not (addressee and fold(str(addressee.value)).startswith("opco")):
        addressee = said[0]
    names = {each.name: fold(each.name) for each in known.payers if len(each.name) > 3}
    found = {
        name: line
        for line in reversed(sheet.lines[:40])
        for cell in line.cells
        for name, folded in names.items()
        if fold(cell.text).startswith(folded)
    }
    meant = [name for name in found if addressee is None or _begins_alike(names[name], fold(str(addressee.value)))]
    if not found or (said and not meant):
        return addressee
    best = meant[0] if len(meant) == 1 else next(reversed(found))
    return value(best, 95 if len(meant) == 1 else 60, found[best], "known payer")


def _begins_alike(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _is_payer(text: str) -> bool:
    folded = fold(text)
    return (
        bool(re.search(r"[a-z]{3}", folded))
        and not _NO_PAYER.search(folded)
        and not _STREET.match(folded)
        and len(text) < 80
    )


_SELLER_WORDS = re.compile(
    r"\buai\b|siret|siren|\bnda\b|\btel\b|declaration|enregistre|@|\btva\b|\bape\b|\bnaf\b|\brcs\b|capital"
)


_Block = list[tuple[Line, str]]


def _addressee(sheet: Sheet, seller: Value | None) -> Value | None:
    """Return who an address before the table is of, if it is not the seller's; an OPCO before any other.

    An address with the SIRET of somebody else is surely the payer's; one with the words of who invoices is not.
    """
    blocks: dict[str, list[_Block]] = {"other": [], "plain": [], "in a sentence": [], "seller": []}
    for index, line in enumerate(sheet.lines[:45]):
        for cell in line.cells:
            if not _TOWN.search(cell.text) or len(cell.text) > 60 or _SELLER_WORDS.search(cell.folded):
                continue
            lower = [each for each in sheet.lines[index + 1 : index + 6] if each.page == line.page]
            lower = [each for each in lower if line.y - each.y < 5 * cell.size]
            after = [each.text for other in lower for each in other.cells if abs(each.x0 - cell.x0) < 6]
            block = _column_above(sheet.lines[max(0, index - 8) : index], line, cell)
            if block:
                blocks[_whose(cell, after, seller)].append(block)
    every = [block for kind in blocks.values() for block in kind]
    payers = [each for block in every for each in block if fold(each[1]).startswith("opco")]
    if payers:
        line, text = payers[0]
        return value(text.strip(" ,"), 85, line, "address block")
    if not any(blocks[kind] for kind in ("other", "plain", "in a sentence")) and len(blocks["seller"]) > 1:
        blocks["plain"] = blocks["seller"][1:]  # both say their SIRET; who invoices stands first
    chosen = blocks["other"] or blocks["plain"] or blocks["in a sentence"]
    return value(chosen[-1][0][1].strip(" ,"), 75, chosen[-1][0][0], "address block") if chosen else None


def _whose(town: Cell, after: Sequence[str], seller: Value | None) -> str:
    """Say whose an address may be, by what stands below its town."""
    sirets = {re.sub(r"\D", "", match[1]) for text in after for match in _SIRET.finditer(text)}
    if sirets and seller is not None and seller.value not in sirets:
        return "other"
    if any(_SELLER_WORDS.search(fold(text)) and "client" not in fold(text) for text in after):
        return "seller"
    return "plain" if re.match(r"(?:F-?)?\d{5}\b", town.text) else "in a sentence"


def _column_above(lines: Iterable[Line], line: Line, town: Cell) -> _Block:
    """Return the lines above an address's town that begin or end where it does, down to the street."""
    block: _Block = []
    y = line.y
    for other in reversed(list(lines)):
        cell = next((each for each in other.cells if abs(each.x0 - town.x0) < 6 or abs(each.x1 - town.x1) < 3), None)
        if other.page != line.page or other.y - y > 2.4 * other.size:
            break
        text = _from(other, town.x0) if cell is None else cell.text
        if not text:
            continue
        if _NO_PAYER.search(fold(text)) or _PAYER_LABEL.search(fold(text)) or len(text) > 60:
            break
        y = other.y
        block.insert(0, (other, text))
    return [] if len(block) == 1 and _STREET.match(fold(block[0][1])) else block


def _from(line: Line, x0: float) -> str:
    """Return what stands from a place on in a cell that begins before it; "" if no word begins there."""
    inside = ((cell, word) for cell in line.cells for word in cell.words[1:] if abs(word.x0 - x0) < 1)
    cell, word = next(inside, (None, None))
    return cell.text[word.start :] if cell and word else ""
