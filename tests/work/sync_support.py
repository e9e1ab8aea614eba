"""A school that sends Sync messages, one transaction each, and what it then finds in the tables."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, RowMapping, select

from paraphe import store
from paraphe.accounts import Account
from paraphe.columns import rows
from paraphe.context import Context
from paraphe.errors import Code, Error, Refused
from paraphe.work import sync

LATER = datetime(2026, 9, 15, 7, 30, tzinfo=UTC)


@dataclass(frozen=True)
class School:
    """One account; `sync` is a call that succeeds, `refused` one that does not. Messages come in slices of a length."""

    engine: Engine
    account: Account
    context: Callable[..., Context]
    slice_length: int = 1000

    def sync(self, operation: str, items: list[dict[str, Any]], *, now: datetime | None = None, **request: Any) -> Any:
        at = {} if now is None else {"now": now}
        with store.writing(self.engine) as connection:
            context = self.context(connection, account=self.account, **at)
            answer = getattr(sync, operation)(context, {operation: slices(items, self.slice_length), **request})
        return answer | {"items": [row for columns in answer["items"] for row in rows(columns)]}

    def refused(self, operation: str, items: list[dict[str, Any]], **request: Any) -> tuple[Error, ...]:
        with pytest.raises(Refused) as refusal:
            self.sync(operation, items, **request)
        return refusal.value.errors

    def rows(self, table: str) -> dict[str, RowMapping]:
        """Every row of this account, active or not, by its reference."""
        whole = store.metadata.tables[table]
        with store.reading(self.engine) as connection:
            found = connection.execute(select(whole).where(whole.c.account_id == self.account.id)).mappings().all()
        return {row["reference"]: row for row in found}

    def active(self, table: str) -> list[str]:
        return sorted(reference for reference, row in self.rows(table).items() if row["active"])

    def of(self, account: Account) -> "School":
        return replace(self, account=account)


def slices(items: list[dict[str, Any]], length: int) -> list[dict[str, list[Any]]]:
    """Return items as a decoded message holds them: in slices, by columns."""
    return [columns(items[begin : begin + length]) for begin in range(0, len(items), length)]


def columns(items: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return items as a decoded message holds them: by element, with None where an item lacks it."""
    return {key: [item.get(key) for item in items] for key in dict.fromkeys(key for item in items for key in item)}


def student(reference: str, **elements: Any) -> dict[str, Any]:
    return {"reference": reference, "last_name": "Le Goff", "first_name": "Aurélie", **elements}


def students(count: int) -> list[dict[str, Any]]:
    return [student(f"S{number:03}") for number in range(1, count + 1)]


def course(reference: str, **elements: Any) -> dict[str, Any]:
    morning = {"start": datetime(2026, 9, 14, 7, tzinfo=UTC), "end": datetime(2026, 9, 14, 10, 30, tzinfo=UTC)}
    return {"reference": reference, "name": "Bases de données", **morning, **elements}


def actions(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["reference"], item["action"]) for item in answer["items"]]


def counts(answer: dict[str, Any]) -> dict[str, int]:
    """What is not zero among the counts."""
    names = ("received", "created", "updated", "unchanged", "removed", "rejected")
    return {name: answer[name] for name in names if answer[name]}


def said(errors: tuple[Error, ...] | list[Error]) -> list[tuple[int | None, Code, str | None]]:
    return [(error.index, error.code, error.field) for error in errors]
