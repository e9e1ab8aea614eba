"""Whether the server lives, whether it is ready, and what it has counted: for machines that watch it.

`/healthz` and `/readyz` need no credentials and tell no reason: that is in the log, once for each change. `/metrics` is
given at an address of its own alone (`metrics_listen`), as it tells how much is going on.
"""

import logging
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic

from sqlalchemy import Engine

from .. import migrations, store
from ..archive import Archive
from ..metrics import MEDIA_TYPE, Gauge, Metrics
from ..work import jobs
from . import http

PATHS = ("/healthz", "/readyz")

FRESH = 5.0
"""Seconds for which one look at database and store answers for all who ask."""

LONGEST_LOOK = 10.0
"""Seconds that a look may take before the server counts as not ready."""

log = logging.getLogger("paraphe.health")


class Health:
    """Says whether this process can take messages: database at the right version, store writable, not stopping."""

    def __init__(self, engine: Engine, archive: Archive) -> None:
        self._engine, self._archive = engine, archive
        self._version = migrations.head()
        self._looking = threading.Lock()
        self._began = self._until = 0.0
        self._well = True
        self._stopping = False

    def stop(self) -> None:
        """Be ready no more: from any thread, and from a signal handler."""
        self._stopping = True

    def is_ready(self) -> bool:
        """Look, unless somebody did a moment ago. One looks at a time: who comes meanwhile is told the last answer."""
        if self._looking.acquire(blocking=False):
            try:
                if monotonic() >= self._until:
                    self._look()
            finally:
                self._looking.release()
        elif monotonic() - self._began > LONGEST_LOOK:
            return False
        return self._well and not self._stopping

    def _look(self) -> None:
        self._began = monotonic()
        try:
            found = migrations.current(self._engine)
            if found != self._version:
                raise migrations.WrongVersion(f"The database is at version {found}.")
            self._archive.check()
        except Exception as failure:
            if self._well:
                log.warning("not ready", exc_info=failure)
            self._well = False
        else:
            if not self._well:
                log.info("ready again")
            self._well = True
        self._until = monotonic() + FRESH


def answer(health: Health, path: str, start: http.StartResponse) -> Iterable[bytes]:
    """Answer /healthz or /readyz."""
    if path == "/readyz" and not health.is_ready():
        return http.plain(start, 503, b"not ready\n", [("Retry-After", str(http.RETRY_AFTER))])
    return http.plain(start, 200, b"ready\n" if path == "/readyz" else b"alive\n")


class Queue:
    """Tells how much there is in the queue of jobs, of all servers of the database; nothing while that is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._until = 0.0
        self._gauges: list[Gauge] = []

    def gauges(self) -> list[Gauge]:
        """Look, unless somebody did a moment ago."""
        with self._lock:
            if monotonic() >= self._until:
                self._gauges = self._looked_up()
                self._until = monotonic() + FRESH
            return self._gauges

    def _looked_up(self) -> list[Gauge]:
        try:
            with store.reading(self._engine) as connection:
                found = jobs.figures(connection, datetime.now(UTC))
        except store.Busy as failure:
            log.warning("queue not counted", exc_info=failure)
            return []
        states = [(f'state="{name}"', getattr(found, name)) for name in ("waiting", "running", "failed")]
        late = "Seconds that the first of the jobs which could be done has waited for a worker."
        waits = [("", found.late_seconds)]
        return [Gauge("jobs", "Jobs of the queue.", states), Gauge("jobs_late_seconds", late, waits)]


def application(metrics: Metrics, health: Health, queue: Queue) -> http.Wsgi:
    """Make the WSGI callable of the address for those who watch: the metrics, and health as everywhere."""

    def serve(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path not in ("/metrics", *PATHS):
            return http.nothing_here(start)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return http.plain(start, 405, b"This address takes GET.\n", [("Allow", "GET, HEAD")])
        if path != "/metrics":
            return answer(health, path, start)
        text = metrics.text(queue.gauges()).encode()
        http.respond(start, 200, MEDIA_TYPE, len(text), [("Cache-Control", "no-store")])
        return [text]

    def without_body(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        body = serve(environ, start)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body

    return without_body
