"""Where the address and the credentials of the command come from: its options, the environment, an INI file."""

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CONFIG = Path("~/.config/paraphe-client.ini")
SECTION = "exchange"
_VARIABLES = {"url": "PARAPHE_URL", "user": "PARAPHE_API_USER", "key": "PARAPHE_API_KEY"}


class NoAccess(ValueError):  # noqa: N818 - the house names exceptions by what is the case
    """The address or the credentials are missing."""


@dataclass(frozen=True)
class Access:
    """Where to, and as whom. The key is in no representation."""

    url: str
    user: str
    key: str = field(repr=False)


def find_access(options: Mapping[str, str | None], config: Path | None = None) -> Access:
    """Return the address, user and key: each from `options`, else the environment, else the file. Raises NoAccess."""
    stored = _stored(config)
    values = {
        name: options.get(name) or os.environ.get(variable) or stored.get(name) for name, variable in _VARIABLES.items()
    }
    for name, value in values.items():
        if not value:
            raise NoAccess(
                f"The {name} is missing: give --{name}, set {_VARIABLES[name]}, or see [{SECTION}] of {CONFIG}."
            )
    return Access(**{name: str(value) for name, value in values.items()})


def _stored(config: Path | None) -> Mapping[str, str]:
    path = (config or CONFIG).expanduser()
    if config is not None and not path.is_file():
        raise NoAccess(f"There is no file {path}.")
    # No interpolation: a key may hold a percent sign.
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    return parser[SECTION] if parser.has_section(SECTION) else {}
