"""`python -m benchmarks.invoices`: how long SendInvoice takes, and how many documents and seals a second come of it.

`paraphe serve` runs as it is, by its command and over HTTP, with a fresh SQLite database and a folder, and the school
of the examples, whose papers are made and sealed with a self-issued certificate (B-B, no authority). One caller sends
invoices that all differ, by JSON, one after the other. First nobody works on the queue (`--job-threads 0`), then its
two threads work while invoices come in, then the whole queue is worked off with no caller. CPU is that of the server
and of all processes that it starts; it is what counts where others use the machine as well. Linux only.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any

import typst
from sqlalchemy import func, select

from paraphe import fixture_loader, store

_ORGANISATION = {"name": "Centre Erdre & Sillon", "siret": "00381440700015", "city": "Nantes"}
_PATIENCE = 600  # seconds
_NAMES = re.compile(r"<(?:\w+:)?lastName>(.*?)</.*?<(?:\w+:)?firstName>(.*?)</", re.DOTALL)
_numbers = count(1)


# What is sent ----------------------------------------------------------------------------------------------------

_HEAD = """#set page(width: 210mm, height: 297mm, margin: 15mm)
#set text(size: 9pt)
Centre Erdre & Sillon #linebreak() SIRET : 003 814 407 00015

Facturé à #linebreak() OPCO Horizon #linebreak() SIRET : 001 204 502 00015

= FACTURE N° {number}
Date d'émission : 21/09/2026

Convention n° CONV-2026-017

Période de réalisation : du 01/09/2026 au 18/09/2026

"""


def invoice(trainees: int, more_pages: int = 0) -> bytes:
    """Make an invoice of this many trainees, 20.00 hours each; the pages behind are the terms of sale."""
    number = f"FAC-{next(_numbers):05}"
    known = _NAMES.findall(fixture_loader.message("SyncStudents").decode())
    names = [f"{last.upper()} {first}" for last, first in known if known.count((last, first)) == 1][:trainees]
    rows = [f"[{name}], [Heures suivies], [20,00 h], [22,50 €], [450,00 €]," for name in names]
    total = f"{trainees * 450:,}".replace(",", " ") + ",00 €"
    source = [
        _HEAD.format(number=number),
        "#table(columns: 5, [Stagiaire], [Désignation], [Qté], [P.U. HT], [Total HT],",
        *rows,
        f")\nQuantité totale {trainees * 20},00 h\n\nTotal HT {total}\n\nTVA 0,00 €\n\nTotal TTC {total}\n",
        "#pagebreak()\n== Conditions générales de vente\n#lorem(650)\n" * more_pages,
    ]
    made: Any = typst.compile("\n".join(source).encode(), ignore_system_fonts=True)
    return bytes(made)


KINDS = {"1 page, 3 trainees": (3, 0), "10 pages, 3 trainees": (3, 9), "1 page, 12 trainees": (12, 0)}


# The server ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class House:
    """A folder with database and store, and who may call."""

    folder: Path
    credentials: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The settings of all commands."""
        settings = {"DATABASE": self.database, "STORE": str(self.folder / "store"), "SEAL_PASSPHRASE": "measured"}
        return os.environ | {f"PARAPHE_{name}": value for name, value in settings.items()}

    @property
    def database(self) -> str:
        """The URL of the database."""
        return f"sqlite:///{self.folder / 'paraphe.sqlite'}"

    def run(self, *words: str) -> Any:
        """Run a command; return what it wrote as JSON."""
        command = [sys.executable, "-m", "paraphe", *words, "--json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=True, timeout=_PATIENCE)
        return json.loads(done.stdout)


def _installed(folder: Path) -> House:
    house = House(folder)
    house.run("init")
    account = house.run("account", "create", "Centre", "--environment", "sandbox")
    house.run("load-fixtures", "--account", "Centre")
    (folder / "organisation.json").write_text(json.dumps(_ORGANISATION), "utf-8")
    house.run("account", "set", "Centre", "--organisation", str(folder / "organisation.json"))
    house.run("account", "seal", "Centre", "--self-issued")
    return House(folder, b64encode(f"{account['apiUser']}:{account['apiKey']}".encode()).decode())


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where it is asked, and its process."""

    connection: HTTPConnection
    process: int

    def processor(self) -> float:
        """Return the seconds of processor time that it and all that it started have taken."""
        begun = Path(f"/proc/{self.process}/task").glob("*/children")  # each thread has its own
        others = [int(each) for thread in begun for each in thread.read_text().split()]
        return sum(map(_taken, [self.process, *others]))


def _taken(process: int) -> float:
    """Return what a process has taken, and those of its children that it has waited for."""
    figures = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, figures[11:15])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _serving(house: House, job_threads: int) -> Iterator[Server]:
    command = [sys.executable, "-m", "paraphe", "serve", "--listen", "127.0.0.1:0", "--job-threads", str(job_threads)]
    with (
        (house.folder / "log").open("a") as log,
        subprocess.Popen(command, env=house.environment, stdout=subprocess.PIPE, stderr=log, text=True) as running,
    ):
        try:
            if running.stdout is None or not (port := re.search(r":(\d+)\s*$", running.stdout.readline())):
                raise RuntimeError((house.folder / "log").read_text())
            yield Server(HTTPConnection("127.0.0.1", int(port[1]), timeout=_PATIENCE), running.pid)
        finally:
            running.send_signal(signal.SIGTERM)


def _send(server: Server, house: House, content: bytes) -> float:
    """Send an invoice and return the seconds until the answer; raise if its record needs a person."""
    body = json.dumps({"fileName": "F.pdf", "content": b64encode(content).decode()})
    headers = {"Authorization": f"Basic {house.credentials}", "Content-Type": "application/json"}
    began = time.perf_counter()
    server.connection.request("POST", "/api/v1/SendInvoice", body, headers)
    answer = json.loads(server.connection.getresponse().read())
    seconds = time.perf_counter() - began
    if answer["returnCode"] != "200 OK" or answer["status"] != "PREPARING":
        raise RuntimeError(str(answer.get("warnings", answer))[:2000])
    return seconds


# Measured --------------------------------------------------------------------------------------------------------


def _line(name: str, seconds: Sequence[float], processor: float) -> str:
    ordered = sorted(seconds)

    def at(share: float) -> str:
        return f"{1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.0f}"

    cost = 1000 * processor / len(ordered)
    return f"| {name} | {at(0.5)} | {at(0.99)} | {len(ordered) / sum(ordered):.1f} | {cost:.0f} |"


def _calls(house: House, times: int, job_threads: int) -> Iterator[str]:
    with _serving(house, job_threads) as server:
        for _ in range(3):
            _send(server, house, invoice(3))  # loads what every thread needs, and begins what readers come from
        for name, (trainees, more_pages) in KINDS.items():
            contents = [invoice(trainees, more_pages) for _ in range(times)]
            before = server.processor()
            seconds = [_send(server, house, content) for content in contents]
            beside = ", while papers are made" if job_threads else ""
            yield _line(name + beside, seconds, server.processor() - before)


def _figures(house: House) -> tuple[int, int, int]:
    """Return how many jobs wait, how many documents were made, and how many seals there are."""
    engine = store.open_engine(house.database)
    made = select(func.count(), func.count(store.document.c.seal_level)).where(store.document.c.made)
    with store.reading(engine) as connection:
        waiting = connection.scalar(select(func.count()).select_from(store.job)) or 0
        documents, seals = connection.execute(made).one()
    engine.dispose()
    return waiting, documents, seals


def _worked_off(house: House) -> str:
    """Have the queue worked off and return what came of it a second."""
    waiting, documents, seals = _figures(house)
    with _serving(house, 2) as server:
        began, end = time.perf_counter(), time.perf_counter() + _PATIENCE
        while _figures(house)[0] and time.perf_counter() < end:
            time.sleep(0.2)
        seconds, processor = time.perf_counter() - began, server.processor()
    left, more_documents, more_seals = _figures(house)
    if left:
        raise RuntimeError(f"{left} jobs are left")
    made, sealed = more_documents - documents, more_seals - seals
    return (
        f"{waiting} records: {made} documents and {sealed} seals in {seconds:.1f} s; "
        f"{waiting / seconds:.2f} records, {made / seconds:.1f} documents, {sealed / seconds:.1f} seals a second; "
        f"{processor / waiting:.2f} s of processor for each record."
    )


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.invoices", description="SendInvoice, and its papers.")
    parser.add_argument("--times", type=int, default=50, metavar="N", help="invoices in each row (default: 50)")
    times = parser.parse_args().times
    print(f"Load averages {os.getloadavg()}; {times} invoices in each row.\n")
    print("| SendInvoice | p50 ms | p99 ms | a second | CPU ms |\n|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        house = _installed(Path(folder))
        for line in _calls(house, times, 0):
            print(line, flush=True)
        off = _worked_off(house)
        for line in _calls(house, max(5, times // 5), 2):
            print(line, flush=True)
        print(f"\nThe queue, two threads, no caller: {off}")


if __name__ == "__main__":
    main()
