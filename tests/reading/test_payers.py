"""Who pays, where the account knows several of those whom a page names."""

from pathlib import Path

import pytest

from paraphe.reading import Known, Payer, read

INVOICE = Path(__file__).resolve().parents[2] / "fixtures" / "invoices" / "FAC-2026-041.pdf"
SELLER, ADDRESSEE = Payer("CON-1", "Centre Erdre & Sillon"), Payer("CON-2", "OPCO Horizon")


@pytest.mark.parametrize("payers", [(SELLER, ADDRESSEE), (ADDRESSEE, SELLER), (ADDRESSEE,), (SELLER,), ()])
def test_it_is_the_addressee_whomever_else_the_account_knows(payers):
    assert read(INVOICE.read_bytes(), Known(payers=payers)).values["payer_name"].value == "OPCO Horizon"
