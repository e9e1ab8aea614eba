"""The project's own invoices; and, where it lies beside this checkout, a larger collection with its own scorer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from paraphe.reading import read
from paraphe.reading.report import report

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "fixtures"


@pytest.mark.parametrize("number", ["FAC-2026-041", "FAC-2026-042"])
def test_a_right_invoice_of_the_sample_centre_needs_no_person(number):
    reading = read((ROOT / "fixtures" / "invoices" / f"{number}.pdf").read_bytes())

    assert reading.values["invoice_number"].value == number
    assert not reading.needs_review(), reading.warnings


def test_the_slip_of_the_sample_centre_is_found():
    reading = read((ROOT / "fixtures" / "invoices" / "FAC-2026-043.pdf").read_bytes())

    assert "SUM_MISMATCH" in {each.code for each in reading.warnings}
    assert reading.needs_review()


def command(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "paraphe", "read-invoice", *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_the_command_prints_what_was_read_and_knows_given_students(tmp_path):
    students = tmp_path / "students.csv"
    students.write_text("reference;lastName;firstName\nS1;LE QUÉRÉ;Noémie\nS2;RŒSCH;Timothée\n", "utf-8")

    printed = command(str(ROOT / "fixtures/invoices/FAC-2026-042.pdf"), "--students", str(students))

    assert printed["status"] == "ok"
    assert printed["number"] == "FAC-2026-042"
    assert [each["reference"] for each in printed["trainees"]] == ["S1", "S2"]
    assert printed["read"]["number"]["page"] == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collection of invoices does not lie beside this checkout")
def test_of_the_collection_nothing_is_wrong_in_silence_and_nearly_all_is_ready(tmp_path):
    folder = SHARED / "invoices"
    predictions = []
    for path in sorted(folder.glob("*.pdf")):
        predictions.append(json.dumps(report(read(path.read_bytes())) | {"file": path.name}))
    lines, out = tmp_path / "read.jsonl", tmp_path / "score.json"
    lines.write_text("\n".join(predictions), "utf-8")
    scorer = [sys.executable, str(folder / "score.py"), str(folder), "--pred", str(lines), "--json", str(out)]
    subprocess.run(scorer, check=True, capture_output=True, timeout=60)
    score = json.loads(out.read_text("utf-8"))

    assert score["extract"]["record_ready"] >= 0.95 * score["extract"]["files"]
    assert score["extract"]["silent_wrong"] == 0
    assert all(each["clean"] for each in score["robustness"])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collection of invoices does not lie beside this checkout")
def test_every_sample_of_factur_x_is_read_and_broken_ones_are_named():
    for truth in json.loads((SHARED / "facturx" / "truth_facturx.json").read_text("utf-8")):
        reading = read((SHARED / "facturx" / truth["file"]).read_bytes())
        codes = {each.code for each in reading.warnings}

        if "number" in truth:
            assert reading.values["invoice_number"].value == truth["number"], truth["file"]
            assert str(reading.values["amount_incl_vat"].value) == truth["total_ttc"], truth["file"]
        if truth["file"].startswith("fail_"):
            assert codes & {"EINVOICE_RULE", "EINVOICE_UNUSABLE"}, truth["file"]
