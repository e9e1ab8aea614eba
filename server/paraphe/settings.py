"""What an operator can set: one table, read from the command line, the environment and one INI file.

The first of these that names a setting decides: command line, environment variable, INI file (`PARAPHE_CONFIG` or
`--config`, section `[paraphe]`), default. An empty value counts as not given, as compose files hand over variables
that are not set. The help texts, `docs/configuration.md` and the command line are all made from `OPTIONS`.
"""

import configparser
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PREFIX = "PARAPHE_"
SECTION = "paraphe"
# What the reference client and its users set.
_CLIENT = ("PARAPHE_URL", "PARAPHE_API_USER", "PARAPHE_API_KEY")


class Unusable(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The settings cannot be used: all that is wrong with them, a sentence each, without passwords."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the server takes connections: a host name or address (no brackets), and a port (0 for any free one)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as seen from this machine; that of a wildcard begins with http://localhost."""
        return f"http://{Listen('localhost', self.port) if self.everywhere else self}"

    @property
    def everywhere(self) -> bool:
        """Whether this is every address of the machine, so that no public address can be told from it."""
        return self.host in ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


class Networks(tuple[IPv4Network | IPv6Network, ...]):
    """Parts of the network, such as 127.0.0.1 and 10.0.0.0/8."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(map(str, self)) or "none"

    def hold(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether an address is in one of them."""
        return any(address in network for network in self)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force; `OPTIONS` says what each means. Make one by `read`."""

    listen: Listen
    database: str = field(repr=False)  # it may hold a password
    store: str
    public_url: str
    message_bytes: int
    expanded_bytes: int
    element_depth: int
    element_attributes: int
    message_attributes: int
    list_items: int
    text_length: int
    head_seconds: int
    pause_seconds: int
    least_speed: int
    threads: int
    requests_at_once: int
    failed_logins: int
    failed_logins_per_source: int
    failed_login_seconds: int
    trusted_proxies: Networks
    metrics_listen: Listen | None
    seal_level: str
    seal_passphrase: str | None = field(repr=False)
    seal_pin: str | None = field(repr=False)
    time_stamp_url: str | None
    time_stamp_user: str | None
    time_stamp_password: str | None = field(repr=False)
    link_days: int
    remember_days: int
    journal_days: int
    log_level: str

    def bound_to(self, port: int) -> "Settings":
        """Return these settings with the port that was really taken, in the public address too if it follows it."""
        listen = replace(self.listen, port=port)
        follows = self.public_url == self.listen.url
        return replace(self, listen=listen, public_url=listen.url if follows else self.public_url)


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `read` turns text into its value and raises ValueError for what `accepts` does not describe."""

    name: str
    default: str
    read: Callable[[str], Any]
    accepts: str
    help: str
    # What documentation says of the default where it is not a fixed text.
    default_words: str = ""
    # Not taken from the command line, which everybody on the machine may see, and never shown.
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """The option of the command line."""
        return "--" + self.name.replace("_", "-")


# What values may be ---------------------------------------------------------------------------------------------


def _listen(text: str) -> Listen:
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", text)
    if not found or int(found[3]) > 65535:
        raise ValueError(text)
    return Listen(found[1] or found[2], int(found[3]))


def _database(text: str) -> str:
    if re.fullmatch(r"sqlite:///[^?#]+", text) and ":memory:" not in text:
        return text
    parts = urlsplit(text)
    served = parts.scheme in ("postgresql", "postgresql+psycopg") and not parts.fragment
    if not served or len(parts.path) < 2 or (parts.port is not None and parts.port == 0):
        raise ValueError(text)
    return text


def _store(text: str) -> str:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", text)
    if scheme and not re.match(r"(s3://[^/?@]+([/?]|$)|file:///)", text):
        raise ValueError(text)
    return text


def _public_url(text: str) -> str:
    return _web_address(text).rstrip("/")


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if (
        not re.fullmatch(r"https?://[^\s?#@]+", text)
        or not parts.hostname
        or (parts.port is not None and parts.port == 0)
    ):
        raise ValueError(text)
    return text


_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def _size(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        found = re.fullmatch(r"([0-9]{1,12}) ?([A-Za-z]*)", text)
        if not found or found[2].upper() not in _UNITS:
            raise ValueError(text)
        return _between(int(found[1]) * _UNITS[found[2].upper()], least, most)

    return read


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError(text)
        return _between(int(text), least, most)

    return read


def _between(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(value)
    return value


def _networks(text: str) -> Networks:
    return Networks(ip_network(part, strict=False) for part in text.replace(",", " ").split())


def _one_of(*values: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in values:
            raise ValueError(text)
        return text.lower()

    return read


def _level(text: str) -> str:
    if text.upper() not in ("B-B", "B-T", "B-LT", "B-LTA"):
        raise ValueError(text)
    return text.upper()


# The table -------------------------------------------------------------------------------------------------------


def _limit(name: str, default: str, least: int, most: int, help: str, default_words: str = "") -> Option:
    accepts = f"a whole number from {least} to {most}"
    return Option(name, default, _number(least, most), accepts, help, default_words)


OPTIONS = (
    Option(
        "listen",
        "127.0.0.1:8080",
        _listen,
        "HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080; port 0 takes any free one",
        "Address and port on which the server takes HTTP connections. It speaks no TLS: leave it on this machine, "
        "behind a reverse proxy, or on a network that you trust.",
    ),
    Option(
        "database",
        "sqlite:///paraphe-data/paraphe.sqlite",
        _database,
        "sqlite:///FILE (sqlite:////FILE for an absolute path) or postgresql://USER:PASSWORD@HOST:PORT/NAME, special "
        "characters of a password percent-encoded (# is %23)",
        "Where everything but documents is kept. A relative file is looked for in the current folder. SQLite serves "
        "one machine; several servers that share the work need PostgreSQL.",
    ),
    Option(
        "store",
        "paraphe-data/store",
        _store,
        "a folder, file:///FOLDER, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME",
        "Where the bytes of documents and signatures are kept, named by their digest. The keys of a bucket come from "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Back it up together with the database.",
    ),
    Option(
        "public_url",
        "",
        _public_url,
        "an absolute http:// or https:// address without query",
        "What callers put before our paths, for example https://exchange.example.org. It stands in the WSDL and in the "
        "address of every document; a request's Host header is never looked at.",
        default_words="http:// and the value of `listen`",
    ),
    Option(
        "message_bytes",
        "300 MB",
        _size(100_000, 2_000_000_000),
        "a whole number of bytes, or of kB, MB, GB, KiB, MiB, GiB, from 100 kB to 2 GB",
        "Size of the largest message taken, in bytes on the wire. A longer one is refused with MESSAGE_TOO_LARGE. A "
        "message above 4 MB lies in the folder for temporary files while it arrives; when it is worked on it takes "
        "several times its size in memory.",
    ),
    Option(
        "expanded_bytes",
        "",
        _size(100_000, 2_000_000_000),
        "a whole number of bytes, or of kB, MB, GB, KiB, MiB, GiB, from 100 kB to 2 GB",
        "Size of the largest message taken that comes compressed, in bytes once it is expanded. A longer one is "
        "refused with MESSAGE_TOO_LARGE, and expanded no further than that.",
        default_words="the value of `message_bytes`",
    ),
    _limit(
        "element_depth",
        "256",
        10,
        256,
        "How many elements, or objects and lists of JSON, may lie one in the other. A message of the contract has 9 at "
        "most. Deeper ones are refused with MESSAGE_TOO_COMPLEX.",
    ),
    _limit(
        "element_attributes",
        "100",
        20,
        10_000,
        "How many attributes one element may have, and how many namespaces it may declare. More are refused with "
        "MESSAGE_TOO_COMPLEX.",
    ),
    _limit(
        "message_attributes",
        "1000000",
        1_000,
        100_000_000,
        "How many attributes all elements of a message may have together, and how many namespaces they may declare. "
        "Stacks that write the type of each element need one for each. More are refused with MESSAGE_TOO_COMPLEX.",
    ),
    _limit(
        "list_items",
        "200000",
        1_000,
        10_000_000,
        "How many items one list may have. More are refused with MESSAGE_TOO_COMPLEX.",
    ),
    _limit(
        "text_length",
        "1000000",
        10_000,
        100_000_000,
        "How many characters one text may have that is no file; the schema allows fewer in most places. More are "
        "refused with MESSAGE_TOO_COMPLEX. Files are limited by `message_bytes` alone.",
    ),
    _limit(
        "head_seconds",
        "20",
        1,
        600,
        "How many seconds a request's first line and headers may take to arrive. A slower sender is answered with "
        "TOO_SLOW and the connection is closed; one that sends nothing at all is not answered.",
    ),
    _limit(
        "pause_seconds",
        "30",
        1,
        600,
        "How many seconds a sender may send nothing in the middle of a message. After that it is answered with "
        "TOO_SLOW and the connection is closed.",
    ),
    _limit(
        "least_speed",
        "500",
        1,
        1_000_000,
        "How many bytes a second a message must bring on average, once `head_seconds` and `pause_seconds` are over. A "
        "slower sender is answered with TOO_SLOW and the connection is closed.",
    ),
    Option(
        "threads",
        "8",
        _number(1, 32),
        "a whole number from 1 to 32",
        "How many requests are worked on at once in this process; others wait. One that sends a document is occupied "
        "until the last byte is with the caller. Each may hold a connection to the database.",
    ),
    _limit(
        "requests_at_once",
        "",
        1,
        32,
        "How many requests of one account are worked on at once in this process, so that one account cannot take all "
        "threads. One more waits for a moment if the others are short, and is then refused with TOO_MANY_REQUESTS.",
        default_words="three quarters of `threads`",
    ),
    _limit(
        "failed_logins",
        "50",
        5,
        100_000,
        "How many wrong keys may come for one user from one address within `failed_login_seconds`; further ones are "
        "refused with TOO_MANY_REQUESTS, and leave no row in the journal. The right key is taken at any time.",
    ),
    _limit(
        "failed_logins_per_source",
        "500",
        5,
        100_000,
        "The same for all users together who call from one address (of IPv6: one /64 network).",
    ),
    _limit(
        "failed_login_seconds",
        "300",
        1,
        86_400,
        "How many seconds a wrong key is remembered, in memory only.",
    ),
    Option(
        "trusted_proxies",
        "",
        _networks,
        "addresses or networks, for example 127.0.0.1, 10.0.0.0/8",
        "The reverse proxies in front of this server. If a request comes from one, the last address in its header "
        "X-Forwarded-For that is none of them counts as the caller's; from anybody else that header is not looked at.",
        default_words="none",
    ),
    Option(
        "metrics_listen",
        "",
        _listen,
        "HOST:PORT, for example 127.0.0.1:9080",
        "Address and port of its own on which the server gives its metrics to Prometheus at /metrics, and /healthz and "
        "/readyz. Whoever reaches it may read it: leave it on this machine, or in a network for administration. "
        "Without it there are no metrics; health is also told at `listen`.",
        default_words="none",
    ),
    Option(
        "seal_level",
        "",
        _level,
        "B-B, B-T, B-LT or B-LTA",
        "How much the seals of documents shall prove, as far as the authority and the issuers of certificates let "
        "them; docs/seals.md says what each is. The level reached is told with each document.",
        default_words="B-T with `time_stamp_url`, else B-B",
    ),
    Option(
        "seal_passphrase",
        "",
        str,
        "any text",
        "Locks the keys of seals in the database; without it no account can be given a key that is kept there, and "
        "documents of those that have one are not signed. If it is lost, so are the keys. Not on the command line.",
        default_words="none",
        secret=True,
    ),
    Option(
        "seal_pin",
        "",
        str,
        "any text",
        "The PIN of the token or security module that holds keys of seals. Not on the command line.",
        default_words="none",
        secret=True,
    ),
    Option(
        "time_stamp_url",
        "",
        _web_address,
        "an absolute http:// or https:// address without query",
        "The authority that time stamps come from (RFC 3161 over HTTP). It has 3 seconds for each; if it fails, the "
        "document is sealed at a lower level, and the time stamp is caught up later.",
        default_words="none",
    ),
    Option(
        "time_stamp_user",
        "",
        str,
        "any text",
        "The user at that authority, if it asks for one.",
        default_words="none",
    ),
    Option(
        "time_stamp_password",
        "",
        str,
        "any text",
        "The password that goes with `time_stamp_user`. Not on the command line.",
        default_words="none",
        secret=True,
    ),
    Option(
        "link_days",
        "7",
        _number(1, 366),
        "a whole number of days from 1 to 366",
        "How many days the address of a document or signature works after it was given out. Addresses that are "
        "already out keep the lifetime they were given.",
    ),
    Option(
        "remember_days",
        "30",
        _number(1, 3660),
        "a whole number of days from 1 to 3660",
        "How many days the answer to a message with a messageId is kept, so that the same message sent again is "
        "answered again and stored once. After that it counts as new. Answers hold what was sent: names, references.",
    ),
    Option(
        "journal_days",
        "400",
        _number(1, 36600),
        "a whole number of days from 1 to 36600",
        "How many days the journal keeps its row about a message: who sent it, when, how large it was, and what became "
        "of it. It holds nothing of what the message said.",
    ),
    Option(
        "log_level",
        "info",
        _one_of("debug", "info", "warning", "error"),
        "debug, info, warning or error",
        "The least grave of the lines that go to standard error. With debug, failures are logged with their full text, "
        "which may hold personal data.",
    ),
)

# Reading ---------------------------------------------------------------------------------------------------------


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
