"""What is made of a record behind the answer, as it is asked for; the jobs are in preparing, sealing and joining.

Those are apart because who only asks need not load what papers and seals are made with: 45 MB in a process.
"""

from sqlalchemy import bindparam, select, update

from ..accounts import Account
from ..context import Context
from ..store import record, seal
from .jobs import Kind, enqueue

_OF_ACCOUNT = select(seal.c.id).where(seal.c.account_id == bindparam("account"))
_TO_BE_SEALED = select(record.c.id).where(
    record.c.account_id == bindparam("account"), record.c.record_number == bindparam("number"), _OF_ACCOUNT.exists()
)


def status_of(account: Account) -> str:
    """Return where a record stands that needs no person."""
    return "PREPARING" if account.prepares else "READY"


def for_papers(context: Context, record_id: int) -> None:
    """Have the papers of a record made once this transaction is committed, if the account has any made."""
    if context.account.prepares:
        wanted = record.c.papers_wanted + 1
        context.connection.execute(update(record).where(record.c.id == record_id).values(papers_wanted=wanted))
        enqueue(context, Kind.PREPARE, record_id)


def for_sealed_copies(context: Context, number: str) -> None:
    """Have the invoices of a record sealed once this transaction is committed, if the account has a seal."""
    asked = {"account": context.account.id, "number": number}
    for record_id in context.connection.scalars(_TO_BE_SEALED, asked).all():
        enqueue(context, Kind.SEAL_INVOICE, record_id)


def for_pdf(context: Context, record_id: int) -> None:
    """Have a record's PDF made, where records have papers; elsewhere it is made when somebody asks for it."""
    if context.account.prepares:
        enqueue(context, Kind.JOIN, record_id)
