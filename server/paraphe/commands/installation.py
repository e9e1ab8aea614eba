"""Setting up, and what is in force: init, upgrade, settings, version; for developers compose-wsdl."""

import argparse
import os
from pathlib import Path

from .. import __version__, migrations, settings
from ..settings import OPTIONS, Option, redacted
from .house import file_of, opened, settings_of
from .line import Commands, show, table


def add_to(commands: Commands) -> None:
    """Add the commands of this module."""
    commands.add("init", _init, "database", "store")
    commands.add("upgrade", _upgrade, "database")
    said = commands.add("settings", _show_settings, *(option.name for option in OPTIONS))
    said.add_argument("--markdown", action="store_true", help="write the explanation of all settings instead")
    compose = commands.add("compose-wsdl", _compose_wsdl)
    compose.add_argument("folder", nargs="?", default="wsdl", metavar="FOLDER", help="where to write (default: wsdl)")
    commands.add("version", _version)


def _init(asked: argparse.Namespace) -> None:
    """Make folders, database and tables; again does no harm."""
    with opened(asked, current=False) as house:
        house.archive.check()
        if file := file_of(house.settings.database):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)  # SQLite would let everybody on this machine read it
        before, after = migrations.upgrade(house.engine)
        database = redacted(house.settings.database)
        show(
            asked,
            {"database": database, "store": house.settings.store, "from": before, "version": after},
            f"The database {database} is at version {after}; documents are kept in {house.settings.store}.",
        )


def _upgrade(asked: argparse.Namespace) -> None:
    """Bring the database to what this program needs. Back it up before."""
    with opened(asked, current=False) as house:
        if (file := file_of(house.settings.database)) and not file.exists():
            raise migrations.WrongVersion(f"There is no database at {file.absolute()}: run `paraphe init`.")
        before, after = migrations.upgrade(house.engine)
    text = f"The database is at version {after}" + ("." if before == after else f"; it was {before or 'empty'}.")
    show(asked, {"from": before, "version": after}, text)


def _show_settings(asked: argparse.Namespace) -> None:
    """Show the settings in force and where each comes from."""
    if asked.markdown:
        print(settings.reference(), end="")
        return
    read = settings_of(asked)
    given, _ = settings.gather(vars(asked), os.environ)
    values = {
        option.name: {"value": _shown(option, getattr(read, option.name)), "from": given[option.name].where}
        for option in OPTIONS
    }
    show(asked, values, table([name, value["value"], f"({value['from']})"] for name, value in values.items()))


def _shown(option: Option, value: object) -> str:
    return "***" if option.secret and value else redacted(str(value or "none"))


def _compose_wsdl(asked: argparse.Namespace) -> None:
    """Compose the WSDL files from xsd/ into a folder."""
    from ..faces.soap import wsdl

    written = []
    for version, name in wsdl.FILES.items():
        path = Path(asked.folder) / name
        path.write_bytes(wsdl.compose(version))
        written.append(str(path))
    show(asked, {"files": written}, "\n".join(written))


def _version(asked: argparse.Namespace) -> None:
    """Show the version of the program and the version of the database that it needs."""
    show(
        asked,
        {"version": __version__, "databaseVersion": migrations.head()},
        f"Paraphe {__version__} (database version {migrations.head()})",
    )
