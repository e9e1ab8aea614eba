"""The project's own invoices; papers of many layouts; and, where it lies beside this checkout, a larger collection."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from paraphe.reading import Known, read
from paraphe.reading.invoice import read_here

from .bad import CODES, PAPERS, bad_files
from .scoring import Score, students, truths

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "fixtures"
# All of it takes half a minute and more: `make reading`.
SOME_INVOICES = ("d01_classique_01", "d06_latex_02", "d07_liste_longue_03", "d12_story_01")
SOME_SAMPLES = ("correct_FNFE-factur-x-examples_Avoir_FR_type381_BASIC", "fail_FNFE-factur-x-examples_Facture_FR_BASIC")
beside = pytest.mark.skipif(not SHARED.is_dir(), reason="the collection of invoices does not lie beside this checkout")


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


@pytest.mark.slow
def test_the_command_prints_what_was_read_and_knows_given_students(tmp_path):
    students = tmp_path / "students.csv"
    students.write_text("reference;lastName;firstName\nS1;LE QUÉRÉ;Noémie\nS2;RŒSCH;Timothée\n", "utf-8")

    printed = command(str(ROOT / "fixtures/invoices/FAC-2026-042.pdf"), "--students", str(students))

    assert printed["status"] == "ok"
    assert printed["number"] == "FAC-2026-042"
    assert [each["reference"] for each in printed["trainees"]] == ["S1", "S2"]
    assert printed["read"]["number"]["page"] == 1


@pytest.mark.parametrize("known", [Known(), students(PAPERS)], ids=["without students", "with students"])
def test_papers_of_many_layouts_and_producers_are_read_and_nothing_is_wrong_in_silence(known):
    score = Score()
    papers = list(truths(PAPERS))
    for path, truth in papers[bool(known.students) :: 2]:  # half of them each time: the others are alike
        score.add(path.name, truth, read_here(path.read_bytes(), known, 20))

    assert score.files > 40
    assert not score.silent
    assert not score.not_ready


@pytest.mark.parametrize(("name", "content"), list(bad_files(12, 7, [])))
def test_a_bad_file_ends_with_its_code_or_as_read(name, content):
    reading = read(content)

    assert reading.failure is None or reading.failure in CODES
    assert reading.failure is None or [each.code for each in reading.warnings] == [reading.failure]


@beside
def test_some_of_the_collection_are_read_and_nothing_is_wrong_in_silence():
    score = Score()
    for path, truth in truths(SHARED / "invoices"):
        if path.stem in SOME_INVOICES:
            score.add(path.name, truth, read(path.read_bytes()))

    assert score.files == len(SOME_INVOICES)
    assert not score.not_ready


@beside
@pytest.mark.parametrize("name", SOME_SAMPLES)
def test_a_sample_of_factur_x_is_read_and_a_broken_one_is_named(name):
    truth = next(
        each
        for each in json.loads((SHARED / "facturx" / "truth_facturx.json").read_text("utf-8"))
        if each["file"] == f"{name}.pdf"
    )
    reading = read((SHARED / "facturx" / truth["file"]).read_bytes())
    codes = {each.code for each in reading.warnings}

    assert reading.values["invoice_number"].value == truth["number"]
    assert str(reading.values["amount_incl_vat"].value) == truth["total_ttc"]
    assert codes & {"EINVOICE_RULE", "EINVOICE_UNUSABLE"} or not name.startswith("fail_")
