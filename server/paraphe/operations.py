"""The fifteen operations of the contract by name: what each does, for whatever face it is called through."""

from .call import Answer, Operation, Uses
from .work import connection, invoices, record_list, records, signatures, sync


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _synchronised(result: Answer) -> str:
    counts = ", ".join(
        f"{result[name]} {name}" for name in ("created", "updated", "unchanged", "removed", "rejected") if result[name]
    )
    would = "Dry run, nothing stored: " if result.get("dry_run") else ""
    return f"{would}{_counted(result['received'], 'item')} received: {counts or 'nothing to do'}."


def _listed(result: Answer) -> str:
    return f"{_counted(len(result['records']['record_number']), 'record')}; {result['remaining']} more to come."


def _opened(result: Answer) -> str:
    return f"Record {result['record_number']} is opened, {_status(result['status'])}."


def _status(status: str) -> str:
    return {"READY": "ready", "NEEDS_REVIEW": "and waits for a review", "PREPARING": "its papers are being made"}[
        status
    ]


def _signed(result: Answer) -> str:
    count = sum(len(course["participants"]) for course in result["courses"])
    courses = _counted(len(result["courses"]), "course")
    return f"{_counted(count, 'participant')} of {courses}{'; there are more' if result['more'] else ''}."


OPERATIONS: dict[str, Operation] = {
    "CheckConnection": Operation(
        connection.check_connection, Uses.NOTHING, lambda result: f"You are connected as {result['account']}."
    ),
    "SyncStudents": Operation(sync.students, Uses.WRITES, _synchronised),
    "SyncTeachers": Operation(sync.teachers, Uses.WRITES, _synchronised),
    "SyncClassrooms": Operation(sync.classrooms, Uses.WRITES, _synchronised),
    "SyncCourses": Operation(sync.courses, Uses.WRITES, _synchronised),
    "SyncContacts": Operation(sync.contacts, Uses.WRITES, _synchronised),
    "GetSignatureList": Operation(signatures.get_signature_list, Uses.READS, _signed),
    "SendInvoice": Operation(invoices.send_invoice, Uses.WRITES, _opened, invoices.read_ahead),
    "SendInvoicingInfo": Operation(invoices.send_invoicing_info, Uses.WRITES, _opened, invoices.look_ahead),
    "ReviewRecord": Operation(
        records.review_record,
        Uses.WRITES,
        lambda result: f"Record {result['record_index']['record_number']} is settled.",
        invoices.look_ahead,
    ),
    "AddSimpleInvoice": Operation(
        records.add_simple_invoice,
        Uses.WRITES,
        lambda result: f"The invoice joined record {result['record_number']}.",
        records.keep_simple_invoice,
    ),
    "AddSimpleDocument": Operation(
        records.add_simple_document,
        Uses.WRITES,
        lambda result: f"The document joined record {result['record_number']}.",
        records.keep_simple_document,
    ),
    "GetRecord": Operation(
        records.get_record,
        Uses.READS,
        lambda result: f"Record {result['record_index']['record_number']}.",
        records.make_pdf_first,
    ),
    "GetRecordList": Operation(record_list.get_record_list, Uses.READS, _listed),
    "AcknowledgeRecords": Operation(
        records.acknowledge_records,
        Uses.WRITES,
        lambda result: (
            f"{result['acknowledged']} records are now extracted, {result['already_extracted']} were before."
        ),
    ),
}
