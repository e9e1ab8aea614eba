"""The command `paraphe`: set up, serve, administer.

Results go to standard output, as text or with --json as one JSON value. What goes wrong goes to standard error, one
sentence a line: exit code 2 if the command or the settings are wrong, 1 if it could not be done.
"""

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from . import __version__, accounts, backup, migrations, settings, store
from .archive import Archive, Unavailable, open_archive
from .errors import Refused
from .serve import CannotListen, beside, serve
from .settings import OPTIONS, Option, Settings, Unusable, redacted
from .work import revocation

if TYPE_CHECKING:
    from .seals import Seal

_FAILURES = (
    accounts.Impossible,
    backup.NoBackup,
    migrations.WrongVersion,
    store.CannotCopy,
    Unavailable,
    CannotListen,
    Refused,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        asked.run(asked)
    except Unusable as unusable:
        _complain(*unusable.problems)
        return 2
    except _FAILURES as failure:
        _complain(str(failure))
    except (store.Busy, SQLAlchemyError) as failure:
        _complain(f"The database cannot be used: {_reason(failure)}")
    except OSError as failure:
        _complain(f"{failure.filename or 'The machine'}: {failure.strerror or failure}.")
    except KeyboardInterrupt:
        return 130
    else:
        return 0
    return 1


def _complain(*sentences: str) -> None:
    for sentence in sentences:
        print(f"paraphe: {redacted(sentence)}", file=sys.stderr)


def _reason(failure: BaseException) -> str:
    """Say in one line what the database's driver says."""
    if isinstance(failure, store.Busy) and failure.__cause__:
        failure = failure.__cause__
    said = str(failure.orig) if isinstance(failure, DBAPIError) else str(failure)
    return re.sub(r"\s+", " ", said).strip()


def _show(asked: argparse.Namespace, value: Any, text: str) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2) if asked.json else text)


# What commands stand on --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _House:
    settings: Settings
    engine: Engine
    archive: Archive


def _settings(asked: argparse.Namespace) -> Settings:
    return settings.read(vars(asked), os.environ)


@contextmanager
def _house(asked: argparse.Namespace, *, current: bool = True) -> Iterator[_House]:
    """Give settings, database and archive; `current` asks for a database that this program can work with."""
    read = _settings(asked)
    try:
        archive = open_archive(read.store)
    except ValueError as error:
        raise Unusable([f"store: {error}"]) from error
    file = _file_of(read.database)
    if current and file and not file.exists():
        raise migrations.WrongVersion(
            f"There is no database at {file.absolute()}: run `paraphe init`, or set PARAPHE_DATABASE."
        )
    engine = store.open_engine(read.database)
    try:
        if current:
            migrations.ensure_current(engine)
        yield _House(read, engine, archive)
    finally:
        engine.dispose()


def _file_of(database: str) -> Path | None:
    return Path(database.removeprefix("sqlite:///")) if database.startswith("sqlite:///") else None


@contextmanager
def _changing(asked: argparse.Namespace) -> Iterator[Connection]:
    with _house(asked) as house, store.writing(house.engine) as connection:
        yield connection


def _now() -> datetime:
    return datetime.now(UTC)


# Commands ----------------------------------------------------------------------------------------------------------


def _init(asked: argparse.Namespace) -> None:
    """Make folders, database and tables; again does no harm."""
    with _house(asked, current=False) as house:
        house.archive.check()
        if file := _file_of(house.settings.database):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)  # SQLite would let everybody on this machine read it
        before, after = migrations.upgrade(house.engine)
        database = redacted(house.settings.database)
        _show(
            asked,
            {"database": database, "store": house.settings.store, "from": before, "version": after},
            f"The database {database} is at version {after}; documents are kept in {house.settings.store}.",
        )


def _upgrade(asked: argparse.Namespace) -> None:
    """Bring the database to what this program needs. Back it up before."""
    with _house(asked, current=False) as house:
        if (file := _file_of(house.settings.database)) and not file.exists():
            raise migrations.WrongVersion(f"There is no database at {file.absolute()}: run `paraphe init`.")
        before, after = migrations.upgrade(house.engine)
    text = f"The database is at version {after}" + ("." if before == after else f"; it was {before or 'empty'}.")
    _show(asked, {"from": before, "version": after}, text)


def _serve(asked: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C; running requests are finished first."""
    from .app import Watched, application

    for name in settings.unknown_variables(os.environ):
        _complain(f"The environment variable {name} is no setting and is ignored.")
    with _house(asked) as house:
        house.archive.check()
        watched = Watched.of(house.engine, house.archive)
        with store.Later(house.engine) as later, beside(watched.application, house.settings):
            serve(
                lambda bound: application(house.engine, house.archive, bound, later, watched),
                house.settings,
                watched.health.stop,
            )


def _backup(asked: argparse.Namespace) -> None:
    """Copy the database, and the documents that are not there yet, into a folder; servers may run."""
    with _house(asked, current=False) as house, _shown_anyway(asked):
        _refuse_without_database(house)
        told = backup.back_up(house.engine, house.archive, Path(asked.folder), _now(), asked.keep)
        text = f"The backup is {told['backup']}: {told['documents']} documents, {told['addedDocuments']} of them new."
        _show(asked, told, text)


def _restore(asked: argparse.Namespace) -> None:
    """Put a backup into an empty database and an empty store."""
    folder = Path(asked.folder)
    with _house(asked, current=False) as house, _shown_anyway(asked):
        told: dict[str, Any] = {}
        if asked.only is None:
            backup.refuse_unless_empty(house.archive)
        if asked.only != "documents":
            told |= backup.restore_database(house.engine, folder, asked.name)
        else:
            _refuse_without_database(house)
        if asked.only != "database":
            try:
                told |= backup.restore_documents(house.engine, house.archive, folder)
            except backup.Incomplete as incomplete:
                raise backup.Incomplete(str(incomplete), told | incomplete.told) from incomplete
        version = migrations.current(house.engine)
    upgrade = "" if version == migrations.head() else " Run `paraphe upgrade` now."
    text = f"Restored: {told.get('backup', 'documents')}, {told.get('restoredDocuments', 'no')} documents.{upgrade}"
    _show(asked, told, text)


def _check(asked: argparse.Namespace) -> None:
    """Compare the database with the store: documents that are missing or damaged, and those of nobody."""
    with _house(asked) as house, _shown_anyway(asked):
        told = backup.check(house.engine, house.archive, quick=asked.quick)
        text = f"All {told['documents']} documents are there; {told['orphans']} others belong to nobody."
        _show(asked, told, text)


@contextmanager
def _shown_anyway(asked: argparse.Namespace) -> Iterator[None]:
    """Show what was done also when documents are missing, which is told as a failure then."""
    try:
        yield
    except backup.Incomplete as incomplete:
        _show(asked, incomplete.told, json.dumps(incomplete.told, ensure_ascii=False, indent=2))
        raise


def _refuse_without_database(house: _House) -> None:
    if (file := _file_of(house.settings.database)) and not file.exists():
        raise migrations.WrongVersion(f"There is no database at {file.absolute()}: set PARAPHE_DATABASE.")


def _demo(asked: argparse.Namespace) -> None:
    """Serve a school that does not exist, to try things out."""
    from . import demo

    try:
        demo.run(_settings(asked))
    except demo.ClientMissing as missing:
        raise accounts.Impossible(str(missing)) from missing


def _load_fixtures(asked: argparse.Namespace) -> None:
    """Fill an account with the school of the examples."""
    from .fixture_loader import load

    with _house(asked) as house:
        with store.reading(house.engine) as connection:
            account = accounts.find(connection, asked.account, _environment(asked))
        loaded = load(house.engine, house.archive, house.settings, account)
        _show(asked, loaded, f"The account {account.name} holds the school of the examples.")


def _revoke_addresses(asked: argparse.Namespace) -> None:
    """Make the addresses of a record, or of a course's signatures, that were given out answer 404 from now on."""
    with _changing(asked) as connection:
        account = accounts.find(connection, asked.account, _environment(asked))
        if asked.record:
            revoked = revocation.revoke_record(connection, account.id, asked.record)
        else:
            revoked = revocation.revoke_course(connection, account.id, asked.course)
    _show(asked, {"revoked": revoked}, f"{revoked} addresses are revoked.")


def _read_invoice(asked: argparse.Namespace) -> None:
    """Read an invoice and print what it says as JSON; needs no database."""
    from .reading import Known, read
    from .reading.report import report, students

    try:
        known = Known(students(Path(asked.students).read_text("utf-8"))) if asked.students else Known()
    except ValueError as error:
        raise Unusable([f"{asked.students}: {error}"]) from error
    reading = read(Path(asked.file).read_bytes(), known, tesseract=shutil.which("tesseract"))
    print(json.dumps(report(reading), ensure_ascii=False, indent=2))


def _show_settings(asked: argparse.Namespace) -> None:
    """Show the settings in force and where each comes from."""
    if asked.markdown:
        print(settings.reference(), end="")
        return
    read = _settings(asked)
    given, _ = settings.gather(vars(asked), os.environ)
    values = {
        option.name: {"value": _shown(option, getattr(read, option.name)), "from": given[option.name].where}
        for option in OPTIONS
    }
    _show(asked, values, _table([name, value["value"], f"({value['from']})"] for name, value in values.items()))


def _shown(option: Option, value: object) -> str:
    return "***" if option.secret and value else redacted(str(value or "none"))


def _compose_wsdl(asked: argparse.Namespace) -> None:
    """Compose the WSDL files from xsd/ into a folder."""
    from .faces.soap import wsdl

    written = []
    for version, name in wsdl.FILES.items():
        path = Path(asked.folder) / name
        path.write_bytes(wsdl.compose(version))
        written.append(str(path))
    _show(asked, {"files": written}, "\n".join(written))


def _version(asked: argparse.Namespace) -> None:
    """Show the version of the program and the version of the database that it needs."""
    _show(
        asked,
        {"version": __version__, "databaseVersion": migrations.head()},
        f"Paraphe {__version__} (database version {migrations.head()})",
    )


# Accounts and keys -------------------------------------------------------------------------------------------------


def _account_create(asked: argparse.Namespace) -> None:
    """Make an account and its first key, which is shown this once."""
    with _changing(asked) as connection:
        new = accounts.create(connection, asked.name, _environment(asked) or "", asked.time_zone, _now())
    _show_key(asked, new)


def _account_add_key(asked: argparse.Namespace) -> None:
    """Give an account one more key, which is shown this once."""
    with _changing(asked) as connection:
        account = accounts.find(connection, asked.account, _environment(asked))
        new = accounts.add_key(connection, account, asked.label, _now())
    _show_key(asked, new)


def _account_set(asked: argparse.Namespace) -> None:
    """Change how an account's messages are read, from the next one on."""
    tolerant = asked.legacy == "on"
    with _changing(asked) as connection:
        account = accounts.find(connection, asked.account, _environment(asked))
        account = accounts.set_tolerant(connection, account, tolerant=tolerant)
    habits = "the habits of old stacks are tolerated" if tolerant else "only the schema counts"
    _show(asked, _account_json(account), f"In messages of {account.name} ({account.environment}), {habits}.")


def _account_seal(asked: argparse.Namespace) -> None:
    """Show what an account's documents are signed with, or give it a key and certificate."""
    from . import seals  # half a second of other people's modules

    with _house(asked) as house, store.writing(house.engine) as connection:
        account = accounts.find(connection, asked.account, _environment(asked))
        ours = seals.Seals(house.settings)
        if asked.pkcs12:
            passphrase = _first_line(asked.passphrase_file) if asked.passphrase_file else ""
            ours.take_pkcs12(connection, account, Path(asked.pkcs12).read_bytes(), passphrase, _now())
        elif asked.pkcs11:
            ours.take_token(connection, account, asked.pkcs11, _now())
        elif asked.self_issued:
            ours.issue(connection, account, _now())
        seal = seals.seal_of(connection, account)
        root = seals.authority_of(connection, account)
    if asked.root and root:
        Path(asked.root).write_bytes(root)
    _show(asked, _seal_json(account, seal), _seal_text(account, seal))


def _first_line(file: str) -> str:
    return Path(file).read_text("utf-8").partition("\n")[0].rstrip("\r")


def _seal_json(account: accounts.Account, seal: "Seal | None") -> dict[str, Any]:
    value = {"account": account.name, "environment": account.environment, "kind": seal.kind.value if seal else "NONE"}
    if seal is None:
        return value
    moments = {"expiresOn": _moment(seal.expires_on), "createdOn": _moment(seal.created_on)}
    return value | {"subject": seal.subject, "uri": seal.uri} | moments


def _seal_text(account: accounts.Account, seal: "Seal | None") -> str:
    if seal is None:
        return f"The account {account.name} ({account.environment}) has no seal: its documents are not signed."
    return (
        f"Account {account.name} ({account.environment})\n"
        f"kind     {seal.kind.value}\n"
        f"subject  {seal.subject}\n"
        f"expires  {_day(seal.expires_on)}"
    )


def _show_key(asked: argparse.Namespace, new: accounts.NewKey) -> None:
    """Show a key, once what made it is committed: nobody gets a key that does not work."""
    value = _account_json(new.account) | {"apiKey": new.api_key, "keyId": new.id}
    _show(
        asked,
        value,
        f"Account {new.account.name} ({new.account.environment}, {new.account.time_zone.key})\n"
        f"apiUser  {new.api_user}\n"
        f"apiKey   {new.api_key}\n"
        f"This is key {new.id}. It is kept as a digest only and cannot be shown again.",
    )


def _account_list(asked: argparse.Namespace) -> None:
    """List the accounts."""
    with _house(asked) as house, store.reading(house.engine) as connection:
        found = accounts.accounts(connection)
    lines = [
        [
            account.name,
            account.environment,
            account.api_user,
            account.time_zone.key,
            "legacy" if account.tolerant else "",
        ]
        for account in found
    ]
    _show(asked, [_account_json(account) for account in found], _table(lines) or "There are no accounts.")


def _account_keys(asked: argparse.Namespace) -> None:
    """List the keys of an account."""
    with _house(asked) as house, store.reading(house.engine) as connection:
        found = accounts.keys(connection, accounts.find(connection, asked.account, _environment(asked)))
    lines = [
        [str(key.id), key.label, f"made {_day(key.created_on)}", f"used {_day(key.last_used_on)}", _revoked(key)]
        for key in found
    ]
    _show(asked, [_key_json(key) for key in found], _table(lines) or "The account has no keys.")


def _account_revoke_key(asked: argparse.Namespace) -> None:
    """Revoke a key: it is refused from now on."""
    with _changing(asked) as connection:
        account = accounts.find(connection, asked.account, _environment(asked))
        key = accounts.revoke_key(connection, account, asked.key, _now())
    _show(asked, _key_json(key), f"Key {key.id} of {account.name} is revoked.")


def _environment(asked: argparse.Namespace) -> str | None:
    return asked.environment.upper() if asked.environment else None


def _account_json(account: accounts.Account) -> dict[str, Any]:
    return {
        "account": account.name,
        "environment": account.environment,
        "apiUser": account.api_user,
        "timeZone": account.time_zone.key,
        "legacy": account.tolerant,
    }


def _key_json(key: accounts.Key) -> dict[str, Any]:
    moments = {"createdOn": key.created_on, "lastUsedOn": key.last_used_on, "revokedOn": key.revoked_on}
    return {"keyId": key.id, "label": key.label} | {name: _moment(moment) for name, moment in moments.items()}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else "never"


def _revoked(key: accounts.Key) -> str:
    return f"revoked {_day(key.revoked_on)}" if key.revoked_on else ""


def _table(rows: Any) -> str:
    """Write rows of texts in columns."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


# The command line --------------------------------------------------------------------------------------------------


class _Commands:
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

    def group(self, name: str, help_line: str) -> "_Commands":
        """Add a word that is followed by a command of its own."""
        return _Commands(self._commands.add_parser(name, help=help_line, description=help_line, allow_abbrev=False))


def _add_settings(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    group = parser.add_argument_group(
        "settings", "Each is also an environment variable (PARAPHE_…) and a line in the configuration file."
    )
    group.add_argument("--config", metavar="FILE", help="INI file with a section [paraphe] (PARAPHE_CONFIG)")
    for option in OPTIONS:
        if option.name in names and not option.secret:
            text = f"{option.help} Default: {option.default_words or option.default}. Accepted: {option.accepts}."
            group.add_argument(option.flag, dest=option.name, metavar=option.name.upper(), help=text.replace("%", "%%"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="paraphe", description="Exchange server for training centres.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"Paraphe {__version__}")
    everything = [option.name for option in OPTIONS]
    commands = _Commands(parser)
    commands.add("init", _init, "database", "store")
    commands.add("upgrade", _upgrade, "database")
    commands.add("serve", _serve, *everything, as_json=False)
    copy = commands.add("backup", _backup, "database", "store")
    copy.add_argument("folder", metavar="FOLDER", help="where all backups are; it is made if need be")
    copy.add_argument("--keep", type=_positive, metavar="N", help="remove all but the newest N copies of the database")
    back = commands.add("restore", _restore, "database", "store")
    back.add_argument("folder", metavar="FOLDER", help="the folder that was given to `paraphe backup`")
    back.add_argument(
        "--name", metavar="NAME", help="the backup in it, such as 2026-11-22T030000Z (default: the newest)"
    )
    back.add_argument(
        "--only", choices=("database", "documents"), help="documents: what the store lacks or has damaged"
    )
    compare = commands.add("check", _check, "database", "store")
    compare.add_argument("--quick", action="store_true", help="look whether documents are there, but do not read them")
    commands.add("demo", _demo, *everything, as_json=False)
    _add_account_commands(commands.group("account", "Make and list accounts, and the keys that open them."))
    load = commands.add("load-fixtures", _load_fixtures, "database", "store")
    load.add_argument("--account", required=True, metavar="NAME_OR_USER", help="the account to fill")
    _add_environment(load)
    revoke = commands.add("revoke-addresses", _revoke_addresses, "database")
    revoke.add_argument("--account", required=True, metavar="NAME_OR_USER", help="whose addresses")
    _add_environment(revoke)
    what = revoke.add_mutually_exclusive_group(required=True)
    what.add_argument("--record", metavar="NUMBER", help="a record, with its documents")
    what.add_argument("--course", metavar="REFERENCE", help="a course, with its signatures")
    invoice = commands.add("read-invoice", _read_invoice, as_json=False)
    invoice.add_argument("file", metavar="FILE.pdf", help="the invoice")
    invoice.add_argument("--students", metavar="FILE", help="the students of the account, as JSON or CSV")
    show = commands.add("settings", _show_settings, *everything)
    show.add_argument("--markdown", action="store_true", help="write the explanation of all settings instead")
    compose = commands.add("compose-wsdl", _compose_wsdl)
    compose.add_argument("folder", nargs="?", default="wsdl", metavar="FOLDER", help="where to write (default: wsdl)")
    commands.add("version", _version)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _add_account_commands(commands: _Commands) -> None:
    create = commands.add("create", _account_create, "database")
    create.add_argument("name", metavar="NAME", help="what the training organisation is called")
    _add_environment(create, required=True)
    create.add_argument(
        "--time-zone",
        default="Europe/Paris",
        metavar="ZONE",
        help="time zone of dates and times that come without one (default: Europe/Paris)",
    )
    commands.add("list", _account_list, "database")
    _add_seal(commands)
    for name, run in (
        ("set", _account_set),
        ("keys", _account_keys),
        ("add-key", _account_add_key),
        ("revoke-key", _account_revoke_key),
    ):
        command = commands.add(name, run, "database")
        command.add_argument("account", metavar="NAME_OR_USER", help="the account's name or its apiUser")
        _add_environment(command)
        if name == "set":
            command.add_argument(
                "--legacy",
                required=True,
                choices=("on", "off"),
                help="on: tolerate the habits of old stacks, and say so in each answer",
            )
        if name == "add-key":
            command.add_argument("--label", default="", help="what to know the key by, at most 100 characters")
        if name == "revoke-key":
            command.add_argument("key", type=int, metavar="KEY", help="the key's number, as `account keys` lists it")


def _add_seal(commands: _Commands) -> None:
    seal = commands.add("seal", _account_seal, "database", "seal_passphrase", "seal_pin")
    seal.add_argument("account", metavar="NAME_OR_USER", help="the account's name or its apiUser")
    _add_environment(seal)
    key = seal.add_mutually_exclusive_group()
    key.add_argument("--pkcs12", metavar="FILE", help="take the key and certificate of this PKCS#12 file")
    key.add_argument("--pkcs11", metavar="URI", help="sign with this key in a token or security module")
    key.add_argument("--self-issued", action="store_true", help="make a key, and a certificate that nobody vouches for")
    seal.add_argument("--passphrase-file", metavar="FILE", help="holds the passphrase of the PKCS#12 file")
    seal.add_argument("--root", metavar="FILE", help="write the certificate to be trusted into this file, as PEM")


def _add_environment(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    parser.add_argument(
        "--environment",
        required=required,
        choices=[name.lower() for name in accounts.ENVIRONMENTS],
        help="which of the two an account is for"
        if required
        else "which account, if there is one of this name in each",
    )
