"""What a setting may be: its text turned into a value, or ValueError."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit


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


def read_listen(text: str) -> Listen:
    """Read HOST:PORT."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", text)
    if not found or int(found[3]) > 65535:
        raise ValueError(text)
    return Listen(found[1] or found[2], int(found[3]))


def read_database(text: str) -> str:
    """Read the URL of a database: a file of SQLite, or PostgreSQL."""
    if re.fullmatch(r"sqlite:///[^?#]+", text) and ":memory:" not in text:
        return text
    parts = urlsplit(text)
    served = parts.scheme in ("postgresql", "postgresql+psycopg") and not parts.fragment
    if not served or len(parts.path) < 2 or (parts.port is not None and parts.port == 0):
        raise ValueError(text)
    return text


def read_store(text: str) -> str:
    """Read the place of documents: a folder or a bucket."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", text)
    if scheme and not re.match(r"(s3://[^/?@]+([/?]|$)|file:///)", text):
        raise ValueError(text)
    return text


def read_folder(text: str) -> Path:
    """Read the name of a folder, which must be there."""
    folder = Path(text).absolute()
    if not folder.is_dir():
        raise ValueError(text)
    return folder


def read_public_url(text: str) -> str:
    """Read the address that callers know, without a slash at its end."""
    return read_web_address(text).rstrip("/")


def read_web_address(text: str) -> str:
    """Read an absolute HTTP address without query."""
    parts = urlsplit(text)
    if (
        not re.fullmatch(r"https?://[^\s?#@]+", text)
        or not parts.hostname
        or (parts.port is not None and parts.port == 0)
    ):
        raise ValueError(text)
    return text


def read_seal_level(text: str) -> str:
    """Read the name of a level of seals, in any case of letters."""
    if text.upper() not in ("B-B", "B-T", "B-LT", "B-LTA"):
        raise ValueError(text)
    return text.upper()


_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def size(least: int, most: int) -> Callable[[str], int]:
    """Make the reader of a number of bytes, which may have a unit."""

    def read(text: str) -> int:
        found = re.fullmatch(r"([0-9]{1,12}) ?([A-Za-z]*)", text)
        if not found or found[2].upper() not in _UNITS:
            raise ValueError(text)
        return _between(int(found[1]) * _UNITS[found[2].upper()], least, most)

    return read


def number(least: int, most: int) -> Callable[[str], int]:
    """Make the reader of a whole number."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError(text)
        return _between(int(text), least, most)

    return read


def _between(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(value)
    return value


def read_networks(text: str) -> Networks:
    """Read addresses and networks with commas or spaces between them."""
    return Networks(ip_network(part, strict=False) for part in text.replace(",", " ").split())


def one_of(*values: str) -> Callable[[str], str]:
    """Make the reader of one of some words, in any case of letters."""

    def read(text: str) -> str:
        if text.lower() not in values:
            raise ValueError(text)
        return text.lower()

    return read
