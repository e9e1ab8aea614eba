"""Bring a table of an account to what its caller says: the five Sync operations, one engine.

*Known* is a row that the table holds under the caller's reference, active or not. A row that goes missing becomes
inactive and is never deleted; it comes back, with all it held, when the caller sends its reference again. What an item
leaves out keeps its stored value. The rules of each table are in `sync_rules`.

Items come in slices (see `xml/decode.py`) and are worked on by columns: for each element, its values in all items of
the slice. For each slice there is one SELECT for the known rows (and one for each table that courses refer to), one
upsert of the new rows and one update of the known ones in the columns that changed; in a REPLACE one SELECT and one
UPDATE for what is missing. What is refused at the end takes all slices back with it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, compress, count, islice
from operator import ne
from typing import Any

import orjson
from sqlalchemy import Table, select, update

from .. import contract, store
from ..columns import Columns
from ..context import Context
from ..errors import Code, Error, Refused
from ..slices import Slices
from . import mentions, sync_rules
from .known import NAMES, RENAMED, words_lack
from .repeated import SentBefore
from .sync_rules import Check, Found

_MOST_ERRORS = 100
# Without maxRemovals a REPLACE may remove 5 rows, or one in 10 of the active ones if that is more.
_FREE_REMOVALS, _FREE_SHARE = 5, 10
_AT_ONCE = 1000
_NONE = frozenset[str]()
_ACTIONS = ("CREATED", "UPDATED", "UNCHANGED", "REMOVED", "REJECTED")


def students(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the account's students to what `request` says.

    `request` is the decoded message, its items in slices by columns. With KEEP_VALID it may hold `rejected`: errors
    inside items that were found before (`index` is the position in the original message, `reference` is given if it
    could be read); the items are then the others, in their order.

    Returns the members of SyncResult, and as `errors` those of the rejected items. Raises Refused, with all errors
    that were found, when nothing may be stored. A dry run stores nothing and returns the same.
    """
    return _bring(context, request, "students")


def teachers(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the account's teachers to what `request` says; see `students`."""
    return _bring(context, request, "teachers")


def classrooms(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the account's rooms and sites to what `request` says; see `students`."""
    return _bring(context, request, "classrooms")


def courses(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the account's courses to what `request` says; see `students`.

    People, rooms and groups that the account does not know are errors of the item that names them.
    """
    return _bring(context, request, "courses")


def contacts(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the account's contacts to what `request` says; see `students`."""
    return _bring(context, request, "contacts")


# What is worked out once for each table ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the items of one table become rows."""

    table: Table
    check: Check
    #: The columns that the check looks at, whether they are sent or not.
    checked: frozenset[str]
    #: The elements that are stored as JSON text, each with what writes its values in all items.
    nested: Mapping[str, Callable[[Sequence[Any]], Sequence[str | None]]]
    #: What clearFields may name, each with its key.
    optional: Mapping[str, str]


_TABLES: dict[str, tuple[str, Table, Check, frozenset[str]]] = {
    "students": ("Student", store.student, sync_rules.people, frozenset({"start", "end"})),
    "teachers": ("Teacher", store.teacher, sync_rules.people, frozenset({"start", "end"})),
    "classrooms": (
        "Classroom",
        store.classroom,
        sync_rules.classrooms,
        frozenset({"name", "type", "site_reference"}),
    ),
    "courses": ("Course", store.course, sync_rules.courses, frozenset({"start", "end", "date"})),
    "contacts": (
        "Contact",
        store.contact,
        sync_rules.contacts,
        frozenset({"start", "end", "organisation", "last_name"}),
    ),
}


@cache
def _plan(key: str) -> _Plan:
    name, table, check, checked = _TABLES[key]
    fields = [each for each in contract.complex_type(name).fields if each.name != "clearFields"]
    return _Plan(
        table,
        check,
        checked,
        {each.key: _writer(each.type) for each in fields if isinstance(each.type, contract.Complex)},
        {each.name: each.key for each in fields if not each.required},
    )


def _writer(kind: contract.Complex) -> Callable[[Sequence[Any]], Sequence[str | None]]:
    """Return what writes nested values as JSON, so that equal values are equal texts; an empty one is no value."""
    if kind.item is None:
        return _as_json
    return lambda lists: _as_json([_without_repeated(each) for each in lists])


def _without_repeated(values: Sequence[Any] | None) -> Sequence[Any] | None:
    return values if values is None or len(values) < 2 else list(dict.fromkeys(values))


# A line end stands in no JSON text, so it can stand between two that are written in one go.
_BETWEEN = orjson.Fragment(b"\n")


def _as_json(values: Sequence[Any]) -> Sequence[str | None]:
    together = orjson.dumps([part for value in values for part in (value, _BETWEEN)], option=orjson.OPT_SORT_KEYS)
    texts = together.decode()[1:-3].split(",\n,")
    return [text if value else None for value, text in zip(values, texts, strict=True)]


# One message ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a slice comes to, by columns: the rows to write, and what is said of each item."""

    created: Columns
    updated: Columns
    said: Columns
    errors: list[Error]


@dataclass(frozen=True, slots=True)
class _Part:
    """Some items of a message in a row, by columns, each with its index.

    `rejected` are the errors of the items between them that were found before; `sent` knows the references that stand
    in the message before.
    """

    items: Columns
    indexes: Sequence[int]
    rejected: Mapping[int, Sequence[Error]]
    sent: SentBefore


def _bring(context: Context, request: Mapping[str, Any], key: str) -> dict[str, Any]:
    limit = request.get("max_removals")
    if limit is not None and limit < 0:
        message = f"maxRemovals is {limit}; it must be 0 or more."
        raise Refused(Error(Code.VALUE_OUT_OF_RANGE, message, field="maxRemovals", value=str(limit)))
    replacing, dry_run = request.get("mode") == "REPLACE", request.get("dry_run", False)
    keep_valid = request.get("on_error") == "KEEP_VALID"
    store.lock_account(context.connection, context.account.id)
    plan = _plan(key)
    unsent = _active(context, plan.table) if replacing else set()
    active = len(unsent)
    said, counts, errors, nameless = Slices(), Counter[str](), list[Error](), list[int]()
    changes, renamed = mentions.Changes(context, key, dry_run=dry_run), False
    for part in _parts(request.get(key, ()), request.get("rejected", ()), SentBefore(said)):
        outcome = _compared(context, plan, part)
        indexes, references, actions = outcome.said.values()
        said.add(outcome.said)
        counts.update(actions)
        errors += outcome.errors
        if replacing:
            unsent.difference_update(references)
            nameless += [index for index, name in zip(indexes, references, strict=True) if name is None]
        if not dry_run and (keep_valid or not errors):
            renamed |= _write(context, plan.table, outcome)
        changes.add(outcome.created, outcome.updated, references, actions)
    _refuse_wrong_items(errors, nameless, keep_valid=keep_valid)
    missing = _missing(key, active, unsent, limit)
    if not dry_run:
        _deactivate(context, plan.table, missing)
    if renamed:
        words_lack(context.connection, context.account)
    changes.settle(missing)
    received = counts.total()
    for begin in range(0, len(missing), _AT_ONCE):
        some = missing[begin : begin + _AT_ONCE]
        said.add(_said([None] * len(some), some, ["REMOVED"] * len(some)))  # which were no items, so have no index
    counts["REMOVED"] = len(missing)
    return {
        "dry_run": dry_run,
        "received": received,
        **{action.lower(): counts[action] for action in _ACTIONS},
        "items": said,
        "errors": errors,
    }


def _said(indexes: Sequence[int | None], references: Sequence[str | None], actions: Sequence[str]) -> Columns:
    return {"index": indexes, "reference": references, "action": actions}


def _parts(slices: Iterable[Columns], rejected: Iterable[Error], sent: SentBefore) -> Iterator[_Part]:
    """Give the items slice by slice, and in their places those that were found wrong before."""
    before, last = _by_index(rejected), 0
    free = (index for index in count(1) if index not in before)
    for items in slices:
        indexes = list(islice(free, len(items["reference"])))
        between = {index: errors for index, errors in before.items() if last < index <= indexes[-1]}
        yield _Part(items, indexes, between, sent)
        last = indexes[-1]
    behind = {index: errors for index, errors in before.items() if index > last}
    if behind:
        yield _Part({}, (), behind, sent)


def _compared(context: Context, plan: _Plan, part: _Part) -> _Outcome:
    """Compare items with what is known, in the order of the message."""
    items, indexes = part.items, part.indexes
    numbers, stored, laid = _laid_over(context, plan, items)
    wrong = {**part.rejected, **_wrong(context, plan, items, laid, indexes)}
    wrong.update(part.sent.repeated(items.get("reference", ()), indexes, part.rejected))
    changed = [key for key, column in laid.items() if [*column] != [*stored[key]]]
    differs = _differing(changed, laid, stored) or [False] * len(indexes)
    said = _said(indexes, items.get("reference", ()), list(map(_action, numbers, differs)))
    new = [number is None for number in numbers]
    if wrong:
        said = _with_rejected(said, wrong)
        differs = [each and index not in wrong for each, index in zip(differs, indexes, strict=True)]
        new = [each and index not in wrong for each, index in zip(new, indexes, strict=True)]
    known = [each and number is not None for each, number in zip(differs, numbers, strict=True)]
    return _Outcome(
        {key: list(compress(column, new)) for key, column in laid.items()} if any(new) else {},
        {key: list(compress(laid.get(key, numbers), known)) for key in [*changed, "id"]} if any(known) else {},
        said,
        [error for index in sorted(wrong) for error in wrong[index]],
    )


def _differing(keys: Sequence[str], some: Columns, others: Columns) -> list[bool]:
    rows = [zip(*[columns[key] for key in keys], strict=True) for columns in (some, others)]
    return list(map(ne, *rows))


def _laid_over(
    context: Context, plan: _Plan, items: Columns
) -> tuple[Sequence[int | None], Columns, dict[str, Sequence[Any]]]:
    """Lay what the items say over what is stored. Return the ids of the rows, what they hold, and the outcome.

    The columns are those that are sent, cleared or checked; `reference` is the first, `active` the last. What is
    stored under an unknown reference is None throughout, and so is its id.
    """
    references: Sequence[str] = items.get("reference", ())
    if not references:
        return (), {}, {}
    clears = items.get("clear_fields", ())
    cleared = {plan.optional[name] for names in clears for name in names or () if name in plan.optional}
    others = [*items, *sorted((cleared | plan.checked) - items.keys())]
    keys = ["reference", *[key for key in others if key not in ("reference", "clear_fields")], "active"]
    *columns, numbers = store.known(context.connection, plan.table, context.account.id, references, [*keys, "id"])
    stored: Columns = dict(zip(keys, columns, strict=True))
    laid = {
        key: _over(before, _to_store(context, plan, key, items[key]), items[key]) if key in items else before
        for key, before in stored.items()
    }
    laid |= {key: list(laid[key]) for key in cleared}
    for place, names in enumerate(clears):
        for key in {plan.optional[name] for name in names or () if name in plan.optional}:
            laid[key][place] = None  # type: ignore[index]
    laid["active"] = store.driver_form(context.connection, plan.table.c.active, [True] * len(references))
    return numbers, stored, laid


def _to_store(context: Context, plan: _Plan, key: str, sent: Sequence[Any]) -> Sequence[Any]:
    write = plan.nested.get(key)
    return store.driver_form(context.connection, plan.table.c[key], sent) if write is None else write(sent)


def _over(before: Sequence[Any], after: Sequence[Any], sent: Sequence[Any]) -> Sequence[Any]:
    """Take what is to be stored where an item has sent something, what was stored elsewhere."""
    if None not in sent:
        return after
    return [was if value is None else new for was, new, value in zip(before, after, sent, strict=True)]


def _action(number: int | None, differs: bool) -> str:
    if number is None:
        return "CREATED"
    return "UPDATED" if differs else "UNCHANGED"


def _with_rejected(said: Columns, wrong: Mapping[int, Sequence[Error]]) -> Columns:
    """Say of the wrong items that they are rejected, in their places."""
    by_index = {row[0]: row for row in zip(*said.values(), strict=True)}
    by_index |= {index: (index, errors[0].reference, "REJECTED") for index, errors in wrong.items()}
    return _said(*zip(*(by_index[index] for index in sorted(by_index)), strict=True))


# What is wrong -------------------------------------------------------------------------------------------------


def _by_index(rejected: Iterable[Error]) -> dict[int, list[Error]]:
    """Put the errors of each item together; the reference that one of them tells is that of all."""
    found: dict[int, list[Error]] = {}
    for error in rejected:
        found.setdefault(error.index or 0, []).append(error)
    for index, errors in found.items():
        reference = next((error.reference for error in errors if error.reference), None)
        found[index] = [replace(error, reference=reference) for error in errors]
    return found


def _wrong(
    context: Context, plan: _Plan, items: Columns, laid: dict[str, Sequence[Any]], indexes: Sequence[int]
) -> dict[int, list[Error]]:
    """Return the errors of the items that may not be stored, by their index; lay over what the check completes."""
    if not laid:
        return {}
    wrong: dict[int, list[Error]] = {}
    checked = {key: store.python_form(context.connection, plan.table.c[key], laid[key]) for key in plan.checked}
    before = checked.copy()
    for place, error in chain(_wrong_to_clear(plan, items), plan.check(context, items, checked)):
        here = replace(error, index=indexes[place], reference=items["reference"][place])
        wrong.setdefault(indexes[place], []).append(here)
    for key in plan.checked:
        if checked[key] is not before[key]:
            laid[key] = store.driver_form(context.connection, plan.table.c[key], checked[key])
    return wrong


def _wrong_to_clear(plan: _Plan, items: Columns) -> Iterator[Found]:
    for place, names in enumerate(items.get("clear_fields", ())):
        for name in dict.fromkeys(names or ()):
            if name not in plan.optional:
                message = f"clearFields names {name[:80]}, which is not an optional element of this item."
                hint = "Use the names of the schema, for example birthDate; required elements cannot be emptied."
                yield place, Error(Code.UNKNOWN_FIELD, message, field="clearFields", value=name[:80], hint=hint)
            elif plan.optional[name] in items and items[plan.optional[name]][place] is not None:
                message = f"{name} is sent, and clearFields says to empty it."
                hint = f"Leave {name} out, or out of clearFields."
                yield place, Error(Code.VALUES_CONTRADICT, message, field=name, hint=hint)


def _refuse_wrong_items(errors: list[Error], nameless: Sequence[int], *, keep_valid: bool) -> None:
    """Raise Refused with the errors of the items, unless they may be left out and all others be stored.

    `nameless` are the items of a REPLACE whose references cannot be read.
    """
    if not errors or (keep_valid and not nameless):
        return
    errors = [_nameless(index) for index in nameless] + errors
    errors.sort(key=lambda error: error.index or 0)
    more = len(errors) - _MOST_ERRORS
    if more > 0:
        last = errors[_MOST_ERRORS - 1]
        errors[_MOST_ERRORS - 1 :] = [replace(last, message=f"{last.message} (Errors not listed: {more}.)")]
    raise Refused.of(errors)


def _nameless(index: int) -> Error:
    message = f"The reference of item {index} cannot be read, so a REPLACE cannot know which row it means to keep."
    hint = "Correct the reference, or send the items with mode UPSERT."
    return Error(Code.VALUE_REQUIRED, message, index=index, field="reference", hint=hint)


def _active(context: Context, table: Table) -> set[str]:
    """Return the references of the active rows."""
    mine = table.c.account_id == context.account.id
    return set(context.connection.scalars(select(table.c.reference).where(mine, table.c.active)))


def _missing(key: str, active: int, unsent: Iterable[str], limit: int | None) -> list[str]:
    """Return the references that the message lacks, of so many active ones, sorted. Refused when they are too many."""
    missing = sorted(unsent)
    allowed = max(_FREE_REMOVALS, active // _FREE_SHARE) if limit is None else limit
    if len(missing) > allowed:
        message = f"{len(missing)} of {active} {key} would become inactive; at most {allowed} may."
        hint = f"If this is meant, send maxRemovals {len(missing)}; if not, look whether the export is complete."
        raise Refused(Error(Code.REMOVAL_THRESHOLD, message, field="maxRemovals", hint=hint))
    return missing


def _write(context: Context, table: Table, outcome: _Outcome) -> bool:
    """Write the new rows whole; of those that are known, the columns in which any of them changed.

    Return whether anybody came with a name, or has another one now.
    """
    (now,) = store.driver_form(context.connection, table.c.modified_on, [context.now])
    if outcome.created:
        rows = outcome.created
        same = {"account_id": context.account.id, "created_on": now, "modified_on": now}
        constant = {key: [value] * len(rows["reference"]) for key, value in same.items()}
        store.upsert(context.connection, table, {**constant, **rows})
    named = NAMES.get(table.name, _NONE)
    if outcome.updated:
        same = {"modified_on": [now] * len(outcome.updated["id"])}
        if not named.isdisjoint(outcome.updated):
            same["name_word"] = [RENAMED] * len(outcome.updated["id"])
        store.update(context.connection, table, {**same, **outcome.updated})
    return bool(named) and (bool(outcome.created) or not named.isdisjoint(outcome.updated))


def _deactivate(context: Context, table: Table, references: Sequence[str]) -> None:
    if references:
        listed = store.is_among(context.connection, table.c.reference, references)
        change = update(table).where(table.c.account_id == context.account.id, listed)
        context.connection.execute(change.values(active=False, modified_on=context.now))
