"""Credentials in the envelope: the header Credentials, and the UsernameToken of WS-Security 1.0."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from lxml import etree

from ...contract import NAMESPACE
from ...errors import Code, Error, Refused

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_WSSE = f"{_OASIS}-wssecurity-secext-1.0.xsd"
_WSU = f"{_OASIS}-wssecurity-utility-1.0.xsd"
_PASSWORD_TEXT = f"{_OASIS}-username-token-profile-1.0#PasswordText"
_CREDENTIALS, _SECURITY = f"{{{NAMESPACE}}}Credentials", f"{{{_WSSE}}}Security"
_TOKEN, _TIMESTAMP = f"{{{_WSSE}}}UsernameToken", f"{{{_WSU}}}Timestamp"
UNDERSTOOD = frozenset((_CREDENTIALS, _SECURITY))
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far behind ours a caller's clock may be before its Timestamp counts as expired; as in WCF."""


def credentials(headers: Sequence[etree._Element]) -> tuple[str, str] | None:
    """Return user and key from the header Credentials or a UsernameToken; None when there are none (or empty ones).

    Refused, CREDENTIALS_UNSUPPORTED, for a UsernameToken with another password than PasswordText.
    """
    for block in headers:
        if block.tag == _CREDENTIALS:
            user = (block.findtext(f"{{{NAMESPACE}}}apiUser") or "").strip()
            key = (block.findtext(f"{{{NAMESPACE}}}apiKey") or "").strip()
            if user or key:
                return user, key
        elif block.tag == _SECURITY:
            token = block.find(_TOKEN)
            if token is not None:
                return _username_token(token)
    return None


def _username_token(token: etree._Element) -> tuple[str, str]:
    password = token.find(f"{{{_WSSE}}}Password")
    kind = _PASSWORD_TEXT if password is None else password.get("Type", _PASSWORD_TEXT).strip()
    # Some callers write PasswordText or wsse:PasswordText, as drafts of the profile had it.
    name = kind.rpartition("#")[2].rpartition(":")[2]
    if name != "PasswordText":
        raise Refused(
            Error(
                Code.CREDENTIALS_UNSUPPORTED,
                f"A UsernameToken with {name[:40] or 'this password type'} is not taken: "
                "keys are stored as digests, so a digest of the key cannot be checked.",
                hint="Use PasswordText over HTTPS, HTTP Basic, or the header Credentials.",
            )
        )
    key = "" if password is None else password.text or ""
    return (token.findtext(f"{{{_WSSE}}}Username") or "").strip(), key.strip()


def hold_to(headers: Sequence[etree._Element], mandatory: Sequence[etree._Element], now: datetime) -> None:
    """Do what the Security headers demand besides credentials, or refuse.

    CREDENTIALS_REFUSED for a Timestamp that has expired. CREDENTIALS_UNSUPPORTED for a mandatory header with a
    signature or anything else in it: to pass over it would be to say that it was checked.
    """
    for block in headers:
        if block.tag != _SECURITY:
            continue
        for child in block:
            if child.tag == _TIMESTAMP:
                _hold_to_timestamp(child, now)
            elif child.tag != _TOKEN and block in mandatory:
                raise Refused(
                    Error(
                        Code.CREDENTIALS_UNSUPPORTED,
                        f"The header Security is marked mustUnderstand and holds {etree.QName(child).localname[:60]}, "
                        "which is not checked here.",
                        hint="Send a UsernameToken alone, with a Timestamp if you like, over HTTPS.",
                    )
                )


def _hold_to_timestamp(timestamp: etree._Element, now: datetime) -> None:
    """Refuse a message whose Expires has passed. Created is not looked at: a clock ahead of ours does no harm."""
    text = timestamp.findtext(f"{{{_WSU}}}Expires", "").strip()
    if not text:
        return
    try:
        expires = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            Error(
                Code.INVALID_ENVELOPE,
                f"Expires of the Timestamp is {text[:40]}, which is no date with time.",
                hint="Write it as 2026-09-14T07:00:00Z, or leave the Timestamp out.",
            )
        ) from None
    # WS-Security 1.0, section 10: times are UTC.
    if (expires if expires.tzinfo else expires.replace(tzinfo=UTC)) < now - CLOCKS_DIFFER:
        raise Refused(
            Error(
                Code.CREDENTIALS_REFUSED,
                f"The Timestamp of the header Security expired at {text[:40]}; "
                f"here it is {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}.",
                hint="Set the clock of the caller (Expires is in UTC), or leave the Timestamp out.",
            )
        )
