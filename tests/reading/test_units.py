"""Invoices that name no hours: what they count is offered, and a person confirms it."""

from decimal import Decimal

import pytest

from paraphe.reading import Reading, read

from .paper import PAYER, SELLER, totals, typed
from .test_layouts import values

NUMBERED = ["FACTURE N° FA-26-11-0340 du 02/10/2026", "Formation du 01/09/2026 au 30/09/2026"]


def counted(*lines: str, excl: str) -> Reading:
    return read(typed([*SELLER, *PAYER, *NUMBERED, *lines, *totals(excl)]))


@pytest.mark.parametrize(
    ("head", "written", "unit"),
    [
        ("½ journées", "4,00", "HALF_DAY"),
        ("Quantité", "4 demi-journées", "HALF_DAY"),
        ("Nb jours", "4j", "DAY"),
        ("Jours", "4", "DAY"),
        ("Quantité", "4,00 JRS", "DAY"),
        ("Mois", "4,00", None),
        ("Quantité", "4 mois", None),
    ],
)
def test_lines_that_make_the_amount_count_what_their_heads_or_they_say(head, written, unit):
    reading = counted(
        f"Stagiaire           {head:18}  Prix       Montant HT",
        f"LE GOFF Anaïs       {written:18}  150,00     600,00",
        f"DUBREUILH Loïc      {written.replace('4', '2', 1):18}  150,00     300,00",
        excl="900,00",
    )

    assert values(reading)["quantity"] == Decimal("6.00")
    assert values(reading).get("unit") == unit
    assert [each.last_name for each in reading.trainees] == ["LE GOFF", "DUBREUILH"]
    assert reading.needs_review()


def test_months_of_a_form_are_those_whose_price_makes_the_amount():
    lines = "Apprenti : LE GOFF Anaïs", "Quantité facturée : 4 mois", "Forfait mensuel : 708,33 €"

    found = values(counted(*lines, excl="2 833,32"))

    assert (found["quantity"], found.get("unit")) == (Decimal("4.00"), None)


def test_the_amount_of_all_lines_is_no_quantity():
    reading = counted(
        "Stagiaire           Quantité            Prix       Montant HT",
        "LE GOFF Anaïs       4                   150,00     600,00",
        "DUBREUILH Loïc      2                   150,00     300,00",
        "                                                   900,00",
        excl="900,00",
    )

    assert values(reading).get("quantity") != Decimal("900.00")
