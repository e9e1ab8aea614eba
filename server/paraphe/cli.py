"""The command `paraphe`: set up, serve, administer.

Results go to standard output, as text or with --json as one JSON value. What goes wrong goes to standard error, one
sentence a line: exit code 2 if the command or the settings are wrong, 1 if it could not be done.
"""

import argparse
import re
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from . import __version__, accounts, backup, migrations, store
from .archive import Unavailable
from .commands import account, contents, copies, installation, jobs, record, serving
from .commands.line import Commands, complain
from .errors import Refused
from .serve import CannotListen
from .settings import Unusable

_FAILURES = (
    accounts.Impossible,
    backup.NoBackup,
    migrations.WrongVersion,
    store.CannotCopy,
    Unavailable,
    CannotListen,
    Refused,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        asked.run(asked)
    except Unusable as unusable:
        complain(*unusable.problems)
        return 2
    except _FAILURES as failure:
        complain(str(failure))
    except (store.Busy, SQLAlchemyError) as failure:
        complain(f"The database cannot be used: {_reason(failure)}")
    except OSError as failure:
        complain(f"{failure.filename or 'The machine'}: {failure.strerror or failure}.")
    except KeyboardInterrupt:
        return 130
    else:
        return 0
    return 1


def _reason(failure: BaseException) -> str:
    """Say in one line what the database's driver says."""
    if isinstance(failure, store.Busy) and failure.__cause__:
        failure = failure.__cause__
    said = str(failure.orig) if isinstance(failure, DBAPIError) else str(failure)
    return re.sub(r"\s+", " ", said).strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="paraphe", description="Exchange server for training centres.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"Paraphe {__version__}")
    commands = Commands(parser)
    for group in (installation, serving, jobs, copies, account, record, contents):
        group.add_to(commands)
    return parser
