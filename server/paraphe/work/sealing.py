"""The seal on what a record holds: on papers that are made, and on a copy of the invoice beside the untouched one.

What cannot be sealed stays unsealed, and is never held up by it; the reason is in the log and in the record's history.
"""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from ..accounts import Account
from ..documents.certificates import Credential, NoCredential
from ..documents.papers import Paper
from ..documents.seal import Sealed, Unsealable, seal
from ..documents.stamp import Stamp
from ..seals import Seals
from .filing import File
from .workers import Workplace

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
        copy = File("INVOICE", f"{stem} (copie scellée)", f"{stem}-scellee.pdf", "", 0, made=True)
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
