"""The SOAP protocol: Spyne dispatches, our codecs read and write.

Spyne's own parser, leaf codecs and serialisers are not in the path: they lose values and fail without a fault on
some twenty inputs. The five methods below are what Spyne's server calls; the version is pinned because their names
are its internals.
"""

from typing import Any

from ...call import Answer, Call, server_error
from ...errors import Code, Refused
from ...operations import OPERATIONS
from ...xml.parse import parse
from ...xml.request import Request, find_operation, read_request
from .. import http
from . import envelope
from .compat import Fault, Soap11

_MEDIA_TYPES = ("text/xml", "application/soap+xml", "application/xml", "")
_WAYS = "Send apiUser and apiKey by HTTP Basic, a UsernameToken or the header Credentials."


class Rejected(Fault):
    """A message that never reaches an operation, as Spyne wants to hear of it."""

    def __init__(self, refused: Refused) -> None:
        super().__init__("Client", str(refused))
        self.refused = refused


class ExchangeSoap(Soap11):
    """SOAP 1.1 and 1.2 at one address; the version is the envelope's.

    State of a message is kept in its WSGI environ: `paraphe.call` (given) and `paraphe.version`.
    """

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        """Turn the body into a tree."""
        environ = ctx.transport.req_env
        with _told_to_spyne():
            kind, parameters = http.content_type(environ.get("CONTENT_TYPE") or "")
            if kind not in _MEDIA_TYPES:
                raise http.media_type_refused(kind, "Send text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2).")
            body = http.read_body(environ, environ["paraphe.message_bytes"])
            environ["paraphe.call"].request_bytes = len(body)
            ctx.in_document = parse(body, parameters.get("charset"))
            environ["paraphe.version"] = envelope.version_of(ctx.in_document) or environ["paraphe.version"]

    def decompose_incoming_envelope(self, ctx: Any, message: Any = None) -> None:
        """Take the envelope apart, recognise the caller, and only then look at what the message says."""
        environ = ctx.transport.req_env
        call: Call = environ["paraphe.call"]
        with _told_to_spyne():
            opened = envelope.read(ctx.in_document)
            operation = find_operation(opened.payload)
            call.operation = operation.name
            credentials = http.basic_credentials(environ) or envelope.credentials(opened)
            call.account = http.recognise(call, credentials, _WAYS)
            ctx.in_body_doc = opened.payload
            ctx.method_request_string = opened.payload.tag
            ctx.udc = read_request(opened.payload, operation, call.account.time_zone)

    def deserialize(self, ctx: Any, message: Any) -> None:
        """Hand the decoded request over."""
        ctx.in_object = [ctx.udc]

    def serialize(self, ctx: Any, message: Any) -> None:
        """Hand the answer over, which is bytes already; or write the fault."""
        environ = ctx.transport.req_env
        call: Call = environ["paraphe.call"]
        version = environ["paraphe.version"]
        ctx.transport.resp_headers["Content-Type"] = envelope.MEDIA_TYPES[version]
        if ctx.out_error is None:
            ctx.out_document = ctx.out_object[0]
            ctx.transport.resp_code = http.status_line(
                envelope.fault_status(version, Code.SERVER_ERROR) if call.failed else 200
            )
            return
        refused = ctx.out_error.refused if isinstance(ctx.out_error, Rejected) else server_error()
        ctx.out_document = refuse(call, version, refused)
        ctx.transport.resp_code = http.status_line(envelope.fault_status(version, refused.errors[0].code))
        if refused.errors[0].code == Code.CREDENTIALS_REQUIRED:
            ctx.transport.resp_headers["WWW-Authenticate"] = 'Basic realm="Paraphe", charset="UTF-8"'

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:
        """Hand the bytes over."""
        ctx.out_string = list(http.sliced(ctx.out_document))


def perform(ctx: Any, request: Request) -> bytes:
    """Do an operation and return its answer as bytes: the body of every method that Spyne dispatches to."""
    environ = ctx.transport.req_env
    call: Call = environ["paraphe.call"]
    version: str = environ["paraphe.version"]

    def render(answer: Answer) -> bytes:
        if call.failed:
            return envelope.write_fault(version, answer["errors"][0]["code"], answer)
        return envelope.write_answer(version, request.operation, answer)

    return call.run(OPERATIONS[request.operation.name], request.values, render, digest=request.digest)


def refuse(call: Call, version: str, refused: Refused) -> bytes:
    """Journal a refused message and return its fault."""
    return call.refuse(refused, lambda answer: envelope.write_fault(version, refused.errors[0].code, answer))


class _told_to_spyne:  # noqa: N801 - reads as a phrase in a with statement
    """Turns Refused into the exception that Spyne passes on to `serialize`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, refused: BaseException | None, trace: Any) -> None:
        if isinstance(refused, Refused):
            raise Rejected(refused) from refused
