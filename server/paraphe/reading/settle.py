"""What holds together: trainees, hours and amounts that prove each other; the rest is left to a person."""

from decimal import Decimal

from . import amounts, head, items, parties, periods, totals, unlabelled
from .folding import fold
from .items import Total
from .labels import COMPARE, Sheet, value
from .measures import measures
from .names import key
from .proof import Proof
from .result import THRESHOLD, Known, Reading, Value
from .trainees import Trainees

_CENT = Decimal("0.01")
_DEAREST_DAY = 20_000  # euros
_AHEAD = 15  # days; a month is often invoiced before its end, a longer time may be all of a training
_HOURS_A_DAY = 12  # more than anybody is taught


def interpret(sheet: Sheet, known: Known) -> Reading:
    """Read the text of an invoice."""
    reading = Reading()
    if head.is_credit_note(sheet):
        reading.kind = "CREDIT_NOTE"
    _read_head(sheet, known, reading)
    in_hours = totals.is_in_hours(sheet)
    excl = reading.values.get("amount_excl_vat")
    sums = totals.hours(sheet, excl.value if excl else None, in_hours=in_hours)
    chosen = Trainees(sheet, known, Proof(sheet, sums, excl, in_hours))
    chosen.settle(reading)
    _read_quantity(sheet, reading, sums, chosen)
    _check(reading, known)
    return reading


# The head ----------------------------------------------------------------------------------------------------------


def _read_head(sheet: Sheet, known: Known, reading: Reading) -> None:
    numbers = head.number(sheet) or unlabelled.number(sheet)
    days = head.day_of_issue(sheet) or unlabelled.day_of_issue(sheet)
    _take(reading, "invoice_number", "invoiceNumber", numbers)
    _take(reading, "invoice_date", "invoiceDate", days)
    found = periods.period(sheet, days[0].value if days else None)
    if found:
        over = next((each for each in found if days and _is_over(each, days[0])), found[0])
        reading.values["period_start"], reading.values["period_end"] = over
        if len(found) > 1 and found[0][0].confidence - found[1][0].confidence < 6:
            reading.warn("AMBIGUOUS_VALUE", "More than one period may be the one invoiced.", COMPARE, "periodStart")
        elif over is not found[0]:
            message = f"The period ends ({over[1].value}) before the invoice; another one that is printed goes on."
            reading.warn("AMBIGUOUS_VALUE", message, COMPARE, "periodStart")
        elif "period" not in fold(over[0].snippet) and (
            outside := periods.invoiced_outside(sheet, over[0].value, over[1].value)
        ):
            message = f"A line that is invoiced is of {outside}, which is not in the period that was read."
            reading.warn("AMBIGUOUS_VALUE", message, COMPARE, "periodStart")
    for name, each in (
        ("seller_siret", parties.seller(sheet, known)),
        ("payer_name", parties.payer(sheet, known)),
        ("contract_number", parties.agreement(sheet)),
        ("file_number", parties.file(sheet)),
    ):
        if each is not None:
            reading.values[name] = each
    if payer := reading.values.get("payer_name"):
        matching = [one for one in known.payers if fold(one.name) == fold(payer.value)]
        if len(matching) == 1:
            reading.values["payer_reference"] = Value(
                matching[0].reference, payer.confidence, payer.page, payer.snippet, "known payer"
            )
    for name, total in amounts.amounts(sheet).items():
        reading.values[name] = value(total.value, total.confidence, total.line, total.rule)


def _is_over(period: tuple[Value, Value], issued: Value) -> bool:
    """Say whether a period that is believable was over when the invoice was written."""
    return period[1].confidence >= THRESHOLD and bool(period[1].value <= issued.value)


def _take(reading: Reading, name: str, field: str, candidates: list[Value]) -> None:
    if candidates:
        reading.values[name] = candidates[0]
    if head.conflicting(candidates):
        others = ", ".join(str(each.value) for each in candidates[:3])
        reading.warn("AMBIGUOUS_VALUE", f"{field} may be one of {others}.", COMPARE, field)


# Quantity ----------------------------------------------------------------------------------------------------------


def _read_quantity(sheet: Sheet, reading: Reading, sums: list[Total], chosen: Trainees) -> None:
    quantities = [each.quantity.value for each in reading.trainees if each.quantity]
    added = sum(quantities, Decimal()) if quantities and len(quantities) == len(reading.trainees) else None
    printed = next((each for each in sums if each.value == added), None)
    contradicted = printed is None and any(
        each.confidence >= 90 or chosen.proof.makes_amount(each.value) for each in sums
    )
    if added is not None and printed is None and (chosen.proven or not contradicted):
        line = chosen.mentions[0].line
        found = value(added.quantize(_CENT), 92 if chosen.proven else 70, line, "sum of the trainees' hours")
        if contradicted:
            _warn_of_hours(reading, added, sums[0].value)
    elif printed is not None:
        found = value(printed.value.quantize(_CENT), 97, printed.line, printed.rule)
    elif sums:
        best = _best_total(sheet, sums, chosen)
        found = value(best.value.quantize(_CENT), best.confidence, best.line, best.rule)
        if added is not None:
            _warn_of_hours(reading, added, found.value)
    elif (each := totals.hours_of_each(sheet)) and reading.trainees:
        line, hours = each
        for trainee in reading.trainees:
            trainee.quantity = value(hours.quantize(_CENT), 75, line, "hours of each trainee")
        total = (hours * len(reading.trainees)).quantize(_CENT)
        found = value(total, 75, line, "hours of each trainee, of all trainees")
    else:
        _without_hours(sheet, reading, chosen)
        return
    reading.values["quantity"] = found
    reading.values["unit"] = Value("HOUR", found.confidence, found.page, found.snippet, found.rule)
    if len(reading.trainees) == 1 and reading.trainees[0].quantity is None:
        reading.trainees[0].quantity = found


def _warn_of_hours(reading: Reading, added: Decimal, printed: Decimal) -> None:
    message = f"The trainees' quantities make {added:f}, the invoice says {printed:f}."
    reading.warn("SUM_MISMATCH", message, "Compare the quantities with the invoice.", "quantity")


def _best_total(sheet: Sheet, sums: list[Total], chosen: Trainees) -> Total:
    """Return the total that a printed price proves, else the surest.

    Unproven it is doubtful, unless it is the only one and the trainee the only one.
    """
    counting = items.items(sheet, in_hours=chosen.in_hours)
    added = sum((abs(each[0].value) for each in counting), Decimal())
    for each in sums:
        if each.value == added or chosen.proof.makes_amount(each.value):
            return Total(each.value, 93, each.line, f"{each.rule}, price x hours agree")
    alone = len(sums) == len(chosen.mentions) == 1 and chosen.proven and sums[0].rule == "hours done"
    return Total(sums[0].value, min(84 if alone else 78, sums[0].confidence), sums[0].line, sums[0].rule)


def _without_hours(sheet: Sheet, reading: Reading, chosen: Trainees) -> None:
    """Take days, or months, where no hours are printed; a person confirms it. A flat amount has no quantity."""
    counting = items.items(sheet, in_hours=chosen.in_hours)
    if counting and chosen.in_hours:
        added = sum((abs(each[0].value) for each in counting), Decimal())
        if chosen.proof.makes_amount(added):
            found = value(added.quantize(_CENT), 84, counting[0][3], "sum of the lines' quantities")
            reading.values["quantity"] = found
            reading.values["unit"] = Value("HOUR", 84, found.page, found.snippet, found.rule)
            if len(reading.trainees) == 1:
                reading.trainees[0].quantity = found
            return
    if lines := items.without_unit(sheet, chosen.proof.excl.value if chosen.proof.excl else None):
        added = sum((abs(each[0].value) for each in lines), Decimal())
        reading.values["quantity"] = value(added.quantize(_CENT), 60, lines[0][3], "lines without a unit")
        reading.values["unit"] = value("HOUR", 60, lines[0][3], "lines without a unit")
        return
    excl = chosen.proof.excl
    if not chosen.in_hours and excl is not None and (counted := items.in_another_unit(sheet, excl.value)):
        added, unit, line = counted
        reading.values["quantity"] = value(added.quantize(_CENT), 75, line, "lines that make the amount")
        if unit != "MONTH":  # the contract has none: a person says what it stands for
            reading.values["unit"] = value(unit, 75, line, "lines that make the amount")
        return
    for line in sheet.lines:
        for each in measures(line):
            if each.kind in ("DAYS", "HALF_DAYS") and chosen.proof.makes_amount(each.value, _DEAREST_DAY):
                unit = {"DAYS": "DAY", "HALF_DAYS": "HALF_DAY"}[each.kind]
                reading.values["quantity"] = value(each.value.quantize(_CENT), 75, line, "days")
                reading.values["unit"] = value(unit, 75, line, "days")
                return


# Contradictions ----------------------------------------------------------------------------------------------------


def _check(reading: Reading, known: Known) -> None:
    values = {name: each.value for name, each in reading.values.items()}
    start, end, issued = values.get("period_start"), values.get("period_end"), values.get("invoice_date")
    if start and end and end < start:
        reading.warn("PERIOD_ORDER", f"The period ends ({end}) before it starts ({start}).", COMPARE, "periodEnd")
    if issued and end and issued < end:
        reading.warn(
            "INVOICED_BEFORE_END",
            f"The invoice is of {issued}, before the end of the period ({end}).",
            "This is right for an advance only.",
            "invoiceDate",
            review=(end - issued).days > _AHEAD,
        )
    if issued and start and (issued < start or (issued - start).days > 1100):
        reading.warn(
            "PERIOD_ORDER", f"The invoice is of {issued}, the period starts on {start}.", COMPARE, "periodStart"
        )
    amounts = [values.get(name) for name in ("amount_excl_vat", "vat_amount", "amount_incl_vat")]
    if all(each is not None for each in amounts) and amounts[0] + amounts[1] != amounts[2]:  # type: ignore[operator]
        reading.warn(
            "SUM_MISMATCH",
            f"amountExclVat {amounts[0]} and vatAmount {amounts[1]} do not make amountInclVat {amounts[2]}.",
            "Compare the amounts with the invoice.",
            "amountInclVat",
        )
    _check_trainees(reading)
    hours = [each.quantity.value for each in reading.trainees if each.quantity]
    if start and start == end and values.get("unit") == "HOUR" and max(hours, default=0) > _HOURS_A_DAY:
        reading.warn("AMBIGUOUS_VALUE", f"{max(hours)} hours are more than {start} has.", COMPARE, "periodEnd")
    if known.sirets and "seller_siret" in values and values["seller_siret"] not in known.sirets:
        reading.warn(
            "UNKNOWN_SELLER", f"The SIRET {values['seller_siret']} is not the account's own.", COMPARE, "sellerSiret"
        )


def _check_trainees(reading: Reading) -> None:
    keys = [key(each.name.value) for each in reading.trainees]
    for index, each in enumerate(reading.trainees, 1):
        if keys.count(keys[index - 1]) > 1 and not each.reference and not each.contract_number:
            reading.warn(
                "AMBIGUOUS_TRAINEE",
                f"Trainee {index}: the name {each.name.value} stands on the invoice more than once.",
                COMPARE,
                f"trainees[{index}].lastName",
            )
    printed = [each.amount_excl_vat.value for each in reading.trainees if each.amount_excl_vat]
    excl = reading.values.get("amount_excl_vat")
    if (
        excl
        and printed
        and len(printed) == len(reading.trainees) > 1
        and abs(abs(sum(printed)) - abs(excl.value)) > Decimal("0.02")
    ):
        reading.warn(
            "SUM_MISMATCH",
            f"The trainees' amounts make {sum(printed)}, the invoice says {excl.value}.",
            "Compare the amounts with the invoice.",
            "amountExclVat",
            review=False,
        )
