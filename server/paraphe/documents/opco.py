"""The data of a certificat de réalisation in the shape of the inter-OPCO exchange: docs/papers.md explains it.

The names are those of the exchange, so they are French here too. What is not known is left out.
"""

from typing import Any

from . import said
from .facts import Invoiced, Issue, Organisation, Person, Sitting, Training


def certificate(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    person: Person,
    training: Training,
    sittings: list[Sitting],
) -> dict[str, Any]:
    """Return the data of one certificate. `duree` is in hours, with two decimals; dates are ISO 8601."""
    first, last = said.span(sittings, invoiced, whole_period=person.is_apprentice)
    trainee = next((each for each in invoiced.trainees if each.person.reference == person.reference), None)
    number = (trainee and (trainee.file_number or trainee.contract_number)) or (
        invoiced.file_number or invoiced.contract_number
    )
    signatory = organisation.representative
    return _known(
        {
            "numeroInterneDossier": number,
            "numeroInterneFacture": invoiced.invoice_number,
            "dateSignature": issue.created_on.date().isoformat(),
            "lieuSignatureContrat": organisation.city,
            "representantLegal": {
                "nom": signatory.last_name if signatory else "",
                "prenom": signatory.first_name if signatory else "",
                "qualite": organisation.quality,
            },
            "attestationConservationPieces": True,
            "natureAction": "Formation par apprentissage" if person.is_apprentice else "Action de formation",
            "intituleAction": training.name,
            "employeur": {"siret": person.employer_siret, "raisonSociale": person.employer},
            "apprenti" if person.is_apprentice else "stagiaire": {
                "nom": person.last_name,
                "prenom": person.first_name,
            },
            "organismeFormation": {
                "siret": organisation.siret,
                "raisonSociale": organisation.name,
                "numeroDeclarationActivite": organisation.activity_number,
            },
            "echeance": {
                "duree": float(said.hours(said.signed_minutes(sittings, [person]))),
                "dateDebut": first.isoformat() if first else "",
                "dateFin": last.isoformat() if last else "",
            },
        }
    )


def _known(values: dict[str, Any]) -> dict[str, Any]:
    kept = {key: _known(value) if isinstance(value, dict) else value for key, value in values.items()}
    return {key: value for key, value in kept.items() if value not in ("", {})}
