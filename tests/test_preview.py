"""`paraphe preview-papers` shows an operator every paper, and what is wrong with a template."""

import json
from pathlib import Path

from pypdf import PdfReader

from paraphe import cli, preview


def test_every_paper_is_written_with_its_data(tmp_path, capsys):
    assert cli.main(["preview-papers", str(tmp_path / "papers"), "--json"]) == 0

    written = [Path(name) for name in json.loads(capsys.readouterr().out)]
    stems = {path.stem for path in written}
    assert len(stems) == 5
    assert {path.suffix for path in written} == {".pdf", ".json"}
    for path in written:
        if path.suffix == ".pdf":
            assert PdfReader(path).pages
        else:
            assert json.loads(path.read_text())


def test_a_broken_template_is_told_in_one_sentence(tmp_path, capsys):
    (tmp_path / "week.typ").write_text("#nobody")

    assert cli.main(["preview-papers", str(tmp_path / "out"), "--templates", str(tmp_path)]) == 2

    assert capsys.readouterr().err == "paraphe: week.typ, line 1: unknown variable: nobody.\n"


def test_a_folder_of_templates_that_is_not_there_is_told(tmp_path, capsys):
    assert cli.main(["preview-papers", str(tmp_path / "out"), "--templates", str(tmp_path / "none")]) == 2

    assert capsys.readouterr().err == f"paraphe: {tmp_path / 'none'}: There is no such folder.\n"


def test_the_sample_is_the_same_each_time():
    assert preview.sample() == preview.sample()
