"""Health, readiness and metrics: told to machines without credentials, and without a reason."""

import http.client
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
import requests

from paraphe import settings, store
from paraphe.app import Watched
from paraphe.archive import Folder, Unavailable
from paraphe.faces import health
from paraphe.serve import CannotListen, beside
from paraphe.work import filing, jobs

from ..soap.processes import PATIENCE, until

METRICS = "text/plain; version=0.0.4; charset=utf-8"


@pytest.fixture
def database_url(database, tmp_path):
    """A database of SQLite: what is tested here is the same for both."""
    with database("sqlite", tmp_path) as url:
        yield url


@pytest.fixture
def no_patience(monkeypatch):
    """Every question is looked into."""
    monkeypatch.setattr(health, "FRESH", 0.0)


@pytest.fixture
def watched(engine, archive):
    return Watched.of(engine, archive)


def free_port():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def address(watched):
    """A running address for those who watch."""
    listen = f"127.0.0.1:{free_port()}"
    with beside(watched.application, settings.read({"metrics_listen": listen})):
        yield f"http://{listen}"


def asked(url, method="GET"):
    answer = requests.request(method, url, timeout=PATIENCE)
    return answer.status_code, answer.text


# The three addresses ---------------------------------------------------------------------------------------------


def test_a_server_that_is_well_says_so_and_nothing_else(address):
    assert asked(f"{address}/healthz") == (200, "alive\n")
    assert asked(f"{address}/readyz") == (200, "ready\n")


def test_the_metrics_are_text_that_prometheus_reads(address):
    answer = requests.get(f"{address}/metrics", timeout=PATIENCE)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, METRICS)
    assert "paraphe_messages_total" in answer.text


def test_the_address_for_who_watches_takes_questions_alone(address):
    assert asked(f"{address}/metrics", "HEAD") == (200, "")
    assert asked(f"{address}/metrics", "POST")[0] == 405
    assert asked(f"{address}/soap/v1", "POST")[0] == asked(f"{address}/")[0] == 404


def test_without_an_address_nobody_listens():
    read = settings.read()
    assert read.metrics_listen is None
    threads = threading.active_count()
    with beside(lambda environ, start: [], read):
        assert threading.active_count() == threads


# Readiness -------------------------------------------------------------------------------------------------------


def test_a_store_that_cannot_be_written_makes_it_not_ready_until_it_can(watched, archive, no_patience, caplog):
    caplog.set_level(logging.INFO, "paraphe.health")
    ready = watched.health.is_ready
    assert ready()
    folder = archive._root
    folder.rename(folder.with_name("away"))
    folder.write_text("")

    assert not ready()
    assert not ready()
    folder.unlink()
    folder.with_name("away").rename(folder)
    assert ready()

    assert [record.getMessage() for record in caplog.records] == ["not ready", "ready again"]


def test_a_database_of_another_version_makes_it_not_ready(watched, engine, no_patience):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert not watched.health.is_ready()
    assert asked_directly(watched, "/readyz")[0].startswith("503")
    assert asked_directly(watched, "/healthz")[0].startswith("200")


def asked_directly(watched, path):
    said = []
    body = watched.application({"PATH_INFO": path, "REQUEST_METHOD": "GET"}, lambda status, _: said.append(status))
    return said[0], b"".join(body)


def queued(watched):
    _, text = asked_directly(watched, "/metrics")
    return re.findall(r"^paraphe_jobs\S* \S+$", text.decode(), re.MULTILINE)


def test_the_metrics_tell_how_much_there_is_in_the_queue(watched, engine, context, account):
    with store.writing(engine) as connection:
        message = context(connection)
        record = filing.create(message, {}, "READY").record_id
        jobs.enqueue(message, jobs.Kind.JOIN, record, record)

    *states, late = queued(watched)

    waiting, running, failed = (f'paraphe_jobs{{state="{state}"}}' for state in ("waiting", "running", "failed"))
    assert states == [f"{waiting} 2", f"{running} 0", f"{failed} 0"]
    assert float(late.removeprefix("paraphe_jobs_late_seconds ")) > 0


def test_a_database_that_is_away_costs_the_figures_of_the_queue_alone(watched, engine, monkeypatch):
    monkeypatch.setattr(jobs, "figures", _busy)

    assert queued(watched) == []
    assert asked_directly(watched, "/metrics")[0].startswith("200")


def _busy(*_):
    raise store.Busy("OperationalError")


def test_a_server_that_is_told_to_stop_is_ready_no_more(watched):
    assert watched.health.is_ready()
    watched.health.stop()
    assert not watched.health.is_ready()


def test_many_who_ask_at_once_cost_one_look(engine, tmp_path):
    looks = []

    class Counted(Folder):
        def check(self):
            looks.append(1)

    well = health.Health(engine, Counted(tmp_path))
    assert all(well.is_ready() for _ in range(50))
    assert len(looks) == 1


def test_a_look_that_takes_too_long_counts_as_not_ready(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(health, "LONGEST_LOOK", 0.0)
    began, go_on = threading.Event(), threading.Event()

    class Slow(Folder):
        def check(self):
            began.set()
            go_on.wait(PATIENCE)

    slow = health.Health(engine, Slow(tmp_path))
    first = threading.Thread(target=slow.is_ready)
    first.start()
    try:
        assert began.wait(PATIENCE)
        assert not slow.is_ready()
    finally:
        go_on.set()
        first.join()
    assert slow.is_ready()


def test_what_hinders_it_is_not_told(engine, tmp_path):
    class Broken(Folder):
        def check(self):
            raise Unavailable("The bucket secret-name refuses these credentials.")

    told = asked_directly(Watched.of(engine, Broken(tmp_path)), "/readyz")
    assert told == ("503 Service Unavailable", b"not ready\n")


# The whole server ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_whole_server_tells_health_at_both_addresses_and_metrics_at_one(database_url, tmp_path):
    listen = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "paraphe", "serve", "--listen", "127.0.0.1:0", "--metrics-listen", listen]
    command += ["--database", database_url, "--store", str(tmp_path / "store")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            url = server.stdout.readline().split()[-1]
            for place in (url, f"http://{listen}"):
                assert asked(f"{place}/healthz") == (200, "alive\n")
                assert asked(f"{place}/readyz") == (200, "ready\n")
                assert asked(f"{place}/readyz", "HEAD") == (200, "")
            assert asked(f"{url}/metrics")[0] == 404
            assert asked(f"{url}/readyz", "POST")[0] == 405
            _, text = asked(f"http://{listen}/metrics")
            assert 'paraphe_http_responses_total{status="404"} 1' in text
            assert "paraphe_requests_at_work 0" in text

            with closing(http.client.HTTPConnection(url.removeprefix("http://"))) as unfinished:
                unfinished.putrequest("POST", "/soap/v1")
                unfinished.putheader("Content-Length", "10")
                unfinished.endheaders(b"<")
                until(lambda: is_connected(url))
                server.send_signal(signal.SIGTERM)
                # While it waits for the rest of that message, it takes no others and says so.
                until(lambda: asked(f"http://{listen}/readyz")[0] == 503)
                assert asked(f"http://{listen}/healthz")[0] == 200
            assert server.wait(PATIENCE) == 0
        finally:
            server.kill()


def is_connected(url):
    """Say whether the system has a connection to the port of a URL that is established."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(line[1].endswith(port) and line[3] == "01" for line in lines)


def test_an_address_that_is_taken_is_told():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        read = settings.read({"metrics_listen": f"127.0.0.1:{taken.getsockname()[1]}"})
        with pytest.raises(CannotListen, match="cannot listen"), beside(lambda environ, start: [], read):
            pass
