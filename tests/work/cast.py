"""Who stands on the stage of these tests, and how their messages reach the work functions."""

import hashlib
import io
import json
import re
import zipfile
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from pypdf import PdfReader, PdfWriter
from sqlalchemy import event, insert, select

from paraphe import store
from paraphe.context import Ahead
from paraphe.errors import Refused
from paraphe.operations import OPERATIONS
from paraphe.work import joining
from paraphe.work.invoices import send_invoice
from paraphe.work.record_list import get_record_list
from paraphe.work.records import acknowledge_records, add_simple_document, get_record, review_record
from paraphe.work.workers import Workplace

NOW = datetime(2026, 9, 14, 7, 30, tzinfo=UTC)
#: All that an invoice can say, without a contradiction; the students are STU-1 and STU-2, the contact OPCO-1.
INVOICE = {
    "invoice_number": "FAC-2026-041",
    "invoice_date": date(2026, 9, 30),
    "period_start": date(2026, 9, 1),
    "period_end": date(2026, 9, 30),
    "payer_reference": "OPCO-1",
    "payer_name": "OPCO de l'Atlantique",
    "contract_number": "CONV-2026-018",
    "file_number": "DOS-77",
    "seller_siret": "00290361500017",
    "quantity": Decimal("172.50"),
    "unit": "HOUR",
    "amount_excl_vat": Decimal("2070.00"),
    "vat_amount": Decimal("414.00"),
    "amount_incl_vat": Decimal("2484.00"),
    "trainees": [
        {"reference": "STU-1", "last_name": "Le Goff", "first_name": "Ada", "quantity": Decimal("100.50")},
        {"reference": "STU-2", "quantity": Decimal("72.00"), "unit": "HOUR", "amount_excl_vat": Decimal("864.00")},
    ],
}


def add_people(engine, account, table, references):
    """Store students or teachers, called by their reference."""
    known = {"account_id": account.id, "created_on": NOW, "modified_on": NOW, "first_name": "Ada"}
    rows = [{**known, "reference": reference, "last_name": f"Le Goff {reference}"} for reference in references]
    with store.writing(engine) as connection:
        connection.execute(insert(table), rows)


def add_courses(engine, account, references, day=date(2026, 9, 14)):
    """Store courses of one morning each; the second is a day after the first, and so on."""
    rows = []
    for number, reference in enumerate(references):
        start = datetime(day.year, day.month, day.day, 7, tzinfo=UTC) + timedelta(days=number)
        times = {"date": start.date(), "start": start, "end": start + timedelta(hours=3)}
        known = {"account_id": account.id, "created_on": NOW, "modified_on": NOW, "name": f"Course {reference}"}
        rows.append({**known, "reference": reference, **times})
    with store.writing(engine) as connection:
        connection.execute(insert(store.course), rows)


def caller(engine, context, **given):
    """Give `call(work, **request)`: one message in a transaction of its own, as the server would run it.

    What is to happen after the answer was sent happens then, in another transaction, unless `sent=False` says that
    the caller died.
    """

    ahead = {operation.work: operation.ahead for operation in OPERATIONS.values() if operation.ahead}

    def call(work, request=None, sent=True, **elements):
        request = elements if request is None else request
        done_ahead: tuple[object, ...] = ()
        if work in ahead:
            message = context(None, **given)
            workplace = Workplace(engine, message.archive, message.addresses, lambda: message.now)
            before = Ahead(
                engine, message.account, message.now, "R-0001", message.archive, partial(joining.make, workplace)
            )
            done_ahead = (ahead[work](before, request),)
        with store.writing(engine) as connection:
            message = context(connection, **given)
            result = work(message, request, *done_ahead)
        for action in message.after_sent if sent else ():
            with store.writing(engine) as connection:
                action(connection)
        return result

    return call


def refusal(call, *arguments, **elements):
    """Return the errors with which a call is refused."""
    with pytest.raises(Refused) as refused:
        call(*arguments, **elements)
    return refused.value.errors


def codes(errors):
    """Return what is wrong where: (code, field) of each error."""
    return [(error.code.value, error.field) for error in errors]


@contextmanager
def statements(engine):
    """Count the statements that reach the database."""
    seen = []

    def count(connection, cursor, statement, *_):
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)", statement):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", count)


def pdf(*widths):
    """A PDF with an empty page of each of these widths."""
    writer = PdfWriter()
    for width in widths or (100,):
        writer.add_blank_page(width, 200)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


# Records -------------------------------------------------------------------------------------------------------

FIRST = "2026-000001"


def send(call, content=None, file_name="FAC-2026-041.pdf", **more):
    """Open a record with an invoice of one page, 100 wide; return its number."""
    return call(send_invoice, content=content or pdf(100), file_name=file_name, **more)["record_number"]


def add(call, number=FIRST, content=None, title="Convention", kind="AGREEMENT", **more):
    """Add a document of one page, 200 wide."""
    request = {"record_number": number, "document_type": kind, "title": title, "file_name": "convention.pdf"}
    return call(add_simple_document, request | {"content": content or pdf(200)} | more)


def review(call, number=FIRST, **changes):
    said = {key: value for key, value in (INVOICE | changes).items() if value is not None}
    return call(review_record, record_number=number, invoice=said)


def get(call, number=FIRST, kind="ZIP", **more):
    return call(get_record, {"record_number": number, "format": kind, **more.pop("elements", {})}, **more)


def index(call, number=FIRST):
    return get(call, number, "INDEX")["record_index"]


def listed(call, **question):
    return [*call(get_record_list, question)["records"]["record_number"]]


def acknowledge(call, *numbers):
    return call(acknowledge_records, record_numbers=list(numbers))


def widths(content):
    """The widths of all pages but the cover."""
    return [int(page.mediabox.width) for page in PdfReader(io.BytesIO(bytes(content))).pages][1:]


def inside(content):
    return zipfile.ZipFile(io.BytesIO(content))


def history(engine):
    """Say what happened to all records: each event and what was known before it."""
    columns = store.record_event.c.event, store.record_event.c.before
    with store.reading(engine) as connection:
        found = connection.execute(select(*columns).order_by(store.record_event.c.id))
        return [(event, before and json.loads(before)) for event, before in found]
