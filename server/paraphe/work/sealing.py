"""The seal on what a record holds: on papers that are made, and on a copy of the invoice beside the untouched one.

What cannot be sealed stays unsealed, and is never held up by it; the reason is in the log and in the record's history.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, select, update

from ..accounts import Account
from ..context import Context
from ..documents.certificates import Credential, NoCredential
from ..documents.papers import Paper
from ..documents.seal import Lack, Sealed, Unsealable, raise_level, seal
from ..documents.stamp import Stamp
from ..seals import Seals
from ..spool import Content, InFile, Spooled, spooled
from ..store import document, reading, record
from ..store import seal as seal_table
from . import filing
from .filing import Event, File, is_numbered
from .jobs import Failed, Job, Kind, enqueue
from .workers import Store, Workplace

_Body = TypeVar("_Body", bytes, InFile)
log = logging.getLogger("paraphe.seals")
#: How long the address on a stamp works: as long as accounting documents are kept.
ON_PAPER = timedelta(days=3653)
_AUTHORITY_IS_BACK = timedelta(minutes=5)
_INVOICES = ("INVOICE", "SIMPLE_INVOICE")


@dataclass(frozen=True, slots=True)
class Original:
    """An invoice as it came, of which there is no sealed copy yet."""

    id: int
    document_type: str
    title: str | None
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Sealing:
    """An account's seal at work."""

    workplace: Workplace
    account: Account
    seals: Seals
    credential: Credential

    def paper(self, file: File, paper: Paper) -> File:
        """Seal a paper that was made, and keep it."""
        return self._kept(file, self._sealed(paper.content, paper.title, None, foreign=False))

    def whole(self, file: File, content: InFile, title: str) -> File:
        """Seal a record's PDF, which is in a file and stays in files, and keep it."""
        return self._kept(file, self._sealed(content, title, None, foreign=False))

    def copies(self, originals: Sequence[Original], number: str) -> tuple[list[File], str | None]:
        """Seal a copy of each invoice, and keep them; with the reason, if one cannot be sealed."""
        files, reason = list[File](), None
        for original in originals:
            try:
                files.append(self._copy(original, number))
            except Unsealable as unsealable:
                reason = unsealable.code
                log.warning("invoice not sealed", extra={"account": self.account.id, "reason": reason})
        return files, reason

    def _copy(self, original: Original, number: str) -> File:
        stem = original.file_name.removesuffix(".pdf")
        names = f"{stem} (copie scellée)", f"{stem}-scellee.pdf"
        copy = File(original.document_type, *names, "", 0, made=True, copy_of=original.id).numbered()
        addresses = replace(self.workplace.addresses, lifetime=ON_PAPER)
        url = addresses.url("documents", copy.link, ".pdf", self.workplace.clock())
        content = self.workplace.archive.read(original.sha256)
        stamp = Stamp(url, self.account.time_zone)
        return self._kept(copy, self._sealed(content, f"Facture du dossier {number}", stamp, foreign=True))

    def _sealed(self, content: _Body, reason: str, stamp: Stamp | None, *, foreign: bool) -> Sealed[_Body]:
        return seal(
            content,
            self.credential,
            reason=reason,
            moment=self.workplace.clock(),
            stamp=stamp,
            authority=self.seals.authority,
            aim=self.seals.aim,
            foreign=foreign,
        )

    def _kept(self, file: File, sealed: Sealed[_Body]) -> File:
        self.workplace.progress()
        return replace(
            file,
            sha256=_keep(self.workplace, sealed.content),
            size_bytes=len(sealed.content),
            seal_level=sealed.level.value,
            seal_lack=sealed.lack and sealed.lack.value,
        )


def sealing_of(workplace: Workplace, connection: Connection, account: Account) -> tuple[Sealing | None, str | None]:
    """Return the seal of an account; without one that can be used None, and the reason if there should be one."""
    if workplace.seals is None:
        return None, None
    try:
        credential = workplace.seals.credential_of(connection, account)
        if credential is None:
            return None, None
        credential.ensure_valid(workplace.clock())
    except NoCredential as reason:
        log.warning("seal not usable", extra={"account": account.id, "reason": reason.code})
        return None, reason.code
    return Sealing(workplace, account, workplace.seals, credential), None


def _keep(workplace: Workplace, content: bytes | InFile) -> str:
    if isinstance(content, bytes | Spooled):
        return workplace.archive.keep(content)
    return workplace.archive.keep(spooled(content.pieces(), workplace.archive.place()))


# Invoices ------------------------------------------------------------------------------------------------------


def ask(context: Context, number: str) -> None:
    """Have the invoices of a record sealed once this transaction is committed, if the account has a seal."""
    seals = select(seal_table.c.id).where(seal_table.c.account_id == context.account.id)
    found = select(record.c.id).where(is_numbered(context, number), seals.exists())
    for record_id in context.connection.scalars(found).all():
        enqueue(context, Kind.SEAL_INVOICE, record_id)


def originals(connection: Connection, record_id: int) -> list[Original]:
    """Return the invoices of a record of which there is no sealed copy."""
    copy = document.alias()
    untouched = (document.c.record_id == record_id) & document.c.document_type.in_(_INVOICES) & ~document.c.made
    names = "id", "document_type", "title", "file_name", "sha256"
    copied = select(copy.c.id).where(copy.c.record_id == record_id, copy.c.copy_of == document.c.id)
    columns = [document.c[name] for name in names]
    found = select(*columns).where(untouched, ~copied.exists()).order_by(document.c.id)
    return [Original(*row) for row in connection.execute(found)]


def seal_invoices(workplace: Workplace, account: Account, job: Job) -> Store:
    """Seal copies of the invoices of a record that have none. Failed if the account's seal cannot be used."""
    with reading(workplace.engine) as connection:
        found = originals(connection, job.record_id)
        number = connection.scalars(select(record.c.record_number).where(record.c.id == job.record_id)).one()
        sealing, reason = sealing_of(workplace, connection, account)
    if reason is not None:
        raise Failed(reason)
    if not found or sealing is None:
        return lambda context: None
    copies, unsealed = sealing.copies(found, number)
    return lambda context: _add(context, job.record_id, number, copies, unsealed)


def new_copies(context: Context, record_id: int, copies: Sequence[File]) -> list[File]:
    """Return those of the sealed copies whose originals have got none meanwhile."""
    still = {each.id for each in originals(context.connection, record_id)}
    return [each for each in copies if each.copy_of in still]


def _add(context: Context, record_id: int, number: str, copies: Sequence[File], unsealed: str | None) -> None:
    """Let sealed copies join a record, as its next version."""
    at = select(record.c.version).where(record.c.id == record_id).with_for_update()
    version = context.connection.scalars(at).one()
    files = new_copies(context, record_id, copies)
    if files:
        grown = sum(file.size_bytes for file in files)
        counts = {"document_count": record.c.document_count + len(files), "size_bytes": record.c.size_bytes + grown}
        filing.change(context, number, **counts)
        filing.attach_all(context, record_id, files)
        wait_for_time_stamps(context, record_id, files)
        filing.ask_for_pdf(context, record_id)
    outcome = {"documents": [file.document_id for file in files], "unsealed": unsealed}
    filing.note(context, Event.SEALED, {record_id: {"version": version}}, outcome)


# What a time stamp that failed cost ----------------------------------------------------------------------------


def wait_for_time_stamps(context: Context, record_id: int, files: Sequence[File]) -> None:
    """Have the time stamps caught up, if a seal is below its level for a reason that passes."""
    if any(file.seal_lack == Lack.TIME_STAMP_UNAVAILABLE for file in files):
        enqueue(context, Kind.RAISE_SEAL, record_id, after=_AUTHORITY_IS_BACK)


def raise_seals(workplace: Workplace, account: Account, job: Job) -> Store:
    """Catch up with the time stamps that a record's seals lack; Failed while the authority does not answer."""
    lacking = (document.c.record_id == job.record_id) & (document.c.seal_lack == Lack.TIME_STAMP_UNAVAILABLE.value)
    with reading(workplace.engine) as connection:
        columns = document.c.id, document.c.sha256, document.c.whole_of.is_not(None)
        of_now = document.c.whole_of.is_(None) | (document.c.whole_of == record.c.version)
        found = (
            select(*columns)
            .join(record, document.c.record_id == record.c.id)
            .where(lacking, document.c.replaced_in.is_(None), of_now)
        )
        every = [tuple(row) for row in connection.execute(found.order_by(document.c.id))]
    # A PDF of documents that are about to change is about to be made anew.
    rows = [row[:2] for row in every if not row[2]] or [row[:2] for row in every]
    seals = workplace.seals
    if not rows or seals is None:
        return lambda context: None
    raised = []
    for number, digest in rows:
        sealed = _raised(workplace.archive.content(digest), seals)
        if sealed.lack == Lack.TIME_STAMP_UNAVAILABLE:
            raise Failed(sealed.lack.value)
        workplace.progress()
        raised.append((number, digest, _keep(workplace, sealed.content), sealed))
    return lambda context: _raise(context, job.record_id, raised)


def _raised(content: Content, seals: Seals) -> Sealed[bytes] | Sealed[InFile]:
    if isinstance(content, bytes):
        return raise_level(content, seals.authority, aim=seals.aim)
    return raise_level(content, seals.authority, aim=seals.aim)


def _raise(context: Context, record_id: int, raised: Sequence[tuple[int, str, str, Sealed[Any]]]) -> None:
    """Let the documents have the bytes that were added to them, as the record's next version.

    The PDF of the record may have its own in the version that it belongs to: nothing in the record changes by it.
    The record is locked before its documents, as by everybody; what was replaced meanwhile stays as it was.
    """
    context.connection.execute(select(record.c.id).where(record.c.id == record_id).with_for_update(key_share=True))
    outcome = []
    grown, whole = 0, True
    for number, before, after, sealed in raised:
        same = (document.c.id == number) & (document.c.sha256 == before) & document.c.replaced_in.is_(None)
        values = {"sha256": after, "size_bytes": len(sealed.content), "seal_level": sealed.level.value}
        lack = sealed.lack and sealed.lack.value
        columns = document.c.size_bytes, document.c.whole_of
        row = context.connection.execute(select(*columns).where(same).with_for_update()).one_or_none()
        if row is not None:
            context.connection.execute(update(document).where(same).values(**values, seal_lack=lack))
            outcome.append({"from": before, "to": after, "level": sealed.level.value})
            whole = whole and row.whole_of is not None
            grown += len(sealed.content) - row.size_bytes
    if not outcome:
        return
    number, version = context.connection.execute(
        select(record.c.record_number, record.c.version).where(record.c.id == record_id)
    ).one()
    if not whole:
        filing.change(context, number, size_bytes=record.c.size_bytes + grown)
        filing.ask_for_pdf(context, record_id)
    filing.note(context, Event.SEAL_RAISED, {record_id: {"version": version}}, {"documents": outcome})
