"""What each subcommand does, once its options are read."""

import argparse
import datetime
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lxml import etree

from . import durable
from .access import find_access
from .batch import Upload, upload_file
from .codec import from_plain
from .connection import new_message_id
from .errors import ExchangeError, ExchangeRefused, ExchangeUnavailable
from .exchange import Exchange
from .extract import extract_records
from .items import InvoicingElements
from .patience import Patience
from .poll import Question, poll_signatures
from .terminal import Bar, show, tell
from .wire import ENVELOPES, envelope

T = TypeVar("T")
Options = argparse.Namespace


def connect(options: Options) -> Exchange:
    """Return the exchange that the options, the environment or the INI file name."""
    access = find_access(vars(options), options.config)
    return Exchange(access.url, access.user, access.key, timeout=options.timeout, soap=options.soap)


def check_connection(options: Options) -> int:
    """Show who is calling and what is in force."""
    return _answered(options, lambda exchange: exchange.check_connection())


def upload(options: Options) -> int:
    """Upload a file of items."""
    job = Upload(
        path=options.file,
        kind=options.kind,
        mode=options.mode,
        on_error="KEEP_VALID" if options.keep_valid else "REJECT_ALL",
        max_removals=options.max_removals,
        dry_run=options.dry_run,
        items_per_message=options.items,
        report=options.report,
        state=options.state,
    )
    with connect(options) as exchange:
        outcome = upload_file(exchange, job, patience=_patience(options), progress=Bar(options.kind))
    show(outcome, options.json)
    return 0


def get_signature_list(options: Options) -> int:
    """Show one page of attendance and signatures."""
    asked = vars(_question(options) or Question())
    return _answered(
        options,
        lambda exchange: exchange.get_signature_list(**asked, cursor=options.cursor, limit=options.limit),
    )


def poll(options: Options) -> int:
    """Hand over what is new, once or again and again."""
    with connect(options) as exchange:
        turn = partial(
            poll_signatures,
            exchange,
            options.state,
            _question(options),
            output=options.output,
            images=options.images,
            limit=options.limit,
            patience=_patience(options),
        )
        if options.every is None:
            turn()
            return 0
        while True:
            try:
                turn()
            except ExchangeError as error:
                if not error.again and not isinstance(error, ExchangeUnavailable):
                    raise
                tell(f"{error} The next poll is in {options.every:g} s.")
            time.sleep(options.every)


def send_invoice(options: Options) -> int:
    """Send an invoice, with hints if there are any."""
    hints = _elements(options.hints) if options.hints else None
    return _answered(
        options,
        lambda exchange: exchange.send_invoice(
            options.file.name, options.file.read_bytes(), hints=hints, message_id=options.message_id
        ),
    )


def send_invoicing_info(options: Options) -> int:
    """Open a record from the elements of an invoice."""
    elements = _elements(options.elements)
    return _answered(options, lambda exchange: exchange.send_invoicing_info(elements, message_id=options.message_id))


def review_record(options: Options) -> int:
    """Settle a record that waits for a review."""
    elements = _elements(options.elements)
    return _answered(
        options,
        lambda exchange: exchange.review_record(options.record_number, elements, message_id=options.message_id),
    )


def add_simple_invoice(options: Options) -> int:
    """Add an invoice to a record."""
    return _answered(
        options,
        lambda exchange: exchange.add_simple_invoice(
            options.record_number, options.file.name, options.file.read_bytes(), message_id=options.message_id
        ),
    )


def add_simple_document(options: Options) -> int:
    """Add another document to a record."""
    return _answered(
        options,
        lambda exchange: exchange.add_simple_document(
            options.record_number,
            options.type,
            options.title,
            options.file.name,
            options.file.read_bytes(),
            message_id=options.message_id,
        ),
    )


def get_record(options: Options) -> int:
    """Show a record, and write its content to a file."""
    if options.format != "INDEX" and options.output is None:
        raise ValueError("A PDF or a ZIP needs --output FILE.")
    with connect(options) as exchange:
        answer = _patience(options).send(partial(exchange.get_record, options.record_number, options.format))
    if answer.content is not None and options.output is not None:
        durable.write(options.output, answer.content)
    show(answer, options.json)
    return 0


def get_record_list(options: Options) -> int:
    """Show one page of records."""
    return _answered(
        options,
        lambda exchange: exchange.get_record_list(
            limit=options.limit,
            cursor=options.cursor,
            include_extracted=options.include_extracted,
            status=options.status,
            created_from=options.created_from,
            created_to=options.created_to,
            invoice_number=options.invoice_number,
        ),
    )


def acknowledge_records(options: Options) -> int:
    """Mark records as extracted."""
    return _answered(
        options,
        lambda exchange: exchange.acknowledge_records(options.record_numbers, message_id=options.message_id),
    )


def extract(options: Options) -> int:
    """Extract records into a folder."""
    with connect(options) as exchange:
        done = extract_records(
            exchange,
            options.folder,
            format=options.format,
            status=options.status,
            limit=options.limit,
            patience=_patience(options),
            notice=tell,
        )
    show(done, options.json)
    return 1 if done.failed else 0


def call(options: Options) -> int:
    """Send a request file as it is and print the answer, whatever it says."""
    try:
        root = etree.fromstring(options.file.read_bytes(), etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise ValueError(f"{options.file} is not well-formed XML: {error.msg}.") from error
    message = etree.tostring(root, encoding="UTF-8")
    versions = {f"{{{namespace}}}Envelope": version for version, namespace in ENVELOPES.items()}
    soap = versions.get(str(root.tag))
    options.soap = soap or options.soap
    with connect(options) as exchange:
        whole = message if soap else envelope(message, exchange.soap)
        try:
            result = exchange.send_envelope(options.operation, whole)
        except ExchangeRefused as refused:
            _print_xml(etree.fromstring(refused.xml, etree.XMLParser(huge_tree=True, resolve_entities=False)))
            raise
        _print_xml(result.getroottree().getroot())
    return 0


def _answered(options: Options, ask: Callable[[Exchange], T]) -> int:
    """Ask for one answer, patiently if that was wished, and show it."""
    # Chosen here, so that a message that is sent again is the same message.
    if getattr(options, "message_id", "") is None:
        options.message_id = new_message_id()
    with connect(options) as exchange:
        show(_patience(options).send(partial(ask, exchange)), options.json)
    return 0


def _patience(options: Options) -> Patience:
    return Patience(seconds=options.patience, notice=tell)


def _question(options: Options) -> Question | None:
    start, end = options.period or (None, None)
    question = Question(
        period_start=start,
        period_end=end,
        modified_since=options.since,
        course_reference=options.course,
        student_reference=options.student,
        teacher_reference=options.teacher,
        status=options.status,
    )
    return question if question != Question() else None


def _elements(path: Path) -> InvoicingElements:
    """Read invoicing elements from a JSON file, "-" for the standard input."""
    # As bytes: json knows UTF-8 with and without a byte order mark, and the UTF-16 of old Windows programs.
    content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    return from_plain(InvoicingElements, json.loads(content, parse_float=Decimal))


def _print_xml(root: Any) -> None:
    etree.indent(root, "  ")
    sys.stdout.write(etree.tostring(root, encoding="unicode") + "\n")


def moment(text: str) -> datetime.datetime:
    """Read a time such as 2026-01-31T08:00:00Z; without a zone it is of the account's."""
    return datetime.datetime.fromisoformat(text)
