"""The SOAP envelope, read and written: versions 1.1 and 1.2, headers, faults."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from ...call import Answer
from ...contract import NAMESPACE, Operation, complex_type
from ...errors import Code, Error, Refused
from ...xml.encode import encode, text_of

NAMESPACES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
MEDIA_TYPES = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}
_VERSIONS = {namespace: version for version, namespace in NAMESPACES.items()}
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"  # noqa: S105
_WSA = "http://www.w3.org/2005/08/addressing"
_UNDERSTOOD = {f"{{{NAMESPACE}}}Credentials", f"{{{_WSSE}}}Security"}
_SERVER_CODES = {Code.SERVER_ERROR, Code.SERVER_BUSY}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a caller's envelope holds: the SOAP version, the header blocks, the one child of the Body."""

    version: str
    headers: Sequence[etree._Element]
    payload: etree._Element


def version_of(root: etree._Element) -> str | None:
    """Return "1.1" or "1.2" for an envelope of that version, None for anything else."""
    name = etree.QName(root)
    return _VERSIONS.get(name.namespace or "") if name.localname == "Envelope" else None


def read(root: etree._Element) -> Envelope:
    """Take an envelope apart; Refused when it is none, or has a mandatory header that is not known here."""
    version = version_of(root)
    if version is None:
        raise Refused(
            Error(
                Code.VERSION_MISMATCH,
                f"The message begins with {root.tag!s:.120}, not with an Envelope of SOAP 1.1 or 1.2.",
                hint=f"Use {NAMESPACES['1.1']} (SOAP 1.1) or {NAMESPACES['1.2']} (SOAP 1.2).",
            )
        )
    namespace = f"{{{NAMESPACES[version]}}}"
    body = root.find(f"{namespace}Body")
    if body is None or len(body) != 1:
        count = "no Body" if body is None else f"a Body with {len(body)} elements"
        raise Refused(
            Error(Code.INVALID_ENVELOPE, f"The envelope has {count}.", hint="The Body holds one operation's element.")
        )
    if body[0].tag == f"{namespace}Fault":
        raise Refused(Error(Code.INVALID_ENVELOPE, "The Body holds a Fault.", hint="Send an operation's element."))
    header = root.find(f"{namespace}Header")
    headers = [] if header is None else list(header)
    for block in headers:
        mandatory = block.get(f"{namespace}mustUnderstand", "0").strip() in ("1", "true")
        if mandatory and block.tag not in _UNDERSTOOD:
            raise Refused(
                Error(
                    Code.HEADER_NOT_UNDERSTOOD,
                    f"The header {block.tag!s:.120} is marked mustUnderstand and is not known here.",
                    hint="Leave it out, or send it without mustUnderstand.",
                )
            )
    return Envelope(version, headers, body[0])


def credentials(envelope: Envelope) -> tuple[str, str] | None:
    """Return user and key from the header Credentials or a UsernameToken; None when there are none (or empty ones).

    Refused, CREDENTIALS_UNSUPPORTED, for a UsernameToken with another password than PasswordText.
    """
    for block in envelope.headers:
        if block.tag == f"{{{NAMESPACE}}}Credentials":
            user = (block.findtext(f"{{{NAMESPACE}}}apiUser") or "").strip()
            key = (block.findtext(f"{{{NAMESPACE}}}apiKey") or "").strip()
            if user or key:
                return user, key
        elif block.tag == f"{{{_WSSE}}}Security":
            token = block.find(f"{{{_WSSE}}}UsernameToken")
            if token is not None:
                return _username_token(token)
    return None


def _username_token(token: etree._Element) -> tuple[str, str]:
    password = token.find(f"{{{_WSSE}}}Password")
    kind = _PASSWORD_TEXT if password is None else password.get("Type", _PASSWORD_TEXT)
    if kind != _PASSWORD_TEXT:
        raise Refused(
            Error(
                Code.CREDENTIALS_UNSUPPORTED,
                f"A UsernameToken with {kind.rpartition('#')[2][:40] or 'this password type'} is not taken: "
                "keys are stored as digests, so a digest of the key cannot be checked.",
                hint="Use PasswordText over HTTPS, HTTP Basic, or the header Credentials.",
            )
        )
    key = "" if password is None else password.text or ""
    return (token.findtext(f"{{{_WSSE}}}Username") or "").strip(), key.strip()


def write_answer(version: str, operation: Operation, answer: Answer) -> bytes:
    """Write the answer of an operation."""
    name = operation.name
    result = encode(operation.result, f"{name}Result", answer)
    return _enveloped(version, f'<{name}Response xmlns="{NAMESPACE}">{result}</{name}Response>')


def write_fault(version: str, code: Code, answer: Answer) -> bytes:
    """Write a fault; its detail holds the members of any answer, its text begins with the error code."""
    detail = encode(complex_type("ServiceFault"), "ServiceFault", answer, f' xmlns="{NAMESPACE}"')
    text = text_of(f"{code}: {answer['message']}")
    if version == "1.1":
        return _enveloped(
            version,
            f"<soap:Fault><faultcode>soap:{_fault_code(code, 'Client', 'Server')}</faultcode>"
            f"<faultstring>{text}</faultstring><detail>{detail}</detail></soap:Fault>",
        )
    return _enveloped(
        version,
        f"<soap:Fault><soap:Code><soap:Value>soap:{_fault_code(code, 'Sender', 'Receiver')}</soap:Value></soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason>'
        f"<soap:Detail>{detail}</soap:Detail></soap:Fault>",
    )


def fault_status(version: str, code: Code) -> int:
    """Return the HTTP status of a fault: SOAP 1.1 knows 500 only, SOAP 1.2 has 400 for the caller's mistakes."""
    special = {
        Code.CREDENTIALS_REQUIRED: 401,
        Code.METHOD_NOT_ALLOWED: 405,
        Code.MESSAGE_TOO_LARGE: 413,
        Code.UNSUPPORTED_MEDIA_TYPE: 415,
    }
    return special.get(code) or (400 if version == "1.2" and code not in _SERVER_CODES else 500)


def _fault_code(code: Code, caller: str, server: str) -> str:
    special = {Code.VERSION_MISMATCH: "VersionMismatch", Code.HEADER_NOT_UNDERSTOOD: "MustUnderstand"}
    return special.get(code) or (server if code in _SERVER_CODES else caller)


def _enveloped(version: str, inner: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{NAMESPACES[version]}">'
        f"<soap:Body>{inner}</soap:Body></soap:Envelope>"
    ).encode()
