"""Seals on what a record holds: the original stays untouched, an outage costs the level and is caught up later."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from paraphe import settings, store
from paraphe.documents.certificates import NoCredential
from paraphe.documents.seal import Level, level_of
from paraphe.seals import Seals
from paraphe.work import jobs
from paraphe.work.handlers import JOBS
from paraphe.work.jobs import Failed
from paraphe.work.workers import Workplace, do

from ..documents.conftest import tsa
from .cast import caller, digest_of, index, pdf, review, send
from .test_preparing import SAID, centre

__all__ = ["centre", "tsa"]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOW = datetime.now(UTC)


@pytest.fixture
def call(engine, context, centre):
    return caller(engine, context, account=centre, now=NOW)


@pytest.fixture
def at_work(engine, archive, addresses, centre):
    """Give `at_work(url)`: a workplace that seals for the account, with time stamps from this address."""

    def made(url=""):
        given = {"PARAPHE_SEAL_PASSPHRASE": "of this test", "PARAPHE_TIME_STAMP_URL": url}
        seals = Seals(settings.read({}, given))
        with store.writing(engine) as connection:
            if seals.credential_of(connection, centre) is None:
                seals.issue(connection, centre, NOW)
        return Workplace(engine, archive, addresses, lambda: NOW, lambda: seals)

    return made


def work(workplace, after=timedelta()):
    """Do the next job; give its kind."""
    job = jobs.take(workplace.engine, "W-1", NOW + after)
    if job is None:
        return None
    do(workplace, job, JOBS[job.kind])
    return job.kind.value


def ready(call, content):
    """Have a record whose papers are asked for, with this file as its invoice."""
    if index(call, send(call, content, hints=SAID))["status"] == "NEEDS_REVIEW":
        review(call, **SAID)


def levels(engine):
    columns = store.document.c.document_type, store.document.c.seal_level, store.document.c.seal_lack
    with store.reading(engine) as connection:
        listed = select(*columns).where(store.document.c.whole_of.is_(None))
        return [tuple(row) for row in connection.execute(listed.order_by(store.document.c.id))]


def outcome(engine):
    """What came of the last event."""
    latest = select(store.record_event.c.event, store.record_event.c.outcome).order_by(store.record_event.c.id.desc())
    with store.reading(engine) as connection:
        event, said = connection.execute(latest).first() or ("", "{}")
        return event, json.loads(said or "{}")


def test_papers_and_a_copy_of_the_invoice_are_sealed_and_the_invoice_is_untouched(call, at_work, engine, archive):
    invoice = pdf(300)
    ready(call, invoice)

    work(at_work())

    original, copy, *made = index(call)["documents"]
    assert (original["sha256"], archive.read(original["sha256"])) == (digest_of(invoice), invoice)
    assert (copy["document_type"], copy["file_name"]) == ("INVOICE", "FAC-2026-041-scellee.pdf")
    assert archive.read(copy["sha256"]).startswith(invoice)
    assert {level_of(archive.read(each["sha256"])) for each in (copy, *made)} == {Level.B_B}
    assert [each.get("seal_level") for each in index(call)["documents"]] == [None, *["B-B"] * (1 + len(made))]
    assert [level for _, level, _ in levels(engine)] == [None, *["B-B"] * (1 + len(made))]


def test_an_invoice_that_cannot_be_sealed_holds_nothing_up_and_the_history_says_why(call, at_work, engine):
    ready(call, b"a word processor's file")

    work(at_work())

    event, said = outcome(engine)
    assert index(call)["status"] == "READY"
    assert (event, said["unsealed"]) == ("PREPARED", "NOT_A_PDF")
    assert [kind for kind, level, _ in levels(engine) if level is None] == ["INVOICE"]


def test_a_seal_that_cannot_be_used_leaves_papers_unsealed_and_the_history_says_why(call, at_work, engine):
    ready(call, pdf(300))
    workplace = at_work()
    without = Workplace(
        engine, workplace.archive, workplace.addresses, workplace.clock, lambda: Seals(settings.read({}))
    )

    work(without)

    assert outcome(engine)[1]["unsealed"] == "PASSPHRASE_MISSING"
    assert {level for _, level, _ in levels(engine)} == {None}
    assert index(call)["status"] == "READY"


class _Token:
    """Signs as another signer does, when it is there; counts how often it was asked."""

    def __init__(self, workplace, engine, account):
        with store.reading(engine) as connection:
            self._signer = workplace.seals().credential_of(connection, account).signer
        self._sign = self._signer.async_sign_raw
        self._signer.async_sign_raw = self.sign
        self.there, self.asked = False, 0

    async def sign(self, *arguments, **options):
        self.asked += 1
        if not self.there:
            raise NoCredential("TOKEN_UNAVAILABLE", "The token did not sign.")
        return await self._sign(*arguments, **options)


@pytest.mark.slow
def test_a_token_that_fails_holds_no_paper_up_and_all_is_sealed_when_it_is_back(call, at_work, engine, archive, centre):
    ready(call, pdf(300))
    workplace = at_work()
    token = _Token(workplace, engine, centre)

    assert work(workplace) == "PREPARE"

    assert token.asked == 1
    assert index(call)["status"] == "READY"
    assert outcome(engine)[1]["unsealed"] == "TOKEN_UNAVAILABLE"
    assert levels(engine) == [("INVOICE", None, None), ("INVOICING_STATEMENT", None, "SEAL_UNAVAILABLE")]

    assert work(workplace) == "JOIN"
    assert work(workplace) is None  # not yet
    with pytest.raises(Failed, match="TOKEN_UNAVAILABLE"):
        work(workplace, timedelta(minutes=6))
    token.there = True
    done = [work(workplace, timedelta(minutes=7 + number)) for number in range(5)]

    assert set(done) == {"JOIN", "RAISE_SEAL", "SEAL_INVOICE"}
    assert levels(engine)[1:] == [("INVOICING_STATEMENT", "B-B", None), ("INVOICE", "B-B", None)]
    assert {level_of(archive.read(each["sha256"])) for each in index(call)["documents"][1:]} == {Level.B_B}


def test_an_authority_that_is_dead_is_waited_for_once_in_a_job(call, at_work, engine, tsa):
    ready(call, pdf(300))
    tsa.manner, tsa.asked = "error", 0

    assert work(at_work(tsa.url)) == "PREPARE"

    assert tsa.asked == 1
    assert [lack for _, _, lack in levels(engine)] == [None, *["TIME_STAMP_UNAVAILABLE"] * 2]


def test_an_authority_that_fails_costs_the_level_and_is_caught_up_as_a_new_version(call, at_work, engine, archive, tsa):
    ready(call, pdf(300))
    tsa.manner = "error"
    workplace = at_work(tsa.url)

    assert work(workplace) == "PREPARE"
    assert index(call)["status"] == "READY"
    assert {(level, lack) for _, level, lack in levels(engine)[1:]} == {("B-B", "TIME_STAMP_UNAVAILABLE")}
    before = index(call)

    assert work(workplace) == "JOIN"
    assert work(workplace) is None  # not yet
    with pytest.raises(Failed, match="TIME_STAMP_UNAVAILABLE"):
        work(workplace, timedelta(minutes=6))
    tsa.manner = "well"
    assert work(workplace, timedelta(minutes=7)) == "RAISE_SEAL"

    assert {(level, lack) for _, level, lack in levels(engine)[1:]} == {("B-T", None)}
    after = index(call)
    assert after["version"] == before["version"] + 1
    assert after["size_bytes"] == sum(each["size_bytes"] for each in after["documents"])
    for old, new in zip(before["documents"][1:], after["documents"][1:], strict=True):
        assert new["document_id"] == old["document_id"]
        assert archive.read(new["sha256"]).startswith(archive.read(old["sha256"]))
    assert outcome(engine)[0] == "SEAL_RAISED"


def test_papers_that_were_replaced_meanwhile_stay_as_they_were(call, at_work, engine, tsa):
    ready(call, pdf(300))
    tsa.manner = "error"
    assert work(at_work(tsa.url)) == "PREPARE"
    tsa.manner = "well"
    job = jobs.take(engine, "W-1", NOW + timedelta(minutes=6), [jobs.Kind.RAISE_SEAL])
    assert job is not None
    keep = JOBS[job.kind](at_work(tsa.url), call(lambda context, _: context.account), job)
    with store.writing(engine) as connection:
        connection.execute(update(store.document).values(replaced_in=3))
    before = index(call)["version"], levels(engine), outcome(engine)

    call(lambda context, _: keep(context))

    assert (index(call)["version"], levels(engine), outcome(engine)) == before
