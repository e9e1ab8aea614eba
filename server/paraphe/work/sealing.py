"""The seal on what a record holds: on papers that are made, and on a copy of the invoice beside the untouched one.

What cannot be sealed stays unsealed, and is never held up by it; the reason is in the log and in the record's history.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection, select, update

from ..accounts import Account
from ..context import Context
from ..documents.certificates import Credential, NoCredential
from ..documents.papers import Paper
from ..documents.seal import Lack, Sealed, Unsealable, raise_level, seal
from ..documents.stamp import Stamp
from ..seals import Seals
from ..store import document, reading, record
from . import filing
from .filing import Event, File
from .jobs import Failed, Job
from .workers import Store, Workplace

log = logging.getLogger("paraphe.seals")
#: How long the address on a stamp works: as long as accounting documents are kept.
ON_PAPER = timedelta(days=3653)


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

    def invoice(self, original: tuple[str, str], number: str) -> tuple[list[File], str | None]:
        """Seal a copy of an invoice, and keep it; none, with the reason, if it cannot be sealed."""
        digest, name = original
        stem = name.removesuffix(".pdf")
        copy = File("INVOICE", f"{stem} (copie scellée)", f"{stem}-scellee.pdf", "", 0, made=True).numbered()
        addresses = replace(self.workplace.addresses, lifetime=ON_PAPER)
        url = addresses.url("documents", copy.link, ".pdf", self.workplace.clock())
        try:
            content = self.workplace.archive.read(digest)
            sealed = self._sealed(
                content, f"Facture du dossier {number}", Stamp(url, self.account.time_zone), foreign=True
            )
        except Unsealable as reason:
            log.warning("invoice not sealed", extra={"account": self.account.id, "reason": reason.code})
            return [], reason.code
        return [self._kept(copy, sealed)], None

    def _sealed(self, content: bytes, reason: str, stamp: Stamp | None, *, foreign: bool) -> Sealed:
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

    def _kept(self, file: File, sealed: Sealed) -> File:
        self.workplace.progress()
        return replace(
            file,
            sha256=self.workplace.archive.keep(sealed.content),
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


# What a time stamp that failed cost ----------------------------------------------------------------------------


def lacks_time_stamp(files: Sequence[File]) -> bool:
    """Say whether a seal is below its level for a reason that passes."""
    return any(file.seal_lack == Lack.TIME_STAMP_UNAVAILABLE for file in files)


def raise_seals(workplace: Workplace, account: Account, job: Job) -> Store:
    """Catch up with the time stamps that a record's seals lack; Failed while the authority does not answer."""
    lacking = (document.c.record_id == job.record_id) & (document.c.seal_lack == Lack.TIME_STAMP_UNAVAILABLE.value)
    with reading(workplace.engine) as connection:
        found = select(document.c.id, document.c.sha256).where(lacking, document.c.replaced_in.is_(None))
        rows = connection.execute(found.order_by(document.c.id)).all()
    seals = workplace.seals
    if not rows or seals is None:
        return lambda context: None
    raised = []
    for number, digest in rows:
        sealed = raise_level(workplace.archive.read(digest), seals.authority, aim=seals.aim)
        if sealed.lack == Lack.TIME_STAMP_UNAVAILABLE:
            raise Failed(sealed.lack.value)
        workplace.progress()
        raised.append((number, digest, workplace.archive.keep(sealed.content), sealed))
    return lambda context: _raise(context, job.record_id, raised)


def _raise(context: Context, record_id: int, raised: Sequence[tuple[int, str, str, Sealed]]) -> None:
    """Let the documents have the bytes that were added to them, as the record's next version.

    The record is locked before them, as by everybody; papers that were replaced meanwhile stay as they were.
    """
    context.connection.execute(select(record.c.id).where(record.c.id == record_id).with_for_update(key_share=True))
    outcome = []
    grown = 0
    for number, before, after, sealed in raised:
        same = (document.c.id == number) & (document.c.sha256 == before) & document.c.replaced_in.is_(None)
        values = {"sha256": after, "size_bytes": len(sealed.content), "seal_level": sealed.level.value}
        lack = sealed.lack and sealed.lack.value
        size = context.connection.scalar(select(document.c.size_bytes).where(same).with_for_update())
        if size is not None:
            context.connection.execute(update(document).where(same).values(**values, seal_lack=lack))
            outcome.append({"from": before, "to": after, "level": sealed.level.value})
            grown += len(sealed.content) - size
    if outcome:
        number = context.connection.execute(select(record.c.record_number).where(record.c.id == record_id)).scalar_one()
        _, version = filing.change(context, number, size_bytes=record.c.size_bytes + grown)
        filing.note(context, Event.SEAL_RAISED, {record_id: {"version": version - 1}}, {"documents": outcome})
