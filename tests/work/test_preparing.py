"""The papers of a record: made once in effect, filed together, made anew as a new version, never over the old one."""

import io
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from paraphe import store
from paraphe.accounts import Impossible, set_organisation
from paraphe.documents import typeset
from paraphe.work import jobs, organisations
from paraphe.work.handlers import JOBS
from paraphe.work.invoices import send_invoicing_info
from paraphe.work.records import open_document
from paraphe.work.signatures import record_attendance
from paraphe.work.workers import Workplace, do, reason_of

from ..documents.school import png
from .cast import NOW, add, add_courses, add_people, caller, get, history, index, inside, review, send

pytestmark = pytest.mark.slow

LATER = NOW + timedelta(minutes=2)
DAYS = ["CRS-1", "CRS-2"]  # two mornings of one week
ORGANISATION = {
    "name": "Centre Horizon",
    "siret": "00290361500017",
    "address": ["1 rue des Lilas", "44000 Nantes"],
    "city": "Nantes",
    "representative": {"civility": "MME", "lastName": "Le Goff", "firstName": "Ada"},
}
SAID = {
    "invoice_number": "F-1",
    "invoice_date": date(2026, 9, 30),
    "period_start": date(2026, 9, 1),
    "period_end": date(2026, 9, 30),
    "quantity": Decimal("6.00"),
    "unit": "HOUR",
    "trainees": [{"reference": "STU-1", "quantity": Decimal("6.00")}],
}


@pytest.fixture
def centre(engine, account):
    """An account whose papers are made, with a trainee and a trainer who signed on two mornings."""
    add_people(engine, account, store.student, ["STU-1"])
    add_people(engine, account, store.teacher, ["TEA-1"])
    add_courses(engine, account, DAYS)
    with store.writing(engine) as connection:
        connection.execute(update(store.course).values(training_reference="BTS", training_name="BTS Informatique"))
        return set_organisation(connection, account, json.dumps(ORGANISATION))


@pytest.fixture
def call(engine, context, centre):
    call = caller(engine, context, account=centre)
    call(record_attendance, [signed(day, kind, person) for day in DAYS for kind, person in PEOPLE])
    return call


PEOPLE = (("STUDENT", "STU-1"), ("TEACHER", "TEA-1"))


def signed(day, kind="STUDENT", person="STU-1", status="PRESENT", mode="PAPER_SCAN"):
    known = {"course_reference": day, "person_type": kind, "person_reference": person}
    return known | {"status": status, "collect_mode": mode}


@pytest.fixture
def work(engine, archive, addresses):
    """Give `work()`: have the jobs of the queue done until none is left; returns how often papers were made."""
    workplace = Workplace(engine, archive, addresses, lambda: NOW)

    def done():
        count = 0
        while (job := jobs.take(engine, "W-1", LATER)) is not None:
            do(workplace, job, JOBS[job.kind])
            count += job.kind is jobs.Kind.PREPARE
        return count

    return done


def inform(call, **changes):
    return call(send_invoicing_info, invoice=SAID | changes)


def kinds(call):
    return [each["document_type"] for each in index(call)["documents"]]


def text(archive, document):
    pages = PdfReader(io.BytesIO(archive.read(document["sha256"]))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


#: What says nothing of the database is tried on one; to set papers takes a while.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ALL = ["ATTENDANCE_SHEET", "COMPLETION_CERTIFICATE", "ATTENDANCE_CERTIFICATE", "INVOICING_STATEMENT"]


def test_a_record_is_preparing_until_its_papers_are_filed_together(call, work, archive):
    answer = inform(call)
    assert (answer["status"], index(call)["status"], kinds(call)) == ("PREPARING", "PREPARING", [])

    assert work() == 1

    found = index(call)
    assert (found["status"], found["version"], kinds(call)) == ("READY", 2, ALL)
    assert found["document_count"] == len(ALL)
    assert found["size_bytes"] == sum(each["size_bytes"] for each in found["documents"])


@on_one_database
def test_the_papers_say_what_was_invoiced_and_signed(call, work, archive):
    inform(call)
    work()

    sheet, certificate, _, statement = index(call)["documents"]
    assert "Centre Horizon" in text(archive, certificate)
    assert "6,00" in text(archive, certificate)
    assert "STU-1" in text(archive, sheet)
    assert "2026-000001" in text(archive, statement)


@on_one_database
def test_who_has_a_number_at_the_cfa_is_certified_as_an_apprentice(call, engine, work, archive):
    with store.writing(engine) as connection:
        connection.execute(update(store.student).values(cfa_number="CFA-44-1"))
    inform(call)
    work()

    sheet, certificate, *_ = index(call)["documents"]

    assert "X action de formation par apprentissage" in text(archive, certificate)
    assert "1,00 mois" in text(archive, certificate)
    assert "action de formation par apprentissage" in text(archive, sheet)


@on_one_database
def test_what_a_sandbox_gets_cannot_be_taken_for_real(call, centre, engine, work, archive):
    assert centre.environment == "SANDBOX"
    inform(call)
    work()
    with store.writing(engine) as connection:
        connection.execute(update(store.account).values(environment="PRODUCTION"))
    inform(call, invoice_number="F-2")
    work()

    tried, real = index(call)["documents"], index(call, "2026-000002")["documents"]

    assert len(tried) == len(real) == len(ALL)
    assert all("SPÉCIMEN — environnement d" in text(archive, each) for each in tried)
    assert not any("SPÉCIMEN" in text(archive, each) for each in real)


@on_one_database
def test_a_paper_that_is_too_long_fails_the_job_with_its_code_and_nothing_is_filed(call, engine, work, monkeypatch):
    monkeypatch.setattr(typeset, "_LIMITS", replace(typeset._LIMITS, seconds=0.001))
    inform(call)

    with pytest.raises(jobs.Failed) as failed:
        work()

    assert reason_of(failed.value) == "PAPER_TOO_LONG"
    assert (index(call)["status"], kinds(call)) == ("PREPARING", [])


@on_one_database
def test_what_a_paper_says_is_in_the_zip_as_json(call, work):
    inform(call)
    work()

    files = inside(get(call)["content"])
    data = [json.loads(files.read(name)) for name in files.namelist() if name.endswith(".json")]

    assert len(data) == 1 + len(ALL)  # the manifest
    assert len([name for name in files.namelist() if name.endswith(".pdf")]) == len(ALL)


@on_one_database
def test_while_papers_are_made_an_answer_says_so(call, work):
    inform(call)
    assert [each["code"] for each in get(call)["warnings"]] == ["PAPERS_NOT_READY"]

    work()

    assert get(call)["warnings"] == []


@on_one_database
def test_the_address_on_a_paper_leads_to_that_paper(call, work, engine, addresses):
    inform(call)
    work()

    with store.reading(engine) as connection:
        (link, document_id), *_ = connection.execute(
            select(store.document.c.link, store.document.c.document_id).where(store.document.c.made)
        ).all()
        found = open_document(connection, link)

    assert found is not None
    assert found.document_id == document_id


def test_papers_are_made_once_however_often_the_job_is_begun(call, work, engine, archive, addresses):
    inform(call)
    workplace = Workplace(engine, archive, addresses, lambda: NOW)
    begun = jobs.take(engine, "W-1", NOW)
    assert begun is not None
    keep = JOBS[begun.kind](workplace, call(lambda context, _: context.account), begun)
    with store.writing(engine) as connection:
        jobs.hand_back(connection, [begun])

    work()
    call(lambda context, _: keep(context))

    assert (index(call)["version"], kinds(call)) == (2, ALL)


def test_a_review_makes_them_anew_and_the_old_ones_stay(call, work, engine, archive):
    send(call, b"no PDF")
    review(call, **SAID, contract_number=None)
    work()
    first = index(call)["documents"]
    with store.writing(engine) as connection:
        connection.execute(update(store.record).values(status="NEEDS_REVIEW"))

    review(call, **SAID, contract_number="CONV-9")
    work()

    second = index(call)["documents"]
    assert [each["document_type"] for each in second] == ["INVOICE", *ALL]
    assert not {each["document_id"] for each in first[1:]} & {each["document_id"] for each in second}
    assert all(archive.read(each["sha256"]) for each in first)
    with store.reading(engine) as connection:
        replaced = store.document.c.replaced_in.is_not(None) & store.document.c.whole_of.is_(None)
        assert len(connection.scalars(select(store.document.c.id).where(replaced)).all()) == len(ALL)


def test_what_was_asked_for_meanwhile_is_made_and_what_is_outdated_is_not_filed(call, work, engine, archive, addresses):
    inform(call)
    workplace = Workplace(engine, archive, addresses, lambda: NOW)
    job = jobs.take(engine, "W-1", NOW)
    assert job is not None
    keep = JOBS[job.kind](workplace, call(lambda context, _: context.account), job)
    call(record_attendance, [signed("CRS-2", status="ABSENT", mode=None)])

    call(lambda context, _: keep(context))

    assert (index(call)["status"], kinds(call)) == ("PREPARING", [])


def test_attendance_that_changes_makes_them_anew(call, work, archive):
    inform(call)
    work()

    call(record_attendance, [signed("CRS-2", status="ABSENT", mode=None)])

    assert index(call)["status"] == "PREPARING"
    assert work() == 1
    found = index(call)
    assert (found["status"], kinds(call)) == ("READY", ALL)
    assert "3,00" in text(archive, found["documents"][1])


@on_one_database
@pytest.mark.parametrize(
    "row",
    [
        signed("CRS-1"),  # says what was said before
        signed("CRS-1", "STUDENT", "STU-2"),  # a trainee of another invoice
        signed("CRS-9"),  # outside of the period
    ],
)
def test_attendance_that_no_paper_speaks_of_leaves_the_record_alone(call, work, engine, account, row):
    add_people(engine, account, store.student, ["STU-2"])
    add_courses(engine, account, ["CRS-9"], day=date(2026, 12, 1))
    inform(call)
    work()

    call(record_attendance, [row])

    assert index(call)["status"] == "READY"
    assert work() == 0


@on_one_database
def test_a_document_that_is_added_makes_nothing_anew(call, work):
    inform(call)
    work()

    add(call)

    assert work() == 0
    assert (index(call)["status"], kinds(call)) == ("READY", [*ALL, "AGREEMENT"])


@on_one_database
def test_an_account_whose_organisation_is_not_known_has_no_papers(engine, account, context, work):
    call = caller(engine, context)

    assert inform(call)["status"] == "READY"
    assert work() == 0


@on_one_database
def test_an_account_that_wants_no_papers_any_more_gets_its_records_without(call, work, engine, centre):
    inform(call)
    with store.writing(engine) as connection:
        set_organisation(connection, centre, None)

    work()

    assert (index(call)["status"], kinds(call)) == ("READY", [])


@on_one_database
def test_the_history_says_that_the_server_made_them_and_for_whom(call, work, engine):
    inform(call)
    work()

    assert [event for event, _ in history(engine)] == ["CREATED", "PREPARED", "JOINED"]
    with store.reading(engine) as connection:
        actors = connection.scalars(select(store.record_event.c.actor).order_by(store.record_event.c.id)).all()
    assert actors == ["lycee-horizon", "server", "server"]


# The operator's templates --------------------------------------------------------------------------------------


@pytest.fixture
def with_templates(engine, archive, addresses, tmp_path):
    """Give a workplace whose papers are set with an operator's folder, and that folder."""
    folder = tmp_path / "templates"
    folder.mkdir()
    return Workplace(engine, archive, addresses, lambda: NOW, templates=folder), folder


def all_done(workplace):
    while (job := jobs.take(workplace.engine, "W-1", LATER)) is not None:
        do(workplace, job, JOBS[job.kind])


@on_one_database
def test_a_template_and_a_word_of_the_operator_are_on_the_papers(call, with_templates, archive):
    workplace, folder = with_templates
    (folder / "words.toml").write_text('[papers.statement]\ntitle = "Décompte"\n', "utf-8")
    ours = Path(typeset.__file__).with_name("templates") / "certificate.typ"
    changed = ours.read_text("utf-8").replace("CERTIFICAT DE RÉALISATION", "CERTIFICAT MAISON")
    (folder / "certificate.typ").write_text(changed, "utf-8")
    inform(call)

    all_done(workplace)

    _, certificate, _, statement = index(call)["documents"]
    assert "CERTIFICAT MAISON" in text(archive, certificate)
    assert statement["title"].startswith("Décompte")


@on_one_database
def test_a_template_that_breaks_fails_the_job_with_file_and_line_and_no_other_job(call, with_templates, caplog):
    workplace, folder = with_templates
    broken = '#import "common.typ": *\n#show: paper\n#if facts.invoiced.invoice_number == "F-2" { nobody }\n'
    (folder / "statement.typ").write_text(broken)
    inform(call, invoice_number="F-1")
    inform(call, invoice_number="F-2")

    first, second = (jobs.take(workplace.engine, "W-1", LATER) for _ in range(2))
    assert first is not None
    assert second is not None
    with pytest.raises(jobs.Failed) as failed:
        do(workplace, second, JOBS[second.kind])
    do(workplace, first, JOBS[first.kind])

    assert failed.value.reason == "BROKEN_TEMPLATE statement.typ:3"
    assert (index(call)["status"], index(call, "2026-000002")["status"]) == ("READY", "PREPARING")
    (line,) = [each for each in caplog.records if each.message == "template broken"]
    assert (vars(line)["file"], vars(line)["line"]) == ("statement.typ", 3)


# The organisation ----------------------------------------------------------------------------------------------


def test_an_organisation_is_read_with_its_logo_from_beside_the_file(tmp_path):
    (tmp_path / "logo.png").write_bytes(png())
    file = tmp_path / "organisation.json"
    file.write_text(json.dumps(ORGANISATION | {"logo": "logo.png"}), "utf-8")

    found = organisations._organisation(json.loads(organisations.from_file(file)))

    assert (found.name, found.address[1], found.logo) == ("Centre Horizon", "44000 Nantes", png())
    assert found.representative is not None
    assert found.representative.last_name == "Le Goff"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "not JSON"),
        ("[]", "no object"),
        ('{"name": ""}', "name"),
        ('{"name": "C", "siren": "1"}', "siren"),
        ('{"name": "C", "city": 4}', "texts"),
        ('{"name": "C", "representative": "Ada"}', "representative"),
        ('{"name": "C", "logo": "sub/logo.png"}', "no name of a file beside"),
        ('{"name": "C", "logo": "organisation.json"}', "neither a PNG, nor a JPEG"),
    ],
)
def test_a_file_that_says_no_organisation_is_refused(tmp_path, said, words):
    file = tmp_path / "organisation.json"
    file.write_text(said, "utf-8")

    with pytest.raises(Impossible, match=words):
        organisations.from_file(file)
