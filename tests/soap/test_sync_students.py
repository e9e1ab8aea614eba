"""SyncStudents."""

from paraphe import store

from . import cast
from .questions import SyncQuestions


class TestStudents(SyncQuestions):
    operation, plural, table = "SyncStudents", "students", store.student
    broken, place = "<students><student><reference>S1</reference></student></students>", "students/student[1]"

    def item(self, number, **said):
        return cast.student(number, **said)

    def changed(self, number):
        return cast.student(number, phone="01 99 00 12 34")

    def test_what_is_left_out_keeps_its_value_and_what_is_cleared_is_empty(self, caller):
        cast.send(caller, "students", cast.student(1, phone="01 99 00 12 34", degree="BTS"))

        person = {"reference": "STU-0001", "lastName": "Le Goff", "firstName": "Ada"}
        cast.send(caller, "students", person | {"clearFields": {"fieldName": ["phone"]}})

        ((phone, degree, first_name),) = caller.house.rows(
            store.student.select()
            .with_only_columns(store.student.c.phone, store.student.c.degree, store.student.c.first_name)
            .where(store.student.c.account_id == caller.account.id)
        )
        assert (phone, degree, first_name) == (None, "BTS", "Ada")

    def test_every_letter_arrives_as_it_was_sent(self, caller):
        name = "Œstreicher-D\N{RIGHT SINGLE QUOTATION MARK}Aÿ 漢字 \N{GRINNING FACE} & <Co>"
        cast.send(caller, "students", cast.student(1, lastName=name))

        (row,) = caller.house.rows(store.student.select().where(store.student.c.account_id == caller.account.id))

        assert row.last_name == name
