"""SyncContacts."""

from paraphe import store

from . import cast
from .questions import SyncQuestions


class TestContacts(SyncQuestions):
    operation, plural, table = "SyncContacts", "contacts", store.contact
    broken = "<contacts><contact><reference>C1</reference><type>FRIEND</type></contact></contacts>"
    place = "contacts/contact[1]/type"

    def item(self, number, **said):
        return cast.contact(number, **said)

    def changed(self, number):
        return cast.contact(number, siret="00290361500017")

    def test_a_contact_without_any_name_is_an_error_of_the_item(self, caller):
        answer = cast.send(caller, "contacts", {"reference": "CON-0001", "type": "TUTOR"})

        assert answer.returnCode == "500 ERROR"
        assert [error.code for error in answer.errors.error] == ["VALUE_REQUIRED"]
