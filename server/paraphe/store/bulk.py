"""Many rows of a repository table at once: one statement and, on PostgreSQL, one parameter for all of them.

Rows are handed over by columns, their values in the form in which the database's driver gives and takes them (see
`driver_form`): a bulk is compared and written without a conversion of each value.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.types import TypeEngine

from .driver import on_driver
from .tables import Money, UtcDateTime, moment_text


def driver_form(connection: Connection, column: Column[Any], values: Sequence[Any]) -> Sequence[Any]:
    """Return a column's values as the driver takes them; None stays None."""
    if connection.dialect.name == "postgresql":
        return values
    return _TO_SQLITE.get(type(column.type), _unchanged)(values)


def python_form(connection: Connection, column: ColumnElement[Any], values: Sequence[Any]) -> Sequence[Any]:
    """Return a column's values as Python has them: the reverse of `driver_form`."""
    if connection.dialect.name == "postgresql":
        return values
    return _FROM_SQLITE.get(type(column.type), _unchanged)(values)


Convert = Callable[[Sequence[Any]], Sequence[Any]]
# Kept, because the values of a bulk repeat.
_day_text = lru_cache(4096)(date.isoformat)
_day = lru_cache(4096)(date.fromisoformat)
_moment = lru_cache(4096)(datetime.fromisoformat)
_amount = lru_cache(4096)(lambda hundredths: Decimal(hundredths).scaleb(-2))


def _unchanged(values: Sequence[Any]) -> Sequence[Any]:
    return values


_TO_SQLITE: dict[type[TypeEngine[Any]], Convert] = {
    Boolean: lambda values: [value if value is None else int(value) for value in values],
    Date: lambda values: [value and _day_text(value) for value in values],
    UtcDateTime: lambda values: [value and moment_text(value) for value in values],
}
_FROM_SQLITE: dict[type[TypeEngine[Any]], Convert] = {
    Boolean: lambda values: [value if value is None else bool(value) for value in values],
    Date: lambda values: [value and _day(value) for value in values],
    UtcDateTime: lambda values: [value and _moment(value) for value in values],
    Money: lambda values: [value if value is None else _amount(value) for value in values],
}


def by_columns(connection: Connection, statement: Select[Any]) -> dict[str, Sequence[Any]]:
    """Return what a statement finds, by columns of the tables, as Python has the values."""
    result: Any = connection.execute(statement)
    # The driver's own rows: to wrap each of a thousand, and to convert its values, takes longer than to read it.
    rows = result.cursor.fetchall()
    columns = zip(*rows, strict=True) if rows else [()] * len(statement.selected_columns)
    return {
        str(column.key): python_form(connection, column, values)
        for column, values in zip(statement.selected_columns, columns, strict=True)
    }


def upsert(connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows of a repository table, or update those whose (account_id, reference) is there already.

    `columns` are the rows' values by the column's name, in the driver's form, with those two and `created_on` among
    them. Columns that it lacks stay empty in a new row; they keep their value in an existing one, and so does
    `created_on`. One statement whatever the number of rows.
    """
    _run(connection, _upsert_statement(table, connection.dialect.name, tuple(columns)), columns)


def _run(connection: Connection, statement: str, columns: Mapping[str, Sequence[Any]]) -> None:
    rows = list(zip(*columns.values(), strict=True))
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        on_driver(connection, statement, rows, many=True)
        return
    said = [{name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]
    on_driver(connection, statement, (orjson.dumps(said).decode(),))


@lru_cache(256)
def _upsert_statement(table: Table, dialect: str, names: tuple[str, ...]) -> str:
    columns = _quoted(names)
    kept = ("account_id", "reference", "created_on")
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in kept)
    values = f"VALUES ({', '.join('?' * len(names))})"
    if dialect == "postgresql":
        values = f"SELECT {columns} FROM {_sent(table)}"  # noqa: S608
    return (
        f'INSERT INTO "{table.name}" ({columns}) {values} ON CONFLICT (account_id, reference) DO UPDATE SET {changed}'
    )


def _sent(table: Table) -> str:
    # One parameter for all rows; PostgreSQL reads each value as its column's type.
    return f'json_populate_recordset(NULL::"{table.name}", %s::json)'


def update(connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Change rows of a repository table. `columns` as for `upsert`; the last is `id`, which says the row."""
    names = tuple(columns)
    _run(connection, _update_statement(table, connection.dialect.name, names), columns)


@lru_cache(256)
def _update_statement(table: Table, dialect: str, names: tuple[str, ...]) -> str:
    changed = names[:-1]
    if dialect == "sqlite":
        return f'UPDATE "{table.name}" SET {_quoted(changed, " = ?")} WHERE id = ?'  # noqa: S608
    values = ", ".join(f'"{name}" = sent."{name}"' for name in changed)
    return f'UPDATE "{table.name}" AS stored SET {values} FROM {_sent(table)} AS sent WHERE stored.id = sent.id'  # noqa: S608


def known(
    connection: Connection, table: Table, account_id: int, references: Sequence[str], names: Sequence[str]
) -> list[Sequence[Any]]:
    """Return what a repository table holds under each of these references, active or not, by columns.

    Each column has a value for every reference, in their order and in the driver's form: None where a row has none, and
    throughout where there is no such row.
    """
    dialect = connection.dialect.name
    statement = _known_statement(table, dialect, tuple(names))
    cursor = on_driver(connection, statement, (_listed(dialect, references), account_id))
    if dialect == "postgresql":
        return list(zip(*cursor.fetchall(), strict=True))
    # As JSON, because to make an object of each of 17 000 cells takes the driver twice as long as all this.
    return [orjson.loads(column) for column in cursor.fetchone()]


@lru_cache(256)
def _known_statement(table: Table, dialect: str, names: tuple[str, ...]) -> str:
    # The references drive the join, so what is found comes in their order.
    if dialect == "postgresql":
        columns = ", ".join(f'stored."{name}"' for name in names)
        return (
            f"SELECT {columns} FROM unnest(%s::text[]) WITH ORDINALITY AS sent (reference, place) "  # noqa: S608
            f'LEFT JOIN "{table.name}" AS stored ON stored.reference = sent.reference AND stored.account_id = %s '
            "ORDER BY sent.place"
        )
    columns = ", ".join(f'json_group_array(stored."{name}")' for name in names)
    return (
        f"SELECT {columns} FROM json_each(?) AS sent "  # noqa: S608
        f'LEFT JOIN "{table.name}" AS stored ON stored.reference = sent.value AND stored.account_id = ?'
    )


def _quoted(names: Sequence[str], then: str = "") -> str:
    return ", ".join(f'"{name}"{then}' for name in names)


def is_among(connection: Connection, column: Column[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Say `column IN values` with one parameter, however many the values are."""
    dialect = connection.dialect.name
    return _among(dialect, column, bindparam(None, _listed(dialect, values), type_=_list_types[dialect]))


def is_alone(connection: Connection, column: Column[int], value: int) -> ColumnElement[bool]:
    """Say `column = value` where rows are ordered by this column and the next one of its index.

    PostgreSQL drops a column from the order when it is told to be equal to something. Then it goes through the primary
    key, past the rows of everybody else, whenever it believes that enough of them are the right ones.
    """
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, [value], type_=ARRAY(BigInteger)))
    return column == value


_list_types: dict[str, TypeEngine[Any]] = {"postgresql": ARRAY(Text), "sqlite": Text()}


def _listed(dialect: str, values: Sequence[str]) -> Any:
    return list(values) if dialect == "postgresql" else orjson.dumps(list(values)).decode()


def _among(dialect: str, column: Column[str], listed: BindParameter[Any]) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return column == any_(listed)
    return column.in_(select(func.json_each(listed).table_valued("value").c.value))
