"""Every operation of a Paraphe exchange with suds (pip install suds-community).

API_USER=… API_KEY=… python client.py https://exchange.example.org/soap/v1?wsdl FOLDER

suds speaks SOAP 1.1 only. FOLDER holds invoice.pdf; record.zip is written there.
"""

import hashlib
import json
import logging
import os
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import suds.client  # type: ignore[import-not-found]
import suds.wsse  # type: ignore[import-not-found]
from suds.transport.http import HttpAuthenticated  # type: ignore[import-not-found]

WSDL, FOLDER = sys.argv[1], Path(sys.argv[2])
USER, KEY = os.environ["API_USER"], os.environ["API_KEY"]
TEXT = "é œ ß 😀"
PAPER = b"%PDF-1.4\n% a small paper\n%%EOF\n"
logging.getLogger("suds").setLevel(logging.CRITICAL)


def connect(user: str | None = None, key: str | None = None) -> Any:
    """Read the WSDL; with user and key, each call has HTTP Basic."""
    # suds keeps WSDLs in the folder for temporary files; cache=None while you try things out.
    how: dict[str, Any] = {"cache": None}
    if user:
        how["transport"] = HttpAuthenticated(username=user, password=key)
    return suds.client.Client(WSDL, **how)


client = connect(USER, KEY)
service = client.service
record = ""


def expect(condition: object, what: object) -> None:
    """Complain unless it is so."""
    if not condition:
        raise AssertionError(what)


def done(result: Any) -> Any:
    """Return the result if all was stored; the errors say for each item what is to be done."""
    expect(result.returnCode == "200 OK", result)
    return result


def text_of(content: bytes) -> str:
    """Write a file as the text that suds wants: it does not know base64."""
    return b64encode(content).decode()


# Repositories ----------------------------------------------------------------------------------------------------


def check_connection() -> None:
    result = done(service.CheckConnection())
    expect(result.environment == "SANDBOX" and TEXT in result.account, result)
    expect(result.serverTime.utcoffset() is not None and result.limits.limit[0].name, result)


def sync_contacts() -> None:
    contact = {"reference": "IOP-OPCO", "type": "OPCO", "organisation": f"OPCO {TEXT}"}
    result = done(service.SyncContacts(contacts={"contact": [contact]}))
    expect(result.created == 1 and result.items.item[0].action == "CREATED", result)


def sync_classrooms() -> None:
    room = {"reference": "IOP-ROOM", "name": f"Salle {TEXT}", "capacity": 16, "address": {"city": "Orléans"}}
    expect(done(service.SyncClassrooms(classrooms={"classroom": [room]})).created == 1, "one room")


def sync_teachers() -> None:
    teacher = {"reference": "IOP-T1", "lastName": f"Œuvrard {TEXT}", "firstName": "Zoë"}
    expect(done(service.SyncTeachers(teachers={"teacher": [teacher]})).created == 1, "one teacher")


def sync_students() -> None:
    # What is left out keeps its stored value. A list is an object that holds its items.
    full = {
        "reference": "IOP-S1",
        "civility": "MME",
        "lastName": f"Lefèvre {TEXT}",
        "firstName": "Anaïs",
        "birthDate": date(2001, 2, 28),
        "address": {"addressLine1": "1 rue de l'Œuvre", "city": "Besançon", "country": "FR"},
        "financers": {"reference": []},
        "groups": {"reference": ["IOP-GROUP"]},
        "requiredSignature": True,
        "data": {"data1": "Straße"},
    }
    short = {"reference": "IOP-S2", "lastName": "Ba", "firstName": "Ü"}
    result = done(service.SyncStudents(dryRun=True, students={"student": [full, short]}))
    expect(result.dryRun is True and result.created == 2, result)
    # The same messageId again is answered with the first answer again, and stored once.
    for again in (False, True):
        result = done(service.SyncStudents(messageId="IOP-1", mode="UPSERT", students={"student": [full, short]}))
        expect(result.created == 2 and result.duplicate is again, result)


def sync_courses() -> None:
    start = datetime(2026, 9, 14, 9, 0, tzinfo=timezone(timedelta(hours=2)))
    course = {
        "reference": "IOP-C1",
        "name": f"Bases de données {TEXT}",
        "start": start,
        "end": start + timedelta(hours=3),
        "classroom": "IOP-ROOM",
        "modality": "ON_SITE",
        "teachers": {"reference": ["IOP-T1"]},
        "groups": {"reference": ["IOP-GROUP"]},
    }
    expect(done(service.SyncCourses(courses={"course": [course]})).created == 1, "one course")


def empty_list() -> None:
    """A list of no items, and no list at all."""
    for name in ("Contacts", "Classrooms", "Teachers", "Students", "Courses"):
        operation, items = getattr(service, f"Sync{name}"), name.lower()
        expect(done(operation(**{items: {items.removesuffix("s"): []}})).received == 0, name)
        expect(done(operation()).received == 0, name)
    expect(done(service.AcknowledgeRecords(recordNumbers={"recordNumber": []})).acknowledged == 0, "an empty list")


def get_signature_list() -> None:
    period = {"periodStart": date(2026, 9, 1), "periodEnd": date(2026, 9, 18)}
    result = done(service.GetSignatureList(**period, status="PRESENT", includeImages=True, limit=5))
    signed = [each for course in result.courses.course for each in course.participants.participant if "image" in each]
    expect(
        signed and all(hashlib.sha256(b64decode(each.image)).hexdigest() == each.imageSha256 for each in signed), result
    )
    nothing = done(service.GetSignatureList(periodStart=date(2020, 1, 1), periodEnd=date(2020, 1, 2)))
    expect(not nothing.courses, nothing)


# Invoices and their records --------------------------------------------------------------------------------------


def send_invoice() -> None:
    global record
    pdf = (FOLDER / "invoice.pdf").read_bytes()
    digest = hashlib.sha256(pdf).hexdigest()
    hints = {"payerName": f"OPCO {TEXT}", "amountInclVat": Decimal("1148.60")}
    name = f"facture {TEXT}.pdf"
    result = done(service.SendInvoice(fileName=name, content=text_of(pdf), sha256=digest, hints=hints))
    expect(result.status == "NEEDS_REVIEW" and result.documentId, result)
    record = result.recordNumber


def elements(number: str) -> dict[str, Any]:
    return {
        "invoiceNumber": number,
        "invoiceDate": date(2026, 9, 21),
        "periodStart": date(2026, 9, 1),
        "periodEnd": date(2026, 9, 18),
        "payerName": f"OPCO {TEXT}",
        "quantity": Decimal("51.05"),
        "unit": "HOUR",
        "amountExclVat": Decimal("1148.63"),
        "vatAmount": Decimal("0.00"),
        "amountInclVat": Decimal("1148.63"),
        "trainees": {"trainee": [{"lastName": "Lefèvre", "firstName": "Anaïs", "quantity": Decimal("51.05")}]},
    }


def review_record() -> None:
    result = done(service.ReviewRecord(recordNumber=record, invoice=elements("IOP-F1")))
    expect(result.recordIndex.status == "READY", result)


def send_invoicing_info() -> None:
    expect(done(service.SendInvoicingInfo(invoice=elements("IOP-F2"))).status == "READY", "a record without document")


def add_simple_invoice() -> None:
    paper = {"fileName": f"avoir {TEXT}.pdf", "content": text_of(PAPER)}
    result = done(service.AddSimpleInvoice(recordNumber=record, **paper))
    expect(result.sha256 == hashlib.sha256(PAPER).hexdigest() and result.sizeBytes == len(PAPER), result)


def add_simple_document() -> None:
    about = {"documentType": "PROGRAMME", "title": f"Programme {TEXT}", "fileName": "programme.pdf"}
    result = done(service.AddSimpleDocument(recordNumber=record, **about, content=text_of(PAPER)))
    expect(result.documentId, result)


def get_record() -> None:
    index = done(service.GetRecord(recordNumber=record, format="INDEX")).recordIndex
    expect(
        index.invoice.payerName == f"OPCO {TEXT}" and Decimal(index.invoice.amountInclVat) == Decimal("1148.63"), index
    )
    expect(index.documents.document[-1].title == f"Programme {TEXT}", index)
    whole = done(service.GetRecord(recordNumber=record, format="ZIP"))
    (FOLDER / "record.zip").write_bytes(b64decode(whole.content))


def get_record_list() -> None:
    result = done(service.GetRecordList(limit=1, includeExtracted=True))
    expect(len(result.records.recordIndex) == 1 and result.remaining >= 1 and result.nextCursor, result)
    rest = done(service.GetRecordList(cursor=result.nextCursor, includeExtracted=True))
    expect(rest.remaining == 0 and rest.records.recordIndex, rest)


def acknowledge_records() -> None:
    result = done(service.AcknowledgeRecords(recordNumbers={"recordNumber": [record]}))
    expect(result.acknowledged + result.alreadyExtracted == 1, result)


# What can go wrong -----------------------------------------------------------------------------------------------


def read_fault(call: Callable[[], object]) -> Any:
    """Return the detail of the fault that a call ends with.

    suds reads no types into it: values are text, and a single error is no list.
    """
    try:
        call()
    except suds.WebFault as fault:
        detail = fault.fault.detail.ServiceFault
        if not isinstance(detail.errors.error, list):
            detail.errors.error = [detail.errors.error]
        return detail
    raise AssertionError("no fault")


def credentials_header() -> None:
    def connect_header(key: str) -> Any:
        plain = connect()
        header = plain.factory.create("Credentials")
        header.apiUser, header.apiKey = USER, key
        plain.set_options(soapheaders=header)
        return plain

    done(connect_header(KEY).service.CheckConnection())
    detail = read_fault(lambda: connect_header("wrong").service.CheckConnection())
    expect(detail.errors.error[0].code == "CREDENTIALS_REFUSED", detail)


def username_token() -> None:
    """WS-Security: the key as a password in plain text, so over TLS only."""
    security = suds.wsse.Security()
    security.tokens.append(suds.wsse.UsernameToken(USER, KEY))
    plain = connect()
    plain.set_options(wsse=security)
    done(plain.service.CheckConnection())


def refusal() -> None:
    """What the operation refuses is in the result, not in a fault; then nothing of the message was stored."""
    result = service.GetRecord(recordNumber="1999-000001", format="INDEX")
    expect(result.returnCode == "500 ERROR" and result.errors.error[0].code == "UNKNOWN_RECORD", result)


def fault() -> None:
    detail = read_fault(lambda: connect(USER, "wrong").service.CheckConnection())
    expect(detail.returnCode == "500 ERROR" and detail.errors.error[0].code == "CREDENTIALS_REFUSED", detail)


def schema_error() -> None:
    student = {"reference": "IOP-S3", "lastName": "x" * 101, "firstName": "é"}
    error = read_fault(lambda: service.SyncStudents(students={"student": [student]})).errors.error[0]
    expect(error.code == "SCHEMA_INVALID" and error.path == "/SyncStudents/students/student[1]/lastName", error)


STEPS = {
    "CheckConnection": check_connection,
    "SyncContacts": sync_contacts,
    "SyncClassrooms": sync_classrooms,
    "SyncTeachers": sync_teachers,
    "SyncStudents": sync_students,
    "SyncCourses": sync_courses,
    "GetSignatureList": get_signature_list,
    "SendInvoice": send_invoice,
    "ReviewRecord": review_record,
    "SendInvoicingInfo": send_invoicing_info,
    "AddSimpleInvoice": add_simple_invoice,
    "AddSimpleDocument": add_simple_document,
    "GetRecord": get_record,
    "GetRecordList": get_record_list,
    "AcknowledgeRecords": acknowledge_records,
    "empty list": empty_list,
    "credentials header": credentials_header,
    "UsernameToken": username_token,
    "refusal": refusal,
    "fault": fault,
    "schema error": schema_error,
}

for name, step in STEPS.items():
    try:
        step()
        print(json.dumps({"step": name, "ok": True}))
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "reason": f"{type(error).__name__}: {error}"[:400]}))
