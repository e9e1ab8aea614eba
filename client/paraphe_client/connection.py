"""From an operation's name and members to its answer: the WSDL, zeep, and the address to send to."""

import io
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import zeep
import zeep.exceptions
from lxml import etree
from zeep.wsdl.bindings.soap import Soap12Binding

from .answers import Answer
from .codec import NAMESPACE, decode, encode
from .errors import ExchangeError, ExchangeUnavailable
from .wire import Wire, envelope

A = TypeVar("A", bound=Answer)

PATH = "/soap/v1"
# forbid_…: a WSDL is data, and has no business fetching anything else. strict: a WSDL that is not XML is a wrong
# address, not something to mend. xml_huge_tree and xsd_ignore_sequence_order stay off: zeep reads no answer here (see
# codec), and what it builds keeps the contract's order.
SETTINGS = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)


class Connection:
    """One account of one exchange. Not for several threads at once: give each thread its own.

    `url_or_wsdl` is the public address (https://exchange.centre.example), the address of the service or of its WSDL,
    or a WSDL file. Messages go to the host that stands there, wherever the WSDL points; with a file, where it says.
    `timeout`, in seconds, is the longest silence that is waited for. `soap` is "1.1" or "1.2"; a file says it itself.
    Nothing is sent before the first call.
    """

    def __init__(
        self, url_or_wsdl: str | Path, api_user: str, api_key: str, *, timeout: float = 60.0, soap: str = "1.1"
    ) -> None:
        if soap not in ("1.1", "1.2"):
            raise ValueError('soap is "1.1" or "1.2"')
        self._asked_soap = soap
        self._source = str(url_or_wsdl)
        self._service_url = _service_url(self._source)
        self._wire = Wire(api_user, api_key, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    @cached_property
    def address(self) -> str:
        """Where messages go."""
        return self._service_url or str(self._port.binding_options["address"])

    @cached_property
    def soap(self) -> str:
        """The version of SOAP that is spoken."""
        if self._service_url:
            return self._asked_soap
        return "1.2" if isinstance(self._port.binding, Soap12Binding) else "1.1"

    def download(self, url: str, file: BinaryIO) -> None:
        """Write the document at an address of an answer to `file`, without holding it in memory."""
        self._wire.download(url, file)

    def send_xml(self, operation: str, request: bytes, *, message_id: str | None = None) -> etree._Element:
        """Send a request element as it is, without XML declaration, and return the `<…Result>` of a 200 OK.

        `message_id` is only for the exception that may come; the message is not changed.
        """
        return self.send_envelope(operation, envelope(request, self.soap), message_id=message_id)

    def send_envelope(self, operation: str, message: bytes, *, message_id: str | None = None) -> etree._Element:
        """Send a whole envelope as it is and return the `<…Result>` of a 200 OK; see send_xml."""
        return self._wire.send(self.address, operation, message, soap=self.soap, message_id=message_id)

    def _call(self, operation: str, shape: type[A], **members: Any) -> A:
        """Let zeep build the message of an operation from the WSDL, send it, and read its result as `shape`."""
        kind = self._zeep.get_element(f"{{{NAMESPACE}}}{operation}").type
        try:
            message = self._zeep.create_message(self._service, operation, **encode(members, kind))
        except zeep.exceptions.ValidationError as error:
            raise ValueError(str(error)) from error
        content = etree.tostring(message, encoding="UTF-8")
        message_id = members.get("message_id")
        result = self.send_envelope(operation, content, message_id=message_id)
        try:
            return decode(shape, result)
        except ExchangeError as error:
            error.message_id = message_id
            raise

    @cached_property
    def _zeep(self) -> Any:
        """The WSDL as zeep reads it, once, when the first message is built."""
        try:
            return zeep.Client(self._wsdl(), settings=SETTINGS)  # type: ignore[no-untyped-call]
        except (zeep.exceptions.Error, etree.LxmlError, OSError) as error:
            raise ExchangeUnavailable(f"There is no WSDL of an exchange at {self._source}.", again=False) from error

    def _wsdl(self) -> BinaryIO:
        if self._service_url is None:
            return io.BytesIO(Path(self._source).read_bytes())
        document = io.BytesIO()
        self.download(f"{self._service_url}?wsdl{'12' if self._asked_soap == '1.2' else ''}", document)
        document.seek(0)
        return document

    @cached_property
    def _port(self) -> Any:
        (service,) = self._zeep.wsdl.services.values()
        (port,) = service.ports.values()
        return port

    @cached_property
    def _service(self) -> Any:
        return self._zeep.create_service(self._port.binding.name, self.address)


def new_message_id() -> str:
    """Return a messageId that nobody had before."""
    return str(uuid4())


def _service_url(source: str) -> str | None:
    """Return the address of the service that `source` means, or None if it is a file."""
    parts = urlsplit(source)
    if parts.scheme not in ("http", "https"):
        return None
    path = parts.path.rstrip("/")
    if not path.endswith(PATH):
        path += PATH
    return parts._replace(path=path, query="", fragment="").geturl()
