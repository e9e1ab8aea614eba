"""Where each simple type can be sent, and how what arrived is seen: in the database, the archive or an answer.

A carrier takes some forms of a type through one face and gives, for each, the value that was kept, or `Wrong` with the
code of the refusal.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from sqlalchemy import select

from paraphe import store
from paraphe.contract import Complex, Simple, complex_type, operations

from .lexical import PDF, Forms, Wrong
from .plain import PlainCaller, as_json


@dataclass(frozen=True)
class Told:
    """An answer, through whatever face."""

    said: dict[str, Any]

    @property
    def ok(self) -> bool:
        return bool(self.said["returnCode"] == "200 OK")

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.said.get("errors", ()))

    @property
    def wrong(self) -> Wrong:
        return Wrong(self.errors[0]["code"])


@dataclass(frozen=True)
class Sender:
    """Somebody with a fresh account who sends messages through one face, "soap" or "json"."""

    caller: PlainCaller
    face: str

    def send(self, operation: str, message: dict[str, Any]) -> Told:
        if self.face == "json":
            return Told(self.caller.send(operation, json.dumps(message).encode()).said)
        request = operations()[operation].request
        reply = self.caller.soap.post(as_xml(request, operation, message))
        kind = complex_type("ServiceFault") if reply.is_fault else operations()[operation].result
        return Told(dict(as_json(reply.result, kind)))

    def row(self, table: Any, *conditions: Any) -> Any:
        """The only row of a table that the account has under these conditions."""
        (row,) = self.rows(table, *conditions)
        return row

    def rows(self, table: Any, *conditions: Any) -> list[Any]:
        mine = table.c.account_id == self.caller.soap.account.id
        return self.caller.house.rows(select(table).where(mine, *conditions))


def as_xml(kind: Simple | Complex, name: str, value: Any) -> str:
    """Write a value of JSON's kind as the element of a message, in the order of the schema."""
    if isinstance(kind, Simple):
        return f"<{name}>{escape(str(value), {chr(13): '&#13;'})}</{name}>"
    if kind.item is not None:
        return f"<{name}>{''.join(as_xml(kind.item.type, kind.item.name, one) for one in value)}</{name}>"
    members = (as_xml(field.type, field.name, value[field.name]) for field in kind.fields if field.name in value)
    return f"<{name}>{''.join(members)}</{name}>"


Carry = Callable[[Sender, Forms], Sequence[Any]]


# Many in one message ---------------------------------------------------------------------------------------------


def in_items(plural: str, column: Any, place: str, **beside: Any) -> Carry:
    """Send forms as items of a Sync operation that keeps the valid ones; `place` is a path in the item."""

    def carry(sender: Sender, forms: Forms) -> Sequence[Any]:
        items = [item(f"L{number}", form, value) for number, (form, value) in enumerate(forms, 1)]
        told = sender.send(f"Sync{plural.capitalize()}", {"onError": "KEEP_VALID", plural: items})
        codes: dict[int, str] = {}
        for error in told.errors:
            codes.setdefault(error["index"], error["code"])
        stored = {row.reference: getattr(row, column.name) for row in sender.rows(column.table)}
        assert {f"L{number}" for number in codes}.isdisjoint(stored)
        assert told.said["created"] == len(stored)
        return [
            Wrong(codes[number]) if number in codes else found(stored[f"L{number}"])
            for number in range(1, len(forms) + 1)
        ]

    def item(reference: str, form: Any, value: Any) -> dict[str, Any]:
        *outer, last = place.split("/")
        inner = {last: form}
        for name in reversed(outer):
            inner = {name: inner}
        end = {"end": (value + timedelta(hours=1)).isoformat()} if isinstance(value, datetime) else {}
        return {"reference": reference} | beside | inner | end

    def found(value: Any) -> Any:
        return json.loads(value)[place.split("/")[-1]] if "/" in place else value

    return carry


def _student(column: Any, place: str) -> Carry:
    return in_items("students", column, place, lastName="L", firstName="F")


# One in a message ------------------------------------------------------------------------------------------------


def one_by_one(carry_one: Callable[[Sender, Any], Any]) -> Carry:
    return lambda sender, forms: [carry_one(sender, form) for form, _ in forms]


def accepted(operation: str, name: str, also: Iterable[str] = (), **beside: Any) -> Carry:
    """Send a form that is not kept; one that is taken (or refused with one of the codes of `also`) is its own value."""

    def carry_one(sender: Sender, form: str) -> Any:
        told = sender.send(operation, {name: form} | beside)
        return form if told.ok or told.wrong.code in also else told.wrong

    return one_by_one(carry_one)


def _message_id(sender: Sender, form: str) -> Any:
    before = len(sender.rows(store.message))
    told = sender.send("SyncStudents", {"messageId": form})
    rows = sender.rows(store.message)
    if told.said["duplicate"]:
        assert len(rows) == before
        return next(row.message_id for row in rows if row.message_id == " ".join(form.split()))
    return max(rows, key=lambda row: row.id).message_id if told.ok else told.wrong


def _in_invoice(name: str, column: Any) -> Carry:
    """Send an element of an invoice; what the answer says of the record must be what is stored."""
    invoice = {"invoiceNumber": "F-1", "invoiceDate": "2026-09-30", "periodStart": "2026-09-01"}
    invoice |= {"periodEnd": "2026-09-30", "quantity": "1", "unit": "HOUR"}

    def carry_one(sender: Sender, form: str) -> Any:
        trainee = {"lastName": "L"} | ({name: form} if name in ("quantity", "amountExclVat") else {})
        told = sender.send("SendInvoicingInfo", {"invoice": invoice | {"trainees": [trainee], name: form}})
        if not told.ok:
            return told.wrong
        number = told.said["recordNumber"]
        stored = getattr(sender.row(store.record, store.record.c.record_number == number), column.name)
        shown = sender.send("GetRecord", {"recordNumber": number, "format": "INDEX"}).said["recordIndex"]["invoice"]
        for said in (shown, *(trainee for trainee in shown["trainees"] if name in trainee)):
            assert stored == (Decimal(str(said[name])) if isinstance(stored, Decimal) else said[name])
        return stored

    return one_by_one(carry_one)


def _in_file(name: str, kept: Callable[[Sender, Any], Any]) -> Carry:
    digest = hashlib.sha256(PDF).hexdigest()

    def carry_one(sender: Sender, form: str) -> Any:
        form = form.replace("{digest}", digest).replace("{DIGEST}", digest.upper())
        message = {"fileName": "F.pdf", "content": "JVBERi0xLjc="} | {name: form}
        told = sender.send("SendInvoice", message)
        if not told.ok:
            return told.wrong
        value = kept(sender, sender.row(store.document, store.document.c.document_id == told.said["documentId"]))
        return "{digest}" if value == digest else value

    return one_by_one(carry_one)


def _content(sender: Sender, document: Any) -> bytes:
    """What the archive holds, and the answers too."""
    number = sender.row(store.record, store.record.c.id == document.record_id).record_number
    kept = sender.caller.house.archive.read(document.sha256)
    index = sender.send("GetRecord", {"recordNumber": number, "format": "INDEX"}).said["recordIndex"]
    assert index["documents"][0]["sha256"] == hashlib.sha256(kept).hexdigest()
    return kept


def _record_number(sender: Sender, form: str) -> Any:
    told = sender.send("GetRecord", {"recordNumber": form, "format": "INDEX"})
    return told.errors[0]["reference"] if told.wrong.code == "UNKNOWN_RECORD" else told.wrong


def _cursor(sender: Sender, forms: Forms) -> Sequence[Any]:
    invoice = {"invoiceNumber": "F-1", "invoiceDate": "2026-09-30", "periodStart": "2026-09-01", "quantity": "1"}
    invoice |= {"periodEnd": "2026-09-30", "unit": "HOUR", "trainees": [{"lastName": "L"}]}  # type: ignore[dict-item]
    numbers = [sender.send("SendInvoicingInfo", {"invoice": invoice}).said["recordNumber"] for _ in range(2)]
    cursor = sender.send("GetRecordList", {"limit": 1}).said["nextCursor"]
    found = []
    for form, _ in forms:
        told = sender.send("GetRecordList", {"cursor": form.replace("{cursor}", cursor)})
        records = [record["recordNumber"] for record in told.said.get("records", ())]
        found.append("{cursor}" if records == numbers[1:] else told.wrong)
    return found


_S, _C = store.student.c, store.contact.c
_UNKNOWN = ("UNKNOWN_RECORD",)
CARRIERS: dict[str, Carry] = {
    "Reference": _student(_S.employer, "employer"),
    "Label": in_items("contacts", _C.last_name, "lastName", type="EMPLOYER"),
    "LongLabel": _student(_S.training, "training"),
    "FundingNumber": _student(_S.opca_number, "opcaNumber"),
    "EmailAddress": _student(_S.email, "email"),
    "PhoneNumber": _student(_S.phone, "phone"),
    "Civility": _student(_S.civility, "civility"),
    "ZipCode": _student(_S.address, "address/zipcode"),
    "CountryCode": _student(_S.address, "address/country"),
    "xs:date": _student(_S.end, "end"),
    "xs:boolean": _student(_S.required_signature, "requiredSignature"),
    "ContactType": in_items("contacts", _C.type, "type", lastName="L"),
    "Siret": in_items("contacts", _C.siret, "siret", lastName="L", type="EMPLOYER"),
    "VatNumber": in_items("contacts", _C.vat_number, "vatNumber", lastName="L", type="EMPLOYER"),
    "ClassroomType": in_items("classrooms", store.classroom.c.type, "type", name="N"),
    "xs:int": in_items("classrooms", store.classroom.c.capacity, "capacity", name="N"),
    "xs:dateTime": in_items("courses", store.course.c.start, "start", name="N", end="2026-09-14T12:00:00Z"),
    "Modality": in_items(
        "courses",
        store.course.c.modality,
        "modality",
        name="N",
        start="2026-09-14T09:00:00Z",
        end="2026-09-14T12:00:00Z",
    ),
    "MessageId": one_by_one(_message_id),
    "Quantity": _in_invoice("quantity", store.record.c.quantity),
    "Amount": _in_invoice("amountExclVat", store.record.c.amount_excl_vat),
    "QuantityUnit": _in_invoice("unit", store.record.c.unit),
    "InvoiceNumber": _in_invoice("invoiceNumber", store.record.c.invoice_number),
    "xs:base64Binary": _in_file("content", _content),
    "FileName": _in_file("fileName", lambda _, document: document.file_name),
    "Digest": _in_file("sha256", lambda _, document: document.sha256),
    "RecordNumber": one_by_one(_record_number),
    "Cursor": _cursor,
    "SyncMode": accepted("SyncStudents", "mode"),
    "OnError": accepted("SyncStudents", "onError"),
    "AttendanceStatus": accepted("GetSignatureList", "status", modifiedSince="2026-01-01T00:00:00Z"),
    "RecordStatus": accepted("GetRecordList", "status"),
    "RecordFormat": accepted("GetRecord", "format", _UNKNOWN, recordNumber="2026-999999"),
    "DocumentType": accepted(
        "AddSimpleDocument",
        "documentType",
        _UNKNOWN,
        recordNumber="2026-999999",
        title="T",
        fileName="F.pdf",
        content="JVBERi0xLjc=",
    ),
}
