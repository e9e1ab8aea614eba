"""What papers say of an account's organisation: read from the operator's JSON, kept with the account."""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from ..accounts import Account, Impossible
from ..documents import papers
from ..documents.facts import Organisation, Person
from ..store import account as table

_TEXTS = {"name": "name", "siret": "siret", "activityNumber": "activity_number", "city": "city", "quality": "quality"}
_MOST_LOGO_BYTES = 500_000


def from_file(path: Path) -> str:
    """Read what an operator wrote into a JSON file; the logo is a file beside it. Raises Impossible, OSError."""
    try:
        said = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise Impossible(f"{path} is not JSON.") from error
    if not isinstance(said, dict) or not isinstance(said.get("name"), str) or not said["name"].strip():
        raise Impossible(f"{path} holds no object with the organisation's name.")
    if unknown := said.keys() - {*_TEXTS, "address", "representative", "logo"}:
        raise Impossible(f"{path} holds {', '.join(sorted(unknown))}, which means nothing here.")
    if isinstance(logo := said.get("logo"), str) and logo:
        said["logo"] = b64encode(_logo(path, logo)).decode()
    try:
        _organisation(said)
    except (TypeError, AttributeError, NotBase64) as error:
        raise Impossible(f"{path}: texts, address as a list of lines, representative as an object.") from error
    return json.dumps(said, ensure_ascii=False)


def _logo(beside: Path, name: str) -> bytes:
    """Read a logo, and make sure that it can be printed."""
    if name != Path(name).name:
        raise Impossible(f"The logo {name} is no name of a file beside {beside}.")
    content = beside.with_name(name).read_bytes()
    if len(content) > _MOST_LOGO_BYTES:
        raise Impossible(f"The logo {name} has more than {_MOST_LOGO_BYTES} bytes.")
    try:
        papers.ensure_logo(content)
    except ValueError as error:
        raise Impossible(f"{name}: {error}") from error
    return content


def of_account(connection: Connection, account: Account) -> Organisation | None:
    """Return what papers are to say of an account's organisation; None if that was never said."""
    kept = connection.scalar(select(table.c.organisation).where(table.c.id == account.id))
    return None if kept is None else _organisation(json.loads(kept))


def _organisation(said: Mapping[str, Any]) -> Organisation:
    texts = {ours: _text(said.get(theirs, "")) for theirs, ours in _TEXTS.items()}
    return Organisation(
        **texts,
        address=tuple(_text(line) for line in said.get("address", ())),
        representative=_person(said["representative"]) if said.get("representative") else None,
        logo=b64decode(said["logo"], validate=True) if said.get("logo") else None,
    )


def _person(said: Mapping[str, Any]) -> Person:
    last_name, first_name, civility = (_text(said.get(name, "")) for name in ("lastName", "firstName", "civility"))
    return Person("", last_name, first_name, civility)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value.strip()
