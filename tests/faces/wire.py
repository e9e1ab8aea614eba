"""HTTP as bytes: what a client library would hide, or would not let anybody send."""

import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lxml import etree

from ..soap.house import ENVELOPES, MEDIA_TYPES, PATIENCE, V1, Caller, envelope_of, schema

CHECK = {version: envelope_of(version, "<CheckConnection/>") for version in ENVELOPES}


@dataclass(frozen=True)
class Response:
    """An answer as it came; the names of headers in lower case, several of one name in a list."""

    version: str
    status: int
    headers: dict[str, list[str]]
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        values = self.headers.get(name.lower())
        return ", ".join(values) if values else None


class Wire:
    """A connection to a server."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def response(self, *, head: bool = False) -> Response:
        """Read one answer; `head`: it has none but its head."""
        while b"\r\n\r\n" not in self._received:
            self._read()
        start, _, self._received = self._received.partition(b"\r\n\r\n")
        first, *lines = start.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers.setdefault(name.lower(), []).append(value)
        size = 0 if head or status in ("100", "204", "304") else int(headers["content-length"][0])
        while len(self._received) < size:
            self._read()
        body, self._received = self._received[:size], self._received[size:]
        return Response(version, int(status), headers, body)

    def _read(self) -> None:
        piece = self._connection.recv(1 << 16)
        assert piece, f"The connection has ended behind {self._received[:200]!r}."
        self._received += piece

    def take(self) -> bytes:
        """Whatever is there, of an answer that is not read to its end."""
        taken, self._received = self._received, b""
        return taken or self._connection.recv(1 << 16)

    @property
    def ended(self) -> bool:
        """Whether the server has closed the connection, with nothing left to read; waits for either."""
        return not self._received and not self._connection.recv(1)

    @property
    def silent(self) -> bool:
        """Whether nothing more comes: asked with something else, the server answers that at once."""
        self.send(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        return self.response().body == b"There is nothing at this address.\n" and not self._received


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    """Open a connection for one `with` block."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        yield Wire(connection)


def request(method: str, path: str, body: bytes | None = None, /, version: str = "1.1", **headers: str) -> bytes:
    """Write a request; `Content_Length=""` leaves that header out, `_` in a name is "-"."""
    given = {"Host": "x"} | ({} if body is None else {"Content-Length": str(len(body))})
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines, "", ""]).encode("latin-1") + (body or b"")


def basic(caller: Caller) -> str:
    """The header Authorization of a caller of `tests/soap`."""
    return "Basic " + b64encode(f"{caller.account.api_user}:{caller.api_key}".encode()).decode()


def soap_request(caller: Caller, body: bytes | None = None, /, **headers: str) -> bytes:
    """Write a SOAP request of a caller, CheckConnection if nothing else is said."""
    given = {"Authorization": basic(caller), "Content_Type": MEDIA_TYPES[caller.version]} | headers
    return request("POST", "/soap/v1", CHECK[caller.version] if body is None else body, **given)


def fault_code(response: Response) -> str:
    """The first error code in a SOAP fault, which follows the schema."""
    root = etree.fromstring(response.body)
    (fault,) = root.iter(f"{V1}ServiceFault")
    schema().assertValid(fault)
    assert fault.findtext(f"{V1}requestId") == response["X-Request-Id"]
    return fault.findtext(f"{V1}errors/{V1}error/{V1}code") or ""


def is_done(response: Response) -> bool:
    """Whether a SOAP answer says 200 OK."""
    code = next(etree.fromstring(response.body).iter(f"{V1}returnCode")).text
    return response.status == 200 and code == "200 OK"
