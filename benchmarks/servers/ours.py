"""Paraphe as its users run it: `paraphe serve` by its command.

House and accounts are made by the functions that `init`, `account create`, `account set` and `load-fixtures` call.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sys import executable

from paraphe import accounts, fixture_loader, store
from paraphe.addresses import Addresses
from paraphe.context import Context
from paraphe.work import signatures

from .. import messages, product
from ..grown_house import databases
from ..load import Caller, call
from ..relay import Relay, relayed
from .running import Running, server

LISTED = 1000
_COMMAND = (executable, "-m", "paraphe")
_CLASS = 50  # people in each course that is signed
_COURSES = LISTED // _CLASS
_IMAGE = 2500  # bytes of a drawn signature (PNG)


@contextmanager
def on_sqlite(folder: Path, *options: str, database: str = "", **besides: int) -> Iterator[Running]:
    """One process, as `paraphe serve` has it without options; SQLite."""
    installed = product.install(folder, messages.records(LISTED), database)
    opens = {"lists": product.basic(installed.api_user, installed.api_key), **_more_accounts(installed)}
    with _serving(installed, folder, *options) as (pid, port):
        running = Running((pid,), port, Path(installed.settings.store), opens, besides)
        _sign(installed, running)
        installed.engine.dispose()
        yield running


@contextmanager
def bare(folder: Path, database: str = "") -> Iterator[Running]:
    """The same with one account and nothing in it; on SQLite, or in the empty database whose URL is given."""
    installed = product.install(folder, [], database)
    installed.engine.dispose()
    with _serving(installed, folder) as (pid, port):
        opens = {"lists": product.basic(installed.api_user, installed.api_key)}
        yield Running((pid,), port, Path(installed.settings.store), opens)


@contextmanager
def on_postgresql(folder: Path) -> Iterator[Running]:
    """One process, as `paraphe serve` has it without options; PostgreSQL, whose CPU is told apart."""
    with ExitStack() as stack:
        (database,) = databases(stack, "postgresql", folder, 1)
        pid = int((folder.with_name(f"{folder.name}-data") / "postmaster.pid").read_text().split()[0])
        with on_sqlite(folder, database=database, PostgreSQL=pid) as running:
            yield running


@contextmanager
def two_processes(folder: Path) -> Iterator[Running]:
    """Two processes on SQLite."""
    with on_sqlite(folder, "--processes", "2") as running:
        yield running


@contextmanager
def behind_a_relay(folder: Path) -> Iterator[tuple[Running, Relay]]:
    """One with nothing in it on PostgreSQL, and what counts its round trips."""
    with ExitStack() as stack:
        (database,) = databases(stack, "postgresql", folder, 1)
        url, relay = stack.enter_context(relayed(database))
        yield stack.enter_context(bare(folder, url)), relay


def _settings(installed: product.Installed) -> dict[str, str]:
    said = {"DATABASE": installed.settings.database, "STORE": installed.settings.store, "LISTEN": "127.0.0.1:0"}
    return {f"PARAPHE_{name}": value for name, value in said.items()}


def _serving(installed: product.Installed, folder: Path, *options: str) -> AbstractContextManager[tuple[int, int]]:
    return server([*_COMMAND, "serve", *options], folder, **_settings(installed))


def _more_accounts(installed: product.Installed) -> dict[str, str]:
    """Make the accounts that files are sent to and that people sign for; return what opens them."""
    with store.writing(installed.engine) as connection:
        keys = {
            name: accounts.create(connection, name, "SANDBOX", "Europe/Paris", datetime.now(UTC))
            for name in ("files", "invoices", "papers", "signatures")
        }
        accounts.set_organisation(connection, keys["papers"].account, '{"name": "Centre Horizon", "city": "Nantes"}')
    for name in ("invoices", "papers"):
        fixture_loader.load(installed.engine, installed.archive, installed.settings, keys[name].account)
    return {name: product.basic(key.api_user, key.api_key) for name, key in keys.items()}


def _sign(installed: product.Installed, running: Running) -> None:
    """Have people sign in courses of a day: a thousand signatures, each with a drawing of its own."""
    people = [f"STU-{number:05d}" for number in range(_CLASS)]
    courses = [f"CRS-{number:03d}" for number in range(_COURSES)]
    said = [
        messages.sync_students("signing-students", "STU", range(_CLASS)),
        messages.sync_courses("signing-courses", courses, "2026-09-14", people),
    ]
    requests = tuple(running.request(body, "signatures") for body in said)
    call(running.address, [Caller(requests, told=((b"200 OK<", 1),))], 60, 0, most=len(requests))
    times = dict.fromkeys(("arrived_at", "left_at", "collected_on", "received_on"), datetime.now(UTC))
    rows = [
        {
            "course_reference": course,
            "person_type": "STUDENT",
            "person_reference": person,
            "status": "PRESENT",
            "image": b"\x89PNG\r\n\x1a\n" + f"{course} {person}".encode() * (_IMAGE // 17),
            "collect_mode": "TABLET",
            "minutes_present": 210,
            **times,
        }
        for course in courses
        for person in people
    ]
    with store.writing(installed.engine) as connection:
        account = accounts.find(connection, "signatures")
        addresses = Addresses(installed.settings.public_url, bytes(32))
        context = Context(connection, account, datetime.now(UTC), "benchmark", installed.archive, addresses)
        signatures.record_attendance(context, rows)
