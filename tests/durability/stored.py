"""What is stored, read without the product: rows by SQL of our own, files by their place in the store."""

import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]

TABLES = (
    *("account", "student", "teacher", "classroom", "course", "contact"),
    *("record", "document", "record_event", "message", "journal"),
)


class Files(Protocol):
    """The files of a store by their digest."""

    def content(self, digest: str) -> bytes | None:
        """Return what lies under a digest, None if nothing does."""


@dataclass(frozen=True)
class Folder:
    root: Path

    def content(self, digest: str) -> bytes | None:
        path = self.root / digest[:2] / digest[2:4] / digest
        return path.read_bytes() if path.exists() else None


@dataclass(frozen=True)
class Bucket:
    """A bucket that anybody may read, by the address of its prefix."""

    address: str

    def content(self, digest: str) -> bytes | None:
        try:
            with urllib.request.urlopen(f"{self.address}/{digest[:2]}/{digest[2:4]}/{digest}", timeout=60) as response:
                content: bytes = response.read()
                return content
        except urllib.error.HTTPError as refused:
            if refused.code != 404:
                raise
            return None


@dataclass(frozen=True)
class Stored:
    """All rows of a database, by table and in the order of their ids; `damage` is what it says of itself."""

    tables: dict[str, list[Row]]
    files: Files
    damage: list[str]

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables[table]


def read(database: str, files: Files) -> Stored:
    """Read the database at an address as the product is given it, while no server runs."""
    if database.startswith("sqlite:///"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
            connection.row_factory = sqlite3.Row
            tables = {name: [dict(row) for row in connection.execute(_all(name))] for name in TABLES}
            return Stored(tables, files, list(_damage(connection)))
    with psycopg.connect(database.replace("+psycopg", "", 1), row_factory=dict_row) as connected:
        return Stored({name: connected.execute(_all(name)).fetchall() for name in TABLES}, files, [])


def _all(table: str) -> Any:
    return f'SELECT * FROM "{table}" ORDER BY id'


def _damage(connection: sqlite3.Connection) -> Iterator[str]:
    yield from (row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok")
    yield from (f"{row[0]} {row[1]} refers to nothing" for row in connection.execute("PRAGMA foreign_key_check"))
