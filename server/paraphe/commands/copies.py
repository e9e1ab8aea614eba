"""Database and documents, copied and compared: backup, restore, check."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import backup, migrations
from .house import now, opened, refuse_without_database
from .line import Commands, show


def add_to(commands: Commands) -> None:
    """Add the commands of this module."""
    copy = commands.add("backup", _backup, "database", "store")
    copy.add_argument("folder", metavar="FOLDER", help="where all backups are; it is made if need be")
    copy.add_argument("--keep", type=_positive, metavar="N", help="remove all but the newest N copies of the database")
    back = commands.add("restore", _restore, "database", "store")
    back.add_argument("folder", metavar="FOLDER", help="the folder that was given to `paraphe backup`")
    back.add_argument(
        "--name", metavar="NAME", help="the backup in it, such as 2026-11-22T030000Z (default: the newest)"
    )
    back.add_argument(
        "--only", choices=("database", "documents"), help="documents: what the store lacks or has damaged"
    )
    compare = commands.add("check", _check, "database", "store")
    compare.add_argument("--quick", action="store_true", help="look whether documents are there, but do not read them")


def _backup(asked: argparse.Namespace) -> None:
    """Copy the database, and the documents that are not there yet, into a folder; servers may run."""
    with opened(asked, current=False) as house, _shown_anyway(asked):
        refuse_without_database(house)
        told = backup.back_up(house.engine, house.archive, Path(asked.folder), now(), asked.keep)
        text = f"The backup is {told['backup']}: {told['documents']} documents, {told['addedDocuments']} of them new."
        show(asked, told, text)


def _restore(asked: argparse.Namespace) -> None:
    """Put a backup into an empty database and an empty store."""
    folder = Path(asked.folder)
    with opened(asked, current=False) as house, _shown_anyway(asked):
        told: dict[str, Any] = {}
        if asked.only is None:
            backup.refuse_unless_empty(house.archive)
        if asked.only != "documents":
            told |= backup.restore_database(house.engine, folder, asked.name)
        else:
            refuse_without_database(house)
        if asked.only != "database":
            try:
                told |= backup.restore_documents(house.engine, house.archive, folder)
            except backup.Incomplete as incomplete:
                raise backup.Incomplete(str(incomplete), told | incomplete.told) from incomplete
        version = migrations.current(house.engine)
    upgrade = "" if version == migrations.head() else " Run `paraphe upgrade` now."
    text = f"Restored: {told.get('backup', 'documents')}, {told.get('restoredDocuments', 'no')} documents.{upgrade}"
    show(asked, told, text)


def _check(asked: argparse.Namespace) -> None:
    """Compare the database with the store: documents that are missing or damaged, and those of nobody."""
    with opened(asked) as house, _shown_anyway(asked):
        told = backup.check(house.engine, house.archive, quick=asked.quick)
        text = f"All {told['documents']} documents are there; {told['orphans']} others belong to nobody."
        show(asked, told, text)


@contextmanager
def _shown_anyway(asked: argparse.Namespace) -> Iterator[None]:
    """Show what was done also when documents are missing, which is told as a failure then."""
    try:
        yield
    except backup.Incomplete as incomplete:
        show(asked, incomplete.told, json.dumps(incomplete.told, ensure_ascii=False, indent=2))
        raise


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
