"""What each subcommand does, once its options are read.

An option bears the name of the parameter or member that it is for (`dest`), and finds its way by it.
"""

import argparse
import datetime
import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

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

Options = argparse.Namespace


def connect(options: Options) -> Exchange:
    """Return the exchange that the options, the environment or the INI file name."""
    access = find_access(vars(options), options.config)
    return Exchange(access.url, access.user, access.key, timeout=options.timeout, soap=options.soap)


def check_connection(options: Options) -> int:
    """Show who is calling and what is in force."""
    return _answered(options, Exchange.check_connection)


def upload(options: Options) -> int:
    """Upload a file of items."""
    job = Upload(**_named(Upload, options))
    with connect(options) as exchange:
        outcome = upload_file(exchange, job, patience=_patience(options), progress=Bar(options.kind))
    show(outcome, options.json)
    return 0


def get_signature_list(options: Options) -> int:
    """Show one page of attendance and signatures."""
    return _answered(options, Exchange.get_signature_list, **_period(options))


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
    return _answered(options, Exchange.send_invoice, **_content(options.file), hints=hints)


def send_invoicing_info(options: Options) -> int:
    """Open a record from the elements of an invoice."""
    return _answered(options, Exchange.send_invoicing_info, invoice=_elements(options.elements))


def review_record(options: Options) -> int:
    """Settle a record that waits for a review."""
    return _answered(options, Exchange.review_record, invoice=_elements(options.elements))


def add_simple_invoice(options: Options) -> int:
    """Add an invoice to a record."""
    return _answered(options, Exchange.add_simple_invoice, **_content(options.file))


def add_simple_document(options: Options) -> int:
    """Add another document to a record."""
    return _answered(options, Exchange.add_simple_document, **_content(options.file))


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
    return _answered(options, Exchange.get_record_list)


def acknowledge_records(options: Options) -> int:
    """Mark records as extracted."""
    return _answered(options, Exchange.acknowledge_records)


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


def _answered(options: Options, operation: Callable[..., Any], **read: Any) -> int:
    """Ask for one answer, patiently if that was wished, and show it; `read` is what no option holds by itself."""
    # Chosen here, so that a message that is sent again is the same message.
    if getattr(options, "message_id", "") is None:
        options.message_id = new_message_id()
    members = _named(operation, options) | read
    with connect(options) as exchange:
        show(_patience(options).send(partial(operation, exchange, **members)), options.json)
    return 0


def _named(target: Callable[..., Any], options: Options) -> dict[str, Any]:
    """Return the options that bear the names of the target's parameters."""
    return {name: getattr(options, name) for name in signature(target).parameters if name in options}


def _patience(options: Options) -> Patience:
    return Patience(seconds=options.patience, notice=tell)


def _question(options: Options) -> Question | None:
    question = Question(**_named(Question, options), **_period(options))
    return question if question != Question() else None


def _period(options: Options) -> dict[str, Any]:
    start, end = options.period or (None, None)
    return {"period_start": start, "period_end": end}


def _content(path: Path) -> dict[str, Any]:
    return {"file_name": path.name, "content": path.read_bytes()}


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
