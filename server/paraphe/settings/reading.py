"""Where settings are found, and what is wrong with them."""

import configparser
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .table import OPTIONS, PREFIX, SECTION, Option, Settings
from .values import Networks

# What the reference client and its users set.
_CLIENT = ("PARAPHE_URL", "PARAPHE_API_USER", "PARAPHE_API_KEY")


class Unusable(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The settings cannot be used: all that is wrong with them, a sentence each, without passwords."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


class Given(NamedTuple):
    """The text of one setting, and where it was given ("PARAPHE_LISTEN", "listen in FILE", "--listen", "default")."""

    text: str
    where: str


def read(arguments: Mapping[str, str | None] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force, or raise Unusable with all that is wrong.

    `arguments` holds what the command line said, by the names of `OPTIONS` and `config`; `environment` is os.environ
    or what stands for it.
    """
    given, problems = gather(arguments or {}, environment or {})
    values: dict[str, Any] = {}
    for option in OPTIONS:
        text, where = given[option.name]
        try:
            values[option.name] = option.read(text) if text else None
        except ValueError:
            problems.append(f"{where} is {redacted(text)!r}; accepted is {option.accepts}.")
    if values.get("seal_level") not in (None, "B-B") and not values.get("time_stamp_url"):
        problems.append("seal_level asks for a time stamp, and time_stamp_url does not say from where.")
    if problems:
        raise Unusable(problems)
    values["public_url"] = values["public_url"] or values["listen"].url
    values["expanded_bytes"] = values["expanded_bytes"] or values["message_bytes"]
    values["requests_at_once"] = values["requests_at_once"] or max(1, values["threads"] * 3 // 4)
    values["seal_level"] = values["seal_level"] or ("B-T" if values["time_stamp_url"] else "B-B")
    values["trusted_proxies"] = values["trusted_proxies"] or Networks()
    return Settings(**values)


def gather(arguments: Mapping[str, str | None], environment: Mapping[str, str]) -> tuple[dict[str, Given], list[str]]:
    """Return for each setting what decides it, and what is wrong with the INI file."""
    path = arguments.get("config") or environment.get(f"{PREFIX}CONFIG")
    in_file, problems = _in_file(Path(path)) if path else ({}, [])
    given = {}
    for option in OPTIONS:
        candidates = (
            (arguments.get(option.name), option.flag),
            (environment.get(option.variable), option.variable),
            (in_file.get(option.name), f"{option.name} in {path}"),
            (option.default, "default"),
        )
        found = next((Given(text.strip(), where) for text, where in candidates if text and text.strip()), None)
        given[option.name] = found or Given("", "default")
    return given, problems


def _in_file(path: Path) -> tuple[Mapping[str, str], list[str]]:
    # No interpolation: a percent sign in a password is a percent sign. No section lends values to others.
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    try:
        parser.read_string(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        return {}, [f"The configuration file {path} cannot be read: {error.strerror}."]
    except UnicodeDecodeError:
        return {}, [f"The configuration file {path} is not UTF-8."]
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", [])), [None])[0]
        place = f" (line {line})" if line else ""
        form = f"one section [{SECTION}], each name once, name = value"
        return {}, [f"The configuration file {path} is not an INI file{place}: it has {form}."]
    known = {option.name for option in OPTIONS}
    problems = [
        f"The section [{name}] in {path} means nothing here; settings stand in [{SECTION}]."
        for name in parser.sections()
        if name != SECTION
    ]
    values = dict(parser[SECTION]) if parser.has_section(SECTION) else {}
    problems += [
        f"{name} in {path} is no setting; there are {', '.join(sorted(known))}." for name in values if name not in known
    ]
    return values, problems


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like settings and are none: worth a warning, as they may be misspelt.

    No more than a warning, as Kubernetes sets PARAPHE_PORT and others by itself beside a service of our name.
    """
    known = {f"{PREFIX}CONFIG", *_CLIENT, *(option.variable for option in OPTIONS)}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def redacted(text: str) -> str:
    """Return the text without the password of a URL that stands in it."""
    text = re.sub(r"(?s)(://[^:/?#@\s]*):.*@", r"\1:***@", text)
    return re.sub(r"([?&]password=)[^&\s]*", r"\1***", text)


def reference() -> str:
    """Return the part of `docs/configuration.md` that explains each setting, as Markdown."""
    return "\n".join(
        f"### `{option.name}`\n\n"
        f"{_given_by(option)} · default: {option.default_words or f'`{option.default}`'}\n\n"
        f"{option.help}\n\n"
        f"Accepted: {option.accepts}.\n"
        for option in OPTIONS
    )


def _given_by(option: Option) -> str:
    return f"`{option.variable}`" if option.secret else f"`{option.variable}` · `{option.flag}`"
