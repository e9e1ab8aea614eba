"""The upload of an XML file of any size: cut into messages, each stored whole, resumed where it was interrupted.

The items go out byte for byte as they stand in the file; only the message around them is made here.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .answers import SyncAnswer
from .codec import NAMESPACE, decode
from .errors import ExchangeRefused, ItemError
from .exchange import Exchange
from .items import OnError, SyncMode
from .ledger import Ledger, upload_digest
from .patience import PATIENT, Patience
from .pieces import KINDS, ItemFile, Kind, NotUsable

Progress = Callable[[int, int], None]


def _silent(_done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What to upload, and how. `kind` is students, teachers, classrooms, courses or contacts.

    `report` takes the rejected items; by default FILE.rejected.csv with KEEP_VALID. `state` remembers how far it came;
    by default FILE.upload. Both stand beside the file.
    """

    path: Path
    kind: str
    mode: SyncMode = "UPSERT"
    on_error: OnError = "REJECT_ALL"
    max_removals: int | None = None
    dry_run: bool = False
    items_per_message: int = 500
    report: Path | None = None
    state: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an upload did. `resumed_after`: items that an earlier, interrupted run had stored.

    `repeated`: messages that the exchange had stored before the interruption and answered again.
    """

    items: int
    messages: int
    created: int
    updated: int
    unchanged: int
    removed: int
    rejected: int
    repeated: int
    resumed_after: int
    dry_run: bool
    report: str | None = None


def upload_file(
    exchange: Exchange,
    upload: Upload,
    *,
    patience: Patience = PATIENT,
    progress: Progress = _silent,
) -> Outcome:
    """Upload a file of items; go on where an earlier run of the same upload was interrupted.

    Raises NotUsable before anything is sent, and ExchangeRefused or ExchangeUnavailable in between: then what was sent
    before is stored, and the next run goes on from there. Raises durable.Busy if another process uploads the file, and
    durable.NotOurs if the state file is something else.
    """
    kind = KINDS[upload.kind]
    with ItemFile(upload.path, kind) as file:
        digest, total = file.survey(_options(upload))
        if upload.mode == "REPLACE" and total > upload.items_per_message:
            raise NotUsable(
                f"{upload.path} holds {total} items and a message takes {upload.items_per_message}. A REPLACE must be "
                f"one message: cut in pieces, each piece would archive what is in the others. Allow {total} items in a "
                "message if the exchange takes that many, or use UPSERT."
            )
        ledger = _ledger(upload, digest)
        with ledger.kept():
            resumed_after = ledger.items
            progress(ledger.items, total)
            for piece in file.pieces(upload.items_per_message, skip=ledger.items):
                _send(exchange, upload, kind, piece, ledger, patience)
                progress(ledger.items, total)
    return Outcome(
        items=ledger.items,
        messages=ledger.parts,
        repeated=ledger.repeated,
        resumed_after=resumed_after,
        dry_run=upload.dry_run,
        report=str(ledger.report) if ledger.report else None,
        **ledger.counts,
    )


def _send(
    exchange: Exchange, upload: Upload, kind: Kind, piece: list[bytes], ledger: Ledger, patience: Patience
) -> None:
    """Send the next piece and confirm it in the ledger."""
    # A dry run stores nothing: there is nothing to protect from being done twice.
    message_id = None if upload.dry_run else ledger.message_id()
    request = _request(upload, kind, piece, message_id)
    send = partial(exchange.send_xml, kind.operation, request, message_id=message_id)
    try:
        answer = decode(SyncAnswer, patience.send(send))
    except ExchangeRefused as refused:
        errors = _in_file(refused.errors, kind, ledger.items)
        ledger.note(errors)
        first, last = ledger.items + 1, ledger.items + len(piece)
        before = f" The {ledger.items} before them are stored." if ledger.items and not upload.dry_run else ""
        raise ExchangeRefused(
            f"Items {first} to {last} were refused, and nothing of them is stored.{before} {refused.message}",
            request_id=refused.request_id,
            errors=errors,
            fault=refused.fault,
            retry_after=refused.retry_after,
            message_id=message_id,
            xml=refused.xml,
        ) from refused
    ledger.confirm(len(piece), answer, _in_file(answer.errors, kind, ledger.items))


def _request(upload: Upload, kind: Kind, piece: list[bytes], message_id: str | None) -> bytes:
    options = "".join(
        f"<{name}>{value}</{name}>" for name, value in {"messageId": message_id, **_options(upload)}.items() if value
    )
    return b'<%b xmlns="%b">%b<%b>%b</%b></%b>' % (
        kind.operation.encode(),
        NAMESPACE.encode(),
        options.encode(),
        kind.array.encode(),
        b"".join(piece),
        kind.array.encode(),
        kind.operation.encode(),
    )


def _options(upload: Upload) -> dict[str, str]:
    """Return the options of every message, as the contract writes and orders them; empty is left out."""
    return {
        "dryRun": "true" if upload.dry_run else "false",
        "mode": upload.mode,
        "onError": upload.on_error,
        "maxRemovals": "" if upload.max_removals is None else str(upload.max_removals),
    }


def _ledger(upload: Upload, digest: str) -> Ledger:
    path = upload.path
    state = upload.state or path.with_name(f"{path.name}.upload")
    report = upload.report
    if report is None and upload.on_error == "KEEP_VALID":
        report = path.with_name(f"{path.name}.rejected.csv")
    return Ledger(
        upload=upload_digest(digest, upload.kind, _options(upload), upload.items_per_message),
        state=None if upload.dry_run else state,
        report=report,
    )


def _in_file(errors: Iterable[ItemError], kind: Kind, before: int) -> list[ItemError]:
    """Give errors their place in the file: `before` items stand there before the message's first one."""
    return [replace(error, index=_index(error, kind, before)) for error in errors]


def _index(error: ItemError, kind: Kind, before: int) -> int | None:
    if error.index is not None:
        return before + error.index
    in_path = re.search(rf"/{kind.item}\[(\d+)\]", error.path or "")
    return before + int(in_path[1]) if in_path else None
