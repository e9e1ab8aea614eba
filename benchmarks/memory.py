"""`python -m benchmarks.memory`: how much memory a real server takes for large files, in and out, and how much CPU.

`paraphe serve` runs in a process of its own, a fresh one for each row, over a fresh SQLite database and a folder. Its
peak is read from the system (VmHWM), as is what it took when it was idle, behind some small messages. Three messages
are sent for each row: the last must not need more than the first. Linux only.
"""

import argparse
import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from paraphe import accounts, migrations, store
from paraphe.contract import NAMESPACE

from . import tree

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_MB = 1_000_000
_PIECE = 3 << 18  # a multiple of three, so that pieces can be coded one by one
_WARM = 24  # small messages before anything is measured: each thread has loaded then what it needs
_PATIENCE = 600  # seconds for one answer

#: The pieces of a body, and how long it is.
Sent = tuple[Iterator[bytes], int]


@dataclass(frozen=True, slots=True)
class Row:
    """What messages of one kind cost: bytes of memory above idle after each of them, seconds of CPU for each."""

    name: str
    megabytes: int
    idle: int
    peaks: list[int]
    seconds: list[float]


# What is sent ----------------------------------------------------------------------------------------------------


def file_of(megabytes: int) -> Iterator[bytes]:
    """Give a file that calls itself a PDF and cannot be compressed; the same each time."""
    yield b"%PDF-1.7\n" + bytes(_PIECE - 9)
    left, noise = megabytes * _MB - _PIECE, os.urandom(_PIECE)
    while left > 0:
        yield noise[:left]
        left -= _PIECE


def _in_base64(megabytes: int, before: str, after: str) -> Sent:
    def pieces() -> Iterator[bytes]:
        yield before.encode()
        yield from map(b64encode, file_of(megabytes))
        yield after.encode()

    return pieces(), len(before) + len(after) + (megabytes * _MB + 2) // 3 * 4


def _invoice(content: str) -> tuple[str, str]:
    before, after = f"<fileName>F.pdf</fileName><content>{content}", "</content>"
    return f'<SendInvoice xmlns="{NAMESPACE}">{before}', f"{after}</SendInvoice>"


def _enveloped(before: str, after: str) -> tuple[str, str]:
    return f'<s:Envelope xmlns:s="{_ENVELOPE}"><s:Body>{before}', f"{after}</s:Body></s:Envelope>"


def _soap(megabytes: int) -> Sent:
    return _in_base64(megabytes, *_enveloped(*_invoice("")))


def _xml(megabytes: int) -> Sent:
    return _in_base64(megabytes, *_invoice(""))


def _json(megabytes: int) -> Sent:
    return _in_base64(megabytes, '{"fileName": "F.pdf", "content": "', '"}')


def _mtom(megabytes: int) -> Sent:
    include = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:file"/>'
    head = "--b\r\nContent-Type: application/xop+xml\r\n\r\n" + "".join(_enveloped(*_invoice(include)))
    head += "\r\n--b\r\nContent-ID: <file>\r\nContent-Transfer-Encoding: binary\r\n\r\n"

    def pieces() -> Iterator[bytes]:
        yield head.encode()
        yield from file_of(megabytes)
        yield b"\r\n--b--\r\n"

    return pieces(), len(head) + megabytes * _MB + 9


@dataclass(frozen=True, slots=True)
class Way:
    """How a file is sent: to which address, as what, in which body."""

    path: str
    media_type: str
    body: Callable[[int], Sent]


WAYS = {
    "SOAP, base64": Way("/soap/v1", "text/xml", _soap),
    "SOAP, MTOM": Way("/soap/v1", 'multipart/related; type="application/xop+xml"; boundary=b', _mtom),
    "XML": Way("/api/v1/SendInvoice", "application/xml", _xml),
    "JSON": Way("/api/v1/SendInvoice", "application/json", _json),
}


def _get_record(kind: str, number: str) -> tuple[str, str, str]:
    """Return where GetRecord is asked for a ZIP, as what, and the message."""
    asked = f"<recordNumber>{number}</recordNumber><format>ZIP</format>"
    element = f'<GetRecord xmlns="{NAMESPACE}">{asked}</GetRecord>'
    if kind == "JSON":
        return "/api/v1/GetRecord", "application/json", f'{{"recordNumber": "{number}", "format": "ZIP"}}'
    if kind == "XML":
        return "/api/v1/GetRecord", "application/xml", element
    return "/soap/v1", "text/xml", "".join(_enveloped(element, ""))


# The server ------------------------------------------------------------------------------------------------------


class Server:
    """A real server in a process of its own, as it is seen from outside."""

    def __init__(self, process: int, port: int, credentials: str) -> None:
        self._process = process
        self._port = port
        self._headers = {"Authorization": f"Basic {credentials}"}

    def peak(self) -> int:
        """Return the most memory that it ever had, in bytes."""
        return tree.peak_of(self._process)

    def cpu(self) -> float:
        """Return the seconds of CPU that it and what it started have taken so far, in Python and in the system."""
        return tree.cpu(self._process)

    def ask(self, path: str, media_type: str, body: Iterator[bytes], length: int, **headers: str) -> tuple[bytes, int]:
        """POST a body; return how the answer begins and how long it is. RuntimeError if it is not 200."""
        return self._talk(
            "POST", path, body, {"Content-Type": media_type, "Content-Length": str(length), **headers, **self._headers}
        )

    def get(self, path: str) -> int:
        """GET an address; return how long its content is."""
        return self._talk("GET", path, None, {})[1]

    def _talk(self, method: str, path: str, body: Iterator[bytes] | None, headers: dict[str, str]) -> tuple[bytes, int]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            begin, length = b"", 0
            while piece := answer.read(1 << 20):
                begin, length = begin or piece, length + len(piece)
            if answer.status != 200:
                raise RuntimeError(f"{method} {path}: {answer.status} {begin[:1000]!r}")
            return begin, length
        finally:
            connection.close()


@contextmanager
def serving() -> Iterator[Server]:
    """Run `paraphe serve` over a fresh house with one account, for one `with` block."""
    with tempfile.TemporaryDirectory(prefix="paraphe-memory-", dir=os.environ.get("PARAPHE_BENCHMARK_FOLDER")) as name:
        database = f"sqlite:///{name}/paraphe.sqlite"
        engine = store.open_engine(database)
        migrations.upgrade(engine)
        with store.writing(engine) as connection:
            key = accounts.create(connection, "Centre Horizon", "SANDBOX", "Europe/Paris", datetime.now(UTC))
        engine.dispose()
        known = {"LISTEN": "127.0.0.1:0", "DATABASE": database, "STORE": f"{name}/store", "MESSAGE_BYTES": "300MB"}
        environment = os.environ | {f"PARAPHE_{setting}": value for setting, value in known.items()}
        command = [sys.executable, "-m", "paraphe", "serve"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as running:
            try:
                line = running.stdout.readline() if running.stdout else ""
                credentials = b64encode(f"{key.api_user}:{key.api_key}".encode()).decode()
                server = Server(running.pid, int(line.rpartition(":")[2]), credentials)
                for _ in range(_WARM):
                    server.ask(*_small())
                yield server
            finally:
                running.terminate()
                running.wait(60)


def _small() -> tuple[str, str, Iterator[bytes], int]:
    """Return a small invoice, so that everything is loaded that a message needs."""
    body = "".join(_enveloped(*_invoice("JVBERi0xLjc="))).encode()
    return "/soap/v1", "text/xml", iter([body]), len(body)


# What it costs ---------------------------------------------------------------------------------------------------


def sent(name: str, megabytes: int, times: int) -> Row:
    """Measure SendInvoice of a file of so many megabytes, sent in one of the WAYS."""
    way = WAYS[name]
    with serving() as server:
        return _measured(f"SendInvoice, {name}", megabytes, server, times, lambda: _send(server, way, megabytes))


def _send(server: Server, way: Way, megabytes: int) -> bytes:
    body, length = way.body(megabytes)
    return server.ask(way.path, way.media_type, body, length)[0]


def taken(name: str, megabytes: int, times: int) -> Row:
    """Measure GetRecord, as ZIP, of a record with a file of so many megabytes; `name` says how it is asked for."""
    with serving() as server:
        answer = _send(server, WAYS["SOAP, MTOM"], megabytes)
        number = re.search(rb"<recordNumber>([^<]+)<", answer)
        if number is None:
            raise RuntimeError("no record was opened")
        path, media_type, text = _get_record(name, number[1].decode())
        accept = 'multipart/related; type="application/xop+xml"' if name == "SOAP, MTOM" else "*/*"

        def take() -> None:
            _, length = server.ask(path, media_type, iter([text.encode()]), len(text), Accept=accept)
            if length < megabytes * _MB:
                raise RuntimeError("the content was not whole")

        return _measured(f"GetRecord ZIP, {name}", megabytes, server, times, take)


def downloaded(suffix: str, megabytes: int, times: int) -> Row:
    """Measure the download of a record's ZIP (`.zip`) or of a document by its address (`.pdf`)."""
    with serving() as server:
        answer = _send(server, WAYS["SOAP, MTOM"], megabytes)
        number = re.search(rb"<recordNumber>([^<]+)<", answer)
        asked = f"<recordNumber>{number[1].decode() if number else ''}</recordNumber><format>INDEX</format>"
        text = f'<GetRecord xmlns="{NAMESPACE}">{asked}</GetRecord>'
        index, _ = server.ask("/api/v1/GetRecord", "application/xml", iter([text.encode()]), len(text))
        place = "records" if suffix == ".zip" else "documents"
        address = re.search(rf"(/{place}/[^<]+{re.escape(suffix)})<".encode(), index)
        if address is None:
            raise RuntimeError("no address")
        path = address[1].decode()
        return _measured(f"GET /{place}/…{suffix}", megabytes, server, times, lambda: server.get(path))


def _measured(name: str, megabytes: int, server: Server, times: int, act: Callable[[], object]) -> Row:
    idle, peaks, seconds = server.peak(), [], []
    for _ in range(times):
        before = server.cpu()
        act()
        time.sleep(0.1)  # what is written behind the answer
        seconds.append(server.cpu() - before)
        peaks.append(server.peak() - idle)
    return Row(name, megabytes, idle, peaks, seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line says; the table goes to standard output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 10, 50, 200], help="sizes of the file sent")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY", help="how it is sent")
    parser.add_argument("--times", type=int, default=3, help="messages of each row")
    asked = parser.parse_args(arguments)
    print("| message | file, MB | idle, MB | above idle after 1st, MB | after the last, MB | CPU s a message |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in asked.ways:
        for megabytes in asked.megabytes:
            _tell(sent(name, megabytes, asked.times))
    for name in asked.ways:
        _tell(taken(name, max(asked.megabytes), asked.times))
    for suffix in (".zip", ".pdf"):
        _tell(downloaded(suffix, max(asked.megabytes), asked.times))


def _tell(row: Row) -> None:
    print(
        f"| {row.name} | {row.megabytes} | {row.idle / _MB:.0f} | {row.peaks[0] / _MB:.1f} "
        f"| **{row.peaks[-1] / _MB:.1f}** | {min(row.seconds):.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
