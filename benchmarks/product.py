"""The product as users run it: a real key, journal, idempotency, per-item results, log, a database file on the disk."""

from base64 import b64encode
from collections.abc import Sequence
from contextlib import redirect_stderr
from datetime import timedelta
from pathlib import Path
from typing import Any

from paraphe import accounts, app, migrations, settings, store
from paraphe.addresses import Addresses
from paraphe.archive import open_archive
from paraphe.context import Context
from paraphe.contract import snake_case
from paraphe.serve import log_as_json, settle
from paraphe.work import filing

from .messages import NOW, Record
from .wsgi import Served

_FILE = {"content": b"%PDF-1.7\n%%EOF\n", "file_name": "invoice.pdf"}


def start(folder: Path, records: Sequence[Record]) -> Served:
    """Set the product up in an empty folder, with one account that has these records to be extracted."""
    options = settings.read({"database": f"sqlite:///{folder / 'paraphe.sqlite'}", "store": str(folder / "store")})
    with redirect_stderr((folder / "log").open("w", encoding="utf-8")):
        log_as_json(options.log_level)
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
    application = app.application(engine, archive, options)
    settle()
    credentials = b64encode(f"{key.api_user}:{key.api_key}".encode()).decode()
    return Served(application, {"HTTP_AUTHORIZATION": f"Basic {credentials}"})


def inside(value: Any) -> Any:
    """Return a record's elements under the names that the product has for them inside."""
    if isinstance(value, list):
        return [inside(member) for member in value]
    if isinstance(value, dict):
        return {snake_case(name): inside(member) for name, member in value.items()}
    return value
