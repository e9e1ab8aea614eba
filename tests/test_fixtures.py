"""The fixtures hold together: messages, attendance, signatures, invoices, and the programs that make them."""

import base64
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pypdf
import pytest
import xmlschema
from lxml import etree

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "fixtures"
SCHEMA = ROOT / "xsd" / "messages.xsd"
V1 = "{urn:paraphe:exchange:v1}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"


def is_answer(path: Path) -> bool:
    return path.name == "answer.xml" or path.name.endswith(".answer.xml")


REQUESTS = sorted(path for path in FIXTURES.glob("*/*.xml") if not is_answer(path))
BROKEN = [path for path in REQUESTS if path.name.startswith(("invalid", "keep-valid"))]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def payload(path: Path) -> etree._Element:
    """The child of the Body."""
    body = etree.parse(path).getroot().find(f"{SOAP}Body")
    assert body is not None
    assert len(body) == 1
    return body[0]


@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMA))


def texts(element: etree._Element, path: str) -> list[str]:
    """The texts at a path of contract names, for example "students/student/reference"."""
    return [found.text or "" for found in element.iterfind("/".join(V1 + name for name in path.split("/")))]


def items(operation: str) -> list[etree._Element]:
    """The items of the message of a Sync operation that is sent first."""
    return list(payload(FIXTURES / operation / "request.xml")[0])


def references(operation: str) -> set[str]:
    return {texts(item, "reference")[0] for item in items(operation)}


@cache
def attendance() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((FIXTURES / "attendance" / "attendance.json").read_text(encoding="utf-8"))
    return rows


# --- requests


def test_each_of_the_fifteen_operations_has_a_folder_with_a_request():
    elements = etree.parse(SCHEMA).getroot().iterfind("{http://www.w3.org/2001/XMLSchema}element")
    names = {element.get("name", "") for element in elements}
    operations = {name for name in names if f"{name}Response" in names}

    assert len(operations) == 15
    assert {path.parent.name for path in REQUESTS if path.name == "request.xml"} == operations
    assert {path.parent.name for path in REQUESTS} == operations


@pytest.mark.parametrize("path", [path for path in REQUESTS if path not in BROKEN], ids=named)
def test_a_request_follows_the_schema_and_its_folder(path):
    message = payload(path)

    schema().assertValid(message)
    assert message.tag == V1 + path.parent.name


@pytest.mark.parametrize("path", BROKEN, ids=named)
def test_a_request_that_is_wrong_on_purpose_breaks_the_schema(path):
    assert not schema().validate(payload(path))


def test_invalid_breaks_the_schema_in_two_places_and_keep_valid_in_one():
    def places(name):
        checked = etree.XMLSchema(etree.parse(SCHEMA))
        assert not checked.validate(payload(FIXTURES / "SyncStudents" / name))
        return {error.line for error in checked.error_log}

    assert len(places("invalid.xml")) == 2
    assert len(places("keep-valid.xml")) == 1


def test_a_second_validator_is_of_the_same_opinion():
    second = xmlschema.XMLSchema(SCHEMA)

    verdicts = {path: second.is_valid(etree.tostring(payload(path))) for path in REQUESTS}

    assert [path for path, valid in verdicts.items() if not valid] == BROKEN


def test_no_request_holds_credentials():
    for path in REQUESTS:
        assert etree.parse(path).getroot().find(f"{SOAP}Header") is None


def test_base64_is_broken_at_76_columns():
    content = texts(payload(FIXTURES / "SendInvoice" / "request.xml"), "content")[0].split()

    assert {len(line) for line in content[:-1]} == {76}


def test_records_are_asked_for_by_the_first_number_of_a_fresh_account():
    numbers = {text for path in REQUESTS for text in (e.text for e in payload(path).iter(f"{V1}recordNumber"))}

    assert numbers == {"2026-000001", "2026-999999"}


# --- the centre


def test_the_centre_has_the_size_it_says():
    kinds = Counter(texts(item, "type")[0] for item in items("SyncClassrooms"))

    assert len(items("SyncStudents")) == 40
    assert len(items("SyncTeachers")) == 6
    assert 11 <= len(items("SyncContacts")) <= 14
    assert 110 <= len(items("SyncCourses")) <= 130
    assert kinds == {"SITE": 3, "ROOM": 8}


@pytest.mark.parametrize(
    ("operation", "path", "known"),
    [
        ("SyncStudents", "employer", "SyncContacts"),
        ("SyncStudents", "financers/reference", "SyncContacts"),
        ("SyncTeachers", "employer", "SyncContacts"),
        ("SyncClassrooms", "siteReference", "SyncClassrooms"),
        ("SyncCourses", "classroom", "SyncClassrooms"),
        ("SyncCourses", "teachers/reference", "SyncTeachers"),
        ("SyncCourses", "students/reference", "SyncStudents"),
    ],
)
def test_references_name_what_another_message_brings(operation, path, known):
    used = {reference for item in items(operation) for reference in texts(item, path)}

    assert used
    assert used <= references(known)


def test_courses_are_held_in_rooms_for_groups_that_have_students():
    groups = {group for item in items("SyncStudents") for group in texts(item, "groups/reference")}
    rooms = {room for item in items("SyncCourses") for room in texts(item, "classroom")}

    assert {group for item in items("SyncCourses") for group in texts(item, "groups/reference")} == groups
    assert all(room.startswith("ROOM-") for room in rooms)


def test_courses_lie_in_the_term_with_the_offset_of_paris():
    for item in items("SyncCourses"):
        start, end = (datetime.fromisoformat(texts(item, name)[0]) for name in ("start", "end"))
        offset = start.utcoffset()

        assert offset is not None
        assert start < end
        assert "2026-09-01" <= texts(item, "date")[0] == start.date().isoformat() <= "2026-12-18"
        assert offset.total_seconds() == (7200 if start.date().isoformat() < "2026-10-25" else 3600)


def test_nobody_and_no_room_is_in_two_courses_at_once():
    members: dict[str, list[str]] = {}
    for student in items("SyncStudents"):
        for group in texts(student, "groups/reference"):
            members.setdefault(group, []).extend(texts(student, "reference"))
    busy: dict[str, list[tuple[str, str]]] = {}
    for item in items("SyncCourses"):
        grouped = [student for group in texts(item, "groups/reference") for student in members[group]]
        single = [
            ref for path in ("classroom", "teachers/reference", "students/reference") for ref in texts(item, path)
        ]
        if texts(item, "cancelled") != ["true"]:
            for reference in [*grouped, *single]:
                busy.setdefault(reference, []).append((texts(item, "start")[0], texts(item, "end")[0]))

    for times in busy.values():
        assert all(end <= start for (_, end), (start, _) in pairwise(sorted(times)))


def test_persons_and_companies_cannot_be_real():
    everything = "".join(path.read_text(encoding="utf-8") for path in REQUESTS)
    phones = re.findall(r"<v1:(?:mobilePhone|phone)>([^<]+)", everything)
    addresses = re.findall(r"<v1:email>[^@<]+@([^<]+)", everything)
    sirets = set(re.findall(r"<v1:\w*[sS]iret>(\d{14})<", everything))

    assert phones
    assert all(phone.startswith(("01 99 00 ", "06 39 98 ")) for phone in phones)
    assert addresses
    assert all(address.endswith(".example") for address in addresses)
    assert len(sirets) == 8
    assert all("000" <= siret[:3] <= "004" and luhn(siret) and luhn(siret[:9]) for siret in sirets)


def luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0


# --- attendance


def test_attendance_speaks_of_courses_and_persons_that_exist():
    students, teachers, courses = (references(f"Sync{table}") for table in ("Students", "Teachers", "Courses"))

    assert 550 <= len(attendance()) <= 650
    for row in attendance():
        assert row["course_reference"] in courses
        assert row["person_reference"] in (students if row["person_type"] == "STUDENT" else teachers)


def test_attendance_holds_every_participant_of_the_first_three_weeks_once():
    groups = {texts(item, "reference")[0]: texts(item, "groups/reference") for item in items("SyncStudents")}
    expected = set()
    for item in items("SyncCourses"):
        course, own = texts(item, "reference")[0], set(texts(item, "groups/reference"))
        trainees = {student for student, theirs in groups.items() if own & set(theirs)}
        if texts(item, "date")[0] <= "2026-09-18":
            there = trainees | set(texts(item, "students/reference")) | set(texts(item, "teachers/reference"))
            expected |= {(course, person) for person in there}

    assert Counter((row["course_reference"], row["person_reference"]) for row in attendance()) == Counter(expected)


def test_attendance_uses_the_words_of_the_contract():
    enumerations = etree.parse(ROOT / "xsd" / "signatures.xsd")

    def values(name):
        found = enumerations.xpath("//*[@name=$name]//*[local-name()='enumeration']/@value", name=name)
        return {str(value) for value in found}

    assert {row["status"] for row in attendance()} == values("AttendanceStatus")
    assert {row["collect_mode"] for row in attendance()} == {*values("CollectMode"), None}


def test_attendance_says_of_each_status_what_belongs_to_it():
    for row in attendance():
        signed = row["status"] in ("PRESENT", "LATE", "EARLY_DEPARTURE")
        assert (row["arrived_at"] is not None) == (row["status"] == "LATE")
        assert (row["left_at"] is not None) == (row["status"] == "EARLY_DEPARTURE")
        assert (row["justification"] is not None) == (row["status"] == "EXCUSED")
        assert (row["minutes_present"] is None) == (row["status"] == "EXPECTED")
        assert (row["minutes_present"] or 0) > 0 if signed else not row["minutes_present"]
        assert (row["collect_mode"] is not None) == (row["place"] is not None) == signed
        assert (row["image"] is not None) == (row["collected_on"] is not None)
        assert (row["image"] is not None) == (signed and row["collect_mode"] != "MANUAL")


def test_attendance_times_bear_an_offset_and_arrive_after_they_were_collected():
    for row in attendance():
        for key in ("arrived_at", "left_at", "collected_on", "received_on"):
            assert row[key] is None or datetime.fromisoformat(row[key]).utcoffset() is not None
        if row["collected_on"]:
            assert datetime.fromisoformat(row["collected_on"]) < datetime.fromisoformat(row["received_on"])


def test_signatures_are_small_distinct_pngs_and_each_is_used():
    images = {path.name: path.read_bytes() for path in (FIXTURES / "attendance" / "signatures").iterdir()}

    assert set(images) == {row["image"] for row in attendance() if row["image"]}
    assert len(set(images.values())) == len(images) >= 40
    for content in images.values():
        assert content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
        assert struct.unpack(">II", content[16:24]) == (300, 100)
        assert 800 <= len(content) <= 2500


# --- invoices


@pytest.mark.parametrize("path", sorted((FIXTURES / "invoices").glob("*.pdf")), ids=lambda path: path.stem)
def test_a_pdf_reader_finds_the_number_in_each_pdf(path):
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(path, strict=True).pages)

    assert path.stem in text
    assert "Déclaration d'activité enregistrée sous le numéro 52 99 04417 99" in text
    assert "article 261-4-4° du CGI" in text


def test_what_is_sent_is_the_file_on_disk():
    for operation in ("SendInvoice", "AddSimpleInvoice", "AddSimpleDocument"):
        message = payload(FIXTURES / operation / "request.xml")
        on_disk = (FIXTURES / "invoices" / texts(message, "fileName")[0]).read_bytes()

        assert base64.b64decode(texts(message, "content")[0]) == on_disk
        assert texts(message, "sha256")[0] == hashlib.sha256(on_disk).hexdigest()


@pytest.mark.parametrize("case", ["ReviewRecord/request", "SendInvoicingInfo/request"])
def test_invoiced_hours_are_those_that_were_signed(case):
    invoice = payload(FIXTURES / f"{case}.xml").find(f"{V1}invoice")
    assert invoice is not None
    free = {texts(item, "reference")[0] for item in items("SyncCourses") if texts(item, "invoiceable") == ["false"]}
    minutes: Counter[str] = Counter()
    for row in attendance():
        if row["course_reference"] not in free:
            minutes[row["person_reference"]] += row["minutes_present"] or 0

    quantities = texts(invoice, "trainees/trainee/quantity")
    signed = [f"{minutes[ref] / 60:.2f}" for ref in texts(invoice, "trainees/trainee/reference")]

    assert quantities == signed
    assert texts(invoice, "quantity") == [f"{sum(map(float, quantities)):.2f}"]


def test_the_invoice_to_review_contradicts_itself_and_names_a_stranger():
    reader = pypdf.PdfReader(FIXTURES / "invoices" / "FAC-2026-043.pdf")
    text = reader.pages[0].extract_text()
    lines = [float(hours.replace(",", ".")) for hours in re.findall(r"suivies (\d+,\d\d) h", text)]
    total = re.search(r"Quantité totale (\d+,\d\d) h", text)

    assert total is not None
    assert float(total[1].replace(",", ".")) == sum(lines) + 7
    assert "LOISEL" in text
    assert "Loisel" not in {name for item in items("SyncStudents") for name in texts(item, "lastName")}


# --- the generator


def generated(folder: Path, **environment: str) -> dict[str, bytes]:
    command = [sys.executable, str(FIXTURES / "generate.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_files_are_those_that_the_generator_writes_wherever_it_runs(tmp_path):
    by_hand = {"README.md"}
    committed = {
        path.relative_to(FIXTURES).as_posix(): path.read_bytes()
        for path in FIXTURES.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and not is_answer(path)
    }

    once = generated(tmp_path / "once", PYTHONHASHSEED="1", TZ="UTC")
    twice = generated(tmp_path / "twice", PYTHONHASHSEED="2", TZ="Asia/Tokyo")

    assert once == twice
    assert set(committed) - by_hand == set(once)
    assert [name for name in once if once[name] != committed[name]] == []


# --- answers


def answered(path: Path) -> Path:
    """The request that an answer belongs to."""
    name = "request.xml" if path.name == "answer.xml" else path.name.replace(".answer.xml", ".xml")
    return path.with_name(name)


def check_answer(path: Path) -> None:
    message = payload(path)
    if message.tag == f"{SOAP}Fault":
        detail = message.find("detail")
        assert detail is not None
        message = detail[0]
    assert answered(path).is_file()
    schema().assertValid(message)


def test_answers_that_were_recorded_follow_the_schema_and_belong_to_a_request():
    for path in filter(is_answer, FIXTURES.glob("*/*.xml")):
        check_answer(path)


# --- the recorder of answers

COMMON = """<returnCode>200 OK</returnCode><message>See {id}.</message><requestId>{id}</requestId>
<duplicate>false</duplicate>"""
MEMBERS = {
    "CheckConnection": "<serverTime>{now}</serverTime>",
    "GetSignatureList": "<nextCursor>{id}</nextCursor><more>false</more>",
    "SendInvoice": "<recordNumber>{first}</recordNumber><documentId>D-1-{sent}</documentId>",
    "GetRecord": """<recordIndex><recordNumber>{first}</recordNumber><status>READY</status><version>3</version>
<createdOn>{now}</createdOn><modifiedOn>{now}</modifiedOn><invoice/><documentCount>2</documentCount>
<sizeBytes>{size}</sizeBytes><documents>
<document><documentId>D-1-{sent}</documentId><documentType>INVOICE</documentType><fileName>FAC-2026-043.pdf</fileName>
<sizeBytes>4321</sizeBytes><sha256>{sent}</sha256><createdOn>{now}</createdOn><url>{url}.pdf</url></document>
<document><documentId>{id}</documentId><documentType>OTHER</documentType><fileName>releve.pdf</fileName>
<sizeBytes>{size}</sizeBytes><sha256>{id}{id}</sha256><createdOn>{now}</createdOn></document></documents>
<zipUrl>{url}.zip</zipUrl><urlsExpireOn>{now}</urlsExpireOn></recordIndex><content>{content}</content>""",
}
RESULT = '<{op}Response xmlns="urn:paraphe:exchange:v1"><{op}Result>{inside}</{op}Result></{op}Response>'
FAULT = """<soap:Fault><faultcode>soap:Client</faultcode><faultstring>See {id}.</faultstring>
<detail><ServiceFault xmlns="urn:paraphe:exchange:v1">{inside}</ServiceFault></detail></soap:Fault>"""
SENT = hashlib.sha256((FIXTURES / "invoices" / "FAC-2026-043.pdf").read_bytes()).hexdigest()


class Standing(BaseHTTPRequestHandler):
    """Stands in for the server, in the shape of its answers: whatever may change changes with every call."""

    first_record = "2026-000001"
    seen: list[str]

    def do_POST(self) -> None:
        message = etree.fromstring(self.rfile.read(int(self.headers["Content-Length"])))[0][0]
        operation = etree.QName(message).localname
        self.seen.append(operation)
        valid = schema().validate(message)
        request_id = uuid.uuid4().hex
        values = {
            "id": request_id,
            "now": f"2026-11-22T10:00:{uuid.uuid4().int % 60:02}Z",
            "size": uuid.uuid4().int % 10**6,
            "sent": SENT,
            "first": self.first_record,
            "url": f"http://{self.headers['Host']}/d/{uuid.uuid4().hex}{uuid.uuid4().hex}",
            "content": base64.b64encode(b"%PDF-1.7 " + uuid.uuid4().bytes).decode(),
        }
        inside = (COMMON + (MEMBERS.get(operation, "") if valid else "")).format(**values)
        answer = (RESULT if valid else FAULT).format(op=operation, inside=inside, id=request_id)
        self.send_response(200 if valid else 500)
        self.end_headers()
        body = f"<soap:Body>{answer}</soap:Body>"
        self.wfile.write(f'<soap:Envelope xmlns:soap="{SOAP[1:-1]}">{body}</soap:Envelope>'.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def standing() -> Iterator[tuple[str, type[Standing]]]:
    handler = type("Handler", (Standing,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/soap/v1", handler
        server.shutdown()


def recorded(folder: Path, url: str, *options: str, **environment: str) -> tuple[str, dict[str, bytes]]:
    """Run the recorder on a copy of the fixtures; give what it said on failure, and the answers."""
    if not folder.exists():
        shutil.copytree(FIXTURES, folder, ignore=lambda _, names: [name for name in names if is_answer(Path(name))])
    command = [sys.executable, str(folder / "record_answers.py"), url, "demo", "key", *options]
    run = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})
    answers = {path.relative_to(folder).as_posix(): path for path in folder.glob("*/*.xml") if is_answer(path)}
    return run.stderr, {name: path.read_bytes() for name, path in answers.items()}


def test_the_recorder_writes_a_valid_answer_beside_every_request_the_same_on_every_run(tmp_path, standing):
    url, _ = standing

    failure, once = recorded(tmp_path / "once", url)
    _, twice = recorded(tmp_path / "twice", url)

    assert failure == ""
    assert len(once) == len(REQUESTS)
    assert once == twice
    for name in once:
        check_answer(tmp_path / "once" / name)
    record = once["GetRecord/answer.xml"].decode()
    assert f"<url>https://exchange.centre.example/d/{'0' * 32}.pdf</url>" in record
    assert "<sizeBytes>4321</sizeBytes>" in record
    assert SENT in record


def test_the_recorder_loads_attendance_between_repositories_and_lists_and_stops_when_that_fails(tmp_path, standing):
    url, handler = standing
    load = f'{sys.executable} -c \'raise SystemExit(int(__import__("os").environ["FAILS"]))\''

    failure, _ = recorded(tmp_path / "copy", url, "--load-attendance", load, FAILS="3")
    before = handler.seen.copy()
    recorded(tmp_path / "copy", url, "--load-attendance", load, FAILS="0")

    assert "--load-attendance command failed (3)" in failure
    assert before[-1] == "SyncCourses"
    assert handler.seen[2 * len(before)] == "GetSignatureList"


def test_the_recorder_refuses_an_account_that_is_not_fresh(tmp_path, standing):
    url, handler = standing
    handler.first_record = "2026-000007"

    failure, answers = recorded(tmp_path / "copy", url)

    assert "take a fresh account" in failure
    assert "SendInvoice/needs-review.answer.xml" not in answers


def test_the_recorder_refuses_a_request_that_has_no_place_in_its_order(tmp_path, standing):
    url, handler = standing
    shutil.copytree(FIXTURES, tmp_path / "copy")
    shutil.copy(FIXTURES / "GetRecord" / "zip.xml", tmp_path / "copy" / "GetRecord" / "strange.xml")

    failure, _ = recorded(tmp_path / "copy", url)

    assert "GetRecord/strange" in failure
    assert handler.seen == []
