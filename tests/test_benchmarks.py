"""The benchmark compares like with like: all servers make the same of a message. Nothing is timed here."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from benchmarks import load, measure, messages, processes, product, tree, wsgi
from benchmarks.grown import Size
from benchmarks.grown_house import House
from benchmarks.grown_workloads import WORKLOADS
from benchmarks.relay import relayed
from benchmarks.servers import __main__ as servers
from benchmarks.servers import goal, workloads
from benchmarks.servers.measure import Figures
from benchmarks.servers.running import Missing
from benchmarks.wsgi import Answer
from lxml import etree
from sqlalchemy import Engine, text

from paraphe import app, contract, settings, store
from paraphe.serve import Server, running

LISTED = 7


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bytes], dict[str, Answer]]]:
    """Send a message to all three servers; give each one's answer by its name."""
    with measure.running(tmp_path_factory.mktemp("servers"), listed=LISTED) as servers:
        yield lambda body: {name: send(body) for name, send in servers.items()}


@pytest.mark.slow
def test_all_three_count_the_same_for_new_changed_and_unchanged_students(ask):
    for changed, (created, updated, unchanged) in ((False, (5, 0, 0)), (True, (0, 5, 0)), (True, (0, 0, 5))):
        answers = ask(messages.sync_students(f"M-{created}{updated}{unchanged}", "count", range(5), changed=changed))

        counts = {"records": 0, "received": 5, "created": created, "updated": updated, "unchanged": unchanged}
        assert [messages.told(answer.body) for answer in answers.values()] == [counts] * 3


@pytest.mark.slow
def test_of_a_mixed_message_each_item_is_told_by_the_product_and_by_plain_spyne(ask):
    ask(messages.sync_students("M-few", "mixed", range(2)))
    answers = ask(messages.sync_students("M-more", "mixed", range(5)))

    assert messages.told(answers["floor"].body) == messages.told(answers["product"].body)
    for name in ("product", "plain_spyne"):
        assert [answers[name].body.count(f"action>{action}<".encode()) for action in ("CREATED", "UNCHANGED")] == [3, 2]


@pytest.mark.slow
def test_all_three_list_the_same_records(ask):
    answers = ask(messages.get_record_list())

    for answer in answers.values():
        assert messages.told(answer.body) == {"records": LISTED}
        assert answer.body.count(b"Url>http://127.0.0.1:8080/records/") == 2 * LISTED


def test_all_three_take_the_first_call(ask):
    assert {answer.status for answer in ask(messages.check_connection()).values()} == {"200 OK"}


def test_what_the_servers_disagree_on_is_not_measured():
    one, other = (Answer("200 OK", f"<a><created>{count}</created></a>".encode(), 0.001) for count in (1, 2))

    with pytest.raises(measure.Disagreement, match=r"SyncStudents 1, new: .*'created': 1.*'created': 2"):
        measure.check_agreement("SyncStudents 1, new", {"product": [one], "floor": [other]})


# Callers over HTTP


def test_callers_send_their_requests_in_turn_each_with_a_number_of_its_own():
    seen: list[bytes] = []

    def application(environ, start):
        seen.append(environ["wsgi.input"].read())
        start("200 OK", [("Content-Length", "3000000")])
        return [bytes(3_000_000)]

    with running(Server(lambda _: application, settings.read({"listen": "127.0.0.1:0"}))) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        bodies = (b"a" + load.NUMBER, b"b" + load.NUMBER)
        requests = tuple(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies
        )
        callers = [load.Caller(requests), load.Caller(requests, counts=False)]
        done = load.call(address, callers, seconds=0.3, first_number=100)

    assert len(set(seen)) == len(seen)
    assert b"a0000000101" in seen
    assert {body[:1] for body in seen[:4]} == {b"a", b"b"}
    assert 0 < len(done.latencies) < len(seen)
    assert done.seconds >= 0.3


def test_a_refusal_is_not_measured():
    def application(environ, start):
        start("503 Service Unavailable", [("Content-Length", "0")])
        return []

    with running(Server(lambda _: application, settings.read({"listen": "127.0.0.1:0"}))) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with pytest.raises(load.Refused, match="503"):
            load.call(address, [load.Caller((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",))], seconds=5, first_number=0)


def test_every_workload_is_called_by_one_and_by_eight():
    callers: dict[str, list[int]] = {}
    for each in processes.workloads():
        callers.setdefault(each.name, []).append(each.callers)

    assert list(callers.values()) == [[1, 8]] * 5 + [[1]]


# Databases that have grown


@pytest.mark.slow
def test_a_grown_database_holds_what_its_messages_ask_for(tmp_path):
    house = House.build(f"sqlite:///{tmp_path / 'grown.sqlite'}", tmp_path, Size(10_000, 40_000), datetime.now(UTC))
    # Each is sent three times, and a name opens and closes.
    answered = {each.name: house.cost(each, 0)[0] / 6 for each in WORKLOADS if each.name.startswith("GetRecordList")}
    house.engine.dispose()

    assert answered["GetRecordList 1000, cursor in the middle"] == 1000
    assert answered["GetRecordList 900, createdFrom lately"] == 900
    assert answered["GetRecordList, all extracted but 10"] == 10
    assert answered["GetRecordList of an invoice number (1)"] == 1


# Other servers, over HTTP


@pytest.mark.slow
def test_paraphe_plain_spyne_and_the_floor_are_measured_in_one_run(tmp_path):
    result = servers.run(["Paraphe", "plain Spyne", "floor"], tmp_path, short=True)

    assert not result.missing
    shared = ["CheckConnection", "SyncStudents 1, new", "SyncStudents 100, unchanged", "GetRecordList 1000"]
    for workload in [*shared, "SendInvoice 1 MB, stored"]:
        assert set(result.alone[workload]) == {"Paraphe", "plain Spyne", "floor"}
        assert all(each.cpu[0] > 0 for each in result.alone[workload].values())
    assert set(result.alone["GetSignatureList 1000 with images"]) == {"Paraphe"}
    assert {(row[0], row[1]) for row in goal.judged(result.alone)} >= {("GetRecordList 1000", "plain Spyne")}


def test_a_server_that_is_not_installed_is_left_out_and_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    result = servers.run(["gSOAP"], tmp_path, short=True)

    assert result.missing == {"gSOAP": "wsdl2h"}
    assert result.alone == {}


def test_an_answer_that_does_not_say_what_it_must_stops_the_run():
    def application(environ, start):
        start("200 OK", [("Content-Length", "18")])
        return [b"<created>0</create"]

    with running(Server(lambda _: application, settings.read({"listen": "127.0.0.1:0"}))) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        caller = load.Caller((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",), told=((b"created>1<", 1),))
        with pytest.raises(load.Refused, match="Not 1 times created>1<"):
            load.call(address, [caller], seconds=5, first_number=0)


def test_an_aim_holds_only_if_it_holds_for_new_changed_and_unchanged_items():
    def found(ours: float, other: float) -> dict[str, Figures]:
        return {"Paraphe": Figures(cpu=[ours]), "plain Spyne": Figures(cpu=[other])}

    states = {"new": 25.0, "changed": 25.0, "unchanged": 23.9}
    rows = list(goal.judged({f"SyncStudents 1, {state}": found(10, other) for state, other in states.items()}))

    assert rows == [
        (
            "SyncStudents 1",
            "plain Spyne",
            "≥ 2.5 times less",
            "2.5 times less / 2.5 times less / 2.4 times less",
            "**no**",
        )
    ]


def test_the_cpu_of_a_server_holds_that_of_what_it_started_and_of_what_has_ended_there():
    work = "import time\nwhile time.process_time() < 0.2: pass\n"
    # One that ends, then one that still runs.
    script = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {work!r}])
subprocess.run([sys.executable, "-c", {work!r} + "print('done', flush=True); input()"])
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"done\n"
        spent = tree.cpu(process.pid)
        process.communicate(b"\n")

    assert spent > 0.35


@pytest.fixture
def round_trips(
    postgresql_server: Callable[[str], str], postgresql_admin: Engine, tmp_path: Path
) -> Iterator[Callable[[bytes], int]]:
    """Send a message to the product on PostgreSQL; give how often it asked the database and waited for the answer."""
    name = f"relayed_{os.getpid()}"
    with postgresql_admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    with relayed(postgresql_server(name)) as (url, relay):
        installed = product.install(tmp_path, messages.records(LISTED), url)
        with store.Later(installed.engine) as later:
            application = app.application(installed.engine, installed.archive, installed.settings, later)
            served = wsgi.Served(
                application, {"HTTP_AUTHORIZATION": product.basic(installed.api_user, installed.api_key)}
            )

            def count(body: bytes) -> int:
                before = relay.round_trips
                assert wsgi.post(served, body).status == "200 OK"
                assert later.settle(60)
                return relay.round_trips - before

            count(messages.check_connection())  # that the key was used is written down once a day
            yield count
        installed.engine.dispose()


@pytest.mark.slow
def test_on_postgresql_a_message_takes_as_many_round_trips_whatever_the_number_of_its_items(round_trips):
    def least(size, state):
        # Now and then the server asks something in between, for itself.
        changed = state != "new"
        sent = (
            messages.sync_students(f"{state}-{size}-{turn}", f"S{size}-{turn}", range(size), changed=changed)
            for turn in range(3)
        )
        return min(map(round_trips, sent))

    for state in ("new", "changed", "unchanged"):
        assert least(2, state) == least(100, state) == least(1000, state)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain Spyne", "PHP", "Java", "node", "gSOAP"])
def test_another_server_keeps_the_contract_for_its_four_operations(name, tmp_path):
    valid = etree.XMLSchema(contract.schema())
    sent = (
        messages.check_connection(),
        messages.sync_students("M-1", "A", range(3)),
        messages.get_record_list(),
        workloads.stored().bodies(0)[0].replace(load.NUMBER, b"0123456789"),
    )
    wrong = sent[1].replace(b"<city>", b"<city>" + b"x" * 101)
    try:
        with servers.SERVERS[name](tmp_path) as server:
            url, head = f"http://127.0.0.1:{server.port}/soap/v1", {"Content-Type": "text/xml; charset=utf-8"}
            *answers, refusal = (requests.post(url, body, headers=head, timeout=60) for body in (*sent, wrong))
    except Missing as missing:
        pytest.skip(f"{missing} is not installed")

    for answer in answers:
        assert answer.status_code == 200
        (payload,) = etree.fromstring(answer.content).iterchildren("{*}Body")
        valid.assertValid(payload[0])
    counted = {"received": 3, "created": 3, "updated": 0, "unchanged": 0}
    assert messages.told(answers[1].content) == {"records": 0, **counted}
    assert (refusal.status_code == 200) == (name == "node")
    assert [each.stat().st_size for each in (tmp_path / "store").iterdir()] == [1_000_000]
