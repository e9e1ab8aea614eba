"""The two certificates of a trainee: the official wording, and hours that add up."""

import json
from dataclasses import replace

import pytest

from paraphe.documents import papers
from paraphe.documents.facts import Presence, Standing, Training

from .school import ALICE, BRUNO, HOUSE, ISSUE, MONDAY, PAYROLL, at, certificate, invoiced, signed, sitting, text


def test_the_certificate_has_the_official_wording():
    said = text(certificate(ALICE, [MONDAY]).content)

    assert (
        "CERTIFICAT DE RÉALISATION Je soussigné(e) Marguerite Le Quellec, représentant légal du dispensateur de "
        "l'action concourant au développement des compétences Centre Erdre & Sillon, atteste que : Mme Nguyễn Thị"
        " Hồng Ánh, salarié(e) de l'entreprise Voilerie Penn ar Roc'h SARL, a suivi l'action Gestionnaire de paie"
        " Nature de l'action concourant au développement des compétences : X action de formation bilan de "
        "compétences action de VAE action de formation par apprentissage qui s'est déroulée du 07/09/2026 au "
        "07/09/2026 pour une durée de 3,50 heures1 2. (nombre d'heures réalisées ou, s'agissant d'une formation "
        "par apprentissage, nombre de mois réalisés) Sans préjudice des délais imposés par les règles fiscales, "
        "comptables ou commerciales, je m'engage à conserver l'ensemble des pièces justificatives qui ont permis "
        "d'établir le présent certificat pendant une durée de 3 ans à compter de la fin de l'année du dernier "
        "paiement. En cas de cofinancement des fonds européens la durée de conservation est étendue conformément "
        "aux obligations conventionnelles spécifiques. Fait à Nantes Le 01/10/2026 Cachet et signature du "
        "responsable du dispensateur de formation (nom, prénom, qualité) Le Quellec Marguerite, Directrice"
    ) in said


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing.EMPLOYEE, ", salarié(e) de l'entreprise Voilerie"),
        (Standing.APPRENTICE, ", apprenti(e) dans l'entreprise Voilerie"),
        (Standing.JOB_SEEKER, ", demandeur(se) d'emploi, a suivi"),
        (Standing.OTHER, "Thị Hồng Ánh, a suivi"),
    ],
)
def test_only_an_employee_is_called_one(standing, words):
    said = text(certificate(replace(ALICE, standing=standing), [MONDAY]).content)

    assert words in said
    assert ("salarié" in said) == (standing is Standing.EMPLOYEE)


def test_minutes_become_hundredths_of_an_hour_and_add_up_before_they_are_rounded():
    twenty = [sitting(at(day, 9), signed(ALICE, at(day, 9), 20), minutes=20) for day in (1, 2, 3)]

    assert "pour une durée de 1,00 heures" in text(certificate(ALICE, twenty).content)
    assert "pour une durée de 0,33 heures" in text(certificate(ALICE, twenty[:1]).content)


def test_an_apprenticeship_is_certified_in_months_with_its_days():
    apprentice = replace(ALICE, standing=Standing.APPRENTICE)
    held = [sitting(at(day, 9), signed(apprentice, at(day, 9))) for day in (1, 2, 17)]

    paper = certificate(apprentice, held)

    said, data = text(paper.content), json.loads(paper.data)
    assert "apprenti(e) dans l'entreprise Voilerie" in said
    assert (data["natureAction"], data["apprenti"]["nom"]) == ("Formation par apprentissage", "Nguyễn")
    assert data["echeance"] == {"duree": 10.5, "dateDebut": "2026-09-01", "dateFin": "2026-09-30"}
    assert "X action de formation par apprentissage" in said
    assert "du 01/09/2026 au 30/09/2026 pour une durée de 1,00 mois (3 jours de présence, 10,50 heures)" in said


def test_a_certificate_is_of_one_person_and_one_training():
    other = replace(sitting(at(8, 9), signed(ALICE, at(8, 9))), training=Training("Anglais"))

    paper = certificate(ALICE, [MONDAY, other])

    assert "3,50 heures" in text(paper.content)
    assert "Wójcik" not in text(paper.content)


def test_a_certificate_without_any_half_day_says_zero_hours_in_the_invoiced_period():
    assert "du 01/09/2026 au 30/09/2026 pour une durée de 0,00 heures" in text(certificate(ALICE, []).content)


def test_the_data_of_the_certificate_is_in_the_shape_of_the_inter_opco_exchange():
    paper = certificate(ALICE, [MONDAY])

    assert json.loads(paper.data) == {
        "numeroInterneDossier": "HZ-2026-118204",
        "numeroInterneFacture": "FAC-2026-041",
        "dateSignature": "2026-10-01",
        "lieuSignatureContrat": "Nantes",
        "representantLegal": {"nom": "Le Quellec", "prenom": "Marguerite", "qualite": "Directrice"},
        "attestationConservationPieces": True,
        "natureAction": "Action de formation",
        "intituleAction": "Gestionnaire de paie",
        "employeur": {"siret": "00155203500012", "raisonSociale": "Voilerie Penn ar Roc'h SARL"},
        "stagiaire": {"nom": "Nguyễn", "prenom": "Thị Hồng Ánh"},
        "organismeFormation": {
            "siret": "00381440700015",
            "raisonSociale": "Centre Erdre & Sillon",
            "numeroDeclarationActivite": "52 99 04417 99",
        },
        "echeance": {"duree": 3.5, "dateDebut": "2026-09-07", "dateFin": "2026-09-07"},
    }


def test_the_attestation_divides_the_hours_by_what_became_of_them_and_by_modality():
    half_days = [
        sitting(at(1, 9), signed(ALICE, at(1, 9)), signed(BRUNO, at(1, 9))),
        sitting(at(2, 9), signed(ALICE, at(2, 9)), modality="REMOTE_SYNC"),
        sitting(at(3, 9), Presence(ALICE, "EXCUSED", justification="Rendez-vous médical"), modality="REMOTE_SYNC"),
        sitting(at(4, 9), Presence(ALICE, "ABSENT"), signed(BRUNO, at(4, 9))),
        sitting(at(5, 9), Presence(ALICE, "EXPECTED")),
        sitting(at(6, 9), replace(signed(ALICE, at(6, 9, 30), 180), status="LATE", arrived_at=at(6, 9, 30))),
    ]

    paper = papers.attendance_certificate(
        ISSUE, HOUSE, invoiced(ALICE), ALICE, PAYROLL, half_days, sheets=["DOC-7", "DOC-8"]
    )

    said = text(paper.content)
    assert "Demi-journées prévues 6" in said
    assert "Durée prévue 21,00 Durée réalisée 10,00" in said
    assert "Absences justifiées 3,50 Absences non justifiées 4,00 Non signé 3,50" in said
    assert "Présentiel collectif 7,00 3,50 Présentiel individuel 7,00 3,00 FOAD synchrone 7,00 3,50" in said
    assert "Établie d'après les feuilles d'émargement n° DOC-7, DOC-8." in said
