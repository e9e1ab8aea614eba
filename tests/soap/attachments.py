"""Messages with a file beside them, put together by hand, and the file that the archive then has."""

from .house import envelope_of
from .packages import INNER, include, package

BOUNDARY = "between the parts"
SEND = f"<SendInvoice><fileName>F.pdf</fileName><content>{include('HREF')}</content></SendInvoice>"


def content_type(version, **parameters):
    known = {"type": "application/xop+xml", "boundary": BOUNDARY, "start-info": INNER[version]} | parameters
    return "multipart/related; " + "; ".join(f'{name}="{value}"' for name, value in known.items() if value)


def post(caller, parts, newline=b"\r\n", headers=(), **parameters):
    """Post parts, each its headers and its content."""
    kind = {"Content-Type": content_type(caller.version, **parameters)}
    return caller.send(package(BOUNDARY, parts, newline), headers=kind | dict(headers))


def root(caller, payload=SEND, href="1@here", header=""):
    envelope = envelope_of(caller.version, payload.replace("HREF", href), header)
    return (f'Content-Type: application/xop+xml; charset=utf-8; type="{INNER[caller.version]}"', envelope)


def part(content, content_id="1@here", encoding="binary"):
    return (f"Content-ID: <{content_id}>\r\nContent-Transfer-Encoding: {encoding}", content)


def kept(caller, reply):
    """The file that a SendInvoice left in the archive."""
    index = caller.call("GetRecord", recordNumber=reply.text("recordNumber"), format="INDEX").recordIndex
    (document,) = index.documents.document
    return caller.house.archive.read(document.sha256)
