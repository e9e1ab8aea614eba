"""What else an integrator could pick: how each server is made and started, and what it does besides the message."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from sys import executable

from . import database
from .running import Missing, Running, free_port, process, server, wait_for

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "servers"
LISTED = 1000
_JARS = ("/usr/share/java/jaxws-rt.jar", "/usr/share/java/sqlite-jdbc.jar")
# Debian's package of SAAJ names its factory by an old property, and warns of it at each message.
_SAAJ = "-Djavax.xml.soap.SAAJMetaFactory=com.sun.xml.messaging.saaj.soap.SAAJMetaFactoryImpl"


@contextmanager
def plain_spyne(folder: Path) -> Iterator[Running]:
    """Spyne 2.14 with its validator by lxml and SQLAlchemy Core, on waitress."""
    with _waited("plain_spyne", folder) as running:
        # It collects garbage inside a message, once a second at most.
        yield replace(running, steady=1.0)


@contextmanager
def floor(folder: Path) -> Iterator[Running]:
    """The least that Python does it with, on waitress."""
    with _waited("floor", folder) as running:
        yield running


@contextmanager
def _waited(name: str, folder: Path) -> Iterator[Running]:
    with server(
        [executable, "-m", "benchmarks.servers.waited", name, folder], folder, PYTHONPATH=str(HERE.parents[1])
    ) as (pid, port):
        yield Running((pid,), port, folder / "store")


@contextmanager
def php(folder: Path) -> Iterator[Running]:
    """PHP's SoapServer behind nginx, in the processes of php-fpm; the XSD by DOMDocument; PDO."""
    fpm = next((found for version in ("", "8.4", "8.3", "8.2") if (found := shutil.which(f"php-fpm{version}"))), None)
    nginx = _needs("nginx")
    if fpm is None or any(
        subprocess.run([fpm, "-m"], capture_output=True, text=True).stdout.find(f"\n{name}\n") < 0
        for name in ("soap", "pdo_sqlite", "dom")
    ):
        raise Missing("php-fpm with soap, pdo_sqlite and dom")
    database.prepare(folder, LISTED)
    port, root = free_port(), os.geteuid() == 0
    places = {"folder": folder, "port": port, "script": HERE / "php" / "index.php"}
    for name, user in (("fpm.conf", f"user = {getpass.getuser()}"), ("nginx.conf", f"user {getpass.getuser()};")):
        text = (HERE / "php" / name).read_text()
        for place, value in {**places, "user": user if root else ""}.items():
            text = text.replace(f"{{{place}}}", str(value))
        (folder / name).write_text(text)
    with ExitStack() as stack:
        pool = [fpm, "--nodaemonize", "--fpm-config", f"{folder}/fpm.conf"]
        pool += ["--allow-to-run-as-root"] if root else []
        pids = [stack.enter_context(process(pool, folder)).pid]
        front = [nginx, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/nginx.log", "-g", "daemon off;"]
        pids.append(stack.enter_context(process(front, folder)).pid)
        wait_for(folder / "fpm.sock")
        wait_for(("127.0.0.1", port))
        yield Running(tuple(pids), port, folder / "store")


@contextmanager
def java(folder: Path) -> Iterator[Running]:
    """JAX-WS RI with @SchemaValidation on the JDK's own HTTP server; SQLite by JDBC."""
    for jar in _JARS:
        if not Path(jar).exists():
            raise Missing(jar)
    _needs("javac")
    made = _made("java", "Server.class", "v1.xsd")  # JAX-WS RI 2.3 cannot validate by a schema inside of the WSDL
    database.prepare(folder, LISTED)
    command = [_needs("java"), "-cp", ":".join((*_JARS, str(made))), _SAAJ, "-Dsun.net.httpserver.nodelay=true"]
    with server([*command, "Server", folder], folder) as (pid, port):
        yield Running((pid,), port, folder / "store")


@contextmanager
def node(folder: Path) -> Iterator[Running]:
    """The npm packages soap and better-sqlite3; no XSD."""
    modules = BUILD / "node" / "node_modules"
    if not (modules / "better-sqlite3" / "build" / "Release" / "better_sqlite3.node").exists():
        raise Missing("the npm packages soap and better-sqlite3 (benchmarks/servers/install)")
    database.prepare(folder, LISTED)
    with server([_needs("node"), HERE / "node" / "server.js", folder], folder, NODE_PATH=str(modules)) as (pid, port):
        yield Running((pid,), port, folder / "store")


@contextmanager
def gsoap(folder: Path) -> Iterator[Running]:
    """gSOAP: C++ generated from the WSDL, which checks lengths and occurrences; a thread for each connection."""
    for tool in ("wsdl2h", "soapcpp2", "g++"):
        _needs(tool)
    made = _made("gsoap", "server")
    database.prepare(folder, LISTED, seconds=True)
    with server([made / "server", folder], folder) as (pid, port):
        yield Running((pid,), port, folder / "store")


def _needs(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        raise Missing(tool)
    return found


def _made(name: str, product: str, schema_at: str = "") -> Path:
    """Return the folder with what `build` makes of a server's source, made anew if that is newer. Raises Missing."""
    made = BUILD / name
    sources = [each.stat().st_mtime for each in (*(HERE / name).iterdir(), HERE / "database.py")]
    if not (made / product).exists() or (made / product).stat().st_mtime < max(sources):
        made.mkdir(parents=True, exist_ok=True)
        (made / "contract.wsdl").write_bytes(database.wsdl(schema_at))
        (made / "v1.xsd").write_bytes(database.schema())
        ran = subprocess.run(
            [HERE / name / "build", made / "contract.wsdl", made], capture_output=True, text=True, timeout=900
        )
        if ran.returncode:
            raise Missing(f"{name}/build failed: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return made
