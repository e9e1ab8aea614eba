"""The command `paraphe-client`."""

import ast
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import paraphe_client

from .fake import KEY, NS, Document, error, fault, members

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "students.xml"
    item = "<student><reference>S1</reference><lastName>a</lastName><firstName>b</firstName></student>"
    path.write_text(f"<students xmlns='{NS}'>{item}</students>")
    return path


# --- every operation -------------------------------------------------------------------------------------------

COMMANDS = {
    "CheckConnection": ["check-connection"],
    "GetSignatureList": ["get-signature-list", "--since", "2026-09-01T00:00:00Z", "--status", "LATE", "--limit", "9"],
    "SendInvoice": ["send-invoice", "a.pdf", "--hints", "elements.json", "--message-id", "m1"],
    "SendInvoicingInfo": ["send-invoicing-info", "elements.json"],
    "ReviewRecord": ["review-record", "2026-1", "elements.json"],
    "AddSimpleInvoice": ["add-simple-invoice", "2026-1", "a.pdf"],
    "AddSimpleDocument": ["add-simple-document", "2026-1", "a.pdf", "--type", "AGREEMENT", "--title", "Convention"],
    "GetRecord": ["get-record", "2026-1"],
    "GetRecordList": ["get-record-list", "--include-extracted", "--status", "READY", "--created-from", "2026-01-01"],
    "AcknowledgeRecords": ["acknowledge-records", "2026-1", "2026-1"],
}


@pytest.mark.slow
@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("operation", COMMANDS)
def test_every_operation_has_a_command(fake, run, tmp_path, monkeypatch, operation, soap):
    monkeypatch.chdir(tmp_path)
    fake.records["2026-1"] = Document(b"x")
    Path("a.pdf").write_bytes(b"%PDF-")
    elements = {
        "invoiceNumber": "F-1",
        "amountExclVat": 1200.10,
        "invoiceDate": "2026-09-14",
        "trainees": [{"reference": "S1"}],
    }
    Path("elements.json").write_text(json.dumps(elements))

    assert run(*COMMANDS[operation], "--soap", soap)[0] == 0
    code, out, err = run(*COMMANDS[operation], "--soap", soap, "--json")

    assert (code, err, json.loads(out)["returnCode"]) == (0, "", "200 OK")
    assert fake.operations() == [operation, operation]


EVERY_OPTION: dict[str, tuple[list[str], dict[str, Any]]] = {
    "GetSignatureList": (
        [
            *("get-signature-list", "--period", "2026-09-01", "2026-09-30", "--since", "2026-09-02T00:00:00Z"),
            *("--course", "C", "--student", "S", "--teacher", "T", "--status", "LATE", "--cursor", "c", "--limit", "9"),
        ],
        {"periodStart": "2026-09-01", "periodEnd": "2026-09-30", "modifiedSince": "2026-09-02T00:00:00Z"}
        | {"courseReference": "C", "studentReference": "S", "teacherReference": "T", "status": "LATE"}
        | {"cursor": "c", "limit": "9"},
    ),
    "GetRecordList": (
        [
            *("get-record-list", "--limit", "9", "--cursor", "c", "--include-extracted", "--status", "READY"),
            *("--created-from", "2026-01-01T00:00:00Z", "--created-to", "2026-02-01T00:00:00Z"),
            *("--invoice-number", "F"),
        ],
        {"limit": "9", "cursor": "c", "includeExtracted": "true", "status": "READY", "invoiceNumber": "F"}
        | {"createdFrom": "2026-01-01T00:00:00Z", "createdTo": "2026-02-01T00:00:00Z"},
    ),
    "SendInvoice": (
        ["send-invoice", "a.pdf", "--hints", "elements.json", "--message-id", "m1"],
        {"messageId": "m1", "fileName": "a.pdf", "content": "JVBERi0=", "hints": None},
    ),
    "ReviewRecord": (
        ["review-record", "2026-1", "elements.json", "--message-id", "m1"],
        {"messageId": "m1", "recordNumber": "2026-1", "invoice": None},
    ),
    "AddSimpleDocument": (
        ["add-simple-document", "2026-1", "a.pdf", "--type", "AGREEMENT", "--title", "T", "--message-id", "m1"],
        {"messageId": "m1", "recordNumber": "2026-1", "documentType": "AGREEMENT", "title": "T"}
        | {"fileName": "a.pdf", "content": "JVBERi0="},
    ),
    "SyncStudents": (
        ["upload", "students", "students.xml", "--mode", "REPLACE", "--keep-valid", "--max-removals", "3", "--dry-run"],
        {"dryRun": "true", "mode": "REPLACE", "onError": "KEEP_VALID", "maxRemovals": "3", "students": None},
    ),
}


@pytest.mark.parametrize("operation", EVERY_OPTION)
def test_every_option_is_in_the_message(fake, run, file, tmp_path, monkeypatch, operation):
    monkeypatch.chdir(tmp_path)
    fake.answers["GetRecordList"] = lambda _: members() + "<remaining>0</remaining>"
    Path("a.pdf").write_bytes(b"%PDF-")
    Path("elements.json").write_text('{"invoiceNumber": "F-1"}')
    arguments, sent = EVERY_OPTION[operation]

    assert run(*arguments)[0] == 0
    (request,) = fake.received
    said = {etree.QName(element).localname: element.text for element in request.body}
    assert {name: said[name] for name in sent} == sent
    assert set(said) - set(sent) <= {"sha256", "includeContent"}


@pytest.mark.parametrize("kind", ["students", "teachers", "classrooms", "courses", "contacts"])
def test_every_repository_can_be_uploaded(fake, run, tmp_path, kind):
    name = f"Sync{kind.capitalize()}"
    file = tmp_path / "sample.xml"
    file.write_bytes((FIXTURES / name / "request.xml").read_bytes())
    code, out, _ = run("upload", kind, file, "--json")

    assert code == 0
    assert json.loads(out)["items"] == len(fake.applied) > 0
    assert set(fake.operations()) == {name}


def test_a_record_is_written_to_a_file(fake, run, tmp_path):
    fake.records["2026-1"] = Document(b"content")
    path = tmp_path / "record.zip"

    assert run("get-record", "2026-1", "--format", "zip")[0] == 2
    assert run("get-record", "2026-1", "--format", "zip", "--output", path)[0] == 0
    assert path.read_bytes() == b"content"


def test_call_sends_a_file_as_it_is_and_prints_the_answer(fake, run, file, tmp_path):
    request = f"<SyncStudents xmlns='{NS}'>{file.read_text()}</SyncStudents>"
    bare = tmp_path / "bare.xml"
    bare.write_text(f'<?xml version="1.0" encoding="UTF-8"?>{request}')
    whole = tmp_path / "whole.xml"
    whole.write_text(
        f"<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body>{request}</e:Body></e:Envelope>"
    )
    for path in (bare, whole):
        code, out, _ = run("call", "SyncStudents", path)
        assert (code, "<returnCode>200 OK</returnCode>" in out) == (0, True)

    fake.answers["SyncStudents"] = lambda _: fault("1.1", error("SCHEMA_INVALID"))
    code, out, err = run("call", "SyncStudents", bare)
    assert (code, "<faultstring>Refused.</faultstring>" in out, "SCHEMA_INVALID" in err) == (1, True, True)


# --- exit codes ------------------------------------------------------------------------------------------------


def test_refused_is_1_and_says_why(fake, run):
    fake.answers["CheckConnection"] = lambda _: members(
        "500 ERROR", "No.", errors=error("VALUE_REQUIRED", index=3, reference="S3", field="lastName", hint="Give it.")
    )
    code, out, err = run("check-connection", "--json")

    assert code == 1
    assert "VALUE_REQUIRED item 3 reference S3 field lastName: It is wrong. Give it." in err
    answer = json.loads(out)
    assert (answer["returnCode"], answer["requestId"], answer["errors"][0]["index"]) == ("500 ERROR", "req-1", 3)


@pytest.mark.parametrize(
    "arguments",
    [
        ["upload", "students", "nowhere.xml"],
        ["call", "CheckConnection", __file__],
        ["send-invoicing-info", __file__],
        ["poll", "--state", "new.json", "--config", "nowhere.ini"],
    ],
)
def test_a_file_that_cannot_be_used_is_2(fake, run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*arguments)

    assert (code, err.startswith("paraphe-client: "), fake.received) == (2, True, [])


@pytest.mark.parametrize(
    "arguments", [[], ["upload"], ["upload", "dogs", "x"], ["poll"], ["extract", "x", "--limit", "0"]]
)
def test_wrong_options_are_2(run, arguments):
    with pytest.raises(SystemExit) as stopped:
        run(*arguments)

    assert stopped.value.code == 2


@pytest.mark.parametrize(
    "content", ['{"invoiceNumer": "F"}', "[]", '{"invoiceDate": "14/09/2026"}', '{"quantity": "x"}']
)
def test_invoicing_elements_that_are_misspelt_are_not_sent(fake, run, tmp_path, content):
    path = tmp_path / "elements.json"
    path.write_text(content)

    assert run("send-invoicing-info", path)[0] == 2
    assert not fake.received


def test_unreachable_is_3_and_says_that_it_is_safe_to_send_again(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.pdf").write_bytes(b"%PDF-")
    code, _, err = run("send-invoice", "a.pdf", "--url", "http://127.0.0.1:9")

    assert (code, "was not reached" in err) == (3, True)


def test_an_upload_that_is_refused_says_what_is_stored(fake, run, file):
    fake.answers["SyncStudents"] = lambda _: members("500 ERROR", "No.", errors=error("UNKNOWN_REFERENCE", index=1))
    code, _, err = run("upload", "students", file)

    assert code == 1
    assert "Items 1 to 1 were refused, and nothing of them is stored. No." in err


# --- progress --------------------------------------------------------------------------------------------------


def test_progress_is_lines_in_a_log_and_results_are_on_the_standard_output(run, file):
    code, out, err = run("upload", "students", file)

    assert (code, err.splitlines()[0]) == (0, "students: 0 of 1")
    assert "created: 1" in out.splitlines()


def test_progress_is_a_bar_on_a_terminal(command, file):
    ours, theirs = pty.openpty()
    process = subprocess.run(
        [sys.executable, "-m", "paraphe_client", "upload", "students", str(file)],
        env=command.environment,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)

    assert process.returncode == 0
    assert f"\rstudents [{'#' * 30}] 1/1" in shown
    assert shown.endswith("\r\n")


def test_a_reader_that_goes_away_is_told_in_one_line(fake, command, tmp_path):
    fake.records.update({f"2026-{number}": Document(b"") for number in range(900)})
    process = command.start("get-record-list", "--json")
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert (process.wait(timeout=60), said) == (2, "paraphe-client: nobody reads the standard output any more.\n")


# --- credentials -------------------------------------------------------------------------------------------------


def test_the_key_is_never_shown(fake, run, file):
    fake.answers["SyncStudents"] = lambda _: fault("1.1", error("CREDENTIALS_REFUSED"))
    shown = run("upload", "students", file, "--json")[1:] + run("check-connection")[1:]

    assert KEY not in "".join(shown)


# --- the package -----------------------------------------------------------------------------------------------


def test_the_client_stands_on_zeep_lxml_and_requests_alone():
    imported = set()
    for path in Path(paraphe_client.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).partition(".")[0])

    assert imported - set(sys.stdlib_module_names) == {"zeep", "lxml", "requests"}


def test_the_readme_shows_every_command():
    from paraphe_client.__main__ import _parser

    readme = (Path(__file__).parents[2] / "client" / "README.md").read_text(encoding="utf-8")
    (choices,) = (action.choices for action in _parser()._actions if isinstance(action.choices, dict))

    assert [name for name in choices if not re.search(rf"`paraphe-client {name}[ `]", readme)] == []
