"""Keys in a token or security module, by PKCS#11 (the extra `pkcs11`): the key never leaves it."""

import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from cryptography import x509
from pyhanko.sign.signers import Signer

from .certificates import Credential, NoCredential, ordered, registered, suitable, to_asn1


@dataclass(frozen=True, slots=True)
class TokenAddress:
    """A PKCS#11 URI (RFC 7512): which module, which token, which object in it, by label or by id."""

    module: str
    token: str | None
    label: str | None
    id: bytes | None


def token_address(uri: str) -> TokenAddress:
    """Read a PKCS#11 URI: pkcs11:token=…;object=…;id=%01?module-path=/…/module.so. Raises NoCredential.

    It names its module and an object or an id, and holds no PIN: what is stored may be shown.
    """
    parts = urlsplit(uri)
    path, query = _attributes(parts.path, ";"), _attributes(parts.query, "&")
    if {"pin-value", "pin-source"} & {*path, *query}:
        raise NoCredential("TOKEN_ADDRESS_WRONG", "The PIN is a setting of its own; it does not stand in the URI.")
    if parts.scheme != "pkcs11" or "module-path" not in query or not {"object", "id"} & {*path}:
        raise NoCredential(
            "TOKEN_ADDRESS_WRONG",
            "A token is named like pkcs11:token=NAME;object=LABEL?module-path=/path/to/module.so.",
        )
    token, label = (path[name].decode() if name in path else None for name in ("token", "object"))
    return TokenAddress(query["module-path"].decode(), token, label, path.get("id"))


def _attributes(text: str, separator: str) -> dict[str, bytes]:
    pairs = (pair.partition("=") for pair in text.split(separator) if pair)
    return {name: unquote_to_bytes(value) for name, _, value in pairs}


def from_token(uri: str, pin: str | None) -> Credential:
    """Open the key that a PKCS#11 URI names; its session stays open. Raises NoCredential."""
    signer = _TokenSigner(token_address(uri), pin)
    suitable(signer.certificate.public_key())
    return Credential(signer.certificate, signer.chain, signer)


# One thing at a time is done with any token: two signatures at once, of two keys in two sessions, end the process with
# a segmentation fault (python-pkcs11 0.10 with SoftHSM 2.6, one run in three).
_one_at_a_time = threading.Lock()


class _TokenSigner(Signer):
    """Signs in the token. After a failure it begins a new session.

    The signature brings the certificate and its chain: what else is in the token is not its business, and not small.
    """

    def __init__(self, address: TokenAddress, pin: str | None) -> None:
        self._address, self._pin = address, pin
        self._inner: Any = None
        with _one_at_a_time:
            inner = self._opened()
        own, *found = (each.dump() for each in (inner.signing_cert, *inner.cert_registry))
        self.certificate = x509.load_der_x509_certificate(own)
        self.chain = ordered(self.certificate, [x509.load_der_x509_certificate(each) for each in found if each != own])
        registry = registered((self.certificate, *self.chain))
        super().__init__(signing_cert=to_asn1(self.certificate), cert_registry=registry)

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Have the token sign. Raises NoCredential."""
        with _one_at_a_time:
            inner = self._opened()
            try:
                return bytes(await inner.async_sign_raw(data, digest_algorithm))
            except Exception as error:  # the module's own, of which each maker has some
                self._inner = None
                raise NoCredential("TOKEN_UNAVAILABLE", f"The token did not sign: {type(error).__name__}.") from error

    def _opened(self) -> Any:
        if self._inner is None:
            try:
                self._inner = _session_signer(self._address, self._pin)
            except ImportError as error:
                sentence = "Keys in a token need the extra pkcs11: pip install 'paraphe[pkcs11]'."
                raise NoCredential("TOKEN_SUPPORT_MISSING", sentence) from error
            except Exception as error:  # the module's own, of which each maker has some
                sentence = f"The key in the token cannot be had: {error or type(error).__name__}."
                raise NoCredential("TOKEN_UNAVAILABLE", sentence) from error
        return self._inner


def _session_signer(address: TokenAddress, pin: str | None) -> Any:
    """Return pyHanko's signer in a session of its own, with key and certificates found."""
    import pkcs11
    from pyhanko.config.pkcs11 import TokenCriteria
    from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session

    criteria = TokenCriteria(label=address.token) if address.token else None
    try:
        session = open_pkcs11_session(address.module, token_criteria=criteria, user_pin=pin)
    except pkcs11.UserAlreadyLoggedIn:  # for another account: that holds for all sessions of this process
        session = open_pkcs11_session(address.module, token_criteria=criteria)
    signer = PKCS11Signer(session, address.label, cert_id=address.id, other_certs_to_pull=None)
    # Not every module can do ECDSA with the digest; all can do it without. To look at the certificate loads everything.
    signer.use_raw_mechanism = signer.signing_cert.public_key.algorithm == "ec"
    return signer
