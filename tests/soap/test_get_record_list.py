"""GetRecordList."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from paraphe import store

from . import cast
from .house import codes
from .questions import Questions


def numbers(answer):
    return [index.recordNumber for index in answer.records.recordIndex] if answer.records else []


def many(caller, count):
    """Open records, all at once."""
    now = datetime.now(UTC)
    known = {"account_id": caller.account.id, "status": "READY", "version": 1, "created_on": now, "modified_on": now}
    known |= {"document_count": 0, "size_bytes": 0, "to_extract": True}
    rows = [
        known | {"record_number": f"2026-{number:06}", "link": caller.account.id.to_bytes(8) + number.to_bytes(8)}
        for number in range(1, count + 1)
    ]
    with store.writing(caller.house.engine) as connection:
        connection.execute(insert(store.record), rows)
        mine = store.account.c.id == caller.account.id
        connection.execute(update(store.account).where(mine).values(last_record=count))


class TestGetRecordList(Questions):
    operation = "GetRecordList"
    broken, place = "<limit>all</limit>", "limit"

    def message(self, caller):
        return {}

    def test_it_lists_the_records_with_their_index_and_addresses(self, caller):
        number = cast.open_with_pdf(caller)

        answer = caller.call("GetRecordList")

        assert answer.returnCode == "200 OK"
        (index,) = answer.records.recordIndex
        assert (index.recordNumber, index.version, index.documentCount) == (number, 1, 1)
        assert index.zipUrl.startswith(f"{caller.house.url}/records/")
        assert (answer.remaining, answer.nextCursor) == (0, None)

    def test_twice_is_the_same_list_because_listing_marks_nothing(self, caller):
        expected = [cast.open_record(caller), cast.open_record(caller)]

        assert [numbers(caller.call("GetRecordList")) for _ in range(3)] == [expected] * 3

    def test_what_was_extracted_stands_in_it_only_when_asked_for(self, caller):
        first, second = cast.open_record(caller), cast.open_record(caller)
        caller.call("AcknowledgeRecords", recordNumbers={"recordNumber": [first]})

        assert numbers(caller.call("GetRecordList")) == [second]
        everything = caller.call("GetRecordList", includeExtracted=True)
        assert numbers(everything) == [first, second]
        assert everything.records.recordIndex[0].extractedOn is not None

    def test_filters_leave_out_the_others(self, caller):
        cast.open_with_pdf(caller, b"no PDF")
        number = cast.open_record(caller, invoiceNumber="FAC-7")
        now = datetime.now(UTC)

        assert numbers(caller.call("GetRecordList", invoiceNumber="FAC-7")) == [number]
        assert len(numbers(caller.call("GetRecordList", status="NEEDS_REVIEW"))) == 1
        assert len(numbers(caller.call("GetRecordList", createdFrom=now - timedelta(minutes=5)))) == 2
        assert numbers(caller.call("GetRecordList", createdTo=now - timedelta(minutes=5))) == []

    def test_another_account_has_a_list_of_its_own(self, caller, other):
        cast.open_record(caller)

        assert numbers(other.call("GetRecordList", includeExtracted=True)) == []

    def test_an_account_without_records_has_an_empty_list(self, caller):
        reply = caller.post("<GetRecordList/>")

        assert reply.ok
        assert reply.text("remaining") == "0"

    @pytest.mark.in_all_pairs
    def test_the_messages_of_the_fixtures_are_answered(self, caller):
        assert caller.fixture("GetRecordList").ok
        assert caller.fixture("GetRecordList", "limit-exceeded").codes == ["LIMIT_EXCEEDED"]

    def test_more_than_1000_is_an_error_and_never_a_silent_cut(self, caller):
        assert codes(caller.call("GetRecordList", limit=1001)) == ["LIMIT_EXCEEDED"]
        assert codes(caller.call("GetRecordList", limit=0)) == ["VALUE_OUT_OF_RANGE"]

    def test_2500_records_come_as_1000_and_1000_and_500(self, caller):
        many(caller, 2500)
        answer = caller.call("GetRecordList")
        pages = [(len(numbers(answer)), answer.remaining)]
        while answer.nextCursor:
            answer = caller.call("GetRecordList", cursor=answer.nextCursor)
            pages.append((len(numbers(answer)), answer.remaining))

        assert pages == [(1000, 1500), (1000, 500), (500, 0)]

    def test_pages_hold_each_record_once_although_records_leave_between_them(self, caller):
        many(caller, 30)
        first = caller.call("GetRecordList", limit=10)
        caller.call("AcknowledgeRecords", recordNumbers={"recordNumber": numbers(first)})
        second = caller.call("GetRecordList", limit=20, cursor=first.nextCursor)

        assert numbers(first) + numbers(second) == [f"2026-{number:06}" for number in range(1, 31)]

    @pytest.mark.parametrize("cursor", ["bm9uc2Vuc2U", "%%%", "czE6MQ"])
    def test_a_cursor_that_is_none_of_ours_is_refused(self, caller, cursor):
        assert codes(caller.call("GetRecordList", cursor=cursor)) == ["INVALID_CURSOR"]
