"""Who pays and who invoices, where a page names several."""

from pathlib import Path

import pytest

from paraphe.reading import Known, Payer, read

from .paper import PAYER, SELLER, totals, typed
from .test_layouts import table, values

INVOICE = Path(__file__).resolve().parents[2] / "fixtures" / "invoices" / "FAC-2026-041.pdf"
CENTRE, ADDRESSEE = Payer("CON-1", "Centre Erdre & Sillon"), Payer("CON-2", "OPCO Horizon")


@pytest.mark.parametrize("payers", [(CENTRE, ADDRESSEE), (ADDRESSEE, CENTRE), (ADDRESSEE,), (CENTRE,), ()])
def test_it_is_the_addressee_whomever_else_the_account_knows(payers):
    assert read(INVOICE.read_bytes(), Known(payers=payers)).values["payer_name"].value == "OPCO Horizon"


def addressed(*lines: str, seller: list[str] = SELLER) -> bytes:
    return typed([*seller, *[" " * 50 + line for line in lines], "", *table(), *totals("714,00")])


def test_an_opco_is_the_payer_also_where_it_says_its_siret_and_the_company_is_called_the_client():
    block = "OPCO Cohésia", "8 chemin des Vignes", "75999 PARIS-FICTIF", "SIRET : 00424097400073"

    found = values(read(addressed(*block, "", "Client : Pharmacie du Beffroi")))

    assert found["payer_name"] == "OPCO Cohésia"


def test_where_both_addresses_have_a_siret_who_invoices_stands_first():
    found = values(
        read(addressed("Transports Courtevoie", "5 rue Ampère", "31998 TOULVILLE", "SIRET 004 041 257 00041"))
    )

    assert found["payer_name"] == "Transports Courtevoie"
    assert found["seller_siret"] == "00290361500017"


def test_a_siret_beside_the_number_of_the_declaration_is_the_one_of_who_invoices():
    centre = ["Institut Boreal Formation", "12 rue des Tanneurs", "38160 CHATTE"]
    block = "Résidence Les Glycines", "ZI des Grands Prés", "21999 DIJONVAL", "SIRET : 004 408 605 00014"
    foot = "SIRET : 00290361500017 - NDA : 11 99 01926 99"

    found = values(
        read(typed([*centre, *[" " * 50 + line for line in block], "", *table(), *totals("714,00"), "", foot]))
    )

    assert found["seller_siret"] == "00290361500017"


def test_amounts_prove_each_other_whatever_they_are_called():
    sums = ["Sous-total           714,00 €", "TVA 20 %             142,80 €", "Solde dû             856,80 €"]

    found = values(read(typed([*SELLER, *PAYER, *table()[:-1], *sums])))

    assert [str(found[each]) for each in ("amount_excl_vat", "vat_amount", "amount_incl_vat")] == [
        "714.00",
        "142.80",
        "856.80",
    ]


def test_a_remark_behind_an_amount_is_not_the_amount():
    found = values(read(typed([*SELLER, *PAYER, *table(), "Net à payer : 714,00 € (net de taxe, TVA 0,00 €)"])))

    assert str(found["amount_incl_vat"]) == "714.00"


@pytest.mark.parametrize("label", ["Acheteur", "Débiteur", "Pour", "Facturé à"])
def test_the_payer_stands_below_its_label(label):
    found = values(read(addressed(label, "Transports Courtevoie", "5 rue Ampère", "31998 TOULVILLE")))

    assert found["payer_name"] == "Transports Courtevoie"


def test_what_is_said_of_the_tax_is_not_the_tax():
    exempt = (
        "Association non assujettie à la TVA (article 261-7-1° du CGI). Montant hors taxes : 714,00 € ; TVA : 0,00 €."
    )

    found = values(read(typed([*SELLER, *PAYER, *table(), exempt])))

    assert (str(found["amount_excl_vat"]), str(found["vat_amount"])) == ("714.00", "0.00")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("Votre réf. : MOB 26 771 033", "MOB 26 771 033"),
        ("Bon de commande / convention : E2546907", "E2546907"),
        ("Sous-traitance - votre convention 13816928", "13816928"),
        ("N° d'engagement financeur : 5925008830", "5925008830"),
    ],
)
def test_the_files_number_is_read_however_it_is_called(said, number):
    lines = [line for line in table() if not line.startswith("Dossier")]

    assert values(read(typed([*SELLER, *PAYER, said, *lines, *totals("714,00")])))["file_number"] == number
