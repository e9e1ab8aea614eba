"""What an account's documents are signed with: account seal."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import accounts, store
from .house import now, opened
from .line import Commands, add_environment, environment_of, show

if TYPE_CHECKING:
    from ..seals import Seal


def add_to(commands: Commands) -> None:
    """Add the command to those of accounts."""
    seal = commands.add("seal", _seal, "database", "seal_passphrase", "seal_pin")
    seal.add_argument("account", metavar="NAME_OR_USER", help="the account's name or its apiUser")
    add_environment(seal)
    key = seal.add_mutually_exclusive_group()
    key.add_argument("--pkcs12", metavar="FILE", help="take the key and certificate of this PKCS#12 file")
    key.add_argument("--pkcs11", metavar="URI", help="sign with this key in a token or security module")
    key.add_argument("--self-issued", action="store_true", help="make a key, and a certificate that nobody vouches for")
    seal.add_argument("--passphrase-file", metavar="FILE", help="holds the passphrase of the PKCS#12 file")
    seal.add_argument("--root", metavar="FILE", help="write the certificate to be trusted into this file, as PEM")


def _seal(asked: argparse.Namespace) -> None:
    """Show what an account's documents are signed with, or give it a key and certificate."""
    from .. import seals  # half a second of other people's modules

    with opened(asked) as house, store.writing(house.engine) as connection:
        account = accounts.find(connection, asked.account, environment_of(asked))
        ours = seals.Seals(house.settings)
        if asked.pkcs12:
            passphrase = _first_line(asked.passphrase_file) if asked.passphrase_file else ""
            ours.take_pkcs12(connection, account, Path(asked.pkcs12).read_bytes(), passphrase, now())
        elif asked.pkcs11:
            ours.take_token(connection, account, asked.pkcs11, now())
        elif asked.self_issued:
            ours.issue(connection, account, now())
        seal = seals.seal_of(connection, account)
        root = seals.authority_of(connection, account)
    if asked.root and root:
        Path(asked.root).write_bytes(root)
    show(asked, _seal_json(account, seal), _seal_text(account, seal))


def _first_line(file: str) -> str:
    return Path(file).read_text("utf-8").partition("\n")[0].rstrip("\r")


def _seal_json(account: accounts.Account, seal: "Seal | None") -> dict[str, Any]:
    value = {"account": account.name, "environment": account.environment, "kind": seal.kind.value if seal else "NONE"}
    if seal is None:
        return value
    moments = {"expiresOn": _moment(seal.expires_on), "createdOn": _moment(seal.created_on)}
    return value | {"subject": seal.subject, "uri": seal.uri} | moments


def _seal_text(account: accounts.Account, seal: "Seal | None") -> str:
    if seal is None:
        return f"The account {account.name} ({account.environment}) has no seal: its documents are not signed."
    return (
        f"Account {account.name} ({account.environment})\n"
        f"kind     {seal.kind.value}\n"
        f"subject  {seal.subject}\n"
        f"expires  {seal.expires_on.date().isoformat()}"
    )


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
