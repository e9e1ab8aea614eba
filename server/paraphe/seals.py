"""The seal of an account: where its key and certificate are kept, and how they are opened.

Nothing of it is on a machine's disk: the PKCS#12 file lies in the database, under the passphrase of the setting
`seal_passphrase`, which the database does not know; a key in a token stays there.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from .accounts import Account
from .documents.certificates import Credential
from .documents.seal import Level
from .documents.timestamp import Authority
from .settings import Settings


class Kind(StrEnum):
    """Where the key is and who vouches for it."""

    PKCS12 = "PKCS12"
    PKCS11 = "PKCS11"
    SELF_ISSUED = "SELF_ISSUED"


@dataclass(frozen=True, slots=True)
class Seal:
    """What may be shown of an account's seal. `subject` and `expires_on` as of the certificate."""

    kind: Kind
    subject: str
    expires_on: datetime
    created_on: datetime


class Seals:
    """The seals of all accounts as this installation can use them; opened keys are kept in memory.

    `aim` is the level that the settings ask for, `authority` where time stamps come from (None: from nowhere).
    """

    aim: Level
    authority: Authority | None

    def __init__(self, settings: Settings) -> None:
        """Take passphrase, PIN, authority and level from the settings."""

    def credential_of(self, connection: Connection, account: Account) -> Credential | None:
        """Return what signs for the account, or None if it has no seal: its documents stay unsigned, Level.NONE.

        Raises NoCredential if it has one that cannot be used: the same, but somebody should be told.
        """
        raise NotImplementedError
