"""The product as users run it: a real key, journal, idempotency, per-item results, log, a database file on the disk."""

from base64 import b64encode
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from paraphe import accounts, app, migrations, settings, store
from paraphe.addresses import Addresses
from paraphe.archive import Archive, open_archive
from paraphe.context import Context
from paraphe.contract import snake_case
from paraphe.serve import log_as_json, settle
from paraphe.settings import Settings
from paraphe.work import filing

from .messages import NOW, Record
from .wsgi import Served

_FILE = {"content": b"%PDF-1.7\n%%EOF\n", "file_name": "invoice.pdf"}


@dataclass(frozen=True, slots=True)
class Installed:
    """The product set up in a folder, and the key of its one account."""

    settings: Settings
    engine: Engine
    archive: Archive
    api_user: str
    api_key: str


def install(folder: Path, records: Sequence[Record], database: str = "") -> Installed:
    """Set the product up in an empty folder, with one account that has these records to be extracted.

    Its database is an SQLite file in the folder, or the empty one whose URL is given.
    """
    database = database or f"sqlite:///{folder / 'paraphe.sqlite'}"
    options = settings.read({"database": database, "store": str(folder / "store")})
    Path(options.store).mkdir()
    archive = open_archive(options.store)
    engine = store.open_engine(options.database)
    migrations.upgrade(engine)
    with store.writing(engine) as connection:
        key = accounts.create(connection, "Centre Horizon", "SANDBOX", "Europe/Paris", NOW)
        addresses = Addresses(options.public_url, bytes(32), timedelta(days=options.link_days))
        context = Context(connection, key.account, NOW, "benchmark", archive, addresses)
        file = filing.keep(context, _FILE, "INVOICE")
        for record in records:
            filing.create(context, inside(record), "READY", file)
    return Installed(options, engine, archive, key.api_user, key.api_key)


def start(folder: Path, records: Sequence[Record]) -> Served:
    """Set the product up in an empty folder, and put together what `paraphe serve` does without HTTP."""
    installed = install(folder, records)
    with redirect_stderr((folder / "log").open("w", encoding="utf-8")):
        log_as_json(installed.settings.log_level)
    application = app.application(installed.engine, installed.archive, installed.settings)
    settle()
    return Served(application, {"HTTP_AUTHORIZATION": basic(installed.api_user, installed.api_key)})


def basic(user: str, key: str) -> str:
    """Return the header by which a caller is known."""
    return f"Basic {b64encode(f'{user}:{key}'.encode()).decode()}"


def inside(value: Any) -> Any:
    """Return a record's elements under the names that the product has for them inside."""
    if isinstance(value, list):
        return [inside(member) for member in value]
    if isinstance(value, dict):
        return {snake_case(name): inside(member) for name, member in value.items()}
    return value
