"""SyncTeachers."""

from paraphe import store

from . import cast
from .questions import SyncQuestions


class TestTeachers(SyncQuestions):
    operation, plural, table = "SyncTeachers", "teachers", store.teacher
    broken = "<teachers><teacher><reference>T1</reference><lastName>A</lastName><age>7</age></teacher></teachers>"
    place = "teachers/teacher[1]/age"

    def item(self, number, **said):
        return cast.teacher(number, **said)

    def changed(self, number):
        return cast.teacher(number, email="noel.oestreicher@centre.example")
