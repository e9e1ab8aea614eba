"""The bare minimum in Python: no framework, no accounts, no journal, no per-item results. What there is to be had.

lxml parses, the contract's schema validates, dicts go into SQLite by one `executemany`, lxml writes the answer.
"""

import binascii
import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from lxml import etree

from paraphe import contract

from .kept import keep
from .messages import ENVELOPE, NAMESPACE, NOW, Record
from .wsgi import Served

_NS = f"{{{NAMESPACE}}}"
_STUDENT = [field.name for field in contract.complex_type("Student").fields if field.name != "clearFields"]
_INVOICE = [field.name for field in contract.complex_type("InvoicingElements").fields]
_HEAD = ["recordNumber", "status", "version", "createdOn", "modifiedOn"]
_TAIL = ["documentCount", "sizeBytes", "pdfUrl", "zipUrl", "urlsExpireOn"]
_RECORD = [*_HEAD, *_INVOICE, *_TAIL]


def named(names: Sequence[str]) -> str:
    """Write columns, as SQL has them."""
    return ", ".join(f'"{name}"' for name in names)


def values(names: Sequence[str]) -> str:
    """Write the places of their values."""
    return ", ".join(f":{name}" for name in names)


def _differing(names: Sequence[str]) -> str:
    return " OR ".join(f'"{name}" IS NOT excluded."{name}"' for name in names)


TABLES = f"""
CREATE TABLE student (id INTEGER PRIMARY KEY, {named(_STUDENT)}, UNIQUE (reference));
CREATE TABLE record (id INTEGER PRIMARY KEY, {named(_RECORD)});
CREATE TABLE document (id INTEGER PRIMARY KEY, "fileName", "file", "sizeBytes");
"""
_UPSERT = (
    f"INSERT INTO student ({named(_STUDENT)}) VALUES ({values(_STUDENT)}) ON CONFLICT (reference) DO UPDATE SET "  # noqa: S608
    + ", ".join(f'"{name}" = excluded."{name}"' for name in _STUDENT)
    + f" WHERE {_differing(_STUDENT)}"
)
_DOCUMENT = 'INSERT INTO document ("fileName", "file", "sizeBytes") VALUES (?, ?, ?)'
_LIST = f"SELECT {named(_RECORD)} FROM record ORDER BY id LIMIT 1000"  # noqa: S608


class Floor:
    """A WSGI callable that answers four operations."""

    def __init__(self, folder: Path, records: Sequence[Record]) -> None:
        self._schema = etree.XMLSchema(contract.schema())
        self._tags = {f"{_NS}{field.name}": field.name for field in _fields()}
        self._database, self._files = folder / "floor.sqlite", folder / "store"
        self._files.mkdir()
        self._of_thread = threading.local()
        self._connection.executescript(TABLES)
        self._connection.execute("BEGIN")
        fill(self._connection, records)
        self._connection.execute("COMMIT")

    @property
    def _connection(self) -> sqlite3.Connection:
        """The connection of this thread."""
        if not hasattr(self._of_thread, "connection"):
            self._of_thread.connection = sqlite3.connect(self._database, isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                self._connection.execute(f"PRAGMA {pragma}")
        connection: sqlite3.Connection = self._of_thread.connection
        return connection

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one message; one that is not valid ends as an exception."""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        payload = etree.fromstring(body).find(f"{{{ENVELOPE}}}Body")[0]  # type: ignore[index]
        self._schema.assertValid(payload)
        root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE, None: NAMESPACE})
        name = etree.QName(payload).localname
        response = etree.SubElement(etree.SubElement(root, f"{{{ENVELOPE}}}Body"), f"{_NS}{name}Response")
        result = etree.SubElement(response, f"{_NS}{name}Result")
        _append(result, "returnCode", "200 OK")
        if name == "SyncStudents":
            self._sync_students(payload, result)
        elif name == "GetRecordList":
            self._list(result)
        elif name == "SendInvoice":
            self._send_invoice(payload, result)
        answer = etree.tostring(root, xml_declaration=True, encoding="utf-8")
        start("200 OK", [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(answer)))])
        return [answer]

    def _sync_students(self, payload: etree._Element, result: etree._Element) -> None:
        students = payload.find(f"{_NS}students")
        rows = [self._row(student) for student in ([] if students is None else students)]
        self._connection.execute("BEGIN IMMEDIATE")
        before = self._last_id()
        written = self._connection.executemany(_UPSERT, rows).rowcount
        # Nothing is ever deleted, and a row that was there keeps its id.
        created = self._last_id() - before
        self._connection.execute("COMMIT")
        counts = {"received": len(rows), "created": created, "updated": written - created}
        for name, count in {**counts, "unchanged": len(rows) - written}.items():
            _append(result, name, str(count))

    def _send_invoice(self, payload: etree._Element, result: etree._Element) -> None:
        content = binascii.a2b_base64(payload.findtext(f"{_NS}content", ""))
        row = payload.findtext(f"{_NS}fileName"), keep(self._files, content), len(content)
        number = self._connection.execute(_DOCUMENT, row).lastrowid
        _append(result, "recordNumber", f"2026-{number:06d}")

    def _last_id(self) -> int:
        (last,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM student").fetchone()
        return int(last)

    def _row(self, student: etree._Element) -> dict[str, str | None]:
        row: dict[str, str | None] = dict.fromkeys(_STUDENT)
        tags = self._tags
        for child in student:
            row[tags[child.tag]] = child.text if len(child) == 0 else self._nested(child)  # type: ignore[index]
        return row

    def _nested(self, element: etree._Element) -> str:
        return json.dumps([(self._tags[child.tag], child.text) for child in element])  # type: ignore[index]

    def _list(self, result: etree._Element) -> None:
        records = etree.SubElement(result, f"{_NS}records")
        for row in self._connection.execute(_LIST):
            values = iter(row)
            index = etree.SubElement(records, f"{_NS}recordIndex")
            for name in _HEAD:
                _append(index, name, next(values))
            invoice = etree.SubElement(index, f"{_NS}invoice")
            for name in _INVOICE[:-1]:
                _append(invoice, name, next(values))
            _append_trainees(invoice, next(values))
            for name in _TAIL:
                _append(index, name, next(values))
        _append(result, "remaining", "0")


def _fields() -> Iterable[contract.Field]:
    return (field for kind in contract.types().values() if isinstance(kind, contract.Complex) for field in kind.fields)


def _append(parent: etree._Element, name: str, value: str | None) -> None:
    if value is not None:
        etree.SubElement(parent, f"{_NS}{name}").text = value


def _append_trainees(invoice: etree._Element, trainees: str) -> None:
    array = etree.SubElement(invoice, f"{_NS}trainees")
    for trainee in json.loads(trainees):
        element = etree.SubElement(array, f"{_NS}trainee")
        for name, value in trainee.items():
            _append(element, name, value)


def fill(connection: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Put records into their table."""
    into = f"INSERT INTO record ({named(_RECORD)}) VALUES ({values(_RECORD)})"  # noqa: S608
    connection.executemany(into, [_stored(number, record) for number, record in enumerate(records, 1)])


def _stored(number: int, record: Record) -> dict[str, str | None]:
    """Return a record as texts, ready to be written into an answer."""
    url = f"http://127.0.0.1:8080/records/{number:048d}"
    said = {name: str(record[name]) if name in record else None for name in _INVOICE}
    return {
        "recordNumber": f"2026-{number:06d}",
        "status": "READY",
        "version": "1",
        "createdOn": NOW.isoformat(),
        "modifiedOn": NOW.isoformat(),
        **said,
        "trainees": json.dumps(record["trainees"], default=str),
        "documentCount": "1",
        "sizeBytes": "15",
        "pdfUrl": f"{url}.pdf",
        "zipUrl": f"{url}.zip",
        "urlsExpireOn": NOW.isoformat(),
    }


def start(folder: Path, records: Sequence[Record]) -> Served:
    """Set the server up in an empty folder, with these records."""
    return Served(Floor(folder, records))
