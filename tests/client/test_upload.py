"""The upload of an XML file of any size."""

import csv
import json
import subprocess
import sys

import pytest
from lxml import etree

from paraphe_client import ExchangeRefused, ExchangeUnavailable, Upload, upload_file
from paraphe_client.durable import Busy, locked
from paraphe_client.pieces import NotUsable

from .conftest import waiting
from .fake import NS, error, fault, hang_up, members

pytestmark = pytest.mark.slow


def student(number):
    return (
        f"<student><reference>S{number}</reference><lastName>Le Goff</lastName><firstName>Zoë</firstName>"
        f"<email>s{number}@centre.example</email></student>"
    )


def write(path, count, *, head="", root="SyncStudents"):
    items = "".join(student(number) for number in range(1, count + 1))
    path.write_text(f'<{root} xmlns="{NS}">{head}<students>{items}</students></{root}>', encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    """A file of 25 students."""
    return write(tmp_path / "students.xml", 25)


def references(count, first=1):
    return [f"S{number}" for number in range(first, count + 1)]


def send(exchange, path, patience, **options):
    return upload_file(
        exchange, Upload(path=path, **{"kind": "students", "items_per_message": 10, **options}), patience=patience
    )


def test_a_file_goes_out_in_messages_of_so_many_items(fake, exchange, file, patience):
    seen = []
    job = Upload(path=file, kind="students", items_per_message=10)
    outcome = upload_file(exchange, job, patience=patience, progress=lambda done, total: seen.append((done, total)))

    assert (outcome.items, outcome.messages, outcome.created, outcome.resumed_after) == (25, 3, 25, 0)
    assert fake.applied == references(25)
    assert seen == [(0, 25), (10, 25), (20, 25), (25, 25)]
    assert list(file.parent.iterdir()) == [file]


def test_five_hundred_items_go_into_a_message_unless_told_otherwise(fake, exchange, tmp_path, patience):
    upload_file(exchange, Upload(path=write(tmp_path / "s.xml", 501), kind="students"), patience=patience)

    assert len(fake.received) == 2


def test_items_go_out_as_they_stand_in_the_file(fake, exchange, tmp_path, patience):
    path = tmp_path / "odd.xml"
    item = (
        '<p:student xmlns:p="urn:paraphe:exchange:v1"><!-- kept --><p:reference> S1\n</p:reference>'
        "<p:lastName><![CDATA[a<b]]></p:lastName><p:firstName>&#233;🌊</p:firstName></p:student>"
    )
    path.write_bytes(f'<?xml version="1.0" encoding="UTF-8"?><any>text{item}tail<other/></any>'.encode())
    send(exchange, path, patience)

    sent = fake.received[0].body.find(f".//{{{NS}}}student")
    expected = etree.tostring(etree.fromstring(item), method="c14n2", with_comments=True)
    sent.tail = None
    assert etree.tostring(sent, method="c14n2", with_comments=True) == expected


@pytest.mark.parametrize(
    "root",
    [
        "<students xmlns='{ns}'>{items}</students>",
        "<x:export xmlns:x='urn:other'><x:student>no</x:student><a xmlns='{ns}'>{items}</a></x:export>",
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><SyncStudents xmlns='{ns}'>"
        "<messageId>old</messageId><mode>UPSERT</mode><students>{items}</students></SyncStudents></e:Body></e:Envelope>",
    ],
)
def test_any_root_will_do_if_the_items_are_the_contracts(fake, exchange, tmp_path, patience, root):
    path = tmp_path / "any.xml"
    path.write_text(root.format(ns=NS, items=student(1) + student(2)), encoding="utf-8")
    send(exchange, path, patience)

    assert fake.applied == ["S1", "S2"]
    assert fake.received[0].text("messageId") != "old"


def test_the_room_of_a_course_is_not_a_room_to_upload(fake, exchange, tmp_path, patience):
    path = tmp_path / "planning.xml"
    path.write_text(
        f"<all xmlns='{NS}'><course><reference>C1</reference><name>x</name><start>2026-09-14T08:30:00Z</start>"
        "<end>2026-09-14T10:30:00Z</end><classroom>R9</classroom></course>"
        "<classroom><reference>R1</reference></classroom></all>"
    )
    assert send(exchange, path, patience, kind="classrooms").items == 1
    assert send(exchange, path, patience, kind="courses").items == 1
    assert fake.applied == ["R1", "C1"]


# --- what cannot be sent is said before anything is sent -------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"<students xmlns='{NS}'>{student(1)}", "not well-formed"),
        (f"<students xmlns='{NS}'></students>", "holds no"),
        ("<students><student/><student/></students>", "holds 2 .* in another namespace"),
        (f"<!DOCTYPE a [<!ENTITY e 'x'>]><a xmlns='{NS}'>{student(1)}</a>", "document type"),
        (f"<a xmlns='{NS}'><dryRun>true</dryRun>{student(1)}</a>", "dryRun true"),
        (f"<a xmlns='{NS}'><mode>REPLACE</mode>{student(1)}</a>", "mode REPLACE"),
        (f"<a xmlns='{NS}'>{student(1)}<onError>KEEP_VALID</onError></a>", "onError KEEP_VALID"),
        (f"<a xmlns='{NS}'><maxRemovals>7</maxRemovals>{student(1)}</a>", "maxRemovals 7"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_before_anything_is_sent(
    fake, exchange, tmp_path, patience, content, reason
):
    path = tmp_path / "bad.xml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotUsable, match=reason):
        send(exchange, path, patience, items_per_message=1)

    assert not fake.received


def test_a_replace_is_one_message_or_none(fake, exchange, file, patience):
    with pytest.raises(NotUsable, match=r"holds 25 items .* each piece would archive"):
        send(exchange, file, patience, mode="REPLACE")
    assert not fake.received

    send(exchange, file, patience, mode="REPLACE", items_per_message=25, max_removals=0)

    assert (fake.received[0].text("mode"), fake.received[0].text("maxRemovals")) == ("REPLACE", "0")
    assert fake.applied == references(25)


def test_a_dry_run_stores_nothing_and_leaves_no_trace(fake, exchange, file, patience):
    outcome = send(exchange, file, patience, dry_run=True)

    assert (outcome.items, outcome.dry_run) == (25, True)
    assert {request.text("dryRun") for request in fake.received} == {"true"}
    assert fake.applied == []
    assert list(file.parent.iterdir()) == [file]


# --- sending again ---------------------------------------------------------------------------------------------


def test_a_lost_answer_is_asked_for_again_and_nothing_is_done_twice(fake, exchange, file, patience):
    fake.answered += [hang_up, hang_up]
    outcome = send(exchange, file, patience)

    assert fake.applied == references(25)
    assert (len(fake.received), outcome.created, outcome.repeated) == (5, 25, 1)


def test_in_progress_is_waited_for(fake, exchange, file, patience):
    busy = [members("500 ERROR", errors=error("IN_PROGRESS"))] * 3
    fake.answers["SyncStudents"] = lambda request: busy.pop() if busy else fake._sync(request)
    send(exchange, file, patience)

    assert fake.applied == references(25)
    assert len(patience.paused) == 3


def test_the_servers_wish_to_wait_is_respected(fake, exchange, file, patience):
    def busy(handler):
        handler.answer(503, fault_envelope("SERVER_BUSY"), {"Retry-After": "9"})
        return True

    fake.arrive.append(busy)
    send(exchange, file, patience)

    assert patience.paused == [9.0]


def fault_envelope(code):
    inner = fault("1.1", error(code))
    return f'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{inner}</soap:Body></soap:Envelope>'.encode()


def test_patience_has_an_end_and_the_next_run_goes_on(fake, exchange, file, patience):
    fake.arrive += [lambda _: False, *[hang_up] * 50]
    with pytest.raises(ExchangeUnavailable):
        send(exchange, file, waiting(20))
    assert 3 <= len(fake.received) < 20

    fake.arrive.clear()
    outcome = send(exchange, file, patience)

    assert (outcome.resumed_after, outcome.created) == (10, 25)
    assert fake.applied == references(25)


def test_the_same_file_again_is_a_new_upload(fake, exchange, file, patience):
    send(exchange, file, patience)
    outcome = send(exchange, file, patience)

    assert fake.applied == references(25) * 2
    assert outcome.repeated == 0


def test_a_file_that_changed_since_the_interruption_is_sent_from_its_beginning(fake, exchange, file, patience):
    fake.arrive += [lambda _: False, *[hang_up] * 50]
    with pytest.raises(ExchangeUnavailable):
        send(exchange, file, waiting(1))
    fake.arrive.clear()
    write(file, 24)

    assert send(exchange, file, patience).resumed_after == 0
    assert fake.applied == references(10) + references(24)


def test_a_file_that_changes_while_it_is_sent_stops_the_upload(fake, exchange, file, patience):
    def change(_handler):
        write(file, 30)
        return False

    fake.arrive += [lambda _: False, change]
    with pytest.raises(NotUsable, match="was changed while"):
        send(exchange, file, patience, items_per_message=5)


def test_two_uploads_of_one_file_do_not_meet(exchange, file, patience):
    with locked(file.with_name("students.xml.upload")), pytest.raises(Busy):
        send(exchange, file, patience)


def test_killed_at_any_step_every_item_arrives_once(fake, exchange, file, patience, killed_everywhere):
    fake.answers["SyncStudents"] = keep_valid(fake)

    def begin():
        fake.applied.clear()
        fake.first_answers.clear()
        for path in file.parent.iterdir():
            if path != file:
                path.unlink()

    def work():
        # An upload that came to its end leaves no state: nobody would start it again.
        if fake.applied != references(25) or file.with_name("students.xml.upload").exists():
            send(exchange, file, patience, on_error="KEEP_VALID")

    def check():
        assert fake.applied == references(25)
        assert [row["index"] for row in rows(file)] == ["3", "13", "23"]
        assert not file.with_name("students.xml.upload").exists()

    assert killed_everywhere(begin, work, check) > 25


@pytest.mark.parametrize("moment", ["arrive", "answered"])
def test_a_killed_process_goes_on_where_it_was(fake, command, tmp_path, moment):
    path = write(tmp_path / "many.xml", 60)
    getattr(fake, moment).extend([lambda _: False] * 3 + [command.kill])
    command.dies("upload", "students", path, "--items", 10)
    before = len(fake.received)
    outcome = command.json("upload", "students", path, "--items", 10)

    assert fake.applied == references(60)
    assert (outcome["resumedAfter"], outcome["repeated"], outcome["created"]) == (30, 1, 60)
    assert (before, len(fake.received)) == (4, 7)


# --- rejected items --------------------------------------------------------------------------------------------


def rows(file):
    content = file.with_name(file.name + ".rejected.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(content.decode("utf-8-sig").splitlines(), delimiter=";"))


def keep_valid(fake):
    """Reject the third item of each message."""

    def answer(request):
        problem = error(
            "VALUE_OUT_OF_RANGE", 'Not "so"; no.', index=3, reference="=S3", field="birthDate", hint="Look."
        )
        fake._sync(request)
        return members(errors=problem) + "<created>9</created><rejected>1</rejected>"

    return answer


def test_rejected_items_are_reported_with_their_place_in_the_file(fake, exchange, file, patience):
    fake.answers["SyncStudents"] = keep_valid(fake)
    outcome = send(exchange, file, patience, on_error="KEEP_VALID")

    assert (outcome.rejected, outcome.created) == (3, 27)
    assert outcome.report == f"{file}.rejected.csv"
    assert rows(file)[1] == {
        "index": "13",
        "reference": "'=S3",  # an apostrophe keeps Excel from taking it for a formula
        "field": "birthDate",
        "code": "VALUE_OUT_OF_RANGE",
        "message": 'Not "so"; no.',
        "hint": "Look.",
    }


def test_a_refused_message_is_told_with_the_places_in_the_file(fake, exchange, file, patience):
    problem = error("SCHEMA_INVALID", path="/SyncStudents/students/student[4]/birthDate") + error(
        "UNKNOWN_FIELD", index=5
    )
    answers = [lambda request: fake._sync(request), lambda _: fault("1.1", problem)]
    fake.answers["SyncStudents"] = lambda request: answers.pop(0)(request)
    report = file.with_name("report.csv")
    with pytest.raises(
        ExchangeRefused, match=r"Items 11 to 20 were refused.* The 10 before them are stored"
    ) as refused:
        send(exchange, file, patience, report=report)

    assert [item.index for item in refused.value.errors] == [14, 15]
    assert len(report.read_text().splitlines()) == 3
    assert fake.applied == references(10)
    assert json.loads(file.with_name("students.xml.upload").read_text())["items"] == 10


# --- any size --------------------------------------------------------------------------------------------------

# Not ru_maxrss: Linux counts there what the parent held when it started the process.
MEASURE = """
import re, sys
from paraphe_client.__main__ import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
sys.exit(code)
"""


def test_memory_stays_flat_for_a_file_of_any_size(fake, command, tmp_path):
    fake.answers["SyncStudents"] = lambda _: members()

    def peak(count):
        path = write(tmp_path / f"{count}.xml", count)
        process = subprocess.run(
            [sys.executable, "-c", MEASURE, "upload", "students", str(path), "--items", "1000"],
            env=command.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return int(process.stderr.split()[-1]) * 1024

    small, large = peak(2_000), peak(100_000)

    assert (tmp_path / "100000.xml").stat().st_size > 12e6
    assert large - small < 5e6
