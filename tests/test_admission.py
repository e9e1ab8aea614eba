"""How many may come in: requests of an account at once, wrong keys from an address, and whose address it is."""

from time import monotonic

import pytest

from paraphe import admission, settings
from paraphe.admission import FailedLogins, Requests, source_of

from .soap.processes import InThread, threads_in, until

# Requests at once --------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(admission, "PATIENCE", 0.05)


def test_an_account_has_as_many_requests_at_once_as_it_may_and_no_more(impatient):
    requests = Requests(2)

    assert [requests.enter(1) for _ in range(4)] == [True, True, False, False]


def test_who_is_beyond_it_behind_long_requests_does_not_wait(impatient):
    requests = Requests(1)
    requests.enter(1)
    requests.enter(1)  # waits
    until(lambda: monotonic() - requests._moved[1] > admission.PATIENCE)

    begin = monotonic()
    refused = [requests.enter(1) for _ in range(20)]

    assert not any(refused)
    assert monotonic() - begin < 20 * admission.PATIENCE


def test_another_account_is_not_counted_with_it():
    requests = Requests(1)

    assert requests.enter(1)
    assert requests.enter(2)


def test_one_that_ended_makes_room():
    requests = Requests(1)
    for _ in range(10):
        assert requests.enter(1)
        requests.leave(1)

    assert requests.enter(1)


def test_one_more_waits_for_a_short_one_to_end():
    requests = Requests(2)
    requests.enter(1)
    requests.enter(1)

    waiting = InThread(lambda: requests.enter(1))
    until(lambda: threads_in("enter") == 1)
    requests.leave(1)

    assert waiting() is True


def test_nothing_is_kept_of_accounts_without_requests():
    requests = Requests(1)
    for account in range(100):
        requests.enter(account)
        requests.leave(account)

    assert (requests._at_work, requests._moved) == ({}, {})


# Failed log-ins ----------------------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def failures(clock):
    """Three for one user, five for all, within a minute."""
    return FailedLogins(3, 5, 60, clock)


def notes(failures, source, user, times):
    return [failures.note(source, user) for _ in range(times)]


def test_wrong_keys_beyond_the_limit_are_told_how_long_they_are_remembered(failures):
    assert notes(failures, "192.0.2.1", "pa_a", 5) == [0, 0, 0, 60, 60]


def test_the_window_slides(failures, clock):
    failures.note("192.0.2.1", "pa_a")
    clock.now += 40
    assert notes(failures, "192.0.2.1", "pa_a", 3) == [0, 0, 20]
    clock.now += 20

    assert notes(failures, "192.0.2.1", "pa_a", 2) == [0, 40]


def test_what_is_refused_does_not_make_it_longer(failures, clock):
    notes(failures, "192.0.2.1", "pa_a", 50)
    clock.now += 60

    assert failures.note("192.0.2.1", "pa_a") == 0


def test_another_user_from_the_same_address_has_a_count_of_its_own_up_to_that_of_all(failures):
    notes(failures, "192.0.2.1", "pa_a", 9)

    assert notes(failures, "192.0.2.1", "pa_b", 3) == [0, 0, 60]


def test_another_address_is_another_count(failures):
    notes(failures, "192.0.2.1", "pa_a", 9)

    assert failures.note("192.0.2.2", "pa_a") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("a name", "a name", True),
        ("", "", True),
    ],
)
def test_of_ipv6_a_network_counts_as_one_address(failures, one, other, same):
    notes(failures, one, "pa_a", 3)

    assert (failures.note(other, "pa_a") > 0) is same


@pytest.mark.parametrize("user", ["", "x" * 1_000_000, "\ud800", "é"])
def test_a_user_may_be_anything(failures, user):
    assert notes(failures, "192.0.2.1", user, 4) == [0, 0, 0, 60]


def test_memory_is_bounded_however_many_addresses_and_users_there_are(monkeypatch, clock):
    monkeypatch.setattr(admission, "MOST_REMEMBERED", 1000)
    failures = FailedLogins(50, 500, 60, clock)
    for number in range(5000):
        clock.now += 0.1
        failures.note(f"192.0.{number % 250}.{number % 7}", f"pa_{number}")

        assert failures._count == sum(map(len, failures._moments.values())) <= 1000
    assert len(failures._moments) <= 1000


def test_what_is_old_is_forgotten_also_where_nothing_new_is_remembered(failures, clock):
    for user in "abc":
        notes(failures, "192.0.2.1", user, 2)
    clock.now += 61
    notes(failures, "192.0.2.1", "a", 5)

    assert failures._count == sum(map(len, failures._moments.values()))
    assert all(failures._moments.values())


# Whose address it is -----------------------------------------------------------------------------------------------

PROXIES = settings.read({"trusted_proxies": "127.0.0.1, 10.0.0.0/8 2001:db8::/32"}).trusted_proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "192.0.2.1", "198.51.100.7"),
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9, 192.0.2.1, 10.1.2.3", "192.0.2.1"),
        ("127.0.0.1", "10.1.2.3, 10.1.2.4", "10.1.2.3"),
        ("127.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
        ("127.0.0.1", '"[2001:db9::1]:4711"', "2001:db9::1"),
        ("127.0.0.1", "[2001:db9::1]", "2001:db9::1"),
        ("::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("2001:db8::5", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "192.0.2.1, unknown", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.1,", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "\x00", "127.0.0.1"),
    ],
)
def test_the_caller_is_the_last_that_is_no_proxy_of_ours(peer, forwarded, source):
    assert source_of(peer, forwarded, PROXIES) == source


def test_without_trusted_proxies_nobody_is_believed():
    assert source_of("127.0.0.1", "192.0.2.1", settings.read().trusted_proxies) == "127.0.0.1"
