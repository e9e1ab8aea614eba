"""One WSGI callable: request number, path to face, and the last guard."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from . import contract, store
from .accounts import Gate, server_secret
from .addresses import Addresses
from .archive import Archive
from .call import Call, Exchange
from .context import Limit
from .faces import http, links, rest, soap
from .settings import Settings

log = logging.getLogger("paraphe.app")

_LANDING = b"Paraphe exchange server.\n\nWSDL for SOAP 1.1: /soap/v1?wsdl\nWSDL for SOAP 1.2: /soap/v1?wsdl12\n"


def exchange_of(engine: Engine, archive: Archive, settings: Settings) -> Exchange:
    """Put together what all calls share."""
    with store.reading(engine) as connection:
        secret = server_secret(connection)
    limits = (
        Limit("messageBytes", settings.message_bytes, "bytes"),
        Limit("recordsInOneAnswer", 1000, "records"),
        Limit("participantsInOneAnswer", 1000, "participants"),
        Limit("errorsInOneAnswer", 100, "errors"),
        Limit("addressLifetime", settings.link_days, "days"),
    )
    lifetime = timedelta(days=settings.link_days)
    return Exchange(engine, Gate(engine), archive, Addresses(settings.public_url, secret, lifetime), limits)


def application(engine: Engine, archive: Archive, settings: Settings) -> http.Wsgi:
    """Make the WSGI callable of the whole server."""
    exchange = exchange_of(engine, archive, settings)
    soap_face = soap.application(exchange, settings.public_url, settings.message_bytes)
    rest_face = rest.application(exchange, settings.public_url, settings.message_bytes)
    schemas = {f"/xsd/v1/{name}.xsd": contract.source(f"{name}.xsd") for name in contract.FILES}

    def serve(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == soap.PATH:
            return soap_face(environ, start)
        if f"{path}/".startswith(rest.PATH):
            return rest_face(environ, start)
        if path.startswith(links.PATHS):
            return links.serve(environ, start)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return http.plain(start, 404, b"There is nothing at this address.\n")
        if path in schemas:
            http.respond(start, 200, "application/xml", len(schemas[path]))
            return [schemas[path]]
        if path == "/":
            return http.plain(start, 200, _LANDING)
        return http.plain(start, 404, b"There is nothing at this address.\n")

    def guarded(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        call = environ["paraphe.call"] = Call(exchange)

        def start_with_number(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start(status, [*headers, ("X-Request-Id", call.request_id)], *rest)

        try:
            return serve(environ, start_with_number)
        except Exception:
            log.exception("failed", extra={"request_id": call.request_id})
            return http.plain(start_with_number, 500, b"The server failed; nothing was stored.\n")

    return guarded
