"""What the servers in other languages find in their folder: an SQLite file with a thousand records, schema and WSDL."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from lxml import etree

from paraphe import contract

from .. import floor, messages

_PUBLISHED = Path(__file__).parents[2] / "wsdl" / "v1.wsdl"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_APART = '<schema xmlns="http://www.w3.org/2001/XMLSchema"><import namespace="{}" schemaLocation="{}"/></schema>'
#: What all servers answer.
OPERATIONS = ("CheckConnection", "SyncStudents", "GetRecordList", "SendInvoice")
_TRAINEE = [field.name for field in contract.complex_type("InvoicedTrainee").fields]
_MOMENTS = ("createdOn", "modifiedOn", "urlsExpireOn")


def prepare(folder: Path, listed: int, *, seconds: bool = False) -> None:
    """Put all that into an empty folder, and a folder for files.

    The tables are the floor's, with the trainees of a record in a table of their own instead of JSON. Moments are
    texts, or seconds since 1970 for those to whom a moment is that.
    """
    (folder / "store").mkdir()
    (folder / "v1.wsdl").write_bytes(wsdl())
    (folder / "v1.xsd").write_bytes(schema())
    records = messages.records(listed)
    with closing(sqlite3.connect(folder / "data.sqlite")) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(floor.TABLES)
        floor.fill(connection, records)
        connection.execute(f"CREATE TABLE trainee (id INTEGER PRIMARY KEY, record, {floor.named(_TRAINEE)})")
        into = f"INSERT INTO trainee (record, {floor.named(_TRAINEE)}) VALUES (:record, {floor.values(_TRAINEE)})"  # noqa: S608
        connection.executemany(into, _trainees(records))
        connection.execute("UPDATE record SET trainees = NULL")
        for name in _MOMENTS if seconds else ():
            connection.execute(f'UPDATE record SET "{name}" = CAST(strftime(\'%s\', "{name}") AS INTEGER)')  # noqa: S608


def _trainees(records: Sequence[messages.Record]) -> Iterable[dict[str, Any]]:
    for number, record in enumerate(records, 1):
        for trainee in record["trainees"]:
            said = {name: str(trainee[name]) if name in trainee else None for name in _TRAINEE}
            yield {"record": number, **said}


def wsdl(schema_at: str = "") -> bytes:
    """Return the WSDL as published, but for the operations that these servers do not have.

    `schema_at`: where the schema lies apart, if it is not to be inside.
    """
    root = etree.parse(_PUBLISHED).getroot()
    for parent in [*root.iter(f"{_WSDL}portType"), *root.iter(f"{_WSDL}binding")]:
        for operation in parent.findall(f"{_WSDL}operation"):
            if operation.get("name") not in OPERATIONS:
                parent.remove(operation)
    for types in root.iter(f"{_WSDL}types") if schema_at else ():
        types[:] = [etree.fromstring(_APART.format(contract.NAMESPACE, schema_at))]
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def schema() -> bytes:
    """Return the contract's schema in one file, without its documentation: less to read for who reads it each time."""
    root = etree.fromstring(etree.tostring(contract.schema()))
    etree.strip_elements(root, f"{contract.XS}annotation")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")
