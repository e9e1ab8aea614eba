"""The XML inside a Factur-X or ZUGFeRD invoice: exact values, and the rules that it breaks.

Both generations are Cross Industry Invoices of UN/CEFACT with other names for the same things; elements are found by
their local names. Rules are numbered as in EN 16931.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

#: Names that the standards give the file; looked for without regard to capitals.
NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
_MOST_BYTES = 5_000_000
_CREDIT_NOTES = {"381", "261", "262", "396", "502", "503"}
_HOURS = {"HUR", "HR"}
_UNITS = {"HUR": "HOUR", "HR": "HOUR", "DAY": "DAY"}


class Unusable(Exception):  # noqa: N818 - says what is so, as crafts do here
    """The XML cannot be read as an invoice."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line: texts that may name a trainee, quantity with unit (UN/ECE code), amount."""

    texts: tuple[str, ...]
    quantity: Decimal | None
    unit: str
    amount: Decimal | None


@dataclass(slots=True)
class EInvoice:
    """What the XML says; names as the contract's elements in snake case. `broken` are rules in words."""

    credit_note: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def parse(content: bytes) -> EInvoice:
    """Read the XML. Raises Unusable; nothing outside is ever loaded and no entity is expanded."""
    if len(content) > _MOST_BYTES:
        raise Unusable("is too large")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unusable("is not well-formed XML") from error
    if root.getroottree().docinfo.doctype or not etree.QName(root).localname.startswith("CrossIndustry"):
        raise Unusable("is no Cross Industry Invoice")
    read = EInvoice()
    _read_head(root, read)
    _read_sums(root, read)
    _read_items(root, read)
    read.broken += list(_broken(root, read))
    return read


def _first(node: Any, *path: str) -> Any:
    """Return the first element on a path of local names, each anywhere below the one before; None without one."""
    for step in path:
        node = next(node.iter(f"{{*}}{step}"), None) if node is not None else None
    return node


def _text(node: Any, *path: str) -> str | None:
    found = _first(node, *path)
    text = (found.text or "").strip() if found is not None else ""
    return " ".join(text.split())[:300] or None


def _number(node: Any, *path: str) -> Decimal | None:
    text = _text(node, *path)
    try:
        number = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and abs(number) < 10**12 else None


def _day(node: Any, *path: str) -> date | None:
    text = _text(node, *path, "DateTimeString") or _text(node, *path, "DateString") or ""
    digits = re.sub(r"\D", "", text)[:8]
    try:
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _read_head(root: Any, read: EInvoice) -> None:
    document = next((node for node in root if "ExchangedDocument" in node.tag and "Context" not in node.tag), None)
    code = _text(document, "TypeCode")
    read.credit_note = code in _CREDIT_NOTES
    seller, buyer = _first(root, "SellerTradeParty"), _first(root, "BuyerTradeParty")
    settlement = _first(root, "ApplicableHeaderTradeSettlement")
    settlement = settlement if settlement is not None else _first(root, "ApplicableSupplyChainTradeSettlement")
    legal = re.sub(r"\s", "", _text(seller, "SpecifiedLegalOrganization", "ID") or "")
    read.values = {
        "invoice_number": _text(document, "ID"),
        "invoice_date": _day(document, "IssueDateTime"),
        "seller_siret": legal if re.fullmatch(r"\d{14}", legal) else None,
        "payer_name": _text(buyer, "Name"),
        "file_number": _text(root, "BuyerReference"),
        "contract_number": _text(root, "ContractReferencedDocument", "IssuerAssignedID"),
    } | _period(root, settlement)


def _period(root: Any, settlement: Any) -> dict[str, date | None]:
    header = (
        next((node for node in settlement if node.tag.endswith("BillingSpecifiedPeriod")), None)
        if settlement is not None
        else None
    )
    if header is not None:
        return {"period_start": _day(header, "StartDateTime"), "period_end": _day(header, "EndDateTime")}
    starts = [day for node in root.iter("{*}BillingSpecifiedPeriod") if (day := _day(node, "StartDateTime"))]
    ends = [day for node in root.iter("{*}BillingSpecifiedPeriod") if (day := _day(node, "EndDateTime"))]
    return {"period_start": min(starts, default=None), "period_end": max(ends, default=None)}


def _sums(root: Any) -> Any:
    found = _first(root, "SpecifiedTradeSettlementHeaderMonetarySummation")
    return found if found is not None else _first(root, "SpecifiedTradeSettlementMonetarySummation")


def _read_sums(root: Any, read: EInvoice) -> None:
    sums = _sums(root)
    read.values |= {
        "amount_excl_vat": _number(sums, "TaxBasisTotalAmount"),
        "vat_amount": _number(sums, "TaxTotalAmount"),
        "amount_incl_vat": _number(sums, "GrandTotalAmount"),
    }
    read.values = {name: value for name, value in read.values.items() if value is not None}


def _lines(root: Any) -> Iterator[Any]:
    yield from root.iter("{*}IncludedSupplyChainTradeLineItem")


def _line_total(line: Any) -> Decimal | None:
    for name in ("SpecifiedTradeSettlementLineMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"):
        if (found := _number(line, name, "LineTotalAmount")) is not None:
            return found
    return None


def _read_items(root: Any, read: EInvoice) -> None:
    for line in list(_lines(root))[:2000]:
        texts = [
            _text(line, "SpecifiedTradeProduct", "Description"),
            _text(line, "SpecifiedTradeProduct", "Name"),
            _text(line, "IncludedNote", "Content"),
        ]
        quantity = _first(line, "BilledQuantity")
        unit = quantity.get("unitCode", "") if quantity is not None else ""
        item = Item(tuple(each for each in texts if each), _number(line, "BilledQuantity"), unit, _line_total(line))
        read.items.append(item)
    hours = [item.quantity for item in read.items if item.unit in _HOURS and item.quantity is not None]
    others = {item.unit for item in read.items} - _HOURS
    if hours and not others:
        read.values["quantity"], read.values["unit"] = abs(sum(hours, Decimal())), "HOUR"
    elif others == {"DAY"} and not hours:
        days = [item.quantity for item in read.items if item.quantity is not None]
        read.values["quantity"], read.values["unit"] = abs(sum(days, Decimal())), _UNITS["DAY"]


# Rules -------------------------------------------------------------------------------------------------------------


def _broken(root: Any, read: EInvoice) -> Iterator[str]:
    """Give every rule that the XML breaks, in words with the rule's number."""
    for name, words in (("invoice_number", "BR-02: it has no number"), ("invoice_date", "BR-03: it has no date")):
        if name not in read.values:
            yield words
    yield from _broken_sums(root)
    yield from _broken_taxes(root)
    for number, line in enumerate(list(_lines(root))[:2000], 1):
        yield from _broken_line(number, line)
    code = _text(root, "ExchangedDocument", "TypeCode")
    total = read.values.get("amount_incl_vat")
    if total is not None and total < 0 and code == "380":
        yield "the amounts are negative, but the type code 380 is an invoice's"
    odd = {etree.QName(node).localname for node in root.iter("{*}*") if "currencyID" in node.attrib} - {
        "TaxTotalAmount",
        "TaxBasisTotalAmount",
        "GrandTotalAmount",
    }
    if odd and root.tag.endswith("CrossIndustryInvoice"):
        yield "CII-DT-031: currencyID stands where only the tax total has one"
    yield from _without_breakdown(root)


def _without_breakdown(root: Any) -> Iterator[str]:
    guideline = (_text(root, "GuidelineSpecifiedDocumentContextParameter", "ID") or "").lower()
    if "minimum" in guideline or not root.tag.endswith("CrossIndustryInvoice"):
        return
    settlement = _first(root, "ApplicableHeaderTradeSettlement")
    if settlement is not None and not any(node.tag.endswith("ApplicableTradeTax") for node in settlement):
        yield "BR-CO-18: it has no breakdown of VAT"
    if "basicwl" not in guideline and not any(True for _ in _lines(root)):
        yield "BR-16: it has no line"


_SUMS = (
    "LineTotalAmount", "AllowanceTotalAmount", "ChargeTotalAmount", "TaxBasisTotalAmount", "TaxTotalAmount",
    "GrandTotalAmount", "TotalPrepaidAmount", "RoundingAmount", "DuePayableAmount",
)  # fmt: skip


def _broken_sums(root: Any) -> Iterator[str]:
    sums, zero = _sums(root), Decimal()
    given = [_number(sums, name) for name in _SUMS]
    lines, allowances, charges, basis, tax, total, prepaid, rounding, due = (each or zero for each in given)
    has_lines, has_basis, has_tax, has_total, has_due = (given[at] is not None for at in (0, 3, 4, 5, 8))
    totals = [_line_total(line) for line in _lines(root)]
    added = sum((each or zero for each in totals), zero)
    if has_lines and totals and None not in totals and added != lines:
        yield f"BR-CO-10: the lines make {added}, the sum of lines says {lines}"
    if has_lines and has_basis and lines - allowances + charges != basis:
        yield f"BR-CO-13: lines, allowances and charges do not make {basis}"
    if has_basis and has_tax and has_total and basis + tax != total:
        yield f"BR-CO-15: {basis} and VAT {tax} do not make {total}"
    if has_lines and has_total and has_due and total - prepaid + rounding != due:
        yield f"BR-CO-16: {total} less what was paid does not make {due}"


def _broken_taxes(root: Any) -> Iterator[str]:
    settlement = _first(root, "ApplicableHeaderTradeSettlement")
    taxes = [node for node in settlement if node.tag.endswith("ApplicableTradeTax")] if settlement is not None else []
    amounts = [_number(node, "CalculatedAmount") for node in taxes]
    total = _number(_sums(root), "TaxTotalAmount")
    if (
        taxes
        and None not in amounts
        and total is not None
        and sum((each or Decimal() for each in amounts), Decimal()) != total
    ):
        yield f"BR-CO-14: the breakdown of VAT does not make {total}"
    for node, amount in zip(taxes, amounts, strict=True):
        basis, rate = _number(node, "BasisAmount"), _number(node, "RateApplicablePercent")
        rate = rate if rate is not None else _number(node, "ApplicablePercent")
        if basis is None or rate is None or amount is None:
            continue
        if abs(basis * rate / 100 - amount) > Decimal("0.011"):
            yield f"BR-CO-17: {rate} % of {basis} is not {amount}"


def _broken_line(number: int, line: Any) -> Iterator[str]:
    net, gross = _first(line, "NetPriceProductTradePrice"), _first(line, "GrossPriceProductTradePrice")
    price, quantity, total = _number(net, "ChargeAmount"), _number(line, "BilledQuantity"), _line_total(line)
    base = _number(net, "BasisQuantity") or Decimal(1)
    extras = any(True for _ in line.iter("{*}SpecifiedTradeAllowanceCharge"))
    if price is not None and price < 0:
        yield f"BR-27: line {number} has a negative price"
    given = price is not None and quantity is not None and total is not None and not extras
    if given and abs((price or 0) * (quantity or 0) / base - (total or 0)) > Decimal("0.03"):
        yield f"line {number}: quantity and price do not make {total}"
    before, discount = _number(gross, "ChargeAmount"), _number(gross, "AppliedTradeAllowanceCharge", "ActualAmount")
    if before is not None and price is not None and abs(before - (discount or 0) - price) > Decimal("0.011"):
        yield f"line {number}: the price before the discount and the discount do not make the price"
    if quantity is not None and not _first(line, "BilledQuantity").get("unitCode"):
        yield f"BR-23: line {number} has no unit"
