"""The one table of settings: what each means, and what it is without being set."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .values import (
    Listen,
    Networks,
    number,
    one_of,
    read_database,
    read_folder,
    read_listen,
    read_networks,
    read_public_url,
    read_seal_level,
    read_store,
    read_web_address,
    size,
)

PREFIX = "PARAPHE_"
SECTION = "paraphe"


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
    message_elements: int
    list_items: int
    text_length: int
    head_seconds: int
    pause_seconds: int
    least_speed: int
    processes: int
    threads: int
    job_threads: int
    requests_at_once: int
    failed_logins: int
    failed_logins_per_source: int
    failed_login_seconds: int
    trusted_proxies: Networks
    metrics_listen: Listen | None
    templates: Path | None
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


def _limit(name: str, default: str, least: int, most: int, help: str, default_words: str = "") -> Option:
    accepts = f"a whole number from {least} to {most}"
    return Option(name, default, number(least, most), accepts, help, default_words)


OPTIONS = (
    Option(
        "listen",
        "127.0.0.1:8080",
        read_listen,
        "HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080; port 0 takes any free one",
        "Address and port on which the server takes HTTP connections. It speaks no TLS: leave it on this machine, "
        "behind a reverse proxy, or on a network that you trust.",
    ),
    Option(
        "database",
        "sqlite:///paraphe-data/paraphe.sqlite",
        read_database,
        "sqlite:///FILE (sqlite:////FILE for an absolute path) or postgresql://USER:PASSWORD@HOST:PORT/NAME, special "
        "characters of a password percent-encoded (# is %23)",
        "Where everything but documents is kept. A relative file is looked for in the current folder. SQLite serves "
        "one machine; several servers that share the work need PostgreSQL.",
    ),
    Option(
        "store",
        "paraphe-data/store",
        read_store,
        "a folder, file:///FOLDER, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME",
        "Where the bytes of documents and signatures are kept, named by their digest. The keys of a bucket come from "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Back it up together with the database.",
    ),
    Option(
        "public_url",
        "",
        read_public_url,
        "an absolute http:// or https:// address without query",
        "What callers put before our paths, for example https://exchange.example.org. It stands in the WSDL and in the "
        "address of every document; a request's Host header is never looked at.",
        default_words="http:// and the value of `listen`",
    ),
    Option(
        "message_bytes",
        "300 MB",
        size(100_000, 2_000_000_000),
        "a whole number of bytes, or of kB, MB, GB, KiB, MiB, GiB, from 100 kB to 2 GB",
        "Size of the largest message taken, in bytes on the wire. A longer one is refused with MESSAGE_TOO_LARGE. A "
        "message above 4 MB lies in the folder for temporary files (TMPDIR) while it arrives, and its files go from "
        "there into the store: keep that folder on a disk, not in memory. Only a JSON message is read in memory, with "
        "twice its size.",
    ),
    Option(
        "expanded_bytes",
        "",
        size(100_000, 2_000_000_000),
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
        "message_elements",
        "2000000",
        10_000,
        100_000_000,
        "How many elements and attributes of a message (of JSON: commas, { and [) may be in memory at once; each takes "
        "some 150 bytes. The items of a long list in XML are not among them, as they are stored while they arrive. "
        "More are refused with MESSAGE_TOO_COMPLEX.",
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
    _limit(
        "processes",
        "1",
        1,
        64,
        "How many processes serve, all at the same address; one works on one core. With two or more, SIGHUP loads "
        "settings and program anew while they serve, and one that dies is replaced. Needs Linux.",
    ),
    Option(
        "threads",
        "8",
        number(1, 32),
        "a whole number from 1 to 32",
        "How many requests are worked on at once in one process; others wait. One that sends a document is occupied "
        "until the last byte is with the caller. Each may hold a connection to the database.",
    ),
    Option(
        "job_threads",
        "2",
        number(0, 16),
        "a whole number from 0 to 16",
        "How many jobs of the queue are worked on at once in this process: what takes longer than a caller should wait "
        "for. With 0 none are, and `paraphe worker` has to run, here or on another machine.",
    ),
    _limit(
        "requests_at_once",
        "",
        1,
        32,
        "How many requests of one account are worked on at once in one process, so that one account cannot take all "
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
        "How many seconds a wrong key is remembered, in memory only. Each process counts its part of the two numbers "
        "before: with two processes half of them.",
    ),
    Option(
        "trusted_proxies",
        "",
        read_networks,
        "addresses or networks, for example 127.0.0.1, 10.0.0.0/8",
        "The reverse proxies in front of this server. If a request comes from one, the last address in its header "
        "X-Forwarded-For that is none of them counts as the caller's; from anybody else that header is not looked at.",
        default_words="none",
    ),
    Option(
        "metrics_listen",
        "",
        read_listen,
        "HOST:PORT, for example 127.0.0.1:9080",
        "Address and port of its own on which the server gives its metrics to Prometheus at /metrics, and /healthz and "
        "/readyz. Whoever reaches it may read it: leave it on this machine, or in a network for administration. "
        "Without it there are no metrics; health is also told at `listen`.",
        default_words="none",
    ),
    Option(
        "templates",
        "",
        read_folder,
        "a folder that is there",
        "The folder of your own templates and words of papers (docs/papers.md): a file in it stands in for ours of the "
        "same name. What is wrong in it is told at the start, with file and line.",
        default_words="none",
    ),
    Option(
        "seal_level",
        "",
        read_seal_level,
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
        read_web_address,
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
        number(1, 366),
        "a whole number of days from 1 to 366",
        "How many days the address of a document or signature works after it was given out. Addresses that are "
        "already out keep the lifetime they were given.",
    ),
    Option(
        "remember_days",
        "30",
        number(1, 3660),
        "a whole number of days from 1 to 3660",
        "How many days the answer to a message with a messageId is kept, so that the same message sent again is "
        "answered again and stored once. After that it counts as new. Answers hold what was sent: names, references.",
    ),
    Option(
        "journal_days",
        "400",
        number(1, 36600),
        "a whole number of days from 1 to 36600",
        "How many days the journal keeps its row about a message: who sent it, when, how large it was, and what became "
        "of it. It holds nothing of what the message said.",
    ),
    Option(
        "log_level",
        "info",
        one_of("debug", "info", "warning", "error"),
        "debug, info, warning or error",
        "The least grave of the lines that go to standard error. With debug, failures are logged with their full text, "
        "which may hold personal data.",
    ),
)
