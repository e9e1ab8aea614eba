from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from paraphe.addresses import Addresses

NOW = datetime(2026, 9, 14, 7, 30, tzinfo=UTC)
LINK = bytes(range(16))
ADDRESSES = Addresses("https://exchange.centre.example", b"s" * 32)


def token_of(url):
    return url.rpartition("/")[2].removesuffix(".zip")


@pytest.fixture
def token():
    return token_of(ADDRESSES.url("records", LINK, ".zip", NOW))


def test_an_address_stands_under_the_public_url_and_leads_back_to_its_link(token):
    assert ADDRESSES.url("records", LINK, ".zip", NOW) == f"https://exchange.centre.example/records/{token}.zip"
    assert ADDRESSES.link("records", token, NOW) == LINK


def test_an_address_works_until_the_moment_that_was_announced_and_not_longer(token):
    end = ADDRESSES.expiry(NOW)

    assert ADDRESSES.link("records", token, end - timedelta(microseconds=1)) == LINK
    assert ADDRESSES.link("records", token, end) is None


def test_an_address_lives_at_least_as_long_as_promised_and_ends_at_a_full_hour():
    assert ADDRESSES.expiry(NOW) == datetime(2026, 9, 21, 8, tzinfo=UTC)
    assert ADDRESSES.expiry(NOW.replace(minute=0)) == datetime(2026, 9, 21, 8, tzinfo=UTC)


def test_an_address_with_one_letter_changed_leads_nowhere(token):
    for place, letter in enumerate(token):
        other = "A" if letter != "A" else "B"
        assert ADDRESSES.link("records", token[:place] + other + token[place + 1 :], NOW) is None


def test_an_address_with_one_bit_changed_leads_nowhere(token):
    raw = urlsafe_b64decode(token)
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert ADDRESSES.link("records", urlsafe_b64encode(changed).decode(), NOW) is None


def test_an_address_of_one_place_is_none_of_another_place(token):
    assert ADDRESSES.link("documents", token, NOW) is None
    assert ADDRESSES.link("signatures", token, NOW) is None


def test_what_has_several_forms_has_one_token_and_an_ending_for_each():
    (pdf,), (archive,) = ADDRESSES.urls("records", [LINK], (".pdf", ".zip"), NOW)

    assert pdf.removesuffix(".pdf") == archive.removesuffix(".zip") == ADDRESSES.url("records", LINK, "", NOW)


def test_an_address_made_with_another_secret_leads_nowhere(token):
    assert Addresses(ADDRESSES.public_url, b"t" * 32).link("records", token, NOW) is None


@pytest.mark.parametrize("spoilt", ["{}=", "{}==", " {}", "{}\n", "{}AAAA", "{}\u00e9", "é{}", "/{}", "{}?", "{}.zip"])
def test_there_is_one_way_to_write_an_address(token, spoilt):
    assert ADDRESSES.link("records", spoilt.format(token), NOW) is None


@pytest.mark.parametrize("name", ["", "=", "A", "AAAA", "A" * 48, "A" * 100_000, "é" * 48, "\ud800", "\0" * 48])
def test_what_is_no_address_leads_nowhere(name):
    assert ADDRESSES.link("records", name, NOW) is None


def test_an_address_stays_the_same_within_an_hour_so_that_a_list_can_be_compared_with_the_one_before():
    assert ADDRESSES.url("records", LINK, ".zip", NOW) == ADDRESSES.url("records", LINK, ".zip", NOW.replace(minute=59))
    assert ADDRESSES.url("records", LINK, ".zip", NOW) != ADDRESSES.url("records", LINK, ".zip", NOW.replace(hour=8))


def test_an_address_holds_128_random_bits_and_a_seal_of_128_bits(token):
    assert len(urlsafe_b64decode(token)) == 16 + 4 + 16
