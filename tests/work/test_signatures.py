import hashlib
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from paraphe import store
from paraphe.work import signatures
from paraphe.work.signatures import get_signature_list, image_of, record_attendance

from .cast import NOW, add_courses, add_people, caller, codes, refusal, statements

PNG = b"\x89PNG\r\n\x1a\n a signature"
EVER = {"modified_since": datetime(2026, 1, 1, tzinfo=UTC)}


def came(course, person, status="PRESENT", **more):
    """A row of attendance; a person whose reference begins with T is a teacher."""
    kind = "TEACHER" if person.startswith("T") else "STUDENT"
    return {"course_reference": course, "person_type": kind, "person_reference": person, "status": status, **more}


def fill(engine, account):
    """Give an account three courses, three students, a teacher."""
    add_people(engine, account, store.student, ["S1", "S2", "S3"])
    add_people(engine, account, store.teacher, ["T1"])
    add_courses(engine, account, ["C1", "C2", "C3"])


@pytest.fixture
def call(engine, account, context):
    fill(engine, account)
    return caller(engine, context)


@pytest.fixture
def other(engine, other_account, context):
    fill(engine, other_account)
    return caller(engine, context, account=other_account)


def record(call, *rows):
    return call(record_attendance, list(rows))


def ask(call, **question):
    return call(get_signature_list, question or EVER)


def who(answer):
    """Say who was in which course with what status, in the order of the answer."""
    return [
        (course["course_reference"], person["person_reference"], person["status"])
        for course in answer["courses"]
        for person in course["participants"]
    ]


# The answer ----------------------------------------------------------------------------------------------------


def test_a_participant_is_given_with_all_that_is_known_under_his_course(call):
    signed = datetime(2026, 9, 14, 7, 2, 3, tzinfo=UTC)
    record(
        call,
        came(
            *("C1", "S1", "LATE"),
            collect_mode="TABLET",
            place="Nantes Centre, salle 12",
            arrived_at=signed,
            minutes_present=178,
            collected_on=signed,
            received_on=signed + timedelta(seconds=4),
            justification="Grève des transports",
            flags=["REPLAYED_SIGNATURE"],
            image=PNG,
        ),
    )

    (course,) = ask(call)["courses"]
    (person,) = course.pop("participants")

    assert course == {
        "course_reference": "C1",
        "course_name": "Course C1",
        "date": date(2026, 9, 14),
        "start": datetime(2026, 9, 14, 7, tzinfo=UTC),
        "end": datetime(2026, 9, 14, 10, tzinfo=UTC),
        "classroom_reference": None,
        "cancelled": False,
    }
    assert person.pop("signature_url").startswith("https://exchange.centre.example/signatures/")
    assert person == {
        "person_reference": "S1",
        "person_type": "STUDENT",
        "last_name": "Le Goff S1",
        "first_name": "Ada",
        "status": "LATE",
        "collect_mode": "TABLET",
        "place": "Nantes Centre, salle 12",
        "arrived_at": signed,
        "minutes_present": 178,
        "collected_on": signed,
        "received_on": signed + timedelta(seconds=4),
        "image_sha256": hashlib.sha256(PNG).hexdigest(),
        "justification": "Grève des transports",
        "flags": ["REPLAYED_SIGNATURE"],
        "modified_on": NOW,
        "signature_url_expires_on": datetime(2026, 9, 21, 8, tzinfo=UTC),
    }


def test_a_course_stands_once_in_an_answer_where_its_oldest_change_is(call):
    record(call, came("C2", "S1"), came("C1", "S1"), came("C2", "T1"))

    assert who(ask(call)) == [("C2", "S1", "PRESENT"), ("C2", "T1", "PRESENT"), ("C1", "S1", "PRESENT")]
    assert len(ask(call)["courses"]) == 2


def test_who_has_no_image_has_no_address(call):
    record(call, came("C1", "S1", "ABSENT"))

    (person,) = ask(call)["courses"][0]["participants"]
    assert not person.keys() & {"signature_url", "signature_url_expires_on", "image_sha256", "image"}


def test_images_are_in_the_answer_only_if_they_are_asked_for(call):
    record(call, came("C1", "S1", image=PNG), came("C1", "S2"))

    signed, unsigned = ask(call, **EVER, include_images=True)["courses"][0]["participants"]
    assert signed["image"] == PNG
    assert "image" not in unsigned
    assert "image" not in ask(call)["courses"][0]["participants"][0]


def test_a_page_with_images_ends_early_rather_than_grow_without_end(call, monkeypatch):
    monkeypatch.setattr(signatures, "MOST_IMAGE_BYTES", len(PNG) * 2)
    record(call, *(came("C1", person, image=PNG) for person in ("S1", "S2", "S3")))

    first = ask(call, **EVER, include_images=True)
    rest = ask(call, cursor=first["next_cursor"], include_images=True)

    assert [person for _, person, _ in who(first)] == ["S1", "S2"]
    assert (first["more"], rest["more"]) == (True, False)
    assert [person for _, person, _ in who(rest)] == ["S3"]


def test_an_address_leads_to_its_image_until_the_image_changes(call, engine, addresses):
    record(call, came("C1", "S1", image=PNG))
    url = ask(call)["courses"][0]["participants"][0]["signature_url"]
    link = addresses.link("signatures", url.rpartition("/")[2].removesuffix(".png"), NOW)
    with store.reading(engine) as connection:
        assert image_of(connection, link) == hashlib.sha256(PNG).hexdigest()

    record(call, came("C1", "S1", image=PNG + b" again"))

    with store.reading(engine) as connection:
        assert image_of(connection, link) is None


# What is asked -------------------------------------------------------------------------------------------------


def test_a_question_needs_a_period_or_a_time_or_a_cursor(call):
    assert codes(refusal(ask, call, status="PRESENT")) == [("VALUE_REQUIRED", None)]
    assert codes(refusal(ask, call, period_start=date(2026, 9, 1))) == [("VALUE_REQUIRED", "periodEnd")]
    assert codes(refusal(ask, call, period_end=date(2026, 9, 1))) == [("VALUE_REQUIRED", "periodStart")]


def test_a_period_that_ends_before_it_starts_is_refused(call):
    errors = refusal(ask, call, period_start=date(2026, 9, 2), period_end=date(2026, 9, 1))

    assert codes(errors) == [("VALUES_CONTRADICT", "periodEnd")]


@pytest.mark.parametrize(("limit", "code"), [(1001, "LIMIT_EXCEEDED"), (0, "VALUE_OUT_OF_RANGE")])
def test_a_limit_is_1_to_1000(call, limit, code):
    assert codes(refusal(ask, call, **EVER, limit=limit)) == [(code, "limit")]


def test_every_reference_that_the_account_does_not_know_is_an_error(call):
    errors = refusal(ask, call, **EVER, course_reference="C9", student_reference="T1", teacher_reference="S1")

    fields = ["courseReference", "studentReference", "teacherReference"]
    assert codes(errors) == [("UNKNOWN_REFERENCE", field) for field in fields]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({"period_start": date(2026, 9, 15), "period_end": date(2026, 9, 15)}, [("C2", "S1"), ("C2", "S2")]),
        ({"course_reference": "C1"}, [("C1", "S1"), ("C1", "T1")]),
        ({"student_reference": "S1"}, [("C1", "S1"), ("C2", "S1")]),
        ({"teacher_reference": "T1"}, [("C1", "T1")]),
        ({"student_reference": "S2", "teacher_reference": "T1"}, [("C1", "T1"), ("C2", "S2")]),
        ({"status": "ABSENT"}, [("C2", "S2")]),
        ({"modified_since": NOW}, [("C1", "S1"), ("C1", "T1"), ("C2", "S1"), ("C2", "S2")]),
        ({"modified_since": NOW + timedelta(seconds=1)}, []),
    ],
)
def test_a_filter_gives_only_what_it_says(call, question, found):
    record(call, came("C1", "S1"), came("C1", "T1"), came("C2", "S1"), came("C2", "S2", "ABSENT"))

    assert [participant[:2] for participant in who(ask(call, **EVER | question))] == found


def test_only_what_changed_since_a_time_is_given(engine, call, context):
    record(call, came("C1", "S1"), came("C1", "S2"))
    later = NOW + timedelta(minutes=5)
    caller(engine, context, now=later)(record_attendance, [came("C1", "S1", "ABSENT")])

    assert who(ask(call, modified_since=later)) == [("C1", "S1", "ABSENT")]


# Polling -------------------------------------------------------------------------------------------------------


def test_paging_gives_everything_once_and_says_when_there_is_more(call):
    record(call, *(came(course, person) for course in ("C1", "C2") for person in ("S1", "S2", "S3")))
    pages = [ask(call, **EVER, limit=4)]
    pages.append(ask(call, **EVER, limit=4, cursor=pages[0]["next_cursor"]))

    assert [len(who(page)) for page in pages] == [4, 2]
    assert [page["more"] for page in pages] == [True, False]
    assert sorted(who(pages[0]) + who(pages[1])) == sorted(who(ask(call)))


def test_a_full_page_that_is_the_last_one_says_so(call):
    record(call, came("C1", "S1"), came("C1", "S2"))

    assert ask(call, **EVER, limit=2)["more"] is False


def test_an_empty_answer_also_says_where_to_go_on(call):
    cursor = ask(call)["next_cursor"]

    assert who(ask(call, cursor=cursor)) == []
    record(call, came("C1", "S1"))
    assert who(ask(call, cursor=cursor)) == [("C1", "S1", "PRESENT")]


def test_a_cursor_gives_what_changed_since_and_nothing_that_did_not(call):
    record(call, came("C1", "S1"), came("C1", "S2", "EXPECTED"))
    cursor = ask(call)["next_cursor"]

    record(call, came("C1", "S1"), came("C1", "S2", "PRESENT"), came("C1", "S3"))

    assert who(ask(call, cursor=cursor)) == [("C1", "S2", "PRESENT"), ("C1", "S3", "PRESENT")]


def test_a_cursor_goes_on_behind_what_a_filter_left_out(call):
    record(call, came("C1", "S1", "ABSENT"))
    cursor = ask(call, **EVER, status="PRESENT")["next_cursor"]

    assert who(ask(call, cursor=cursor)) == []
    record(call, came("C1", "S1", "PRESENT"))
    assert who(ask(call, cursor=cursor, status="PRESENT")) == [("C1", "S1", "PRESENT")]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "s1:0", "é", "czE6", "czE6LTE", "czE6MQ==", "cjE6MA", "czI6MQ", "czE6wrI", "czE6AA", "MQ" * 64],
)
def test_a_cursor_that_was_never_given_is_refused(call, cursor):
    assert codes(refusal(ask, call, cursor=cursor)) == [("INVALID_CURSOR", "cursor")]


def test_a_cursor_from_before_a_backup_was_restored_is_refused_rather_than_miss_what_comes(call, other):
    record(other, came("C1", "S1"))
    ahead = ask(other)["next_cursor"]

    assert codes(refusal(ask, call, cursor=ahead)) == [("INVALID_CURSOR", "cursor")]


def test_modified_on_never_falls_behind_even_if_a_clock_does(engine, call, context):
    record(call, came("C1", "S1"))
    slow = caller(engine, context, now=NOW - timedelta(minutes=5))
    slow(record_attendance, [came("C1", "S2")])

    assert who(ask(call, modified_since=NOW)) == [("C1", "S1", "PRESENT"), ("C1", "S2", "PRESENT")]


def read(engine, context, **question):
    """Ask as a reader does, who waits for no writer."""
    with store.reading(engine) as connection:
        return get_signature_list(context(connection), question)


def test_what_a_slow_transaction_commits_late_is_not_missed(engine, context, call):
    with store.writing(engine) as slow:
        record_attendance(context(slow), [came("C1", "S1")])
        cursor = read(engine, context, **EVER)["next_cursor"]
        fast = threading.Thread(target=record, args=(call, came("C1", "S2"), came("C1", "S3")))
        fast.start()
        assert who(read(engine, context, cursor=cursor)) == []
    fast.join(30)

    assert who(ask(call, cursor=cursor)) == [("C1", person, "PRESENT") for person in ("S1", "S2", "S3")]


def test_polling_beside_several_writers_misses_nothing_and_repeats_nothing(engine, context, call):
    def write(person):
        for minute in range(12):
            record(call, *(came(course, person, minutes_present=minute) for course in ("C1", "C2", "C3")))

    writers = [threading.Thread(target=write, args=(person,)) for person in ("S1", "S2", "S3")]
    for writer in writers:
        writer.start()
    seen = polled_until_the_end(engine, context, writers)

    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, key=lambda change: change[2])
    last = {change[:2]: change[3] for change in seen}
    assert last == {(course, person): 11 for course in ("C1", "C2", "C3") for person in ("S1", "S2", "S3")}


def test_two_writers_of_the_same_participants_at_once_follow_one_another(call):
    people = [came(course, person) for course in ("C1", "C2", "C3") for person in ("S1", "S2", "S3", "T1")]
    start, counts = threading.Barrier(2), []

    def write():
        start.wait(30)
        counts.append(record(call, *people))

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    assert sorted(count["created"] for count in counts) == [0, 12]
    assert sorted(count["unchanged"] for count in counts) == [0, 12]


def polled_until_the_end(engine, context, writers):
    """Poll while the writers write, and once more; return every participant of every answer with its minutes."""
    seen, cursor, ended = [], read(engine, context, **EVER, limit=1), False
    seen += changes(cursor, 0)
    for number in range(1, 100_000):
        if ended and not cursor["more"]:
            return seen
        ended = not any(writer.is_alive() for writer in writers)
        cursor = read(engine, context, cursor=cursor["next_cursor"], limit=4)
        seen += changes(cursor, number)
    raise AssertionError("the writers did not end")


def changes(answer, number):
    return [
        (course["course_reference"], person["person_reference"], number, person["minutes_present"])
        for course in answer["courses"]
        for person in course["participants"]
    ]


# What comes in -------------------------------------------------------------------------------------------------


def test_rows_are_created_then_updated_then_unchanged(call):
    assert record(call, came("C1", "S1"), came("C1", "S2")) == {"created": 2, "updated": 0, "unchanged": 0}
    assert record(call, came("C1", "S1", "LATE"), came("C1", "S2")) == {"created": 0, "updated": 1, "unchanged": 1}
    assert record(call) == {"created": 0, "updated": 0, "unchanged": 0}


def test_a_row_says_all_that_is_known_of_a_participant(call):
    record(call, came("C1", "S1", minutes_present=180, flags=["LATE_IMAGE"], image=PNG))
    record(call, came("C1", "S1", "ABSENT"))

    (person,) = ask(call)["courses"][0]["participants"]
    assert not person.keys() & {"minutes_present", "flags", "image_sha256", "signature_url"}


def test_the_address_of_an_unchanged_image_stays_when_other_things_change(engine, call):
    def link():
        with store.reading(engine) as connection:
            return connection.scalar(select(store.attendance.c.link))

    record(call, came("C1", "S1", image=PNG))
    before = link()
    record(call, came("C1", "S1", "LATE", image=PNG))

    assert link() == before


def test_unknown_courses_and_people_and_a_participant_named_twice_refuse_everything(call):
    errors = refusal(record, call, came("C9", "S1"), came("C1", "S9"), came("C1", "S1"), came("C1", "S1", "ABSENT"))

    assert [(error.index, error.code.value, error.field) for error in errors] == [
        (1, "UNKNOWN_REFERENCE", "courseReference"),
        (2, "UNKNOWN_REFERENCE", "personReference"),
        (4, "DUPLICATE_REFERENCE", None),
    ]
    assert who(ask(call)) == []


def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(engine, account, call):
    add_people(engine, account, store.student, [f"X{number}" for number in range(300)])

    def counted(*people):
        with statements(engine) as recorded:
            record(call, *(came("C1", person) for person in people))
        with statements(engine) as asked:
            ask(call)
        return len(recorded), len(asked)

    assert counted("S1") == counted(*(f"X{number}" for number in range(300)))


# Another account -----------------------------------------------------------------------------------------------


def test_nothing_of_another_account_is_given_or_changed(call, other):
    record(other, came("C1", "S1", image=PNG))

    assert who(ask(call)) == []
    assert who(ask(call, **EVER, course_reference="C1", student_reference="S1")) == []
    record(call, came("C1", "S1", "ABSENT"))
    assert who(ask(other)) == [("C1", "S1", "PRESENT")]


def test_a_foreign_reference_answers_exactly_as_an_unknown_one(engine, other_account, call, other):
    add_courses(engine, other_account, ["THEIRS"])

    foreign = refusal(ask, call, **EVER, course_reference="THEIRS")
    unknown = refusal(ask, call, **EVER, course_reference="NOBODYS")

    assert str(foreign).replace("THEIRS", "NOBODYS") == str(unknown)


def test_a_cursor_of_another_account_gives_nothing_of_it(call, other):
    record(call, came("C1", "S1"))
    record(other, came("C1", "S2"), came("C1", "S3"))
    cursor = ask(other, **EVER, limit=1)["next_cursor"]

    assert who(ask(call, cursor=cursor)) == []
