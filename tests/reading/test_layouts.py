"""Invoices of several layouts: what they say is read, wherever on the page they say it."""

from datetime import date
from decimal import Decimal

import pytest

from paraphe.reading import Known, Reading, Student, read

from .paper import PAYER, SELLER, totals, typed, with_fields

PEOPLE = [("LE GOFF", "Anaïs"), ("DUBREUILH", "Loïc"), ("D'ALMEIDA", "Marie-Thérèse")]


def table() -> list[str]:
    return [
        "FACTURE N° FA-26-11-0340                Date : 02/10/2026",
        "Dossier n° D6360529                     Échéance : 01/11/2026",
        "Période : du 01/09/2026 au 30/09/2026",
        "",
        "Stagiaire                     N° contrat       Heures      P.U. HT      Montant HT",
        "LE GOFF Anaïs                 A229423          35,00 h     12,00 €      420,00 €",
        "DUBREUILH Loïc                A229424          17,50 h     12,00 €      210,00 €",
        "D'ALMEIDA Marie-Thérèse       A229425          7,00 h      12,00 €      84,00 €",
        "Total                                          59,50 h                  714,00 €",
    ]


def blocks() -> list[str]:
    return [
        "Facture n° FA-26-11-0340 du 2 octobre 2026",
        "Référence dossier : D6360529",
        "Prestation réalisée du 1er au 30 septembre 2026",
        *(each for name, hours in _spelled() for each in ("", f"Stagiaire : {name}", f"Heures : {hours}")),
        "",
        "Nombre total d'heures : 59h30",
    ]


def sentence() -> list[str]:
    (one, h1), (two, h2), (three, h3) = _spelled()
    return [
        "Facture : FA-26-11-0340",
        "Lyon, le vendredi 2 octobre 2026",
        "Votre dossier : D6360529",
        "Formation effectuée en septembre 2026 au bénéfice des",
        f"stagiaires : {one} ({h1}), {two} ({h2})",
        f"et {three} ({h3})",
        "Soit un total de 59h30 au prix de 12,00 € l'heure",
    ]


def side_by_side() -> list[str]:
    return [
        "N° facture        Date          Dossier",
        "FA-26-11-0340     02-10-2026    D6360529",
        "Période facturée : septembre 2026",
        "Nom et prénom             Heures    Nom et prénom               Heures",
        "LE GOFF Anaïs             35,00     DUBREUILH Loïc              17,50",
        "D'ALMEIDA Marie-Thérèse   7,00",
        "Total heures : 59,50   Prix horaire : 12,00 €",
    ]


def carried_over() -> list[list[str]]:
    one, two = table()[:7], table()[7:]
    return [
        [*one, "A reporter                                     52,50 h                  630,00 €"],
        [table()[4], "Report                                         52,50 h                  630,00 €", *two],
    ]


def _spelled() -> list[tuple[str, str]]:
    return [
        ("Mme Anaïs Le Goff", "35h00"),
        ("M. Loïc Dubreuilh", "17h30"),
        ("Mme Marie-Thérèse D'Almeida", "7h00"),
    ]


def paper(lines: list[str]) -> bytes:
    return typed([*SELLER, *PAYER, *lines, *totals("714,00")])


def values(reading: Reading) -> dict[str, object]:
    return {name: each.value for name, each in reading.values.items()}


LAYOUTS = {each.__name__: each() for each in (table, blocks, sentence, side_by_side)}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_needed_values_are_read_from_every_layout(layout):
    reading = read(paper(LAYOUTS[layout]))

    assert values(reading) | {
        "invoice_number": "FA-26-11-0340",
        "invoice_date": date(2026, 10, 2),
        "period_start": date(2026, 9, 1),
        "period_end": date(2026, 9, 30),
        "quantity": Decimal("59.50"),
        "unit": "HOUR",
        "file_number": "D6360529",
        "payer_name": "OPCO Cohésia",
        "seller_siret": "00290361500017",
        "amount_excl_vat": Decimal("714.00"),
        "vat_amount": Decimal("0.00"),
        "amount_incl_vat": Decimal("714.00"),
    } == values(reading)
    assert [(each.last_name.upper(), each.first_name) for each in reading.trainees] == PEOPLE
    assert [each.quantity and each.quantity.value for each in reading.trainees] == [35, Decimal("17.5"), 7]
    assert not reading.needs_review(), reading.warnings


def test_a_table_that_goes_on_on_the_next_page_counts_what_is_carried_over_once():
    first, second = carried_over()

    reading = read(typed([*SELLER, *PAYER, *first], [*second, *totals("714,00")]))

    assert len(reading.trainees) == 3
    assert values(reading)["quantity"] == Decimal("59.50")
    assert not reading.needs_review()


def test_contract_numbers_stand_with_their_trainees():
    reading = read(paper(table()))

    assert [each.contract_number and each.contract_number.value for each in reading.trainees] == [
        "A229423",
        "A229424",
        "A229425",
    ]


def test_every_value_has_its_page_its_snippet_and_its_rule():
    reading = read(paper(table()))

    for each in [*reading.values.values(), *(trainee.name for trainee in reading.trainees)]:
        assert (each.page, bool(each.snippet), bool(each.rule)) == (1, True, True)
        assert 0 <= each.confidence <= 100


def test_filled_in_form_fields_are_read_though_no_page_shows_them():
    lines = [*SELLER, *PAYER, "FACTURE N° :", "Date :", *table()[2:], *totals("714,00")]
    top = 800 - 13 * len([*SELLER, *PAYER])
    fields = [("FA-26-11-0340", (130, top - 3, 300, top + 10)), ("02/10/2026", (100, top - 16, 300, top - 3))]

    reading = read(with_fields(typed(lines), fields))

    assert values(reading)["invoice_number"] == "FA-26-11-0340"
    assert values(reading)["invoice_date"] == date(2026, 10, 2)


def test_attendance_sheets_and_terms_behind_the_invoice_are_not_read():
    sheet = ["FEUILLE D'EMARGEMENT", "Session du 03/02/2024", "Stagiaire : DUPONDEL Martin  7,00 h", "Formation"]
    terms = ["Conditions générales de vente", "Article 1 - Facture N° : X99. Durée minimale : 3 heures. Le 01/01/2020"]

    reading = read(typed([*SELLER, *PAYER, *table(), *totals("714,00")], sheet, terms))

    assert len(reading.trainees) == 3
    assert not reading.needs_review()


def test_known_students_come_with_their_reference():
    students = tuple(Student(f"S{number}", *person) for number, person in enumerate(PEOPLE))

    reading = read(paper(blocks()), Known(students))

    assert [each.reference for each in reading.trainees] == ["S0", "S1", "S2"]
    assert [each.last_name for each in reading.trainees] == [last for last, _ in PEOPLE]
