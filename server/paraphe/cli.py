"""The command `paraphe`: set up, serve, administer.

Results go to standard output, as text or with --json as one JSON value. What goes wrong goes to standard error, one
sentence a line: exit code 2 if the command or the settings are wrong, 1 if it could not be done.
"""

import argparse
from collections.abc import Sequence

from . import __version__
from .commands import account, contents, copies, installation, jobs, record, serving
from .commands.failures import attempt
from .commands.line import Commands, complain


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = _parser().parse_args(arguments)
    code, sentences = attempt(lambda: asked.run(asked))
    complain(*sentences)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="paraphe", description="Exchange server for training centres.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"Paraphe {__version__}")
    commands = Commands(parser)
    for group in (installation, serving, jobs, copies, account, record, contents):
        group.add_to(commands)
    return parser
