"""The messages that are measured and the records that are listed: made of numbers, the same for every server.

A student has twelve elements, one of them with members of its own and one a list: about 490 bytes. Names in a record
are the contract's.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from lxml import etree

Record = dict[str, Any]

NAMESPACE = "urn:paraphe:exchange:v1"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
# What a caller may be told of a synchronisation, in every answer whatever its form.
COUNTS = ("received", "created", "updated", "unchanged")
NOW = datetime(2026, 9, 14, 7, 30, tzinfo=UTC)

_LAST_NAMES = (
    "Le Goff",
    "N'Diaye",
    "Moreau",
    "Nguyễn",
    "Lefèvre",
    "Da Silva",
    "Müller",
    "Benali",
    "Guérin",
    "Kowalski",
)
_FIRST_NAMES = ("Aurélie", "Mamadou", "Thị Hồng", "Jean-Baptiste", "Zoé", "Inès", "Loïc", "Amine", "Chloé", "Piotr")
_STREETS = ("rue des Lilas", "boulevard de l'Océan", "avenue Jean Jaurès", "quai de la Fosse", "impasse du Moulin")
_TOWNS = (
    ("44000", "Nantes"),
    ("44600", "Saint-Nazaire"),
    ("35000", "Rennes"),
    ("49100", "Angers"),
    ("85000", "Vendée"),
)
_TRAININGS = ("BTS Services informatiques", "Développeur web et web mobile", "CAP Cuisine", "Titre pro Conducteur")


def check_connection() -> bytes:
    """Return the integrator's first call."""
    return _enveloped(f'<CheckConnection xmlns="{NAMESPACE}"/>')


def get_record_list() -> bytes:
    """Return the request for the index of a thousand records."""
    return _enveloped(f'<GetRecordList xmlns="{NAMESPACE}"><limit>1000</limit></GetRecordList>')


def asked(operation: str, elements: Mapping[str, object]) -> bytes:
    """Return the request of an operation whose elements hold a text each; they must be in the contract's order."""
    said = "".join(f"<{name}>{value}</{name}>" for name, value in elements.items())
    return _enveloped(f'<{operation} xmlns="{NAMESPACE}">{said}</{operation}>')


def sync_courses(message_id: str, references: Sequence[str], day: str, students: Sequence[str]) -> bytes:
    """Return a SyncCourses of one morning each, all with the same students."""
    people = "".join(f"<reference>{reference}</reference>" for reference in students)
    courses = "".join(
        f"<course><reference>{reference}</reference><name>{_TRAININGS[number % 4]}</name>"
        f"<trainingReference>TRA-{number % 40:02d}</trainingReference>"
        f"<trainingName>{_TRAININGS[number % 4]}</trainingName>"
        f"<start>{day}T08:00:00Z</start><end>{day}T11:30:00Z</end><modality>ON_SITE</modality>"
        f"<students>{people}</students></course>"
        for number, reference in enumerate(references)
    )
    return _enveloped(
        f'<SyncCourses xmlns="{NAMESPACE}"><messageId>{message_id}</messageId>'
        f"<courses>{courses}</courses></SyncCourses>"
    )


def acknowledge(numbers: Sequence[str]) -> bytes:
    """Return an AcknowledgeRecords."""
    listed = "".join(f"<recordNumber>{number}</recordNumber>" for number in numbers)
    return asked("AcknowledgeRecords", {"recordNumbers": listed})


def send_invoicing_info(message_id: str, number: int) -> bytes:
    """Return a SendInvoicingInfo of the record that `records` has at this place."""
    return asked("SendInvoicingInfo", {"messageId": message_id, "invoice": _written(_record(number))})


def _written(said: Record) -> str:
    return "".join(
        f"<{name}>{''.join(f'<trainee>{_written(each)}</trainee>' for each in value)}</{name}>"
        if isinstance(value, list)
        else f"<{name}>{value}</{name}>"
        for name, value in said.items()
    )


def sync_students(message_id: str, cast: str, numbers: Sequence[int], *, changed: bool = False) -> bytes:
    """Return a SyncStudents of the students `numbers` of a cast; `changed` gives each another telephone and address."""
    students = "".join(_student(cast, number, changed) for number in numbers)
    return _enveloped(
        f'<SyncStudents xmlns="{NAMESPACE}"><messageId>{message_id}</messageId>'
        f"<students>{students}</students></SyncStudents>"
    )


def _student(cast: str, number: int, changed: bool) -> str:
    zip_code, town = _TOWNS[number % len(_TOWNS)]
    house, telephone = number % 200 + (2 if changed else 1), number % 5000 + (5000 if changed else 0)
    return (
        f"<student><reference>{cast}-{number:05d}</reference><civility>{'M' if number % 2 else 'MME'}</civility>"
        f"<lastName>{_LAST_NAMES[number % 10]}</lastName><firstName>{_FIRST_NAMES[number // 10 % 10]}</firstName>"
        f"<birthDate>{date(2000, 1, 1) + timedelta(days=number % 3000)}</birthDate>"
        f"<email>t{number:05d}@mail.example</email>"
        f"<mobilePhone>06 39 98 {telephone // 100:02d} {telephone % 100:02d}</mobilePhone>"
        f"<address><addressLine1>{house} {_STREETS[number % 5]}</addressLine1>"
        f"<zipcode>{zip_code}</zipcode><city>{town}</city></address>"
        f"<start>2026-09-01</start><end>2027-06-{number % 30 + 1:02d}</end>"
        f"<groups><reference>GRP-{number % 40:02d}</reference></groups>"
        f"<training>{_TRAININGS[number % 4]}</training></student>"
    )


def _enveloped(payload: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{ENVELOPE}">'
        f"<soap:Body>{payload}</soap:Body></soap:Envelope>"
    ).encode()


def records(count: int) -> list[Record]:
    """Return the invoicing elements of `count` records, each of one trainee, under the contract's names."""
    return [_record(number) for number in range(count)]


def _record(number: int) -> Record:
    hours, net = Decimal(number % 140 + 7), Decimal(number % 140 + 7) * 25
    first = date(2026, 1, 1) + timedelta(days=number % 200)
    return {
        "invoiceNumber": f"FAC-2026-{number:05d}",
        "invoiceDate": first + timedelta(days=40),
        "periodStart": first,
        "periodEnd": first + timedelta(days=30),
        "payerReference": f"CON-OPCO-{number % 11:02d}",
        "payerName": "OPCO Horizon",
        "contractNumber": f"CTR-{number:06d}",
        "sellerSiret": "00012345600018",
        "quantity": hours,
        "unit": "HOUR",
        "amountExclVat": net.quantize(Decimal("0.01")),
        "vatAmount": Decimal("0.00"),
        "amountInclVat": net.quantize(Decimal("0.01")),
        "trainees": [
            {
                "reference": f"STU-{number:05d}",
                "lastName": _LAST_NAMES[number % 10],
                "firstName": _FIRST_NAMES[number // 10 % 10],
                "quantity": hours,
                "unit": "HOUR",
            }
        ],
    }


def told(answer: bytes) -> dict[str, int]:
    """Return what an answer counts: its COUNTS, and how many records it lists. Any server's, whatever its namespace."""
    found = {"records": 0}
    for element in etree.fromstring(answer).iter():
        name = etree.QName(element).localname
        if name in COUNTS:
            found[name] = int(element.text or 0)
        found["records"] += name == "recordIndex"
    return found
