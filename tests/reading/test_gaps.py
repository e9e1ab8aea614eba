"""A trainee whose name cannot be read is never left out in silence, however well the rest adds up."""

from pathlib import Path

import pytest

from paraphe.reading import Known, Student, read
from paraphe.reading.folding import fold
from paraphe.reading.invoice import read_here
from paraphe.reading.layout import Cell, Line
from paraphe.reading.pdf import Page, Paper, open_paper

from .bad import PAPERS
from .paper import PAYER, SELLER, totals, typed
from .scoring import truths

HEAD = [*SELLER, *PAYER, "FACTURE N° FA-26-11-0340 du 02/10/2026", "Formation du 01/09/2026 au 30/09/2026"]
# Of these the lists have different shapes: a table, labels, boxes, a sentence, sections, a list of names.
SHAPES = ("a10", "a19", "b14", "b24", "c09", "e17", "u03", "v02", "w01")


def blurred(paper: Paper, last_name: str) -> Paper:
    """Make a family name unreadable wherever it stands."""
    parts = [part for part in fold(last_name).replace("-", " ").split() if len(part) > 2]
    pages = [
        Page([Line(line.page, line.number, tuple(_blurred(cell, parts) for cell in line.cells)) for line in page.lines],
             readable=page.readable)
        for page in paper.pages
    ]  # fmt: skip
    return Paper(pages)


def _blurred(cell: Cell, parts: list[str]) -> Cell:
    words = [
        ("■" * len(word.text) if any(part in fold(word.text) for part in parts) else word.text, word.x0, word.x1)
        for word in cell.words
    ]
    return Cell.of(words, cell.y, cell.size)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_an_invoice_with_a_name_that_cannot_be_read_waits_for_a_person(shape, monkeypatch):
    path, truth = next((path, truth) for path, truth in truths(PAPERS) if path.name.startswith(shape))
    whole = open_paper(path.read_bytes(), 20)
    for trainee in truth["trainees"][:4]:
        paper = blurred(whole, trainee["last"])
        monkeypatch.setattr("paraphe.reading.invoice.open_paper", lambda *_, paper=paper: paper)

        assert read_here(Path(path).read_bytes(), Known(), 20).needs_review(), trainee["printed"]


def test_an_invoice_that_counts_more_trainees_than_it_names_waits_for_a_person():
    lines = ["Nombre de stagiaires : 4", "Stagiaires : Anne BLANC, Luc ROCHE, Inès HADDAD", "28 h x 3 = 84 h"]

    reading = read(typed([*HEAD, *lines, "84 heures x 12,00 € = 1 008,00 €", *totals("1 008,00")]))

    assert "TRAINEES_NOT_PROVEN" in {each.code for each in reading.warnings}
    assert reading.needs_review()


def test_an_item_without_a_name_beside_items_with_one_waits_though_the_sum_is_right_by_chance():
    items = [
        (f"Formation bureautique         {hours} h     12,00 €    {amount} €", name)
        for hours, amount, name in [
            ("14,00", "168,00", "BLANC Anne"), ("10,50", "126,00", "ROCHE Luc"), ("14,00", "168,00", "(à confirmer)"),
            ("10,50", "126,00", "HADDAD Inès"), ("7,00", "84,00", "PETIT Léa"),
        ]
    ]  # fmt: skip
    lines = [
        "Désignation                   Quantité    P.U. HT    Montant HT",
        *(line for each in items for line in each),
    ]

    reading = read(typed([*HEAD, *lines, "Total heures                  56,00", *totals("672,00")]))

    assert reading.needs_review()
    assert "TRAINEES_NOT_PROVEN" in {each.code for each in reading.warnings}


def test_a_fee_is_no_hour_and_a_dash_is_no_minus():
    lines = ["1. Mme Anne BLANC - 35 h - 420,00 €", "2. M. Luc ROCHE - 31,5 h - 378,00 €", "Total : 66,5 h à 12,00 €/h"]

    reading = read(typed([*HEAD, *lines, *totals("798,00")]))

    assert [str(each.quantity.value) for each in reading.trainees if each.quantity] == ["35.00", "31.50"]
    assert not reading.needs_review()


def test_a_number_and_a_day_that_nothing_announces_are_proposed_and_never_taken_as_sure():
    lines = [*SELLER, *PAYER, "VTE2026.2117", "", "14 novembre 2026", "Formation du 02/11/2026 au 06/11/2026"]

    reading = read(typed([*lines, "Stagiaire : Mme Anne BLANC", "Durée totale : 35 heures", *totals("420,00")]))

    assert reading.values["invoice_number"].value == "VTE2026.2117"
    assert str(reading.values["invoice_date"].value) == "2026-11-14"
    assert max(reading.values[name].confidence for name in ("invoice_number", "invoice_date")) < 80
    assert reading.needs_review()


def test_a_flat_amount_has_no_quantity():
    lines = ["Apprenti              Échéance     Montant NPEC", "LEROY Sarah           1/12         758,33",
             "BLANCHARD Mohamed     1/12         758,33"]  # fmt: skip

    reading = read(typed([*HEAD, *lines, *totals("1 516,66")]))

    assert "quantity" not in reading.values
    assert [each.last_name for each in reading.trainees] == ["LEROY", "BLANCHARD"]
    assert reading.needs_review()


def test_what_the_days_of_several_sessions_have_between_them_is_the_period():
    head = [*SELLER, *PAYER, "FACTURE N° FA-26-11-0340 du 02/10/2026"]
    lines = ["Session 1 : 07/09/2026 et 08/09/2026", "Session 2 : 21/09/2026 et 22/09/2026", "Stagiaire : Anne BLANC"]

    reading = read(typed([*head, *lines, "Durée totale : 28 heures", *totals("336,00")]))

    assert str(reading.values["period_start"].value) == "2026-09-07"
    assert str(reading.values["period_end"].value) == "2026-09-22"


def test_a_card_without_a_name_among_cards_with_one_waits():
    cards = [("Anne BLANC", "35 h", "420,00"), ("", "35 h", "420,00"), ("Inès HADDAD", "14 h", "168,00")]
    lines = [each for name, hours, amount in cards
             for each in ("Stagiaire", name, "Durée", f"{hours}      12,00 €     {amount} €", "")]  # fmt: skip

    assert read(typed([*HEAD, *lines, "Nombre total d'heures : 84 h", *totals("1 008,00")])).needs_review()


def test_an_only_name_whose_line_costs_less_than_the_invoice_is_not_the_only_trainee():
    lines = [
        "Stagiaire             M1      M2      Total h     Coût",
        "BLANC Anne            7,00    3,50    10,50       126,00 €",
    ]

    assert read(typed([*HEAD, *lines, "Total heures-stagiaires               24,50", *totals("294,00")])).needs_review()


def test_who_invoices_under_a_name_of_his_own_is_no_trainee():
    lines = ["Claire Voisin", *SELLER[1:], *PAYER, *HEAD[len(SELLER) + len(PAYER) :], "Stagiaire : Mme Julie PRÉVOST"]

    reading = read(typed([*lines, "12 heures x 60,00 € = 720,00 €", *totals("720,00")]))

    assert [each.last_name for each in reading.trainees] == ["PRÉVOST"]


def test_a_name_in_a_sentence_is_read_by_its_given_name_and_never_as_sure():
    line = "Parcours de Chloé Rousselin réalisé dans votre atelier : 35 h au tarif de 45,00 €"

    reading = read(typed([*HEAD, line, *totals("1 575,00")]))

    assert [each.name.value for each in reading.trainees] == ["Chloé Rousselin"]
    assert reading.needs_review()


def test_a_name_that_a_list_breaks_over_two_lines_is_one():
    lines = [
        "Participants : Anne BLANC, Sarah BENHAMIDA, GARCIA",
        "LOPEZ François-Xavier",
        "Durée : 35 h par participant",
    ]

    reading = read(typed([*HEAD, *lines, "Heures   105,00   12,00 €   1 260,00 €", *totals("1 260,00")]))

    assert [each.last_name for each in reading.trainees] == ["BLANC", "BENHAMIDA", "GARCIA LOPEZ"]


def test_a_student_is_not_named_by_the_end_of_one_name_and_the_beginning_of_the_next():
    students = (Student("S1", "BLANC", "Anne"), Student("S2", "ROCHE", "Luc"), Student("S3", "ROCHE", "Anne"))
    lines = ["Participants (2) : BLANC Anne, ROCHE Luc", "Durée : 14 heures par participant"]

    reading = read(typed([*HEAD, *lines, "Heures   28,00   12,00 €   336,00 €", *totals("336,00")]), Known(students))

    assert [each.reference for each in reading.trainees] == ["S1", "S2"]


def test_a_row_that_holds_the_sum_is_no_trainee_whatever_it_is_called():
    rows = ["BLANC Anne            10      35,00     420,00", "ROCHE Luc             8       28,00     336,00"]
    head = "Stagiaire             1/2 j.  Heures    Coût HT (€)"

    reading = read(typed([*HEAD, head, *rows, "Ensemble du groupe    18      63,00     756,00", *totals("756,00")]))

    assert len(reading.trainees) == 2
    assert not reading.needs_review()


def test_a_training_called_after_an_occupation_does_not_make_its_trainee_one_of_the_staff():
    training = "Titre professionnel Comptable assistant"
    lines = [f"{training}   14,00 h   18,50 €   259,00 €", "Stagiaire : BLANC Bruno",
             f"{training}   24,50 h   18,50 €   453,25 €", "Stagiaire : ROCHE Luc"]  # fmt: skip

    reading = read(typed([*HEAD, *lines, *totals("712,25")]))

    assert [(each.last_name, str(each.quantity.value)) for each in reading.trainees if each.quantity] == [
        ("BLANC", "14.00"),
        ("ROCHE", "24.50"),
    ]


def test_a_sentence_of_who_took_part_is_a_list_of_trainees():
    lines = ["Ont participé : Yanis BLANC (10,5 h), Luc ROCHE (17,5 h) et Clotilde", "HADDAD (21 h)."]

    reading = read(typed([*HEAD, *lines, "Au total 49 h de formation au prix de 12,00 €", *totals("588,00")]))

    assert [each.name.value for each in reading.trainees] == ["Yanis BLANC", "Luc ROCHE", "Clotilde HADDAD"]
    assert not reading.needs_review()


def test_a_list_of_trainees_ends_with_its_sentence():
    lines = [
        "Stagiaires : Solène BLANC, Nguyet ROCHE,",
        "Lucas HADDAD. Durée par stagiaire : 35 h, soit 105 h au total.",
    ]

    reading = read(typed([*HEAD, *lines, "Coûts   105 h   12,00 €   1 260,00 €", *totals("1 260,00")]))

    assert [each.name.value for each in reading.trainees] == ["Solène BLANC", "Nguyet ROCHE", "Lucas HADDAD"]


def test_an_only_trainee_whose_line_makes_less_than_the_invoice_is_not_the_only_one():
    lines = [
        "Personnes formées             Heures       Prix HT      Somme HT",
        "LE GOFF Anaïs                 84,00        14,35        1 205,40",
        *totals("2 410,80"),
    ]

    assert read(typed([*HEAD, *lines])).needs_review()
    assert not read(typed([*HEAD, *lines[:2], *totals("1 205,40")])).needs_review()
