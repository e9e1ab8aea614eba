"""metrics.py: what is counted, in a form that Prometheus reads, and nothing of whom it was counted for."""

import os
import re
from contextlib import closing
from time import sleep

import pytest

from paraphe import contract
from paraphe.errors import Code
from paraphe.faces import http
from paraphe.metrics import SECONDS, Metrics, Shared

from .soap.cast import open_with_pdf
from .soap.conftest import house, house_of_its_own, houses, initialised  # noqa: F401 - fixtures

_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="[^"\\\n]*",?)+)\})? (-?[0-9.e+-]+|\+Inf)')


def samples(text):
    """Read the text format of Prometheus: the value of each series. Every series has its TYPE before it."""
    assert text.endswith("\n")
    found, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE")
            if word == "TYPE":
                assert rest in ("counter", "gauge", "histogram")
                assert name not in types
                types[name] = rest
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample, line
        name, labels, value = sample.groups()
        family = re.sub(r"_(bucket|sum|count)$", "", name) if name not in types else name
        assert family in types
        series = f"{name}{{{labels or ''}}}"
        assert series not in found
        found[series.replace("{}", "")] = float(value)
    return found


def message(metrics, operation="SyncStudents", seconds=0.03, face="soap", code="200 OK"):
    metrics.message(face, operation, code, seconds, (100, 50))


def test_a_message_is_counted_by_face_operation_and_return_code():
    metrics = Metrics()
    message(metrics)
    message(metrics)
    message(metrics, code="500 ERROR", face="json")

    read = samples(metrics.text())

    counted = {series: value for series, value in read.items() if series.startswith("paraphe_messages_total")}
    assert counted == {
        'paraphe_messages_total{face="soap",operation="SyncStudents",return_code="200 OK"}': 2,
        'paraphe_messages_total{face="json",operation="SyncStudents",return_code="500 ERROR"}': 1,
    }
    assert read['paraphe_bytes_total{face="soap",direction="in"}'] == 200
    assert read['paraphe_bytes_total{face="soap",direction="out"}'] == 100


def test_durations_are_counted_up_to_each_end_and_in_all():
    metrics = Metrics()
    for seconds in (0.004, 0.005, 0.0051, 0.07, 200.0):
        message(metrics, seconds=seconds)

    read = samples(metrics.text())

    def up_to(end):
        return read[f'paraphe_message_seconds_bucket{{operation="SyncStudents",le="{end}"}}']

    assert [up_to(end) for end in ("0.005", "0.01", "0.05", "0.1", "60", "+Inf")] == [2, 3, 3, 4, 4, 5]
    assert read['paraphe_message_seconds_count{operation="SyncStudents"}'] == 5
    assert read['paraphe_message_seconds_sum{operation="SyncStudents"}'] == pytest.approx(200.0841)
    assert list(SECONDS) == sorted(SECONDS)


def test_what_is_in_no_closed_list_is_counted_as_other_and_never_named():
    metrics = Metrics()
    message(metrics, operation='Evil"} 1\nx', face="fixtures")
    message(metrics, operation=None)
    metrics.errors(["NO_SUCH_CODE"])
    metrics.responded("299")

    read = samples(metrics.text())

    assert "Evil" not in metrics.text()
    assert read['paraphe_messages_total{face="other",operation="other",return_code="200 OK"}'] == 1
    assert read['paraphe_messages_total{face="soap",operation="other",return_code="200 OK"}'] == 1
    assert read['paraphe_errors_total{code="other"}'] == read['paraphe_http_responses_total{status="other"}'] == 1


def test_everything_that_the_program_gives_has_a_series_of_its_own():
    metrics = Metrics()
    metrics.errors(Code)
    for status in http._REASONS:
        metrics.responded(str(status))
    for operation in contract.operations():
        message(metrics, operation=operation)

    assert not [series for series, value in samples(metrics.text()).items() if "other" in series and value]


def test_what_alerts_ask_for_is_there_before_it_happens():
    """A series that appears with its first count has not risen, as Prometheus sees it."""
    read = samples(Metrics().text())
    for code in Code:
        assert read[f'paraphe_errors_total{{code="{code}"}}'] == 0
    assert read['paraphe_busy_total{what="database"}'] == read['paraphe_busy_total{what="archive"}'] == 0
    assert read["paraphe_failed_logins_total"] == read["paraphe_journal_rows_owed"] == 0


def test_processes_count_together_each_in_its_row():
    with os.fdopen(os.memfd_create("metrics"), "r+b") as block:
        one, other = (Metrics(Shared(block.fileno(), number, 2, since=1000.0)) for number in (0, 1))
        for metrics, owed in ((one, 3), (other, 4)):
            message(metrics)
            metrics.rows_owed(owed)

        for metrics in (one, other):
            read = samples(metrics.text())
            assert read['paraphe_messages_total{face="soap",operation="SyncStudents",return_code="200 OK"}'] == 2
            assert read["paraphe_journal_rows_owed"] == 7
            assert read["paraphe_started_seconds"] == 1000
        Metrics(Shared(block.fileno(), 1, 2, since=1000.0))  # one that takes the place of a process that died
        read = samples(one.text())
        assert read['paraphe_messages_total{face="soap",operation="SyncStudents",return_code="200 OK"}'] == 2
        assert read["paraphe_journal_rows_owed"] == 3


# In the server ---------------------------------------------------------------------------------------------------


@pytest.fixture
def counting(monkeypatch):
    """The metrics of the server that is opened next."""
    metrics = Metrics()
    monkeypatch.setattr("paraphe.app.Metrics", lambda *_: metrics)
    return metrics


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_server_counts_messages_errors_log_ins_and_documents(counting, house_of_its_own):  # noqa: F811
    caller = house_of_its_own.account()
    number = open_with_pdf(caller)
    caller.post("<GetRecord><recordNumber>2026-999999</recordNumber><format>INDEX</format></GetRecord>")
    index = caller.call("GetRecord", recordNumber=number, format="INDEX").recordIndex
    with closing(caller.session.get(index.zipUrl)) as answer:
        size = len(answer.content)
    caller.session.auth = (caller.account.api_user, "wrong")
    caller.post("<CheckConnection/>")
    house_of_its_own.settle()

    read = samples(counting.text())

    assert read['paraphe_messages_total{face="soap",operation="SendInvoice",return_code="200 OK"}'] == 1
    assert read['paraphe_messages_total{face="soap",operation="GetRecord",return_code="500 ERROR"}'] == 1
    assert read['paraphe_errors_total{code="UNKNOWN_RECORD"}'] == 1
    assert read['paraphe_errors_total{code="CREDENTIALS_REFUSED"}'] == 1
    assert read["paraphe_failed_logins_total"] == 1
    assert read['paraphe_bytes_total{face="links",direction="out"}'] == size
    assert read['paraphe_message_seconds_count{operation="SendInvoice"}'] == 1
    assert read["paraphe_journal_rows_owed"] == 0
    for personal in (caller.account.name, caller.account.api_user, number):
        assert personal not in counting.text()


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_requests_are_at_work_until_their_last_byte(counting, house_of_its_own):  # noqa: F811
    caller = house_of_its_own.account()
    caller.post("<CheckConnection/>")
    caller.session.get(f"{house_of_its_own.url}/nothing")
    caller.session.close()

    for _ in range(200):
        read = samples(counting.text())
        if read["paraphe_requests_at_work"] == 0:
            break
        sleep(0.02)  # a thread has sent the last byte, and has not said so yet

    assert read['paraphe_http_responses_total{status="404"}'] == 1
    assert read["paraphe_requests_at_work"] == 0
