"""Accounts, and the keys that open them: account create, list, set, keys, add-key, revoke-key."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import accounts, store
from ..settings import Unusable
from . import seal
from .house import changing, now, opened
from .line import Commands, add_environment, environment_of, show, table


def add_to(whole: Commands) -> None:
    """Add the commands of this module."""
    commands = whole.group("account", "Make and list accounts, and the keys that open them.")
    create = commands.add("create", _account_create, "database")
    create.add_argument("name", metavar="NAME", help="what the training organisation is called")
    add_environment(create, required=True)
    create.add_argument(
        "--time-zone",
        default="Europe/Paris",
        metavar="ZONE",
        help="time zone of dates and times that come without one (default: Europe/Paris)",
    )
    commands.add("list", _account_list, "database")
    seal.add_to(commands)
    for name, run in (
        ("set", _account_set),
        ("keys", _account_keys),
        ("add-key", _account_add_key),
        ("revoke-key", _account_revoke_key),
    ):
        command = commands.add(name, run, "database")
        command.add_argument("account", metavar="NAME_OR_USER", help="the account's name or its apiUser")
        add_environment(command)
        if name == "set":
            _add_what_is_set(command)
        if name == "add-key":
            command.add_argument("--label", default="", help="what to know the key by, at most 100 characters")
        if name == "revoke-key":
            command.add_argument("key", type=int, metavar="KEY", help="the key's number, as `account keys` lists it")


def _add_what_is_set(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--legacy",
        choices=("on", "off"),
        help="on: tolerate the habits of old stacks, and say so in each answer",
    )
    command.add_argument(
        "--organisation",
        metavar="FILE",
        help="what papers say of the organisation, as JSON, so that they are made; none: make none any more",
    )
    command.add_argument(
        "--threshold",
        metavar="N",
        type=_threshold,
        help="how sure a value read from an invoice must be, 0 to 100, to be taken without a person, or usual",
    )


def _threshold(text: str) -> int | str:
    return text if text == "usual" else int(text)


def _account_create(asked: argparse.Namespace) -> None:
    """Make an account and its first key, which is shown this once."""
    with changing(asked) as connection:
        new = accounts.create(connection, asked.name, environment_of(asked) or "", asked.time_zone, now())
    _show_key(asked, new)


def _account_add_key(asked: argparse.Namespace) -> None:
    """Give an account one more key, which is shown this once."""
    with changing(asked) as connection:
        account = accounts.find(connection, asked.account, environment_of(asked))
        new = accounts.add_key(connection, account, asked.label, now())
    _show_key(asked, new)


def _account_set(asked: argparse.Namespace) -> None:
    """Change how an account's messages and invoices are read, from the next one on."""
    if asked.legacy is None and asked.threshold is None and asked.organisation is None:
        raise Unusable(["Say what is to be set: --legacy, --threshold or --organisation."])
    said = None if asked.organisation in (None, "none") else _organisation(Path(asked.organisation))
    with changing(asked) as connection:
        account = accounts.find(connection, asked.account, environment_of(asked))
        if asked.legacy is not None:
            account = accounts.set_tolerant(connection, account, tolerant=asked.legacy == "on")
        if asked.threshold is not None:
            account = accounts.set_threshold(connection, account, _number(asked.threshold))
        if asked.organisation is not None:
            account = accounts.set_organisation(connection, account, said)
    habits = "the habits of old stacks are tolerated" if account.tolerant else "only the schema counts"
    sure = "as usual" if account.threshold is None else f"{account.threshold} of 100"
    text = f"In messages of {account.name} ({account.environment}), {habits}; what is read must be sure: {sure}."
    text += " Papers are made." if account.prepares else " No papers are made."
    show(asked, _account_json(account), text)


def _number(threshold: int | str) -> int | None:
    return threshold if isinstance(threshold, int) else None


def _show_key(asked: argparse.Namespace, new: accounts.NewKey) -> None:
    """Show a key, once what made it is committed: nobody gets a key that does not work."""
    value = _account_json(new.account) | {"apiKey": new.api_key, "keyId": new.id}
    show(
        asked,
        value,
        f"Account {new.account.name} ({new.account.environment}, {new.account.time_zone.key})\n"
        f"apiUser  {new.api_user}\n"
        f"apiKey   {new.api_key}\n"
        f"This is key {new.id}. It is kept as a digest only and cannot be shown again.",
    )


def _account_list(asked: argparse.Namespace) -> None:
    """List the accounts."""
    with opened(asked) as house, store.reading(house.engine) as connection:
        found = accounts.accounts(connection)
    lines = [
        [
            account.name,
            account.environment,
            account.api_user,
            account.time_zone.key,
            "legacy" if account.tolerant else "",
        ]
        for account in found
    ]
    show(asked, [_account_json(account) for account in found], table(lines) or "There are no accounts.")


def _account_keys(asked: argparse.Namespace) -> None:
    """List the keys of an account."""
    with opened(asked) as house, store.reading(house.engine) as connection:
        found = accounts.keys(connection, accounts.find(connection, asked.account, environment_of(asked)))
    lines = [
        [str(key.id), key.label, f"made {_day(key.created_on)}", f"used {_day(key.last_used_on)}", _revoked(key)]
        for key in found
    ]
    show(asked, [_key_json(key) for key in found], table(lines) or "The account has no keys.")


def _account_revoke_key(asked: argparse.Namespace) -> None:
    """Revoke a key: it is refused from now on."""
    with changing(asked) as connection:
        account = accounts.find(connection, asked.account, environment_of(asked))
        key = accounts.revoke_key(connection, account, asked.key, now())
    show(asked, _key_json(key), f"Key {key.id} of {account.name} is revoked.")


def _account_json(account: accounts.Account) -> dict[str, Any]:
    return {
        "account": account.name,
        "environment": account.environment,
        "apiUser": account.api_user,
        "timeZone": account.time_zone.key,
        "legacy": account.tolerant,
        "threshold": account.threshold,
        "papers": account.prepares,
    }


def _key_json(key: accounts.Key) -> dict[str, Any]:
    moments = {"createdOn": key.created_on, "lastUsedOn": key.last_used_on, "revokedOn": key.revoked_on}
    return {"keyId": key.id, "label": key.label} | {
        name: moment and moment.isoformat(timespec="seconds").replace("+00:00", "Z") for name, moment in moments.items()
    }


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else "never"


def _revoked(key: accounts.Key) -> str:
    return f"revoked {_day(key.revoked_on)}" if key.revoked_on else ""


def _organisation(file: Path) -> str:
    from ..work import organisations  # and what a logo is tried with

    return organisations.from_file(file)
