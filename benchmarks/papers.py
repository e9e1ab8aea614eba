"""How many papers a second one core makes: python -m benchmarks.papers [--seconds N].

Twelve trainees, forty half-days in four weeks, a drawn signature of its own for everybody in every half-day. Each paper
has a number of its own, so nothing is remembered from the one before but the templates and the fonts.
"""

import argparse
import hashlib
import resource
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from zoneinfo import ZoneInfo

from paraphe import apart
from paraphe.documents import papers
from paraphe.documents.facts import (
    Attached,
    Invoiced,
    InvoicedTrainee,
    Issue,
    Organisation,
    Person,
    Presence,
    Sitting,
    Standing,
    Training,
)

ZONE = ZoneInfo("Europe/Paris")
HALF_DAYS, TRAINEES, MINUTES = 40, 12, 210
FIRST = date(2026, 9, 7)
MADE_ON = datetime(2026, 10, 30, 9, tzinfo=ZONE)
DIRECTOR = Person("CON-1", "Le Quellec", "Marguerite", "MME")
HOUSE = Organisation(
    "Centre Erdre & Sillon", "00381440700015", "52 99 04417 99", ("14 quai des Gabares-Neuves",), "Nantes",
    DIRECTOR, "Directrice",
)  # fmt: skip
TRAINING = Training("Négociateur technico-commercial", number="CONV-2026-022")
PEOPLE = [
    Person(
        f"STU-{number:02}",
        f"Nom-de-famille {number}",
        "Prénom",
        "MME",
        "Voilerie Penn ar Roc'h SARL",
        "",
        Standing.EMPLOYEE,
    )
    for number in range(TRAINEES)
]
TRAINER = Person("TEA-1", "Marchetti", "Stéphane")


def drawing(seed: str) -> bytes:
    """Draw a line on 300 x 100 pixels that is like no other: about as many bytes as a drawn signature has."""
    digest = hashlib.sha512(seed.encode()).digest() * 5
    rows = [bytearray(b"\xff" * 300) for _ in range(100)]
    height = 50
    for x, step in enumerate(digest[:300]):
        height = min(97, max(2, height + step % 9 - 4))
        for thick in range(3):
            rows[height + thick][x] = 0
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", 300, 100, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def sittings() -> list[Sitting]:
    """Return forty half-days: two a day, five days a week."""
    found = []
    for number in range(HALF_DAYS):
        day = FIRST + timedelta(days=number // 2 + 2 * (number // 10))
        start = datetime(day.year, day.month, day.day, 9 if number % 2 == 0 else 13, 30, tzinfo=ZONE)
        there = [
            Presence(person, "PRESENT", MINUTES, start, start, image=drawing(f"{number} {person.reference}"))
            for person in (*PEOPLE, TRAINER)
        ]
        end = start + timedelta(minutes=MINUTES)
        found.append(
            Sitting(
                f"CRS-{number:03}", "Conduite d'un entretien de vente", TRAINING, start, end, MINUTES,
                tuple(there[-1:]), tuple(there[:-1]), "Bloc 2 : négocier une solution", "Nantes, salle 12",
            )
        )  # fmt: skip
    return found


def makers(held: list[Sitting]) -> Iterator[tuple[str, Callable[[Issue], papers.Paper]]]:
    """Give each paper by its name and how it is made."""
    hours = Decimal(HALF_DAYS * MINUTES) / 60
    trainees = tuple(InvoicedTrainee(person, hours) for person in PEOPLE)
    last = held[-1].day
    invoiced = Invoiced(
        "2026-000001", "FAC-2026-041", last, FIRST, last, "OPCO Horizon", "CONV-2026-022", "HZ-2026-118232",
        hours * TRAINEES, trainees=trainees,
    )  # fmt: skip
    week = held[:10]
    attached = [Attached("ATTENDANCE_SHEET", f"Feuille {number}", f"f-{number}.pdf", "ab" * 32) for number in range(70)]
    yield (
        "completion certificate",
        lambda issue: papers.completion_certificate(issue, HOUSE, invoiced, PEOPLE[0], TRAINING, held),
    )
    yield (
        "attendance certificate",
        lambda issue: papers.attendance_certificate(issue, HOUSE, invoiced, PEOPLE[0], TRAINING, held),
    )
    yield "sheet of a week", lambda issue: papers.weekly_attendance_sheet(issue, HOUSE, week)
    yield "statement", lambda issue: papers.invoicing_statement(issue, HOUSE, invoiced, held, (), attached)
    yield "cover page, 70 documents", lambda issue: papers.cover_page(issue, HOUSE, invoiced, attached)


def measured(make: Callable[[Issue], papers.Paper], seconds: float, numbers: Iterator[int]) -> tuple[float, int]:
    """Return CPU milliseconds a paper, those of the processes that set them included, and its size in bytes."""
    size = len(make(_issue(next(numbers))).content)
    done, start, began = 0, _taken(), time.monotonic()
    while done < 3 or time.monotonic() - began < seconds:
        make(_issue(next(numbers)))
        done += 1
    return 1000 * (_taken() - start) / done, size


def _taken() -> float:
    """Return the seconds of processor taken so far. What others took is counted when the one they come of has ended."""
    apart.close()
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _issue(number: int) -> Issue:
    return Issue(f"DOC-{number:06}", MADE_ON, "2026-000001", f"https://exchange.centre.example/documents/{number:022}")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Papers a second on one core.")
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each kind of paper (default: 3)")
    seconds = parser.parse_args().seconds
    numbers = count(1)
    print(f"| {TRAINEES} trainees, {HALF_DAYS} half-days | CPU ms | papers a second | kB |\n|---|--:|--:|--:|")
    for name, make in makers(sittings()):
        cost, size = measured(make, seconds, numbers)
        print(f"| {name} | {cost:.1f} | {1000 / cost:.1f} | {size / 1000:.0f} |", flush=True)
    peaks = [resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"\n{next(numbers)} papers, peak memory {peaks[0]} MB here, {peaks[1]} MB in the largest process apart.")


if __name__ == "__main__":
    main()
