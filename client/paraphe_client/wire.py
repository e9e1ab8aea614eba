"""The network: one envelope out, one answer in, and what goes wrong on the way told in two exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit

import requests
from lxml import etree
from requests.auth import HTTPBasicAuth

from .answers import Answer
from .codec import NAMESPACE, decode
from .errors import ExchangeError, ExchangeRefused, ExchangeUnavailable

ENVELOPES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
_PIECE = 1 << 16
# What a proxy or a starting server answers for a while.
_PASSING = {408, 425, 429, 500, 502, 503, 504}


def envelope(request: bytes, soap: str) -> bytes:
    """Wrap the XML of a request element, without XML declaration, into an envelope."""
    return b'<soap:Envelope xmlns:soap="%b"><soap:Body>%b</soap:Body></soap:Envelope>' % (
        ENVELOPES[soap].encode(),
        request,
    )


class _Anonymous(requests.Session):
    """A session without credentials. Without more ado requests takes some from ~/.netrc, also after a redirect."""

    def __init__(self) -> None:
        super().__init__()
        self.auth = _unchanged

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Add nothing for the host that a redirect leads to."""


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate with nothing: what requests asks for instead of looking for credentials by itself."""
    return request


class Wire:
    """Connections to one exchange. Not for several threads at once."""

    def __init__(self, api_user: str, api_key: str, timeout: float) -> None:
        """`timeout` in seconds is the longest silence that is waited for, not the length of a call."""
        self.timeout = timeout
        self.session = requests.Session()
        # As bytes: requests would write text in Latin-1, and the exchange reads UTF-8 first.
        self.session.auth = HTTPBasicAuth(api_user.encode(), api_key.encode())
        # The addresses of documents are secrets of their own, and may be on another host: no credentials there.
        self._public = _Anonymous()

    def close(self) -> None:
        """Close the connections."""
        self.session.close()
        self._public.close()

    def send(
        self, address: str, operation: str, message: bytes, *, soap: str, message_id: str | None = None
    ) -> etree._Element:
        """Send an envelope and return the `<…Result>` element of a 200 OK.

        Raises ExchangeRefused (500 ERROR, or a fault) and ExchangeUnavailable (no answer of the exchange).
        """
        action = f"{NAMESPACE}:{operation}"
        if soap == "1.1":
            headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        else:
            headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        with _reaching(address, message_id):
            # A redirect would turn POST into GET, and could carry the message to another host.
            response = self.session.post(
                address, data=message, headers=headers, timeout=self.timeout, allow_redirects=False
            )
        try:
            return _result(response)
        except ExchangeError as error:
            error.message_id = message_id
            error.retry_after = _retry_after(response)
            raise

    def download(self, url: str, file: BinaryIO) -> None:
        """Write what is at the address of a document to `file`, piece by piece; all of it, or ExchangeUnavailable."""
        with (
            _reaching(url, None),
            self._public.get(
                url, stream=True, timeout=self.timeout, headers={"Accept-Encoding": "identity"}
            ) as response,
        ):
            if response.status_code != HTTPStatus.OK:
                raise _unavailable(response, f"{_host(url)} did not give what is at this address")
            for piece in response.iter_content(_PIECE):
                file.write(piece)


def _result(response: requests.Response) -> etree._Element:
    """Return the result element of an answer of 200 OK; raise what the answer says otherwise."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(response.content, parser)
    except etree.XMLSyntaxError:
        root = None
    bodies = [] if root is None else [root.find(f"{{{namespace}}}Body") for namespace in ENVELOPES.values()]
    content = next((child for body in bodies if body is not None for child in body.iterchildren("*")), None)
    if content is not None and etree.QName(content).localname == "Fault":
        raise _fault(content, response)
    result = None if content is None else next(content.iterchildren("*"), None)
    if result is None:
        raise _unavailable(response, f"{_host(response.url)} did not answer as an exchange does")
    answer = decode(Answer, result)
    if answer.return_code != "200 OK":
        raise ExchangeRefused(answer.message, request_id=answer.request_id, errors=answer.errors, xml=response.content)
    return result


def _fault(fault: etree._Element, response: requests.Response) -> ExchangeRefused:
    """Make the exception of a fault, SOAP 1.1 or 1.2, with or without the detail that the contract declares."""
    detail = next(fault.iter(f"{{{NAMESPACE}}}ServiceFault"), None)
    if detail is not None:
        answer = decode(Answer, detail)
        return ExchangeRefused(
            answer.message,
            request_id=answer.request_id,
            errors=answer.errors,
            fault=True,
            xml=response.content,
        )
    reason = fault.findtext("faultstring") or fault.findtext(f".//{{{ENVELOPES['1.2']}}}Text") or "A fault."
    request_id = response.headers.get("X-Request-Id", "")
    return ExchangeRefused(reason, request_id=request_id, fault=True, xml=response.content)


@contextmanager
def _reaching(url: str, message_id: str | None) -> Iterator[None]:
    """Turn the exceptions of the network into ExchangeUnavailable."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise ExchangeUnavailable(
            f"The certificate of {_host(url)} was not accepted: {error}.", again=False, message_id=message_id
        ) from error
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
    ) as error:
        raise ExchangeUnavailable(
            f"{_host(url) or 'This'} is not an address.", again=False, message_id=message_id
        ) from error
    except requests.Timeout as error:
        raise ExchangeUnavailable(f"{_host(url)} did not answer in time.", message_id=message_id) from error
    except requests.RequestException as error:
        raise ExchangeUnavailable(
            f"{_host(url)} was not reached, or the connection broke.", message_id=message_id
        ) from error


def _unavailable(response: requests.Response, what: str) -> ExchangeUnavailable:
    status = response.status_code
    where = f", which points to {response.headers['Location']}" if response.is_redirect else ""
    return ExchangeUnavailable(
        f"{what} (HTTP status {status}{where}).",
        again=status in _PASSING or status == HTTPStatus.OK,
        status=status,
        retry_after=_retry_after(response),
    )


def _retry_after(response: requests.Response) -> float | None:
    """Read the header Retry-After, seconds or a date, as seconds from now."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()) if value else None
    except (ValueError, TypeError):
        return None


def _host(url: str) -> str:
    """Return the host of an address: the rest may be a secret, and is in no message."""
    return urlsplit(url).netloc.rpartition("@")[2]
