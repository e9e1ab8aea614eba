"""A server on a real port for each database, one in each process of the tests; a fresh account for each test."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from paraphe import migrations, settings, store
from paraphe.app import application
from paraphe.archive import open_archive
from paraphe.serve import Server, running

from ..conftest import open_without_waiting
from .house import Caller, House

LEFT_TO_SLOW = [("1.1", "postgresql"), ("1.2", "sqlite")]
Initialised = Callable[[str, Path], AbstractContextManager[str]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave two of the four pairs of a version and a database to `make slow`, except where a test is `in_all_pairs`."""
    for item in items:
        asked = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if (asked.get("version"), asked.get("house")) in LEFT_TO_SLOW and not item.get_closest_marker("in_all_pairs"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def initialised(postgresql_admin: Engine, postgresql_server: Callable[[str], str]) -> Initialised:
    """Give `initialised(kind, folder)`: the URL of a database as `paraphe init` leaves it, for one `with` block."""

    @contextmanager
    def fresh(kind: str, folder: Path) -> Iterator[str]:
        if kind == "sqlite":
            url = f"sqlite:///{folder / 'house.sqlite'}"
            _initialise(url)
            yield url
            return
        name = f"house_{uuid4().hex}"
        with postgresql_admin.connect() as admin:
            admin.execute(text(f"CREATE DATABASE {name}"))
        _initialise(postgresql_server(name))
        yield postgresql_server(name)
        with postgresql_admin.connect() as admin:
            admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    return fresh


def _initialise(url: str) -> None:
    engine = store.open_engine(url)
    migrations.upgrade(engine)
    engine.dispose()


@contextmanager
def opened(kind: str, database: str, folder: Path, **given: str) -> Iterator[House]:
    """Run a server in this process over a database that was initialised."""
    (folder / "archive").mkdir(exist_ok=True)
    archive = open_archive(str(folder / "archive"))
    engine = open_without_waiting(database)
    # Nearly all messages come from one address here, many of them from nobody.
    many = dict.fromkeys(("failed_logins", "failed_logins_per_source"), "100000")
    read = settings.read({"listen": "127.0.0.1:0", "database": database, **many, **given})
    try:
        with (
            store.Later(engine) as later,
            running(Server(lambda bound: application(engine, archive, bound, later), read)) as url,
        ):
            yield House(kind, database, engine, archive, folder, url, later)
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def houses(initialised: Initialised, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], House]]:
    """Give `houses(kind)`: the server over "sqlite" or "postgresql", started when it is first asked for."""
    started: dict[str, House] = {}
    with ExitStack() as stack:

        def house(kind: str) -> House:
            if kind not in started:
                folder = tmp_path_factory.mktemp(kind)
                url = stack.enter_context(initialised(kind, folder))
                started[kind] = stack.enter_context(opened(kind, url, folder))
            return started[kind]

        yield house


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, houses: Callable[[str], House]) -> House:
    """The server, over one database and then over the other."""
    return houses(request.param)


@pytest.fixture
def house_of_its_own(
    request: pytest.FixtureRequest, house: House, initialised: Initialised, tmp_path: Path
) -> Iterator[House]:
    """A server over a database that no other test sees, of the same kind as `house`."""
    with initialised(house.kind, tmp_path) as url, opened(house.kind, url, tmp_path) as own:
        yield own


@pytest.fixture(params=["1.1", "1.2"])
def version(request: pytest.FixtureRequest) -> str:
    """The version of SOAP."""
    return str(request.param)


@pytest.fixture
def caller(house: House, version: str) -> Caller:
    """Somebody with a fresh account."""
    return house.account(version)


@pytest.fixture
def other(caller: Caller) -> Caller:
    """Somebody else at the same server."""
    return caller.other()
