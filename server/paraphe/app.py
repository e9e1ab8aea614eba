"""One WSGI callable: path to face, and the last guard."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from . import contract, store
from .accounts import Gate, server_secret
from .addresses import Addresses
from .admission import FailedLogins, Requests
from .archive import Archive, Unavailable
from .call import Call, Exchange
from .context import Limit
from .faces import health, http, links, rest, soap
from .metrics import ALONE, Metrics, Shared
from .settings import Settings
from .work import handlers
from .work.workers import Workers, Workplace
from .xml.bounds import Bounds

if TYPE_CHECKING:
    from .seals import Seals

log = logging.getLogger("paraphe.app")

_LANDING = b"""\
Paraphe exchange server.

WSDL for SOAP 1.1: /soap/v1?wsdl
WSDL for SOAP 1.2: /soap/v1?wsdl12
JSON and XML without SOAP: /api/v1/
"""
_SOAP = ("application/soap+xml", "text/xml", "multipart/related")
_REST = ("application/json", "application/xml")
_LATER = [("Retry-After", str(http.RETRY_AFTER))]


def _language(environ: http.Environ, path: str) -> str:
    """Return which face answers at an address; a message that went to nobody's address is told so in its language."""
    for language, beginning in (("soap", "/soap/"), ("rest", "/api/")):
        if f"{path}/".startswith(beginning):
            return language
    kind, _ = http.content_type(environ.get("CONTENT_TYPE") or "")
    if environ["REQUEST_METHOD"] != "POST":
        return ""
    if kind in _SOAP or "HTTP_SOAPACTION" in environ:
        return "soap"
    return "rest" if kind in _REST else ""


def exchange_of(
    engine: Engine,
    archive: Archive,
    settings: Settings,
    later: store.Later | None = None,
    metrics: Metrics | None = None,
    wake: Callable[[], None] = lambda: None,
) -> Exchange:
    """Put together what all calls share; see `application` for `later` and `metrics`, and Exchange for `wake`."""
    later, metrics = later or store.Later(engine), metrics or Metrics()
    later.watch = metrics.rows_owed
    workplace = workplace_of(engine, archive, settings)
    return Exchange(
        engine,
        Gate(engine, later=later),
        archive,
        workplace.addresses,
        later,
        store.Forgetting(later, timedelta(days=settings.remember_days), timedelta(days=settings.journal_days)),
        Requests(settings.requests_at_once),
        _failed_logins(settings),
        _failed_logins(settings),
        Bounds(**{bound.name: getattr(settings, bound.name) for bound in fields(Bounds)}),
        limits_of(settings),
        metrics,
        wake,
        partial(handlers.make_pdf, workplace),
    )


def workplace_of(engine: Engine, archive: Archive, settings: Settings) -> Workplace:
    """Put together what jobs are done with."""
    with store.reading(engine) as connection:
        secret = server_secret(connection)
    addresses = Addresses(settings.public_url, secret, timedelta(days=settings.link_days))

    @cache
    def seals() -> "Seals":
        from .seals import Seals

        return Seals(settings)

    return Workplace(engine, archive, addresses, lambda: datetime.now(UTC), seals, settings.templates)


def _failed_logins(settings: Settings) -> FailedLogins:
    """Count wrong keys in this process: its part of what all of them take together."""
    one, all_ = (-(-most // settings.processes) for most in (settings.failed_logins, settings.failed_logins_per_source))
    return FailedLogins(one, all_, settings.failed_login_seconds)


def limits_of(settings: Settings) -> Sequence[Limit]:
    """Return what CheckConnection tells of the limits in force."""
    return (
        Limit("messageBytes", settings.message_bytes, "bytes"),
        Limit("expandedMessageBytes", settings.expanded_bytes, "bytes"),
        Limit("elementDepth", settings.element_depth, "levels"),
        Limit("attributesOfOneElement", settings.element_attributes, "attributes"),
        Limit("attributesInOneMessage", settings.message_attributes, "attributes"),
        Limit("elementsInOneMessage", settings.message_elements, "elements"),
        Limit("itemsInOneList", settings.list_items, "items"),
        Limit("charactersInOneText", settings.text_length, "characters"),
        Limit("timeForTheHead", settings.head_seconds, "seconds"),
        Limit("pauseInAMessage", settings.pause_seconds, "seconds"),
        Limit("leastSpeed", settings.least_speed, "bytes per second"),
        Limit("requestsAtOnce", settings.requests_at_once, "requests"),
        Limit("failedLoginsOfOneUser", settings.failed_logins, "failures"),
        Limit("failedLoginsFromOneAddress", settings.failed_logins_per_source, "failures"),
        Limit("failedLoginsRemembered", settings.failed_login_seconds, "seconds"),
        Limit("recordsInOneAnswer", 1000, "records"),
        Limit("participantsInOneAnswer", 1000, "participants"),
        Limit("errorsInOneAnswer", 100, "errors"),
        Limit("addressLifetime", settings.link_days, "days"),
    )


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a server to those who watch it."""

    metrics: Metrics
    queue: health.Queue
    health: health.Health

    @classmethod
    def of(cls, engine: Engine, archive: Archive, shared: Shared = ALONE) -> "Watched":
        """Begin to count, with other processes or alone, and to look after a database and an archive."""
        return cls(Metrics(shared), health.Queue(engine), health.Health(engine, archive))

    @property
    def application(self) -> http.Wsgi:
        """The WSGI callable of an address at which it can all be asked for."""
        return health.application(self.metrics, self.health, self.queue)


def application(
    engine: Engine,
    archive: Archive,
    settings: Settings,
    later: store.Later | None = None,
    watched: Watched | None = None,
    workers: Workers | None = None,
) -> http.Wsgi:
    """Make the WSGI callable of the whole server.

    `later` writes what is written behind the answers: give one, and settle it at the end, to lose nothing of that.
    `watched` is given to who shows elsewhere what the server counts. `workers` begin to do the jobs of the queue;
    without them it grows until some do, in this process or another.
    """
    watched = watched or Watched.of(engine, archive)
    metrics = watched.metrics
    workers = workers or Workers({}, 0)
    exchange = exchange_of(engine, archive, settings, later, metrics, workers.wake)
    workers.begin(workplace_of(engine, archive, settings))
    faces = {
        "soap": soap.application(exchange, settings.public_url, settings.message_bytes),
        "rest": rest.application(exchange, settings.public_url, settings.message_bytes),
    }
    schemas = {f"/xsd/v1/{name}.xsd": contract.source(f"{name}.xsd") for name in contract.FILES}

    def serve(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        language = "" if path.startswith(links.PATHS) else _language(environ, path)
        if language:
            return faces[language](environ, start)
        if environ.get("paraphe.late"):
            return http.plain(start, 408, b"TOO_SLOW: the request arrived too slowly.\n")
        if environ.get("paraphe.stopping") and path not in health.PATHS:
            return http.plain(start, 503, b"The server is about to stop.\n", _LATER)
        if path.startswith(links.PATHS):
            return links.serve(environ, start)
        document = _LANDING if path == "/" else schemas.get(path)
        if document is None and path not in health.PATHS:
            return http.nothing_here(start)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return http.plain(start, 405, b"This address takes GET.\n", [("Allow", "GET, HEAD")])
        if document is None:
            return health.answer(watched.health, path, start)
        if path == "/":
            return http.plain(start, 200, document, [("Cache-Control", "no-cache")])
        http.respond(start, 200, "application/xml", len(document), http.PUBLISHED)
        return [document]

    def guarded(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        try:
            return serve(environ, start)
        except (store.Busy, Unavailable) as failure:
            environ["paraphe.call"].busy(failure)
            return http.plain(start, 503, b"The server cannot do this now.\n", _LATER)
        except Exception:
            log.exception("failed", extra={"request_id": environ["paraphe.call"].request_id})
            return http.plain(start, 500, b"The server failed; nothing was stored.\n")

    def numbered(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        call = environ["paraphe.call"] = Call(exchange, environ.get("REMOTE_ADDR", ""))
        leaving = _Leaving(call)

        def counted(status: str, *more: Any) -> Any:
            metrics.responded(status[:3])
            return start(status, *more)

        try:
            leaving.pieces = http.send(guarded, environ, counted)
        except BaseException:
            leaving.leave()
            raise
        return leaving

    return numbered


class _Leaving:
    """The pieces of an answer; after the last one, or when nobody asks for it any more, the call leaves."""

    def __init__(self, call: Call) -> None:
        self.pieces: Iterable[bytes] = ()
        self._call = call
        self._at_work = True
        call.exchange.metrics.at_work(1)

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        self.leave()

    def close(self) -> None:
        close: Callable[[], None] = getattr(self.pieces, "close", lambda: None)
        try:
            close()
        finally:
            self.leave()

    def leave(self) -> None:
        """Be at work no longer; harmless twice."""
        self._call.leave()
        if self._at_work:
            self._at_work = False
            self._call.exchange.metrics.at_work(-1)

    def __del__(self) -> None:
        # A server that breaks off before the first piece may forget to close.
        self.leave()
