"""The checker's part for records, their documents and their history."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from .diary import Attempt
from .findings import Finding, Kind
from .stored import Row, Stored

_CHANGES = ("DOCUMENT_ADDED", "REVIEWED")
_ENDINGS = ("ACKNOWLEDGED", "EXTRACTED")
_CHANGING = {"AddSimpleInvoice", "AddSimpleDocument", "ReviewRecord"}


def check(diary: Sequence[Attempt], stored: Stored, account: int) -> Iterator[Finding]:
    """Return what is wrong with the records of one account."""
    shelf = _Shelf(stored, account)
    yield from _numbers(stored, shelf, account)
    for record in shelf.records.values():
        yield from _whole(record, shelf)
        yield from _files(shelf.documents[record["id"]], stored)
    yield from _sent(diary, shelf)
    yield from _history(diary, shelf)
    yield from _acknowledged(diary, shelf)
    yield from _to_extract(diary, shelf)


class _Shelf:
    """The records of an account by number, with their documents and events by the record's id."""

    def __init__(self, stored: Stored, account: int) -> None:
        def mine(table: str) -> list[Row]:
            return [row for row in stored[table] if row["account_id"] == account]

        self.rows = mine("record")
        self.records = {row["record_number"]: row for row in self.rows}
        self.documents = _by_record(mine("document"))
        self.events = _by_record(mine("record_event"))


def _by_record(rows: Sequence[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["record_id"]].append(row)
    return found


# A record by itself --------------------------------------------------------------------------------------------


def _numbers(stored: Stored, shelf: _Shelf, account: int) -> Iterator[Finding]:
    (last,) = [row["last_record"] for row in stored["account"] if row["id"] == account]
    given = [int(row["record_number"].partition("-")[2]) for row in shelf.rows]
    if len(given) > len(set(given)):
        yield Finding(Kind.DOUBLE, "A record number was given twice.")
    if missing := sorted(set(range(1, last + 1)) - set(given)):
        yield Finding(Kind.LOSS, f"Records {missing} of {last} are not there.")
    if beyond := sorted(number for number in given if number > last):
        yield Finding(Kind.REMNANT, f"Records {beyond} are beyond the account's count of {last}.")


def _whole(record: Row, shelf: _Shelf) -> Iterator[Finding]:
    """The row, the documents and the history of a record must tell the same."""
    number, documents, events = record["record_number"], shelf.documents[record["id"]], shelf.events[record["id"]]
    kinds = Counter(event["event"] for event in events)
    opened_with = sum(document["document_type"] == "INVOICE" for document in documents)
    told = {
        "version": 1 + sum(kinds[kind] for kind in _CHANGES),
        "document_count": len(documents),
        "size_bytes": sum(document["size_bytes"] for document in documents),
    }
    for name, value in told.items():
        if record[name] != value:
            yield Finding(Kind.HALF, f"Record {number} says {name} {record[name]}, its parts say {value}.")
    if kinds["CREATED"] != 1 or len(documents) != opened_with + kinds["DOCUMENT_ADDED"] or opened_with > 1:
        yield Finding(Kind.HALF, f"Record {number} has {len(documents)} documents and the history {dict(kinds)}.")
    versions = [json.loads(event["before"])["version"] for event in events if event["event"] in _CHANGES]
    if versions != list(range(1, len(versions) + 1)):
        yield Finding(Kind.HALF, f"The history of record {number} goes through the versions {versions}.")
    ended = (record["extracted_version"] or 0) >= record["version"]
    if ended == bool(record["to_extract"]) or ended != _ended(events):
        yield Finding(Kind.HALF, f"Record {number} and its history do not agree on whether it is to be extracted.")


def _ended(events: Sequence[Row]) -> bool:
    return bool(events) and events[-1]["event"] in _ENDINGS


def _files(documents: Sequence[Row], stored: Stored) -> Iterator[Finding]:
    for document in documents:
        content = stored.files.content(document["sha256"])
        if content is None:
            yield Finding(Kind.DIGEST, f"The file of document {document['file_name']} is not there.")
        elif hashlib.sha256(content).hexdigest() != document["sha256"] or len(content) != document["size_bytes"]:
            yield Finding(Kind.DIGEST, f"The file of document {document['file_name']} is not what was sent.")


# What was sent, and what is there ------------------------------------------------------------------------------


def token_of(attempt: Attempt) -> str | None:
    """Return the name that only this message has, and that it leaves in what it stores."""
    request = attempt.request
    if "fileName" in request:
        return str(request["fileName"])
    return str(request["invoice"]["invoiceNumber"]) if "invoice" in request else None


def _sent(diary: Sequence[Attempt], shelf: _Shelf) -> Iterator[Finding]:
    """Compare how often each message is stored with how often it was told, and may untold, have been stored."""
    there = Counter(document["file_name"] for rows in shelf.documents.values() for document in rows)
    there += Counter(row["invoice_number"] for row in shelf.rows if _names_its_message(row, shelf))
    messages: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in diary:
        if (token := token_of(attempt)) is not None:
            messages[token].append(attempt)
    for token, attempts in messages.items():
        yield from _counted(token, attempts, there.pop(token, 0))
        for attempt in attempts:
            if attempt.ok:
                yield from _as_answered(token, attempt, shelf)
    for token in there:
        yield Finding(Kind.REMNANT, f"{token} is stored, and nobody sent it.")


def _names_its_message(record: Row, shelf: _Shelf) -> bool:
    """A record that SendInvoice opened is known by its document, until a review gives it a number."""
    kinds = [event["event"] for event in shelf.events[record["id"]]]
    by_invoice = any(document["document_type"] == "INVOICE" for document in shelf.documents[record["id"]])
    return not by_invoice or "REVIEWED" in kinds


def _counted(token: str, attempts: Sequence[Attempt], found: int) -> Iterator[Finding]:
    told, lost = sum(attempt.ok for attempt in attempts), sum(attempt.lost for attempt in attempts)
    least, most = told, told + lost
    if attempts[0].message_id is not None:
        least, most = min(told, 1), min(told + lost, 1)
    if found < least:
        yield Finding(Kind.LOSS, f"{token} is stored {found} times, and was answered with 200 OK: {attempts[-1]}.")
    if found > most:
        kind = Kind.DOUBLE if most else Kind.REMNANT
        yield Finding(kind, f"{token} is stored {found} times, {most} at most were to be: {attempts[-1]}.")


def _as_answered(token: str, attempt: Attempt, shelf: _Shelf) -> Iterator[Finding]:
    request, answer = attempt.request, attempt.answer or {}
    number = request.get("recordNumber") or answer["recordNumber"]
    record = shelf.records.get(number)
    if record is None:
        yield Finding(Kind.LOSS, f"The record {number} of {attempt} is not there.")
        return
    if "content" in request:
        named = [row for row in shelf.documents[record["id"]] if row["document_id"] == answer["documentId"]]
        expected = [(token, request["content"]["sha256"], request["content"]["sizeBytes"])]
        if [(row["file_name"], row["sha256"], row["size_bytes"]) for row in named] != expected:
            yield Finding(Kind.LOSS, f"The document of {attempt} is not in record {number}, or is another one.")
    elif (record["invoice_number"], record["status"]) != (token, "READY"):
        yield Finding(Kind.LOSS, f"Record {number} does not hold what {attempt} sent.")


def _history(diary: Sequence[Attempt], shelf: _Shelf) -> Iterator[Finding]:
    """No event bears the number of a request that was refused, or was answered as a duplicate."""
    idle = {
        attempt.answer["requestId"]: attempt
        for attempt in diary
        if attempt.answer is not None and (not attempt.ok or attempt.duplicate)
    }
    for events in shelf.events.values():
        for event in events:
            if event["request_id"] in idle:
                yield Finding(Kind.REMNANT, f"{event['event']} was noted by {idle[event['request_id']]}.")


# Acknowledged --------------------------------------------------------------------------------------------------


def _acknowledged(diary: Sequence[Attempt], shelf: _Shelf) -> Iterator[Finding]:
    """Each acknowledgement must have marked all records that it named and that were to be extracted by then."""
    asked = [attempt for attempt in diary if attempt.operation == "AcknowledgeRecords"]
    numbers = {row["id"]: row["record_number"] for row in shelf.rows}
    marks: dict[str, list[Row]] = defaultdict(list)
    for events in shelf.events.values():
        for event in events:
            if event["event"] == "ACKNOWLEDGED":
                marks[event["request_id"]].append(event)
    for attempt in asked:
        if attempt.ok and not attempt.duplicate and attempt.answer is not None:
            marked = marks.pop(attempt.answer["requestId"], [])
            yield from _counts(attempt, attempt.answer, len(marked))
            if marked and not _explains(attempt, marked, numbers, shelf):
                yield Finding(Kind.HALF, f"{attempt} marked some of its records only.")
    lost = [attempt for attempt in asked if attempt.lost]
    for request_id, marked in marks.items():
        if not any(_explains(attempt, marked, numbers, shelf) for attempt in lost):
            yield Finding(Kind.HALF, f"Records were acknowledged by {request_id} as nobody has asked.")


def _counts(attempt: Attempt, answer: dict[str, Any], marked: int) -> Iterator[Finding]:
    named = len(set(attempt.request["recordNumbers"]))
    if (answer["acknowledged"], answer["alreadyExtracted"]) != (marked, named - marked):
        yield Finding(Kind.ANSWER, f"{attempt} marked {marked} of {named}, and says otherwise.")


def _explains(attempt: Attempt, marked: Sequence[Row], numbers: dict[int, str], shelf: _Shelf) -> bool:
    moment, here = min(event["id"] for event in marked), {numbers[event["record_id"]] for event in marked}
    others = set(attempt.request["recordNumbers"]) - here
    before = {
        number: [event for event in shelf.events[shelf.records[number]["id"]] if event["id"] < moment]
        for number in others
        if number in shelf.records
    }
    return here <= set(attempt.request["recordNumbers"]) and all(_ended(events) for events in before.values())


def _to_extract(diary: Sequence[Attempt], shelf: _Shelf) -> Iterator[Finding]:
    """A record is as its one writer left it: what was told last holds, unless something untold came after it."""
    last: dict[str, bool | None] = {}
    for attempt in diary:
        if attempt.lost or attempt.ok:
            for number in _touched(attempt):
                last[number] = None if attempt.lost else attempt.operation in _CHANGING
    for number, expected in last.items():
        if expected is not None and number in shelf.records and bool(shelf.records[number]["to_extract"]) != expected:
            yield Finding(Kind.LOSS, f"Record {number} should {'' if expected else 'not '}be to be extracted.")


def _touched(attempt: Attempt) -> list[str]:
    if attempt.operation == "AcknowledgeRecords":
        return list(attempt.request["recordNumbers"])
    return [attempt.request["recordNumber"]] if attempt.operation in _CHANGING else []
