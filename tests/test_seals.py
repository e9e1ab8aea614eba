"""The seal of an account: kept in the database under a passphrase, opened once, given by the command line."""

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typst
from cryptography import x509
from sqlalchemy import select

from paraphe import cli, settings, store
from paraphe.accounts import Impossible, find
from paraphe.documents.certificates import NoCredential, from_pkcs12
from paraphe.documents.seal import Level, seal
from paraphe.seals import Kind, Seals, authority_of, seal_of

from .conftest import add_account
from .documents.authorities import Issuer, new_key

OURS = {"PARAPHE_SEAL_PASSPHRASE": "ours"}


def now() -> datetime:
    return datetime.now(UTC)


def seals(**given: str) -> Seals:
    return Seals(settings.read({}, OURS | {f"PARAPHE_{name.upper()}": value for name, value in given.items()}))


@pytest.fixture
def file() -> bytes:
    return Issuer().pkcs12("Cachet", new_key(), "theirs")


# --- kept and opened


def test_a_file_is_kept_under_our_passphrase_and_signs(engine, account, file):
    with store.writing(engine) as connection:
        put = seals().take_pkcs12(connection, account, file, "theirs", now())

    with store.reading(engine) as connection:
        shown = seal_of(connection, account)
        credential = seals().credential_of(connection, account)
        row = connection.execute(select(store.seal)).one()

    assert credential is not None
    assert shown == put
    assert (put.kind, put.subject, put.uri) == (Kind.PKCS12, "CN=Cachet,O=École d'essai", None)
    assert credential.certificate == from_pkcs12(file, "theirs").certificate
    with pytest.raises(NoCredential):
        from_pkcs12(row.content, "theirs")


def test_a_self_issued_seal_is_of_the_account_and_its_authority_can_be_had(engine, account):
    with store.writing(engine) as connection:
        put = seals().issue(connection, account, now())
        root = authority_of(connection, account)
        credential = seals().credential_of(connection, account)

    assert credential is not None
    assert root is not None
    assert put.kind is Kind.SELF_ISSUED
    assert credential.name == account.name
    assert x509.load_pem_x509_certificate(root) == credential.chain[-1]


def test_an_account_without_seal_has_none(engine, account):
    with store.reading(engine) as connection:
        assert seals().credential_of(connection, account) is None
        assert seal_of(connection, account) is None
        assert authority_of(connection, account) is None


def test_the_seal_of_one_account_is_nobody_elses(engine, account):
    other = add_account(engine, "cfa-des-forets")
    ours = seals()
    with store.writing(engine) as connection:
        ours.issue(connection, account, now())
        assert ours.credential_of(connection, other) is None
        ours.issue(connection, other, now())
        first, second = (ours.credential_of(connection, each) for each in (account, other))

    assert first is not None
    assert second is not None
    assert first.name != second.name


def test_a_new_seal_takes_the_place_of_the_old_one_at_once(engine, account, file):
    ours = seals()
    with store.writing(engine) as connection:
        ours.issue(connection, account, datetime(2026, 1, 1, tzinfo=UTC))
        before = ours.credential_of(connection, account)
        assert ours.credential_of(connection, account) is before  # opened once
        ours.take_pkcs12(connection, account, file, "theirs", now())
        after = ours.credential_of(connection, account)

    assert before is not None
    assert after is not None
    assert before.subject != after.subject


@pytest.mark.parametrize(
    ("given", "code"), [({"seal_passphrase": ""}, "PASSPHRASE_MISSING"), ({"seal_passphrase": "x"}, "PASSPHRASE_WRONG")]
)
def test_a_seal_that_cannot_be_opened_is_told_with_a_code(engine, account, given, code):
    with store.writing(engine) as connection:
        seals().issue(connection, account, now())
        with pytest.raises(NoCredential) as refused:
            seals(**given).credential_of(connection, account)

    assert refused.value.code == code


@pytest.mark.parametrize("passphrase", ["wrong", ""])
def test_a_file_that_cannot_be_opened_leaves_the_seal_as_it_is(engine, account, file, passphrase):
    with store.writing(engine) as connection:
        before = seals().issue(connection, account, now())
        with pytest.raises(Impossible, match="passphrase"):
            seals().take_pkcs12(connection, account, file, passphrase, now())
        assert seal_of(connection, account) == before


def test_an_expired_certificate_is_not_taken(engine, account):
    expired = Issuer().pkcs12("Cachet", new_key(), "theirs", days=(-20, -10))
    with store.writing(engine) as connection, pytest.raises(Impossible, match="expired"):
        seals().take_pkcs12(connection, account, expired, "theirs", now())


def test_nothing_secret_is_shown(engine, account, file):
    read = settings.read({}, OURS | {"PARAPHE_TIME_STAMP_PASSWORD": "topsecret", "PARAPHE_SEAL_PIN": "4711"})
    with store.writing(engine) as connection:
        put = Seals(read).take_pkcs12(connection, account, file, "theirs", now())
        credential = Seals(read).credential_of(connection, account)

    shown = f"{read!r} {put!r} {credential!r} {Seals(read).authority!r}"
    assert not [word for word in ("'ours'", "theirs", "topsecret", "4711") if word in shown]


# --- settings


@pytest.mark.parametrize(
    ("given", "aim"),
    [
        ({}, Level.B_B),
        ({"time_stamp_url": "https://tsa.example.org/"}, Level.B_T),
        ({"time_stamp_url": "https://tsa.example.org/", "seal_level": "b-lta"}, Level.B_LTA),
    ],
)
def test_the_level_aimed_at_follows_the_settings(given, aim):
    assert seals(**given).aim is aim


def test_a_level_with_time_stamp_needs_an_authority():
    with pytest.raises(settings.Unusable, match="time_stamp_url"):
        seals(seal_level="B-T")


def test_the_authority_is_the_one_of_the_settings():
    authority = seals(
        time_stamp_url="https://tsa.example.org/tsr",
        time_stamp_user="ecole",
        time_stamp_password="p",
    ).authority

    assert authority is not None
    assert (authority.url, authority.user, authority.password) == ("https://tsa.example.org/tsr", "ecole", "p")


# --- the command


@pytest.fixture
def paraphe(tmp_path, monkeypatch, capsys):
    """Run a command in a folder of its own, and give what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARAPHE_SEAL_PASSPHRASE", "ours")

    def run(line: str, code: int = 0) -> str:
        assert cli.main(shlex.split(line)) == code
        said = capsys.readouterr()
        return str(said.err if code else said.out)

    run("init")
    run("account create CFA --environment sandbox")
    return run


def test_an_account_is_given_a_seal_and_shows_it(paraphe, tmp_path):
    issuer = Issuer()
    (tmp_path / "seal.p12").write_bytes(issuer.pkcs12("Cachet", new_key(), "theirs"))
    (tmp_path / "passphrase").write_text("theirs\n")

    assert "has no seal" in paraphe("account seal CFA")
    assert json.loads(paraphe("account seal CFA --json"))["kind"] == "NONE"
    paraphe("account seal CFA --pkcs12 seal.p12 --passphrase-file passphrase --root root.pem")
    shown = json.loads(paraphe("account seal CFA --json"))

    assert shown["kind"] == "PKCS12"
    assert shown["subject"] == "CN=Cachet,O=École d'essai"
    assert datetime.fromisoformat(shown["expiresOn"]) > now()
    assert x509.load_pem_x509_certificate(Path("root.pem").read_bytes()) == issuer.certificate


def test_a_self_issued_seal_of_the_command_seals(paraphe, tmp_path):
    said = paraphe("account seal CFA --self-issued")
    assert "SELF_ISSUED" in said
    assert "certificat auto-émis" in said

    engine = store.open_engine("sqlite:///paraphe-data/paraphe.sqlite")
    with store.reading(engine) as connection:
        account = find(connection, "CFA")
        credential = seals().credential_of(connection, account)
    engine.dispose()
    assert credential is not None
    content = typst.compile(b"Facture", format="pdf", ignore_system_fonts=True)
    assert isinstance(content, bytes)
    assert seal(content, credential, reason="Essai", moment=now(), aim=Level.B_B, foreign=False).level is Level.B_B


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--pkcs12 nowhere.p12", "nowhere.p12"),
        ("--pkcs11 http://example.org/", "A token is named like"),
        ("--pkcs11 'pkcs11:object=a?module-path=/no/such.so'", "The key in the token cannot be had"),
    ],
)
def test_what_cannot_be_a_seal_is_refused_in_a_sentence(paraphe, options, said):
    assert said in paraphe(f"account seal CFA {options}", code=1)


def test_without_a_passphrase_no_key_is_taken(paraphe, monkeypatch):
    monkeypatch.delenv("PARAPHE_SEAL_PASSPHRASE")

    assert "Set seal_passphrase" in paraphe("account seal CFA --self-issued", code=1)


def test_the_settings_are_shown_without_what_is_secret(paraphe, monkeypatch):
    assert "ours" not in paraphe("settings")
    assert json.loads(paraphe("settings --json"))["seal_passphrase"]["value"] == "***"
    assert json.loads(paraphe("settings --json"))["seal_pin"]["value"] == "none"
