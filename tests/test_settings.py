"""settings/: where a setting comes from, what it may be, and that it is explained."""

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from paraphe import settings
from paraphe.settings import OPTIONS, Listen, Settings, Unusable

DOCUMENTATION = Path(__file__).parent.parent / "docs" / "configuration.md"


@pytest.fixture
def ini(tmp_path):
    """Give `ini(text)`: the path of an INI file."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "paraphe.ini"
        path.write_text(text, encoding=encoding)
        return str(path)

    return write


def problems(*arguments):
    with pytest.raises(Unusable) as refused:
        settings.read(*arguments)
    return refused.value.problems


# Where a setting comes from ----------------------------------------------------------------------------------------


def test_nothing_needs_to_be_set():
    read = settings.read()
    assert (str(read.listen), read.public_url) == ("127.0.0.1:8080", "http://127.0.0.1:8080")
    assert (read.message_bytes, read.threads, read.link_days) == (300_000_000, 8, 7)
    assert (read.remember_days, read.journal_days) == (30, 400)
    assert read.log_level == "info"


def test_the_command_line_goes_before_the_environment_before_the_file_before_the_default(ini):
    config = ini("[paraphe]\nthreads = 2\nlink_days = 2\nlog_level = error\n")
    environment = {"PARAPHE_CONFIG": config, "PARAPHE_THREADS": "3", "PARAPHE_LINK_DAYS": "3"}

    read = settings.read({"threads": "4"}, environment)

    assert (read.threads, read.link_days, read.log_level, read.message_bytes) == (4, 3, "error", 300_000_000)


def test_the_file_of_the_command_line_goes_before_that_of_the_environment(ini):
    config = ini("[paraphe]\nthreads = 2\n")
    assert settings.read({"config": config}, {"PARAPHE_CONFIG": "/does/not/exist"}).threads == 2


def test_an_empty_value_counts_as_not_given(ini):
    config = ini("[paraphe]\nthreads = 2\nlog_level =\n")
    read = settings.read({"config": config}, {"PARAPHE_THREADS": " ", "PARAPHE_STORE": ""})
    assert (read.threads, read.store, read.log_level) == (2, "paraphe-data/store", "info")


def test_a_percent_sign_in_the_file_is_a_percent_sign(ini):
    config = ini("[paraphe]\ndatabase = postgresql://u:a%23b@db.example/paraphe\n")
    assert settings.read({"config": config}).database == "postgresql://u:a%23b@db.example/paraphe"


# What is wrong -----------------------------------------------------------------------------------------------------


def test_all_problems_are_told_at_once_with_name_place_value_and_what_is_accepted(ini):
    config = ini("[paraphe]\nlog_level = loud\ntreads = 4\n\n[DEFAULT]\nthreads = 1\n")

    found = problems({"config": config, "listen": "8080"}, {"PARAPHE_THREADS": "33"})

    assert found == (
        f"The section [DEFAULT] in {config} means nothing here; settings stand in [paraphe].",
        f"treads in {config} is no setting; there are {', '.join(sorted(option.name for option in OPTIONS))}.",
        "--listen is '8080'; accepted is HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080; "
        "port 0 takes any free one.",
        "PARAPHE_THREADS is '33'; accepted is a whole number from 1 to 32.",
        f"log_level in {config} is 'loud'; accepted is debug, info, warning or error.",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("threads = 4\n", r"is not an INI file \(line 1\)"),
        ("[paraphe]\nthreads\n", r"is not an INI file \(line 2\)"),
        ("[paraphe]\nthreads = 4\nthreads = 5\n", r"is not an INI file \(line 3\)"),
        ("[paraphe]\n[paraphe]\n", r"is not an INI file \(line 2\)"),
    ],
)
def test_a_file_that_is_no_ini_file_is_told_with_the_line(ini, text, said):
    with pytest.raises(Unusable, match=said):
        settings.read({"config": ini(text)})


def test_a_file_that_cannot_be_read_is_told(ini, tmp_path):
    assert problems({"config": "/does/not/exist"}) == (
        "The configuration file /does/not/exist cannot be read: No such file or directory.",
    )
    assert problems({"config": ini("[paraphe]\n# é\n", "latin-1")})[0].endswith("is not UTF-8.")
    assert problems({"config": str(tmp_path)})[0].endswith("cannot be read: Is a directory.")


@pytest.mark.parametrize(
    "database",
    [
        "mysql://anne:pass@word/x@db.example/paraphe",
        "postgresql://anne:pass@word#1@db.example/paraphe",
        "postgresql://anne:sword word@db.example:port/paraphe",
        "postgres://db.example/paraphe?user=anne&password=pass@word",
    ],
)
def test_a_password_is_never_shown(database):
    (said,) = problems({"database": database})
    assert "***" in said
    assert "pass@" not in said
    assert "word@" not in said
    read = settings.read({"database": "postgresql://anne:topsecret@db.example/paraphe"})
    assert "topsecret" not in repr(read)


def test_variables_that_look_like_settings_and_are_none_are_known():
    environment = dict.fromkeys(["PARAPHE_PUBLICURL", "PARAPHE_CONFIG", "PARAPHE_STORE", "PATH", "PARAPHE_PORT"], "")
    environment["PARAPHE_API_KEY"] = "what the client is given"

    assert settings.unknown_variables(environment) == ["PARAPHE_PORT", "PARAPHE_PUBLICURL"]


# What values may be ------------------------------------------------------------------------------------------------

ACCEPTED = [
    ("listen", "0.0.0.0:80", Listen("0.0.0.0", 80)),
    ("listen", "[::1]:8080", Listen("::1", 8080)),
    ("listen", "[fe80::1%eth0]:8080", Listen("fe80::1%eth0", 8080)),
    ("listen", "localhost:0", Listen("localhost", 0)),
    ("database", "sqlite:///a/b.sqlite", "sqlite:///a/b.sqlite"),
    ("database", "sqlite:////a/b.sqlite", "sqlite:////a/b.sqlite"),
    ("database", "postgresql+psycopg://u@h:5432/n", "postgresql+psycopg://u@h:5432/n"),
    ("database", "postgresql:///n?host=/run/postgresql", "postgresql:///n?host=/run/postgresql"),
    ("store", "/srv/paraphe/store", "/srv/paraphe/store"),
    ("store", "s3://bucket/prefix?region=eu-west-3", "s3://bucket/prefix?region=eu-west-3"),
    ("store", "file:///srv/store", "file:///srv/store"),
    ("public_url", "https://exchange.example.org/", "https://exchange.example.org"),
    ("public_url", "http://[::1]:8080/paraphe", "http://[::1]:8080/paraphe"),
    ("message_bytes", "100000", 100_000),
    ("message_bytes", "1 MiB", 1 << 20),
    ("message_bytes", "2GB", 2_000_000_000),
    ("threads", "32", 32),
    ("expanded_bytes", "1 GB", 10**9),
    ("element_depth", "10", 10),
    ("requests_at_once", "1", 1),
    ("trusted_proxies", "127.0.0.1", (ip_network("127.0.0.1"),)),
    ("trusted_proxies", "10.1.2.3/8, ::1", (ip_network("10.0.0.0/8"), ip_network("::1"))),
    ("link_days", "1", 1),
    ("remember_days", "90", 90),
    ("journal_days", "36600", 36_600),
    ("log_level", "DEBUG", "debug"),
]

REFUSED = [
    (
        "listen",
        ["8080", ":8080", "127.0.0.1", "127.0.0.1:99999", "::1:8080", "[::1]", "http://127.0.0.1:80", "a b:1"],
    ),
    ("database", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://h", "postgresql://h/", "paraphe.db"]),
    ("store", ["s3:bucket", "s3://", "s3://key:secret@bucket", "gs://bucket", "file:store", "https://h/store"]),
    ("public_url", ["exchange.example.org", "ftp://h", "https://", "https://h?a=b", "https://h/#a", "https://u:p@h"]),
    ("public_url", ["https://h:port", "http://[::1", "https://h i"]),
    ("message_bytes", ["99999", "3GB", "-1", "300 Mo", "1.5 MB", "unlimited"]),
    ("threads", ["0", "33", "8.0", "two", "\u0661"]),
    ("element_depth", ["9", "257", "deep"]),
    ("trusted_proxies", ["proxy.example.org", "10.0.0.0/33", "127.0.0.1:80", "*"]),
    ("link_days", ["0", "367", "7 days"]),
    ("remember_days", ["0", "3661"]),
    ("journal_days", ["0", "36601", "for ever"]),
    ("log_level", ["verbose", "20"]),
]


@pytest.mark.parametrize(("name", "text", "value"), ACCEPTED)
def test_a_value_is_read(name, text, value):
    assert getattr(settings.read({name: text}), name) == value


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED for text in texts])
def test_a_value_that_means_nothing_is_refused(name, text):
    (said,) = problems({name: text})
    assert said.startswith(f"--{name.replace('_', '-')} is ")


def test_what_follows_another_setting_unless_it_was_set():
    read = settings.read({"message_bytes": "1 MB", "threads": "4"})
    assert (read.expanded_bytes, read.requests_at_once) == (1_000_000, 3)
    assert settings.read({"threads": "1"}).requests_at_once == 1
    read = settings.read({"message_bytes": "1 MB", "expanded_bytes": "2 MB", "requests_at_once": "8"})
    assert (read.expanded_bytes, read.requests_at_once) == (2_000_000, 8)


def test_the_public_address_follows_the_port_that_was_taken_unless_it_was_set():
    assert settings.read({"listen": "127.0.0.1:0"}).bound_to(4711).public_url == "http://127.0.0.1:4711"
    assert settings.read({"listen": "[::1]:0"}).bound_to(4711).public_url == "http://[::1]:4711"
    assert settings.read({"listen": "0.0.0.0:0"}).bound_to(4711).public_url == "http://localhost:4711"
    read = settings.read({"listen": "127.0.0.1:0", "public_url": "https://exchange.example.org"}).bound_to(4711)
    assert (read.public_url, read.listen.port) == ("https://exchange.example.org", 4711)


# Explained ---------------------------------------------------------------------------------------------------------


def test_the_table_and_the_settings_are_the_same():
    assert [option.name for option in OPTIONS] == [field.name for field in fields(Settings)]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_setting_is_explained_in_the_documentation(option):
    text = DOCUMENTATION.read_text(encoding="utf-8")
    assert f"### `{option.name}`" in text
    assert option.variable in text


def test_the_documentation_says_what_the_table_says():
    """`paraphe settings --markdown` writes what is to stand there."""
    assert settings.reference() in DOCUMENTATION.read_text(encoding="utf-8")
