"""The seal of an account: where its key and certificate are kept, and how they are opened.

Nothing of it is on a machine's disk: the PKCS#12 file lies in the database, under the passphrase of the setting
`seal_passphrase`, which the database does not know; a key in a token stays there.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from . import store
from .accounts import Account, Impossible
from .documents import certificates
from .documents.certificates import Credential, NoCredential
from .documents.seal import Authority, Level
from .documents.tokens import from_token
from .settings import Settings


class Kind(StrEnum):
    """Where the key is, and who vouches for it."""

    PKCS12 = "PKCS12"
    PKCS11 = "PKCS11"
    SELF_ISSUED = "SELF_ISSUED"


@dataclass(frozen=True, slots=True)
class Seal:
    """What may be shown of an account's seal; `uri` is where a token's key is."""

    kind: Kind
    subject: str
    expires_on: datetime
    created_on: datetime
    uri: str | None = None


_TABLE = store.seal.c
_COLUMNS = (_TABLE.kind, _TABLE.certificate, _TABLE.created_on, _TABLE.uri)


class Seals:
    """The seals of all accounts as this installation can use them; what was opened is kept in memory.

    `aim` is the level that the settings ask for, `authority` where time stamps come from (None: from nowhere). May be
    used by several threads at once.
    """

    def __init__(self, settings: Settings) -> None:
        """Take passphrase, PIN, authority and level from the settings."""
        self.aim = Level(settings.seal_level)
        self.authority = _authority(settings)
        self._passphrase, self._pin = settings.seal_passphrase, settings.seal_pin
        self._lock = threading.Lock()
        self._opened: dict[int, tuple[Any, Credential]] = {}

    # What signs

    def credential_of(self, connection: Connection, account: Account) -> Credential | None:
        """Return what signs for the account, or None if it has no seal: its documents stay unsigned, Level.NONE.

        Raises NoCredential if it has one that cannot be used (besides the codes of documents/certificates.py:
        PASSPHRASE_MISSING). Documents stay unsigned then too, but somebody should be told.
        """
        chosen = select(_TABLE.id, *_COLUMNS, _TABLE.content).where(_TABLE.account_id == account.id)
        row = connection.execute(chosen).one_or_none()
        if row is None:
            return None
        with self._lock:
            mark, credential = self._opened.get(account.id, (None, None))
            if credential is None or mark != (row.id, row.created_on):
                credential = self._open(row)
                self._opened[account.id] = (row.id, row.created_on), credential
            return credential

    def _open(self, row: Any) -> Credential:
        if row.kind == Kind.PKCS11:
            return from_token(row.uri, self._pin)
        return certificates.from_pkcs12(row.content, self._ours())

    def _ours(self) -> str:
        if not self._passphrase:
            raise NoCredential("PASSPHRASE_MISSING", "Set seal_passphrase: keys in the database are locked with it.")
        return self._passphrase

    # Administration

    def take_pkcs12(
        self, connection: Connection, account: Account, content: bytes, passphrase: str, now: datetime
    ) -> Seal:
        """Give the account the key of a PKCS#12 file in place of the one it had. Raises Impossible."""
        try:
            credential = certificates.from_pkcs12(content, passphrase)
            anew = certificates.sealed_anew(content, passphrase, self._ours())
            return _put(connection, account, Kind.PKCS12, credential, now, content=anew)
        except NoCredential as reason:
            raise Impossible(str(reason)) from reason

    def take_token(self, connection: Connection, account: Account, uri: str, now: datetime) -> Seal:
        """Give the account a key in a token in place of the one it had. Raises Impossible."""
        try:
            return _put(connection, account, Kind.PKCS11, from_token(uri, self._pin), now, uri=uri)
        except NoCredential as reason:
            raise Impossible(str(reason)) from reason

    def issue(self, connection: Connection, account: Account, now: datetime) -> Seal:
        """Make a key and a self-issued certificate for the account in place of what it had. Raises Impossible."""
        try:
            content = certificates.self_issued(account.name, now, self._ours())
            credential = certificates.from_pkcs12(content, self._ours())
            return _put(connection, account, Kind.SELF_ISSUED, credential, now, content=content)
        except NoCredential as reason:
            raise Impossible(str(reason)) from reason


def _authority(settings: Settings) -> Authority | None:
    if not settings.time_stamp_url:
        return None
    return Authority(settings.time_stamp_url, settings.time_stamp_user, settings.time_stamp_password)


def seal_of(connection: Connection, account: Account) -> Seal | None:
    """Return what may be shown of the account's seal; needs neither passphrase nor token."""
    row = connection.execute(select(*_COLUMNS).where(_TABLE.account_id == account.id)).one_or_none()
    if row is None:
        return None
    subject, expires_on = certificates.described(row.certificate)
    return Seal(Kind(row.kind), subject, expires_on, row.created_on, row.uri)


def authority_of(connection: Connection, account: Account) -> bytes | None:
    """Return as PEM the topmost certificate of the account's seal, for who wants to trust it."""
    row = connection.execute(select(_TABLE.root).where(_TABLE.account_id == account.id)).one_or_none()
    return None if row is None else bytes(row.root)


def _put(
    connection: Connection,
    account: Account,
    kind: Kind,
    credential: Credential,
    now: datetime,
    *,
    content: bytes | None = None,
    uri: str | None = None,
) -> Seal:
    credential.ensure_valid(now)
    connection.execute(delete(store.seal).where(_TABLE.account_id == account.id))
    values = {"account_id": account.id, "kind": kind.value, "content": content, "uri": uri, "created_on": now}
    own, root = credential.certificate, (credential.certificate, *credential.chain)[-1]
    connection.execute(
        insert(store.seal).values(**values, certificate=certificates.pem(own), root=certificates.pem(root))
    )
    return Seal(kind, credential.subject, credential.expires_on, now, uri)
