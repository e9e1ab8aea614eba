"""Limits on who calls: requests at once, wrong keys, slow senders. Each has its own answer; others are served on."""

from contextlib import ExitStack, contextmanager
from functools import partial

import pytest
import requests

from paraphe import store

from ..faces.wire import fault_code, soap_request, wired
from .conftest import opened
from .house import PATIENCE, envelope_of
from .processes import InThread, threads_in, until, writers_wait

pytestmark = [pytest.mark.parametrize("house", ["sqlite"], indirect=True), pytest.mark.slow]
STUDENT = "<student><reference>{}</reference><lastName>L</lastName><firstName>F</firstName></student>"


@contextmanager
def at(house, **given):
    """Somebody at another server over the same database, with other settings."""
    with opened(house.kind, house.database, house.folder, **given) as other:
        yield other.account()


# How many at once --------------------------------------------------------------------------------------------------


def sync(caller, reference):
    return caller.post(f"<SyncStudents><students>{STUDENT.format(reference)}</students></SyncStudents>")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_an_account_with_too_many_requests_at_work_is_told_to_come_again_and_others_are_served(house, version):
    with at(house, threads="8", requests_at_once="2") as caller:
        first, second, third = (caller.again() for _ in range(3))
        other = house.account(version, url=caller.url)
        third.version = version
        with writers_wait(house, caller.account.id):
            working = [InThread(lambda: sync(first, 1)), InThread(lambda: sync(second, 2))]
            until(lambda: threads_in("perform") == 2)

            refused = sync(third, 3)
            served = other.post("<CheckConnection/>")
        done = [call() for call in working]

        assert (refused.codes, refused.is_fault) == (["TOO_MANY_REQUESTS"], True)
        assert refused.status == {"1.1": 500, "1.2": 400}[version]
        assert refused.headers["Retry-After"] == "1"
        assert served.ok
        assert [reply.ok for reply in done] == [True, True]
        assert sync(third, 3).text("created") == "1"


def test_a_connection_that_is_lost_makes_room_again(house):
    with at(house, threads="4", requests_at_once="1") as caller:
        with writers_wait(house, caller.account.id), wired(caller.url) as wire:
            message = envelope_of("1.1", f"<SyncStudents><students>{STUDENT.format(1)}</students></SyncStudents>")
            wire.send(soap_request(caller, message))
            until(lambda: threads_in("perform") == 1)
        until(lambda: caller.again().post("<CheckConnection/>").ok)


def test_many_short_requests_at_once_are_all_served(house):
    with at(house, threads="8", requests_at_once="2") as caller:
        callers = [caller.again() for _ in range(8)]

        def calls(one):
            return [one.post("<CheckConnection/>").codes for _ in range(10)]

        answers = [InThread(partial(calls, one)) for one in callers]
        codes = [code for answer in answers for codes in answer() for code in codes]

    assert codes == []


# Failed log-ins ----------------------------------------------------------------------------------------------------


def wrong(caller):
    """The same user with a wrong key."""
    other = caller.again()
    other.session.auth = (caller.account.api_user, "wrong")
    return other


def test_too_many_wrong_keys_are_refused_for_being_too_many_and_the_right_one_is_taken(house):
    with at(house, failed_logins="5", failed_login_seconds="100") as caller:
        codes = [wrong(caller).post("<CheckConnection/>").codes for _ in range(7)]

        assert codes == [["CREDENTIALS_REFUSED"]] * 5 + [["TOO_MANY_REQUESTS"]] * 2
        assert caller.again().post("<CheckConnection/>").ok


def test_it_is_told_when_to_come_again(house):
    with at(house, failed_logins="5", failed_login_seconds="100") as caller:
        for _ in range(5):
            wrong(caller).post("<CheckConnection/>")
        reply = wrong(caller).post("<CheckConnection/>")

    assert 90 <= int(reply.headers["Retry-After"]) <= 100
    assert reply.is_fault


def test_another_centre_behind_the_same_address_is_told_what_is_wrong_with_its_own_key(house):
    with at(house, failed_logins="5") as caller:
        for _ in range(6):
            wrong(caller).post("<CheckConnection/>")

        assert wrong(house.account(url=caller.url)).post("<CheckConnection/>").codes == ["CREDENTIALS_REFUSED"]


def test_all_users_from_one_address_together_have_a_limit_too(house):
    with at(house, failed_logins="5", failed_logins_per_source="7") as caller:
        codes = [wrong(house.account(url=caller.url)).post("<CheckConnection/>").codes for _ in range(8)]

    assert codes == [["CREDENTIALS_REFUSED"]] * 7 + [["TOO_MANY_REQUESTS"]]


def test_refusals_that_are_too_many_leave_no_row_in_the_journal(house):
    def rows():
        caller.house.settle()
        return len(house.rows(store.journal.select()))

    with at(house, failed_logins="5") as caller:
        before = rows()
        for _ in range(9):
            wrong(caller).post("<CheckConnection/>")

        assert rows() == before + 5


def test_messages_of_nobody_knows_whom_fill_no_journal(house):
    def rows():
        caller.house.settle()
        return len(house.rows(store.journal.select()))

    with at(house, failed_logins="5") as caller:
        nobody = caller.again()
        nobody.session.auth = None
        before = rows()
        codes = [nobody.post("<CheckConnection/>").codes for _ in range(9)]

        assert codes == [["CREDENTIALS_REQUIRED"]] * 9
        assert rows() == before + 5


def forwarded(caller, address):
    wrong_key = (caller.account.api_user, "wrong")
    headers = {"X-Forwarded-For": address, "Content-Type": "text/xml"}
    body = envelope_of("1.1", "<CheckConnection/>")
    return requests.post(caller.address, body, auth=wrong_key, headers=headers, timeout=PATIENCE).text


@pytest.mark.parametrize("trusted", ["127.0.0.1", ""])
def test_the_address_is_that_of_the_caller_if_the_proxy_is_trusted(house, trusted):
    with at(house, failed_logins="5", trusted_proxies=trusted) as caller:
        for _ in range(5):
            forwarded(caller, "192.0.2.1")

        assert "TOO_MANY_REQUESTS" in forwarded(caller, "192.0.2.1")
        assert ("TOO_MANY_REQUESTS" in forwarded(caller, "192.0.2.2")) is (trusted == "")


# Slow senders ------------------------------------------------------------------------------------------------------


def late(response, version="1.1"):
    assert fault_code(response) == "TOO_SLOW"
    assert response.status == 408
    assert response["Connection"] == "close"
    return True


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_slow_message_is_answered_with_a_fault_of_its_version(house, version):
    with at(house, head_seconds="1", pause_seconds="1") as caller, wired(caller.url) as wire:
        whole = soap_request(house.account(version, url=caller.url))
        wire.send(whole[:-5])
        response = wire.response()

        assert late(response)
        assert (response["Content-Type"] or "").startswith({"1.1": "text/xml", "1.2": "application/soap+xml"}[version])
        assert wire.ended
        assert caller.post("<CheckConnection/>").ok


def test_a_slow_head_is_answered_with_a_fault_once_its_first_line_is_there(house):
    with at(house, head_seconds="1") as caller, wired(caller.url) as wire:
        wire.send(soap_request(caller)[:60])

        assert late(wire.response())
        assert wire.ended


def test_of_a_slow_message_nothing_is_stored_and_others_are_served_meanwhile(house):
    students = STUDENT.format("slow")
    message = envelope_of("1.1", f"<SyncStudents><students>{students}</students></SyncStudents>")
    with at(house, head_seconds="1", pause_seconds="1", threads="2") as caller:
        with ExitStack() as stack:
            wires = [stack.enter_context(wired(caller.url)) for _ in range(20)]
            for wire in wires:
                wire.send(soap_request(caller, message)[:-1])
            assert sync(caller, "quick").text("created") == "1"

            assert all(late(wire.response()) for wire in wires)
        assert house.count(store.student, caller.account) == 1
