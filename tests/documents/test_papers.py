"""What all papers have in common: read out of the PDF again, they say what they were given."""

import hashlib
import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from paraphe.documents import papers
from paraphe.documents.facts import Issue, Person, Training

from .school import (
    ALICE,
    BRUNO,
    HOUSE,
    ISSUE,
    JPEG,
    MONDAY,
    PAYROLL,
    at,
    certificate,
    images,
    invoiced,
    pages,
    png,
    signed,
    sitting,
    statement,
    text,
)


def test_a_table_of_118_trainees_breaks_over_pages_and_repeats_its_heading():
    people = [Person(f"STU-{number:03}", f"Nom{number:03}", "Prénom") for number in range(118)]
    held = sitting(at(7, 9), *(signed(person, at(7, 9)) for person in people))

    sheets = pages(papers.weekly_attendance_sheet(ISSUE, HOUSE, [held]).content)
    said = " ".join(sheets)

    assert all(f"Nom{number:03} Prénom" in said for number in range(118))
    assert len(sheets) > 4
    for number, page in enumerate(sheets[:-1], 1):
        assert "Nom et prénom lundi 07/09/2026 Matin" in page
        assert f"Page {number}/{len(sheets)}" in page


@pytest.mark.slow
def test_a_statement_of_118_trainees_is_whole():
    people = [Person(f"STU-{number:03}", f"Nom{number:03}", "Prénom") for number in range(118)]
    held = sitting(at(7, 9), *(signed(person, at(7, 9)) for person in people))

    said = text(statement(people, [held], quantity="413.00", each="3.50").content)

    assert said.count("07/09/2026 Matin") == 118
    assert "Total 413,00 413,00 0,00 0,00 0,00 413,00 0,00" in said


def test_very_long_names_are_printed_whole():
    long = replace(
        ALICE, last_name="Andriamihaja-" * 7 + "Fin", first_name="Bérengère " * 9 + "Fin", employer="Une société " * 20
    )
    endless = replace(BRUNO, last_name="A" * 100)
    held = sitting(at(7, 9), signed(long, at(7, 9)), signed(endless, at(7, 9)))

    for paper in (
        papers.weekly_attendance_sheet(ISSUE, HOUSE, [held]),
        certificate(long, [held]),
        statement([long, endless], [held]),
    ):
        letters = "".join(text(paper.content).split()).replace("\u200b", "")
        assert "".join((long.last_name + long.first_name).split()) in letters
    assert "A" * 100 in letters


def test_characters_outside_the_font_are_replaced_and_named_and_stay_in_the_data():
    stranger = replace(ALICE, last_name="李 Nguye\u0302\u0303n", first_name="\u202eAnh\x07")

    paper = statement([stranger], [sitting(at(7, 9), signed(stranger, at(7, 9)))])

    said = text(paper.content)
    assert "\N{REPLACEMENT CHARACTER} Nguyễn Anh" in said
    assert "Caractères absents de la police" in said
    assert "U+674E" in said
    assert "李" in json.loads(paper.data)["trainees"][0]["person"]["last_name"]


def test_the_digest_on_a_paper_is_that_of_its_data():
    for paper in (certificate(ALICE, [MONDAY]), papers.weekly_attendance_sheet(ISSUE, HOUSE, [MONDAY])):
        assert f"Empreinte SHA-256 des données : {hashlib.sha256(paper.data).hexdigest()}" in text(paper.content)


def test_a_signature_that_changes_changes_the_digest():
    first, second = (
        papers.weekly_attendance_sheet(
            ISSUE, HOUSE, [sitting(at(7, 9), replace(signed(ALICE, at(7, 9)), image=png(shade=shade)))]
        )
        for shade in (0, 90)
    )

    assert first.data != second.data


def test_a_name_is_never_a_command():
    odd = replace(ALICE, last_name='#panic("no") $x$ *b*', first_name="] #{ } \\ // <a> @b")

    assert '#panic("no") $x$ *b* ] #{ } \\ // <a> @b' in text(certificate(odd, []).content)


def test_the_same_facts_give_the_same_bytes_and_another_moment_gives_others():
    first, second = (papers.weekly_attendance_sheet(ISSUE, HOUSE, [MONDAY]).content for _ in range(2))
    tomorrow = replace(ISSUE, created_on=ISSUE.created_on + timedelta(days=1))
    later = papers.weekly_attendance_sheet(tomorrow, HOUSE, [MONDAY])

    assert first == second != later.content


def test_several_threads_make_papers_at_once():
    alone = papers.weekly_attendance_sheet(ISSUE, HOUSE, [MONDAY]).content

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: papers.weekly_attendance_sheet(ISSUE, HOUSE, [MONDAY]).content, range(12)))

    assert set(made) == {alone}


def test_what_is_not_known_is_left_out_or_left_to_be_filled_in():
    bare = replace(HOUSE, representative=None, siret="", activity_number="", address=(), city="", quality="")
    unknown = replace(invoiced(ALICE), period_start=None, period_end=None, quantity=None, invoice_date=None)

    made = papers.completion_certificate(
        Issue("DOC-1", ISSUE.created_on), bare, unknown, BRUNO, Training("Anglais"), []
    )

    said = text(made.content)
    assert "Je soussigné(e) ………………………, représentant légal" in said
    assert "SIRET" not in said
    assert "Vérification" not in said
    assert "Quantité facturée non précisé" in text(papers.invoicing_statement(ISSUE, bare, unknown, []).content)


def test_file_names_and_types_are_those_of_the_contract():
    made = [
        certificate(ALICE, [MONDAY]),
        papers.attendance_certificate(ISSUE, HOUSE, invoiced(ALICE), ALICE, PAYROLL, [MONDAY]),
        statement([ALICE], [MONDAY]),
        papers.weekly_attendance_sheet(ISSUE, HOUSE, [MONDAY]),
    ]

    assert [(paper.document_type, paper.file_name) for paper in made] == [
        ("COMPLETION_CERTIFICATE", "certificat-de-realisation-nguyen-thi-hong-anh.pdf"),
        ("ATTENDANCE_CERTIFICATE", "attestation-d-assiduite-nguyen-thi-hong-anh.pdf"),
        ("INVOICING_STATEMENT", "releve-de-facturation-fac-2026-041.pdf"),
        ("ATTENDANCE_SHEET", "feuille-d-emargement-2026-s37-gestionnaire-de-paie.pdf"),
    ]


@pytest.mark.slow
def test_a_paper_of_a_sandbox_says_so_on_every_page_and_no_other_does():
    issue = replace(ISSUE, specimen=True)
    days = [replace(MONDAY, reference=f"CRS-{number}") for number in range(40)]

    marked = papers.invoicing_statement(issue, HOUSE, invoiced(ALICE, BRUNO), days).content
    plain = papers.invoicing_statement(ISSUE, HOUSE, invoiced(ALICE, BRUNO), days).content

    assert len(pages(marked)) > 1
    assert all("SPÉCIMEN — environnement d'essai" in page for page in pages(marked))
    assert "SPÉCIMEN" not in text(plain)


def test_a_logo_is_printed_and_a_file_that_is_none_is_refused():
    for logo in (
        png(40, 40),
        JPEG,
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>',
    ):
        papers.ensure_logo(logo)
        plain = papers.cover_page(ISSUE, HOUSE, invoiced(ALICE), []).content
        with_logo = papers.cover_page(ISSUE, replace(HOUSE, logo=logo), invoiced(ALICE), []).content
        assert len(with_logo) > len(plain)
        assert images(with_logo) == (not logo.startswith(b"<svg"))
    with pytest.raises(ValueError, match="neither a PNG, nor a JPEG, nor an SVG"):
        papers.cover_page(ISSUE, replace(HOUSE, logo=b"GIF89a"), invoiced(ALICE), [])


@pytest.mark.parametrize(
    "logo",
    [
        b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(100),
        JPEG[:-40],
        JPEG[:80] + bytes(300) + b"\xff\xd9",
        b"<svg this is none",
        png()[:-20],
    ],
    ids=["head alone", "cut off", "zeroes", "no SVG", "no PNG"],
)
def test_a_logo_that_no_paper_could_be_made_with_is_told(logo):
    with pytest.raises(ValueError, match="logo"):
        papers.ensure_logo(logo)


@pytest.mark.skipif(
    not (shutil.which("zbarimg") and shutil.which("pdftoppm")),
    reason="zbarimg or pdftoppm (Debian: zbar-tools, poppler-utils) is not installed",
)
def test_the_qr_code_leads_to_the_address_for_verification(tmp_path):
    for number, paper in enumerate(
        (certificate(ALICE, [MONDAY]), papers.weekly_attendance_sheet(ISSUE, HOUSE, [MONDAY]))
    ):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(paper.content)
        subprocess.run(
            ["pdftoppm", "-r", "200", "-png", "-singlefile", path, path.with_suffix("")], check=True, timeout=60
        )

        scanned = subprocess.run(
            ["zbarimg", "-q", path.with_suffix(".png")], capture_output=True, check=True, timeout=60
        ).stdout

        assert scanned.decode().strip() == f"QR-Code:{ISSUE.url}"


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext (Debian: poppler-utils) is not installed")
def test_another_reader_reads_the_same_words(tmp_path):
    paper = statement([ALICE, BRUNO], [MONDAY], quantity="3.50")
    path = tmp_path / paper.file_name
    path.write_bytes(paper.content)

    read = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, timeout=60).stdout
    words = " ".join(read.decode().split()).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")

    for each in ("Nguyễn Thị Hồng Ánh", "Wójcik Łukasz", "Calcul de la paie", "FAC-2026-041", "Non signé", "Page 1/1"):
        assert each in words


def test_quantities_of_the_invoice_keep_their_decimals():
    assert "Quantité facturée 108,30 heures" in text(statement([ALICE], [], quantity=str(Decimal("108.3"))).content)
