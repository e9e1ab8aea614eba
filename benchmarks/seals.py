"""`python -m benchmarks.seals`: seals a second, by key and level, with openssl as the authority on this machine.

One thread seals one document of 100 kB again and again. The processor time is that of this process, of the processes
that take foreign documents apart, and of openssl, which makes the time stamps; a real authority is elsewhere.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import typst
from tests.documents.authorities import OpensslAuthority, new_key

from paraphe.documents import certificates
from paraphe.documents.seal import Authority, Credential, Level, Sealed, Stamp, seal

_SOURCE = "#set document(date: datetime(year: 2026, month: 1, day: 1))\n#set page(width: 210mm, height: 297mm)\n"
_STAMP = Stamp("https://exchange.example.org/verify/" + "a1" * 16, ZoneInfo("Europe/Paris"))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one seal costs: median seconds by the clock, mean seconds of processor, bytes added."""

    seconds: float
    processor: float
    grown: int


def _document() -> bytes:
    """Return a PDF/A-3b of about 100 kB, as the papers are."""
    pages = "\n".join(f"= Page {number}\n#lorem({900 + number})" for number in range(12))
    content = typst.compile((_SOURCE + pages).encode(), format="pdf", pdf_standards=["a-3b"], ignore_system_fonts=True)
    if not isinstance(content, bytes):
        raise TypeError("several files")
    return content


def _processor() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _measured(content: bytes, times: int, one: Callable[[], Sealed[bytes]], level: Level) -> Cost:
    done = one()
    clocks = []
    began = _processor()
    for _ in range(times):
        start = time.perf_counter()
        done = one()
        clocks.append(time.perf_counter() - start)
        if done.level is not level:
            raise RuntimeError(f"{done.level} instead of {level}: {done.lack}")
    return Cost(median(clocks), (_processor() - began) / times, len(done.content) - len(content))


def _rows(content: bytes, credential: Credential, authority: Authority, times: int) -> Iterator[tuple[str, Cost]]:
    def one(level: Level, *, stamp: bool, foreign: bool = False) -> Cost:
        def make() -> Sealed[bytes]:
            return seal(
                content,
                credential,
                reason="Facture reçue",
                moment=datetime.now(UTC),
                stamp=_STAMP if stamp else None,
                authority=authority,
                aim=level,
                foreign=foreign,
            )

        return _measured(content, times, make, level)

    yield "B-B", one(Level.B_B, stamp=False)
    yield "B-B with stamp", one(Level.B_B, stamp=True)
    yield "B-B with stamp, from outside", one(Level.B_B, stamp=True, foreign=True)
    yield "B-T", one(Level.B_T, stamp=False)
    yield "B-T with stamp", one(Level.B_T, stamp=True)
    yield "B-LTA with stamp", one(Level.B_LTA, stamp=True)


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seals", description="Seals a second.")
    parser.add_argument("--times", type=int, default=20, metavar="N", help="seals in each row (default: 20)")
    times = parser.parse_args().times
    content = _document()
    print(f"One document of {len(content) // 1000} kB, {times} seals in each row, one thread.\n")
    print("| key | seal | seals/s | ms by the clock | CPU ms | kB added |\n|---|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder, OpensslAuthority(Path(folder)) as running:
        authority = Authority(running.url, seconds=20)
        for name, kind in (("P-256", "P-256"), ("RSA-3072", "RSA")):
            credential = certificates.from_pkcs12(running.issuer.pkcs12("Cachet", new_key(kind)), "test")
            for row, cost in _rows(content, credential, authority, times):
                figures = f"{1 / cost.seconds:.1f} | {cost.seconds * 1000:.0f} | {cost.processor * 1000:.0f}"
                print(f"| {name} | {row} | {figures} | {cost.grown / 1000:.0f} |", flush=True)


if __name__ == "__main__":
    main()
