"""The command `paraphe-client`: each operation, and the upload, polling and extraction on top of them.

Exit codes: 0 done; 1 refused by the exchange (500 ERROR); 2 wrong options, or a file here that cannot be used;
3 the exchange was not reached, or its answer cannot be read: what became of the message is not known.
"""

import argparse
import datetime
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from . import commands, items
from .durable import Busy
from .errors import ExchangeError, ExchangeRefused
from .pieces import KINDS
from .terminal import show_error, tell

DONE, REFUSED, USAGE, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ExchangeError as error:
        show_error(error, options.json)
        return REFUSED if isinstance(error, ExchangeRefused) else UNKNOWN
    except BrokenPipeError:
        # Else Python would complain once more when it closes the standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        tell("paraphe-client: nobody reads the standard output any more.")
        return USAGE
    except (ValueError, OSError, Busy) as error:
        tell(f"paraphe-client: {error}")
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED


class _Commands:
    """The subcommands, each with the common options."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(
        self, name: str, run: Callable[[argparse.Namespace], int], *, patience: float = 0.0
    ) -> argparse.ArgumentParser:
        about = str(run.__doc__)
        parser = self._parsers.add_parser(name, help=about, description=about)
        parser.set_defaults(run=run)
        group = parser.add_argument_group("exchange")
        group.add_argument("--url", help="address of the exchange, or a WSDL file (PARAPHE_URL)")
        group.add_argument("--user", help="apiUser (PARAPHE_API_USER)")
        group.add_argument("--key", help="apiKey (PARAPHE_API_KEY, which unlike this option no process list shows)")
        group.add_argument("--config", type=Path, help="INI file (~/.config/paraphe-client.ini)")
        group.add_argument("--soap", choices=("1.1", "1.2"), default="1.1", help="version of SOAP")
        group.add_argument("--timeout", type=float, default=60.0, help="longest silence in seconds (60)")
        group.add_argument(
            "--patience", type=float, default=patience, help=f"send again for this many seconds ({patience:g})"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        return parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="paraphe-client", description="Exchange with a Paraphe server.", epilog=__doc__
    )
    every = _Commands(parser)
    every.add("check-connection", commands.check_connection)
    _repositories(every)
    _signatures(every)
    _invoices(every)
    _records(every)
    raw = every.add("call", commands.call)
    raw.add_argument("operation", metavar="OPERATION", help="for example SyncStudents")
    raw.add_argument("file", metavar="FILE.xml", type=Path, help="a request element or a whole envelope")
    return parser


def _repositories(every: _Commands) -> None:
    upload = every.add("upload", commands.upload, patience=120.0)
    upload.add_argument("kind", choices=sorted(KINDS))
    upload.add_argument("path", metavar="FILE.xml", type=Path, help="a Sync… element, or any root with the items")
    upload.add_argument("--mode", choices=get_args(items.SyncMode), default="UPSERT")
    upload.add_argument(
        "--keep-valid",
        dest="on_error",
        action="store_const",
        const="KEEP_VALID",
        default="REJECT_ALL",
        help="store the valid items, report the others",
    )
    upload.add_argument("--max-removals", type=int, help="with REPLACE: how many may become inactive")
    upload.add_argument("--dry-run", action="store_true", help="say what would happen, store nothing")
    upload.add_argument(
        "--items", dest="items_per_message", type=_positive, default=500, help="items in one message (500)"
    )
    upload.add_argument("--report", type=Path, help="CSV of rejected items (FILE.rejected.csv with --keep-valid)")
    upload.add_argument("--state", type=Path, help="how far it came (FILE.upload)")


def _signatures(every: _Commands) -> None:
    page = every.add("get-signature-list", commands.get_signature_list)
    page.add_argument("--cursor", help="nextCursor of an earlier answer")
    poll = every.add("poll", commands.poll, patience=120.0)
    poll.add_argument("--state", type=Path, required=True, help="file that keeps the cursor")
    poll.add_argument("--output", type=Path, help="file to append to (the standard output)")
    poll.add_argument("--images", type=Path, help="folder for the images, each named by its SHA-256")
    often = poll.add_mutually_exclusive_group()
    often.add_argument("--once", action="store_true", help="poll once (unless --every is given)")
    often.add_argument("--every", metavar="SECONDS", type=_seconds, help="poll again and again")
    for parser in (page, poll):
        parser.add_argument(
            "--since", dest="modified_since", metavar="TIME", type=commands.moment, help="what changed at or after TIME"
        )
        day = datetime.date.fromisoformat
        parser.add_argument("--period", metavar=("FIRST", "LAST"), nargs=2, type=day, help="days of the courses")
        for name in ("course", "student", "teacher"):
            parser.add_argument(f"--{name}", dest=f"{name}_reference", metavar="REFERENCE", help=f"only this {name}")
        parser.add_argument("--status", choices=get_args(items.AttendanceStatus))
        parser.add_argument("--limit", type=_positive, help="participants in one answer (1000)")


def _invoices(every: _Commands) -> None:
    def writing(name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        parser = every.add(name, run)
        parser.add_argument("--message-id", help="the caller's number of this message; a new one if left out")
        return parser

    invoice = writing("send-invoice", commands.send_invoice)
    _path(invoice, "file", "FILE.pdf")
    invoice.add_argument("--hints", metavar="FILE.json", type=Path, help="what is known of the invoice")
    info = writing("send-invoicing-info", commands.send_invoicing_info)
    _path(info, "elements", "FILE.json")
    review = writing("review-record", commands.review_record)
    review.add_argument("record_number", metavar="NUMBER")
    _path(review, "elements", "FILE.json")
    simple = writing("add-simple-invoice", commands.add_simple_invoice)
    document = writing("add-simple-document", commands.add_simple_document)
    for parser in (simple, document):
        parser.add_argument("record_number", metavar="NUMBER")
        _path(parser, "file", "FILE.pdf")
    document.add_argument("--type", dest="document_type", choices=get_args(items.DocumentType), required=True)
    document.add_argument("--title", required=True)
    acknowledge = writing("acknowledge-records", commands.acknowledge_records)
    acknowledge.add_argument("record_numbers", metavar="NUMBER", nargs="+")


def _records(every: _Commands) -> None:
    record = every.add("get-record", commands.get_record)
    record.add_argument("record_number", metavar="NUMBER")
    record.add_argument("--format", choices=get_args(items.RecordFormat), default="INDEX", type=str.upper)
    record.add_argument("--output", type=Path, help="where to write the PDF or ZIP")
    page = every.add("get-record-list", commands.get_record_list)
    page.add_argument("--cursor", help="nextCursor of the page before")
    page.add_argument("--include-extracted", action="store_true")
    page.add_argument("--created-from", metavar="TIME", type=commands.moment)
    page.add_argument("--created-to", metavar="TIME", type=commands.moment)
    page.add_argument("--invoice-number")
    extract = every.add("extract", commands.extract, patience=120.0)
    extract.add_argument("folder", metavar="FOLDER", type=Path)
    extract.add_argument("--format", choices=("zip", "pdf"), default="zip", type=str.lower)
    for parser in (page, extract):
        parser.add_argument("--status", choices=get_args(items.RecordStatus))
        parser.add_argument("--limit", type=_positive, help="records in one answer (1000)")


def _path(parser: argparse.ArgumentParser, name: str, metavar: str) -> None:
    parser.add_argument(name, metavar=metavar, type=Path)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("a time in seconds")
    return number


if __name__ == "__main__":
    sys.exit(main())
