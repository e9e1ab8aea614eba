"""The addresses of signatures, documents and records: exact, expiring, telling nothing."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import requests

from paraphe import store
from paraphe.accounts import server_secret
from paraphe.addresses import Addresses
from paraphe.documents.joined import NotJoined, joined_pdf
from paraphe.work import joining

from . import cast
from .cast import IMAGE, INVOICE, digest, open_with_pdf
from .house import FIXTURES

PERIOD = {"periodStart": cast.FIRST_DAY, "periodEnd": cast.FIRST_DAY}


@pytest.fixture
def caller(house):
    """The version of SOAP does not matter here."""
    return house.account()


def addresses_of(caller):
    """One address of each kind, by its path and suffix, each with the digest of what is there if that is known."""
    cast.sitting(caller)
    listed = caller.call("GetSignatureList", **PERIOD).courses.course[0].participants.participant
    signature = next(person.signatureUrl for person in listed if person.signatureUrl)
    index = caller.call("GetRecord", recordNumber=open_with_pdf(caller), format="INDEX").recordIndex
    return {
        "signatures.png": (signature, digest(IMAGE)),
        "documents.pdf": (index.documents.document[0].url, digest(INVOICE)),
        "records.pdf": (index.pdfUrl, None),
        "records.zip": (index.zipUrl, None),
    }


KINDS = ["signatures.png", "documents.pdf", "records.pdf", "records.zip"]
BEGINNINGS = {"png": b"\x89PNG", "pdf": b"%PDF-", "zip": b"PK"}
MEDIA_TYPES = {"png": "image/png", "pdf": "application/pdf", "zip": "application/zip"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_exact_address_gives_the_bytes(caller, kind):
    url, expected = addresses_of(caller)[kind]

    response = requests.get(url, timeout=30)

    suffix = kind.partition(".")[2]
    assert response.status_code == 200
    assert response.headers["Content-Type"] == MEDIA_TYPES[suffix]
    assert response.content.startswith(BEGINNINGS[suffix])
    assert expected in (None, digest(response.content))
    assert "private" in response.headers["Cache-Control"]


@pytest.mark.parametrize("kind", KINDS)
def test_any_other_address_is_nothing_in_the_same_words(caller, kind):
    url, _ = addresses_of(caller)[kind]
    suffix = kind.partition(".")[2]
    body = url.rpartition("/")[2].removesuffix(f".{suffix}")
    others = [
        url.replace(body, body[:9] + ("A" if body[9] != "A" else "B") + body[10:]),
        url.replace(body, body[:-1] + ("A" if body[-1] != "A" else "B")),
        url.replace(body, body + "A"),
        url.replace(body, ""),
        url.replace(body, "A" * 48),
        url.removesuffix(f".{suffix}"),
        f"{url}.zip",
        url.replace(f".{suffix}", ".exe"),
        url.replace("/records/", "/documents/").replace("/signatures/", "/records/"),
        url + "/",
    ]

    responses = [requests.get(other, timeout=30) for other in others if other != url]

    assert {response.status_code for response in responses} == {404}
    assert len({response.content for response in responses}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_of_the_file_and_the_address_tell_nothing_of_the_account(caller, kind):
    url, _ = addresses_of(caller)[kind]

    token = re.sub(r".*/", "", url).partition(".")[0]
    assert len(token) == 48
    assert caller.account.name not in url
    assert caller.account.api_user not in url


def test_nothing_of_the_database_is_held_while_a_pdf_is_made(house_of_its_own, monkeypatch):
    url, _ = addresses_of(house_of_its_own.account())["records.pdf"]
    pool, held = house_of_its_own.engine.pool, []
    assert house_of_its_own.later.settle(10)

    def watched(*arguments, **named):
        held.append(pool.checkedout())
        return joined_pdf(*arguments, **named)

    monkeypatch.setattr(joining, "joined_pdf", watched)

    assert requests.get(url, timeout=30).status_code == 200
    assert held == [0]


def test_a_pdf_that_cannot_be_made_is_worth_asking_for_again(house_of_its_own, monkeypatch):
    url, _ = addresses_of(house_of_its_own.account())["records.pdf"]

    def failing(*arguments, **named):
        raise NotJoined("broken")

    with monkeypatch.context() as patch:
        patch.setattr(joining, "joined_pdf", failing)
        refused = requests.get(url, timeout=30)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert requests.get(url, timeout=30).status_code == 200


def test_an_address_that_has_expired_is_nothing(caller):
    open_with_pdf(caller)
    with store.reading(caller.house.engine) as connection:
        secret = server_secret(connection)
    links = [store.record.c.link, store.record.c.account_id]
    ((link, _),) = caller.house.rows(
        store.record.select().with_only_columns(*links).where(store.record.c.account_id == caller.account.id)
    )
    maker = Addresses(caller.house.url, secret)
    now = datetime.now(UTC)

    fresh, old = (maker.url("records", link, ".zip", now - timedelta(days=days)) for days in (0, 8))

    assert requests.get(fresh, timeout=30).status_code == 200
    assert requests.get(old, timeout=30).status_code == 404


def test_a_changed_signature_has_a_new_address_and_the_old_one_is_nothing(caller):
    url, _ = addresses_of(caller)["signatures.png"]
    other_image = FIXTURES / "attendance" / "signatures" / "STU-0002.png"

    cast.attend(caller, {"image": other_image.read_bytes()})

    assert requests.get(url, timeout=30).status_code == 404


def test_the_expiry_that_is_told_is_the_one_in_force(caller):
    index = caller.call("GetRecord", recordNumber=open_with_pdf(caller), format="INDEX").recordIndex

    left = index.urlsExpireOn - datetime.now(UTC)
    assert timedelta(days=7) <= left <= timedelta(days=7, hours=1)


@pytest.mark.parametrize("kind", KINDS)
def test_other_methods_are_refused(caller, kind):
    url, _ = addresses_of(caller)[kind]

    assert requests.post(url, b"x", timeout=30).status_code == 405


def test_access_is_logged_without_the_address(caller, caplog):
    url, _ = addresses_of(caller)["documents.pdf"]
    with caplog.at_level("INFO", logger="paraphe"):
        number = requests.get(url, timeout=30).headers["X-Request-Id"]

    (line,) = [record for record in caplog.records if getattr(record, "request_id", "") == number]
    assert (line.getMessage(), line.place) == ("address read", "documents")
    assert url.rpartition("/")[2][:48] not in repr(vars(line))
