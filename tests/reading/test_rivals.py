"""Two readings of one thing: the one that is invoiced wins if the paper says which; else a person is asked."""

from datetime import date
from decimal import Decimal

import pytest

from paraphe.reading import read

from .paper import PAYER, SELLER, totals, typed
from .test_layouts import paper, table, values

WHOLE = ["session complète", "durée totale de l'action", "calendrier prévisionnel", "dates prévues"]


def replaced(before: str, *after: str) -> bytes:
    lines = table()
    at = next(at for at, line in enumerate(lines) if line.startswith(before))
    return paper([*lines[:at], *after, *lines[at + 1 :]])


@pytest.mark.parametrize("whole", WHOLE)
def test_a_period_that_is_invoiced_is_not_the_session_that_it_is_a_part_of(whole):
    line = f"Période facturée : 01/09/2026 au 30/09/2026 ({whole} : 02/07/2026 au 18/12/2026)"

    found = values(read(replaced("Période", line)))

    assert (found["period_start"], found["period_end"]) == (date(2026, 9, 1), date(2026, 9, 30))


def test_the_whole_session_on_a_line_of_its_own_is_not_invoiced_either():
    lines = "Session complète : du 02/07/2026 au 18/12/2026", "Heures facturées du 01/09/2026 au 30/09/2026"

    found = values(read(replaced("Période", *lines)))

    assert (found["period_start"], found["period_end"]) == (date(2026, 9, 1), date(2026, 9, 30))


def test_a_period_that_goes_on_is_doubtful_beside_one_that_is_over():
    lines = "Formation du 02/07/2026 au 18/12/2026", "Formation du 01/09/2026 au 30/09/2026"

    assert read(replaced("Période", *lines)).needs_review()


def test_days_of_one_month_are_a_period_unless_a_number_is_announced():
    assert values(read(replaced("Période", "7 - 30 septembre 2026")))["period_start"] == date(2026, 9, 7)

    assert read(replaced("Période", "N°  7 - 30 septembre 2026")).needs_review()


def test_the_first_of_numbered_sessions_is_not_the_date_of_the_invoice():
    found = values(read(replaced("Période", "Séances :", "J1 - 07/09/2026", "J2 - 30/09/2026")))

    assert found["invoice_date"] == values(read(paper(table())))["invoice_date"]


def test_the_day_of_a_quotation_below_the_days_of_the_session_is_none_of_them():
    lines = "Dates de la session :     mercredi 30 septembre 2026", "Référence devis :         DEV 26-044 du 02/05/2026"

    found = values(read(replaced("Période", *lines)))

    assert (found["period_start"], found["period_end"]) == (date(2026, 9, 30), date(2026, 9, 30))


def test_the_paper_that_a_credit_note_pays_back_does_not_date_it():
    lines = "NOTE DE CRÉDIT", "NC-26-011 - 08/10/2026", "En remboursement de notre facture F-26-198 du 08/09/2026."
    before = [line for line in table() if not line.startswith(("Facture", "FACTURE", "Date"))]

    assert values(read(paper([*lines, *before])))["invoice_date"] == date(2026, 10, 8)


def test_a_period_said_to_be_planned_is_read_if_there_is_no_other():
    found = values(read(replaced("Période", "Formation prévue du 01/09/2026 au 30/09/2026")))

    assert (found["period_start"], found["period_end"]) == (date(2026, 9, 1), date(2026, 9, 30))


@pytest.mark.parametrize("of", ["des enseignements facturés", "de la période", "des cours", ""])
def test_first_and_last_day_may_be_of_anything_taught(of):
    lines = f"Début {of} : 1er septembre 2026", f"Fin {of} : 30 septembre 2026"

    found = values(read(replaced("Période", *lines)))

    assert (found["period_start"], found["period_end"]) == (date(2026, 9, 1), date(2026, 9, 30))


def test_the_number_of_an_advance_that_is_taken_off_is_not_the_invoices_own():
    head = ["FACTURE DE SOLDE N° FA-1401-S du 02/10/2026", "Facture d'acompte FA-6780-A du 19/07/2026"]
    lines = [*head, *table()[2:], "Acompte versé (FA-6780-A)      -200,00 €"]

    assert values(read(paper(lines)))["invoice_number"] == "FA-1401-S"


def test_a_day_below_the_number_is_the_date_unless_another_ends_what_it_begins():
    head = ["FACTURE", "Pièce n° : FA-26-11-0340"]

    dated = values(read(paper([*head, "Du : 2 octobre 2026", *table()[1:]])))
    begun = values(read(paper([*head, "Du : 1er septembre 2026", "Au : 30 septembre 2026", *table()[3:]])))

    assert dated["invoice_date"] == date(2026, 10, 2)
    assert begun.get("invoice_date") != date(2026, 9, 1)


def test_the_year_of_a_day_is_no_quantity():
    lines = [
        "FACTURE N° FA-26-11-0340 du 02/10/2026",
        "Détail                        Quantité       Prix unitaire   Total HT",
        "Prestation                    24 h 30        20,00 €         490,00 €",
        "Apprenant : Mme Anaïs LE GOFF",
        "Période : 04 sept. 2026 - 11 sept. 2026",
    ]

    reading = read(typed([*SELLER, *PAYER, *lines, *totals("490,00")]))

    assert [each.quantity and each.quantity.value for each in reading.trainees] == [Decimal("24.50")]


def test_hours_that_stand_right_of_their_head_are_read_by_the_rows_that_have_a_cell_for_each():
    lines = [
        "FACTURE N° FA-26-11-0340 du 02/10/2026",
        "Formation du 01/09/2026 au 30/09/2026",
        "Nom            Prénom       Heures           Montant",
        "LE GOFF        Anaïs              7,00                 84,00",
        "DUBREUILH      Loïc               14,00                168,00",
        "                     Totaux       21,00                252,00",
    ]

    reading = read(typed([*SELLER, *PAYER, *lines, *totals("252,00")]))

    assert values(reading)["quantity"] == Decimal("21.00")
    assert not [each.code for each in reading.warnings if each.code == "TRAINEES_NOT_PROVEN"]


def test_one_trainee_does_not_take_the_hours_of_items_that_do_not_name_him():
    lines = [
        "FACTURE N° FA-26-11-0340 du 02/10/2026",
        "DATE         ACTIVITÉ       HEURES    TARIF     MONTANT",
        *(
            line
            for day in ("03/09/2026", "08/09/2026")
            for person in ("Anaïs LE GOFF", "■■■■■■")
            for line in (f"{day}   Formation      7         52,00     364,00", f"             Excel - {person}")
        ),
    ]

    assert read(
        typed([*SELLER, *PAYER, *[each.replace("■", "*") for each in lines], *totals("1 456,00")])
    ).needs_review()


def test_hours_for_each_are_not_lent_to_names_whose_own_lines_count_others():
    lines = [line for line in table() if "LE GOFF" not in line]

    # 59,50 h are printed as the total; half of it stands elsewhere, and would be everybody's
    reading = read(paper([*lines, "Durée du module : 29,75 h"]))

    assert reading.needs_review()
    assert [each.quantity and each.quantity.value for each in reading.trainees] == [Decimal("17.50"), Decimal("7.00")]


def test_days_one_below_the_other_under_a_head_are_no_date_of_issue():
    head = ["FACTURE N° FA-26-11-0340", "Date               Matin", "1 septembre 2026   9:00 - 12:30"]

    found = values(read(paper([*head, "2 septembre 2026   9:00 - 12:30", *table()[2:]])))

    assert found.get("invoice_date") != date(2026, 9, 1)


@pytest.mark.parametrize(
    "other", ["Dates de l'action      du 02/07/2026 au 18/12/2026", "Formation du 02/07/2026 au 18/12/2026"]
)
def test_a_period_that_is_called_the_one_invoiced_is_surer_than_any_other(other):
    reading = read(replaced("Période", other, "Période facturée       du 01/09/2026 au 30/09/2026"))

    assert values(reading)["period_start"] == date(2026, 9, 1)
    assert not reading.needs_review()


def test_the_time_in_which_the_centre_is_insured_is_no_period():
    insured = "Assurance RC professionnelle n° 99-4417-02, valable du 01/01/2025 au 31/12/2027."

    reading = read(paper([*table(), "", insured]))

    assert values(reading)["period_start"] == date(2026, 9, 1)
    assert not reading.needs_review()


def test_the_day_on_which_an_invoice_was_paid_is_not_its_date():
    reading = read(paper([*table(), "FACTURE ACQUITTÉE le 15/10/2026 par carte bancaire"]))

    assert values(reading)["invoice_date"] == values(read(paper(table())))["invoice_date"]
    assert not reading.needs_review()


def test_the_invoice_that_a_credit_note_pays_back_does_not_number_it():
    lines = [line for line in table() if not line.startswith("FACTURE")]
    head = [
        "                                                 AVOIR",
        "                                                 # AV2026-0079",
    ]

    found = values(read(paper([*head, "Facture n° :        INV-007539", "Date de l'avoir :   02/10/2026", *lines])))

    assert found["invoice_number"] == "AV2026-0079"


@pytest.mark.parametrize("said", ["Facture n° :        INV-007539", "Correction de la facture n° FAC/2026/00524"])
def test_a_credit_note_that_names_only_the_number_of_an_invoice_waits(said):
    lines = [line for line in table() if not line.startswith("FACTURE")]

    assert read(paper(["AVOIR du 02/10/2026", said, *lines])).needs_review()


def test_the_label_may_be_said_in_english_behind_the_french_one():
    lines = ["Facture / Invoice", "INV-2026-0634", "Date / Date           02/10/2026", *table()[2:]]

    found = values(read(paper(lines)))

    assert (found["invoice_number"], found["invoice_date"]) == ("INV-2026-0634", date(2026, 10, 2))


def test_a_sentence_that_goes_on_with_a_day_does_not_date_the_invoice():
    lines = [line.replace("Date : 02/10/2026", "") for line in table()]
    side = ["Date", "2 octobre 2026", "Paiement attendu au plus", "tard le 1er novembre 2026."]

    assert values(read(paper([*side, *lines])))["invoice_date"] == date(2026, 10, 2)


@pytest.mark.parametrize("address", ["230 boulevard des Alliés", "CS 40217 - 5 rue Ampère", "N° DA 84 99 04453 99"])
def test_a_number_of_an_address_or_of_the_centre_is_not_the_invoices(address):
    lines = [line for line in table() if not line.startswith("FACTURE")]

    reading = read(paper(["FACTURE", address, "Date : 02/10/2026", *lines]))

    assert reading.needs_review()


def test_our_reference_is_not_surely_the_number():
    lines = [line for line in table() if not line.startswith("FACTURE")]

    assert read(paper(["N/Réf. : NP/C04151", "Date : 02/10/2026", *lines])).needs_review()


def test_days_of_sessions_alone_are_confirmed_by_a_person():
    days = ["07/09/2026   09h00 - 12h30   3,50 h", "14/09/2026   09h00 - 12h30   3,50 h"]

    assert read(replaced("Période", *days)).needs_review()


def test_the_number_that_all_lines_have_in_common_is_the_price():
    lines = [
        "LE GOFF Anaïs           18,90       21        396,90",
        "DUBREUILH Loïc          18,90       7,5       141,75",
    ]

    found = values(read(replaced_table(["Heures de formation", *lines], "538,65")))

    assert found["quantity"] == Decimal("28.50")


def replaced_table(lines: list[str], excl: str) -> bytes:
    return typed([*SELLER, *PAYER, *table()[:4], *lines, *totals(excl)])


@pytest.mark.parametrize("hours", ["137h30", "210:00", "59,50 h"])
def test_hours_that_are_invoiced_are_not_the_number(hours):
    lines = [line for line in table() if not line.startswith("FACTURE")]

    reading = read(paper(["N° FACT-2026-02-178", *lines, f"Temps total facturé : {hours} au tarif horaire de 12,00 €"]))

    assert values(reading)["invoice_number"] == "FACT-2026-02-178"


def test_our_invoice_is_this_one_unless_it_is_paid_back():
    lines = [line.replace("Date : 02/10/2026", "") for line in table() if not line.startswith("FACTURE")]

    found = values(read(paper(["Notre facture n° 000154 du 02/10/2026 concerne la formation suivie.", *lines])))

    assert (found["invoice_number"], found["invoice_date"]) == ("000154", date(2026, 10, 2))


def test_the_invoice_that_a_credit_note_pays_back_does_not_date_it():
    lines = [line.replace("Date : 02/10/2026", "Date : 31/10/2026").replace("FACTURE", "AVOIR") for line in table()]

    reading = read(paper([*lines[:1], "Avoir sur facture 20260448 du 08/09/2026", *lines[1:]]))

    assert values(reading)["invoice_date"] == date(2026, 10, 31)


@pytest.mark.parametrize("opens", ["Du 02/09/2026 au 06/09/2026", "Les 2 et 3 septembre 2026", "Le 2 septembre 2026"])
def test_a_name_ends_where_the_days_below_it_begin(opens):
    lines = [
        "FACTURE N° FA-26-11-0340 du 02/10/2026",
        "Désignation                          Qté       P.U. HT   Total HT",
        "Sauveteur Secouriste du Travail      21,00 h   32,00     672,00",
        "Stagiaire : Mme Anaïs LE GOFF",
        opens,
        "Sauveteur Secouriste du Travail      14,00 h   32,00     448,00",
        "Stagiaire : M. Loïc DUBREUILH",
        opens,
    ]

    reading = read(typed([*SELLER, *PAYER, *lines, *totals("1 120,00")]))

    assert [each.last_name for each in reading.trainees] == ["LE GOFF", "DUBREUILH"]


def test_who_heads_the_letter_and_signs_it_is_no_trainee():
    letter = [
        "Isaure Montcalmès",
        "Formatrice indépendante",
        *SELLER[1:],
        *PAYER,
        "Facture n° 04/2026 du 16 février 2026",
        "Formation animée du 12 janvier au 13 février 2026, au bénéfice de",
        "M. Loïc Verdelhan, pour une durée de 24 heures.",
        "24 heures à 50,00 euros de l'heure              1 200,00 €",
        *totals("1 200,00"),
        "Je vous prie d'agréer mes salutations distinguées.",
        " " * 40 + "Isaure Montcalmès",
    ]

    reading = read(typed(letter))

    assert [each.last_name for each in reading.trainees] == ["Verdelhan"]


def test_a_name_that_is_broken_at_its_hyphen_is_one():
    lines = [
        "FACTURE N° FA-26-11-0340 du 02/10/2026",
        "Formation du 01/09/2026 au 30/09/2026",
        "Stagiaire(s)           Durée        Tarif horaire   Total",
        "Mme Anaïs DUPUY-       21 heures    58,00 €         1 218,00 €",
        "LAGARDE",
        "Nombre total d'heures stagiaires : 21 heures",
    ]

    reading = read(typed([*SELLER, *PAYER, *lines, *totals("1 218,00")]))

    assert [each.last_name for each in reading.trainees] == ["DUPUY-LAGARDE"]
    assert not reading.needs_review()


def test_the_moment_of_printing_is_not_the_date():
    lines = [line for line in table() if not line.startswith("FACTURE")]
    head = ["FACTURE CLIENT", "N° pièce : FA-26-11-0340", "Date pièce : 02/10/2026"]

    found = read(paper([*head, *lines, "Édité le 06/10/2026 08:14 - utilisateur COMPTA2"]))

    assert values(found)["invoice_date"] == date(2026, 10, 2)
    assert not [each for each in found.warnings if each.field == "invoiceDate"]


def test_who_attended_a_training_is_no_staff():
    lines = [
        "FACTURE N° FA-26-11-0340 du 02/10/2026",
        "Coaching « Diriger » suivi par Mme Anaïs LE GOFF du 1er au 30 septembre 2026,",
        "pour une durée de 17,5 heures. Dossier suivi par M. Loïc DUBREUILH.",
    ]

    reading = read(typed([*SELLER, *PAYER, *lines, *totals("4 375,00")]))

    assert [each.last_name for each in reading.trainees] == ["LE GOFF"]


def test_the_parts_of_a_telephone_number_are_no_line_of_the_invoice():
    lines = [
        "FACTURE N° FA-26-11-0340 du 02/10/2026",
        "Formation du 01/09/2026 au 30/09/2026",
        "Apprenant              Temps        Tarif/h     Montant HT",
        "Łukasz O'Sullivan      38 h 30      14,20 €     546,70 €".replace("Ł", "L"),
        "Siobhán Roussillat     41 h 00      14,20 €     582,20 €",
        *totals("1 128,90"),
        "Klavio Learning        01 99 00 99 45",
    ]

    reading = read(typed([*SELLER, *PAYER, *lines]))

    assert [each.quantity and each.quantity.value for each in reading.trainees] == [Decimal("38.50"), Decimal("41.00")]
    assert values(reading)["quantity"] == Decimal("79.50")


@pytest.mark.parametrize("label", ["Dossier de formation suivi par", "Votre contact formation, suivi par"])
def test_who_follows_up_a_file_is_staff(label):
    lines = [
        "FACTURE N° FA-26-11-0340 du 02/10/2026",
        f"{label} Mme Chloé ROUSSELIN",
        "Formation du 01/09/2026 au 30/09/2026 : 21 heures, stagiaire Mme Anaïs LE GOFF",
    ]

    reading = read(typed([*SELLER, *PAYER, *lines, *totals("672,00")]))

    assert [each.last_name for each in reading.trainees] == ["LE GOFF"]
