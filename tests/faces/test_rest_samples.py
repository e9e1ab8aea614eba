"""What the documentation shows works: the requests of docs/paraphe.http, the tables and the answer of docs/json.md."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from paraphe import contract, store
from paraphe.faces.rest.status import STATUSES

from .plain import fixture, one_database

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "json.md").read_text(encoding="utf-8")
_REQUEST = re.compile(r"^POST \{\{host\}\}/api/v1/(\w+)\n(.*?)\n\n(.*)\Z", re.DOTALL | re.MULTILINE)


def samples():
    """The requests of the file: operation, headers, body."""
    text = (DOCS / "paraphe.http").read_text(encoding="utf-8")
    for part in re.split(r"^###.*\n", text, flags=re.MULTILINE)[1:]:
        ((name, headers, body),) = _REQUEST.findall(part)
        yield name, dict(line.split(": ", 1) for line in headers.splitlines()), body


@one_database
def test_every_request_of_the_http_file_is_taken(caller):
    values = {"key": caller.soap.api_key, "record": "none so far"}
    sent = []

    for name, headers, body in samples():
        headers["Authorization"] = headers["Authorization"].replace("{{key}}", values["key"])
        caller.session.headers["Authorization"] = headers["Authorization"]
        message = body.replace("{{record}}", values["record"]).encode()
        answer = caller.send(name, message, headers["Content-Type"])
        assert answer.ok, answer.said
        sent.append(name)
        if name == "SendInvoice":
            values["record"] = answer.said["recordNumber"]

    assert list(dict.fromkeys(sent)) == sorted(contract.operations(), key=sent.index)


def test_the_table_of_statuses_is_the_one_in_force():
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", PAGE, re.MULTILINE)

    written = {int(status): re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", codes) for status, codes in rows}

    assert set(written) == {200, *STATUSES}
    for status in set(STATUSES) - {422}:
        assert written[status] == list(STATUSES[status])


@one_database
def test_the_refusal_on_the_page_is_what_the_server_answers(caller):
    (shown,) = (json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
    students: list[dict[str, Any]] = [
        {"reference": f"STU-{number:04}", "lastName": "A", "firstName": "B"} for number in range(1, 18)
    ]
    students[16]["address"] = {"zipcode": 44000}

    answer = caller.json("SyncStudents", {"students": students})

    assert answer.said == {**shown, "requestId": answer.said["requestId"]}


@one_database
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_commands_on_the_page_work_as_they_stand(caller, tmp_path):
    (tmp_path / "students.xml").write_bytes(etree.tostring(fixture("SyncStudents"), encoding="ISO-8859-1"))
    known = {"API_KEY": caller.soap.api_key, "API_USER": caller.soap.account.api_user}
    commands = [block for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if "curl" in block]

    for command in commands:
        here = command.replace("http://127.0.0.1:8080", caller.house.url)
        how = {"cwd": tmp_path, "env": os.environ | known, "timeout": 60}
        run = subprocess.run(["sh", "-c", here], **how, capture_output=True, text=True)
        assert "200 OK" in run.stdout, run

    assert len(commands) == 2
    assert caller.house.count(store.student, caller.soap.account) > 1
