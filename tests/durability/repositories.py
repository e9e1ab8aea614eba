"""What a table that Sync operations write can hold, given what its one writer was told.

A message that was never answered is stored or is not: from there on the table has two *possible states*. What later
answers say (an item is CREATED, UPDATED or UNCHANGED, a message is a duplicate) rules states out; at the end one of
those that are left must be what is stored, to the last row.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .diary import Attempt

#: Operation: the list in the message, and the table's column that holds the token besides `data`.
REPOSITORIES = {
    "SyncStudents": ("students", "student", "last_name"),
    "SyncTeachers": ("teachers", "teacher", "last_name"),
    "SyncClassrooms": ("classrooms", "classroom", "name"),
    "SyncCourses": ("courses", "course", "name"),
    "SyncContacts": ("contacts", "contact", "organisation"),
}
#: What each item of a message says in two of its elements: which message it was that wrote it.
Token = str
Rows = Mapping[str, tuple[Token, bool]]
_COUNTS = ("created", "updated", "unchanged", "removed", "rejected")
_MOST_STATES = 5000


@dataclass(frozen=True)
class _State:
    """The rows, and the last message with an id that was stored, with what was answered to it."""

    rows: Rows
    message_id: str | None = None
    said: dict[str, Any] | None = None


@dataclass(frozen=True)
class _Outcome:
    after: _State
    #: The members of the answer that are foreseen; None for a refusal.
    said: dict[str, Any] | None
    refusal: str = ""
    duplicate: bool = False


class Repository:
    """One table of one account. `wrong` collects what was answered against every possible state."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self._possible = [_State({})]

    def follow(self, attempt: Attempt) -> None:
        """Take the next attempt of the writer into account."""
        if attempt.in_trouble:
            return
        outcomes = [_foreseen(state, attempt) for state in self._possible]
        if attempt.lost:
            self._possible = _different([*self._possible, *(outcome.after for outcome in outcomes)])
            if len(self._possible) > _MOST_STATES:
                raise RuntimeError("Too many requests were given up one after the other to tell what is stored.")
            return
        fitting = [outcome for outcome in outcomes if _fits(attempt, outcome)]
        if not fitting:
            self.wrong.append(
                f"{attempt}: the answer fits nothing that can be stored: {_against(attempt, outcomes[0])}"
            )
        self._possible = _different([outcome.after for outcome in fitting or outcomes])

    def differences(self, stored: Rows) -> dict[str, tuple[Any, Any]]:
        """Compare with what is stored; for each reference that differs, what was expected and what is there."""
        found = [_difference(state.rows, stored) for state in self._possible]
        return min(found, key=len)


def _different(states: list[_State]) -> list[_State]:
    seen = {(frozenset(state.rows.items()), state.message_id, repr(state.said)): state for state in states}
    return list(seen.values())


def _difference(expected: Rows, stored: Rows) -> dict[str, tuple[Any, Any]]:
    both = {reference: (expected.get(reference), stored.get(reference)) for reference in {*expected, *stored}}
    return {reference: pair for reference, pair in both.items() if pair[0] != pair[1]}


def _fits(attempt: Attempt, outcome: _Outcome) -> bool:
    if not attempt.ok or outcome.said is None:
        return not attempt.ok and outcome.refusal in attempt.codes
    return attempt.duplicate == outcome.duplicate and _said_by(attempt) == outcome.said


def _said_by(attempt: Attempt) -> dict[str, Any]:
    answer = attempt.answer or {}
    items = [(item.get("index"), item.get("reference"), item["action"]) for item in answer.get("items", ())]
    return {"items": items, "received": answer.get("received"), **{name: answer.get(name) for name in _COUNTS}}


def _against(attempt: Attempt, outcome: _Outcome) -> str:
    if not attempt.ok or outcome.said is None:
        return f"expected {outcome.refusal or 'success'}"
    said = _said_by(attempt)
    pairs = {name: (outcome.said[name], said[name]) for name in said if outcome.said[name] != said[name]}
    return f"expected, answered: {pairs or (outcome.duplicate, attempt.duplicate)}"


# The rules of a Sync operation, as the contract tells them ------------------------------------------------------


def _foreseen(state: _State, attempt: Attempt) -> _Outcome:
    if attempt.message_id is not None and attempt.message_id == state.message_id:
        return _Outcome(state, state.said, duplicate=True)
    items = attempt.request[REPOSITORIES[attempt.operation][0]]
    wrong = _wrong_places(items)
    if wrong and attempt.request.get("onError") != "KEEP_VALID":
        return _Outcome(state, None, "VALUES_CONTRADICT")
    rows = dict(state.rows)
    said: list[tuple[int | None, str, str]] = []
    for index, item in enumerate(items, 1):
        reference, new = item["reference"], (item["data"]["data1"], True)
        action = "REJECTED" if index in wrong else _action(state.rows.get(reference), new)
        said.append((index, reference, action))
        if index not in wrong:
            rows[reference] = new
    if attempt.request.get("mode") == "REPLACE":
        active = {reference for reference, (_, is_active) in state.rows.items() if is_active}
        missing = sorted(active - {item["reference"] for item in items})
        if len(missing) > attempt.request.get("maxRemovals", max(5, len(active) // 10)):
            return _Outcome(state, None, "REMOVAL_THRESHOLD")
        said += [(None, reference, "REMOVED") for reference in missing]
        rows |= {reference: (rows[reference][0], False) for reference in missing}
    answer = _answer(said, len(items))
    if attempt.request.get("dryRun"):
        return _Outcome(state, answer)
    if attempt.message_id is None:
        return _Outcome(_State(rows, state.message_id, state.said), answer)
    return _Outcome(_State(rows, attempt.message_id, answer), answer)


def _wrong_places(items: list[dict[str, Any]]) -> set[int]:
    """The load makes items wrong in one way: they end before they begin, or a site lies at a site."""
    return {
        index
        for index, item in enumerate(items, 1)
        if ("end" in item and item["end"] < item["start"]) or (item.get("type") == "SITE" and "siteReference" in item)
    }


def _action(before: tuple[Token, bool] | None, new: tuple[Token, bool]) -> str:
    if before is None:
        return "CREATED"
    return "UNCHANGED" if before == new else "UPDATED"


def _answer(said: list[tuple[Any, Any, str]], received: int) -> dict[str, Any]:
    counts = Counter(action for _, _, action in said)
    return {"items": said, "received": received, **{name: counts[name.upper()] for name in _COUNTS}}
