"""Bring a table of an account to what its caller says: the five Sync operations, one engine.

*Known* is a row that the table holds under the caller's reference, active or not. A row that goes missing becomes
inactive and is never deleted; it comes back, with all it held, when the caller sends its reference again. What an item
leaves out keeps its stored value. The rules of each table are in `sync_rules`.

However many the items: one SELECT for the known rows (and one for each table that courses refer to), one bulk upsert,
and in a REPLACE one SELECT and one UPDATE for what is missing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from json.encoder import encode_basestring as _quoted
from typing import Any

from sqlalchemy import Table, select, update

from .. import contract, store
from ..context import Context
from ..errors import Code, Error, Refused
from . import sync_rules
from .sync_rules import Item, Prepare, Row

_MOST_ERRORS = 100
# Without maxRemovals a REPLACE may remove 5 rows, or one in 10 of the active ones if that is more.
_FREE_REMOVALS, _FREE_SHARE = 5, 10
_ACTIONS = ("CREATED", "UPDATED", "UNCHANGED", "REMOVED", "REJECTED")


def students(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the account's students to what `request` says.

    `request` is the decoded message. With KEEP_VALID it may hold `rejected`: errors inside items that were found
    before (`index` is the position in the original message, `reference` is given if it could be read); the items are
    then the others, in their order.

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
    prepare: Prepare
    #: The row of a new reference before anything is known of it.
    blank: Row
    #: The elements that are stored as JSON text, each with what writes it.
    nested: tuple[tuple[str, Callable[[Any], str | None]], ...]
    #: What clearFields may name, each with its key.
    optional: Mapping[str, str]


_TABLES: dict[str, tuple[str, Table, Prepare]] = {
    "students": ("Student", store.student, sync_rules.people),
    "teachers": ("Teacher", store.teacher, sync_rules.people),
    "classrooms": ("Classroom", store.classroom, sync_rules.classrooms),
    "courses": ("Course", store.course, sync_rules.courses),
    "contacts": ("Contact", store.contact, sync_rules.contacts),
}


@cache
def _plan(key: str) -> _Plan:
    name, table, prepare = _TABLES[key]
    fields = [each for each in contract.complex_type(name).fields if each.name != "clearFields"]
    return _Plan(
        table,
        prepare,
        dict.fromkeys(store.known_columns(table)),
        tuple((each.key, _writer(each.type)) for each in fields if isinstance(each.type, contract.Complex)),
        {each.name: each.key for each in fields if not each.required},
    )


def _writer(kind: contract.Complex) -> Callable[[Any], str | None]:
    """Return what writes a nested value as JSON, so that equal values are equal texts; an empty one is no value.

    Put together from quoted texts: a JSON encoder takes three times as long (2.3 µs instead of 0.8 for an address),
    and there are several nested values in an item.
    """
    if kind.item is not None:
        return lambda values: f"[{','.join(map(_quoted, dict.fromkeys(values)))}]" if values else None
    names = [(each.key, f'"{each.key}":') for each in kind.fields]
    return lambda value: (
        f"{{{','.join([name + _quoted(value[key]) for key, name in names if key in value])}}}" if value else None
    )


# One message ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Outcome:
    """What a message comes to: the rows to write, and what is said of each item."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    errors: list[Error] = field(default_factory=list)


def _bring(context: Context, request: Mapping[str, Any], key: str) -> dict[str, Any]:
    limit = request.get("max_removals")
    if limit is not None and limit < 0:
        message = f"maxRemovals is {limit}; it must be 0 or more."
        raise Refused(Error(Code.VALUE_OUT_OF_RANGE, message, field="maxRemovals", value=str(limit)))
    replacing, dry_run = request.get("mode") == "REPLACE", request.get("dry_run", False)
    store.lock_account(context.connection, context.account.id)
    outcome = _compared(context, _plan(key), request.get(key, ()), request.get("rejected", ()))
    _refuse_wrong_items(outcome, replacing=replacing, keep_valid=request.get("on_error") == "KEEP_VALID")
    missing = _missing(context, key, outcome, limit) if replacing else []
    if not dry_run:
        store.upsert(context.connection, _plan(key).table, outcome.rows)
        _deactivate(context, _plan(key).table, missing)
    received = len(outcome.items)
    outcome.items += [{"reference": reference, "action": "REMOVED"} for reference in missing]
    counts = Counter(item["action"] for item in outcome.items)
    return {
        "dry_run": dry_run,
        "received": received,
        **{action.lower(): counts[action] for action in _ACTIONS},
        "items": outcome.items,
        "errors": outcome.errors,
    }


def _compared(context: Context, plan: _Plan, items: Sequence[Item], rejected: Iterable[Error]) -> _Outcome:
    """Compare every item with what is known, in the order of the message."""
    outcome, taken = _Outcome(), set[str | None]()
    known = store.known(context.connection, plan.table, context.account.id, [item["reference"] for item in items])
    check = plan.prepare(context, items)
    for index, item, errors in _positions(items, rejected):
        if item is None:
            reference = next((error.reference for error in errors if error.reference), None)
        else:
            reference = item["reference"]
            stored = known.get(reference)
            row, wrong_names = _laid_over(plan, stored, item)
            errors = [_twice(reference)] if reference in taken else [*wrong_names, *check(item, row)]
        taken.add(reference)
        if errors:
            outcome.errors += [replace(error, index=index, reference=reference) for error in errors]
            action = "REJECTED"
        elif stored is not None and tuple(row.values()) == stored:
            action = "UNCHANGED"
        else:
            action = "CREATED" if stored is None else "UPDATED"
            outcome.rows.append((context.account.id, *row.values(), context.now, context.now))
        outcome.items.append({"index": index, "reference": reference, "action": action})
    return outcome


def _positions(items: Sequence[Item], rejected: Iterable[Error]) -> Iterator[tuple[int, Item | None, Sequence[Error]]]:
    """Put the items where they stood in the message, between those that were found to be wrong before."""
    wrong: dict[int | None, list[Error]] = {}
    for error in rejected:
        wrong.setdefault(error.index, []).append(error)
    remaining = iter(items)
    for index in range(1, len(items) + len(wrong) + 1):
        yield (index, None, wrong[index]) if index in wrong else (index, next(remaining), ())


def _laid_over(plan: _Plan, stored: tuple[Any, ...] | None, item: Item) -> tuple[Row, Sequence[Error]]:
    """Lay what an item says over what is stored; also return what is wrong with its clearFields."""
    row = plan.blank.copy() if stored is None else dict(zip(plan.blank, stored, strict=True))
    row.update(item)
    row["active"] = True
    for key, write in plan.nested:
        if key in item:
            row[key] = write(item[key])
    if "clear_fields" not in row:
        return row, ()
    names = dict.fromkeys(row.pop("clear_fields"))
    row.update((plan.optional[name], None) for name in names if name in plan.optional)
    return row, [error for name in names for error in _wrong_to_clear(plan, item, name)]


def _wrong_to_clear(plan: _Plan, item: Item, name: str) -> Iterator[Error]:
    if name not in plan.optional:
        message = f"clearFields names {name[:80]}, which is not an optional element of this item."
        hint = "Use the names of the schema, for example birthDate; required elements cannot be emptied."
        yield Error(Code.UNKNOWN_FIELD, message, field="clearFields", value=name[:80], hint=hint)
    elif plan.optional[name] in item:
        message = f"{name} is sent, and clearFields says to empty it."
        yield Error(Code.VALUES_CONTRADICT, message, field=name, hint=f"Leave {name} out, or out of clearFields.")


def _twice(reference: str) -> Error:
    message = f"The reference {reference} stands in this message before."
    return Error(Code.DUPLICATE_REFERENCE, message, field="reference", hint="Send each item once.")


def _refuse_wrong_items(outcome: _Outcome, *, replacing: bool, keep_valid: bool) -> None:
    """Raise Refused with the errors of the items, unless they may be left out and all others be stored."""
    nameless = [item["index"] for item in outcome.items if item["reference"] is None] if replacing else []
    if not outcome.errors or (keep_valid and not nameless):
        return
    errors = [_nameless(index) for index in nameless] + outcome.errors
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


def _missing(context: Context, key: str, outcome: _Outcome, limit: int | None) -> list[str]:
    """Return the active references that the message lacks, sorted; Refused when they are more than allowed."""
    table = _plan(key).table
    mine = table.c.account_id == context.account.id
    active = set(context.connection.scalars(select(table.c.reference).where(mine, table.c.active)))
    missing = sorted(active.difference(item["reference"] for item in outcome.items))
    allowed = max(_FREE_REMOVALS, len(active) // _FREE_SHARE) if limit is None else limit
    if len(missing) > allowed:
        message = f"{len(missing)} of {len(active)} {key} would become inactive; at most {allowed} may."
        hint = f"If this is meant, send maxRemovals {len(missing)}; if not, look whether the export is complete."
        raise Refused(Error(Code.REMOVAL_THRESHOLD, message, field="maxRemovals", hint=hint))
    return missing


def _deactivate(context: Context, table: Table, references: Sequence[str]) -> None:
    if references:
        listed = store.is_among(context.connection, table.c.reference, references)
        change = update(table).where(table.c.account_id == context.account.id, listed)
        context.connection.execute(change.values(active=False, modified_on=context.now))
