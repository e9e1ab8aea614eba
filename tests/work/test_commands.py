"""Records and jobs on the command line: what an operator types, and what comes of it."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, update

from paraphe import accounts, cli, store
from paraphe.context import Ahead, Context
from paraphe.work import jobs
from paraphe.work.invoices import read_ahead, send_invoice

from ..reading.test_recognition import scan

ELEMENTS = {
    **{"invoiceNumber": "FAC-2026-041", "invoiceDate": "2026-09-30", "periodStart": "2026-09-01"},
    **{"periodEnd": "2026-09-30", "quantity": 7.5, "unit": "HOUR"},
    "trainees": [{"lastName": "Le Goff", "firstName": "Ada", "quantity": 7.5}],
}


@pytest.fixture
def paraphe(monkeypatch, tmp_path, database_url, capsys):
    """Give `paraphe(*words)`: run a command over the database of this test, and give what it wrote."""
    monkeypatch.setenv("PARAPHE_DATABASE", database_url)
    monkeypatch.setenv("PARAPHE_STORE", str(tmp_path / "archive"))

    def run(*words, code=0):
        assert cli.main(words) == code
        said = capsys.readouterr()
        return said.err if code else json.loads(said.out) if "--json" in words else said.out

    return run


@pytest.fixture
def opened(engine, archive, addresses):
    """A record of the account Centre that waits for a review, with a job in the queue."""
    now = datetime.now(UTC)
    with store.writing(engine) as connection:
        if connection.scalar(select(store.secret.c.name)) is None:  # a database that was emptied has none
            connection.execute(insert(store.secret).values(name="server", value=bytes(32)))
        account = accounts.create(connection, "Centre", "SANDBOX", "Europe/Paris", now).account
    request = {"file_name": "scan.pdf", "content": scan(), "hints": {"invoice_number": "FAC-1"}}
    arrived = read_ahead(Ahead(engine, account, now, "R-1", archive), request)
    with store.writing(engine) as connection:
        send_invoice(Context(connection, account, now, "R-1", archive, addresses), request, arrived)
    return account


def test_a_record_is_shown_with_who_did_what_to_it_when(opened, paraphe):
    shown = paraphe("record", "show", "Centre", "2026-000001", "--json")

    assert (shown["status"], shown["version"]) == ("NEEDS_REVIEW", 1)
    assert shown["invoice"] == {"invoiceNumber": "FAC-1"}
    assert [(each["event"], each["by"], each["requestId"]) for each in shown["history"]] == [
        ("CREATED", opened.api_user, "R-1"),
        ("READ", opened.api_user, "R-1"),
    ]
    assert [each["kind"] for each in shown["jobs"]] == ["RECOGNISE"]
    assert "NEEDS_REVIEW" in paraphe("record", "show", "Centre", "2026-000001")


def test_a_record_that_is_not_there_is_told_as_such(opened, paraphe):
    assert "There is no record 2026-000009" in paraphe("record", "show", "Centre", "2026-000009", code=1)


def test_an_operator_settles_a_record_and_the_history_says_so(opened, paraphe, tmp_path):
    file = tmp_path / "elements.json"
    file.write_text(json.dumps(ELEMENTS), "utf-8")

    settled = paraphe("record", "review", "Centre", "2026-000001", "--file", str(file), "--json")
    shown = paraphe("record", "show", "Centre", "2026-000001", "--json")

    assert settled["status"] == shown["status"] == "READY"
    assert shown["invoice"]["quantity"] == "7.50"
    assert (shown["history"][-1]["event"], shown["history"][-1]["by"]) == ("REVIEWED", "operator")
    assert shown["history"][-1]["before"]["invoice"] == {"invoiceNumber": "FAC-1"}


@pytest.mark.parametrize(("said", "words"), [("{", "not JSON"), ("{}", "invoiceNumber")])
def test_elements_that_do_not_settle_a_record_are_refused(opened, paraphe, tmp_path, said, words):
    file = tmp_path / "elements.json"
    file.write_text(said, "utf-8")

    assert words in paraphe("record", "review", "Centre", "2026-000001", "--file", str(file), code=1)


def test_the_queue_is_listed_and_what_failed_is_tried_anew(opened, paraphe, engine):
    assert [each["state"] for each in paraphe("jobs", "list", "--json")] == ["WAITING"]
    assert paraphe("jobs", "list", "--failed", "--json") == []
    with store.writing(engine) as connection:
        connection.execute(update(store.job).values(failed_on=datetime.now(UTC), reason="SERVER_ERROR", tries=8))

    (failed,) = paraphe("jobs", "list", "--failed", "--json")
    paraphe("jobs", "retry", str(failed["id"]))

    assert (failed["recordNumber"], failed["reason"]) == ("2026-000001", "SERVER_ERROR")
    assert "WAITING" in paraphe("jobs", "list")
    assert "among those that failed" in paraphe("jobs", "retry", str(failed["id"]), code=1)


def test_how_sure_is_sure_enough_is_set_for_an_account(opened, paraphe):
    assert paraphe("account", "set", "Centre", "--threshold", "95", "--json")["threshold"] == 95
    assert paraphe("account", "set", "Centre", "--threshold", "usual", "--json")["threshold"] is None
    assert "0 to 100" in paraphe("account", "set", "Centre", "--threshold", "101", code=1)
    assert "--threshold" in paraphe("account", "set", "Centre", code=2)


@pytest.mark.slow
def test_a_worker_does_the_jobs_of_the_queue_and_ends_when_it_is_told_to(opened, paraphe, engine):
    with store.writing(engine) as connection:  # one that can be done on any machine
        connection.execute(update(store.job).values(kind="PREPARE"))
    command = [sys.executable, "-m", "paraphe", "worker"]
    with subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "works on the queue" in running.stdout.readline()
        for _ in range(600):
            with store.reading(engine) as connection:
                left = jobs.listed(connection)
            if not left:
                break
            signal.sigtimedwait([], 0.05)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0

    assert left == []
