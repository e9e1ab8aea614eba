"""Many rows of a repository table at once: one statement and, on PostgreSQL, one parameter for all of them."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.types import TypeEngine

from .tables import moment_text


def upsert(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of a repository table, or update those whose (account_id, reference) is there already.

    Each row holds a value for every column of `columns_of(table)`, in that order. One statement whatever the number
    of rows; `created_on` of an existing row stays.
    """
    if not rows:
        return
    columns = columns_of(table)
    if connection.dialect.name == "sqlite":
        # Its driver takes twice as long for NULL as for a text, and most columns of most messages are empty.
        values = {
            name: column
            for name, column in zip(columns, zip(*rows, strict=True), strict=True)
            if column.count(None) < len(rows)
        }
        connection.exec_driver_sql(
            _upsert_statement(table, "sqlite", tuple(values)), list(zip(*values.values(), strict=True))
        )
        return
    statement = _upsert_statement(table, "postgresql", columns)
    said = [{name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]
    document = json.dumps(said, default=_plain, ensure_ascii=False, check_circular=False)
    connection.exec_driver_sql(statement, (document,))


@cache
def columns_of(table: Table) -> tuple[str, ...]:
    """Return the names of all columns but `id`, in the table's order."""
    return tuple(column.name for column in table.c if column.name != "id")


@lru_cache(256)
def _upsert_statement(table: Table, dialect: str, filled: tuple[str, ...]) -> str:
    """Return the statement for rows that have nothing in any column but the `filled` ones."""
    columns = ", ".join(f'"{name}"' for name in filled)
    changed = ", ".join(
        f'"{name}" = ' + (f'excluded."{name}"' if name in filled else "NULL")
        for name in columns_of(table)
        if name not in ("account_id", "reference", "created_on")
    )
    if dialect == "sqlite":
        values = "VALUES (" + ", ".join("?" * len(filled)) + ")"
    else:
        # One parameter for all rows; the database reads each value as its column's type.
        values = f'SELECT {columns} FROM json_populate_recordset(NULL::"{table.name}", %s::json)'  # noqa: S608
    return (
        f'INSERT INTO "{table.name}" ({columns}) {values} ON CONFLICT (account_id, reference) DO UPDATE SET {changed}'
    )


@lru_cache(4096)
def _plain(value: date | datetime) -> str:
    return value.isoformat()


# What the bulk path hands to SQLite's driver by itself, in the form that the types above give to single statements.
# Cached, because the values of a bulk repeat: a thousand students take 6 ms instead of 12. Without its line a bool
# would be looked for in vain, one by one.
sqlite3.register_adapter(date, lru_cache(4096)(date.isoformat))
sqlite3.register_adapter(datetime, moment_text)
sqlite3.register_adapter(bool, int)


def known(
    connection: Connection, table: Table, account_id: int, references: Sequence[str]
) -> dict[str, tuple[Any, ...]]:
    """Return what a repository table holds under these references, active or not, by the reference.

    Each row holds the values of `known_columns(table)`.
    """
    dialect = connection.dialect.name
    values = {"account": account_id, "references": _listed(dialect, references)}
    return {row[0]: tuple(row) for row in connection.execute(_known_statement(table, dialect), values)}


def known_columns(table: Table) -> tuple[str, ...]:
    """Return those of `columns_of(table)` from `reference` to `active`: all but the account and the two dates."""
    return columns_of(table)[1:-2]


@cache
def _known_statement(table: Table, dialect: str) -> Select[Any]:
    # Kept, because to build it for each message takes several times as long as to run it for one row.
    columns = [table.c[name] for name in known_columns(table)]
    references = bindparam("references", type_=_list_types[dialect])
    return select(*columns).where(
        table.c.account_id == bindparam("account"), _among(dialect, table.c.reference, references)
    )


def is_among(connection: Connection, column: Column[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Say `column IN values` with one parameter, however many the values are."""
    dialect = connection.dialect.name
    return _among(dialect, column, bindparam(None, _listed(dialect, values), type_=_list_types[dialect]))


_list_types: dict[str, TypeEngine[Any]] = {"postgresql": ARRAY(Text), "sqlite": Text()}


def _listed(dialect: str, values: Sequence[str]) -> Any:
    return list(values) if dialect == "postgresql" else json.dumps(list(values), ensure_ascii=False)


def _among(dialect: str, column: Column[str], listed: BindParameter[Any]) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return column == any_(listed)
    return column.in_(select(func.json_each(listed).table_valued("value").c.value))
