"""All of a record in one PDF: made and sealed once for each version, kept, never given as another version."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from paraphe import settings, store
from paraphe.documents.seal import Level, NoCredential, level_of
from paraphe.seals import Seals, authority_of
from paraphe.work import jobs, joining
from paraphe.work import sealing as of_records
from paraphe.work.handlers import JOBS
from paraphe.work.invoices import send_invoicing_info
from paraphe.work.records import add_simple_invoice
from paraphe.work.workers import Workplace, do

from ..documents.acting import active_content
from ..documents.conftest import tsa
from ..documents.sealing import pdfsig
from .cast import FIRST, INVOICE, add, caller, get, index, listed, pdf, send, widths
from .test_preparing import SAID, centre

pytestmark = pytest.mark.slow

__all__ = ["centre", "tsa"]
NOW = datetime.now(UTC).replace(microsecond=0)
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def call(engine, context, account):
    return caller(engine, context, now=NOW)


def wholes(engine):
    """The PDFs that are kept: the version, and where it is past."""
    columns = store.document.c.whole_of, store.document.c.replaced_in
    kept = select(*columns).where(store.document.c.whole_of.is_not(None)).order_by(store.document.c.id)
    with store.reading(engine) as connection:
        return [tuple(row) for row in connection.execute(kept)]


def text(content, page=0):
    return " ".join(PdfReader(io.BytesIO(bytes(content))).pages[page].extract_text().split())


def test_a_pdf_is_made_once_for_a_version_and_given_again(call, engine, monkeypatch):
    send(call)
    first = get(call, kind="PDF")["content"]
    monkeypatch.setattr(joining, "joined_pdf", None)

    assert get(call, kind="PDF")["content"] == first
    assert wholes(engine) == [(1, None)]


def test_a_record_that_changed_is_never_given_as_it_was(call, engine):
    send(call)
    get(call, kind="PDF")
    add(call)

    assert widths(get(call, kind="PDF")["content"]) == [100, 200]
    assert wholes(engine) == [(1, 2), (2, None)]


@on_one_database
def test_the_cover_lists_every_document_with_its_digest(call):
    send(call)
    add(call)

    cover = text(get(call, kind="PDF")["content"])

    assert f"DOSSIER DE FACTURATION {FIRST}" in cover
    for document in index(call)["documents"]:
        assert document["sha256"] in cover.replace(" ", "")


@on_one_database
def test_the_pdf_is_none_of_the_records_documents(call):
    send(call)
    before = index(call)
    get(call, kind="PDF", sent=False)

    assert index(call) == before
    assert listed(call) == [FIRST]


@on_one_database
def test_what_changes_meanwhile_is_not_kept_as_the_pdf_of_what_came_after(
    call, engine, archive, addresses, monkeypatch
):
    send(call)
    made = joining._made

    def changing(*arguments):
        done = made(*arguments)
        add(call)
        return done

    monkeypatch.setattr(joining, "_made", changing)

    answer = get(call, kind="PDF")

    assert [each["code"] for each in answer["warnings"]] == ["PDF_NOT_READY"]
    assert "content" not in answer
    assert listed(call) == [FIRST]
    assert wholes(engine) == []


@on_one_database
def test_a_pdf_that_cannot_be_made_is_told_and_extracts_nothing(call, tmp_path, engine, archive, addresses):
    (tmp_path / "cover.typ").write_text("#nobody")
    send(call)
    workplace = Workplace(engine, archive, addresses, lambda: NOW, templates=tmp_path)

    with store.reading(engine) as connection:
        (record_id,) = connection.scalars(select(store.record.c.id)).all()
    joining.make(workplace, record_id, "R-0001")

    assert wholes(engine) == []
    assert listed(call) == [FIRST]


# The job -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sealing(engine, archive, addresses, centre):
    """Give `sealing(url)`: a workplace that seals for the account, with time stamps from this address."""

    def made(url=""):
        given = {"PARAPHE_SEAL_PASSPHRASE": "of this test", "PARAPHE_TIME_STAMP_URL": url}
        seals = Seals(settings.read({}, given))
        with store.writing(engine) as connection:
            if seals.credential_of(connection, centre) is None:
                seals.issue(connection, centre, NOW)
        return Workplace(engine, archive, addresses, lambda: NOW, lambda: seals)

    return made


def work(workplace, after=timedelta()):
    """Do all jobs that are due; give their kinds."""
    done = []
    while (job := jobs.take(workplace.engine, "W-1", NOW + after)) is not None:
        do(workplace, job, JOBS[job.kind])
        done.append(job.kind.value)
    return done


@pytest.fixture
def prepared(engine, context, centre, sealing):
    """The record of an invoice with all its papers, and the call of its account."""
    call = caller(engine, context, account=centre, now=NOW)
    send(call, pdf(300), hints=SAID)
    return call


@on_one_database
def test_the_pdf_of_a_record_with_papers_is_made_before_anybody_asks(prepared, sealing, engine, monkeypatch):
    assert work(sealing()) == ["PREPARE", "JOIN"]
    monkeypatch.setattr(joining, "joined_pdf", None)

    answer = get(prepared, kind="PDF")

    assert (index(prepared)["status"], answer["warnings"]) == ("READY", [])
    assert wholes(engine) == [(index(prepared)["version"], None)]


@on_one_database
def test_all_of_a_record_is_sealed_holds_what_was_signed_and_nothing_that_acts(
    prepared, sealing, archive, engine, centre, tmp_path
):
    work(sealing())

    content = bytes(get(prepared, kind="PDF")["content"])

    reader = PdfReader(io.BytesIO(content))
    documents = index(prepared)["documents"]
    sealed = [each for each in documents if each.get("seal_level")]
    attached = [file for files in reader.attachments.values() for file in files]
    assert attached == [archive.read(each["sha256"]) for each in sealed]
    assert len(sealed) == len(documents) - 1  # all but the untouched invoice
    assert level_of(content) is Level.B_B
    assert active_content(reader, signature=True) == []
    titles = [each.title for each in reader.outline if not isinstance(each, list)]
    assert titles[1:] == [each["title"] or each["file_name"] for each in documents]
    assert reader.metadata is not None
    assert reader.metadata.title == titles[0] == f"Dossier de facturation {FIRST}"
    _said_by_poppler(content, tmp_path, engine, centre)


def _said_by_poppler(content, tmp_path, engine, centre):
    from cryptography.x509 import load_pem_x509_certificate

    with store.reading(engine) as connection:
        root = authority_of(connection, centre)
    assert root is not None
    said = pdfsig(tmp_path, content, load_pem_x509_certificate(root))
    assert said.count("Signature #") == 1
    assert "Signature Validation: Signature is Valid." in said
    assert "Certificate Validation: Certificate is Trusted." in said
    assert "Total document signed" in said


@on_one_database
def test_a_job_that_is_done_again_or_too_late_makes_nothing(prepared, sealing, engine, context, centre):
    work(sealing())
    before = wholes(engine)
    with store.writing(engine) as connection:
        jobs.enqueue(context(connection, account=centre, now=NOW), jobs.Kind.JOIN, 1, 1)

    assert work(sealing()) == ["JOIN", "JOIN"]
    assert wholes(engine) == before


@on_one_database
def test_a_time_stamp_that_the_pdf_alone_lacks_is_caught_up_in_the_same_version(
    prepared, sealing, engine, archive, tsa
):
    tsa.manner = "well"
    workplace = sealing(tsa.url)
    job = jobs.take(engine, "W-1", NOW)
    assert job is not None
    do(workplace, job, JOBS[job.kind])
    tsa.manner = "error"
    assert work(workplace) == ["JOIN"]
    before, version = bytes(get(prepared, kind="PDF")["content"]), index(prepared)["version"]
    assert level_of(before) is Level.B_B

    tsa.manner = "well"
    assert work(workplace, timedelta(minutes=6)) == ["RAISE_SEAL"]

    after = bytes(get(prepared, kind="PDF")["content"])
    assert level_of(after) is Level.B_T
    assert after.startswith(before)
    assert index(prepared)["version"] == version


@on_one_database
def test_a_key_that_fails_leaves_the_pdf_unsealed_and_the_history_says_why(prepared, sealing, engine, monkeypatch):
    work(sealing())
    add(prepared)

    def failing(*_, **__):
        raise NoCredential("TOKEN_UNAVAILABLE", "The token does not answer.")

    monkeypatch.setattr(of_records, "seal", failing)
    work(sealing())

    assert level_of_last(engine) is None
    assert get(prepared, kind="PDF")["content"]


def level_of_last(engine):
    wholes = store.document.c.whole_of.is_not(None)
    last = select(store.document.c.seal_level).where(wholes).order_by(store.document.c.id.desc())
    with store.reading(engine) as connection:
        return connection.scalars(last).first()


@on_one_database
def test_the_history_of_a_record_names_its_pdf(prepared, sealing, engine):
    work(sealing())

    events = select(store.record_event.c.event, store.record_event.c.outcome).order_by(store.record_event.c.id.desc())
    with store.reading(engine) as connection:
        event, outcome = connection.execute(events).first() or ("", "{}")
        whole = connection.scalar(select(store.document.c.document_id).where(store.document.c.whole_of.is_not(None)))
    assert event == "JOINED"
    assert json.loads(outcome) == {"document": whole, "level": "B-B", "leftOut": [], "unsealed": None}


# Invoices that are added ---------------------------------------------------------------------------------------


def added(call, content):
    return call(add_simple_invoice, record_number=FIRST, file_name="AVOIR.pdf", content=content)


@on_one_database
def test_an_invoice_that_is_added_is_sealed_beside_the_untouched_one(prepared, sealing, archive):
    work(sealing())
    before = index(prepared)

    added(prepared, pdf(400))
    assert work(sealing()) == ["JOIN", "SEAL_INVOICE", "JOIN"]

    *same, original, copy = index(prepared)["documents"]
    assert [each["document_id"] for each in same] == [each["document_id"] for each in before["documents"]]
    assert archive.read(original["sha256"]) == pdf(400)
    assert (copy["document_type"], copy["file_name"]) == ("SIMPLE_INVOICE", "AVOIR-scellee.pdf")
    assert archive.read(copy["sha256"]).startswith(pdf(400))
    assert copy["seal_level"] == "B-B"
    found = index(prepared)
    assert found["version"] == before["version"] + 2
    assert found["document_count"] == len(found["documents"])
    assert found["size_bytes"] == sum(each["size_bytes"] for each in found["documents"])


@on_one_database
def test_papers_that_are_made_anew_leave_the_sealed_invoices_alone(prepared, sealing, engine, context, centre):
    work(sealing())
    added(prepared, pdf(400))
    work(sealing())
    copies = [each for each in index(prepared)["documents"] if each["file_name"].endswith("-scellee.pdf")]
    with store.writing(engine) as connection:
        changed = {"papers_wanted": store.record.c.papers_wanted + 1, "papers_facts": None, "status": "PREPARING"}
        connection.execute(update(store.record).values(changed))
        jobs.enqueue(context(connection, account=centre, now=NOW), jobs.Kind.PREPARE, 1)

    work(sealing())

    assert [each for each in index(prepared)["documents"] if each["file_name"].endswith("-scellee.pdf")] == copies


@on_one_database
def test_an_account_with_a_seal_and_without_papers_has_its_invoices_sealed_too(call, engine, sealing, centre):
    workplace = sealing()
    with store.writing(engine) as connection:
        connection.execute(update(store.account).values(organisation=None))
    send(call, pdf(300), hints=INVOICE)

    assert work(workplace) == ["SEAL_INVOICE"]

    assert [each.get("seal_level") for each in index(call)["documents"]] == [None, "B-B"]


@on_one_database
def test_an_account_without_a_seal_has_nothing_to_do(call, engine, archive, addresses):
    send(call, hints=INVOICE)
    added(call, pdf(400))

    assert work(Workplace(engine, archive, addresses, lambda: NOW)) == []


@on_one_database
def test_a_seal_that_cannot_be_used_stands_in_the_list_of_what_failed(prepared, sealing):
    workplace = sealing()
    work(workplace)
    added(prepared, pdf(400))
    without = replace(workplace, seals=lambda: Seals(settings.read({})))

    with pytest.raises(jobs.Failed, match="PASSPHRASE_MISSING"):
        work(without)


@on_one_database
def test_an_invoice_that_cannot_be_sealed_stays_as_it_is_and_the_history_says_why(prepared, sealing, engine):
    work(sealing())
    version = index(prepared)["version"]
    added(prepared, b"%PDF-1.7 and no more")

    work(sealing())

    assert index(prepared)["version"] == version + 1
    sealed = select(store.record_event.c.outcome).where(store.record_event.c.event == "SEALED")
    with store.reading(engine) as connection:
        (outcome,) = connection.scalars(sealed).all()
    assert json.loads(outcome) == {"documents": [], "unsealed": "DAMAGED"}


def test_a_record_without_documents_has_no_pdf(call, engine, archive, addresses):
    call(send_invoicing_info, invoice=INVOICE)

    partial(joining.make, Workplace(engine, archive, addresses, lambda: NOW))(1, "R-0001")

    assert wholes(engine) == []
