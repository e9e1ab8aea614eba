"""Attendance sheets: what stands in the place of a signature is never blank and never untrue."""

from dataclasses import replace
from datetime import datetime

import pytest

from paraphe.documents import papers
from paraphe.documents.facts import Person, Presence, Standing

from .school import ALICE, BRUNO, HOUSE, ISSUE, MONDAY, PARIS, TRAINER, at, signed, sitting, text


def test_a_sheet_says_what_was_held_and_who_was_there():
    said = text(papers.weekly_attendance_sheet(ISSUE, HOUSE, [MONDAY]).content)

    for words in (
        "SIRET 00381440700015",
        "sous le numéro 52 99 04417 99. Cet enregistrement ne vaut pas agrément de l'État.",
        "Intitulé Gestionnaire de paie Nature action de formation Convention, contrat ou session CONV-2026-017",
        "Module Bloc 2 Période du 07/09/2026 au 07/09/2026 Heures de la semaine 3,50 Modalité Présentiel",
        "Lieu Nantes, salle 12",
        "lundi 07/09/2026 Matin de 9h00 à 12h30 3,50 heures Calcul de la paie",
        "L'Hostis Soazig formateur Nguyễn Thị Hồng Ánh Voilerie Penn ar Roc'h SARL Wójcik Łukasz Non signé",
        "certifie l'exactitude des informations",
        "Document DOC-0042, dossier 2026-000007, établi le 01/10/2026 à 8h05",
        "https://exchange.centre.example/documents/AbCdEfGhIjKlMnOpQrStUv",
        "Page 1/1",
    ):
        assert words in said


def test_the_sheet_of_apprentices_alone_says_that_it_is_one_of_apprenticeship():
    apprentice = replace(ALICE, standing=Standing.APPRENTICE)
    alone = sitting(at(7, 9), signed(apprentice, at(7, 9)))
    mixed = sitting(at(7, 9), signed(apprentice, at(7, 9)), signed(BRUNO, at(7, 9)))

    for held, nature in ((alone, "action de formation par apprentissage"), (mixed, "action de formation Convention")):
        assert f"Nature {nature}" in text(papers.weekly_attendance_sheet(ISSUE, HOUSE, [held]).content)


def test_a_half_day_without_signature_is_never_blank():
    people = [Person(f"STU-{number}", f"Nom{number}", "P") for number in range(6)]
    held = sitting(
        at(7, 9),
        Presence(people[0], "EXPECTED"),
        Presence(people[1], "ABSENT"),
        Presence(people[2], "EXCUSED", justification="Grève des transports"),
        Presence(people[3], "PRESENT", 210),
        Presence(people[4], "PRESENT", 210, at(7, 9), image=b"no picture"),
        Presence(people[5], "PRESENT", 210, at(7, 9, 1)),
        trainers=(Presence(TRAINER, "EXPECTED"),),
    )

    said = text(papers.weekly_attendance_sheet(ISSUE, HOUSE, [held]).content)

    assert "L'Hostis Soazig formateur Non signé" in said
    assert "Nom0 P Non signé Nom1 P Absent Nom2 P Absence justifiée Grève des transports" in said
    assert "Nom3 P Non signé (présence déclarée) Nom4 P Signé (image illisible) 07/09/2026 à 9h00" in said
    assert "Nom5 P Signé 07/09/2026 à 9h01" in said


def test_a_late_signature_is_printed_as_late_with_both_times():
    late = replace(signed(ALICE, at(7, 19, 14)), late=True)

    paper = papers.weekly_attendance_sheet(ISSUE, HOUSE, [sitting(at(7, 9), late)])

    assert "Signé en retard : séance du 07/09/2026 à 9h00, signature le 07/09/2026 à 19h14" in text(paper.content)


def test_arrival_and_departure_are_printed_when_they_differ():
    there = replace(signed(ALICE, at(7, 9, 20)), status="LATE", arrived_at=at(7, 9, 20), left_at=at(7, 11, 45))
    early = replace(signed(BRUNO, at(7, 9)), status="EARLY_DEPARTURE")

    said = text(papers.weekly_attendance_sheet(ISSUE, HOUSE, [sitting(at(7, 9), there, early)]).content)

    assert "Retard Arrivée à 9h20 Départ à 11h45" in said
    assert "Wójcik Łukasz Départ anticipé" in said


def test_the_weekly_sheet_has_a_column_per_half_day_and_says_who_was_not_to_come():
    week = [
        sitting(at(8, 13), signed(ALICE, at(8, 13))),
        sitting(at(7, 9), signed(ALICE, at(7, 9)), signed(BRUNO, at(7, 9))),
    ]

    paper = papers.weekly_attendance_sheet(ISSUE, HOUSE, week)

    said = text(paper.content)
    assert "FEUILLE D'ÉMARGEMENT \N{EN DASH} SEMAINE 37 DE 2026" in said
    assert said.index("lundi 07/09/2026 Matin") < said.index("mardi 08/09/2026 Après-midi")
    assert "Heures de la semaine 7,00" in said
    assert "Wójcik Łukasz Non prévu" in said
    assert "L'Hostis Soazig formateur" in said


def test_a_week_over_the_end_of_the_year_is_one_week():
    thursday = sitting(datetime(2026, 12, 31, 9, tzinfo=PARIS), signed(ALICE, at(7, 9)))
    saturday = sitting(datetime(2027, 1, 2, 9, tzinfo=PARIS), signed(ALICE, at(7, 9)))

    paper = papers.weekly_attendance_sheet(ISSUE, HOUSE, [saturday, thursday])

    assert "SEMAINE 53 DE 2026" in text(paper.content)
    assert "du 31/12/2026 au 02/01/2027" in text(paper.content)
    with pytest.raises(ValueError, match="one week"):
        papers.weekly_attendance_sheet(ISSUE, HOUSE, [MONDAY, saturday])
    with pytest.raises(ValueError, match="one week"):
        papers.weekly_attendance_sheet(ISSUE, HOUSE, [])


def test_a_night_in_which_the_clock_changes_keeps_its_times_and_its_length():
    night = replace(
        sitting(datetime(2026, 10, 25, 1, tzinfo=PARIS), signed(ALICE, at(7, 9), 240), minutes=240),
        end=datetime(2026, 10, 25, 4, tzinfo=PARIS),
    )

    said = text(papers.weekly_attendance_sheet(ISSUE, HOUSE, [night]).content)

    assert "dimanche 25/10/2026 Matin de 1h00 à 4h00 4,00 heures" in said
