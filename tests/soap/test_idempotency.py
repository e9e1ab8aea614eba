"""Rule 3: a message may be sent again; it is stored once."""

import re
from dataclasses import replace
from functools import partial

import pytest

from paraphe import store

from . import cast
from .cast import open_record, send, student, teacher
from .conftest import opened
from .house import MEDIA_TYPES, codes, credentials_header, envelope_of
from .processes import InThread, at_work_elsewhere, serving, threads_in, until, writers_wait

one_version = pytest.mark.parametrize("version", ["1.1"], indirect=True)
MESSAGE = (
    "<SyncTeachers><messageId>M-1</messageId><teachers><teacher><reference>TEA-1</reference>"
    "<lastName>Le Goff</lastName><firstName>Ada</firstName></teacher></teachers></SyncTeachers>"
)


def without_numbers(body):
    """An answer without what belongs to one request only."""
    text = re.sub(rb"<requestId>[^<]*</requestId>", b"", body)
    return re.sub(rb"<duplicate>[^<]*</duplicate>", b"", text)


def test_the_same_message_gets_the_first_answer_again_marked_as_duplicate(caller):
    first, again = caller.post(MESSAGE), caller.post(MESSAGE)

    assert (first.text("duplicate"), again.text("duplicate")) == ("false", "true")
    assert without_numbers(again.body) == without_numbers(first.body)
    assert again.text("requestId") != first.text("requestId")


def test_the_first_answer_is_given_even_when_the_world_has_moved_on(caller):
    first = send(caller, "teachers", teacher(1), messageId="M-1")
    send(caller, "teachers", teacher(1, phone="01 99 00 00 01"), teacher(2))

    again = send(caller, "teachers", teacher(1), messageId="M-1")

    assert (again.created, again.duplicate) == (first.created, True) == (1, True)
    ((phone,),) = caller.house.rows(
        store.teacher.select()
        .with_only_columns(store.teacher.c.phone)
        .where(store.teacher.c.account_id == caller.account.id, store.teacher.c.reference == "TEA-0001")
    )
    assert phone == "01 99 00 00 01"


@pytest.mark.parametrize(("before", "after"), [(5, 3), (2500, 2300), (1200, 1000)])
def test_what_is_said_of_all_items_is_given_again_with_those_that_were_removed(caller, before, after):
    def replaced(message, count):
        items = "".join(
            f"<teacher><reference>T-{number}</reference><lastName>A</lastName><firstName>B</firstName></teacher>"
            for number in range(count)
        )
        return (
            f"<SyncTeachers><messageId>{message}</messageId><mode>REPLACE</mode>"
            f"<maxRemovals>1000</maxRemovals><teachers>{items}</teachers></SyncTeachers>"
        )

    caller.post(replaced("M-1", before))
    first, again = (caller.post(replaced("M-2", after)) for _ in range(2))

    assert first.body.count(b"<action>UNCHANGED</action>") == after
    assert first.body.count(b"<action>REMOVED</action>") == before - after
    assert without_numbers(again.body) == without_numbers(first.body)


def test_it_holds_after_a_restart(house_of_its_own):
    caller = house_of_its_own.account()
    first = caller.post(MESSAGE)
    with opened(house_of_its_own.kind, house_of_its_own.database, house_of_its_own.folder) as restarted:
        again = caller.again(url=restarted.url).post(MESSAGE)

    assert again.text("duplicate") == "true"
    assert without_numbers(again.body) == without_numbers(first.body)


def test_what_failed_first_is_processed_anew(caller):
    lesson = cast.course(1, teachers={"reference": ["TEA-0001"]})
    first = send(caller, "courses", lesson, messageId="M-1")
    send(caller, "teachers", teacher(1))

    second = send(caller, "courses", lesson, messageId="M-1")
    third = send(caller, "courses", lesson, messageId="M-1")

    assert codes(first) == ["UNKNOWN_REFERENCE"]
    assert (second.returnCode, second.duplicate, second.created) == ("200 OK", False, 1)
    assert third.duplicate is True


def test_what_broke_the_schema_first_may_be_corrected_under_the_same_number(caller):
    broken = caller.post(MESSAGE.replace("Ada", ""))

    corrected = caller.post(MESSAGE)

    assert broken.is_fault
    assert (corrected.ok, corrected.text("duplicate")) == (True, "false")


def test_another_message_under_the_same_number_is_refused(caller):
    caller.post(MESSAGE)

    reply = caller.post(MESSAGE.replace("Ada", "Eve"))

    assert not reply.is_fault
    assert reply.codes == ["MESSAGE_ID_REUSED"]
    assert reply.errors[0]["field"] == "messageId"
    ((name,),) = caller.house.rows(
        store.teacher.select()
        .with_only_columns(store.teacher.c.first_name)
        .where(store.teacher.c.account_id == caller.account.id)
    )
    assert name == "Ada"


def test_another_operation_under_the_same_number_is_refused(caller):
    send(caller, "teachers", messageId="M-1")

    assert codes(send(caller, "classrooms", messageId="M-1")) == ["MESSAGE_ID_REUSED"]


OTHERWISE = {
    "with comments and references to signs": lambda caller: caller.post(
        MESSAGE.replace("Ada", "&#65;da<!-- again -->").replace("<teachers>", "<!-- here --><teachers >")
    ),
    "in another encoding": lambda caller: caller.send(
        envelope_of(caller.version, MESSAGE).decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        headers={"Content-Type": MEDIA_TYPES[caller.version].partition(";")[0]},
    ),
    "with a header": lambda caller: caller.post(MESSAGE, credentials_header(caller.account.api_user, caller.api_key)),
    "in an envelope that declares more": lambda caller: caller.send(
        envelope_of(caller.version, MESSAGE).replace(b"<soap:Envelope ", b'<soap:Envelope xmlns:wsse="urn:wsse" ')
    ),
    "in the other version of SOAP": lambda caller: replace(
        caller, version={"1.1": "1.2", "1.2": "1.1"}[caller.version]
    ).post(MESSAGE),
}


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_the_same_message_sent_otherwise_is_the_same_message(caller, otherwise):
    caller.post(MESSAGE)

    reply = OTHERWISE[otherwise](caller)

    assert (reply.codes, reply.text("duplicate")) == ([], "true")


def test_the_same_number_of_another_account_is_another_message(caller, other):
    caller.post(MESSAGE)

    assert other.post(MESSAGE).text("duplicate") == "false"


def test_a_dry_run_takes_no_number(caller):
    dry = send(caller, "students", student(1), messageId="M-1", dryRun=True)
    real = send(caller, "students", student(1), messageId="M-1")

    assert (dry.created, real.created, real.duplicate) == (1, 1, False)


def test_without_a_number_every_message_is_a_new_one(caller):
    assert open_record(caller) != open_record(caller)


@pytest.mark.parametrize(("length", "taken"), [(64, True), (65, False)])
def test_a_number_has_64_characters_at_most(caller, length, taken):
    reply = caller.post(MESSAGE.replace("M-1", "é" * length))

    assert reply.ok is taken


# While it is running -------------------------------------------------------------------------------------------


def test_a_message_that_is_still_running_is_in_progress(caller):
    with writers_wait(caller.house, caller.account.id):
        first = InThread(lambda: caller.post(MESSAGE))
        until(lambda: threads_in("lock_account") or store.transactions._held)
        second = caller.again().post(MESSAGE)

    assert first().ok
    assert second.codes == ["IN_PROGRESS"]
    assert not second.is_fault
    assert caller.post(MESSAGE).text("duplicate") == "true"


@one_version
def test_a_message_that_another_process_works_on_is_in_progress(caller):
    with at_work_elsewhere(caller.house, caller.account.id, "M-1"):
        during = caller.post(MESSAGE)
    after = caller.post(MESSAGE)

    assert during.codes == ["IN_PROGRESS"]
    assert (after.ok, after.text("duplicate")) == (True, "false")


@pytest.mark.slow
def test_two_server_processes_store_a_message_once(house_of_its_own):
    caller = house_of_its_own.account()
    with serving(house_of_its_own) as second:
        urls = [house_of_its_own.url, second.url] * 4
        running = [InThread(partial(caller.again(url=url).fixture, "SendInvoicingInfo")) for url in urls]
        replies = [result() for result in running]
        late = caller.again(url=second.url).fixture("SendInvoicingInfo")

    stored = [reply for reply in replies if reply.ok and reply.text("duplicate") == "false"]
    assert len(stored) == 1
    assert {code for reply in replies if not reply.ok for code in reply.codes} <= {"IN_PROGRESS"}
    assert (late.text("duplicate"), late.text("recordNumber")) == ("true", stored[0].text("recordNumber"))
    assert house_of_its_own.count(store.record, caller.account) == 1
