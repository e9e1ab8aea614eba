"""What a seal is made with: a private key, its certificate, and the certificates above it.

The key is loaded once and kept: at every load OpenSSL checks an RSA key anew, which takes five times as long as the
signature (measured). A credential may be used by several threads at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.sign.signers import Signer
from pyhanko.sign.signers.pdf_cms import select_suitable_signing_md
from pyhanko_certvalidator.registry import SimpleCertificateStore

#: How long a self-issued certificate is good for.
SELF_ISSUED_FOR = timedelta(days=5 * 365)
#: What the subject of a self-issued certificate says, so that no reader takes it for more.
SELF_ISSUED_WORDS = "certificat auto-émis"
_HASHES: dict[str, HashAlgorithm] = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
_LONGEST_NAME = 64  # bytes; RFC 5280, ub-common-name and ub-organization-name
_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class NoCredential(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """There is nothing that could sign; `code` says why, the text is a sentence for the operator.

    PASSPHRASE_WRONG · NOT_PKCS12 (also: no key or no certificate in it, or not of one pair) · KEY_UNSUITABLE ·
    CERTIFICATE_EXPIRED · CERTIFICATE_NOT_YET_VALID · TOKEN_SUPPORT_MISSING · TOKEN_ADDRESS_WRONG · TOKEN_UNAVAILABLE ·
    SIGNATURE_TOO_LONG
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that signs, and its certificate. `chain` holds its issuers, upwards, as far as they are known."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    signer: Signer = field(repr=False)

    @property
    def name(self) -> str:
        """Whose seal it is: the organisation of the subject, or else its common name."""
        for attribute in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
            if found := self.certificate.subject.get_attributes_for_oid(attribute):
                return str(found[0].value)
        return self.certificate.subject.rfc4514_string()

    @property
    def subject(self) -> str:
        """The subject as one line, such as "CN=…,O=…"."""
        return self.certificate.subject.rfc4514_string()

    @property
    def expires_on(self) -> datetime:
        """The end of the certificate."""
        return self.certificate.not_valid_after_utc

    @property
    def self_issued(self) -> bool:
        """Whether nobody but its owner vouches for the name: made by us, or signed with its own key."""
        common = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        by_itself = self.certificate.issuer == self.certificate.subject
        return by_itself or any(SELF_ISSUED_WORDS in str(attribute.value) for attribute in common)

    @property
    def algorithm(self) -> str:
        """The digest that goes with the key: "sha256", or a longer one for a stronger key."""
        return select_suitable_signing_md(to_asn1(self.certificate).public_key)

    @property
    def size(self) -> int:
        """How many bytes the certificates take in a signature."""
        return sum(len(each.public_bytes(Encoding.DER)) for each in (self.certificate, *self.chain))

    def ensure_valid(self, moment: datetime) -> None:
        """Raise NoCredential if the certificate does not hold at this moment."""
        if moment > self.expires_on:
            raise NoCredential("CERTIFICATE_EXPIRED", f"The certificate expired on {self.expires_on:%Y-%m-%d}.")
        if moment < self.certificate.not_valid_before_utc:
            begins = self.certificate.not_valid_before_utc
            raise NoCredential("CERTIFICATE_NOT_YET_VALID", f"The certificate is good from {begins:%Y-%m-%d} on.")


# Keys in a file --------------------------------------------------------------------------------------------------


class _HeldKey(Signer):
    """Signs with a key in memory that was loaded once."""

    def __init__(self, key: _PrivateKey, certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> None:
        registry = registered((certificate, *chain))
        super().__init__(signing_cert=to_asn1(certificate), cert_registry=registry)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        algorithm = _HASHES[digest_algorithm]
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), algorithm)
        return self._key.sign(data, ec.ECDSA(algorithm))


def from_pkcs12(content: bytes, passphrase: str) -> Credential:
    """Open a PKCS#12 file ("" for one without passphrase). Raises NoCredential."""
    key, certificate, others = _opened(content, passphrase)
    chain = ordered(certificate, others)
    return Credential(certificate, chain, _HeldKey(key, certificate, chain))


def sealed_anew(content: bytes, passphrase: str, new_passphrase: str) -> bytes:
    """Return a PKCS#12 file with the same key and certificates under another passphrase. Raises NoCredential."""
    key, certificate, others = _opened(content, passphrase)
    return _pkcs12(key, certificate, others, new_passphrase)


def _opened(content: bytes, passphrase: str) -> tuple[_PrivateKey, x509.Certificate, list[x509.Certificate]]:
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, passphrase.encode() or None)
    except ValueError as error:
        if "password" in str(error).lower() or "mac" in str(error).lower():
            raise NoCredential("PASSPHRASE_WRONG", "The passphrase does not open the PKCS#12 file.") from None
        raise NoCredential("NOT_PKCS12", "The file is not PKCS#12.") from None
    if key is None or certificate is None or key.public_key() != certificate.public_key():
        raise NoCredential("NOT_PKCS12", "The PKCS#12 file does not hold a private key and its certificate.")
    suitable(key.public_key())
    return cast(_PrivateKey, key), certificate, others


def suitable(key: Any) -> None:
    """Raise NoCredential unless the key is one that PDF readers check: RSA from 2048 bits, ECDSA on the NIST curves."""
    curves = ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, curves):
        return
    raise NoCredential("KEY_UNSUITABLE", "The key is neither RSA of at least 2048 bits nor P-256, P-384 or P-521.")


def ordered(certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return those of the other certificates that lead up from this one, in that order."""
    chain: list[x509.Certificate] = []
    below = certificate
    while issuer := next((each for each in others if each not in (below, *chain) and _issued(each, below)), None):
        chain.append(issuer)
        below = issuer
    return tuple(chain)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # which one depends on the kind of key: in any case it is no issuer
        return False
    return True


class Verbatim:
    """Written as it was read.

    asn1crypto takes a length whose last byte is 128 for one that is not given, and writes such a value anew, part by
    part, each part several times: for one token in some hundreds that took more than a minute (measured).
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._read = b""

    @classmethod
    def load(cls, encoded_data: bytes, strict: bool = False, **options: Any) -> Any:
        """Read a value, and keep its bytes."""
        value = super().load(encoded_data, strict=strict, **options)  # type: ignore[misc]
        value._read = encoded_data
        return value

    def dump(self, force: bool = False) -> bytes:
        """Return the bytes that were read; of a copy, which has none, what asn1crypto writes."""
        written: bytes = self._read or super().dump(force)  # type: ignore[misc]
        return written


class _Verbatim(Verbatim, asn1.Certificate):  # type: ignore[misc]
    """A certificate as it was issued."""


def registered(certificates: Iterable[x509.Certificate]) -> SimpleCertificateStore:
    """Return certificates as pyHanko takes them."""
    registry = SimpleCertificateStore()
    registry.register_multiple([to_asn1(each) for each in certificates])
    return registry


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def described(content: bytes) -> tuple[str, datetime]:
    """Return the subject of a certificate in PEM, and when it expires."""
    certificate = x509.load_pem_x509_certificate(content)
    return certificate.subject.rfc4514_string(), certificate.not_valid_after_utc


def to_asn1(certificate: x509.Certificate) -> asn1.Certificate:
    """Return a certificate in the form in which pyHanko takes it."""
    return _Verbatim.load(certificate.public_bytes(Encoding.DER))


def _pkcs12(
    key: _PrivateKey, certificate: x509.Certificate, others: Sequence[x509.Certificate], passphrase: str
) -> bytes:
    locked = BestAvailableEncryption(passphrase.encode())
    return pkcs12.serialize_key_and_certificates(b"seal", key, certificate, others, locked)


# A certificate of one's own --------------------------------------------------------------------------------------


def self_issued(organisation: str, moment: datetime, passphrase: str) -> bytes:
    """Make a P-256 key with a certificate that says itself that nobody vouches for it, as a PKCS#12 file.

    An authority is made for it and its key thrown away, so that who trusts that authority trusts this one certificate
    and none that somebody might issue later.
    """
    issuing, sealing = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _named(organisation, "autorité auto-émise")
    subject = _named(organisation, SELF_ISSUED_WORDS)
    root = _certificate(authority, authority, issuing.public_key(), issuing, moment, is_authority=True)
    certificate = _certificate(subject, authority, sealing.public_key(), issuing, moment, is_authority=False)
    return _pkcs12(sealing, certificate, [root], passphrase)


def _named(organisation: str, role: str) -> x509.Name:
    ending = f" ({role})"
    common = _cut(organisation, _LONGEST_NAME - len(ending.encode())) + ending
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _cut(organisation, _LONGEST_NAME)),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text that takes so many bytes at most."""
    return text.encode()[:most].decode(errors="ignore").rstrip()


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuing: ec.EllipticCurvePrivateKey,
    moment: datetime,
    *,
    is_authority: bool,
) -> x509.Certificate:
    builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
    builder = builder.not_valid_before(moment - timedelta(minutes=5)).not_valid_after(moment + SELF_ISSUED_FOR)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key())
    return (
        builder.add_extension(x509.BasicConstraints(is_authority, 0 if is_authority else None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(above, critical=False)
        .sign(issuing, SHA256())
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
