"""The server as callers meet it: on a real port, over a real database, through zeep or as bytes of their own.

Whatever way an answer comes in, it is held against what every answer promises: it follows the schema, says "200 OK" or
"500 ERROR", and bears the number that stands in the header X-Request-Id.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests
import zeep
from lxml import etree
from sqlalchemy import Engine, func, select

from paraphe import accounts, contract, store
from paraphe.archive import Archive

from .packages import opened

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
V1 = f"{{{contract.NAMESPACE}}}"
ENVELOPES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
MEDIA_TYPES = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}
PATIENCE = 60  # seconds for one answer; the machine may be busy
_numbers = count(1)


@cache
def schema() -> etree.XMLSchema:
    """The composed schema, once."""
    return etree.XMLSchema(etree.fromstring(etree.tostring(contract.schema())))


def values_of(name: str) -> tuple[str, ...]:
    """The values of an enumeration of the contract."""
    kind = contract.types()[name]
    assert isinstance(kind, contract.Simple)
    return kind.enumeration


# Answers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the wire; `result` holds the members of every answer, also in a fault."""

    status: int
    headers: Any
    body: bytes
    version: str
    result: etree._Element
    is_fault: bool

    def text(self, path: str) -> str | None:
        """The text at a path of contract names, for example "recordIndex/version"."""
        return self.result.findtext("/".join(V1 + name for name in path.split("/")))

    def all(self, path: str) -> list[etree._Element]:
        """All elements at a path of contract names."""
        return self.result.findall("/".join(V1 + name for name in path.split("/")))

    @property
    def ok(self) -> bool:
        return self.text("returnCode") == "200 OK"

    @property
    def errors(self) -> list[dict[str, str]]:
        """Each error with its members by their contract names."""
        found = self.all("errors/error")
        return [{etree.QName(member).localname: member.text or "" for member in error} for error in found]

    @property
    def codes(self) -> list[str]:
        return [error["code"] for error in self.errors]


def held(response: requests.Response) -> Reply:
    """Read an answer and hold it against what every answer promises, also one whose binaries are beside it."""
    packed = response.headers["Content-Type"].startswith("multipart/")
    body = opened(response.headers["Content-Type"], response.content).inlined() if packed else response.content
    root = etree.fromstring(body, etree.XMLParser(huge_tree=packed))
    version = next(version for version, namespace in ENVELOPES.items() if root.tag == f"{{{namespace}}}Envelope")
    soap = f"{{{ENVELOPES[version]}}}"
    (payload,) = root.iterfind(f"{soap}Body/*")
    is_fault = payload.tag == f"{soap}Fault"
    if is_fault:
        (result,) = payload.iterfind(f"{'detail' if version == '1.1' else f'{soap}Detail'}/*")
        schema().assertValid(result)
        assert result.tag == f"{V1}ServiceFault"
    else:
        schema().assertValid(payload)
        (result,) = payload
    reply = Reply(response.status_code, response.headers, response.content, version, result, is_fault)
    _hold_members(reply)
    return reply


def _hold_members(reply: Reply) -> None:
    kind, _, _ = MEDIA_TYPES[reply.version].partition(";")
    packed = f'start-info="{kind}"' in reply.headers["Content-Type"]
    assert packed or reply.headers["Content-Type"] == MEDIA_TYPES[reply.version]
    assert reply.text("requestId") == reply.headers["X-Request-Id"]
    assert reply.text("returnCode") in ("200 OK", "500 ERROR")
    assert reply.text("duplicate") in ("true", "false")
    assert (reply.text("message") or "").strip()
    if not reply.ok:
        assert reply.errors
    if reply.is_fault:
        assert not reply.ok


# The house -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class House:
    """A running server with its database and its archive."""

    kind: str
    database: str
    engine: Engine
    archive: Archive
    folder: Path
    url: str
    later: store.Later

    def account(self, version: str = "1.1", *, time_zone: str = "Europe/Paris", url: str | None = None) -> "Caller":
        """Make a fresh account with a key, and a caller who has it."""
        with store.writing(self.engine) as connection:
            name = f"Centre {next(_numbers)}"
            new = accounts.create(connection, name, "SANDBOX", time_zone, datetime.now(UTC))
        return Caller(self, version, new.account, new.api_key, url or self.url)

    def rows(self, statement: Any) -> list[Any]:
        """What a SELECT finds, once this server has written all that it owes."""
        self.settle()
        with store.reading(self.engine) as connection:
            return list(connection.execute(statement))

    def settle(self) -> None:
        """Have this server write what it owes."""
        assert self.later.settle(PATIENCE)

    def count(self, table: Any, account: accounts.Account) -> int:
        """How many rows of a table an account has."""
        counted = select(func.count()).select_from(table).where(table.c.account_id == account.id)
        return int(self.rows(counted)[0][0])


_documents: dict[str, Any] = {}


def _document(version: str, url: str) -> Any:
    """A WSDL as zeep reads it. One for all servers of this process, of the first: they differ in their address only."""
    if version not in _documents:
        query = {"1.1": "wsdl", "1.2": "wsdl12"}[version]
        _documents[version] = zeep.Client(f"{url}/soap/v1?{query}").wsdl
    return _documents[version]


# A caller --------------------------------------------------------------------------------------------------------


@dataclass
class Caller:
    """Somebody with a key who speaks one version of SOAP. `reply` is the last answer as it came over the wire."""

    house: House
    version: str
    account: accounts.Account
    api_key: str
    url: str
    session: requests.Session = field(default_factory=requests.Session)
    reply: Reply | None = None

    def __post_init__(self) -> None:
        self.session.auth = (self.account.api_user, self.api_key)
        self.session.hooks["response"].append(self._received)

    def _received(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if response.request.method == "POST":
            self.reply = held(response)

    @property
    def address(self) -> str:
        return f"{self.url}/soap/v1"

    @property
    def last(self) -> Reply:
        assert self.reply is not None
        return self.reply

    def other(self) -> "Caller":
        """Somebody else at the same server."""
        return self.house.account(self.version)

    def again(self, *, url: str | None = None) -> "Caller":
        """The same caller on a connection of its own, perhaps at another server."""
        return Caller(self.house, self.version, self.account, self.api_key, url or self.url)

    # Through zeep

    def call(self, operation: str, **values: Any) -> Any:
        """Call an operation through zeep; a fault is zeep's Fault."""
        document = _document(self.version, self.house.url)
        transport = zeep.Transport(session=self.session, operation_timeout=PATIENCE)
        binding = f"{V1}ExchangeSoap{self.version.replace('.', '')}Binding"
        service = zeep.Client(document, transport=transport).create_service(binding, self.address)
        return service[operation](**values)

    # By hand

    def send(self, envelope: bytes, **options: Any) -> Reply:
        """Post an envelope as it is."""
        headers = {"Content-Type": MEDIA_TYPES[self.version]} | options.pop("headers", {})
        self.session.post(self.address, envelope, headers=headers, timeout=PATIENCE, **options)
        return self.last

    def post(self, payload: str, header: str = "", **options: Any) -> Reply:
        """Post the child of a Body, written with contract names and no prefix."""
        return self.send(envelope_of(self.version, payload, header), **options)

    def fixture(self, operation: str, case: str = "request", **replaced: str) -> Reply:
        """Post a message of `fixtures/`, in this caller's version, with some texts replaced."""
        return self.send(fixture_of(self.version, operation, case, **replaced))


def envelope_of(version: str, payload: str, header: str = "") -> bytes:
    """Put a payload into an envelope; it begins on line 4."""
    namespace = ENVELOPES[version]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{namespace}">\n'
        f'{f"<soap:Header>{header}</soap:Header>" if header else ""}<soap:Body xmlns="{contract.NAMESPACE}">\n'
        f"{payload}\n</soap:Body></soap:Envelope>"
    ).encode()


def fixture_of(version: str, operation: str, case: str = "request", **replaced: str) -> bytes:
    """A message of `fixtures/`; `replaced` gives other texts to elements, for example recordNumber="2026-000007"."""
    root = etree.fromstring((FIXTURES / operation / f"{case}.xml").read_bytes())
    for name, value in replaced.items():
        for element in root.iter(V1 + name):
            element.text = value
    message = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return message.replace(ENVELOPES["1.1"].encode(), ENVELOPES[version].encode())


def credentials_header(user: str, key: str) -> str:
    """The header that the WSDL declares."""
    inside = f"<apiUser>{escape(user)}</apiUser><apiKey>{escape(key)}</apiKey>"
    return f'<Credentials xmlns="{contract.NAMESPACE}">{inside}</Credentials>'


def codes(result: Any) -> list[str]:
    """The codes of the errors in what zeep returned."""
    return [error.code for error in result.errors.error] if result.errors else []
