"""Who calls: accounts, their keys, and whether a key is right.

An *account* is one training organisation in one environment; its name may stand once in each environment. A *key* is
256 random bits, shown once and kept as a keyed digest only. An account may have several, so that they can be replaced
without a break. The *user* is a name for the account that may be written down anywhere, and tells nothing about it.
"""

import hmac
import secrets
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, Engine, Table, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from . import store

ENVIRONMENTS = ("PRODUCTION", "SANDBOX")
_DAY = timedelta(days=1)

_ACCOUNT = (
    store.account.c.id,
    store.account.c.name,
    store.account.c.api_user,
    store.account.c.environment,
    store.account.c.time_zone,
    store.account.c.tolerant,
    store.account.c.threshold,
    store.account.c.organisation.is_not(None).label("prepares"),
)
_BY_DIGEST = (
    select(*_ACCOUNT, store.key.c.id.label("key_id"), store.key.c.last_used_on)
    .join_from(store.key, store.account)
    .where(store.key.c.digest == bindparam("digest"), store.key.c.revoked_on.is_(None))
)
_USED = (
    update(store.key)
    .where(
        store.key.c.id == bindparam("key"),
        or_(store.key.c.last_used_on.is_(None), store.key.c.last_used_on <= bindparam("a_day_ago")),
    )
    .values(last_used_on=bindparam("now"))
)
# A user that nobody has, as long as those that exist.
_NOBODY = "pa_" + "0" * 16


class Impossible(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """What the operator asks for cannot be done; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Account:
    """One training organisation in one environment ("PRODUCTION" or "SANDBOX").

    `tolerant`: its messages may have the habits of old stacks (see xml/tolerance.py). `threshold`: how sure a value
    read from an invoice must be, 0 to 100, to be taken without a person; None for the usual. `prepares`: the papers of
    its records are made, because it is known what they are to say of the organisation.
    """

    id: int
    name: str
    api_user: str
    environment: str
    time_zone: ZoneInfo
    tolerant: bool = False
    threshold: int | None = None
    prepares: bool = False

    @property
    def is_sandbox(self) -> bool:
        """Whether it is for trying out: what is made of it must not be taken for real."""
        return self.environment == "SANDBOX"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: the only moment at which it can be read."""

    account: Account
    id: int
    api_key: str = field(repr=False)

    @property
    def api_user(self) -> str:
        """The user that goes with the key."""
        return self.account.api_user


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key afterwards. `last_used_on` is exact to a day."""

    id: int
    label: str
    created_on: datetime
    last_used_on: datetime | None
    revoked_on: datetime | None


def server_secret(connection: Connection) -> bytes:
    """Return the 32 secret bytes of this installation, which keys and addresses are checked with."""
    value = connection.scalar(select(store.secret.c.value).where(store.secret.c.name == "server"))
    if value is None:
        raise Impossible("The database holds no secret: run `paraphe init`, or restore it whole.")
    return bytes(value)


# Administration ----------------------------------------------------------------------------------------------------


def create(connection: Connection, name: str, environment: str, time_zone: str, now: datetime) -> NewKey:
    """Make an account and its first key. Raises Impossible if the name is taken or a value is none."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise Impossible("The name of an account has 1 to 100 printable characters.")
    if environment not in ENVIRONMENTS:
        raise Impossible(f"The environment of an account is one of {', '.join(ENVIRONMENTS)}.")
    api_user = "pa_" + b32encode(secrets.token_bytes(10)).decode().lower()
    values = {
        "name": name,
        "api_user": api_user,
        "environment": environment,
        "time_zone": _zone(time_zone).key,
        "created_on": now,
    }
    try:
        number = _insert(connection, store.account, values)
    except IntegrityError as error:
        raise Impossible(f"There is an account {name} in {environment} already.") from error
    account = Account(number, name, api_user, environment, _zone(time_zone))
    return add_key(connection, account, "first", now)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Impossible(f"{name!r} is no time zone; one is Europe/Paris, another Indian/Reunion.") from error


def accounts(connection: Connection) -> list[Account]:
    """Return all accounts by name."""
    rows = connection.execute(select(*_ACCOUNT).order_by(store.account.c.name, store.account.c.environment))
    return [_account(row) for row in rows]


def find(connection: Connection, name_or_user: str, environment: str | None = None) -> Account:
    """Return the account of this name or user. Raises Impossible if there is none, or one in each environment."""
    chosen = select(*_ACCOUNT).where(
        or_(store.account.c.name == name_or_user, store.account.c.api_user == name_or_user)
    )
    if environment is not None:
        chosen = chosen.where(store.account.c.environment == environment)
    found = [_account(row) for row in connection.execute(chosen)]
    if not found:
        raise Impossible(f"There is no account {name_or_user}.")
    if len(found) > 1:
        raise Impossible(f"There is an account {name_or_user} in each environment: say which one, or give its apiUser.")
    return found[0]


def numbered(connection: Connection, account_id: int) -> Account:
    """Return the account of a row that refers to it."""
    return _account(connection.execute(select(*_ACCOUNT).where(store.account.c.id == account_id)).one())


def set_threshold(connection: Connection, account: Account, threshold: int | None) -> Account:
    """Say how sure a value read from an invoice must be; holds from the next invoice on. Raises Impossible."""
    if threshold is not None and not 0 <= threshold <= 100:
        raise Impossible("The threshold of an account is a whole number from 0 to 100.")
    connection.execute(update(store.account).where(store.account.c.id == account.id).values(threshold=threshold))
    return replace(account, threshold=threshold)


def set_organisation(connection: Connection, account: Account, organisation: str | None) -> Account:
    """Say what papers say of the account's organisation, as JSON; None: no papers are made any more."""
    mine = store.account.c.id == account.id
    connection.execute(update(store.account).where(mine).values(organisation=organisation))
    return replace(account, prepares=organisation is not None)


def set_tolerant(connection: Connection, account: Account, *, tolerant: bool) -> Account:
    """Say whether the account's messages may have the habits of old stacks; holds from the next message on."""
    connection.execute(update(store.account).where(store.account.c.id == account.id).values(tolerant=tolerant))
    return replace(account, tolerant=tolerant)


def add_key(connection: Connection, account: Account, label: str, now: datetime) -> NewKey:
    """Give the account one more key. `label` (at most 100 characters) is for the operator to know it by."""
    if len(label) > 100 or not label.isprintable():
        raise Impossible("The label of a key has at most 100 printable characters.")
    api_key = secrets.token_hex(32)
    values = {
        "account_id": account.id,
        "digest": _digest(server_secret(connection), api_key),
        "label": label,
        "created_on": now,
    }
    return NewKey(account, _insert(connection, store.key, values), api_key)


def _insert(connection: Connection, table: Table, values: dict[str, Any]) -> int:
    return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


def keys(connection: Connection, account: Account) -> list[Key]:
    """Return the keys of an account, the revoked ones too, the oldest first."""
    table = store.key.c
    columns = (table.id, table.label, table.created_on, table.last_used_on, table.revoked_on)
    rows = connection.execute(select(*columns).where(table.account_id == account.id).order_by(table.id))
    return [Key(*row) for row in rows]


def revoke_key(connection: Connection, account: Account, key_id: int, now: datetime) -> Key:
    """Refuse a key from the commit on; one that is revoked keeps its date. Raises Impossible if it is not theirs."""
    table = store.key.c
    connection.execute(
        update(store.key)
        .where(table.account_id == account.id, table.id == key_id, table.revoked_on.is_(None))
        .values(revoked_on=now)
    )
    for key in keys(connection, account):
        if key.id == key_id:
            return key
    raise Impossible(f"The account {account.name} has no key {key_id}.")


# Recognition -------------------------------------------------------------------------------------------------------


def _now() -> datetime:
    return datetime.now(UTC)


class Gate:
    """Tells whose key it is. One indexed query a call, no cache: a revoked key is refused from the next call on.

    A key is looked for by its keyed digest alone. So a wrong key costs the same whatever user comes with it, the
    time of the search says nothing about keys that exist, and the user is compared in constant time afterwards.
    Raises store.Busy when the database does not answer.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = _now, later: store.Later | None = None) -> None:
        """Open the gate of a database; `later` is what writes down the uses of keys."""
        with store.reading(engine) as connection:
            self._secret = server_secret(connection)
        self._by_digest = store.Lookup(engine, _BY_DIGEST)
        self._clock = clock
        self._later = later or store.Later(engine)

    def recognise(self, api_user: str, api_key: str) -> Account | None:
        """Return the account if the key is one of its keys and not revoked; else None, without a reason."""
        row = self._find(api_key)
        known = row.api_user if row else _NOBODY
        if not hmac.compare_digest(_bytes(known), _bytes(api_user)) or row is None:
            return None
        return self._admitted(row)

    def recognise_key(self, api_key: str) -> Account | None:
        """Do the same for callers that send the key alone."""
        row = self._find(api_key)
        return None if row is None else self._admitted(row)

    def _find(self, api_key: str) -> Any:
        return self._by_digest.first(digest=_digest(self._secret, api_key))

    def _admitted(self, row: Any) -> Account:
        now = self._clock()
        if row.last_used_on is None or now - row.last_used_on >= _DAY:
            # Written down at most once a day; no caller waits for it.
            self._later.owe(_USED, {"key": row.key_id, "now": now, "a_day_ago": now - _DAY})
        return _account(row)


def _account(row: Any) -> Account:
    return Account(
        row.id,
        row.name,
        row.api_user,
        row.environment,
        ZoneInfo(row.time_zone),
        row.tolerant,
        row.threshold,
        bool(row.prepares),
    )


def _digest(secret: bytes, api_key: str) -> bytes:
    return blake2b(_bytes(api_key), key=secret, digest_size=32, person=b"paraphe key").digest()


def _bytes(text: str) -> bytes:
    # Whatever a caller sends is only compared: half a surrogate pair is wrong, and no failure.
    return text.encode("utf-8", "surrogatepass")
