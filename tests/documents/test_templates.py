"""An operator changes a template, a word, a font or a picture; what is broken is told with file and line."""

from dataclasses import replace
from pathlib import Path

import pytest

from paraphe.documents import papers, typeset
from paraphe.documents.facts import Presence
from paraphe.documents.papers import BrokenTemplate

from .school import (
    ALICE,
    BRUNO,
    HOUSE,
    ISSUE,
    MONDAY,
    PAYROLL,
    at,
    certificate,
    images,
    invoiced,
    png,
    statement,
    text,
)  # fmt: skip

OURS = Path(typeset.__file__).parent
HEAD = '#import "common.typ": *\n#show: paper\n'


def cover(templates):
    return papers.cover_page(ISSUE, HOUSE, invoiced(ALICE), [], templates=templates)


def test_a_template_of_the_operator_stands_in_for_ours_and_the_others_stay(tmp_path):
    (tmp_path / "cover.typ").write_text(
        '#import "common.typ": *\n#show: paper\n= Notre page\n#facts.invoiced.payer_name'
    )

    assert "Notre page OPCO Horizon" in text(cover(tmp_path).content)
    assert "CERTIFICAT DE RÉALISATION" in text(certificate(ALICE, [MONDAY], templates=tmp_path).content)


def test_a_change_shows_at_once(tmp_path):
    template = tmp_path / "cover.typ"
    template.write_text(HEAD + "Avant")
    before = cover(tmp_path)
    template.write_text(HEAD + "Après")

    assert "Avant" in text(before.content)
    assert "Après" in text(cover(tmp_path).content)


def test_single_words_are_replaced_and_the_others_stay(tmp_path):
    (tmp_path / "words.toml").write_text(
        '[standing]\nJOB_SEEKER = "en recherche d\'emploi"\n[papers.certificate]\ntitle = "Certificat"\n'
    )

    paper = papers.completion_certificate(ISSUE, HOUSE, invoiced(BRUNO), BRUNO, PAYROLL, [MONDAY], templates=tmp_path)

    assert "en recherche d'emploi, a suivi" in text(paper.content)
    assert paper.title == "Certificat Wójcik Łukasz"
    assert "salarié(e) de l'entreprise" in text(certificate(ALICE, [MONDAY], templates=tmp_path).content)


def test_a_picture_beside_a_template_is_found_and_nothing_outside_the_folder(tmp_path):
    inside = tmp_path / "templates"
    inside.mkdir()
    (inside / "stamp.png").write_bytes(png())
    (tmp_path / "outside.txt").write_text("secret")

    (inside / "cover.typ").write_text(HEAD + '#image("stamp.png", alt: "Cachet")')
    assert images(cover(inside).content) == 1

    (inside / "cover.typ").write_text(HEAD + '#read("../outside.txt")')
    with pytest.raises(BrokenTemplate):
        cover(inside)


def test_a_broken_template_names_file_line_and_reason(tmp_path):
    (tmp_path / "common.typ").write_text((OURS / "templates" / "common.typ").read_text() + "\n#let x = nobody\n")

    with pytest.raises(BrokenTemplate) as broken:
        cover(tmp_path)

    lines = (tmp_path / "common.typ").read_text().splitlines()
    assert (broken.value.file, broken.value.line) == ("common.typ", len(lines))
    assert str(broken.value) == f"common.typ, line {len(lines)}: unknown variable: nobody."


def test_a_template_that_cannot_be_pdf_a_is_refused(tmp_path):
    (tmp_path / "cover.typ").write_text(HEAD + "\u2610 fait")

    with pytest.raises(BrokenTemplate, match="could not be displayed with font"):
        cover(tmp_path)


def test_broken_words_name_file_and_line(tmp_path):
    (tmp_path / "words.toml").write_text('[mark]\nABSENT = "Absent\n')

    with pytest.raises(BrokenTemplate, match=r"^words\.toml, line 2: "):
        cover(tmp_path)


def test_a_font_of_the_operator_is_known_and_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "fonts").mkdir()
    font = tmp_path / "fonts" / "Own.ttf"
    font.write_bytes((OURS / "fonts" / "NotoSans-Bold.ttf").read_bytes())
    assert text(cover(tmp_path).content) == text(cover(None).content)

    font.write_bytes(b"no font at all, but long enough to look at")
    with pytest.raises(BrokenTemplate, match=r"fonts/Own\.ttf: This is not a TrueType or OpenType font"):
        cover(tmp_path)


def test_a_paper_that_takes_too_much_is_told_and_the_next_one_is_set(tmp_path, monkeypatch):
    monkeypatch.setattr(typeset, "_LIMITS", replace(typeset._LIMITS, megabytes=100))
    (tmp_path / "cover.typ").write_text(HEAD + "#range(30000000).len()")

    with pytest.raises(papers.TooLong):
        cover(tmp_path)

    assert cover(None).content.startswith(b"%PDF")


@pytest.mark.slow
def test_a_year_of_a_class_with_all_its_signatures_is_set():
    people = [replace(ALICE, reference=f"STU-{number}") for number in range(30)]

    def there(day: int, number: int) -> Presence:
        picture = png(30 + number, 10 + day // 2, day)  # each is like no other
        return Presence(people[number], "PRESENT", 210, at(7, 9), at(7, 9), image=picture, url="https://x.example/a")

    days = [
        replace(MONDAY, reference=f"CRS-{day}", trainees=tuple(there(day, number) for number in range(30)))
        for day in range(120)
    ]

    assert len(statement(people, days).content) > 5_000_000


def test_a_word_that_is_missing_is_printed_as_its_code():
    odd = replace(MONDAY, modality="BY_PIGEON")

    assert "Modalité BY_PIGEON" in text(papers.weekly_attendance_sheet(ISSUE, HOUSE, [odd]).content)


def test_the_license_of_the_fonts_is_beside_them():
    assert "SIL Open Font License, Version 1.1" in (OURS / "fonts" / "OFL.txt").read_text()


def test_every_gap_of_the_contract_has_a_french_sentence():
    words = typeset.templates_of(None).words["gap"]

    assert {"LESS_SIGNED_THAN_INVOICED", "OUTSIDE_PERIOD", "NOT_SIGNED_BY_TRAINER", "UNKNOWN_TRAINEE"} <= set(words)
    assert statement([ALICE], [MONDAY]).title == "Relevé de facturation FAC-2026-041"
