"""The whole database copied out, as it is at one moment, and put back: a file of SQLite, or a dump of PostgreSQL."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, NullPool, Select, column, create_engine, inspect, select, table, text, union

from ..spool import make_durable
from .transactions import reading


class CannotCopy(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The database cannot be copied or put back; the text is a sentence for the operator."""


FILES = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
"""What the copy of each kind of database is called."""


@contextmanager
def copied(engine: Engine, folder: Path) -> Iterator[tuple[Path, Connection]]:
    """Copy the database into a file of `folder` while others read and write.

    Gives the file, and a connection that sees the database as it is in there. Raises CannotCopy.
    """
    target = folder / FILES[engine.dialect.name]
    target.touch(mode=0o600, exist_ok=False)
    if engine.dialect.name == "sqlite":
        _vacuum(Path(str(engine.url.database)), target)
        copy = create_engine("sqlite://", creator=lambda: _opened(target, "ro&immutable=1"), poolclass=NullPool)
        with copy.connect() as connection:
            yield target, connection
    else:
        with reading(engine) as connection:
            # It waits for pg_dump, for longer than an idle transaction may last otherwise.
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
            options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}"]
            _run("pg_dump", engine, options)
            yield target, connection


def _opened(file: Path, mode: str = "rw") -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True)


def _vacuum(source: Path, target: Path) -> None:
    """Write what SQLite has at this moment into an empty file: one read, which writers do not disturb."""
    try:
        with closing(_opened(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise CannotCopy(f"The database {source} cannot be copied: {error}.") from error


def put_back(engine: Engine, copy: Path) -> None:
    """Put a copy to where there is no database yet (SQLite), or nothing in it (PostgreSQL).

    All of it, or nothing. Raises CannotCopy; it overwrites nothing.
    """
    if copy.name != FILES[engine.dialect.name]:
        raise CannotCopy(f"The copy {copy} is not one of {engine.dialect.name}, which the setting `database` asks for.")
    if engine.dialect.name == "sqlite":
        _put_file(copy, Path(str(engine.url.database)))
    else:
        with reading(engine) as connection:
            taken = inspect(connection).get_table_names()
        if taken:
            raise CannotCopy("The database is not empty: give a fresh one, made by `createdb`. Nothing was changed.")
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(copy)]
        _run("pg_restore", engine, options)


def _put_file(copy: Path, target: Path) -> None:
    for each in (target, Path(f"{target}-wal"), Path(f"{target}-shm")):
        if each.exists():
            raise CannotCopy(f"There is a file {each} already: move it away first. Nothing was changed.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    arriving = Path(f"{target}.restoring")
    try:
        with copy.open("rb") as source, _made(arriving) as file:
            shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        target.hardlink_to(arriving)  # unlike a renaming, it fails if somebody was faster
        make_durable(target.parent)
    finally:
        arriving.unlink(missing_ok=True)


def _made(path: Path) -> IO[bytes]:
    """Make a file that only its owner can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _run(program: str, engine: Engine, options: list[str]) -> None:
    """Run a program of PostgreSQL against a database; its password goes through the environment, for no one to see."""
    path = shutil.which(program)
    if path is None:
        raise CannotCopy(f"{program} is not installed: it comes with PostgreSQL's client programs.")
    url = engine.url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    password = {"PGPASSWORD": str(engine.url.password)} if engine.url.password else {}
    done = subprocess.run(  # noqa: S603 - a program of the operator's, without a shell
        [path, *options, f"--dbname={url}"],
        env=os.environ | password,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotCopy(f"{program} failed: {' '.join(done.stderr.split())[:1000]}")


def digests(connection: Connection) -> Iterator[str]:
    """Yield the digest of all content that the database speaks of, each once, in order.

    Looks into every column whose name ends in "sha256" as the database has them, also one of another version.
    """
    found: list[Select[Any]] = [
        select(column(each["name"]).label("digest")).select_from(table(name)).where(column(each["name"]).is_not(None))
        for (_, name), columns in sorted(inspect(connection).get_multi_columns().items())
        for each in columns
        if str(each["name"]).endswith("sha256")
    ]
    if found:
        all_of_them = union(*found).order_by("digest").execution_options(yield_per=1000)
        yield from connection.execute(all_of_them).scalars()
