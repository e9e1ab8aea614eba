"""Names that a column is too narrow for, and people that stand near them without being trainees."""

from decimal import Decimal

import pytest

from paraphe.reading import Reading, read
from paraphe.reading.pdf import open_paper

from .paper import PAYER, SELLER, totals, typed
from .test_layouts import values

NUMBERED = ["FACTURE N° FA-26-11-0340 du 02/10/2026", "Période : du 01/09/2026 au 30/09/2026"]
TABLE = "Nom              Prénom           Heures     P.U. HT    Montant HT"
COLUMN = "Stagiaire                        Heures     P.U. HT    Montant HT"


def invoice(*lines: str, excl: str, before: tuple[str, ...] = ()) -> Reading:
    return read(typed([*SELLER, *PAYER, *before, *NUMBERED, *lines, *totals(excl)]))


def row(first: str, second: str = "", hours: int = 14) -> str:
    return f"{first:17}{second:17}{hours},00 h    12,00      {hours * 12},00"


def names(reading: Reading) -> list[tuple[str, str]]:
    return [(each.last_name, each.first_name) for each in reading.trainees]


@pytest.mark.parametrize(
    "lines",
    [
        (row("GUÉRIN-", "Fabrice"), "LASSALLE"),
        ("GUÉRIN-", row("", "Fabrice"), "LASSALLE"),
        ("GUÉRIN-", row("LASSALLE", "Fabrice")),
    ],
    ids=["above", "around", "below"],
)
def test_a_name_that_is_broken_at_its_hyphen_is_whole_whatever_line_the_figures_stand_in(lines):
    reading = invoice(TABLE, *lines, "", row("MARTIN", "Anne"), "Total heures 28,00 h", excl="336,00")

    assert names(reading) == [("GUÉRIN-LASSALLE", "Fabrice"), ("MARTIN", "Anne")]


def test_a_family_name_goes_on_in_the_line_below():
    reading = invoice(
        TABLE, row("PÉREZ", "Mohamed"), "MOLINA", "", row("MARTIN", "Anne"), "Total heures 28,00 h", excl="336,00"
    )

    assert names(reading) == [("PÉREZ MOLINA", "Mohamed"), ("MARTIN", "Anne")]


def test_the_title_of_a_section_is_no_end_of_a_family_name():
    lines = row("DURAND", "Anne"), "", "LYON", row("MARTIN", "Paul"), "Total heures 28,00 h"

    assert names(invoice(TABLE, *lines, excl="336,00")) == [("DURAND", "Anne"), ("MARTIN", "Paul")]


@pytest.mark.parametrize("line", ["NGUYEN Van Minh", "BENALI El Hadj", "DUPONT Jean M."])
def test_small_words_may_begin_a_given_name(line):
    assert len(invoice(COLUMN, row(line), row("MARTIN Anne"), "Total heures 28,00 h", excl="336,00").trainees) == 2


def test_broken_names_leave_the_lines_of_a_second_page_their_numbers():
    lines = [TABLE, row("GUÉRIN-", "Fabrice"), "LASSALLE", "", row("PETIT-", "Anne"), "JEAN"]

    pages = open_paper(typed([*SELLER, *lines], [*SELLER, *lines]), 5).pages
    numbers = [line.number for page in pages for line in page.lines]

    assert numbers == sorted(set(numbers))


def test_a_given_name_that_is_missing_is_not_taken_from_the_trainee_above():
    lines = row("BELKACEM"), "Raphaël", row("ESPÉRANDIEU"), row("KEITA"), "Mehdi"

    reading = invoice(COLUMN, *lines, "Total heures 42,00 h", excl="504,00")

    assert ("ESPÉRANDIEU", "Raphaël") not in names(reading)
    assert reading.needs_review()


def test_a_civility_in_a_column_of_its_own_is_no_name():
    head = "Civilité   Nom          Prénom       Heures     Montant HT"
    lines = (
        f"{one:11}{two:13}{three:13}14,00 h    168,00"
        for one, two, three in (("M.", "FRANÇOIS", "Jean"), ("Mme", "ROUX", "Adèle"))
    )

    reading = invoice(head, *lines, "Total heures 28,00 h", excl="336,00")

    assert names(reading) == [("FRANÇOIS", "Jean"), ("ROUX", "Adèle")]


@pytest.mark.parametrize(
    "other",
    [
        "Suivi : M. Loïck PERROT (02 99 00 73 16)",
        "Bon pour accord signé le 28 mai 2026 par M. Yvan PÉCHAURY",
        "Anglais B1 - coach : Sheila Brannigan",
        "Médiation : M. Olivier Sandreuil, 01 99 00 74 57",
        "14 heures par apprenant, lieu : EARL du Causse",
    ],
)
def test_who_stands_near_and_is_no_trainee_is_left_out(other):
    reading = invoice(COLUMN, row("MARTIN Ibrahima"), "Total heures 14,00 h", other, excl="168,00")

    assert names(reading) == [("MARTIN", "Ibrahima")]


def test_who_signs_for_the_agent_comptable_is_no_trainee():
    reading = invoice(
        "Formation suivie par Loïs HADDAD : 14 heures",
        "14 heures x 12,00 €",
        "                                   Pour le CFA, l'agent comptable",
        "                                   Corentin Maillebois",
        excl="168,00",
    )

    assert names(reading) == [("HADDAD", "Loïs")]


def test_somebody_in_the_address_of_the_payer_is_no_trainee():
    address = ["Cabinet Ortolan", "M. Loïck Bothorel, DRH", "9 place des Cornières", "46999 FIGEACQ"]
    lines = (*(" " * 40 + line for line in address), *NUMBERED, COLUMN, row("MARTIN Ibrahima"), "Total heures 14,00 h")

    assert names(read(typed([*SELLER, *lines, *totals("168,00")]))) == [("MARTIN", "Ibrahima")]


def test_the_second_of_several_men_that_one_civility_announces_is_named_as_well():
    text = "Formation dispensée à MM. Fañch Le Moal et Olivier Quéméner, présents ensemble", "(12 h 15 chacun)."

    reading = invoice(*text, "24 h 30 au total pour les deux stagiaires, au tarif de 40,00 €", excl="980,00")

    assert sorted(names(reading)) == [("Le Moal", "Fañch"), ("Quéméner", "Olivier")]


def test_the_invoice_of_an_earlier_balance_does_not_date_this_one():
    head = "Numéro             Date             Code client", "2026-FC-0311       04.05.2026       C7018"
    balance = "Solde antérieur de votre compte (facture 2026-FC-0264 du 12.03.2026)"

    found = values(
        read(
            typed(
                [*SELLER, *PAYER, *head, COLUMN, row("MARTIN Anne"), "Total heures 14,00 h", balance, *totals("168,00")]
            )
        )
    )

    assert str(found["invoice_date"]) == "2026-05-04"


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Facture n° 57 du 29 mai 2026", "57"),
        ("FACTURE INTRAGROUPE 26-0231 du 12/06/2026", "26-0231"),
        ("Facture N° ESA 2026 0519", "ESA 2026 0519"),
        ("Facture F-2026-118, solde de notre facture n° 7 du 02/09/2026", "F-2026-118"),
    ],
)
def test_a_number_is_read_however_it_is_written(line, number):
    found = values(read(typed([*SELLER, *PAYER, line, NUMBERED[1], COLUMN, row("MARTIN Anne"), *totals("168,00")])))

    assert found["invoice_number"] == number


def test_amounts_of_one_sentence_are_told_apart():
    sentence = "Total HT 168,00 €. TVA 0,00 € (art. 261-4-4° a du CGI). Total à payer 168,00 €."

    found = values(read(typed([*SELLER, *PAYER, *NUMBERED, COLUMN, row("MARTIN Anne"), sentence])))

    assert found["amount_excl_vat"] == Decimal("168.00")


def test_two_columns_of_names_are_one_list_and_the_end_of_a_siret_is_no_number_of_hours():
    table = "Prestation                       Heures     P.U. HT    Montant HT", row("Session, 4 stagiaires", "", 56)
    people = "MARTIN Anne                      HADDAD Inès", "PETIT Luc                        BLANC Paul"
    siret = "SIRET client : 001 583 798 00028"  # twice 28 hours would make the total as well

    reading = invoice(siret, *table, "Stagiaires présents (14,00 h par stagiaire) :", *people, excl="672,00")

    assert [each.quantity and each.quantity.value for each in reading.trainees] == [Decimal("14.00")] * 4
