"""cli.py and commands/: what an operator types, and what comes of it."""

import argparse
import http.client
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from paraphe import accounts, cli, migrations, store
from paraphe.settings import OPTIONS

_numbers = count(1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder: an empty one, with no settings in the environment."""
    for name in [name for name in os.environ if name.startswith("PARAPHE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def paraphe(capsys):
    """Give `paraphe(line)`: run a command, and give its exit code, what it wrote, and what it complained of."""

    def run(line, *, code=0):
        try:
            exit_code = cli.main(shlex.split(line))
        except SystemExit as end:
            exit_code = int(str(end.code))
        said = capsys.readouterr()
        assert (exit_code, said.err.count("Traceback")) == (code, 0), said.err
        return said.err if code else json.loads(said.out) if "--json" in line else said.out

    return run


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request, monkeypatch, paraphe):
    """A database that `paraphe init` has just made."""
    if request.param == "sqlite":
        paraphe("init")
        yield
        return
    name = f"cli_{next(_numbers)}"
    with request.getfixturevalue("postgresql_admin").connect() as admin:
        admin.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        monkeypatch.setenv("PARAPHE_DATABASE", request.getfixturevalue("postgresql_server")(name))
        paraphe("init")
        yield
        admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


# Setting up --------------------------------------------------------------------------------------------------------


def test_init_makes_folders_and_database_that_others_cannot_read(paraphe, folder):
    made = paraphe("init --json")

    assert made == {
        "database": "sqlite:///paraphe-data/paraphe.sqlite",
        "store": "paraphe-data/store",
        "from": None,
        "version": migrations.head(),
    }
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if "store/" not in str(path)}
    assert modes == {"paraphe-data": 0o700, "store": 0o700} | dict.fromkeys(
        ("paraphe.sqlite", "paraphe.sqlite.locks"), 0o600
    )


def test_init_again_does_no_harm(house, paraphe):
    key = paraphe("account create CFA --environment sandbox --json")

    assert paraphe("init --json")["from"] == migrations.head()

    assert paraphe("account list --json")[0]["apiUser"] == key["apiUser"]


def test_an_upgrade_of_what_is_current_says_so(house, paraphe):
    assert paraphe("upgrade --json") == {"from": migrations.head(), "version": migrations.head()}


@pytest.mark.parametrize("command", ["account list", "serve --listen 127.0.0.1:0", "upgrade"])
def test_without_a_database_every_command_says_what_to_do_and_makes_none(paraphe, folder, command):
    assert "run `paraphe init`" in paraphe(command, code=1)
    assert list(folder.iterdir()) == []


def test_a_database_that_does_not_answer_is_told_in_one_line_without_its_password(paraphe, monkeypatch):
    monkeypatch.setenv("PARAPHE_DATABASE", "postgresql://anne:topsecret@127.0.0.1:1/paraphe")
    for command in ("init", "account list", "upgrade"):
        said = paraphe(command, code=1)
        assert "cannot be used" in said
        assert "Connection refused" in said
        assert "topsecret" not in said
        assert said.count("\n") == 1


def test_a_store_that_cannot_be_used_is_told_before_anything_is_made(paraphe, folder):
    (folder / "file").write_text("")
    assert "archive folder" in paraphe("init --store file/store", code=1)
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_settings_that_cannot_be_used_are_told_all_at_once(paraphe):
    said = paraphe("serve --threads 0 --listen x --store s3://bucket?what=1", code=2)
    assert [line.split()[1] for line in said.splitlines()] == ["--listen", "--threads"]
    assert "S3 URL" in paraphe("serve --store s3://bucket?what=1", code=2)


@pytest.mark.slow
def test_templates_that_are_broken_are_told_with_file_and_line_before_anything_is_served(house, paraphe, folder):
    templates = folder / "templates"
    assert "templates" in paraphe(f"serve --templates {templates}", code=2)
    templates.mkdir()
    (templates / "cover.typ").write_text("\n#nobody\n")

    for command in ("serve --listen 127.0.0.1:0", "worker"):
        said = paraphe(f"{command} --templates {templates}", code=2)
        assert "templates: cover.typ, line 2: unknown variable: nobody." in said


# Accounts and keys -------------------------------------------------------------------------------------------------


def test_an_account_is_made_with_a_key_that_works(house, paraphe):
    made = paraphe("account create 'Lycée Horizon' --environment sandbox --time-zone Indian/Reunion --json")

    assert list(made) == [
        "account",
        "environment",
        "apiUser",
        "timeZone",
        "legacy",
        "threshold",
        "papers",
        "apiKey",
        "keyId",
    ]
    assert (made["account"], made["environment"], made["legacy"]) == ("Lycée Horizon", "SANDBOX", False)
    engine = store.open_engine(os.environ.get("PARAPHE_DATABASE", "sqlite:///paraphe-data/paraphe.sqlite"))
    with store.Later(engine) as later:  # which notes the use of the key, over a connection of its own
        recognised = accounts.Gate(engine, later=later).recognise(made["apiUser"], made["apiKey"])
    engine.dispose()
    assert recognised is not None
    assert recognised.time_zone.key == "Indian/Reunion"


def test_keys_are_replaced_without_a_break(house, paraphe):
    first = paraphe("account create CFA --environment production --json")
    second = paraphe("account add-key CFA --label 'next year' --json")
    assert second["apiUser"] == first["apiUser"]
    assert second["apiKey"] != first["apiKey"]

    revoked = paraphe(f"account revoke-key {first['apiUser']} {first['keyId']} --json")

    listed = paraphe("account keys CFA --json")
    assert listed[0] == revoked
    assert listed[0]["revokedOn"].endswith("Z")
    assert listed[1] == listed[1] | {"label": "next year", "lastUsedOn": None, "revokedOn": None}
    assert "apiKey" not in listed[1]


def test_legacy_tolerance_is_set_for_one_account(house, paraphe):
    made = paraphe("account create CFA --environment production --json")
    paraphe("account create CFA --environment sandbox")

    changed = paraphe("account set CFA --environment production --legacy on --json")

    assert changed == {name: made[name] for name in changed} | {"legacy": True}
    assert {each["environment"]: each["legacy"] for each in paraphe("account list --json")} == {
        "PRODUCTION": True,
        "SANDBOX": False,
    }
    assert paraphe("account list").splitlines()[0].endswith("legacy")
    assert "only the schema counts" in paraphe(f"account set {made['apiUser']} --legacy off")
    assert not any(each["legacy"] for each in paraphe("account list --json"))


def test_the_same_name_in_both_environments_is_told_apart(house, paraphe):
    paraphe("account create CFA --environment production")
    paraphe("account create CFA --environment sandbox")

    assert "in each environment" in paraphe("account keys CFA", code=1)
    assert len(paraphe("account keys CFA --environment sandbox --json")) == 1
    assert "already" in paraphe("account create CFA --environment sandbox", code=1)


def test_without_json_the_same_is_written_for_people(house, paraphe):
    assert paraphe("account list") == "There are no accounts.\n"
    shown = paraphe("account create CFA --environment sandbox")
    assert "apiUser  pa_" in shown
    assert "cannot be shown again" in shown
    assert paraphe("account list").startswith("CFA  SANDBOX  pa_")
    assert "used never" in paraphe("account keys CFA")
    key = paraphe("account keys CFA --json")[0]["keyId"]
    assert "is revoked" in paraphe(f"account revoke-key CFA {key}")
    assert "revoked 2" in paraphe("account keys CFA")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("", 2),
        ("account", 2),
        ("account create CFA", 2),
        ("account create CFA --environment test", 2),
        ("account create CFA --environment sandbox --time-zone Paris", 1),
        ("account keys nobody", 1),
        ("account set nobody --legacy on", 1),
        ("account set nobody --legacy perhaps", 2),
        ("account set nobody", 2),
        ("account revoke-key nobody 1", 1),
        ("account revoke-key nobody one", 2),
        ("account list --databas sqlite:///x", 2),
    ],
)
def test_a_command_that_cannot_be_done_is_refused_in_a_sentence(paraphe, command, code):
    paraphe("init")
    assert paraphe(command, code=code).rstrip().splitlines()[-1].startswith("paraphe")


# The rest ----------------------------------------------------------------------------------------------------------


def test_every_setting_is_an_option_of_serve_with_its_explanation(capsys):
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for option in OPTIONS:
        assert (f"{option.flag} {option.name.upper()}" in shown) is not option.secret


def commands(parser):
    """Yield the names of all commands, those behind `account` too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield name
                yield from commands(command)


@pytest.mark.parametrize("name", sorted(set(commands(cli._parser()))))
def test_every_command_is_in_the_documentation(name):
    text = (Path(__file__).parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.partition("## All commands")[2]
    assert f"`{name}`" in table or f"`paraphe {name}" in table or f" {name}`" in table


def test_the_settings_in_force_are_shown_with_where_they_come_from(paraphe, folder, monkeypatch):
    (folder / "paraphe.ini").write_text("[paraphe]\nthreads = 2\n")
    monkeypatch.setenv("PARAPHE_DATABASE", "postgresql://anne:topsecret@db.example/paraphe")

    shown = paraphe("settings --config paraphe.ini --link-days 3 --json")

    assert shown["threads"] == {"value": "2", "from": "threads in paraphe.ini"}
    assert shown["database"] == {"value": "postgresql://anne:***@db.example/paraphe", "from": "PARAPHE_DATABASE"}
    assert shown["link_days"] == {"value": "3", "from": "--link-days"}
    assert shown["store"]["from"] == "default"


def test_wsdl_files_are_composed_into_a_folder(paraphe, folder):
    written = paraphe("compose-wsdl . --json")["files"]
    assert sorted(written) == ["v1-soap12.wsdl", "v1.wsdl"]
    assert (folder / "v1.wsdl").read_bytes().startswith(b"<?xml")
    assert "not" in paraphe("compose-wsdl does/not/exist", code=1)


def test_the_version_is_shown(paraphe):
    assert paraphe("version --json")["databaseVersion"] == migrations.head()
    assert paraphe("--version").startswith("Paraphe ")


def test_fixtures_are_loaded_into_the_account_that_is_named_and_again_change_nothing(house, paraphe):
    paraphe("account create CFA --environment sandbox")

    first = paraphe("load-fixtures --account CFA --json")
    second = paraphe("load-fixtures --account CFA --json")

    assert first["SyncStudents"]["created"] == second["SyncStudents"]["unchanged"] > 0
    assert "no account nobody" in paraphe("load-fixtures --account nobody", code=1)


def test_the_demo_is_given_the_settings(paraphe, monkeypatch):
    seen: list[Any] = []
    monkeypatch.setattr("paraphe.demo.run", seen.append)
    paraphe("demo --listen 127.0.0.1:9")
    assert str(seen[0].listen) == "127.0.0.1:9"


@pytest.mark.slow
def test_the_whole_server_starts_answers_and_stops(paraphe, folder):
    paraphe("init")
    with subprocess.Popen(
        [sys.executable, "-m", "paraphe", "serve", "--listen", "127.0.0.1:0"],
        env=os.environ | {"PARAPHE_TYPO": "x"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout
            line = server.stdout.readline()
            with closing(http.client.HTTPConnection("127.0.0.1", int(line.rpartition(":")[2]), timeout=10)) as caller:
                caller.request("GET", "/soap/v1?wsdl")
                answer = caller.getresponse()
                assert answer.status == 200
                assert line.split()[-1].encode() + b"/soap/v1" in answer.read()
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0
            assert server.stderr
            assert "PARAPHE_TYPO is no setting" in server.stderr.readline()
        finally:
            server.kill()
