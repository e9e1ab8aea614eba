"""What an account holds, and what documents say: load-fixtures, revoke-addresses, read-invoice, preview-papers."""

import argparse
import json
import shutil
from pathlib import Path

from .. import accounts, store
from ..settings import Unusable
from ..work import revocation
from .house import changing, opened
from .line import Commands, add_environment, environment_of, show


def add_to(commands: Commands) -> None:
    """Add the commands of this module."""
    load = commands.add("load-fixtures", _load_fixtures, "database", "store")
    load.add_argument("--account", required=True, metavar="NAME_OR_USER", help="the account to fill")
    add_environment(load)
    revoke = commands.add("revoke-addresses", _revoke_addresses, "database")
    revoke.add_argument("--account", required=True, metavar="NAME_OR_USER", help="whose addresses")
    add_environment(revoke)
    what = revoke.add_mutually_exclusive_group(required=True)
    what.add_argument("--record", metavar="NUMBER", help="a record, with its documents")
    what.add_argument("--course", metavar="REFERENCE", help="a course, with its signatures")
    invoice = commands.add("read-invoice", _read_invoice, as_json=False)
    invoice.add_argument("file", metavar="FILE.pdf", help="the invoice")
    invoice.add_argument("--students", metavar="FILE", help="the students of the account, as JSON or CSV")
    preview = commands.add("preview-papers", _preview_papers)
    preview.add_argument("folder", metavar="FOLDER", help="where to write them; it is made if need be")
    preview.add_argument("--templates", metavar="FOLDER", help="your own templates, which stand in for ours by name")


def _load_fixtures(asked: argparse.Namespace) -> None:
    """Fill an account with the school of the examples."""
    from ..fixture_loader import load

    with opened(asked) as house:
        with store.reading(house.engine) as connection:
            account = accounts.find(connection, asked.account, environment_of(asked))
        loaded = load(house.engine, house.archive, house.settings, account)
        show(asked, loaded, f"The account {account.name} holds the school of the examples.")


def _revoke_addresses(asked: argparse.Namespace) -> None:
    """Make the addresses of a record, or of a course's signatures, that were given out answer 404 from now on."""
    with changing(asked) as connection:
        account = accounts.find(connection, asked.account, environment_of(asked))
        if asked.record:
            revoked = revocation.revoke_record(connection, account.id, asked.record)
        else:
            revoked = revocation.revoke_course(connection, account.id, asked.course)
    show(asked, {"revoked": revoked}, f"{revoked} addresses are revoked.")


def _read_invoice(asked: argparse.Namespace) -> None:
    """Read an invoice and print what it says as JSON; needs no database."""
    from ..reading import Known, read
    from ..reading.report import report, students

    try:
        known = Known(students(Path(asked.students).read_text("utf-8"))) if asked.students else Known()
    except ValueError as error:
        raise Unusable([f"{asked.students}: {error}"]) from error
    reading = read(Path(asked.file).read_bytes(), known, tesseract=shutil.which("tesseract"))
    print(json.dumps(report(reading), ensure_ascii=False, indent=2))


def _preview_papers(asked: argparse.Namespace) -> None:
    """Write every paper of a record, with the data of the fictional school; needs no database."""
    from ..documents.papers import BrokenTemplate
    from ..preview import write

    try:
        written = write(Path(asked.folder), Path(asked.templates) if asked.templates else None)
    except BrokenTemplate as broken:
        raise Unusable([str(broken)]) from broken
    names = [str(path) for path in written]
    show(asked, names, "\n".join(names))
