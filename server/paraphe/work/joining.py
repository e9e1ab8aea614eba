"""The job JOIN: all of a record in one PDF, made and sealed once for each version that somebody wants, and kept.

It lies beside the record's documents and is none of them. A PDF belongs to one version and is never given as another:
what changes a record makes the one that is there a thing of the past.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, select, update

from .. import accounts
from ..accounts import Account
from ..context import Context
from ..documents import papers
from ..documents.bundle import Document
from ..documents.facts import Attached, Issue, Organisation
from ..documents.joined import NotJoined, joined_pdf
from ..spool import Held
from ..store import document, reading, record, writing
from . import elements, filing, organisations
from .filing import Event, File
from .jobs import Failed, Job
from .sealing import Sealing, catch_up, sealing_of
from .sittings import invoiced_of
from .typesetting import typesetting
from .workers import Store, Workplace

log = logging.getLogger("paraphe.records")
# Each is a process with a record in its memory: more at once than there are processors would make all of them late.
_AT_ONCE = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


@dataclass(frozen=True, slots=True)
class _Found:
    """A version of a record of which there is no PDF yet, and its documents."""

    number: str
    version: int
    said: Mapping[str, Any]
    documents: Sequence[Row[Any]]
    organisation: Organisation
    sealing: Sealing | None


def join(workplace: Workplace, account: Account, job: Job) -> Store:
    """Make the PDF of a record that is ready; nothing if it is there already, or will be asked for again."""
    with reading(workplace.engine) as connection:
        found = _missing(workplace, connection, account, job.record_id, "READY")
    if found is None:
        return lambda context: None
    whole, outcome = _made(workplace, account, found)
    return lambda context: _file(context, job.record_id, whole, outcome)


def make(workplace: Workplace, record_id: int, request_id: str) -> None:
    """Make the PDF of a record now, whatever its status, for somebody who waits; what prevents it is in the log.

    It may not be there afterwards: also if the record has changed meanwhile. Raises store.Busy and archive.Unavailable.
    """
    with _AT_ONCE:
        with reading(workplace.engine) as connection:
            number = connection.scalar(select(record.c.account_id).where(record.c.id == record_id))
            if number is None:
                return
            account = accounts.numbered(connection, number)
            found = _missing(workplace, connection, account, record_id)
        if found is None:
            return
        try:
            whole, outcome = _made(workplace, account, found)
        except Failed as failure:
            log.warning("no PDF", extra={"request_id": request_id, "reason": failure.reason})
            return
    with writing(workplace.engine) as connection:
        now = workplace.clock()
        context = Context(connection, account, now, request_id, workplace.archive, workplace.addresses, actor="server")
        _file(context, record_id, whole, outcome)


def _missing(
    workplace: Workplace, connection: Connection, account: Account, record_id: int, status: str | None = None
) -> _Found | None:
    columns = record.c.record_number, record.c.version, record.c.status
    row = connection.execute(select(*columns, *elements.COLUMNS).where(record.c.id == record_id)).one()
    if status not in (None, row.status) or _is_there(connection, record_id, row.version):
        return None
    current = (document.c.record_id == record_id) & document.c.replaced_in.is_(None) & document.c.whole_of.is_(None)
    names = "document_type", "title", "file_name", "sha256", "size_bytes", "created_on", "seal_level"
    found = select(*(document.c[name] for name in names)).where(current).order_by(document.c.id)
    documents = connection.execute(found).all()
    if not documents:
        return None
    organisation = organisations.of_account(connection, account) or Organisation(account.name)
    sealing = sealing_of(workplace, connection, account)
    return _Found(row.record_number, row.version, elements.said(tuple(row)[3:]), documents, organisation, sealing)


def _is_there(connection: Connection, record_id: int, version: int) -> bool:
    whole = (document.c.record_id == record_id) & (document.c.whole_of == version)
    return connection.scalar(select(document.c.id).where(whole)) is not None


# Made ----------------------------------------------------------------------------------------------------------


def _made(workplace: Workplace, account: Account, found: _Found) -> tuple[File, dict[str, Any]]:
    """Make the PDF and put it into the archive. Failed if it cannot be made."""
    title = f"Dossier de facturation {found.number}"
    blank = File("OTHER", title, f"{found.number}.pdf", "", 0, made=True, whole_of=found.version).numbered()
    held = Held()
    documents = [
        Document(row.document_type, row.title, row.file_name, row.sha256, row.created_on, content)
        for row in found.documents
        for content in [held.hold(workplace.archive.content(row.sha256))]
    ]
    try:
        joined = joined_pdf(_cover(workplace, account, found, blank), documents, title)
    except NotJoined as failure:
        raise Failed("NOT_JOINED") from failure
    names = [each.file_name for each in joined.left_out]
    if found.sealing is None:
        kept, unsealed = (
            replace(blank, sha256=workplace.archive.keep(joined.spooled()), size_bytes=len(joined.content)),
            None,
        )
    else:
        kept, unsealed = found.sealing.whole(blank, joined.content, title)
    outcome = {"document": kept.document_id, "level": kept.seal_level, "leftOut": names, "unsealed": unsealed}
    return replace(kept, left_out=json.dumps(names, ensure_ascii=False) if names else None), outcome


def _cover(workplace: Workplace, account: Account, found: _Found, blank: File) -> bytes:
    now = workplace.clock().astimezone(account.time_zone).replace(microsecond=0)
    url = workplace.addresses_on_paper.url("documents", blank.link, ".pdf", workplace.clock())
    listed = [_listed(row) for row in found.documents]
    issue = Issue(blank.document_id, now, found.number, url, account.is_sandbox)
    invoiced = invoiced_of(found.number, found.said)
    with typesetting():
        return papers.cover_page(issue, found.organisation, invoiced, listed, templates=workplace.templates).content


def _listed(row: Row[Any]) -> Attached:
    said = row.document_type, row.title or row.file_name, row.file_name, row.sha256, row.size_bytes
    return Attached(*said, level=row.seal_level or "")


# Filed ---------------------------------------------------------------------------------------------------------


def _file(context: Context, record_id: int, whole: File, outcome: Mapping[str, Any]) -> None:
    """Keep the PDF beside the record, unless that has changed, or has got one, meanwhile."""
    same = (record.c.id == record_id) & (record.c.version == whole.whole_of)
    version = context.connection.scalar(select(record.c.version).where(same).with_for_update())
    if version is None or _is_there(context.connection, record_id, version):
        return
    past = (document.c.record_id == record_id) & document.c.whole_of.is_not(None) & document.c.replaced_in.is_(None)
    context.connection.execute(update(document).where(past).values(replaced_in=version))
    filing.attach_all(context, record_id, [whole])
    catch_up(context, record_id, [whole])
    filing.note(context, Event.JOINED, {record_id: {"version": version}}, outcome)
