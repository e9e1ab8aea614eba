"""A small exchange that speaks real HTTP on loopback: canned answers, and misfortunes on request.

It holds every request and every answer against the published schema, keeps the promise of messageId, and
marks a record as extracted when its last byte was written. What it does on purpose is put into `misfortunes`: one
function for each of the next messages, called with the handler before (`arrive`) or after (`answered`) it is done.
"""

import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

NS = "urn:paraphe:exchange:v1"
ENVELOPES = {
    "http://schemas.xmlsoap.org/soap/envelope/": "1.1",
    "http://www.w3.org/2003/05/soap-envelope": "1.2",
}
WSDL = Path(__file__).parents[2] / "wsdl"
USER, KEY = "école", "key-é"


@cache
def schema() -> etree.XMLSchema:
    """The schema of all messages."""
    return etree.XMLSchema(etree.parse(WSDL.parent / "xsd" / "messages.xsd"))


def members(code: str = "200 OK", message: str = "Done.", duplicate: bool = False, errors: str = "") -> str:
    """What every answer begins with."""
    inner = f"<errors>{errors}</errors>" if errors else ""
    return (
        f"<returnCode>{code}</returnCode><message>{escape(message)}</message><requestId>req-1</requestId>"
        f"<duplicate>{str(duplicate).lower()}</duplicate>{inner}"
    )


def error(code: str, message: str = "It is wrong.", **where: object) -> str:
    """One error item; its members are given in the order of the schema."""
    given = {**where, "code": code, "message": message}
    order = ("index", "reference", "field", "code", "message", "hint", "line", "path", "value")
    inner = "".join(f"<{name}>{escape(str(given[name]))}</{name}>" for name in order if name in given)
    return f"<error>{inner}</error>"


def fault(soap: str, errors: str = "", message: str = "Refused.", detail: bool = True) -> str:
    """A fault of either version, with the detail that the WSDL declares."""
    typed = f'<ServiceFault xmlns="{NS}">{members("500 ERROR", message, errors=errors)}</ServiceFault>'
    inner = typed if detail else ""
    if soap == "1.1":
        reason = f"<faultcode>soap:Client</faultcode><faultstring>{message}</faultstring>"
        return f"<soap:Fault>{reason}<detail>{inner}</detail></soap:Fault>"
    return (
        "<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code><soap:Reason>"
        f'<soap:Text xml:lang="en">{message}</soap:Text></soap:Reason><soap:Detail>{inner}</soap:Detail></soap:Fault>'
    )


@dataclass
class Document:
    """A record of the fake: the version that was sent whole last is `extracted`."""

    content: bytes
    version: int = 1
    extracted: int = 0
    pdf: bool = True
    downloads: int = 0


@dataclass
class Received:
    """A request as it came."""

    operation: str
    body: Any
    headers: dict[str, str]
    xml: bytes

    def text(self, name: str) -> Any:
        return self.body.findtext(f"{{{NS}}}{name}")


@dataclass
class FakeExchange:
    """The state of the fake, and how it is told to behave."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    downloads: list[dict[str, str]] = field(default_factory=list)
    arrive: list[Callable[[Any], object]] = field(default_factory=list)
    answered: list[Callable[[Any], object]] = field(default_factory=list)
    download: list[Callable[[Any], object]] = field(default_factory=list)
    answers: dict[str, Callable[[Received], str]] = field(default_factory=dict)
    first_answers: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    records: dict[str, Document] = field(default_factory=dict)
    marks: bool = True  # whether a download marks its record as extracted
    compressed: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def operations(self):
        return [request.operation for request in self.received]

    def result(self, request: Received) -> str:
        """Answer a request, the first answer again if its messageId was answered 200 OK before."""
        message_id = request.text("messageId")
        if message_id in self.first_answers:
            body, answer = self.first_answers[message_id]
            if body != request.xml:
                return members("500 ERROR", errors=error("MESSAGE_ID_REUSED"))
            return answer.replace("<duplicate>false", "<duplicate>true", 1)
        answer = self.answers.get(request.operation, self._default)(request)
        if message_id and ">200 OK<" in answer:
            self.first_answers[message_id] = (request.xml, answer)
        return answer

    def _default(self, request: Received) -> str:
        if request.operation.startswith("Sync"):
            return self._sync(request)
        return getattr(self, f"_{request.operation}", lambda _request: members())(request)

    def _sync(self, request: Received) -> str:
        references = request.body.xpath("*[last()]/*/*[local-name()='reference']/text()")
        if request.text("dryRun") != "true":
            self.applied.extend(references)
        count = len(references)
        return members() + f"<received>{count}</received><created>{count}</created>"

    def _GetRecordList(self, request: Received) -> str:  # noqa: N802
        numbers = [number for number, record in self.records.items() if record.extracted < record.version]
        after = request.text("cursor")
        numbers = [number for number in sorted(numbers) if after is None or number > after]
        page = numbers[: int(request.text("limit") or 1000)]
        more = len(numbers) - len(page)
        cursor = f"<nextCursor>{page[-1]}</nextCursor>" if more else ""
        inside = "".join(self.record_index(number, "recordIndex") for number in page)
        return members() + f"<records>{inside}</records><remaining>{more}</remaining>{cursor}"

    def _GetRecord(self, request: Received) -> str:  # noqa: N802
        number = request.text("recordNumber")
        if number not in self.records:
            return members("500 ERROR", "There is no such record.", errors=error("UNKNOWN_RECORD"))
        content = ""
        if request.text("format") != "INDEX":
            content = f"<content>{b64encode(self.records[number].content).decode()}</content>"
        return members() + self.record_index(number, "recordIndex") + f"<fileName>{number}.zip</fileName>{content}"

    def _AcknowledgeRecords(self, request: Received) -> str:  # noqa: N802
        done = already = 0
        for number in request.body.itertext(f"{{{NS}}}recordNumber"):
            record = self.records[number]
            already += record.extracted == record.version
            done += record.extracted < record.version
            record.extracted = record.version
        return members() + f"<acknowledged>{done}</acknowledged><alreadyExtracted>{already}</alreadyExtracted>"

    def record_index(self, number: str, tag: str) -> str:
        record = self.records[number]
        when = "2026-09-01T08:00:00Z"
        extracted = f"<extractedOn>{when}</extractedOn>" if record.extracted == record.version else ""
        pdf = f"<pdfUrl>{self.url}/records/{number}.pdf</pdfUrl>" if record.pdf else ""
        return (
            f"<{tag}><recordNumber>{number}</recordNumber><status>READY</status><version>{record.version}</version>"
            f"<createdOn>{when}</createdOn><modifiedOn>{when}</modifiedOn>{extracted}"
            "<invoice><invoiceNumber>F-1</invoiceNumber><invoiceDate>2026-08-31</invoiceDate>"
            "<quantity>7.50</quantity><amountInclVat>-1200.00</amountInclVat></invoice><documentCount>1</documentCount>"
            f"<sizeBytes>{len(record.content)}</sizeBytes>{pdf}<zipUrl>{self.url}/records/{number}.zip</zipUrl>"
            f"<urlsExpireOn>{when}</urlsExpireOn></{tag}>"
        )


class Handler(BaseHTTPRequestHandler):
    """One connection to the fake."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet, or each answer waits 40 ms for an acknowledgement
    disable_nagle_algorithm = True
    fake: FakeExchange

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.startswith("/records/"):
            self._document()
        elif self.path in ("/soap/v1?wsdl", "/soap/v1?wsdl12"):
            name = "v1-soap12.wsdl" if self.path.endswith("12") else "v1.wsdl"
            # Its address leads nowhere: who was given the address of the fake has to stay with it.
            content = (WSDL / name).read_bytes().replace(b"http://localhost:8080", b"http://127.0.0.1:9")
            self.answer(200, content)
        else:
            self.answer(404, b"<html>Not here</html>", {"Content-Type": "text/html"})

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        root: Any = etree.fromstring(content)
        namespace = etree.QName(root).namespace
        body = root.find(f"{{{namespace}}}Body")[0]
        schema().assertValid(etree.fromstring(etree.tostring(body)))
        request = Received(etree.QName(body).localname, body, dict(self.headers), etree.tostring(body))
        with self.fake.lock:
            self.fake.received.append(request)
            if self.fake.arrive and self.fake.arrive.pop(0)(self):
                return
            inner = self.fake.result(request)
            if self.fake.answered and self.fake.answered.pop(0)(self):
                return
        self.soap(namespace, request.operation, inner)

    def soap(self, namespace, operation, inner, *, valid=True):
        if not inner.startswith("<soap:Fault"):
            result = f"<{operation}Result>{inner}</{operation}Result>"
            inner = f'<{operation}Response xmlns="{NS}">{result}</{operation}Response>'
            if valid:
                schema().assertValid(etree.fromstring(inner, etree.XMLParser(huge_tree=True)))
        envelope = f'<soap:Envelope xmlns:soap="{namespace}"><soap:Body>{inner}</soap:Body></soap:Envelope>'
        self.answer(500 if "<soap:Fault" in inner else 200, envelope.encode(), {"Content-Type": "text/xml"})

    def answer(self, status, content, headers=None, *, cut=0):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) - cut])
        self.close_connection = bool(cut)

    def _document(self):
        self.fake.downloads.append(dict(self.headers))
        number, _, suffix = self.path.removeprefix("/records/").rpartition(".")
        record = self.fake.records[number]
        record.downloads += 1
        if self.fake.download and self.fake.download.pop(0)(self):
            return
        version, content = record.version, (b"%PDF" if suffix == "pdf" else b"PK") + record.content
        self.answer(200, content)
        if self.fake.marks:
            record.extracted = version


def hang_up(handler):
    """Close the connection without an answer."""
    handler.close_connection = True
    return True


class Server(ThreadingHTTPServer):
    """A server whose clients may be killed without a word."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def start(fake: FakeExchange) -> ThreadingHTTPServer:
    """Let the fake listen on a free port of the loopback; it tells its address in `url`."""
    handler = type("BoundHandler", (Handler,), {"fake": fake})
    server = Server(("127.0.0.1", 0), handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
