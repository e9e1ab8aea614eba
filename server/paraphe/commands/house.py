"""What commands stand on: settings, database and archive."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from .. import migrations, settings, store
from ..archive import Archive, open_archive
from ..settings import Settings, Unusable


@dataclass(frozen=True, slots=True)
class House:
    """What most commands need."""

    settings: Settings
    engine: Engine
    archive: Archive


def settings_of(asked: argparse.Namespace) -> Settings:
    """Read the settings of a command. Raises Unusable."""
    return settings.read(vars(asked), os.environ)


def ensure_templates(read: Settings) -> None:
    """Set every paper once with the operator's templates, if there are any. Raises Unusable."""
    if read.templates is not None:
        from ..documents.papers import BrokenTemplate
        from ..preview import sample, sample_papers

        try:
            for _ in sample_papers(sample(), read.templates):
                pass
        except BrokenTemplate as broken:
            raise Unusable([f"templates: {broken}"]) from broken


@contextmanager
def opened(asked: argparse.Namespace, *, current: bool = True) -> Iterator[House]:
    """Give settings, database and archive; `current` asks for a database that this program can work with."""
    with opened_with(settings_of(asked), current=current) as house:
        yield house


@contextmanager
def opened_with(read: Settings, *, current: bool = True) -> Iterator[House]:
    """Do the same with settings that were read already."""
    try:
        archive = open_archive(read.store)
    except ValueError as error:
        raise Unusable([f"store: {error}"]) from error
    file = file_of(read.database)
    if current and file and not file.exists():
        raise migrations.WrongVersion(
            f"There is no database at {file.absolute()}: run `paraphe init`, or set PARAPHE_DATABASE."
        )
    engine = store.open_engine(read.database)
    try:
        if current:
            migrations.ensure_current(engine)
        yield House(read, engine, archive)
    finally:
        engine.dispose()


def file_of(database: str) -> Path | None:
    """Return the file of a database, if it is one of SQLite."""
    return Path(database.removeprefix("sqlite:///")) if database.startswith("sqlite:///") else None


def refuse_without_database(house: House) -> None:
    """Raise WrongVersion if the database is a file that is not there."""
    if (file := file_of(house.settings.database)) and not file.exists():
        raise migrations.WrongVersion(f"There is no database at {file.absolute()}: set PARAPHE_DATABASE.")


@contextmanager
def changing(asked: argparse.Namespace) -> Iterator[Connection]:
    """Give a transaction; what it did is kept when the block ends."""
    with opened(asked) as house, store.writing(house.engine) as connection:
        yield connection


def now() -> datetime:
    """Look at the clock: the one place for commands."""
    return datetime.now(UTC)
