"""The SOAP protocol: Spyne dispatches, our codecs read and write.

Spyne's own parser, leaf codecs and serialisers are not in the path: they lose values and fail without a fault on
some twenty inputs. The five methods below are what Spyne calls; the version is pinned because their names
are its internals.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from ...accounts import Account
from ...call import Answer, Call, server_error
from ...contract import NAMESPACE, Operation
from ...errors import Code, Refused
from ...operations import OPERATIONS
from ...spool import Body
from ...xml import xop
from ...xml.arrival import Arrival
from ...xml.request import Request, find_operation
from ...xml.validate import MAXIMUM_ERRORS
from .. import http
from . import addressing, envelope, mtom, security
from .compat import Fault, Soap11
from .manner import Manner

MEDIA_TYPES = ("text/xml", "application/soap+xml", "application/xml", mtom.MEDIA_TYPE)
_UNDERSTOOD = security.UNDERSTOOD | addressing.UNDERSTOOD
_WAYS = "Send apiUser and apiKey by HTTP Basic, a UsernameToken or the header Credentials."


class Rejected(Fault):
    """A message that never reaches an operation, as Spyne wants to hear of it."""

    def __init__(self, refused: Refused) -> None:
        super().__init__("Client", str(refused))
        self.refused = refused


class ExchangeSoap(Soap11):
    """SOAP 1.1 and 1.2 at one address; the version is the envelope's.

    State of a message is kept in its WSGI environ: `paraphe.call` and `paraphe.manner`, both given.
    """

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        """Turn the body into a tree."""
        environ = ctx.udc
        manner: Manner = environ["paraphe.manner"]
        call: Call = environ["paraphe.call"]
        with _told_to_spyne(), http.arriving(call):
            ctx.in_document = _read(environ, call, manner)
            manner.version = envelope.version_of(ctx.in_document) or manner.version

    def decompose_incoming_envelope(self, ctx: Any, message: Any = None) -> None:
        """Take the envelope apart, recognise the caller, and only then look at what the message says."""
        call: Call = ctx.udc["paraphe.call"]
        with _told_to_spyne(), http.arriving(call):
            _take_apart(ctx, call)

    def deserialize(self, ctx: Any, message: Any) -> None:
        """Hand the decoded request over."""
        manner: Manner = ctx.udc["paraphe.manner"]
        ctx.in_object, manner.request = [manner.request], None

    def serialize(self, ctx: Any, message: Any) -> None:
        """Hand the answer over, which is bytes already; or write the fault."""
        environ = ctx.udc
        call: Call = environ["paraphe.call"]
        manner: Manner = environ["paraphe.manner"]
        if ctx.out_error is None:
            ctx.out_document = ctx.out_object[0]
            manner.status = envelope.fault_status(manner.version, Code.SERVER_ERROR) if call.failed else 200
        else:
            refused = ctx.out_error.refused if isinstance(ctx.out_error, Rejected) else server_error()
            ctx.out_document = refuse(call, manner, refused)
            manner.status = envelope.fault_status(manner.version, refused.errors[0].code)
            if refused.errors[0].code == Code.CREDENTIALS_REQUIRED:
                environ["paraphe.headers"] = [("WWW-Authenticate", 'Basic realm="Paraphe", charset="UTF-8"')]

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:
        """Do nothing: the answer is bytes already."""


def perform(ctx: Any, request: Request) -> Body:
    """Do an operation and return its answer as bytes: the body of every method that Spyne dispatches to."""
    environ = ctx.udc
    call: Call = environ["paraphe.call"]
    manner: Manner = environ["paraphe.manner"]

    def render(answer: Answer) -> Body:
        if call.failed:
            return manner.write_fault(answer["errors"][0]["code"], answer, request.operation.name)
        return manner.write_answer(request.operation, answer)

    return call.run(OPERATIONS[request.operation.name], request.values, render, digest=request.digest)


def refuse(call: Call, manner: Manner, refused: Refused) -> Body:
    """Journal a refused message and return its fault."""
    manner.package = manner.arrival = None
    code = refused.errors[0].code
    return call.refuse(refused, lambda answer: manner.write_fault(code, answer, call.operation, refused))


def _read(environ: http.Environ, call: Call, manner: Manner) -> etree._Element:
    """Read the message into a tree; what does not stand in it is in the manner then."""
    kind, parameters = http.content_type(environ.get("CONTENT_TYPE") or "")
    bounds, place = call.exchange.bounds, call.exchange.archive.place
    body = http.read_body(environ, environ["paraphe.message_bytes"], bounds.expanded_bytes)
    call.request_bytes = len(body)
    if kind == mtom.MEDIA_TYPE:
        manner.package = mtom.unpack(body, parameters, place)
        body, parameters = manner.package.envelope(), manner.package.root.parameters
    sent = manner.package is not None and manner.package.is_xop
    manner.with_attachments = mtom.is_wanted(environ.get("HTTP_ACCEPT", ""), sent=sent)
    manner.arrival = Arrival(body, parameters.get("charset"), bounds, partial(_zone, call, manner, environ), place)
    return manner.arrival.root()


def _take_apart(ctx: Any, call: Call) -> None:
    # Spyne's contexts are in cycles, and so are the refusals that they keep, with the frames that these went through:
    # what they hold stays until some garbage collection, a hundred megabytes. So none of them has the message.
    root, ctx.in_document = ctx.in_document, None
    environ = ctx.udc
    manner: Manner = environ["paraphe.manner"]
    request = _request_in(root, environ, call, manner)
    while request is None:
        request = _request_in(_arrival(manner).root(), environ, call, manner)
    manner.arrival = manner.package = None
    ctx.method_request_string = f"{{{NAMESPACE}}}{request.operation.name}"
    manner.request, call.hint = request, request.hint


def _request_in(root: etree._Element, environ: http.Environ, call: Call, manner: Manner) -> Request | None:
    """Return what a message asks for; None if it must be taken apart anew, see `Arrival.request`."""
    headers = _headers(root, manner, call)
    payload = envelope.read(root)
    operation = find_operation(payload)
    account = _recognised(call, environ, headers, operation)
    package = manner.package

    def elsewhere() -> xop.Binaries:
        return xop.take_out(payload, operation, package.attachment) if package else xop.NONE

    arrival = _arrival(manner)
    return arrival.request(payload, operation, account.time_zone, tolerant=account.tolerant, elsewhere=elsewhere)


def _arrival(manner: Manner) -> Arrival:
    if manner.arrival is None:
        raise RuntimeError("a message is read once")
    return manner.arrival


def _zone(call: Call, manner: Manner, environ: http.Environ, payload: etree._Element) -> ZoneInfo | None:
    """Recognise the caller of a request that begins to arrive; see `long_lists.Zone`."""
    envelope_of_it = payload.getroottree().getroot()
    version = envelope.version_of(envelope_of_it)
    if version is None:
        return None
    manner.version = version
    account = _recognised(call, environ, _headers(envelope_of_it, manner, call), find_operation(payload))
    return None if account.tolerant else account.time_zone


def _recognised(call: Call, environ: http.Environ, headers: Sequence[etree._Element], operation: Operation) -> Account:
    """Return whose message it is, which is found out once."""
    call.operation = operation.name
    if call.account is None:
        credentials = http.basic_credentials(environ) or security.credentials(headers)
        call.account = http.recognise(call, credentials, _WAYS)
    return call.account


def _headers(root: etree._Element, manner: Manner, call: Call) -> list[etree._Element]:
    """Return the header blocks that are for us, once it is known that we do what the mandatory ones ask for."""
    headers = envelope.headers_of(root)
    manner.addressing, invalid = addressing.read(headers)
    mandatory = envelope.mandatory(manner.version, headers)
    if unknown := [block for block in mandatory if block.tag not in _UNDERSTOOD]:
        raise envelope.NotUnderstood(unknown[:MAXIMUM_ERRORS])
    if invalid:
        raise invalid
    security.hold_to(headers, mandatory, call.received_on)
    return headers


class _told_to_spyne:  # noqa: N801 - reads as a phrase in a with statement
    """Turns Refused into the exception that Spyne passes on to `serialize`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, refused: BaseException | None, trace: Any) -> None:
        if isinstance(refused, Refused):
            # Spyne keeps it in a cycle, and its traceback would keep the message: a file that stays open.
            refused.__traceback__ = refused.__cause__ = refused.__context__ = None
            del trace
            raise Rejected(refused) from None
