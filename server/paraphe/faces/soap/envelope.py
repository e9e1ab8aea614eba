"""The SOAP envelope, read and written: versions 1.1 and 1.2, headers, faults."""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from ...call import Answer
from ...contract import NAMESPACE, Operation, complex_type
from ...errors import Code, Error, Refused
from ...spool import Content
from ...xml.encode import Attach, content, encode, text_of, written

NAMESPACES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
MEDIA_TYPES = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}
_VERSIONS = {namespace: version for version, namespace in NAMESPACES.items()}
_SERVER_CODES = {Code.SERVER_ERROR, Code.SERVER_BUSY}
# Who we are: the last receiver, and whoever comes next. Blocks for somebody else are not ours to read.
_WE = {
    "1.1": {"", "http://schemas.xmlsoap.org/soap/actor/next"},
    "1.2": {"", f"{NAMESPACES['1.2']}/role/next", f"{NAMESPACES['1.2']}/role/ultimateReceiver"},
}
_LONGEST_NAME = 500  # characters, with the namespace, of a name that a fault repeats
_ADDRESSEE = {"1.1": "actor", "1.2": "role"}


class NotUnderstood(Refused):
    """Header blocks are marked mustUnderstand and are not known here."""

    def __init__(self, blocks: Sequence[etree._Element]) -> None:
        super().__init__(
            *(
                Error(
                    Code.HEADER_NOT_UNDERSTOOD,
                    f"The header {block.tag!s:.120} is marked mustUnderstand and is not known here.",
                    hint="Leave it out, or send it without mustUnderstand.",
                )
                for block in blocks
            )
        )
        self._names = [etree.QName(block) for block in blocks]

    def blocks(self) -> str:
        """Return the header blocks by which SOAP 1.2 names them (part 1, section 5.4.8), without very long names."""
        return "".join(
            f'<soap:NotUnderstood qname="n:{name.localname}" xmlns:n="{_attribute(name.namespace)}"/>'
            for name in self._names
            if name.namespace and len(name.text) <= _LONGEST_NAME
        )


def _attribute(value: str) -> str:
    return text_of(value).replace('"', "&quot;")


def version_of(root: etree._Element) -> str | None:
    """Return "1.1" or "1.2" for an envelope of that version, None for anything else."""
    name = etree.QName(root)
    return _VERSIONS.get(name.namespace or "") if name.localname == "Envelope" else None


def announced_version(kind: str, parameters: Mapping[str, str]) -> str:
    """Return the version that a Content-Type speaks of; it decides until the envelope is seen."""
    return (
        "1.2" if "application/soap+xml" in (kind, _bare(parameters, "type"), _bare(parameters, "start-info")) else "1.1"
    )


def _bare(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name, "").partition(";")[0].strip().lower()


def headers_of(root: etree._Element) -> list[etree._Element]:
    """Return the header blocks that are for us; none for what is no envelope."""
    version = version_of(root)
    if version is None:
        return []
    namespace = f"{{{NAMESPACES[version]}}}"
    header = root.find(f"{namespace}Header")
    addressee = f"{namespace}{_ADDRESSEE[version]}"
    return [] if header is None else [block for block in header if block.get(addressee, "").strip() in _WE[version]]


def mandatory(version: str, headers: Sequence[etree._Element]) -> list[etree._Element]:
    """Return the header blocks that are marked mustUnderstand."""
    mark = f"{{{NAMESPACES[version]}}}mustUnderstand"
    return [block for block in headers if block.get(mark, "0").strip() in ("1", "true")]


def read(root: etree._Element) -> etree._Element:
    """Return the one child of an envelope's Body; Refused when it is no envelope, or has another Body."""
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
    return body[0]


def write_answer(version: str, operation: Operation, answer: Answer, header: str, attach: Attach) -> Content:
    """Write the answer of an operation; `header` holds blocks, and `attach` takes binaries (see `encode`)."""
    name = operation.name
    return _enveloped(
        version,
        header,
        [
            f'<{name}Response xmlns="{NAMESPACE}"><{name}Result>',
            *content(operation.result, answer, attach=attach),
            f"</{name}Result></{name}Response>",
        ],
    )


def write_fault(version: str, code: Code, answer: Answer, header: str = "", subcodes: Sequence[str] = ()) -> Content:
    """Write a fault; its detail holds the members of any answer, its text begins with the error code.

    `subcodes` are qualified names out of one namespace, the finest last: SOAP 1.1 has room for that one only.
    """
    detail = encode(complex_type("ServiceFault"), "ServiceFault", answer, f' xmlns="{NAMESPACE}"')
    text = text_of(f"{code}: {answer['message']}")
    names = [etree.QName(subcode) for subcode in subcodes]
    declared = f' xmlns:sub="{names[0].namespace}"' if names else ""
    if version == "1.1":
        value = f"sub:{names[-1].localname}" if names else f"soap:{_fault_code(code, 'Client', 'Server')}"
        return _enveloped(
            version,
            header,
            [
                f"<soap:Fault><faultcode{declared}>{value}</faultcode>"
                f"<faultstring>{text}</faultstring><detail>{detail}</detail></soap:Fault>"
            ],
        )
    nested = ""
    for name in reversed(names):
        nested = f"<soap:Subcode><soap:Value>sub:{name.localname}</soap:Value>{nested}</soap:Subcode>"
    return _enveloped(
        version,
        header,
        [
            f"<soap:Fault><soap:Code{declared}><soap:Value>soap:{_fault_code(code, 'Sender', 'Receiver')}</soap:Value>"
            f'{nested}</soap:Code><soap:Reason><soap:Text xml:lang="en">{text}</soap:Text></soap:Reason>'
            f"<soap:Detail>{detail}</soap:Detail></soap:Fault>"
        ],
    )


def fault_status(version: str, code: Code) -> int:
    """Return the HTTP status of a fault: SOAP 1.1 knows 500 only, SOAP 1.2 has 400 for the caller's mistakes."""
    special = {
        Code.CREDENTIALS_REQUIRED: 401,
        Code.NOT_FOUND: 404,
        Code.METHOD_NOT_ALLOWED: 405,
        Code.TOO_SLOW: 408,
        Code.MESSAGE_TOO_LARGE: 413,
        Code.UNSUPPORTED_MEDIA_TYPE: 415,
    }
    return special.get(code) or (400 if version == "1.2" and code not in _SERVER_CODES else 500)


def _fault_code(code: Code, caller: str, server: str) -> str:
    special = {Code.VERSION_MISMATCH: "VersionMismatch", Code.HEADER_NOT_UNDERSTOOD: "MustUnderstand"}
    return special.get(code) or (server if code in _SERVER_CODES else caller)


def _enveloped(version: str, header: str, inner: Sequence[Any]) -> Content:
    head = f"<soap:Header>{header}</soap:Header>" if header else ""
    opening = f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{NAMESPACES[version]}">'
    return written([opening, head, "<soap:Body>", *inner, "</soap:Body></soap:Envelope>"])
