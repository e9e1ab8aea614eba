"""The versions of the database: which one it is at, which one this program needs, and the way up.

A version is a file in `versions/` (Alembic), named by its number; a released one is never changed, and there is no way
down but the backup. Nobody needs an alembic.ini: all that an operator wants is in `paraphe init` and `paraphe upgrade`.
When store.py and the versions disagree, tests/test_migrations.py says what the next version has to do.

Alembic is loaded for an upgrade alone. A server only asks for the version, and would keep 10 MB of it for as long as
it runs.
"""

import re
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from .. import store

_LOCK = 0x7061_7261_7068_65  # "paraphe"; PostgreSQL's advisory locks have numbers for names


class WrongVersion(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The database does not fit this program; the text is a sentence that says what the operator can do."""


_FOLDER = Path(__file__).parent
_NAME = re.compile(r"v(\d{4})_\w+")


@cache
def _versions() -> list[str]:
    """Return the versions that this program knows, the first one first."""
    return sorted(found[1] for path in (_FOLDER / "versions").glob("*.py") if (found := _NAME.fullmatch(path.stem)))


def head() -> str:
    """Return the version that this program needs."""
    return _versions()[-1]


def current(engine: Engine) -> str | None:
    """Return the version that the database is at, or None if it is empty."""
    with store.reading(engine) as connection:
        return version_of(connection)


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the database to `head()`, all in one transaction; return the version before and after.

    Any number of processes may do this at once: one works, the others wait and find nothing to do. Raises
    WrongVersion if the database is newer than this program, or holds tables that are not ours.
    """
    with store.writing(engine) as connection:
        # SQLite lets one writer in at a time by itself.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        before = version_of(connection)
        _refuse_unknown(before)
        if before is None and (taken := set(inspect(connection).get_table_names()) & set(store.metadata.tables)):
            raise WrongVersion(
                f"The database holds tables of something else ({', '.join(sorted(taken))}): give an empty one."
            )
        if before != head():
            _work(connection)
        return before, head()


def _work(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def ensure_current(engine: Engine) -> None:
    """Raise WrongVersion unless the database is at the version that this program needs."""
    found = current(engine)
    if found is None:
        raise WrongVersion("The database is empty: run `paraphe init`.")
    _refuse_unknown(found)
    if found != head():
        raise WrongVersion(f"The database is at version {found}, this program needs {head()}: run `paraphe upgrade`.")


def version_of(connection: Connection) -> str | None:
    """Return the version of the database behind a connection, or None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _refuse_unknown(version: str | None) -> None:
    if version is not None and version not in _versions():
        raise WrongVersion(
            f"The database is at version {version}, which is newer than this program (it knows up to {head()}): "
            "install the newer program, or restore the backup taken before its upgrade."
        )
