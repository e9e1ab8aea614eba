"""Several courses on one invoice: their days make one period, and each section names all of its people."""

from datetime import date
from decimal import Decimal

import pytest

from paraphe.reading import read

from .paper import PAYER, SELLER, totals, typed
from .test_layouts import values

NUMBERED = "FACTURE N° FA-26-11-0340 du 02/10/2026"
HEAD = "Désignation                             Heures    P.U. HT    Montant HT"


def invoice(*lines: str, excl: str = "252,00") -> bytes:
    return typed([*SELLER, *PAYER, NUMBERED, *lines, *totals(excl)])


def items(first: str, second: str) -> list[str]:
    return [
        HEAD,
        "Word                                    14,00 h   12,00      168,00",
        first,
        "Stagiaire : Mme BERNARD Lucie",
        "Excel                                    7,00 h   12,00       84,00",
        second,
        "Stagiaire : M. FAIVRE Gaspard",
        "Total                                   21,00 h              252,00",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Du 07/09/2026 au 08/09/2026", "Le 11/09/2026"),
        ("Session du 7 septembre 2026 au 8 septembre 2026", "Session le 11 septembre 2026"),
        ("du 07/09/2026 au 08/09/2026 - 14 h par stagiaire", "le 11/09/2026 - 7 h 00 par stagiaire"),
        ("SST initial - du 07/09/2026 au 08/09/2026", "SST recyclage - du 11/09/2026 au 11/09/2026"),
    ],
)
def test_the_days_of_the_items_make_one_period(first, second):
    found = values(read(invoice(*items(first, second))))

    assert (found["period_start"], found["period_end"]) == (date(2026, 9, 7), date(2026, 9, 11))
    assert found["invoice_date"] == date(2026, 10, 2)


def test_an_item_that_is_of_a_day_outside_the_period_makes_the_invoice_wait():
    reading = read(invoice("Formation du 07/09/2026 au 08/09/2026", *items("séances de septembre", "04/11/2026")))

    assert "AMBIGUOUS_VALUE" in {each.code for each in reading.warnings}
    assert reading.needs_review()


def test_the_day_of_a_session_above_its_table_counts():
    sessions = (
        ("SST - Session du 02/09/2026", "Jeanne MARTIN          7,00 h     12,00      84,00"),
        ("Gestes - Session du 23/09/2026", "Oumar BLANC           14,00 h     12,00     168,00"),
    )
    lines = (each for session, row in sessions for each in (session, HEAD.replace("Désignation", "Participant"), row))

    found = values(read(invoice(*lines, "Total heures                21,00 h")))

    assert (found["period_start"], found["period_end"]) == (date(2026, 9, 2), date(2026, 9, 23))


def test_the_place_and_day_below_a_table_is_no_session():
    lines = items("Du 07/09/2026 au 08/09/2026", "Le 11/09/2026")[:-1]

    found = values(read(invoice(*lines, "Certifié exact, Chatte, le 30/09/2026")))

    assert found["period_end"] == date(2026, 9, 11)


def test_the_sum_of_a_section_is_not_lent_to_its_first_trainee():
    def section(title: str, people: list[str], hours: int) -> list[str]:
        rows = [f"{person:40}{hours},00 h   12,00      {hours * 12},00" for person in people]
        return [
            title,
            HEAD.replace("Désignation", "Stagiaire  "),
            *rows,
            f"Sous-total      {hours * (len(people) + 1)},00 h",
        ]

    # A row is missing in each section, as if it could not be read: what is left must not be proven by the sub-totals.
    one = section("Groupe A", ["BERNARD Lucie", "FAIVRE Gaspard"], 21)
    two = section("Groupe B", ["HADDAD Inès", "PETIT Luc"], 14)
    reading = read(
        invoice("Période : du 01/09/2026 au 30/09/2026", *one, *two, "Total heures 105,00 h", excl="1 260,00")
    )

    assert reading.needs_review()
    assert Decimal("63.00") not in {each.quantity.value for each in reading.trainees if each.quantity}


def test_hours_that_are_agreed_on_are_not_the_ones_invoiced():
    def card(name: str, agreed: str, hours: str, amount: str) -> tuple[str, str, str]:
        volume = f"Espagnol - volume du contrat : {agreed} h"
        return f"{name} contrat FP-4388", volume, f"Heures suivies sur la période      {hours} h      {amount} €"

    cards = *card("PRUD'HOMME Édith", "60", "20", "240,00"), *card("BOISSEAU Jean", "50", "16,5", "198,00")

    found = values(read(invoice("Période : du 01/09/2026 au 30/09/2026", *cards, "12,00 € / h", excl="438,00")))

    assert found["quantity"] == Decimal("36.50")
