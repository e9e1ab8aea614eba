"""Who and what the messages of these tests speak of, as zeep takes it."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from paraphe import store
from paraphe.addresses import Addresses
from paraphe.context import Context
from paraphe.work.signatures import record_attendance

from .house import FIXTURES, Caller

FIRST_DAY = date(2026, 9, 14)
INVOICE = (FIXTURES / "invoices" / "FAC-2026-041.pdf").read_bytes()
AGREEMENT = (FIXTURES / "invoices" / "CONV-2026-018.pdf").read_bytes()
IMAGE = (FIXTURES / "attendance" / "signatures" / "STU-0001.png").read_bytes()
_numbers = count(1)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# The five tables -----------------------------------------------------------------------------------------------


def student(number: int, **said: Any) -> dict[str, Any]:
    known = {
        "reference": f"STU-{number:04}",
        "civility": "MME",
        "lastName": "Le Goff",
        "firstName": f"Aurélie {number}",
    }
    return known | {"birthDate": date(1998, 3, 14), "groups": {"reference": ["GRP-A"]}} | said


def teacher(number: int, **said: Any) -> dict[str, Any]:
    return {"reference": f"TEA-{number:04}", "lastName": "Œstreicher", "firstName": f"Noël {number}"} | said


def classroom(number: int, **said: Any) -> dict[str, Any]:
    return {"reference": f"ROOM-{number:04}", "name": f"Salle {number}", "capacity": 16} | said


def course(number: int, **said: Any) -> dict[str, Any]:
    """One morning; number 2 is a day after number 1, and so on."""
    start = datetime(2026, 9, 14, 7, tzinfo=UTC) + timedelta(days=number - 1)
    known = {"reference": f"CRS-{number:04}", "name": "Bases de données"}
    return known | {"start": start, "end": start + timedelta(hours=3)} | said


def contact(number: int, **said: Any) -> dict[str, Any]:
    return {"reference": f"CON-{number:04}", "type": "OPCO", "organisation": f"OPCO Horizon {number}"} | said


def send(caller: Caller, plural: str, *items: dict[str, Any], **options: Any) -> Any:
    """Send items with their Sync operation, for example send(caller, "students", student(1))."""
    return caller.call(f"Sync{plural.capitalize()}", **options, **{plural: {plural.removesuffix("s"): list(items)}})


# Attendance ----------------------------------------------------------------------------------------------------


def attend(caller: Caller, *rows: Mapping[str, Any], now: datetime | None = None) -> None:
    """Let attendance come in, as it does from the signing devices; of what is said, all else is as usual."""
    usual = {"course_reference": "CRS-0001", "person_type": "STUDENT", "person_reference": "STU-0001"}
    house = caller.house
    with store.writing(house.engine) as connection:
        addresses = Addresses(house.url, bytes(32))
        context = Context(connection, caller.account, now or datetime.now(UTC), "attendance", house.archive, addresses)
        record_attendance(context, [usual | {"status": "PRESENT"} | dict(row) for row in rows])


def sitting(caller: Caller, students: int = 2) -> None:
    """A course with a teacher and some students, the first of whom has signed."""
    send(caller, "teachers", teacher(1))
    send(caller, "students", *(student(number) for number in range(1, students + 1)))
    send(caller, "courses", course(1, teachers={"reference": ["TEA-0001"]}, groups={"reference": ["GRP-A"]}))
    expected = [{"person_reference": f"STU-{number:04}", "status": "EXPECTED"} for number in range(2, students + 1)]
    attend(caller, {"image": IMAGE, "collect_mode": "TABLET"}, *expected)


# Invoices and records ------------------------------------------------------------------------------------------


def invoicing(**said: Any) -> dict[str, Any]:
    """The elements of an invoice, complete."""
    known = {"invoiceNumber": "FAC-2026-041", "invoiceDate": date(2026, 9, 30), "periodStart": date(2026, 9, 1)}
    trainees = {"trainee": [{"lastName": "Le Goff", "firstName": "Aurélie", "quantity": Decimal("7.50")}]}
    return (
        known
        | {"periodEnd": date(2026, 9, 30), "quantity": Decimal("7.50"), "unit": "HOUR"}
        | {"trainees": trainees}
        | said
    )


def open_record(caller: Caller, **said: Any) -> str:
    """Open a record without document; return its number."""
    return str(caller.call("SendInvoicingInfo", invoice=invoicing(**said)).recordNumber)


def open_with_pdf(caller: Caller, content: bytes = INVOICE) -> str:
    """Open a record with an invoice that waits for a review; return its number."""
    return str(caller.call("SendInvoice", fileName="FAC-2026-041.pdf", content=content).recordNumber)


def pdf_of(size: int) -> bytes:
    """Something that calls itself a PDF, of about `size` bytes, that cannot be made smaller and never comes twice."""
    seed = next(_numbers).to_bytes(4, "big")
    noise = b"".join(hashlib.sha512(seed + number.to_bytes(4, "big")).digest() for number in range(size // 64))
    return b"%PDF-1.7\n" + noise + b"\n%%EOF\n"


def to_extract(caller: Caller) -> list[str]:
    """The numbers of the records that the list holds."""
    listed = caller.call("GetRecordList")
    return [record.recordNumber for record in listed.records.recordIndex] if listed.records else []
