"""The database's driver, past SQLAlchemy: statements that are handed to it as they are, and what its errors mean."""

import sqlite3
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

# What PostgreSQL's driver does not call operational: a server that only reads, such as a standby that is not yet the
# new primary, and a transaction that was idle for too long (PostgreSQL, appendix A).
_PASSING = {"25006", "25P03"}


class Busy(Exception):  # noqa: N818 - a state of the database, named as callers speak of it
    """The database cannot take this transaction now; nothing was stored."""


def on_driver(connection: Connection, sql: str, parameters: Any, *, many: bool = False) -> Any:
    """Execute in the transaction of a connection, for each row of parameters if `many`; return the driver's cursor.

    Raises Busy, or the driver's error as SQLAlchemy tells it.
    """
    try:
        cursor: Any = connection.connection.cursor()
        return cursor.executemany(sql, parameters) if many else cursor.execute(sql, parameters)
    except connection.dialect.loaded_dbapi.Error as failure:
        if is_passing(failure):
            raise Busy(reason(failure)) from failure
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(sql, parameters, failure, base, hide_parameters=True) from failure


def is_passing(failure: Exception) -> bool:
    """Say whether an error of the database, or of its driver, may be gone later, with the same statements."""
    original = getattr(failure, "orig", None) or failure
    if isinstance(original, sqlite3.Error):
        # "no such table" is an OperationalError, too.
        general = getattr(original, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
        return isinstance(original, sqlite3.OperationalError) and not general
    kinds = {kind.__name__ for kind in type(original).__mro__}
    return "OperationalError" in kinds or getattr(original, "sqlstate", None) in _PASSING


def reason(failure: Exception) -> str:
    """Return what a database that is busy says; there are no values in it."""
    original = getattr(failure, "orig", None) or failure
    return f"{type(original).__name__}: {original}".strip()
