"""SyncCourses."""

from paraphe import store

from . import cast
from .questions import SyncQuestions


class TestCourses(SyncQuestions):
    operation, plural, table = "SyncCourses", "courses", store.course
    broken = "<courses><course><reference>C1</reference><name>N</name><start>morning</start></course></courses>"
    place = "courses/course[1]/start"

    def item(self, number, **said):
        people = {"teachers": {"reference": ["TEA-0001"]}, "groups": {"reference": ["GRP-A"]}}
        return cast.course(number, classroom="ROOM-0001", **people, **said)

    def changed(self, number):
        return self.item(number, breakMinutes=15)

    def prepare(self, caller):
        cast.send(caller, "classrooms", cast.classroom(1))
        cast.send(caller, "teachers", cast.teacher(1))
        cast.send(caller, "students", cast.student(1))

    def prepare_fixture(self, caller):
        for operation in ("SyncContacts", "SyncClassrooms", "SyncTeachers", "SyncStudents"):
            assert caller.fixture(operation).ok

    def test_people_and_rooms_that_nobody_has_sent_are_errors_of_the_item(self, caller):
        answer = self.sync(caller, 1)

        assert answer.returnCode == "500 ERROR"
        assert [(error.index, error.field, error.code) for error in answer.errors.error] == [
            (1, "teachers", "UNKNOWN_REFERENCE"),
            (1, "classroom", "UNKNOWN_REFERENCE"),
            (1, "groups", "UNKNOWN_REFERENCE"),
        ]

    def test_a_trainer_whom_nobody_has_sent_refuses_the_message_of_the_fixtures(self, caller):
        self.prepare_fixture(caller)

        reply = caller.fixture("SyncCourses", "unknown-teacher")

        assert not reply.is_fault
        assert reply.codes == ["UNKNOWN_REFERENCE"]
