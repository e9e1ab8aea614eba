"""What all commands share on the command line: their options, and how they show results."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .. import accounts
from ..settings import OPTIONS, redacted


class Commands:
    """Adds commands to a parser: what a command does is the first line of its function's documentation."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(
        self, name: str, run: Callable[[argparse.Namespace], None], *options: str, as_json: bool = True
    ) -> argparse.ArgumentParser:
        """Add a command that knows some settings as options, and --config if it knows any."""
        help_line = (run.__doc__ or "").strip()
        parser = self._commands.add_parser(name, help=help_line, description=help_line, allow_abbrev=False)
        parser.set_defaults(run=run)
        if as_json:
            parser.add_argument("--json", action="store_true", help="write the result as JSON")
        if options:
            _add_settings(parser, options)
        return parser

    def group(self, name: str, help_line: str) -> "Commands":
        """Add a word that is followed by a command of its own."""
        return Commands(self._commands.add_parser(name, help=help_line, description=help_line, allow_abbrev=False))


def _add_settings(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    group = parser.add_argument_group(
        "settings", "Each is also an environment variable (PARAPHE_…) and a line in the configuration file."
    )
    group.add_argument("--config", metavar="FILE", help="INI file with a section [paraphe] (PARAPHE_CONFIG)")
    for option in OPTIONS:
        if option.name in names and not option.secret:
            text = f"{option.help} Default: {option.default_words or option.default}. Accepted: {option.accepts}."
            group.add_argument(option.flag, dest=option.name, metavar=option.name.upper(), help=text.replace("%", "%%"))


def add_environment(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add --environment to a command, which names an account."""
    parser.add_argument(
        "--environment",
        required=required,
        choices=[name.lower() for name in accounts.ENVIRONMENTS],
        help="which of the two an account is for"
        if required
        else "which account, if there is one of this name in each",
    )


def environment_of(asked: argparse.Namespace) -> str | None:
    """Return the environment that was asked for, as accounts have it."""
    return asked.environment.upper() if asked.environment else None


def show(asked: argparse.Namespace, value: Any, text: str) -> None:
    """Write a result: as JSON if that was asked for, else as text."""
    print(json.dumps(value, ensure_ascii=False, indent=2) if asked.json else text)


def table(rows: Any) -> str:
    """Write rows of texts in columns."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def complain(*sentences: str) -> None:
    """Tell the operator what is wrong, a sentence a line."""
    for sentence in sentences:
        print(f"paraphe: {redacted(sentence)}", file=sys.stderr)
