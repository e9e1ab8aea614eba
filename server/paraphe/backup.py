"""Database and documents copied to a safe place, put back from there, and compared with each other.

A backup folder holds one folder for each copy of the database, named by the moment at which it was begun, and one
archive that all of them share: content has its digest for a name and never changes, so it is copied once. The database
goes first, then the documents that it speaks of. See docs/decisions/2026-11-22-backup.md.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Engine, select

from . import __version__, migrations, store
from .archive import Archive, Damaged, Folder, Missing
from .spool import make_durable

_MANIFEST = "manifest.json"
_DOCUMENTS = "documents"
_AT_ONCE = 4  # documents that are copied at once; each is in memory as a whole
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")

Told = dict[str, Any]


class NoBackup(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """What was asked for cannot be done; the text is a sentence for the operator."""


class Incomplete(NoBackup):
    """It was done, but documents are missing or damaged; `told` is what was done."""

    def __init__(self, sentence: str, told: Told) -> None:
        super().__init__(sentence)
        self.told = told


# Backing up --------------------------------------------------------------------------------------------------------


def back_up(engine: Engine, archive: Archive, folder: Path, now: datetime, keep: int | None = None) -> Told:
    """Copy the database into a new folder, then add the documents that it speaks of to those already in `folder`.

    A server may run and write meanwhile. With `keep`, older copies of the database beyond so many are removed, once
    this one is whole; documents never are. Raises NoBackup, Incomplete, CannotCopy, Unavailable.
    """
    name = now.strftime("%Y-%m-%dT%H%M%SZ")
    arriving, target = folder / f"{name}.incomplete", folder / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if target.exists() or arriving.exists():
        raise NoBackup(f"There is a backup {target} already, or one is being made: try again in a second.")
    arriving.mkdir(mode=0o700)
    try:
        told = _copy(engine, archive, arriving, Folder(folder / _DOCUMENTS)) | {"madeOn": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        (arriving / _MANIFEST).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        _settle(arriving)
        arriving.rename(target)
        make_durable(folder)
    except BaseException:
        shutil.rmtree(arriving, ignore_errors=True)
        raise
    told |= {"backup": str(target), "removed": _forget(folder, keep)}
    if told["missing"]:
        raise Incomplete(f"The backup {target} lacks documents: run `paraphe check`.", told)
    return told


def _copy(engine: Engine, archive: Archive, arriving: Path, kept: Folder) -> Told:
    with ExitStack() as files:
        with store.copied(engine, arriving) as (file, connection):
            digests = files.enter_context(_spooled(store.digests(connection)))
            version = migrations.version_of(connection)
        of_database = {"databaseVersion": version, "database": file.name, "sha256": _digest(file)}
        return {"paraphe": __version__} | of_database | _add(archive, kept, digests)


def _add(archive: Archive, kept: Folder, digests: Iterator[str]) -> Told:
    """Add what is not there yet, a few at a time: a disk makes several files durable in the time of one."""

    def add(digest: str) -> int | None:
        try:
            content = archive.read(digest)
        except (Missing, Damaged):
            return None
        kept.keep(content)
        return len(content)

    documents = added = size = 0
    missing = []
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        while some := list(islice(digests, 1000)):
            documents += len(some)
            new = [digest for digest in some if not kept.holds(digest)]
            for digest, length in zip(new, threads.map(add, new), strict=True):
                if length is None:
                    missing.append(digest)
                else:
                    added, size = added + 1, size + length
    return {"documents": documents, "addedDocuments": added, "addedBytes": size, "missing": missing}


@contextmanager
def _spooled(lines: Iterable[str]) -> Iterator[Iterator[str]]:
    """Read all lines at once and give them from a file: nobody waits for who works on them, and memory stays flat."""
    with tempfile.TemporaryFile("w+", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)
        yield _from_start(file)


def _from_start(file: IO[str]) -> Iterator[str]:
    file.seek(0)
    for line in file:
        yield line.rstrip("\n")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _settle(folder: Path) -> None:
    for file in folder.iterdir():
        make_durable(file)
    make_durable(folder)


def _forget(folder: Path, keep: int | None) -> list[str]:
    """Remove all but the newest copies of the database."""
    old = _copies(folder)[:-keep] if keep else []
    for each in old:
        shutil.rmtree(each)
    return [each.name for each in old]


def _copies(folder: Path) -> list[Path]:
    """Return the copies of the database that are whole, the oldest first."""
    return sorted(path.parent for path in folder.glob(f"*/{_MANIFEST}") if _NAME.fullmatch(path.parent.name))


# Restoring ---------------------------------------------------------------------------------------------------------


def restore_database(engine: Engine, folder: Path, name: str | None = None) -> Told:
    """Put the newest copy of the database, or the one of that name, to where there is none.

    The copy has to be what was written: its digest is compared first. Raises NoBackup, CannotCopy.
    """
    copies = _copies(folder)
    if not copies:
        raise NoBackup(f"There is no backup in {folder}.")
    copy = next((each for each in copies if each.name == name), None) if name else copies[-1]
    if copy is None:
        raise NoBackup(f"There is no backup {name} in {folder}; there are {', '.join(each.name for each in copies)}.")
    told: Told = json.loads((copy / _MANIFEST).read_text(encoding="utf-8"))
    if _digest(copy / told["database"]) != told["sha256"]:
        raise NoBackup(f"The copy {copy / told['database']} is damaged: take another one. Nothing was changed.")
    store.put_back(engine, copy / told["database"])
    return {"backup": str(copy), "madeOn": told["madeOn"], "databaseVersion": told["databaseVersion"]}


def restore_documents(engine: Engine, archive: Archive, folder: Path) -> Told:
    """Give the archive what the database speaks of and it lacks, or has damaged. Raises Incomplete, Unavailable."""
    kept = Folder(folder / _DOCUMENTS)
    restored = present = 0
    missing = []
    with ExitStack() as files:
        for digest in _wanted(engine, files):
            if _is_whole(archive, digest):
                present += 1
                continue
            try:
                archive.keep(kept.read(digest))
            except (Missing, Damaged):
                missing.append(digest)
            else:
                restored += 1
    told = {"restoredDocuments": restored, "presentDocuments": present, "missing": missing}
    if missing:
        raise Incomplete(f"{len(missing)} documents are not in {folder}, or are damaged there as well.", told)
    return told


def _wanted(engine: Engine, files: ExitStack) -> Iterator[str]:
    """Return the digest of all that the database speaks of, without a connection that waits."""
    with store.reading(engine) as connection:
        return files.enter_context(_spooled(store.digests(connection)))


def refuse_unless_empty(archive: Archive) -> None:
    """Raise NoBackup if the archive holds anything."""
    if next(iter(archive.digests()), None) is not None:
        raise NoBackup(
            "The store is not empty: give an empty one, or restore the database alone (--only database), then what "
            "the store lacks (--only documents). Nothing was changed."
        )


def _is_whole(archive: Archive, digest: str) -> bool:
    with suppress(Missing, Damaged):
        for _ in archive.chunks(digest):
            pass
        return True
    return False


# Comparing ---------------------------------------------------------------------------------------------------------


def check(engine: Engine, archive: Archive, *, quick: bool = False) -> Told:
    """Compare the database with the archive: every document there, and what it was when it came?

    `quick` looks only whether it is there. Orphans are content that no row speaks of; they do no harm. A server may
    run meanwhile; what arrives just then may count as an orphan. Raises Incomplete, Unavailable.
    """
    # The archive is listed before the database: so what arrives in between is not taken for an orphan, and what seems
    # to be missing is looked for once more.
    with ExitStack() as files:
        listed = files.enter_context(_spooled(archive.digests()))
        wanted = _wanted(engine, files)
        documents, orphans, missing, damaged = _compared(archive, listed, wanted, quick=quick)
    told = {
        "documents": documents,
        "orphans": orphans,
        "missing": [_told(engine, digest) for digest in missing],
        "damaged": [_told(engine, digest) for digest in damaged],
    }
    if missing or damaged:
        sentence = f"Of {documents} documents, {len(missing)} are missing and {len(damaged)} are damaged: restore them."
        raise Incomplete(sentence, told)
    return told


def _compared(
    archive: Archive, listed: Iterator[str], wanted: Iterator[str], *, quick: bool
) -> tuple[int, int, list[str], list[str]]:
    """Walk through two lists in the same order."""
    documents = orphans = 0
    missing: list[str] = []
    damaged: list[str] = []
    there = next(listed, None)
    for digest in wanted:
        documents += 1
        while there is not None and there < digest:
            orphans, there = orphans + 1, next(listed, None)
        found = there == digest
        if found:
            there = next(listed, None)
        if found and quick:
            continue
        try:
            for _ in archive.chunks(digest):
                pass
        except Missing:
            missing.append(digest)
        except Damaged:
            damaged.append(digest)
    orphans += sum(1 for _ in listed) + (there is not None)
    return documents, orphans, missing, damaged


def _told(engine: Engine, digest: str) -> Told:
    """Say whose content it is: account numbers' names, records and documents, and how many signatures."""
    document, record, account, attendance = store.document, store.record, store.account, store.attendance
    documents = (
        select(account.c.name, account.c.environment, record.c.record_number, document.c.document_id)
        .select_from(document.join(record, record.c.id == document.c.record_id))
        .join(account, account.c.id == document.c.account_id)
        .where(document.c.sha256 == digest)
        .limit(100)
    )
    signatures = select(attendance.c.id).where(attendance.c.image_sha256 == digest).limit(100)
    with store.reading(engine) as connection:
        rows: Sequence[Any] = connection.execute(documents).all()
        images = len(connection.execute(signatures).all())
    return {
        "sha256": digest,
        "documents": [
            {"account": row.name, "environment": row.environment, "record": row.record_number, "id": row.document_id}
            for row in rows
        ],
        "signatures": images,
    }
