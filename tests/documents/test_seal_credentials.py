"""What seals are made with: a PKCS#12 file, a key in a token, or a certificate of one's own that says so."""

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import ExtensionOID
from pyhanko.pdf_utils.reader import PdfFileReader

from paraphe.documents import certificates
from paraphe.documents.certificates import NoCredential, from_pkcs12, sealed_anew, self_issued
from paraphe.documents.tokens import from_token, token_address

from .authorities import Issuer, new_key
from .sealing import now, pdfsig, sealed, statuses

MODULES = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
]
PIN = "1234"


def code_of(open_it: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(NoCredential) as refused:
        open_it(*arguments)
    return refused.value.code


# --- PKCS#12


def test_a_file_gives_its_key_its_certificate_and_the_issuers_in_order():
    issuer, key = Issuer(), new_key()

    credential = from_pkcs12(issuer.pkcs12("Cachet", key), "test")

    assert credential.certificate.public_key() == key.public_key()
    assert credential.chain == (issuer.certificate,)
    assert credential.name == "École d'essai"
    assert credential.subject == "CN=Cachet,O=École d'essai"
    assert not credential.self_issued
    assert "key" not in repr(credential)


def test_a_file_without_passphrase_is_opened_without():
    assert from_pkcs12(Issuer().pkcs12("Cachet", new_key(), ""), "").subject


def test_what_cannot_be_opened_is_refused_with_a_code():
    content = Issuer().pkcs12("Cachet", new_key())
    only_a_certificate = pkcs12.serialize_key_and_certificates(b"", None, Issuer().certificate, None, NoEncryption())
    weak = Issuer().pkcs12("Cachet", rsa.generate_private_key(65537, 1024), "test")

    assert code_of(from_pkcs12, content, "wrong") == "PASSPHRASE_WRONG"
    assert code_of(from_pkcs12, b"PEM or whatever", "test") == "NOT_PKCS12"
    assert code_of(from_pkcs12, only_a_certificate, "") == "NOT_PKCS12"
    assert code_of(from_pkcs12, weak, "test") == "KEY_UNSUITABLE"


def test_a_file_under_another_passphrase_opens_with_that_one_alone():
    content = Issuer().pkcs12("Cachet", new_key(), "theirs")

    anew = sealed_anew(content, "theirs", "ours")

    assert from_pkcs12(anew, "ours").certificate == from_pkcs12(content, "theirs").certificate
    assert from_pkcs12(anew, "ours").chain == from_pkcs12(content, "theirs").chain
    assert code_of(from_pkcs12, anew, "theirs") == "PASSPHRASE_WRONG"


def test_a_certificate_whose_length_ends_in_128_is_written_as_it_was_read(pdf):
    """asn1crypto takes that for a length that is not given, and its answer takes more than a minute."""
    key = new_key()
    # Its signature and its number are a byte or two longer or shorter each time.
    about = (128 - len(Issuer("http://example.org/").issue("Cachet", key).public_bytes(Encoding.DER))) % 256
    issuers = (Issuer("http://example.org/" + "l" * max(0, about + more)) for _ in range(50) for more in range(-8, 9))
    pairs = ((issuer, issuer.issue("Cachet", key)) for issuer in issuers)
    issuer, certificate = next(pair for pair in pairs if pair[1].public_bytes(Encoding.DER)[3] == 128)
    content = pkcs12.serialize_key_and_certificates(b"", key, certificate, [issuer.certificate], NoEncryption())

    credential = from_pkcs12(content, "")

    assert certificates.to_asn1(certificate).dump(force=True) == certificate.public_bytes(Encoding.DER)
    assert statuses(sealed(pdf, credential).content, issuer.certificate)[0].bottom_line


# --- self-issued


@pytest.mark.parametrize("name", ["Lycée Horizon", "É" * 100, "x", "GRETA Forêts & Métiers « Nguyễn »"])
def test_a_self_issued_certificate_says_so_whatever_the_account_is_called(name):
    moment = datetime(2026, 11, 28, tzinfo=UTC)
    credential = from_pkcs12(self_issued(name, moment, "x"), "x")

    assert credential.self_issued
    assert "(certificat auto-émis)" in credential.subject
    assert name.startswith(credential.name)
    assert credential.expires_on == moment + certificates.SELF_ISSUED_FOR
    assert len(credential.chain) == 1
    assert "autorité auto-émise" in credential.chain[0].subject.rfc4514_string()
    purposes = credential.certificate.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).value
    assert isinstance(purposes, x509.KeyUsage)
    assert purposes.content_commitment
    assert not purposes.key_cert_sign


def test_a_self_issued_seal_is_trusted_by_who_trusts_its_authority(pdf, tmp_path):
    credential = from_pkcs12(self_issued("Lycée Horizon", now(), "x"), "x")
    stranger = from_pkcs12(self_issued("Lycée Horizon", now(), "x"), "x")

    content = sealed(pdf, credential).content

    assert statuses(content, credential.chain[0])[0].bottom_line
    assert not statuses(content, stranger.chain[0])[0].trusted
    assert "Certificate is Trusted" in pdfsig(tmp_path, content, credential.chain[0])


# --- PKCS#11


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Issuer]]:
    """SoftHSM with one token that holds a P-256 and an RSA key with their certificates: its URI without object."""
    pkcs11 = pytest.importorskip("pkcs11", reason="the extra pkcs11 is not installed")
    module = next(filter(os.path.exists, MODULES), None)
    if not module or not shutil.which("softhsm2-util"):
        pytest.skip("SoftHSM is not installed (softhsm2)")
    folder, issuer = tmp_path_factory.mktemp("token"), Issuer()
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    run("--init-token", "--free", "--label", "Cachets", "--so-pin", "0000", "--pin", PIN)
    for number, kind in enumerate(("P-256", "RSA"), 1):
        key = new_key(kind)
        (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        run(
            "--import",
            str(folder / "key.pem"),
            "--token",
            "Cachets",
            "--label",
            kind,
            "--id",
            f"0{number}",
            "--pin",
            PIN,
        )
        put(pkcs11, module, issuer.issue(f"Cachet {kind}", key), kind, bytes([number]))
    put(pkcs11, module, issuer.certificate, "root", b"\x09")
    yield f"pkcs11:token=Cachets;object={{}}?module-path={module}", issuer
    del os.environ["SOFTHSM2_CONF"]


def run(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True, timeout=60)


def put(pkcs11: Any, module: str, certificate: x509.Certificate, label: str, number: bytes) -> None:
    """Put a certificate into the token."""
    attributes = {
        pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
        pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
        pkcs11.Attribute.TOKEN: True,
        pkcs11.Attribute.LABEL: label,
        pkcs11.Attribute.ID: number,
        pkcs11.Attribute.SUBJECT: certificate.subject.public_bytes(),
        pkcs11.Attribute.VALUE: certificate.public_bytes(Encoding.DER),
    }
    with pkcs11.lib(module).get_token(token_label="Cachets").open(rw=True, user_pin=PIN) as session:
        session.create_object(attributes)


@pytest.mark.parametrize("label", ["P-256", "RSA"])
def test_a_key_in_a_token_seals(pdf, token, label):
    uri, issuer = token
    credential = from_token(uri.format(label), PIN)

    done = sealed(pdf, credential)

    assert credential.subject == f"CN=Cachet {label},O=École d'essai"
    assert credential.chain == (issuer.certificate,)
    assert statuses(done.content, issuer.certificate)[0].bottom_line


def test_a_seal_brings_its_certificate_and_those_above_and_nothing_else_of_the_token(pdf, token):
    uri, issuer = token
    credential = from_token(uri.format("P-256"), PIN)

    signature = PdfFileReader(io.BytesIO(sealed(pdf, credential).content)).embedded_regular_signatures[0]

    brought = {each.chosen.dump() for each in signature.signed_data["certificates"]}
    assert brought == {each.public_bytes(Encoding.DER) for each in (credential.certificate, issuer.certificate)}


def test_several_accounts_and_threads_share_a_token(pdf, token):
    uri, issuer = token
    credentials = [from_token(uri.format(label), PIN) for label in ("P-256", "RSA", "P-256")]

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda number: sealed(pdf, credentials[number % 3]).content, range(12)))

    assert all(statuses(each, issuer.certificate)[0].bottom_line for each in done)


def test_a_session_that_broke_is_begun_anew(pdf, token):
    uri, issuer = token
    credential = from_token(uri.format("P-256"), PIN)
    credential.signer._inner.pkcs11_session.close()  # type: ignore[attr-defined]

    with pytest.raises(NoCredential, match="did not sign"):
        sealed(pdf, credential)

    assert statuses(sealed(pdf, credential).content, issuer.certificate)[0].bottom_line


def test_a_key_that_is_not_in_the_token_is_told(token):
    uri, _ = token

    assert code_of(from_token, uri.format("nobody"), PIN) == "TOKEN_UNAVAILABLE"
    assert code_of(from_token, "pkcs11:object=a?module-path=/no/such/module.so", PIN) == "TOKEN_UNAVAILABLE"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://example.org/",
        "pkcs11:token=a?module-path=/x.so",
        "pkcs11:object=a",
        "pkcs11:object=a?module-path=/x.so&pin-value=1234",
        "pkcs11:object=a?module-path=/x.so&pin-source=/pin",
    ],
)
def test_an_address_of_a_token_names_module_and_key_and_no_pin(uri):
    assert code_of(token_address, uri) == "TOKEN_ADDRESS_WRONG"


def test_an_address_of_a_token_may_have_any_characters():
    address = token_address("pkcs11:token=Le%20cachet;object=cl%C3%A9;id=%01%ff?module-path=/a%20b.so")

    assert (address.token, address.label, address.id, address.module) == ("Le cachet", "clé", b"\x01\xff", "/a b.so")
