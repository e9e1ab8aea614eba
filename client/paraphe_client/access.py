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
    """The address or the credentials are missing, or the file that holds them cannot be read."""


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
    if not path.is_file():
        if config is not None:
            raise NoAccess(f"There is no file {path}.")
        return {}
    # No interpolation: a key may hold a percent sign.
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise NoAccess(f"The file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise NoAccess(f"The file {path} is not UTF-8.") from None
    except configparser.Error as error:
        # Its number only, and no chain: the line may hold the key, and the exception quotes it.
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", [])), [None])[0]
        place = f" (line {line})" if line else ""
        form = f"a line [{SECTION}], then url, user and key, each once, as name = value"
        raise NoAccess(f"The file {path} is not an INI file{place}: it has {form}.") from None
    return parser[SECTION] if parser.has_section(SECTION) else {}
