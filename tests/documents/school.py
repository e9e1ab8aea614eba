"""A small school of facts for the papers, and how a paper is read again."""

import base64
import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pypdf import PdfReader

from paraphe.documents import papers
from paraphe.documents.facts import (
    Attached,
    Gap,
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
from paraphe.documents.papers import Paper

PARIS = ZoneInfo("Europe/Paris")
MADE_ON = datetime(2026, 10, 1, 8, 5, tzinfo=PARIS)
ISSUE = Issue("DOC-0042", MADE_ON, "2026-000007", "https://exchange.centre.example/documents/AbCdEfGhIjKlMnOpQrStUv")
DIRECTOR = Person("CON-1", "Le Quellec", "Marguerite", "MME")
HOUSE = Organisation(
    "Centre Erdre & Sillon",
    "00381440700015",
    "52 99 04417 99",
    ("14 quai des Gabares-Neuves", "44000 Nantes"),
    "Nantes",
    DIRECTOR,
    "Directrice",
)
ALICE = Person(
    "STU-1", "Nguyễn", "Thị Hồng Ánh", "MME", "Voilerie Penn ar Roc'h SARL", "00155203500012", Standing.EMPLOYEE
)
BRUNO = Person("STU-2", "Wójcik", "Łukasz", "M", standing=Standing.JOB_SEEKER)
TRAINER = Person("TEA-1", "L'Hostis", "Soazig", "MME")
PAYROLL = Training("Gestionnaire de paie", number="CONV-2026-017")


def png(width: int = 30, height: int = 10, shade: int = 0) -> bytes:
    """Draw a grey rectangle."""
    raw = (b"\0" + bytes([shade]) * width) * height
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, content) for name, content in parts)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


#: A grey square of 16 pixels a side.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71"
    "////m8H////6/+b9//j/wAALCAAQABABAREA/8QAFgABAQEAAAAAAAAAAAAAAAAAAAQF/8QAFhAAAwAAAAAAAAAAAAAAAAAAABRh"
    "/9oACAEBAAA/ALmqGqYbVDVP/9k="
)


def at(day: int, hour: int, minute: int = 0, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS)


def signed(person: Person, sitting_start: datetime, minutes: int = 210, **others: Any) -> Presence:
    return Presence(person, "PRESENT", minutes, sitting_start, sitting_start, image=png(), **others)


def sitting(start: datetime, *trainees: Presence, minutes: int = 210, **others: Any) -> Sitting:
    end = start.replace(hour=start.hour + 3, minute=30)
    given: dict[str, Any] = {"trainers": (signed(TRAINER, end),), "place": "Nantes, salle 12", "module": "Bloc 2"}
    reference = f"CRS-{start:%Y%m%d-%H%M}"
    return Sitting(reference, "Calcul de la paie", PAYROLL, start, end, minutes, trainees=trainees, **(given | others))


MONDAY = sitting(at(7, 9), signed(ALICE, at(7, 9, 2)), Presence(BRUNO, "EXPECTED"))


def invoiced(*people: Person, quantity: str = "7.00", each: str | None = None) -> Invoiced:
    trainees = tuple(InvoicedTrainee(person, Decimal(each or quantity)) for person in people)
    period = (date(2026, 9, 1), date(2026, 9, 30))
    return Invoiced(
        "2026-000007",
        "FAC-2026-041",
        date(2026, 9, 30),
        *period,
        "OPCO Horizon",
        "CONV-2026-017",
        "HZ-2026-118204",
        Decimal(quantity),
        trainees=trainees,
    )


def pages(content: bytes) -> list[str]:
    """Read the text of each page again, white space as single blanks and typewriter's apostrophes."""
    reader = PdfReader(io.BytesIO(content))
    return [
        " ".join(page.extract_text().split()).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") for page in reader.pages
    ]


def text(content: bytes) -> str:
    return " ".join(pages(content))


def links(content: bytes) -> Iterator[str]:
    """Give the addresses that a paper links to."""
    for page in PdfReader(io.BytesIO(content)).pages:
        for annotation in page.get("/Annots", []):
            action = annotation.get_object().get("/A", {})
            if "/URI" in action:
                yield action["/URI"]


def images(content: bytes) -> int:
    """Count the pictures on all pages, those inside form objects too."""
    return sum(_images(page["/Resources"]) for page in PdfReader(io.BytesIO(content)).pages)


def _images(resources: Any) -> int:
    found = 0
    for each in resources.get("/XObject", {}).values():
        drawn = each.get_object()
        found += drawn["/Subtype"] == "/Image"
        if drawn["/Subtype"] == "/Form":
            found += _images(drawn.get("/Resources", {}))
    return found


def certificate(person: Person, sittings: list[Sitting], training: Training = PAYROLL, **others: Any) -> Paper:
    return papers.completion_certificate(ISSUE, HOUSE, invoiced(person), person, training, sittings, **others)


def statement(
    people: list[Person],
    sittings: list[Sitting],
    gaps: Sequence[Gap] = (),
    attached: Sequence[Attached] = (),
    **told: str,
) -> Paper:
    return papers.invoicing_statement(ISSUE, HOUSE, invoiced(*people, **told), sittings, gaps, attached)
