"""The seal on what a record holds: on papers that are made, and on a copy of the invoice beside the untouched one.

What cannot be sealed stays unsealed, and is never held up by it; the reason is in the log and in the record's history.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, select, update

from ..accounts import Account
from ..context import Context
from ..documents import papers
from ..documents.certificates import Credential, NoCredential
from ..documents.papers import Paper
from ..documents.seal import Authority, Lack, Level, Sealed, Unsealable, raise_level, seal
from ..documents.stamp import Stamp
from ..spool import Content, InFile, Spooled, spooled
from ..store import document, reading, record
from . import asking, filing
from .filing import Event, File
from .jobs import Failed, Job, Kind, enqueue
from .workers import Store, Workplace

_Body = TypeVar("_Body", bytes, InFile)
log = logging.getLogger("paraphe.seals")
_IT_IS_BACK = timedelta(minutes=5)
_INVOICES = ("INVOICE", "SIMPLE_INVOICE")


@dataclass(frozen=True, slots=True)
class Original:
    """An invoice as it came, of which there is no sealed copy yet."""

    id: int
    document_type: str
    title: str | None
    file_name: str
    sha256: str


@dataclass(slots=True)
class Sealing:
    """An account's seal at work, for one job.

    `trouble` is the code of why it cannot be used, if that is so. What fails once is not tried again in that job: a
    token that does not answer, an authority for time stamps that is silent.
    """

    workplace: Workplace
    account: Account
    credential: Credential | None
    aim: Level
    authority: Authority | None
    trouble: str | None = None

    def paper(self, file: File, paper: Paper) -> File:
        """Seal a paper that was made, and keep it; unsealed if the seal cannot be used."""
        return self._made(file, paper.content, paper.title)

    def whole(self, file: File, content: InFile, title: str) -> tuple[File, str | None]:
        """Do the same with a record's PDF, which is in a file and stays in files; say why it is unsealed, if it is."""
        try:
            return self._made(file, content, title), self.trouble
        except Unsealable as reason:
            log.warning("record not sealed", extra={"account": self.account.id, "reason": reason.code})
            return self._kept(file, Sealed(content, Level.NONE)), reason.code

    def _made(self, file: File, content: _Body, title: str) -> File:
        try:
            return self._kept(file, self.sealed(content, title))
        except NoCredential:
            return self._kept(file, Sealed(content, Level.NONE, Lack.SEAL_UNAVAILABLE))

    def copies(self, originals: Sequence[Original], number: str) -> tuple[list[File], str | None]:
        """Seal a copy of each invoice, and keep them; with the reason, if one cannot be sealed."""
        files, reason = list[File](), None
        for original in originals:
            try:
                files.append(self._copy(original, number))
            except (Unsealable, NoCredential) as failure:
                reason = failure.code
                log.warning("invoice not sealed", extra={"account": self.account.id, "reason": reason})
        return files, reason

    def _copy(self, original: Original, number: str) -> File:
        stem = original.file_name.removesuffix(".pdf")
        names = f"{stem} (copie scellée)", f"{stem}-scellee.pdf"
        copy = File(original.document_type, *names, "", 0, made=True, copy_of=original.id).numbered()
        url = self.workplace.addresses_on_paper.url("documents", copy.link, ".pdf", self.workplace.clock())
        content = self.workplace.archive.read(original.sha256)
        stamp = Stamp(url, self.account.time_zone, specimen=self._specimen())
        return self._kept(copy, self.sealed(content, f"Facture du dossier {number}", stamp, foreign=True))

    def _specimen(self) -> str:
        """Return what says that a seal is of an account for trying out; empty if it is a real one."""
        return papers.specimen_mark(self.workplace.templates) if self.account.is_sandbox else ""

    def sealed(
        self, content: _Body, reason: str, stamp: Stamp | None = None, *, foreign: bool = False
    ) -> Sealed[_Body]:
        """Seal a document. Raises Unsealable, and NoCredential if the seal cannot be used, now or before."""
        if self.credential is None or self.trouble is not None:
            raise NoCredential(self.trouble or "", "The seal could not be used before.")
        reason = " : ".join(filter(None, (self._specimen(), reason)))
        how: dict[str, Any] = {"stamp": stamp, "authority": self.authority, "aim": self.aim, "foreign": foreign}
        try:
            return seal(content, self.credential, reason=reason, moment=self.workplace.clock(), **how)
        except NoCredential as failure:
            self.trouble = failure.code
            log.warning("seal not usable", extra={"account": self.account.id, "reason": failure.code})
            raise

    def _kept(self, file: File, sealed: Sealed[_Body]) -> File:
        self.workplace.progress()
        return replace(
            file,
            sha256=_keep(self.workplace, sealed.content),
            size_bytes=len(sealed.content),
            **_as_columns(sealed),
        )


def _as_columns(sealed: Sealed[Any]) -> dict[str, Any]:
    level = None if sealed.level is Level.NONE else sealed.level.value
    return {"seal_level": level, "seal_lack": sealed.lack and sealed.lack.value}


def sealing_of(workplace: Workplace, connection: Connection, account: Account) -> Sealing | None:
    """Return the seal of an account; None if it has none."""
    if workplace.seals is None:
        return None
    seals = workplace.seals()
    authority = seals.authority and seals.authority.for_one_job()
    try:
        credential = seals.credential_of(connection, account)
        if credential is None:
            return None
        credential.ensure_valid(workplace.clock())
    except NoCredential as reason:
        log.warning("seal not usable", extra={"account": account.id, "reason": reason.code})
        return Sealing(workplace, account, None, seals.aim, authority, reason.code)
    return Sealing(workplace, account, credential, seals.aim, authority)


def _keep(workplace: Workplace, content: bytes | InFile) -> str:
    if isinstance(content, bytes | Spooled):
        return workplace.archive.keep(content)
    return workplace.archive.keep(spooled(content.pieces(), workplace.archive.place()))


# Invoices ------------------------------------------------------------------------------------------------------


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
        sealing = sealing_of(workplace, connection, account)
    if not found or sealing is None:
        return lambda context: None
    copies, unsealed = sealing.copies(found, number)
    if sealing.trouble is not None:
        raise Failed(sealing.trouble)
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
        catch_up(context, record_id, files)
        asking.for_pdf(context, record_id)
    outcome = {"documents": [file.document_id for file in files], "unsealed": unsealed}
    filing.note(context, Event.SEALED, {record_id: {"version": version}}, outcome)


# What a failure cost --------------------------------------------------------------------------------------------

_PASSES = [Lack.TIME_STAMP_UNAVAILABLE.value, Lack.SEAL_UNAVAILABLE.value]


def catch_up(context: Context, record_id: int, files: Sequence[File], invoices: bool = False) -> None:
    """Have done later what seals lack for a reason that passes; `invoices` says that copies of them are missing too."""
    if any(file.seal_lack in _PASSES for file in files):
        enqueue(context, Kind.RAISE_SEAL, record_id, after=_IT_IS_BACK)
    if invoices:
        enqueue(context, Kind.SEAL_INVOICE, record_id, after=_IT_IS_BACK)


def raise_seals(workplace: Workplace, account: Account, job: Job) -> Store:
    """Catch up with the seals and time stamps that a record lacks; Failed while they still cannot be had."""
    with reading(workplace.engine) as connection:
        rows = _lacking(connection, job.record_id)
        sealing = sealing_of(workplace, connection, account)
    if sealing is None:
        return lambda context: None
    raised = []
    for row in rows:
        sealed = _raised(workplace.archive.content(row.sha256), row, sealing)
        if sealed.lack is not None and sealed.lack.value == row.seal_lack:
            raise Failed(sealing.trouble or sealed.lack.value)
        workplace.progress()
        raised.append((row.id, row.sha256, _keep(workplace, sealed.content), sealed))
    return lambda context: _raise(context, job.record_id, raised)


def _lacking(connection: Connection, record_id: int) -> list[Row[Any]]:
    """Return the documents of a record that lack something; its PDF only if nothing else does.

    A PDF of documents that are about to change is about to be made anew.
    """
    lacking = (document.c.record_id == record_id) & document.c.seal_lack.in_(_PASSES)
    columns = (document.c[name] for name in ("id", "sha256", "title", "seal_lack", "whole_of", "copy_of"))
    of_now = document.c.whole_of.is_(None) | (document.c.whole_of == record.c.version)
    found = (
        select(*columns)
        .join(record, document.c.record_id == record.c.id)
        .where(lacking, document.c.replaced_in.is_(None), of_now)
    )
    every = list(connection.execute(found.order_by(document.c.id)))
    return [row for row in every if row.whole_of is None] or every


def _raised(content: Content, row: Row[Any], sealing: Sealing) -> Sealed[bytes] | Sealed[InFile]:
    """Seal a document that has no seal, or raise the level of the one that it has."""
    body: Any = content
    if row.seal_lack != Lack.SEAL_UNAVAILABLE:
        try:
            return raise_level(body, sealing.authority, aim=sealing.aim, foreign=row.copy_of is not None)
        except Unsealable as reason:
            raise Failed(reason.code) from reason
    try:
        return sealing.sealed(body, row.title or "")
    except NoCredential:
        return Sealed(body, Level.NONE, Lack.SEAL_UNAVAILABLE)


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
        values = {"sha256": after, "size_bytes": len(sealed.content)} | _as_columns(sealed)
        columns = document.c.size_bytes, document.c.whole_of
        row = context.connection.execute(select(*columns).where(same).with_for_update()).one_or_none()
        if row is not None:
            context.connection.execute(update(document).where(same).values(values))
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
        asking.for_pdf(context, record_id)
    filing.note(context, Event.SEAL_RAISED, {record_id: {"version": version}}, {"documents": outcome})
    if any(sealed.lack is not None and sealed.lack.value in _PASSES for *_, sealed in raised):
        enqueue(context, Kind.RAISE_SEAL, record_id, after=_IT_IS_BACK)
