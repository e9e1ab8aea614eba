"""What an invoice goes through, and what must be so after its server was killed and another one started."""

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select, update

from paraphe import store

PATIENCE = 120  # seconds
INVOICES = Path(__file__).resolve().parents[2] / "fixtures" / "invoices"
INVOICE = (INVOICES / "FAC-2026-042.pdf").read_bytes()  # two trainees, three weeks
ORGANISATION = {"name": "Centre Erdre & Sillon", "siret": "00290361500017", "city": "Nantes"}


@dataclass(frozen=True)
class House:
    """A folder with database and store, and who may call."""

    folder: Path
    credentials: tuple[str, str]

    @property
    def environment(self) -> dict[str, str]:
        settings = {"DATABASE": self.database, "STORE": str(self.folder / "store"), "LISTEN": "127.0.0.1:0"}
        return os.environ | {f"PARAPHE_{name}": value for name, value in settings.items()}

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'paraphe.sqlite'}"

    def copy(self, folder: Path) -> "House":
        """The same in another folder."""
        shutil.copytree(self.folder, folder)
        return House(folder, self.credentials)

    def run(self, *words: str) -> Any:
        """Run a command; give what it wrote as JSON."""
        command = [sys.executable, "-m", "paraphe", *words, "--json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=True, timeout=PATIENCE)
        return json.loads(done.stdout)


def made(folder: Path) -> House:
    """A house with the school of the examples, whose papers are made; nothing runs."""
    folder.mkdir()
    house = House(folder, ("", ""))
    house.run("init")
    account = house.run("account", "create", "Centre", "--environment", "sandbox")
    house.run("load-fixtures", "--account", "Centre")
    (folder / "organisation.json").write_text(json.dumps(ORGANISATION), "utf-8")
    house.run("account", "set", "Centre", "--organisation", str(folder / "organisation.json"))
    return House(folder, (account["apiUser"], account["apiKey"]))


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
        _hold_documents(ask(house, url, "GetRecord", recordNumber=again["recordNumber"], format="ZIP"))
    _hold_history(house)


def _when_ready(house: House, url: str) -> list[dict[str, Any]]:
    pause = threading.Event()
    for _ in range(PATIENCE * 10):
        listed = ask(house, url, "GetRecordList")["records"]
        if all(each["status"] == "READY" for each in listed):
            return list(listed)
        pause.wait(0.1)
    raise AssertionError("The papers were never made.")


def _hold_documents(answer: dict[str, Any]) -> None:
    kinds = Counter(each["documentType"] for each in answer["recordIndex"]["documents"])
    certificates = {"COMPLETION_CERTIFICATE": 2, "ATTENDANCE_CERTIFICATE": 2}
    assert kinds == {"INVOICE": 1, "ATTENDANCE_SHEET": 3, **certificates, "INVOICING_STATEMENT": 1}
    content = zipfile.ZipFile(BytesIO(b64decode(answer["content"])))
    manifest = json.loads(content.read("manifest.json"))
    assert all(sha256(content.read(each["path"])).hexdigest() == each["sha256"] for each in manifest["documents"])
    assert any(content.read(each["path"]) == INVOICE for each in manifest["documents"])


def _hold_history(house: House) -> None:
    engine = store.open_engine(house.database)
    with store.reading(engine) as connection:
        events = Counter(connection.scalars(select(store.record_event.c.event)))
        assert events["CREATED"] == events["READ"] == events["PREPARED"] == 1
        assert connection.execute(select(store.job.c.id)).all() == []
        replaced = store.document.c.replaced_in.is_not(None)
        assert connection.execute(select(store.document.c.id).where(replaced)).all() == []
    engine.dispose()
