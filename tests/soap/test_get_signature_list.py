"""GetSignatureList."""

from datetime import UTC, datetime, timedelta

import pytest

from paraphe import fixture_loader

from . import cast
from .cast import FIRST_DAY, IMAGE, digest
from .house import V1, codes
from .questions import Questions

PERIOD = {"periodStart": FIRST_DAY, "periodEnd": FIRST_DAY}


def participants(answer):
    """The participants of all courses by their reference."""
    courses = answer.courses.course if answer.courses else []
    return {person.personReference: person for each in courses for person in each.participants.participant}


class TestGetSignatureList(Questions):
    operation = "GetSignatureList"
    broken, place = "<status>ASLEEP</status>", "status"

    def message(self, caller):
        return PERIOD

    def test_it_gives_the_participants_of_a_period_by_course(self, caller):
        cast.sitting(caller)

        answer = caller.call("GetSignatureList", **PERIOD)

        (course,) = answer.courses.course
        assert (course.courseReference, course.courseName, course.date) == ("CRS-0001", "Bases de données", FIRST_DAY)
        assert course.start == datetime(2026, 9, 14, 7, tzinfo=UTC)
        signed = participants(answer)["STU-0001"]
        assert (signed.lastName, signed.status, signed.collectMode) == ("Le Goff", "PRESENT", "TABLET")
        assert signed.imageSha256 == digest(IMAGE)
        assert signed.signatureUrl.startswith(f"{caller.house.url}/signatures/")
        assert signed.image is None
        waiting = participants(answer)["STU-0002"]
        assert (waiting.status, waiting.signatureUrl, waiting.imageSha256) == ("EXPECTED", None, None)

    def test_images_come_with_the_answer_when_they_are_asked_for(self, caller):
        cast.sitting(caller)

        answer = caller.call("GetSignatureList", **PERIOD, includeImages=True)

        assert participants(answer)["STU-0001"].image == IMAGE
        assert participants(answer)["STU-0002"].image is None

    def test_the_same_question_twice_has_the_same_answer(self, caller):
        cast.sitting(caller)

        first, second = (caller.call("GetSignatureList", **PERIOD) for _ in range(2))

        assert participants(first) == participants(second)
        assert first.nextCursor == second.nextCursor

    def test_polling_with_the_cursor_misses_nothing_and_repeats_nothing(self, caller):
        cast.sitting(caller)
        since = datetime.now(UTC) - timedelta(minutes=1)
        first = caller.call("GetSignatureList", modifiedSince=since)

        nothing = caller.call("GetSignatureList", cursor=first.nextCursor)
        cast.attend(caller, {"person_reference": "STU-0002", "status": "ABSENT"})
        changed = caller.call("GetSignatureList", cursor=nothing.nextCursor)

        assert set(participants(first)) == {"STU-0001", "STU-0002"}
        assert participants(nothing) == {}
        assert {key: person.status for key, person in participants(changed).items()} == {"STU-0002": "ABSENT"}

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"status": "PRESENT"}, {"STU-0001"}),
            ({"studentReference": "STU-0002"}, {"STU-0002"}),
            ({"courseReference": "CRS-0001"}, {"STU-0001", "STU-0002"}),
            ({"teacherReference": "TEA-0001"}, set()),
        ],
    )
    def test_filters_leave_out_the_others(self, caller, asked, found):
        cast.sitting(caller)

        assert set(participants(caller.call("GetSignatureList", **PERIOD, **asked))) == found

    def test_another_account_sees_none_of_it(self, caller, other):
        cast.sitting(caller)

        assert participants(other.call("GetSignatureList", **PERIOD)) == {}
        assert codes(other.call("GetSignatureList", **PERIOD, courseReference="CRS-0001")) == ["UNKNOWN_REFERENCE"]

    @pytest.mark.in_all_pairs
    def test_the_messages_of_the_fixtures_are_answered_from_their_attendance(self, caller):
        for operation in fixture_loader.REPOSITORIES:
            assert caller.fixture(operation).ok
        cast.attend(caller, *fixture_loader.attendance())

        found = {
            case: caller.fixture("GetSignatureList", case).all("courses/course/participants/participant")
            for case in ("request", "with-images", "modified-since", "absences")
        }

        assert all(found.values())
        assert {person.findtext(V1 + "status") for person in found["absences"]} == {"ABSENT"}
        assert any(person.find(V1 + "image") is not None for person in found["with-images"])

    def test_a_question_without_period_time_or_cursor_is_refused(self, caller):
        assert codes(caller.call("GetSignatureList")) == ["VALUE_REQUIRED"]

    def test_an_account_without_attendance_has_an_empty_list_and_a_cursor(self, caller):
        answer = caller.call("GetSignatureList", **PERIOD)

        assert participants(answer) == {}
        assert answer.more is False
        assert answer.nextCursor

    def test_many_participants_come_page_by_page(self, caller):
        cast.sitting(caller, students=25)
        seen, answer = [], caller.call("GetSignatureList", **PERIOD, limit=10)
        while True:
            seen.append(sorted(participants(answer)))
            if not answer.more:
                break
            answer = caller.call("GetSignatureList", **PERIOD, limit=10, cursor=answer.nextCursor)

        assert [len(page) for page in seen] == [10, 10, 5]
        assert len({person for page in seen for person in page}) == 25

    @pytest.mark.parametrize(("limit", "code"), [(1001, "LIMIT_EXCEEDED"), (0, "VALUE_OUT_OF_RANGE")])
    def test_a_limit_beyond_1_to_1000_is_refused(self, caller, limit, code):
        assert codes(caller.call("GetSignatureList", **PERIOD, limit=limit)) == [code]
