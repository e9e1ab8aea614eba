"""The checker finds what it is there to find: in an honest round nothing, and everything that is planted."""

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from . import callers, diary, nodes, places, rounds, stored
from .checker import check
from .diary import Attempt
from .findings import Kind
from .repositories import REPOSITORIES
from .stored import Row, Stored

pytestmark = pytest.mark.slow

_MESSAGES = 20  # of each of the six programs


@dataclass
class Memory:
    """Files in memory, so that each test may spoil its own."""

    files: dict[str, bytes]

    def content(self, digest: str) -> bytes | None:
        return self.files.get(digest)


@dataclass
class World:
    """What was told and what is stored."""

    told: list[Attempt]
    stored: Stored
    files: dict[str, bytes]

    def kinds(self) -> set[Kind]:
        return {finding.kind for finding in check(self.told, self.stored)}

    def only(self, which: Callable[[Attempt], Any]) -> Attempt:
        """The last request of which something is so."""
        return [attempt for attempt in self.told if which(attempt)][-1]

    def again(self, first: Attempt) -> list[Attempt]:
        """All attempts to send a message."""
        alike = (first.account, first.request.get("messageId"))
        named = [each for each in self.told if (each.account, each.request.get("messageId")) == alike]
        return named if alike[1] else [first]

    def lose(self, first: Attempt) -> None:
        """Let nobody have been told what became of a message."""
        for attempt in self.again(first):
            attempt.answer = None

    def take(self, table: str, which: Callable[[Row], Any]) -> Row:
        """Take the last row of which something is so."""
        row = [row for row in self.stored[table] if which(row)][-1]
        self.stored[table].remove(row)
        return row

    def row(self, table: str, which: Callable[[Row], Any]) -> Row:
        return [row for row in self.stored[table] if which(row)][-1]

    def account(self, attempt: Attempt) -> int:
        return int(self.row("account", lambda row: row["api_user"] == attempt.account)["id"])

    def answer(self, attempt: Attempt) -> dict[str, Any]:
        assert attempt.answer is not None
        return attempt.answer


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[places.Place, bytes, dict[str, bytes]]]:
    """A server that nobody killed, after some messages of each kind: what was told and is stored, and its files."""
    folder, random = tmp_path_factory.mktemp("honest"), Random(11)
    with places.sqlite(folder) as place:
        nodes.command(place.settings, "init")
        accounts = [nodes.account(place.settings, name) for name in ("Centre A", "Centre B")]
        server = nodes.Node(nodes.free_address(Random()), place.settings, folder / "server.log")
        book = diary.Diary(folder / "diary.jsonl")
        server.start()
        try:
            for caller in rounds.programs(accounts, [server], book, callers.Traffic(), random):
                for _ in range(_MESSAGES):
                    caller.deliver(caller.writer.draw())
        finally:
            server.stop()
            book.close()
        there = stored.read(place.database, place.files)
        files = {row["sha256"]: place.files.content(row["sha256"]) or b"" for row in there["document"]}
        yield place, pickle.dumps((diary.read(folder / "diary.jsonl"), there)), files


@pytest.fixture
def world(honest: tuple[places.Place, bytes, dict[str, bytes]]) -> World:
    _, told_and_stored, files = honest
    told, there = pickle.loads(told_and_stored)
    mine = dict(files)
    return World(told, replace(there, files=Memory(mine)), mine)


def test_an_honest_server_is_found_honest(world):
    assert check(world.told, world.stored) == []
    assert {attempt.operation for attempt in world.told} >= {*REPOSITORIES, "SendInvoice", "AcknowledgeRecords"}


@pytest.mark.parametrize("first", range(5))
def test_what_was_never_answered_may_be_stored_whole(world, first):
    for attempt in world.told[first::5]:
        attempt.answer = None

    assert check(world.told, world.stored) == []


def test_what_was_never_answered_may_be_absent(world):
    lost = Attempt(10**6, world.told[0].account, "a1", "SyncStudents", {"students": _students("never", 3)})

    assert check([*world.told, lost], world.stored) == []


def test_rows_and_files_are_read_from_where_they_lie(honest, world):
    place, _, _ = honest
    digest = world.row("document", bool)["sha256"]

    assert place.files.content(digest) == world.files[digest]
    assert place.files.content("0" * 64) is None
    assert len(world.stored["record"]) > 10


# What is planted -----------------------------------------------------------------------------------------------


def _students(token: str, count: int) -> list[dict[str, Any]]:
    return [{"reference": f"{token}-{number}", "data": {"data1": token}} for number in range(count)]


def _is_active(row: Row) -> bool:
    return bool(row["active"])


def a_row_is_gone(world):
    world.take("student", _is_active)


def a_row_holds_what_it_held_before(world):
    world.row("student", _is_active).update(last_name="older", data=json.dumps({"data1": "older"}))


def a_removed_row_is_active(world):
    inactive = [row for _, table, _ in REPOSITORIES.values() for row in world.stored[table] if not row["active"]]
    inactive[-1]["active"] = 1


def a_row_is_written_in_part(world):
    world.row("student", _is_active)["last_name"] = "older"


def a_message_that_was_never_answered_is_stored_in_part(world):
    def whole(attempt: Attempt) -> bool:
        return attempt.ok and attempt.operation in REPOSITORIES and len(_own(world, attempt)) > 1

    attempt = world.only(whole)
    own = _own(world, attempt)
    world.stored[REPOSITORIES[attempt.operation][1]].remove(own[0])
    world.lose(attempt)


def _own(world: World, attempt: Attempt) -> list[Row]:
    """The rows that a message has made, and that none has changed since."""
    key, table, name = REPOSITORIES[attempt.operation]
    token = attempt.request[key][0]["data"]["data1"]
    made = {item["reference"] for item in world.answer(attempt)["items"] if item["action"] == "CREATED"}
    return [row for row in world.stored[table] if row[name] == token and row["reference"] in made]


def what_was_refused_is_stored(world):
    _store_item(world, world.only(lambda each: each.operation in REPOSITORIES and not each.ok))


def what_was_a_dry_run_is_stored(world):
    _store_item(world, world.only(lambda each: each.request.get("dryRun") and each.ok))


def _store_item(world: World, attempt: Attempt) -> None:
    key, table, name = REPOSITORIES[attempt.operation]
    token, account = attempt.request[key][0]["data"]["data1"], world.account(attempt)
    row = dict(world.stored[table][-1])
    row.update({"id": 10**6, "account_id": account, "reference": "planted", name: token, "active": 1})
    world.stored[table].append(row | {"data": json.dumps({"data1": token})})


def a_record_is_gone(world):
    record = world.take("record", bool)
    for table in ("document", "record_event"):
        world.stored[table][:] = [row for row in world.stored[table] if row["record_id"] != record["id"]]


def a_record_is_there_twice(world):
    attempt = world.only(lambda each: each.operation == "SendInvoicingInfo" and each.ok)
    account = world.row("account", lambda row: row["api_user"] == attempt.account)
    number = world.answer(attempt)["recordNumber"]
    mine = world.row("record", lambda row: (row["account_id"], row["record_number"]) == (account["id"], number))
    account["last_record"] += 1
    number = f"{number[:4]}-{account['last_record']:06}"
    world.stored["record"].append(mine | {"id": 10**6, "record_number": number})
    events = [row | {"record_id": 10**6} for row in world.stored["record_event"] if row["record_id"] == mine["id"]]
    world.stored["record_event"].extend(events)


def a_record_number_was_given_to_nobody(world):
    world.stored["account"][0]["last_record"] += 1


def a_document_is_there_twice(world):
    document = world.row("document", lambda row: row["document_type"] != "INVOICE")
    world.stored["document"].append(document | {"id": 10**6, "document_id": "another"})


def a_document_is_gone(world):
    world.take("document", bool)


def a_document_has_another_digest(world):
    first, second = world.stored["document"][:2]
    first["sha256"] = second["sha256"]


def an_event_is_gone(world):
    world.take("record_event", lambda row: row["event"] == "DOCUMENT_ADDED")


def an_event_is_of_a_refused_request(world):
    refused = world.only(lambda each: each.operation == "ReviewRecord" and not each.ok)
    world.row("record_event", bool)["request_id"] = world.answer(refused)["requestId"]


def a_review_is_gone(world):
    attempt = world.only(lambda each: each.operation == "ReviewRecord" and each.ok)
    world.row("record", lambda row: row["invoice_number"] == attempt.request["invoice"]["invoiceNumber"]).update(
        invoice_number=None, status="NEEDS_REVIEW"
    )


def a_file_is_gone(world):
    world.files.pop(world.row("document", bool)["sha256"])


def a_file_is_cut(world):
    digest = world.row("document", bool)["sha256"]
    world.files[digest] = world.files[digest][:-1]


def a_file_has_a_flipped_bit(world):
    digest = world.row("document", bool)["sha256"]
    world.files[digest] = bytes([world.files[digest][0] ^ 1]) + world.files[digest][1:]


def a_count_is_wrong(world):
    world.answer(world.only(lambda each: each.operation == "SyncStudents" and each.ok))["updated"] += 1


def a_message_sent_again_was_worked_on_again(world):
    world.answer(world.only(lambda each: each.duplicate))["duplicate"] = False


def a_message_sent_again_was_answered_otherwise(world):
    world.answer(world.only(lambda each: each.duplicate))["message"] = "Something else."


def a_first_message_was_called_a_duplicate(world):
    world.answer(world.only(lambda each: each.ok and each.message_id and not each.duplicate))["duplicate"] = True


def an_acknowledged_record_is_to_be_extracted(world):
    world.row("record", lambda row: not row["to_extract"]).update(to_extract=1, extracted_version=None)


def an_acknowledgement_nobody_was_told_of_is_stored_in_part(world):
    attempt = world.only(
        lambda each: each.operation == "AcknowledgeRecords" and each.ok and each.answer["acknowledged"] > 1
    )
    number = world.answer(attempt)["requestId"]
    mark = world.take("record_event", lambda row: row["request_id"] == number)
    world.row("record", lambda row: row["id"] == mark["record_id"]).update(to_extract=1, extracted_version=None)
    world.lose(attempt)


def the_journal_lacks_a_success(world):
    world.take("journal", lambda row: row["return_code"] == "200 OK")


def the_journal_says_otherwise(world):
    world.row("journal", lambda row: row["return_code"] == "200 OK")["return_code"] = "500 ERROR"


def the_journal_tells_of_what_nobody_sent(world):
    row = world.row("journal", lambda row: row["return_code"] == "200 OK" and row["message_id"] is None)
    world.stored["journal"].append(row | {"request_id": "another"})


def the_journal_tells_that_a_message_was_worked_on_twice(world):
    row = world.row("journal", lambda row: row["message_id"] and row["return_code"] == "200 OK")
    world.stored["journal"].append(row | {"request_id": "another", "duplicate": 0})


def a_message_is_not_remembered(world):
    world.take("message", bool)


def a_refused_message_is_remembered(world):
    def refused(attempt: Attempt) -> bool:
        return bool(attempt.message_id) and not any(each.ok for each in world.again(attempt))

    attempt = world.only(refused)
    row = world.stored["message"][0] | {"message_id": attempt.message_id, "account_id": world.account(attempt)}
    world.stored["message"].append(row)


def the_database_is_damaged(world):
    world.stored.damage.append("row 1 missing from index")


PLANTED: dict[Callable[[World], None], Kind] = {
    a_row_is_gone: Kind.LOSS,
    a_row_holds_what_it_held_before: Kind.LOSS,
    a_removed_row_is_active: Kind.LOSS,
    a_row_is_written_in_part: Kind.HALF,
    a_message_that_was_never_answered_is_stored_in_part: Kind.HALF,
    what_was_refused_is_stored: Kind.REMNANT,
    what_was_a_dry_run_is_stored: Kind.REMNANT,
    a_record_is_gone: Kind.LOSS,
    a_record_is_there_twice: Kind.DOUBLE,
    a_record_number_was_given_to_nobody: Kind.LOSS,
    a_document_is_there_twice: Kind.DOUBLE,
    a_document_is_gone: Kind.LOSS,
    a_document_has_another_digest: Kind.LOSS,
    an_event_is_gone: Kind.HALF,
    an_event_is_of_a_refused_request: Kind.REMNANT,
    a_review_is_gone: Kind.LOSS,
    a_file_is_gone: Kind.DIGEST,
    a_file_is_cut: Kind.DIGEST,
    a_file_has_a_flipped_bit: Kind.DIGEST,
    a_count_is_wrong: Kind.ANSWER,
    a_message_sent_again_was_worked_on_again: Kind.DOUBLE,
    a_message_sent_again_was_answered_otherwise: Kind.ANSWER,
    a_first_message_was_called_a_duplicate: Kind.ANSWER,
    an_acknowledged_record_is_to_be_extracted: Kind.HALF,
    an_acknowledgement_nobody_was_told_of_is_stored_in_part: Kind.HALF,
    the_journal_lacks_a_success: Kind.JOURNAL,
    the_journal_says_otherwise: Kind.JOURNAL,
    the_journal_tells_of_what_nobody_sent: Kind.JOURNAL,
    the_journal_tells_that_a_message_was_worked_on_twice: Kind.DOUBLE,
    a_message_is_not_remembered: Kind.LOSS,
    a_refused_message_is_remembered: Kind.REMNANT,
    the_database_is_damaged: Kind.DAMAGE,
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_it_finds_that(world, plant):
    plant(world)

    assert PLANTED[plant] in world.kinds()
