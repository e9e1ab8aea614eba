"""The statement holds the invoice against the signatures."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from paraphe.documents import papers
from paraphe.documents.facts import Attached, Gap, InvoicedTrainee, Presence, Slot

from .school import ALICE, HOUSE, ISSUE, MONDAY, at, images, invoiced, links, signed, sitting, statement, text


def test_the_statement_has_a_line_per_half_day_with_signature_and_address():
    first = sitting(at(7, 9), signed(ALICE, at(7, 9, 2), url="https://exchange.centre.example/signatures/a"))
    second = sitting(at(7, 13), Presence(ALICE, "EXCUSED", justification="Arrêt de travail transmis"))

    paper = statement([ALICE], [second, first], quantity="3.50")

    said = text(paper.content)
    assert (
        "07/09/2026 Matin 9h00 \N{EN DASH} 12h30 Calcul de la paie 3,50 3,50 0,00 0,00 0,00 07/09/2026 Après-midi"
        in said
    )
    assert "Absence justifiée Arrêt de travail transmis" in said
    assert "https://exchange.centre.example/signatures/a" in links(paper.content)
    assert images(paper.content) == 1


def test_the_statement_holds_what_is_invoiced_against_what_is_signed():
    gaps = [
        Gap("LESS_SIGNED_THAN_INVOICED", -210, ALICE, date(2026, 9, 7), Slot.AFTERNOON),
        Gap("NOT_SIGNED_BY_TRAINER"),
        Gap("A_CODE_OF_TOMORROW"),
    ]

    said = text(statement([ALICE], [MONDAY], gaps).content)

    assert "Total 3,50 3,50 0,00 0,00 0,00 7,00 -3,50" in said
    assert (
        "Moins d'heures signées que facturées LESS_SIGNED_THAN_INVOICED Nguyễn Thị Hồng Ánh 07/09/2026 Après-midi -3,50"
    ) in said
    assert "Demi-journée non signée par le formateur NOT_SIGNED_BY_TRAINER Tous Période" in said
    assert "A_CODE_OF_TOMORROW" in said


def test_a_statement_without_reasons_never_says_that_nothing_differs_when_something_does():
    assert "Aucun écart n'a été relevé." in text(statement([ALICE], [MONDAY], quantity="3.50").content)
    assert "diffèrent, sans motif enregistré" in text(statement([ALICE], [MONDAY]).content)


def test_hours_are_not_held_against_days():
    days = replace(invoiced(ALICE, quantity="2.00"), unit="DAY")

    said = text(papers.invoicing_statement(ISSUE, HOUSE, days, [MONDAY]).content)

    assert "Quantité facturée 2,00 jours" in said
    assert "Total 3,50 3,50 0,00 0,00 0,00 2,00 Durées" in said


def of_lines(*lines):
    trainees = tuple(InvoicedTrainee(ALICE, Decimal(quantity), unit=unit) for quantity, unit in lines)
    given = replace(invoiced(ALICE, quantity="7.00"), trainees=trainees)
    return text(papers.invoicing_statement(ISSUE, HOUSE, given, [MONDAY]).content)


def test_a_trainee_of_several_lines_is_one_row_with_what_they_make():
    said = of_lines(("3.50", ""), ("3.50", "HOUR"))

    assert said.count("Nguyễn Thị Hồng Ánh 3,50 3,50 0,00 0,00 0,00 7,00 -3,50") == 1


def test_a_quantity_in_another_unit_than_the_invoices_says_so():
    assert "3,50 3,50 0,00 0,00 0,00 1,00 jours Total" in of_lines(("1.00", "DAY"))
    assert "3,50 3,50 0,00 0,00 0,00 Total" in of_lines(("1.00", "DAY"), ("3.50", "HOUR"))


def test_the_statement_and_the_cover_list_the_documents_with_digest_and_level():
    stamped = Attached("INVOICE", "Facture", "FAC-2026-041.pdf", "ab" * 32, 1234, "B-T")
    plain = Attached("AGREEMENT", "", "CONV-2026-017.pdf", "cd" * 32)

    for paper in (
        statement([ALICE], [MONDAY], attached=[stamped, plain]),
        papers.cover_page(ISSUE, HOUSE, invoiced(ALICE), [stamped, plain]),
    ):
        said = text(paper.content)
        assert f"Facture FAC-2026-041.pdf SHA-256 {'ab' * 32} Signature B-T" in said
        assert f"Convention ou contrat de formation CONV-2026-017.pdf SHA-256 {'cd' * 32} Non signé" in said
