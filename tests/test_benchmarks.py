"""The benchmark compares like with like: three servers make the same of a message. Nothing is timed here."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from benchmarks import load, measure, messages, processes
from benchmarks.grown import Size
from benchmarks.grown_house import House
from benchmarks.grown_workloads import WORKLOADS
from benchmarks.wsgi import Answer

from paraphe import settings
from paraphe.serve import Server, running

LISTED = 7


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bytes], dict[str, Answer]]]:
    """Send a message to all three servers; give each one's answer by its name."""
    with measure.running(tmp_path_factory.mktemp("servers"), listed=LISTED) as servers:
        yield lambda body: {name: send([body])[0] for name, send in servers.items()}


def test_all_three_count_the_same_for_new_changed_and_unchanged_students(ask):
    for changed, (created, updated, unchanged) in ((False, (5, 0, 0)), (True, (0, 5, 0)), (True, (0, 0, 5))):
        answers = ask(messages.sync_students(f"M-{created}{updated}{unchanged}", "count", range(5), changed=changed))

        counts = {"records": 0, "received": 5, "created": created, "updated": updated, "unchanged": unchanged}
        assert [messages.told(answer.body) for answer in answers.values()] == [counts] * 3


def test_of_a_mixed_message_each_item_is_told_by_the_product_and_by_plain_spyne(ask):
    ask(messages.sync_students("M-few", "mixed", range(2)))
    answers = ask(messages.sync_students("M-more", "mixed", range(5)))

    assert messages.told(answers["floor"].body) == messages.told(answers["product"].body)
    for name in ("product", "plain_spyne"):
        assert [answers[name].body.count(f"action>{action}<".encode()) for action in ("CREATED", "UNCHANGED")] == [3, 2]


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


def test_a_grown_database_holds_what_its_messages_ask_for(tmp_path):
    house = House.build(f"sqlite:///{tmp_path / 'grown.sqlite'}", tmp_path, Size(10_000, 40_000), datetime.now(UTC))
    # Each is sent three times, and a name opens and closes.
    answered = {each.name: house.cost(each, 0)[0] / 6 for each in WORKLOADS if each.name.startswith("GetRecordList")}
    house.engine.dispose()

    assert answered["GetRecordList 1000, cursor in the middle"] == 1000
    assert answered["GetRecordList 900, createdFrom lately"] == 900
    assert answered["GetRecordList, all extracted but 10"] == 10
    assert answered["GetRecordList of an invoice number (1)"] == 1
