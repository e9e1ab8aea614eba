"""`paraphe demo`: a temporary sandbox with the school of the examples, and the whole story told once.

The story is told by the reference client, over HTTP, as an integrator's program would; then the server stays up.
"""

import logging
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from . import accounts, fixture_loader, migrations, store
from .app import application
from .archive import open_archive
from .serve import Server, running
from .settings import Settings

Step = tuple[str, Callable[[], Any]]


class ClientMissing(Exception):  # noqa: N818
    """The reference client is not installed; the text is a sentence for the operator."""


def run(settings: Settings) -> None:
    """Set up, tell the story, and serve until Ctrl-C (or SIGTERM); everything is thrown away at the end."""
    try:
        import paraphe_client  # noqa: F401
    except ImportError as error:
        raise ClientMissing("The demo needs the reference client: pip install 'paraphe[server,client]'.") from error
    logging.getLogger("paraphe").setLevel(logging.ERROR)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="paraphe-demo-") as folder:
        settings = replace(settings, database=f"sqlite:///{folder}/paraphe.sqlite", store=f"{folder}/documents")
        Path(settings.store).mkdir()
        archive = open_archive(settings.store)
        engine = store.open_engine(settings.database)
        migrations.upgrade(engine)
        with store.writing(engine) as connection:
            key = accounts.create(connection, "Demo", "SANDBOX", "Europe/Paris", datetime.now(UTC))
        later = store.Later(engine)
        server = Server(lambda bound: application(engine, archive, bound, later), settings)
        loaded = fixture_loader.load(engine, archive, server.settings, key.account)
        with later, running(server) as url:
            _introduce(url, key.api_user, key.api_key, loaded)
            failed = tell(url, key.api_user, key.api_key)
            print(f"\nThe server stays up at {url}; Ctrl-C ends it and throws the sandbox away.", flush=True)
            if failed:
                print(f"{failed} steps did not go as they should.", flush=True)
            stop.wait()
        engine.dispose()


def _introduce(url: str, user: str, key: str, loaded: dict[str, Any]) -> None:
    students, rows = loaded["SyncStudents"]["created"], loaded["attendance"]["created"]
    programs = Path(sys.executable).parent
    example = files("paraphe.fixtures").joinpath("SyncStudents", "request.xml")
    print(
        f"""\
Paraphe demo: a sandbox with a fictional school, {students} students and {rows} attendance rows.

  WSDL (SOAP 1.1)  {url}/soap/v1?wsdl
  WSDL (SOAP 1.2)  {url}/soap/v1?wsdl12
  apiUser          {user}
  apiKey           {key}

Three commands to try in another terminal:

  curl -u {user}:{key} -H 'Content-Type: text/xml' --data-binary @{example} {url}/soap/v1

  PARAPHE_API_USER={user} PARAPHE_API_KEY={key} {programs}/paraphe-client --url {url} check-connection

  {sys.executable} -c "import paraphe_client as p; print(p.Exchange('{url}', '{user}', '{key}').get_record_list())"
""",
        flush=True,
    )


def tell(url: str, user: str, key: str) -> int:
    """Tell the story, a line for each step with its return code; return how many steps did not go as they should."""
    from paraphe_client import Exchange, ExchangeRefused, Student

    exchange = Exchange(url, user, key)
    print(f"  {'fetched':9}  {url}/soap/v1?wsdl, and a client made from it by zeep", flush=True)
    pdf = files("paraphe.fixtures").joinpath("invoices", "FAC-2026-041.pdf").read_bytes()
    students = [
        Student(reference=f"NEW-{number:04}", last_name="Exemple", first_name=f"Élève {number}")
        for number in range(1, 1001)
    ]
    opened: list[str] = []

    def send() -> Any:
        answer = exchange.send_invoice("FAC-2026-041.pdf", pdf)
        opened.append(str(answer.record_number))
        return answer

    def signatures() -> Any:
        return exchange.get_signature_list(
            period_start=date(2026, 9, 1), period_end=date(2026, 9, 4), include_images=True
        )

    story: list[Step] = [
        ("CheckConnection", exchange.check_connection),
        ("SyncStudents, 1 000 students", lambda: exchange.sync_students(students)),
        ("SyncStudents, the same again as a dry run", lambda: exchange.sync_students(students, dry_run=True)),
        ("GetSignatureList with images", signatures),
        ("SendInvoice", send),
        ("GetRecordList", exchange.get_record_list),
        ("GetRecord as PDF", lambda: exchange.get_record(opened[0], "PDF")),
        ("GetRecord as ZIP", lambda: exchange.get_record(opened[0], "ZIP")),
    ]
    mistakes: list[Step] = [
        (
            "A message against the schema",
            lambda: exchange.sync_students(
                [{"reference": "X" * 65, "last_name": "A", "first_name": "B", "email": "nobody"}]
            ),
        ),
        ("A wrong key", Exchange(url, user, "wrong").check_connection),
        ("An unknown record", lambda: exchange.get_record("1999-000001", "ZIP")),
    ]
    failed = 0
    for title, step in story:
        try:
            answer = step()
            print(f"  {answer.return_code:9}  {title}: {answer.message}", flush=True)
        except ExchangeRefused as refused:
            failed += 1
            print(f"  {refused.return_code:9}  {title}: {refused.message}  <- not as it should be", flush=True)
    print("\nAnd three mistakes, each with its answer:\n")
    for title, step in mistakes:
        try:
            step()
            failed += 1
            print(f"  {title} was taken  <- not as it should be", flush=True)
        except ExchangeRefused as refused:
            print(f"  {refused.return_code:9}  {title}:", flush=True)
            for error in refused.errors:
                print(f"             {error.code} {error.path or error.field or ''} {error.message}", flush=True)
    return failed
