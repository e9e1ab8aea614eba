"""Whom an invoice may name is looked up by its words, whatever else the account knows."""

import pytest
from sqlalchemy import insert

from paraphe import reading, store
from paraphe.reading import Known, Payer, Student
from paraphe.store import Busy
from paraphe.work import known, sync
from paraphe.work.known import looking, words_lack

from .cast import NOW, caller, pdf, statements
from .test_reading import GOOD

PAGE = ["facture", "le", "goff", "helene", "stagiaire", "durand", "opco", "atlantique", "de", "l"]


@pytest.fixture
def call(engine, account, context):
    return caller(engine, context)


def students(call, *names, first=1, **more):
    numbered = [f"STU-{number}" for number in range(first, first + len(names))]
    last_names, first_names = zip(*names, strict=True)
    items = {"reference": numbered, "last_name": [*last_names], "first_name": [*first_names]}
    call(sync.students, {"students": [items], **more})


def found(engine, account, words=PAGE):
    return looking(engine, account)(words)


def test_a_student_is_found_by_the_words_of_the_name_however_it_is_written(call, engine, account):
    students(call, ("Le Goff", "Hélène"), ("DURAND", "Hélène"), ("Durand", "Anne"), ("Petit", "Hélène"))

    assert [each.reference for each in found(engine, account).students] == ["STU-1", "STU-2"]


def test_a_student_who_has_left_is_found_and_one_of_another_account_is_not(
    call, engine, account, other_account, context
):
    students(call, ("Le Goff", "Hélène"))
    call(sync.students, {"students": [], "mode": "REPLACE", "max_removals": 1})
    students(caller(engine, context, account=other_account), ("Durand", "Hélène"))

    assert [each.last_name for each in found(engine, account).students] == ["Le Goff"]
    assert [each.last_name for each in found(engine, other_account).students] == ["Durand"]


def test_who_is_renamed_is_found_by_the_new_name(call, engine, account):
    students(call, ("Durand", "Hélène"))
    assert found(engine, account).students == (Student("STU-1", "Durand", "Hélène"),)
    students(call, ("Martin", "Hélène"))
    assert found(engine, account).students == ()
    students(call, ("Le Goff", "Hélène"))

    assert found(engine, account).students == (Student("STU-1", "Le Goff", "Hélène"),)


def test_a_name_in_one_element_is_found_as_well(call, engine, account):
    students(call, ("", "Hélène Durand"), ("Durand Hélène", ""))

    assert len(found(engine, account).students) == 2


def test_that_there_are_other_students_is_known_though_none_is_named(call, engine, account):
    assert not found(engine, account).has_students
    students(call, ("Petit", "Anne"))

    assert found(engine, account) == Known(more=True)


def test_a_payer_is_found_by_the_name_of_the_organisation(call, engine, account):
    names = ["OPCO de l'Atlantique", "Opco Horizon", None]
    items = {"reference": ["C-1", "C-2", "C-3"], "organisation": names, "last_name": [None, None, "Durand"]}
    call(sync.contacts, {"contacts": [items]})

    assert found(engine, account).payers == (Payer("C-1", "OPCO de l'Atlantique"),)


def test_the_words_of_many_are_worked_out_some_at_a_time(call, engine, account, monkeypatch):
    monkeypatch.setattr(known, "_AT_ONCE", 2)
    students(call, *[("Durand", "Hélène")] * 5)

    assert len(found(engine, account).students) == 5


def test_what_is_looked_up_does_not_depend_on_how_many_there_are(call, engine, account):
    def seen_in(words):
        with statements(engine) as seen:
            found(engine, account, words)
        return len(seen)

    students(call, ("Durand", "Hélène"))
    found(engine, account)
    few = seen_in(PAGE)
    students(call, *[(f"Nom{chr(97 + number % 26)}{chr(97 + number // 26)}", "Anne") for number in range(500)], first=2)
    found(engine, account)

    assert seen_in(PAGE) == few <= 7


def test_who_came_to_others_or_was_looked_at_before_is_not_looked_through(
    call, engine, account, other_account, context
):
    students(call, ("Durand", "Hélène"))
    found(engine, account)
    students(caller(engine, context, account=other_account), ("Petit", "Anne"))

    with statements(engine) as seen:
        found(engine, account)

    assert not any("max(student.id)" in each for each in map(str, seen))


@pytest.mark.slow
def test_an_invoice_is_read_in_an_account_of_many_who_have_left(call, engine, account):
    known = {"account_id": account.id, "created_on": NOW, "modified_on": NOW, "first_name": "Anne", "active": False}
    letters = [
        f"{chr(97 + one)}{chr(97 + two)}{chr(97 + three)}"
        for one in range(26)
        for two in range(26)
        for three in range(26)
    ]
    rows = [{**known, "reference": f"OLD-{each}", "last_name": f"Nom{each}"} for each in letters]
    with store.writing(engine) as connection:
        connection.execute(insert(store.student), rows)
        words_lack(connection, account)
    asked: list[Known] = []

    def look(words):
        asked.append(looking(engine, account)(words))
        return asked[-1]

    read = reading.read(GOOD, look)

    assert read.failure is None
    assert [each.students for each in asked] == [()]
    assert "UNKNOWN_TRAINEE" in {each.code for each in read.warnings}


def test_nothing_is_looked_up_for_a_page_without_text(engine, account):
    def look(words):
        raise AssertionError(words)

    assert reading.read(pdf(100), look).failure == "NO_TEXT_LAYER"


def test_that_the_database_cannot_be_asked_is_no_fault_of_the_file():
    def look(words):
        raise Busy("OperationalError")

    with pytest.raises(Busy):
        reading.read(GOOD, look)
