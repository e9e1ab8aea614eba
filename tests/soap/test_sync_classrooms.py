"""SyncClassrooms."""

from paraphe import store

from . import cast
from .questions import SyncQuestions


class TestClassrooms(SyncQuestions):
    operation, plural, table = "SyncClassrooms", "classrooms", store.classroom
    broken = "<classrooms><classroom><reference>R1</reference><capacity>many</capacity></classroom></classrooms>"
    place = "classrooms/classroom[1]/capacity"

    def item(self, number, **said):
        return cast.classroom(number, **said)

    def changed(self, number):
        return cast.classroom(number, capacity=17)

    def test_a_site_may_come_alone(self, caller):
        answer = cast.send(caller, "classrooms", {"reference": "SITE-1", "type": "SITE", "name": "Nantes Centre"})

        assert answer.created == 1

    def test_a_negative_capacity_is_an_error_of_the_item(self, caller):
        answer = cast.send(caller, "classrooms", cast.classroom(1), cast.classroom(2, capacity=-1))

        assert answer.returnCode == "500 ERROR"
        (error,) = answer.errors.error
        assert (error.index, error.reference, error.field, error.code) == (
            2,
            "ROOM-0002",
            "capacity",
            "VALUE_OUT_OF_RANGE",
        )
