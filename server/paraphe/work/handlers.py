"""The jobs by their kind: what does each of them.

A handler is loaded when the first job of its kind is there. What papers and seals are made with takes some 45 MB and
half a second, which a server that makes none has better use for.
"""

from ..accounts import Account
from . import recognition
from .jobs import Job, Kind
from .workers import Handler, Store, Workplace


def prepare(workplace: Workplace, account: Account, job: Job) -> Store:
    """Do the job PREPARE."""
    from . import preparing

    return preparing.prepare(workplace, account, job)


def seal_invoices(workplace: Workplace, account: Account, job: Job) -> Store:
    """Do the job SEAL_INVOICE."""
    from . import sealing

    return sealing.seal_invoices(workplace, account, job)


def raise_seals(workplace: Workplace, account: Account, job: Job) -> Store:
    """Do the job RAISE_SEAL."""
    from . import sealing

    return sealing.raise_seals(workplace, account, job)


def join(workplace: Workplace, account: Account, job: Job) -> Store:
    """Do the job JOIN."""
    from . import joining

    return joining.join(workplace, account, job)


def make_pdf(workplace: Workplace, record_id: int, request_id: str) -> None:
    """Do at once, for somebody who waits, what JOIN does; see joining.make."""
    from . import joining

    joining.make(workplace, record_id, request_id)


JOBS: dict[Kind, Handler] = {
    Kind.RECOGNISE: recognition.recognise,
    Kind.PREPARE: prepare,
    Kind.SEAL_INVOICE: seal_invoices,
    Kind.RAISE_SEAL: raise_seals,
    Kind.JOIN: join,
}


def jobs_here() -> dict[Kind, Handler]:
    """Return the jobs that can be done on this machine; the others wait in the queue for one that can."""
    return {kind: handler for kind, handler in JOBS.items() if kind != Kind.RECOGNISE or recognition.is_possible()}
