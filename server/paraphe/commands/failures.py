"""What goes wrong in a command, in sentences for the operator."""

import re
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from .. import accounts, backup, migrations, store
from ..archive import Unavailable
from ..errors import Refused
from ..serve import CannotListen, CannotServe
from ..settings import Unusable

_FAILURES = (
    accounts.Impossible,
    backup.NoBackup,
    migrations.WrongVersion,
    store.CannotCopy,
    Unavailable,
    CannotListen,
    CannotServe,
    Refused,
)


def attempt(run: Callable[[], None]) -> tuple[int, list[str]]:
    """Run something and return its exit code, with what went wrong: 2 if settings are, 1 if it cannot be done."""
    try:
        run()
    except Unusable as unusable:
        return 2, list(unusable.problems)
    except _FAILURES as failure:
        return 1, [str(failure)]
    except (store.Busy, SQLAlchemyError) as failure:
        return 1, [f"The database cannot be used: {_reason(failure)}"]
    except OSError as failure:
        return 1, [f"{failure.filename or 'The machine'}: {failure.strerror or failure}."]
    except KeyboardInterrupt:
        return 130, []
    return 0, []


def _reason(failure: BaseException) -> str:
    """Say in one line what the database's driver says."""
    if isinstance(failure, store.Busy) and failure.__cause__:
        failure = failure.__cause__
    said = str(failure.orig) if isinstance(failure, DBAPIError) else str(failure)
    return re.sub(r"\s+", " ", said).strip()
