"""An address that was given out can be revoked."""

import pytest

from paraphe import store
from paraphe.errors import Refused
from paraphe.work.records import open_document, open_record
from paraphe.work.revocation import revoke_course, revoke_record
from tests.work.cast import FIRST, NOW, caller, index, send


@pytest.fixture
def call(engine, account, context):
    return caller(engine, context)


def test_a_revoked_record_and_its_documents_have_new_addresses_only(call, engine, account, addresses):
    send(call)
    before = index(call)

    with store.writing(engine) as connection:
        assert revoke_record(connection, account.id, FIRST) == 2
    after = index(call)

    def link(url, place, suffix):
        return addresses.link(place, url.rpartition("/")[2].removesuffix(suffix), NOW)

    with store.reading(engine) as connection:
        assert open_record(connection, link(before["zip_url"], "records", ".zip")) is None
        assert open_record(connection, link(after["zip_url"], "records", ".zip")) is not None
        old, new = before["documents"][0]["url"], after["documents"][0]["url"]
        assert open_document(connection, link(old, "documents", ".pdf")) is None
        assert open_document(connection, link(new, "documents", ".pdf")) is not None


def test_the_record_of_another_account_is_unknown_and_keeps_its_addresses(call, engine, other_account):
    send(call)
    before = index(call)

    with store.writing(engine) as connection, pytest.raises(Refused, match="There is no record"):
        revoke_record(connection, other_account.id, FIRST)

    assert index(call) == before


def test_an_unknown_course_is_refused(engine, account):
    with store.writing(engine) as connection, pytest.raises(Refused, match="There is no course C-1"):
        revoke_course(connection, account.id, "C-1")
