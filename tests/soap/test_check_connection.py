"""CheckConnection."""

from datetime import UTC, datetime, timedelta

import pytest

import paraphe

from .questions import Questions


class TestCheckConnection(Questions):
    operation = "CheckConnection"

    def message(self, caller):
        return {}

    def test_it_says_who_is_calling_and_what_is_in_force(self, caller):
        answer = caller.call("CheckConnection")

        assert answer.returnCode == "200 OK"
        assert answer.account == caller.account.name
        assert answer.environment == "SANDBOX"
        assert answer.timeZone == "Europe/Paris"
        assert answer.productVersion == paraphe.__version__
        assert {limit.name: limit.value for limit in answer.limits.limit} == {
            "messageBytes": 300_000_000,
            "expandedMessageBytes": 300_000_000,
            "elementDepth": 256,
            "attributesOfOneElement": 100,
            "attributesInOneMessage": 1_000_000,
            "elementsInOneMessage": 2_000_000,
            "itemsInOneList": 200_000,
            "charactersInOneText": 1_000_000,
            "timeForTheHead": 20,
            "pauseInAMessage": 30,
            "leastSpeed": 500,
            "requestsAtOnce": 6,
            "failedLoginsOfOneUser": 100_000,
            "failedLoginsFromOneAddress": 100_000,
            "failedLoginsRemembered": 300,
            "recordsInOneAnswer": 1000,
            "participantsInOneAnswer": 1000,
            "errorsInOneAnswer": 100,
            "addressLifetime": 7,
        }

    def test_the_server_s_time_is_now_in_utc(self, caller):
        answer = caller.call("CheckConnection")

        assert abs(answer.serverTime - datetime.now(UTC)) < timedelta(seconds=30)
        assert (caller.last.text("serverTime") or "").endswith("Z")

    def test_twice_is_two_requests(self, caller):
        first, second = caller.call("CheckConnection"), caller.call("CheckConnection")

        assert first.requestId != second.requestId
        assert second.duplicate is False

    def test_another_account_is_told_its_own_name(self, caller, other):
        assert caller.call("CheckConnection").account != other.call("CheckConnection").account

    @pytest.mark.in_all_pairs
    def test_the_message_of_the_fixtures_is_taken(self, caller):
        assert caller.fixture("CheckConnection").text("account") == caller.account.name

    def test_many_calls_on_one_connection_are_answered(self, caller):
        numbers = {caller.call("CheckConnection").requestId for _ in range(20)}

        assert len(numbers) == 20

    @pytest.mark.parametrize("inside", ["", "\n  ", "<!-- nothing -->"], ids=["nothing", "a new line", "a comment"])
    def test_an_empty_element_is_all_it_needs(self, caller, inside):
        assert caller.post(f"<CheckConnection>{inside}</CheckConnection>").ok
