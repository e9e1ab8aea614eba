"""Rule 6: with an offset it is that moment, without one it is the account's own time; answers are in UTC."""

import re
from datetime import UTC, date, datetime

import pytest

from paraphe import store

from . import cast


def course(start, end, day=None):
    date_ = f"<date>{day}</date>" if day else ""
    return (
        "<SyncCourses><courses><course><reference>CRS-0001</reference><name>N</name>"
        f"{date_}<start>{start}</start><end>{end}</end></course></courses></SyncCourses>"
    )


def stored(caller):
    columns = (store.course.c.start, store.course.c.end, store.course.c.date)
    mine = store.course.c.account_id == caller.account.id
    ((start, end, day),) = caller.house.rows(store.course.select().with_only_columns(*columns).where(mine))
    return start, end, day


@pytest.mark.parametrize(
    ("zone", "hour"), [("Europe/Paris", 7), ("Indian/Reunion", 5), ("America/Martinique", 13), ("UTC", 9)]
)
def test_without_an_offset_it_is_the_account_s_own_time(house, version, zone, hour):
    caller = house.account(version, time_zone=zone)

    assert caller.post(course("2026-09-14T09:00:00", "2026-09-14T10:00:00")).ok

    assert stored(caller)[0] == datetime(2026, 9, 14, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "start",
    ["2026-09-14T07:00:00Z", "2026-09-14T09:00:00+02:00", "2026-09-14T01:30:00-05:30", "2026-09-14T07:00:00.0Z"],
)
def test_with_an_offset_it_is_that_moment_whatever_the_account(house, start):
    caller = house.account(time_zone="Indian/Reunion")

    assert caller.post(course(start, "2026-09-14T08:00:00Z")).ok

    assert stored(caller)[0] == datetime(2026, 9, 14, 7, tzinfo=UTC)


def test_the_clock_of_winter_and_that_of_summer_are_told_apart(caller):
    for day, hour in (("2026-10-24", 7), ("2026-10-26", 8)):
        caller.post(course(f"{day}T09:00:00", f"{day}T10:00:00"))
        assert stored(caller)[0].hour == hour


def test_the_day_of_a_course_is_that_of_its_start_in_the_account_s_zone(house):
    caller = house.account(time_zone="Indian/Reunion")

    caller.post(course("2026-09-14T21:00:00Z", "2026-09-14T22:00:00Z"))

    assert stored(caller)[2] == date(2026, 9, 15)


def test_midnight_may_be_the_24th_hour(caller):
    assert caller.post(course("2026-09-14T22:00:00", "2026-09-14T24:00:00")).ok

    assert stored(caller)[1] == datetime(2026, 9, 14, 22, tzinfo=UTC)


def test_every_moment_of_an_answer_is_in_utc_and_says_so(house, version):
    caller = house.account(version, time_zone="Indian/Reunion")
    cast.sitting(caller)
    cast.attend(caller, {"arrived_at": datetime(2026, 9, 14, 7, 5, tzinfo=UTC), "image": cast.IMAGE})
    number = cast.open_with_pdf(caller)

    bodies = []
    for payload in (
        "<CheckConnection/>",
        "<GetSignatureList><periodStart>2026-09-14</periodStart><periodEnd>2026-09-14</periodEnd></GetSignatureList>",
        f"<GetRecord><recordNumber>{number}</recordNumber><format>INDEX</format></GetRecord>",
    ):
        bodies.append(caller.post(payload).body.decode())

    moments = re.findall(r">(\d{4}-\d\d-\d\dT[^<]*)<", "".join(bodies))
    assert len(moments) > 8
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", moment) for moment in moments)


def test_a_year_of_twelve_thousand_is_refused_in_a_sentence(caller):
    reply = caller.post(course("12026-09-14T09:00:00Z", "12026-09-14T10:00:00Z"))

    (error, *_) = reply.errors
    assert error["path"] == "/SyncCourses/courses/course[1]/start"
    assert error["value"] == "12026-09-14T09:00:00Z"


@pytest.mark.parametrize("day", ["2026-09-13", "2026-09-15"])
def test_a_date_that_contradicts_the_start_is_an_error_of_the_item(caller, day):
    reply = caller.post(course("2026-09-14T09:00:00", "2026-09-14T10:00:00", day))

    assert [(error["code"], error["field"]) for error in reply.errors] == [("VALUES_CONTRADICT", "date")]


def test_the_local_times_of_the_fixtures_are_taken(caller):
    for operation in ("SyncContacts", "SyncClassrooms", "SyncTeachers", "SyncStudents"):
        assert caller.fixture(operation).ok

    assert caller.fixture("SyncCourses", "local-time").ok
