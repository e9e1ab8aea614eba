"""The SOAP face, versions 1.1 and 1.2 at one address. The only folder that knows Spyne."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from ...call import Call, Exchange, server_error
from ...contract import NAMESPACE, complex_type, operations
from ...errors import Code, Error, Refused
from ...spool import Body
from .. import http
from . import envelope, wsdl
from .compat import Application, InterfaceDocuments, Service, rpc
from .manner import Manner
from .protocol import MEDIA_TYPES, ExchangeSoap, perform, refuse
from .transport import Transport
from .types import spyne_type

PATH = wsdl.PATH

log = logging.getLogger("paraphe.soap")

# Spyne logs malformed requests whole, and refused ones with a traceback; both hold personal data.
for _name in ("spyne", "spyne.protocol.soap.soap11.invalid"):
    logging.getLogger(_name).disabled = True
    logging.getLogger(_name).propagate = False


class _NoDocuments(InterfaceDocuments):
    """Keeps Spyne from making a WSDL of its own: ours is served from the published files."""

    def __init__(self, interface: object) -> None:
        super().__init__(interface)
        self.wsdl11 = None


def _service() -> type[Service]:
    """Declare every operation of the contract to Spyne."""
    credentials = spyne_type(complex_type("Credentials"))
    methods = {}
    for name, operation in operations().items():
        names = [field.name for field in operation.request.fields]
        method = rpc(
            *(spyne_type(field.type) for field in operation.request.fields),
            _args=names,
            _returns=spyne_type(operation.result),
            _in_message_name=name,
            _out_message_name=f"{name}Response",
            _out_variable_name=f"{name}Result",
            _in_header=(credentials,),
        )
        methods[name] = method(_named(name))
    return type(Service)("ExchangeService", (Service,), methods)


def _named(name: str) -> Callable[..., Body]:
    def method(ctx: Any, *arguments: Any) -> Body:
        return perform(ctx, arguments[0])

    method.__name__ = name
    return method


def application(exchange: Exchange, public_url: str, message_bytes: int) -> http.Wsgi:
    """Make the WSGI callable of this face: the WSDLs by GET, the operations by POST."""
    spyne = Transport(
        Application(
            [_service()],
            NAMESPACE,
            in_protocol=ExchangeSoap(),
            out_protocol=ExchangeSoap(),
            documents_container=_NoDocuments,
        )
    )
    documents = {"wsdl": wsdl.published("1.1", public_url), "wsdl12": wsdl.published("1.2", public_url)}

    def face(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        here, unread = environ["PATH_INFO"] == PATH, http.unread(environ)
        query = environ.get("QUERY_STRING", "").partition("=")[0].lower()
        if here and not unread and environ["REQUEST_METHOD"] in ("GET", "HEAD") and query in documents:
            document = documents[query]
            http.respond(start, 200, "text/xml; charset=utf-8", len(document), http.PUBLISHED)
            return [document]
        call: Call = environ["paraphe.call"]
        call.face = "soap"
        kind, parameters = http.content_type(environ.get("CONTENT_TYPE") or "")
        environ["paraphe.manner"] = Manner(envelope.announced_version(kind, parameters))
        environ["paraphe.message_bytes"] = message_bytes
        if unread:
            call.retry_after = http.RETRY_AFTER if unread.errors[0].code == Code.SERVER_BUSY else None
            return _fault(environ, start, call, unread)
        if not here:
            return _fault(environ, start, call, _NOT_HERE)
        if environ["REQUEST_METHOD"] != "POST":
            hint = "POST a SOAP message, or GET this address with ?wsdl or ?wsdl12."
            return _fault(environ, start, call, http.method_refused(environ["REQUEST_METHOD"], hint))
        # Without one too: what a page of another site makes a browser send (a form, a beacon) has none of these types.
        if kind not in MEDIA_TYPES:
            hint = "Send text/xml (SOAP 1.1), application/soap+xml (SOAP 1.2) or multipart/related (MTOM)."
            return _fault(environ, start, call, http.media_type_refused(kind, hint))
        try:
            body = spyne.answer(environ)
        except Exception:
            log.exception("failed", extra={"request_id": call.request_id})
            return _fault(environ, start, call, server_error())
        manner: Manner = environ["paraphe.manner"]
        http.respond(start, manner.status, manner.media_type, len(body))
        return http.sliced(body)

    return face


_NOT_HERE = Refused(
    Error(
        Code.NOT_FOUND, "There is nothing at this address.", hint=f"POST SOAP messages to {PATH}, no slash behind it."
    )
)


def _fault(environ: http.Environ, start: http.StartResponse, call: Call, refused: Refused) -> Iterable[bytes]:
    manner: Manner = environ["paraphe.manner"]
    body = refuse(call, manner, refused)
    code = refused.errors[0].code
    allow = [("Allow", "GET, HEAD, POST")] if code == Code.METHOD_NOT_ALLOWED else []
    http.respond(start, envelope.fault_status(manner.version, code), manner.media_type, len(body), allow)
    return http.sliced(body)
