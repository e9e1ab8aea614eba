"""Statements that every message needs, compiled once and handed to the driver as they are.

SQLAlchemy takes some 60 microseconds to execute a statement that it has kept, the driver 15; a message of one student
needs five.
"""

from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, Insert, PoolProxiedConnection, Select, Update
from sqlalchemy.exc import TimeoutError as NoConnection

from .driver import Busy, is_passing, on_driver, reason


class Prepared:
    """An INSERT of one row with these columns, an UPDATE, or a SELECT of one row at most.

    Raises Busy where SQLAlchemy's statements raise what `reading` and `writing` tell as Busy.
    """

    def __init__(self, statement: Insert | Update | Select[Any], columns: Sequence[str] | None = None) -> None:
        self.statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Run the statement in the connection's transaction."""
        self._run(connection, values)

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Return the row, with its columns by their names, or None."""
        cursor = self._run(connection, values)
        return self.compiled(connection.dialect).row(cursor.fetchone())

    def compiled(self, dialect: Dialect) -> "_Compiled":
        """Return the statement as this database understands it."""
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = _Compiled(self.statement, self._columns, dialect)
        return self._compiled[dialect.name]

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        compiled = self.compiled(connection.dialect)
        return on_driver(connection, compiled.sql, compiled.parameters(values))


class Lookup:
    """A SELECT of one row at most, outside of a transaction: a third of the CPU that a transaction for it costs."""

    def __init__(self, engine: Engine, statement: Select[Any]) -> None:
        self._engine = engine
        self._compiled = _Compiled(statement, None, engine.dialect)
        self.sql = self._compiled.sql

    def first(self, **values: Any) -> Any:
        """Return the row, with its columns by their names, or None. Raises Busy."""
        driver = self._engine.dialect.loaded_dbapi
        try:
            connection = self._engine.raw_connection()
            try:
                found = self._found(connection, self._compiled.parameters(values))
            except BaseException:  # whatever it was, nobody knows what state the connection is in
                connection.invalidate()
                raise
            finally:
                connection.close()
        except (driver.Error, NoConnection) as failure:
            if not isinstance(failure, NoConnection) and not is_passing(failure):
                raise
            raise Busy(reason(failure)) from failure
        return self._compiled.row(found)

    def _found(self, connection: PoolProxiedConnection, parameters: Any) -> Any:
        if self._engine.dialect.name == "sqlite":
            return connection.cursor().execute(self.sql, parameters).fetchone()
        driver: Any = connection.driver_connection
        driver.autocommit = True  # else the driver asks for a transaction first, and the pool for its end
        found = driver.execute(self.sql, parameters).fetchone()
        driver.autocommit = False
        return found


class _Compiled:
    """A statement for one kind of database."""

    def __init__(
        self, statement: Insert | Update | Select[Any], columns: Sequence[str] | None, dialect: Dialect
    ) -> None:
        if isinstance(statement, Insert):
            statement = statement.inline()  # nobody asks for the number of the new row
        selected = list(statement.selected_columns) if isinstance(statement, Select) else []
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        self._names: Sequence[str] = compiled.positiontup or list(compiled.params)
        self._by_position = compiled.positiontup is not None
        binds = {compiled.bind_names[bind]: bind.type.dialect_impl(dialect) for bind in compiled.bind_names}
        self._writers = [binds[name].bind_processor(dialect) for name in self._names]
        self._row: Any = namedtuple("Row", [column.key for column in selected])  # type: ignore[misc]
        types = [column.type.dialect_impl(dialect) for column in selected]
        self._readers: list[Any] = [kind.result_processor(dialect, None) for kind in types]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """Return the values as the driver takes them."""
        said = [
            values[name] if write is None else write(values[name])
            for name, write in zip(self._names, self._writers, strict=True)
        ]
        return said if self._by_position else dict(zip(self._names, said, strict=True))

    def row(self, found: Sequence[Any] | None) -> Any:
        """Return what the driver found as a row of Python's values."""
        if found is None:
            return None
        pairs = zip(self._readers, found, strict=True)
        return self._row._make([value if read is None else read(value) for read, value in pairs])
