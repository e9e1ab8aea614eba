"""What an invoice costs: amount without tax, tax, amount with tax, as far as they agree."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from . import tables
from .dates import aligned
from .items import Total
from .labels import Sheet, announced
from .measures import in_text, measures

_CENT = Decimal("0.01")
_UNDER_HEAD = "below the head of a column"  # often what the first trainee costs
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
_BASE = re.compile(r"\bsur\s+[\d ]+(?:[.,]\d\d)?\s?(?:€|EUR)?", re.IGNORECASE)  # what a tax is a share of
_HORS_TAXE = re.compile(r"(?:montant|total) (?:h\.?t\b|hors)|hors[- ]taxe")
_IN_PROSE = re.compile(r"(?:s'eleve\w*|se monte|est) (?:donc )?a (?:la somme de )?|arrete\w* .{0,60}somme de ")
_NO_VAT = re.compile(
    r"tva non applicable|exon[e]r|non assujetti|nets? de (?:taxe|tva)|hors champ|293 ?b|261[-. ]?4|sans tva|"
    r"tva\s*:?\s*(?:neant|nulle)|franchise"
)


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
    if incl or any(each.value for each in vat):
        excl = [each for each in excl if each.rule != _UNDER_HEAD]
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
    if vat and vat[0].value and not incl:
        excl, incl = next((pair for each in (excl, []) if (pair := _with_vat(sheet, each, vat[0]))[1]), (excl, incl))
    elif vat and excl and not incl:
        incl = [Total(excl[0].value, min(88, excl[0].confidence), excl[0].line, "amount with no VAT, as there is none")]
    return {
        name: each[0]
        for name, each in (("amount_excl_vat", excl), ("vat_amount", vat), ("amount_incl_vat", incl))
        if each
    }


def _printed(sheet: Sheet, amount: Decimal) -> list[Total]:
    """Return an amount if it is printed anywhere."""
    lines = [line for line in sheet.lines if any(each.value == amount for each in measures(line))]
    return [Total(amount, 88, lines[-1], "amount with VAT less VAT, printed")] if lines and amount else []


def _with_vat(sheet: Sheet, excl: list[Total], vat: Total) -> tuple[list[Total], list[Total]]:
    """Return the amounts without and with a tax that are printed and differ by it, whatever they are called.

    The one with tax stands below the tax, as the last one of the page.
    """
    printed = {each.value: line for line in sheet.lines for each in measures(line)}
    below = [line for line in sheet.lines if line.page == vat.line.page and line.number >= vat.line.number]
    for line in reversed(below):
        for each in measures(line):
            net = each.value - vat.value
            if each.decimals != 2 or abs(net) < abs(vat.value) or (excl and net != excl[0].value):
                continue
            if excl or net in printed:
                base = excl or [Total(net, 88, printed[net], "amount less VAT, printed")]
                return base, [Total(each.value.quantize(_CENT), 88, line, "amount and VAT, printed")]
    return excl, []


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
            text = _before_excl(_BASE.sub(" ", each.text)) if label is _VAT else each.text
            number = _amount_in(text) if each.how != "same" else _last_amount(_without_remark(_own(text)))
            if number is None and each.how != "below":
                begins = each.cell.x1 if each.how == "same" else each.cell.x0
                rest = [
                    m
                    for m in measures(each.line)
                    if m.kind in ("MONEY", "NUMBER") and m.x0 > begins and m.decimals == 2
                ]
                number = rest[-1].value if rest else None
            if number is not None:
                found.setdefault(
                    number,
                    Total(
                        number,
                        sure - {"same": 0, "right": 1, "above": 6, "below": 6}[each.how],
                        each.line,
                        _UNDER_HEAD if each.how == "below" and tables.head(each.at) else "labelled amount",
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


def _before_excl(text: str) -> str:
    """Return of a text behind the word for the tax what stands before an amount without it."""
    match = _HORS_TAXE.search(aligned(text))
    return text[: match.start()] if match else text


def _own(text: str) -> str:
    """Return of a text behind a label what stands before the next one: "1 677,50 € - TVA : 0,00 €"."""
    return re.split(r"\s;\s|\s-\s(?=[^\W\d_])|(?<=€)[.,;]\s(?=[^\W\d_])", text)[0]


def _without_remark(text: str) -> str:
    """Return what stands before a remark in parentheses, if an amount does: "31 266,60 € (net de taxe, TVA 0,00 €)"."""
    before = text.split(" (")[0]
    return text if _last_amount(before) is None else before


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
