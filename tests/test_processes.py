"""`paraphe serve --processes 2`: one address, two processes; what becomes of callers when one of them goes."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from paraphe import accounts, migrations, store

from .faces.test_health import free_port
from .soap.house import held
from .soap.processes import PATIENCE, InThread, until
from .test_metrics import samples

pytestmark = pytest.mark.slow

STUDENT = {"reference": "STU-1", "lastName": "Exemple", "firstName": "Élève"}


class Served:
    """A server with two processes, of two threads each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        database = f"sqlite:///{folder / 'paraphe.sqlite'}"
        engine = store.open_engine(database)
        migrations.upgrade(engine)
        with store.writing(engine) as connection:
            key = accounts.create(connection, "Centre", "SANDBOX", "Europe/Paris", datetime.now(UTC))
        engine.dispose()
        self.auth = (key.api_user, key.api_key)
        self._fixed = {"database": database, "store": str(folder / "store"), "listen": "127.0.0.1:0", "processes": 2}
        self._watched = f"127.0.0.1:{free_port()}"
        self._fixed |= {"threads": 2, "metrics_listen": self._watched}
        (folder / "store").mkdir()
        self.write()
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "paraphe", "serve", "--config", str(folder / "paraphe.ini")],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout
        self.url = self.process.stdout.readline().split()[-1]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()
        print("The log:", *self.logged(), sep="\n")

    def write(self, **settings: object) -> None:
        """Write the INI file: what this server needs, and other settings."""
        lines = (f"{name} = {value}\n" for name, value in (self._fixed | settings).items())
        (self.folder / "paraphe.ini").write_text("[paraphe]\n" + "".join(lines))

    def logged(self, message: str | None = None) -> list[dict[str, Any]]:
        """The lines of the log so far; those that say `message`."""
        written = (self.folder / "log").read_text().splitlines(keepends=True)
        lines = [json.loads(line) for line in written if line.endswith("\n")]
        return [line for line in lines if message in (None, line["message"])]

    @property
    def workers(self) -> set[int]:
        """The numbers of the processes that serve, or are about to, or have just done so."""
        pid = self.process.pid
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def call(
        self, operation: str = "CheckConnection", session: requests.Session | None = None, **members: object
    ) -> requests.Response:
        """Send a message as JSON, on a connection of its own if there is no session."""
        post = session.post if session else requests.post
        return post(f"{self.url}/api/v1/{operation}", json=members, auth=self.auth, timeout=PATIENCE)

    def limit(self, name: str) -> int:
        """A limit in force, as callers are told."""
        (found,) = (limit["value"] for limit in self.call().json()["limits"] if limit["name"] == name)
        return int(found)

    @property
    def looks(self) -> int:
        """How often the parent has gone to sleep: it looks after its processes whenever it wakes up."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])

    @property
    def at_work(self) -> int:
        """How many requests are being worked on, in all processes."""
        text = requests.get(f"http://{self._watched}/metrics", timeout=PATIENCE).text
        return int(samples(text)["paraphe_requests_at_work"])

    @contextmanager
    def frozen(self, worker: int) -> Iterator[None]:
        """Have a process stand still, so that another one takes what comes."""
        os.kill(worker, signal.SIGSTOP)
        try:
            until(lambda: state_of(worker) == "T")
            yield
        finally:
            os.kill(worker, signal.SIGCONT)

    @contextmanager
    def writers_wait(self) -> Iterator[None]:
        """Hold the database, so that who writes waits."""
        with closing(sqlite3.connect(self.folder / "paraphe.sqlite", isolation_level=None, timeout=PATIENCE)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


def state_of(pid: int) -> str:
    """The state of a process as the kernel tells it, "" if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Served]]:
    """The server that was started last, if any: to start one takes longer than most tests."""
    started: list[Served] = []
    yield started
    for server in started:
        server.close()


@pytest.fixture
def server(servers: list[Served], tmp_path: Path) -> Served:
    """A server with two processes; one that was told to stop is followed by another one."""
    if not servers or servers[-1].process.poll() is not None:
        servers.append(Served(tmp_path))
    return servers[-1]


def test_each_of_the_processes_serves(server):
    for worker in sorted(server.workers):
        with server.frozen(worker):
            assert server.call().status_code == 200


def test_one_that_is_killed_is_replaced_while_the_others_answer(server):
    killed, other = sorted(server.workers)

    os.kill(killed, signal.SIGKILL)

    assert server.call().status_code == 200
    until(lambda: len(server.workers - {killed}) == 2)
    assert other in server.workers
    until(lambda: server.logged("worker ended"))
    assert [line["worker"] for line in server.logged("worker ended")][-1] == killed
    with server.frozen(other):
        assert server.call().status_code == 200


def test_loading_anew_under_load_loses_no_request_and_puts_a_changed_setting_in_force(server):
    before, stop = server.workers, threading.Event()
    statuses: list[int] = []

    def load(session):
        while not stop.is_set():
            statuses.append(server.call(session=session).status_code)

    with requests.Session() as kept:
        callers = [InThread(lambda: load(kept)), InThread(lambda: load(None))]
        server.write(element_depth=100)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: not server.workers & before)
        stop.set()
        for caller in callers:
            caller()

    assert set(statuses) == {200}
    assert server.limit("elementDepth") == 100
    assert len(server.workers) == 2
    assert server.logged("loaded anew")


def test_settings_that_are_wrong_change_nothing_and_the_log_says_why(server):
    before, depth = server.workers, server.limit("elementDepth")
    refused = len(server.logged("not loaded anew"))

    server.write(element_depth="deep")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: len(server.logged("not loaded anew")) > refused)

    (reason,) = server.logged("not loaded anew")[-1]["reasons"]
    assert reason.startswith(f"element_depth in {server.folder / 'paraphe.ini'} is 'deep'")
    assert (server.workers, server.limit("elementDepth")) == (before, depth)
    # Nor does one that takes the place of another see what is wrong.
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(server.workers - before) == 1)
    with server.frozen(max(before)):
        assert server.limit("elementDepth") == depth


def test_a_database_that_the_new_processes_cannot_use_changes_nothing_either(server):
    before, refused = server.workers, len(server.logged("not loaded anew"))

    server.write(database=f"sqlite:///{server.folder / 'other.sqlite'}")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: len(server.logged("not loaded anew")) > refused)

    (reason,) = server.logged("not loaded anew")[-1]["reasons"]
    assert reason.startswith("There is no database at")
    until(lambda: server.workers == before)
    assert server.call().status_code == 200


def test_told_to_stop_each_process_finishes_its_request_and_others_are_told_when_to_come_again(server):
    one, other = sorted(server.workers)
    slow: list[InThread] = []

    def sync(number):
        return server.call("SyncStudents", students=[STUDENT | {"reference": f"STU-{number}"}])

    with server.writers_wait():
        for number, frozen in enumerate((one, other)):
            with server.frozen(frozen):
                slow.append(InThread(partial(sync, number)))
                until(lambda: server.at_work == len(slow))
        server.process.terminate()
        for frozen in (one, other):
            with server.frozen(frozen):
                until(lambda: server.call().status_code == 503)
        refused = server.call("SyncStudents", students=[STUDENT])
        fault = requests.post(
            f"{server.url}/soap/v1", b"<nothing/>", headers={"Content-Type": "text/xml"}, timeout=PATIENCE
        )
        address = requests.get(f"{server.url}/records/x", timeout=PATIENCE)
        looks = server.looks
        until(lambda: server.looks > looks + 5)  # the parent, which has told them once, and waits
    finished = [each().json() for each in slow]

    assert [answer["returnCode"] for answer in finished] == ["200 OK"] * 2
    assert [refused.json()["errors"][0]["code"], *held(fault).codes] == ["SERVER_BUSY"] * 2
    assert [each.headers["Retry-After"] for each in (refused, fault, address)] == ["5"] * 3
    assert [each.status_code for each in (refused, fault, address)] == [503, 500, 503]
    assert server.process.wait(PATIENCE) == 0
