"""The JSON and XML faces: the operations without an envelope, by POST; their description by GET.

The address names the operation. A message is the operation's element of the schema as XML, or the same as JSON.
"""

import logging
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache

from lxml import etree

from ...accounts import Account
from ...call import OK, Answer, Call, Exchange, server_error
from ...contract import NAMESPACE, Operation, complex_type, operations
from ...errors import Code, Error, Refused
from ...operations import OPERATIONS
from ...spool import Apart, Body
from ...xml.arrival import Arrival
from ...xml.encode import content, written
from ...xml.encode import encode as encode_xml
from ...xml.request import Request
from .. import http
from . import openapi, page, read, write
from .status import status_of

PATH = "/api/v1/"

log = logging.getLogger("paraphe.rest")

_KINDS = {"application/json": "json", "text/json": "json", "application/xml": "xml", "text/xml": "xml"}
_MEDIA_TYPES = {"json": "application/json", "xml": "application/xml; charset=utf-8"}
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_WAYS = "Send apiUser and apiKey by HTTP Basic, or the key alone as Authorization: Bearer."
_ANSWERS = [("Vary", "Accept")]
_CHALLENGES = [
    ("WWW-Authenticate", 'Basic realm="Paraphe", charset="UTF-8"'),
    ("WWW-Authenticate", 'Bearer realm="Paraphe"'),
]


def application(exchange: Exchange, public_url: str, message_bytes: int) -> http.Wsgi:
    """Make the WSGI callable of everything under PATH, and of PATH without its last stroke; all else is not found."""

    @cache
    def documents() -> dict[str, tuple[str, str, bytes]]:
        """Make what is got by GET, when somebody first asks: name to media type, policy and content."""
        described = openapi.compose(public_url)
        html, style = page.render(described)
        return {
            "": (
                "text/html; charset=utf-8",
                f"{http.CLOSED}; style-src {style}; img-src data:",
                html,
            ),
            "openapi.json": ("application/json", http.CLOSED, openapi.to_bytes(described)),
        }

    def give(start: http.StartResponse, name: str) -> Iterable[bytes]:
        media_type, policy, content = documents()[name]
        headers = [("Content-Security-Policy", policy), ("Cache-Control", "no-cache")]
        http.respond(start, 200, media_type, len(content), headers)
        return [content]

    def face(environ: http.Environ, start: http.StartResponse) -> Iterable[bytes]:
        gets = environ["REQUEST_METHOD"] in ("GET", "HEAD") and not http.unread(environ)
        if gets and environ["PATH_INFO"] == PATH.rstrip("/"):
            headers = [("Location", public_url.rstrip("/") + PATH)]
            http.respond(start, 308, "text/plain; charset=utf-8", 0, headers)
            return []
        name = environ["PATH_INFO"][len(PATH) :] if environ["PATH_INFO"].startswith(PATH) else None
        if gets and name in ("", "openapi.json"):
            return give(start, name)
        message = _Message(environ, message_bytes)
        try:
            body = message.answer(name)
        except Exception:
            log.exception("failed", extra={"request_id": message.call.request_id})
            body = message.refuse(server_error())
        http.respond(start, message.status, _MEDIA_TYPES[message.answers_in], len(body), message.headers)
        return http.sliced(body)

    return face


class _Message:
    """One message and its answer: `kind` is what came, `answers_in` what goes back, "json" or "xml"."""

    def __init__(self, environ: http.Environ, message_bytes: int) -> None:
        self.call: Call = environ["paraphe.call"]
        self.status = 200
        self.headers = _ANSWERS
        self._environ = environ
        self._message_bytes = message_bytes
        self._operation: Operation | None = None
        self._media_type, self._parameters = http.content_type(environ.get("CONTENT_TYPE") or "")
        self._kind = _KINDS.get(self._media_type, "json")
        self.answers_in = _accepted(environ.get("HTTP_ACCEPT", ""), self._kind)
        self.call.face = self._kind

    def answer(self, name: str | None) -> Body:
        """Do what the message asks for and return the rendered answer; None: it went to no address of ours."""
        try:
            request = self._read(name)
        except Refused as refused:
            return self.refuse(refused)
        work = OPERATIONS[request.operation.name]
        return self.call.run(work, request.values, self._render, digest=request.digest)

    def refuse(self, refused: Refused) -> Body:
        """Journal a message that never reached an operation and return the rendered refusal."""
        return self.call.refuse(refused, self._render_refusal)

    def _read(self, name: str | None) -> Request:
        method = self._environ["REQUEST_METHOD"]
        if unread := http.unread(self._environ):
            raise unread
        if name is None:
            hint = f"POST a message to {PATH} and the name of its operation."
            raise Refused(Error(Code.NOT_FOUND, "There is nothing at this address.", hint=hint))
        if name in ("", "openapi.json"):
            raise http.method_refused(method, "GET this address, or POST a message to that of an operation.")
        self._operation = operation = _find(name)
        self.call.operation = operation.name
        if method != "POST":
            raise http.method_refused(method, "POST a message to this address.")
        key = http.bearer_key(self._environ)
        credentials = http.basic_credentials(self._environ) if key is None else key
        self.call.account = account = http.recognise(self.call, credentials, _WAYS)
        with http.arriving(self.call):
            return self._read_body(operation, account)

    def _read_body(self, operation: Operation, account: Account) -> Request:
        bounds, place = self.call.exchange.bounds, self.call.exchange.archive.place
        body = http.read_body(self._environ, self._message_bytes, bounds.expanded_bytes)
        self.call.request_bytes = len(body)
        # Without Content-Type a page of any other site could send a body, with the credentials that a browser keeps.
        if self._media_type not in _KINDS and (body or self._media_type):
            kind = self._media_type or "(none)"
            raise http.media_type_refused(kind, "Send application/json or application/xml.")
        charset = self._parameters.get("charset")
        if self._kind == "json":
            message = read.parse(body, charset, bounds)
            return read.read(message, operation, account.time_zone, bounds, place)
        zone = account.time_zone
        arrival = Arrival(body, charset, bounds, lambda _: None if account.tolerant else zone, place)
        request: Request | None = None
        while request is None:
            payload = arrival.root()
            _hold(payload, operation, tolerant=account.tolerant)
            request = arrival.request(payload, operation, zone, tolerant=account.tolerant)
        self.call.hint = request.hint
        return request

    def _render(self, answer: Answer) -> Body:
        operation = self._operation
        if operation is None or self.call.failed:
            return self._render_refusal(answer)
        answer = self._noted(answer)
        if self.answers_in == "json":
            return write.encode(operation.result, answer)
        apart = Apart()
        name, result = operation.name, content(operation.result, answer, attach=apart.mark)
        opening = f'{_DECLARATION}<{name}Response xmlns="{NAMESPACE}"><{name}Result>'
        return apart.joined(written([opening, *result, f"</{name}Result></{name}Response>"]))

    def _render_refusal(self, answer: Answer) -> Body:
        fault, answer = complex_type("ServiceFault"), self._noted(answer)
        if self.answers_in == "json":
            return write.encode(fault, answer)
        return (_DECLARATION + encode_xml(fault, "ServiceFault", answer, f' xmlns="{NAMESPACE}"')).encode()

    def _noted(self, answer: Answer) -> Answer:
        """Keep what HTTP says of an answer; return it with places told as the message is written, XML or JSON."""
        if answer["return_code"] == OK:
            self.status, self.headers = 200, _ANSWERS
        else:
            code = Code(answer["errors"][0]["code"])
            self.status = status_of(code)
            self.headers = [*_ANSWERS, *_besides(code, self.status, known=self._operation is not None)]
        operation, errors = self._operation, answer.get("errors")
        if not errors or operation is None or self._kind == "xml":
            return answer
        return answer | {"errors": [_with_pointer(error, operation) for error in errors]}


def _besides(code: Code, status: int, *, known: bool) -> list[tuple[str, str]]:
    """Return the headers that a refusal has besides those of every answer."""
    if status == 401:
        return _CHALLENGES
    if status == 405:
        return [("Allow", "POST" if known else "GET, HEAD")]
    return [("Retry-After", str(http.RETRY_AFTER))] if code in (Code.IN_PROGRESS, Code.SERVER_BUSY) else []


def _with_pointer(error: Answer, operation: Operation) -> Answer:
    path = error.get("path")
    if path is None:
        return error
    # The line of an answer given before is that of the message then, which may have been XML.
    return error | {"path": read.pointer(operation, path), "line": None}


def _find(name: str) -> Operation:
    operation = operations().get(name)
    if operation is not None:
        return operation
    close = get_close_matches(name[:80], operations(), 1)
    raise Refused(
        Error(
            Code.UNKNOWN_OPERATION,
            f"There is no operation {name[:80]}.",
            hint=f"Did you mean {close[0]}?" if close else f"The operations are: {', '.join(operations())}.",
        )
    )


def _hold(payload: etree._Element, operation: Operation, *, tolerant: bool) -> None:
    """Refuse an element that is not the one of the address; `tolerant`: it may be without namespace."""
    name = etree.QName(payload)
    if name.localname == operation.name and (name.namespace == NAMESPACE or (tolerant and name.namespace is None)):
        return
    place = f"the namespace {name.namespace[:80]}" if name.namespace else "no namespace"
    hint = f"POST <{operation.name}> in the namespace {NAMESPACE} to this address."
    if name.localname == "Envelope":
        hint = f"POST SOAP messages to /soap/v1, and here the content of the Body alone: <{operation.name}>."
    raise Refused(
        Error(
            Code.SCHEMA_INVALID,
            f"The message begins with {name.localname[:80]} in {place}, the address is that of {operation.name}.",
            hint=hint,
            field=name.localname[:80],
            path=f"/{name.localname[:80]}",
        )
    )


def _accepted(accept: str, asked: str) -> str:
    """Return the kind of answer that an Accept header prefers; the kind of the message when it prefers none.

    A header that takes neither is disregarded (RFC 9110, section 12.5.1): what it would refuse is done by then.
    """
    weights: dict[str, float] = {}
    for part in accept.split(",")[:50]:
        media_type, parameters = http.content_type(part.strip())
        try:
            weight = float(parameters.get("q", "1"))
        except ValueError:
            weight = 0.0
        weights[media_type] = max(weight, weights.get(media_type, 0.0))
    best, most = asked, 0.0
    for kind in (asked, *(other for other in _MEDIA_TYPES if other != asked)):
        weight = max(_weight(weights, media_type) for media_type, its in _KINDS.items() if its == kind)
        if weight > most:
            best, most = kind, weight
    return best


def _weight(weights: dict[str, float], media_type: str) -> float:
    """Return the weight of a media type: of the most specific range that it is in."""
    ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((weights[one] for one in ranges if one in weights), 0.0)
