"""Hold what clients were told against what is stored. Imports nothing of the product.

- Each `200 OK` is stored once, and nothing of any `500 ERROR`; what was never answered is stored whole or not at all.
- A message that was sent again under its messageId is stored once, and was answered again with the same content.
- The counts of answers are those of what was stored, every document has its file, the journal tells the same story.
"""

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from . import records
from .diary import Attempt
from .findings import Finding, Kind
from .repositories import REPOSITORIES, Repository, Rows
from .stored import Row, Stored

_OF_ONE_ANSWER = {"requestId", "duplicate", "hint"}
Message = tuple[str, str]


def check(diary: Sequence[Attempt], stored: Stored) -> list[Finding]:
    """Return every contradiction, in no certain order. The servers must have ended."""
    numbers = {row["api_user"]: row["id"] for row in stored["account"]}
    findings = [Finding(Kind.DAMAGE, sentence) for sentence in stored.damage]
    findings += _repeated(diary)
    findings += _repositories(diary, stored, numbers)
    findings += _remembered(diary, stored, numbers)
    findings += _journal(diary, stored, numbers)
    for account, number in numbers.items():
        findings += records.check([each for each in diary if each.account == account], stored, number)
    return findings


def _messages(diary: Sequence[Attempt]) -> dict[Message, list[Attempt]]:
    """Return the attempts to send each message that has an id."""
    found: dict[Message, list[Attempt]] = defaultdict(list)
    for attempt in diary:
        if attempt.message_id is not None:
            found[attempt.account, attempt.message_id].append(attempt)
    return found


# Answers with each other ---------------------------------------------------------------------------------------


def _repeated(diary: Sequence[Attempt]) -> Iterator[Finding]:
    for attempts in _messages(diary).values():
        answered = [attempt for attempt in attempts if attempt.ok]
        if not answered:
            continue
        first, *later = answered
        if first.duplicate and not any(attempt.lost for attempt in attempts if attempt.number < first.number):
            yield Finding(Kind.ANSWER, f"{first} is called a duplicate of a message that was never stored.")
        for attempt in later:
            if not attempt.duplicate:
                yield Finding(Kind.DOUBLE, f"{attempt} was worked on again after {first}.")
            elif _content(attempt) != _content(first):
                yield Finding(Kind.ANSWER, f"{attempt} was answered otherwise than {first}.")
    for attempt in diary:
        if attempt.message_id is None and attempt.duplicate:
            yield Finding(Kind.ANSWER, f"{attempt} is called a duplicate, without a messageId.")


def _content(attempt: Attempt) -> dict[str, Any]:
    return {name: value for name, value in (attempt.answer or {}).items() if name not in _OF_ONE_ANSWER}


# What Sync operations wrote ------------------------------------------------------------------------------------


def _repositories(diary: Sequence[Attempt], stored: Stored, numbers: dict[str, int]) -> Iterator[Finding]:
    for operation, (_, table, name) in REPOSITORIES.items():
        rows: dict[int, dict[str, tuple[str, bool]]] = defaultdict(dict)
        for row in stored[table]:
            token = json.loads(row["data"])["data1"]
            if token != row[name]:
                yield Finding(Kind.HALF, f"{table} {row['reference']} is of {row[name]} and of {token}.")
            rows[row["account_id"]][row["reference"]] = (token, bool(row["active"]))
        for account, number in numbers.items():
            mine = [each for each in diary if (each.account, each.operation) == (account, operation)]
            yield from _repository(table, mine, rows[number])


def _repository(table: str, attempts: Sequence[Attempt], rows: Rows) -> Iterator[Finding]:
    repository = Repository()
    for attempt in attempts:
        repository.follow(attempt)
    yield from (Finding(Kind.ANSWER, sentence) for sentence in repository.wrong)
    lost, refused = _tokens(attempts, lost=True), _tokens(attempts, lost=False)
    for reference, (expected, found) in repository.differences(rows).items():
        kind = Kind.LOSS
        if found and (not expected or found[0] != expected[0]) and found[0] in refused:
            kind = Kind.REMNANT
        elif {pair[0] for pair in (expected, found) if pair} & lost:
            kind = Kind.HALF
        yield Finding(kind, f"{table} {reference} should hold {expected}, and holds {found}.")


def _tokens(attempts: Sequence[Attempt], *, lost: bool) -> set[str]:
    """Return the tokens of messages that were never answered, or of those that certainly stored nothing."""
    found: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        for item in attempt.request[REPOSITORIES[attempt.operation][0]]:
            found[item["data"]["data1"]].append(attempt)
    if lost:
        return {
            token for token, ones in found.items() if any(one.lost for one in ones) and not any(one.ok for one in ones)
        }
    return {token for token, ones in found.items() if not any(_may_have_stored(one) for one in ones)}


def _may_have_stored(attempt: Attempt) -> bool:
    return (attempt.lost or attempt.ok) and not attempt.request.get("dryRun")


# What is remembered of messages --------------------------------------------------------------------------------


def _remembered(diary: Sequence[Attempt], stored: Stored, numbers: dict[str, int]) -> Iterator[Finding]:
    names = {number: account for account, number in numbers.items()}
    kept = {(names[row["account_id"]], row["message_id"]): row for row in stored["message"]}
    messages = _messages(diary)
    for message, attempts in messages.items():
        row = kept.get(message)
        if row is None:
            if any(attempt.ok for attempt in attempts):
                yield Finding(Kind.LOSS, f"Message {message[1]} was answered with 200 OK and is not remembered.")
        elif not any(attempt.ok or attempt.lost for attempt in attempts):
            yield Finding(Kind.REMNANT, f"Message {message[1]} was refused, and is remembered.")
        else:
            yield from _remembered_as(row, attempts)
    for message in kept.keys() - messages.keys():
        yield Finding(Kind.REMNANT, f"Message {message[1]} is remembered, and nobody sent it.")


def _remembered_as(row: Row, attempts: Sequence[Attempt]) -> Iterator[Finding]:
    if row["operation"] != attempts[0].operation:
        yield Finding(Kind.ANSWER, f"{attempts[0]} is remembered as {row['operation']}.")
    first = next((attempt for attempt in attempts if attempt.ok and not attempt.duplicate), None)
    if first and first.answer and _kept(row["answer"])["request_id"] != first.answer["requestId"]:
        yield Finding(Kind.ANSWER, f"{first} is remembered with the answer of another request.")


def _kept(answer: bytes) -> dict[str, Any]:
    """Return a remembered answer without the slices of its items: deflated if it is long, and its first line."""
    text = answer if answer.startswith(b"{") else zlib.decompress(answer)
    first: dict[str, Any] = json.loads(text.partition(b"\n")[0])
    return first


# The journal ---------------------------------------------------------------------------------------------------


def _journal(diary: Sequence[Attempt], stored: Stored, numbers: dict[str, int]) -> Iterator[Finding]:
    rows = {row["request_id"]: row for row in stored["journal"]}
    if len(rows) < len(stored["journal"]):
        yield Finding(Kind.DOUBLE, "The journal has a request twice.")
    for attempt in diary:
        if attempt.answer is not None:
            row = rows.pop(attempt.answer["requestId"], None)
            yield from _journalled(attempt, row, numbers[attempt.account])
    yield from _journalled_more(diary, list(rows.values()), numbers)
    yield from _worked_on_twice(stored)


def _journalled(attempt: Attempt, row: Row | None, account: int) -> Iterator[Finding]:
    if row is None:
        # The row of a refusal is written behind its answer: kill -9 may lose it, and that is no broken promise.
        if attempt.ok:
            yield Finding(Kind.JOURNAL, f"{attempt} has no row.")
        return
    said = (row["return_code"], row["operation"], bool(row["duplicate"]), row["message_id"], row["account_id"])
    answer = attempt.answer or {}
    told = (answer["returnCode"], attempt.operation, answer["duplicate"], attempt.message_id, account)
    # Who is refused before the caller is known and the operation has begun leaves no messageId and no account.
    alike = said == told if attempt.ok else said[:3] == told[:3] and row["account_id"] in (None, account)
    if not alike:
        yield Finding(Kind.JOURNAL, f"{attempt} is told as {said}.")
    if (row["error_codes"] or "").split() != attempt.codes:
        yield Finding(Kind.JOURNAL, f"{attempt} is told with the errors {row['error_codes']}.")


def _journalled_more(diary: Sequence[Attempt], rows: Sequence[Row], numbers: dict[str, int]) -> Iterator[Finding]:
    """Successes that nobody was told must be among the requests that were never answered."""
    lost = Counter((numbers[each.account], each.operation, each.message_id) for each in diary if each.lost)
    told = Counter(
        (row["account_id"], row["operation"], row["message_id"]) for row in rows if row["return_code"] == "200 OK"
    )
    for key, count in (told - lost).items():
        yield Finding(Kind.JOURNAL, f"{count} successes of {key[1]} ({key[2]}) are told, and nobody sent them.")


def _worked_on_twice(stored: Stored) -> Iterator[Finding]:
    """Whatever is remembered of a message was worked on once, whatever its clients were told."""
    worked = Counter(
        (row["account_id"], row["message_id"])
        for row in stored["journal"]
        if row["return_code"] == "200 OK" and row["message_id"] is not None and not row["duplicate"]
    )
    kept = {(row["account_id"], row["message_id"]) for row in stored["message"]}
    for key in worked.keys() | kept:
        if worked[key] > 1:
            yield Finding(Kind.DOUBLE, f"Message {key[1]} was worked on {worked[key]} times.")
        if (worked[key] > 0) != (key in kept):
            yield Finding(Kind.HALF, f"Message {key[1]} is in the journal or is remembered, and not both.")
