"""A server of the same contract in plain Spyne 2.14: declared types, validator="lxml", SQLAlchemy Core.

It does what the contract says of four operations where all goes well, and no more: no accounts, no journal, no
idempotency, no REPLACE, no dry run, no rules beyond the schema. Its answers hold the same as the product's.
"""

# mypy: disable-error-code="misc, untyped-decorator"
# Spyne has no types, its methods no self, and the contract's names are its names.
# ruff: noqa: N802, N803, N805

import decimal
import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import sqlite

import paraphe.faces.soap.compat  # noqa: F401 - before anything of Spyne

import spyne.const  # isort: skip
from spyne import Application, Array, Boolean, ByteArray, DateTime, Integer32, ServiceBase, Unicode, rpc  # isort: skip
from spyne.protocol.soap import Soap11  # isort: skip
from spyne.server.wsgi import WsgiApplication  # isort: skip

from .kept import keep
from .messages import NAMESPACE, NOW, Record
from .plain_types import (
    Address,
    CheckConnectionResult,
    FreeData,
    InvoicedTrainee,
    InvoiceResult,
    InvoicingElements,
    LimitInForce,
    RecordIndex,
    RecordListResult,
    Student,
    SyncItem,
    SyncResult,
)
from .wsgi import Served

# As shipped: a garbage collection inside a request, once a second at most. The product's door to Spyne shuts it off.
spyne.const.MIN_GC_INTERVAL = 1.0

_ACCOUNT = 1
_PUBLIC_URL = "http://127.0.0.1:8080"

# The database ----------------------------------------------------------------------------------------------------

_LISTS = ("financers", "groups")
_NESTED: dict[str, tuple[str, ...]] = {"address": tuple(Address._type_info), "data": tuple(FreeData._type_info)}
_DATES = ("birthDate", "start", "end", "invoiceDate", "periodStart", "periodEnd")
_SENT: tuple[str, ...] = tuple(name for name in Student._type_info if name != "clearFields")
_ELEMENTS: tuple[str, ...] = tuple(InvoicingElements._type_info)
_AMOUNTS = ("quantity", "amountExclVat", "vatAmount", "amountInclVat")


def _columns(names: Sequence[str]) -> list[Column[Any]]:
    return [Column(name, sqlalchemy.Date if name in _DATES else sqlalchemy.Text) for name in names]


_metadata = MetaData()
_student = Table(
    "student",
    _metadata,
    Column("id", sqlalchemy.Integer, primary_key=True),
    Column("account", sqlalchemy.Integer, nullable=False),
    *[column for column in _columns(_SENT) if column.name != "requiredSignature"],
    Column("requiredSignature", sqlalchemy.Boolean),
    UniqueConstraint("account", "reference"),
)
_record = Table(
    "record",
    _metadata,
    Column("id", sqlalchemy.Integer, primary_key=True),
    Column("account", sqlalchemy.Integer, nullable=False),
    Column("recordNumber", sqlalchemy.String(32), nullable=False),
    Column("status", sqlalchemy.String(16), nullable=False),
    Column("version", sqlalchemy.Integer, nullable=False),
    Column("createdOn", sqlalchemy.DateTime, nullable=False),
    Column("modifiedOn", sqlalchemy.DateTime, nullable=False),
    Column("extractedOn", sqlalchemy.DateTime),
    *_columns(_ELEMENTS),
    Column("documentCount", sqlalchemy.Integer, nullable=False),
    Column("sizeBytes", sqlalchemy.Integer, nullable=False),
    Column("link", sqlalchemy.String(48), nullable=False),
)
_document = Table(
    "document",
    _metadata,
    Column("id", sqlalchemy.Integer, primary_key=True),
    Column("fileName", sqlalchemy.String(255), nullable=False),
    Column("file", sqlalchemy.String(32), nullable=False),
    Column("sizeBytes", sqlalchemy.Integer, nullable=False),
)
_insert = sqlite.insert(_student)
_upsert = _insert.on_conflict_do_update(
    index_elements=["account", "reference"], set_={name: _insert.excluded[name] for name in _SENT}
)
_to_extract = (_record.c.account == _ACCOUNT) & _record.c.extractedOn.is_(None)


def _open(path: Path) -> Engine:
    """Open a database file: WAL, every commit on the disk, transactions that begin where they are meant to."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _row(student: Student) -> dict[str, Any]:
    """Return a student's columns; members of its own and lists are kept as JSON."""
    row = {name: getattr(student, name) for name in _SENT}
    for name in _LISTS:
        if row[name] is not None:
            row[name] = json.dumps(row[name])
    for name, members in _NESTED.items():
        if row[name] is not None:
            said = {member: getattr(row[name], member) for member in members}
            row[name] = json.dumps({member: value for member, value in said.items() if value is not None})
    return row


def _synchronise(engine: Engine, students: Sequence[Student]) -> list[SyncItem]:
    """Write the students that are new or differ, in one transaction; say what became of each."""
    items, rows = [], []
    with engine.begin() as connection:
        mine = _student.c.reference.in_([student.reference for student in students])
        found = connection.execute(
            select(*(_student.c[name] for name in _SENT)).where(_student.c.account == _ACCOUNT, mine)
        )
        known = {row[0]: row for row in found}
        for index, student in enumerate(students, 1):
            row, before = _row(student), known.get(student.reference)
            if before is not None:  # what is left out keeps its value
                row = {name: old if new is None else new for (name, new), old in zip(row.items(), before, strict=True)}
            action = "CREATED" if before is None else "UNCHANGED" if tuple(row.values()) == before else "UPDATED"
            if action != "UNCHANGED":
                rows.append({"account": _ACCOUNT, **row})
            items.append(SyncItem(index=index, reference=student.reference, action=action))
        if rows:
            connection.execute(_upsert, rows)
    return items


def _stored_invoice(engine: Engine, files: Path, file_name: str, pieces: Sequence[bytes]) -> int:
    content = b"".join(pieces)
    row = {"fileName": file_name, "file": keep(files, content), "sizeBytes": len(content)}
    with engine.begin() as connection:
        return int(connection.execute(insert(_document).returning(_document.c.id), row).scalar_one())


def _index(row: Any) -> RecordIndex:
    said = {name: getattr(row, name) for name in _ELEMENTS}
    for name in _AMOUNTS:
        if said[name] is not None:
            said[name] = decimal.Decimal(said[name])
    said["trainees"] = [
        InvoicedTrainee(**{**trainee, "quantity": decimal.Decimal(trainee["quantity"])})
        for trainee in json.loads(row.trainees)
    ]
    return RecordIndex(
        recordNumber=row.recordNumber,
        status=row.status,
        version=row.version,
        createdOn=row.createdOn.replace(tzinfo=UTC),
        modifiedOn=row.modifiedOn.replace(tzinfo=UTC),
        invoice=InvoicingElements(**said),
        documentCount=row.documentCount,
        sizeBytes=row.sizeBytes,
        pdfUrl=f"{_PUBLIC_URL}/records/{row.link}.pdf",
        zipUrl=f"{_PUBLIC_URL}/records/{row.link}.zip",
        urlsExpireOn=NOW + timedelta(days=7),
    )


# The operations --------------------------------------------------------------------------------------------------


def _success(message: str) -> dict[str, Any]:
    return {"returnCode": "200 OK", "message": message, "requestId": uuid.uuid4().hex, "duplicate": False}


def _service(engine: Engine, files: Path) -> type[ServiceBase]:
    class ExchangeService(ServiceBase):
        @rpc(_returns=CheckConnectionResult, _out_variable_name="CheckConnectionResult")
        def CheckConnection(ctx: Any) -> CheckConnectionResult:
            return CheckConnectionResult(
                **_success("You are connected."),
                account="Centre Horizon",
                environment="SANDBOX",
                serverTime=datetime.now(UTC),
                productVersion="1",
                timeZone="Europe/Paris",
                limits=[LimitInForce(name=f"limit{number}", value=1000, unit="items") for number in range(5)],
            )

        @rpc(
            Unicode(64, min_len=1),
            Boolean,
            Unicode(values=["UPSERT", "REPLACE"]),
            Unicode(values=["REJECT_ALL", "KEEP_VALID"]),
            Integer32,
            Array(Student, member_name="student"),
            _returns=SyncResult,
            _out_variable_name="SyncStudentsResult",
        )
        def SyncStudents(
            ctx: Any, messageId: str, dryRun: bool, mode: str, onError: str, maxRemovals: int, students: list[Student]
        ) -> SyncResult:
            items = _synchronise(engine, students or [])
            counts = Counter(item.action for item in items)
            return SyncResult(
                **_success(f"{len(items)} items received."),
                dryRun=False,
                received=len(items),
                created=counts["CREATED"],
                updated=counts["UPDATED"],
                unchanged=counts["UNCHANGED"],
                removed=0,
                rejected=0,
                items=items,
            )

        @rpc(
            Integer32,
            Unicode(128),
            Boolean,
            Unicode(values=["NEEDS_REVIEW", "PREPARING", "READY"]),
            DateTime,
            DateTime,
            Unicode(64),
            _returns=RecordListResult,
            _out_variable_name="GetRecordListResult",
        )
        def GetRecordList(
            ctx: Any,
            limit: int,
            cursor: str,
            includeExtracted: bool,
            status: str,
            createdFrom: datetime,
            createdTo: datetime,
            invoiceNumber: str,
        ) -> RecordListResult:
            limit = limit or 1000
            with engine.connect() as connection:
                rows = connection.execute(select(_record).where(_to_extract).order_by(_record.c.id).limit(limit)).all()
                total = connection.scalar(select(func.count()).select_from(_record).where(_to_extract)) or 0
            records = [_index(row) for row in rows]
            return RecordListResult(
                **_success(f"{len(records)} records."), records=records, remaining=total - len(records)
            )

        @rpc(
            Unicode(64, min_len=1),
            Unicode(255, min_len=1, min_occurs=1, nillable=False),
            ByteArray(min_occurs=1, nillable=False),
            Unicode(pattern="[0-9A-Fa-f]{64}"),
            InvoicingElements,
            _returns=InvoiceResult,
            _out_variable_name="SendInvoiceResult",
        )
        def SendInvoice(
            ctx: Any, messageId: str, fileName: str, content: Sequence[bytes], sha256: str, hints: InvoicingElements
        ) -> InvoiceResult:
            number = _stored_invoice(engine, files, fileName, content)
            return InvoiceResult(
                **_success(f"Record {number} is opened."),
                recordNumber=f"2026-{number:06d}",
                status="NEEDS_REVIEW",
                documentId=f"document-{number}",
            )

    return ExchangeService


# The server ------------------------------------------------------------------------------------------------------


def start(folder: Path, records: Sequence[Record]) -> Served:
    """Set the server up in an empty folder, with these records."""
    engine, files = _open(folder / "plain.sqlite"), folder / "store"
    files.mkdir()
    _metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(_record), [_stored(number, record) for number, record in enumerate(records, 1)])
    application = Application(
        [_service(engine, files)],
        NAMESPACE,
        name="PlainSpyne",
        in_protocol=Soap11(validator="lxml"),
        out_protocol=Soap11(),
    )
    # The defaults (2 MB, read in pieces of 8 kB) would refuse ten thousand students and be slower.
    return Served(WsgiApplication(application, max_content_length=1 << 28, block_length=1 << 20))


def _stored(number: int, record: Record) -> dict[str, Any]:
    return {
        "account": _ACCOUNT,
        "recordNumber": f"2026-{number:06d}",
        "status": "READY",
        "version": 1,
        "createdOn": NOW.replace(tzinfo=None),
        "modifiedOn": NOW.replace(tzinfo=None),
        **record,
        **{name: str(record[name]) for name in _AMOUNTS},
        "trainees": json.dumps(record["trainees"], default=str),
        "documentCount": 1,
        "sizeBytes": 15,
        "link": f"{number:048d}",
    }
