"""What takes long is done before the transaction: meanwhile others write, also on SQLite, which has one writer."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from paraphe import store
from paraphe.work.invoices import send_invoicing_info
from paraphe.work.records import add_simple_invoice

from .cast import FIRST, INVOICE, add, add_people, caller, pdf, review, send

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Watched:
    """An archive to which a file goes only if somebody can write into the database meanwhile."""

    def __init__(self, archive, engine):
        self._archive, self._engine = archive, engine
        self.kept = 0

    def __getattr__(self, name):
        return getattr(self._archive, name)

    def keep(self, content):
        with store.writing(self._engine):
            self.kept += 1
        return self._archive.keep(content)


@pytest.fixture
def archive(archive, engine, monkeypatch):
    monkeypatch.setattr("paraphe.store.transactions.PATIENCE", 0.5)
    return Watched(archive, engine)


@pytest.fixture
def call(engine, account, context):
    add_people(engine, account, store.student, ["STU-1", "STU-2"])
    return caller(engine, context)


@contextmanager
def written_beside(engine, table):
    """Collect the statements on a table in transactions that write."""
    seen = []

    def look(connection, cursor, statement, *_):
        if connection.get_execution_options().get("writes") and f"{table}." in statement:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", look)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", look)


def test_others_write_while_a_file_goes_into_the_archive(call, archive):
    send(call)
    add(call)
    call(add_simple_invoice, record_number=FIRST, file_name="avoir.pdf", content=pdf(300))

    assert archive.kept == 3


def test_others_write_while_an_invoice_is_held_against_the_signatures(call, engine):
    send(call)
    with written_beside(engine, "attendance") as seen:
        call(send_invoicing_info, invoice=INVOICE)
        assert review(call)["warnings"]

    assert seen == []
