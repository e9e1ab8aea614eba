"""The extraction of records into a folder: nothing lost, nothing twice, whenever it is killed.

Two files in the folder say how far it came. `.paraphe-extract.json` holds the numbers of the page in hand, written
before anything is done for it: the server takes a record off its list once it was sent whole, so after a kill the list
alone would not name it again. `index.csv` gets one line for each file, after the file has its final name: what stands
there is done. A start first finishes the page in hand.

A record may change at any moment. A file keeps its name only if the version is still the same after the download. An
acknowledgement, needed only where the server did not mark the record by itself, might mark a version that nobody has:
the records are looked at once more after it, before the page is let go.
"""

import csv
import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from . import durable, sheets
from .answers import RecordIndex
from .connection import new_message_id
from .errors import ExchangeError, ExchangeRefused, ExchangeUnavailable
from .exchange import Exchange
from .items import RecordStatus
from .patience import PATIENT, Patience

COLUMNS = (
    *("file", "recordNumber", "version", "status", "invoiceNumber", "invoiceDate", "payerName", "amountInclVat"),
    *("createdOn", "modifiedOn", "sizeBytes", "sha256"),
)
# What the files begin with: a sign-in page of a proxy is not taken for a document.
_BEGINNINGS = {"pdf": b"%PDF", "zip": b"PK"}
_STATE = ".paraphe-extract.json"
_TRIES = 10
_LONGEST_NAME = 120


def _silent(_text: str) -> None:
    """Tell nobody."""


@dataclass(kw_only=True)
class Extraction:
    """What an extraction did.

    `files` are the names of the new files. `without_document` are records that have nothing to extract yet.
    `failed` says of other records why they could not be had; the next extraction tries them again.
    """

    files: list[str] = field(default_factory=list)
    without_document: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def extract_records(
    exchange: Exchange,
    folder: Path,
    *,
    format: str = "zip",
    status: RecordStatus | None = None,
    limit: int | None = None,
    patience: Patience = PATIENT,
    notice: Callable[[str], None] = _silent,
) -> Extraction:
    """Put every record that is not extracted yet into `folder`, as "zip" or "pdf"; `limit` at a time.

    `notice` is called with the name of each new file. A record that changes later is listed again by the server and
    becomes a new file, with its new version in the name. Raises durable.Busy if another process works in the folder,
    ExchangeRefused and ExchangeUnavailable; the next call goes on.
    """
    if format not in _BEGINNINGS:
        raise ValueError('format is "zip" or "pdf"')
    folder.mkdir(parents=True, exist_ok=True)
    with durable.locked(folder / _STATE):
        inbox = _Inbox(exchange, folder, format, patience, notice)
        inbox.resume()
        cursor = None
        while True:
            page = patience.send(partial(exchange.get_record_list, limit=limit, cursor=cursor, status=status))
            inbox.take({record.record_number: record for record in page.records})
            if page.next_cursor is None:
                return inbox.done
            if page.next_cursor == cursor:
                raise ExchangeError("The answer does not follow the contract: there is more, and no new cursor.")
            cursor = page.next_cursor


class _Inbox:
    """The folder, with what is done and what is in hand."""

    def __init__(
        self,
        exchange: Exchange,
        folder: Path,
        suffix: str,
        patience: Patience,
        notice: Callable[[str], None],
    ) -> None:
        self.exchange = exchange
        self.folder = folder
        self.suffix = suffix
        self.patience = patience
        self.notice = notice
        self.done = Extraction()
        self._once_more: list[str] = []  # failed, to be tried by the next extraction
        self._state = folder / _STATE
        self._index = folder / "index.csv"
        self._filed = _filed(self._index)
        for remains in folder.glob(".*.part"):
            remains.unlink()

    def resume(self) -> None:
        """Finish the page that was in hand when the last extraction ended, if it did not come to its end."""
        state = durable.load(self._state, "numbers")
        if state is not None:
            self.take(dict.fromkeys(state["numbers"]))
            for number in state["numbers"]:
                self._file_older(number)

    def take(self, page: dict[str, RecordIndex | None]) -> None:
        """Bring the records of a page into the folder. None: look the record up, the list is of an earlier run."""
        page = {number: record for number, record in page.items() if number not in self.done.failed}
        if page:
            self._hold(page)
        for _ in range(_TRIES):
            unmarked = [number for number, record in page.items() if not self._settle(number, record)]
            if not unmarked:
                self._hold(())
                return
            message_id = new_message_id()
            self.patience.send(partial(self.exchange.acknowledge_records, unmarked, message_id=message_id))
            page = dict.fromkeys(unmarked)
        raise ExchangeUnavailable(f"These records go on changing: {', '.join(page)}. Extract again.")

    def _hold(self, numbers: Iterable[str]) -> None:
        """Put on the disk which records are in hand: those of the page, and those that failed before."""
        held = [*dict.fromkeys([*self._once_more, *numbers])]
        if held:
            durable.save(self._state, {"numbers": held})
        else:
            durable.remove(self._state)

    def _settle(self, number: str, record: RecordIndex | None) -> bool:
        """Have the newest version of a record in the folder; return whether nothing is left to do at the server."""
        try:
            for _ in range(_TRIES):
                record = record or self._look_up(number)
                if _name(record, self.suffix) in self._filed:
                    return record.extracted_on is not None
                if self._url(record) is None:
                    self.done.without_document.append(number)
                    return True
                record = self._fetch(record)
            raise ExchangeUnavailable("It changes faster than it can be downloaded.", status=HTTPStatus.OK)
        except ExchangeRefused as refused:
            if "UNKNOWN_RECORD" not in refused.codes:
                raise
            self.done.failed[number] = refused.message
        except ExchangeUnavailable as error:
            if error.status is None:  # the network, not this record
                raise
            self.done.failed[number] = error.message
            self._once_more.append(number)
        return True

    def _fetch(self, record: RecordIndex) -> RecordIndex:
        """Download a record and file it; return what the server says of it afterwards, perhaps of a newer version."""
        path = self.folder / _name(record, self.suffix)
        temporary = self.folder / f".{path.name}.part"
        fresh = record
        if not path.exists():  # else the last run was killed between the name and the line of the index
            try:
                self.patience.send(partial(self._download, record, temporary))
            except ExchangeUnavailable as error:
                fresh = self._look_up(record.record_number)
                if self._url(fresh) == self._url(record) or error.status is None:
                    raise
                return fresh  # the address had expired; here is another one
            fresh = self._look_up(record.record_number)
            if fresh.version != record.version:
                temporary.unlink()
                return fresh
            durable.keep(temporary, path)
        self._file(path, _row(path, fresh))
        return fresh

    def _file_older(self, number: str) -> None:
        """File what got its name just before a kill and is an older version by now: its elements are not told again."""
        for path in sorted(self.folder.glob(f"{_stem(number)}-v*.{self.suffix}")):
            stem, _, version = path.stem.rpartition("-v")
            if path.name not in self._filed and stem == _stem(number):
                elements = [""] * (len(COLUMNS) - 5)
                self._file(path, [path.name, number, version, *elements, *_size_and_digest(path)])

    def _file(self, path: Path, row: list[object]) -> None:
        """Write the line of a new file into the index."""
        durable.append(self._index, sheets.line(row))
        self._filed.add(path.name)
        self.done.files.append(path.name)
        self.notice(path.name)

    def _look_up(self, number: str) -> RecordIndex:
        answer = self.patience.send(partial(self.exchange.get_record, number, "INDEX"))
        if answer.record_index is None:
            raise ExchangeError(f"The answer does not follow the contract: record {number} has no index.")
        return answer.record_index

    def _download(self, record: RecordIndex, temporary: Path) -> None:
        """Write the document of a record to a file, all of it on the disk."""
        with temporary.open("w+b") as file:
            self.exchange.download(self._url(record) or "", file)
            file.seek(0)
            if not file.read(4).startswith(_BEGINNINGS[self.suffix]):
                raise ExchangeUnavailable(
                    f"What came for record {record.record_number} is not a {self.suffix.upper()}.",
                    again=False,
                    status=HTTPStatus.OK,
                )
            os.fsync(file.fileno())

    def _url(self, record: RecordIndex) -> str | None:
        return record.pdf_url if self.suffix == "pdf" else record.zip_url


def _name(record: RecordIndex, suffix: str) -> str:
    return f"{_stem(record.record_number)}-v{record.version}.{suffix}"


def _stem(record_number: str) -> str:
    """Return what the names of a record's files begin with: numbers never share it, and stay visible in the folder."""
    number = quote(record_number, safe="")
    if not number[0].isalnum() and number[0] != "%":
        number = f"%{ord(number[0]):02X}{number[1:]}"
    if len(number) > _LONGEST_NAME:
        number = f"{number[:40]}-{hashlib.sha256(number.encode()).hexdigest()}"
    return number


def _row(path: Path, record: RecordIndex) -> list[object]:
    """Return the line of the index for a file, in the order of COLUMNS."""
    invoice = record.invoice
    return [
        path.name,
        record.record_number,
        record.version,
        record.status,
        invoice.invoice_number,
        invoice.invoice_date,
        invoice.payer_name,
        invoice.amount_incl_vat,
        record.created_on.isoformat(),
        record.modified_on.isoformat(),
        *_size_and_digest(path),
    ]


def _size_and_digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _filed(index: Path) -> set[str]:
    """Return the names of the files in the index; make it if need be, and take off a line that a kill cut short."""
    if not index.exists():
        durable.write(index, sheets.head(COLUMNS))
    content = index.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        durable.cut(index, whole)
    rows = csv.reader(content[:whole].decode("utf-8-sig").splitlines(), delimiter=";")
    return {row[0] for row in rows if row}
