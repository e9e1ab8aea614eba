"""Keys in a token or security module, by PKCS#11 (the extra `pkcs11`): the key never leaves it."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from .certificates import Credential, NoCredential


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
    """Open the key that a PKCS#11 URI names; the session stays open. Raises NoCredential."""
    raise NotImplementedError
