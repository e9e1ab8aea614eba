"""The queue of work that outlives a call: worker, jobs list, jobs retry."""

import argparse
import signal

from .. import __version__, store
from ..serve import log_as_json
from ..work import jobs
from .house import changing, ensure_templates, now, opened, settings_of
from .line import Commands, show, table


def add_to(whole: Commands) -> None:
    """Add the commands of this module."""
    whole.add(
        "worker", _worker, "database", "store", "public_url", "job_threads", "templates", "log_level", as_json=False
    )
    commands = whole.group("jobs", "List jobs of the queue, and have those that failed tried again.")
    listing = commands.add("list", _list, "database")
    listing.add_argument("--failed", action="store_true", help="only those that will not be tried again by themselves")
    again = commands.add("retry", _retry, "database")
    again.add_argument("job", type=int, metavar="JOB", help="the job's number, as `jobs list` shows it")


def _worker(asked: argparse.Namespace) -> None:
    """Do the jobs of the queue until SIGTERM or Ctrl-C; what has begun is finished first."""
    from ..app import workplace_of
    from ..work.handlers import jobs_here
    from ..work.workers import Workers

    ensure_templates(settings_of(asked))
    # Before there are threads: so none of them is interrupted, and the signal waits for whoever asks for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    with opened(asked) as house, Workers(jobs_here(), max(1, house.settings.job_threads)) as workers:
        house.archive.check()
        log_as_json(house.settings.log_level)
        workers.begin(workplace_of(house.engine, house.archive, house.settings))
        print(f"Paraphe {__version__} works on the queue.", flush=True)
        number = signal.sigwait(_ENDS)
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)  # a second one ends it at once


_ENDS = (signal.SIGTERM, signal.SIGINT)


def _list(asked: argparse.Namespace) -> None:
    """List the jobs that are not done yet, the oldest first."""
    with opened(asked) as house, store.reading(house.engine) as connection:
        found = jobs.listed(connection, failed_only=asked.failed)
    lines = [
        [
            str(job["id"]),
            job["kind"],
            f"{job['account']} ({job['environment']})",
            job["recordNumber"],
            job["state"],
            f"tried {job['tries']}",
            job["reason"] or "",
        ]
        for job in found
    ]
    show(asked, found, table(lines) if lines else "There are no such jobs.")


def _retry(asked: argparse.Namespace) -> None:
    """Have a job that failed tried again, from now on."""
    with changing(asked) as connection:
        jobs.retry(connection, asked.job, now())
    show(asked, {"job": asked.job}, f"Job {asked.job} will be tried again.")
