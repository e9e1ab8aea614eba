"""What stands near a value without being it: it is not taken for the value, or a person is asked."""

from datetime import date
from decimal import Decimal

import pytest

from paraphe.reading import Known, Reading, Student, read

from .paper import PAYER, SELLER, totals, typed
from .test_layouts import values

PERIOD = "Période : du 01/09/2026 au 30/09/2026"
NUMBERED = ("FACTURE N° FA-26-118 du 02/10/2026", PERIOD)
TABLE = (
    "Stagiaire                        Heures     P.U. HT    Montant HT",
    f"{'DURAND Anne':34}14,00 h    12,00      168,00",
    f"{'PETIT Luc':34}14,00 h    12,00      168,00",
    "Total heures 28,00 h",
)


def invoice(head: tuple[str, ...], *lines: str, excl: str = "336,00", known: Known | None = None) -> Reading:
    return read(typed([*SELLER, *PAYER, *head, *lines, *totals(excl)]), known or Known())


def names(reading: Reading) -> list[tuple[str, str]]:
    return [(each.last_name, each.first_name) for each in reading.trainees]


@pytest.mark.parametrize("count", ["ECTS", "Ateliers", "Points", "Vacations", "J", "Leçons", "Km"])
def test_a_count_that_the_amounts_follow_is_no_column_of_hours(count):
    lines = [
        f"{'Stagiaire':20}{'Heures':>12}{count:>14}{'Montant HT':>16}",
        f"{'DURAND Anne':20}{'30,00':>12}{'3':>14}{'150,00':>16}",
        f"{'PETIT Luc':20}{'46,00':>12}{'5':>14}{'250,00':>16}",
        f"{'Total':20}{'76,00':>12}{'8':>14}{'400,00':>16}",
    ]
    reading = invoice(NUMBERED, *lines, excl="400,00")

    assert values(reading)["quantity"] == Decimal(76)


@pytest.mark.parametrize(
    "behind", ["/ 30 septembre 2026", "/ 30-09-2026", "/ 2026-09-30", "/ 75012 Paris", "/ 450,00 €", "/ 12 stagiaires"]
)
def test_what_stands_behind_a_number_and_a_stroke_is_no_part_of_it(behind):
    reading = invoice((f"Facture n° FA-26-118 {behind}", "Date : 02/10/2026", PERIOD), *TABLE)

    assert values(reading)["invoice_number"] == "FA-26-118"


def test_a_number_with_a_stroke_between_blanks_is_whole():
    reading = invoice(("Facture n° 640 / 2026", "Date : 02/10/2026", PERIOD), *TABLE)

    assert values(reading)["invoice_number"] == "640 / 2026"


@pytest.mark.parametrize(
    "line",
    [
        "Facture : Excel du 14/09/2026",
        "Objet de la facture : Permis cariste du 14/09/2026",
        "Facture : dépôt Chorus le 05/10/2026",
        "Rapport rédigé le 28/09/2026 par Mme Roux",
        "Attestation émise à Lyon le 28/09/2026",
        "Devis D-118 · date : 14/09/2026",
        "Commande BC-45 · Mme Durand · date : 14/10/2026",
    ],
)
def test_a_day_of_something_else_does_not_date_the_invoice_in_silence(line):
    dated = invoice(("Facture n° FA-26-118", "Date : 02/10/2026", PERIOD, line), *TABLE)
    undated = invoice(("Facture n° FA-26-118", PERIOD, line), *TABLE)

    assert dated.needs_review() or values(dated)["invoice_date"] == date(2026, 10, 2)
    assert undated.needs_review()


@pytest.mark.parametrize(
    "line",
    [
        "Annule et remplace · facture n° F-26-099",
        "Acompte versé · facture n° F-26-099",
        "Contrat C-12 · Mme Durand · n° de facture : F-26-099",
    ],
)
def test_the_number_of_another_paper_before_a_point_is_not_taken_in_silence(line):
    reading = invoice(("Référence : F-26-118", "Date : 02/10/2026", PERIOD, line), *TABLE)

    assert reading.needs_review() or values(reading)["invoice_number"] == "F-26-118"


@pytest.mark.parametrize("title", ["Conseiller en insertion", "Consultant SAP", "Coach sportif", "Jury Titre pro"])
@pytest.mark.parametrize("known", [False, True], ids=["without students", "with students"])
def test_a_training_that_is_called_as_a_function_is_loses_nobody_in_silence(title, known):
    students = (Student("S1", "DURAND", "Anne"), Student("S2", "PETIT", "Luc"))
    lines = ["28 h de formation", f"{title:28}DURAND Anne", f"{'Vendeur':28}PETIT Luc", "Total heures 28,00 h"]
    reading = invoice(NUMBERED, *lines, known=Known(students if known else ()))

    assert reading.needs_review() or names(reading) == [("DURAND", "Anne"), ("PETIT", "Luc")]


@pytest.mark.parametrize("company", ["Bénéficiaire : Garage DURAND", "Participants : Campus LYON"])
def test_a_place_behind_a_label_of_trainees_is_nobody_in_silence(company):
    reading = invoice(NUMBERED, company, "Durée : 28,00 h")

    assert reading.needs_review()


def test_who_is_left_out_by_words_is_looked_at():
    lines = [
        f"{'Stagiaire':20}{'Statut':30}{'Heures':>8}{'Montant HT':>14}",
        f"{'DURAND Anne':20}{'':30}{'14,00':>8}{'168,00':>14}",
        f"{'MARTIN Paul':20}{'désistement':30}{'14,00':>8}{'168,00':>14}",
        f"{'PETIT Luc':20}{'':30}{'14,00':>8}{'168,00':>14}",
        f"{'Total':20}{'':30}{'28,00':>8}{'336,00':>14}",
    ]
    reading = invoice(NUMBERED, *lines)

    assert names(reading) == [("DURAND", "Anne"), ("PETIT", "Luc")]
    assert reading.needs_review()
