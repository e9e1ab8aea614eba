"""What is not sure is not given as sure: each contradiction has its code, and the record waits."""

import pytest

from paraphe.reading import Known, Student, read

from .paper import PAYER, SELLER, totals, typed
from .test_layouts import PEOPLE, paper, table, values


def codes(reading):
    return {each.code for each in reading.warnings if each.review}


def changed(before: str, after: str) -> list[str]:
    lines = [line.replace(before, after) for line in table()]
    assert lines != table()
    return lines


def test_hours_that_do_not_make_the_printed_total_are_a_warning():
    reading = read(paper(changed("59,50 h", "66,50 h")))

    assert "SUM_MISMATCH" in codes(reading)
    assert reading.needs_review()


def test_amounts_that_do_not_add_up_are_a_warning():
    reading = read(typed([*SELLER, *PAYER, *table(), *totals("714,00", vat="10,00")]))

    assert "SUM_MISMATCH" in codes(reading)


def test_a_period_after_the_invoice_is_a_warning():
    reading = read(paper(changed("du 01/09/2026 au 30/09/2026", "du 01/11/2026 au 30/11/2026")))

    assert "PERIOD_ORDER" in codes(reading)


def test_a_trainee_that_the_account_does_not_know_is_a_warning():
    students = tuple(Student(last, last, first) for last, first in PEOPLE[:2])

    reading = read(paper(table()), Known(students))

    assert "UNKNOWN_TRAINEE" in codes(reading)
    assert [each.reference for each in reading.trainees] == ["LE GOFF", "DUBREUILH", None]


def test_two_students_of_one_name_are_told_apart_by_contract_or_not_at_all():
    same = (Student("S1", "LE GOFF", "Anaïs", ("A229423",)), Student("S2", "LE GOFF", "Anaïs", ("B1",)))
    others = tuple(Student(last, last, first) for last, first in PEOPLE[1:])

    by_contract = read(paper(table()), Known(same + others))
    without = read(paper(changed("A229423", "       ")), Known(same + others))

    assert by_contract.trainees[0].reference == "S1"
    assert "AMBIGUOUS_TRAINEE" in codes(without)
    assert without.trainees[0].reference is None


@pytest.mark.parametrize(
    ("line", "missing"), [(0, "invoice_number"), (2, "period_start")], ids=["number and date", "period"]
)
def test_an_invoice_that_does_not_say_it_all_waits_for_a_person(line, missing):
    lines = table()
    del lines[line]

    reading = read(paper(lines))

    assert missing not in values(reading)
    assert reading.needs_review()


def test_two_numbers_that_could_be_the_invoices_are_a_warning():
    reading = read(paper([*table()[:3], "Numéro de facture : FA-26-11-0999", *table()[3:]]))

    assert "AMBIGUOUS_VALUE" in codes(reading)


def test_a_row_whose_name_cannot_be_read_is_never_left_out_in_silence():
    reading = read(paper(changed("DUBREUILH Loïc ", "Session 2026 X ")))

    assert reading.needs_review()


def test_people_of_the_organisation_are_no_trainees():
    lines = ["Contact : Mme Irène VASSALIEU", "Formateur : M. Paul HENRY", *table(), "Le directeur, M. Jean MARTIN"]

    reading = read(paper(lines))

    assert len(reading.trainees) == 3
    assert not reading.needs_review()


def test_an_advance_is_no_contradiction():
    reading = read(paper(changed("02/10/2026", "15/09/2026")))

    assert [each.code for each in reading.warnings] == ["INVOICED_BEFORE_END"]
    assert not reading.needs_review()


def test_a_training_that_goes_on_for_long_behind_the_invoice_may_be_more_than_is_invoiced():
    reading = read(paper(changed("30/09/2026", "18/12/2026")))

    assert codes(reading) == {"INVOICED_BEFORE_END"}


def test_a_credit_note_has_its_own_number_and_not_the_invoices():
    lines = changed("FACTURE N° FA-26-11-0340 ", "AVOIR N° AV2026-0093  ")

    reading = read(paper([lines[0], "Annule la facture N° FA-26-11-0340", *lines[1:]]))

    assert reading.kind == "CREDIT_NOTE"
    assert values(reading)["invoice_number"] == "AV2026-0093"
