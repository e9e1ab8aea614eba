"""The families of cases. Each plays a number of them on a target, as a seed says, and counts them in the figures."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from random import Random
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as seeded
from hypothesis import settings as profile
from hypothesis import strategies as st

from paraphe.errors import Code

from . import damage, promises, wire
from .defects import Defect, defects
from .figures import Figures
from .messages import to_json, to_xml
from .promises import hold
from .strategies import messages, styles
from .target import PATIENCE, PATIENCE_WITH_PDF, SOAP, Account, Reply, Request, Target

FACES = ("SOAP 1.1", "SOAP 1.2", "MTOM", "XML", "JSON")
# What a valid message is never refused with.
_NEVER = {
    *(Code.MALFORMED_MESSAGE, Code.FORBIDDEN_CONSTRUCT, Code.INVALID_ENVELOPE, Code.VERSION_MISMATCH),
    *(Code.HEADER_NOT_UNDERSTOOD, Code.UNKNOWN_OPERATION, Code.INVALID_ATTACHMENT, Code.UNSUPPORTED_MEDIA_TYPE),
    *(Code.METHOD_NOT_ALLOWED, Code.NOT_FOUND, Code.MESSAGE_TOO_LARGE, Code.MESSAGE_TOO_COMPLEX, Code.SCHEMA_INVALID),
    *(Code.CREDENTIALS_REQUIRED, Code.CREDENTIALS_REFUSED, Code.CREDENTIALS_UNSUPPORTED),
}


def request_of(face: str, name: str, xml: str, said: str, account: Account) -> Request:
    """Put a message, given as XML and as JSON, into a request to one of the faces."""
    headers = {"Authorization": account.basic}
    if face in ("XML", "JSON"):
        kind, text = ("application/xml; charset=utf-8", xml) if face == "XML" else ("application/json", said)
        return Request(f"/api/v1/{name}", text.encode("utf-8", "surrogatepass"), headers | {"Content-Type": kind})
    version = "1.2" if face == "SOAP 1.2" else "1.1"
    envelope = f'<e:Envelope xmlns:e="{SOAP[version]}"><e:Body>{xml}</e:Body></e:Envelope>'.encode()
    kind = "application/soap+xml" if version == "1.2" else "text/xml; charset=utf-8"
    if face == "MTOM":
        kind, envelope = (
            f'multipart/related; type="application/xop+xml"; boundary={damage.BOUNDARY}',
            damage.packed(envelope),
        )
    return Request("/soap/v1", envelope, headers | {"Content-Type": kind})


# Drawn from the contract -------------------------------------------------------------------------------------------


def drawn(target: Target, figures: Figures, account: Account, seed: int, cases: int) -> None:
    """Messages that follow the contract, and messages one defect away: in the codecs, then in the application."""

    @seeded(seed)
    @profile(
        max_examples=max(1, cases // 10),
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(st.data())
    def example(data: Any) -> None:
        message, style = data.draw(messages()), data.draw(styles)
        encoding, face = data.draw(st.sampled_from(promises.ENCODINGS)), data.draw(st.sampled_from(FACES))
        _timed(figures, "codecs, valid", partial(promises.hold_valid, message, style, encoding))
        optional = [chain for chain in message.walk() if chain[-1].member and not chain[-1].member.required]
        if optional:
            chain = data.draw(st.sampled_from(optional))
            _timed(figures, "codecs, valid", partial(promises.hold_other, message, chain))
        if data.draw(st.integers(0, 9)) == 0:
            _timed(figures, "second opinion", partial(promises.hold_same_verdict, message, style))
        request = request_of(face, message.name, to_xml(message, style), to_json(message), account)
        _count(figures, f"application, valid {face}", _accepted(target.send(request), request))
        for defect in [data.draw(defects(message)) for _ in range(3)]:
            _timed(figures, "codecs, one defect", partial(promises.hold_defect, defect))
            _send_defect(target, figures, account, data.draw(st.sampled_from(FACES)), defect)
            if data.draw(st.integers(0, 9)) == 0:
                _timed(figures, "second opinion", partial(promises.hold_same_verdict, defect.message))

    try:
        example()
    except Exception as failure:
        figures.fail("drawn", f"seed {seed}: {_told(failure)}")


def _told(failure: BaseException) -> str:
    notes = "\n".join(getattr(failure, "__notes__", ()))
    return f"{type(failure).__name__}: {failure}\n{notes[:2000]}".strip()


def _timed(figures: Figures, kind: str, check: Callable[[], object]) -> None:
    began = perf_counter()
    check()
    figures.count(kind, perf_counter() - began, "held")


def _count(figures: Figures, kind: str, reply: Reply) -> None:
    figures.count(kind, reply.seconds, str(reply.status))


def _accepted(reply: Reply, request: Request) -> Reply:
    hold(not _NEVER.intersection(reply.codes), "a valid message is understood", reply.members, request)
    return reply


def _send_defect(target: Target, figures: Figures, account: Account, face: str, defect: Defect) -> None:
    places = defect.pointers if face == "JSON" else defect.paths
    if not places or (face == "MTOM" and "content" in "".join(places)):
        return  # this face cannot express it
    xml = to_xml(defect.message) if face != "JSON" else ""
    request = request_of(face, defect.message.name, xml, to_json(defect.message), account)
    reply = target.send(request)
    told = [error for error in reply.members["errors"] if error["code"] == defect.code]
    if promises.keeps_valid(defect.message):
        # An item with a defect is left out; the others may be refused for what they say.
        hold(bool(told) or bool(reply.codes), f"{defect.kind} is told", reply.members, request)
    else:
        hold(bool(told), f"{defect.kind} has its code", reply.members, request)
        hold(
            all(error.get("path", "") in places for error in told),
            f"{defect.kind} is told at its place",
            told,
            places,
            request,
        )
    _count(figures, f"application, one defect {face}", reply)


# Damaged ---------------------------------------------------------------------------------------------------------


def damaged(target: Target, figures: Figures, account: Account, seed: int, cases: int) -> None:
    """Messages, headers, methods and addresses damaged at random, through WSGI."""
    for number in range(cases):
        chance = Random(f"{seed}/{number}")
        request = damage.request(chance, account)
        try:
            _count(figures, "damaged", target.send(request, _somewhere(chance)))
        except Exception as failure:
            figures.fail("damaged", f"seed {seed}/{number}: {_told(failure)} | {request!r:.1500}")
            if figures.enough:
                return


def _somewhere(chance: Random) -> str:
    return f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"


def over_http(target: Target, figures: Figures, account: Account, seed: int, cases: int) -> None:
    """The same over a real connection, the head of the request damaged too."""
    for number in range(cases):
        chance = Random(f"{seed}/{number}")
        head, body = wire.request(chance, damage.request(chance, account))
        try:
            began = perf_counter()
            status = wire.exchange(target.port, head, body)
            target.hold_no_failure()
            figures.count("over HTTP", perf_counter() - began, status)
        except Exception as failure:
            figures.fail("over HTTP", f"seed {seed}/{number}: {_told(failure)} | {head!r:.1500} {body!r:.300}")
            if figures.enough:
                return


# Documents -------------------------------------------------------------------------------------------------------


def documents(target: Target, figures: Figures, account: Account, seed: int, cases: int) -> None:
    """The life of a record whose PDFs are damaged: sent, added to, given whole, and fetched from its addresses."""
    files = [path.read_bytes() for path in sorted((damage.FIXTURES / "invoices").glob("*.pdf"))]
    before, number = figures.total, 0
    while figures.total - before < cases:
        number += 1
        chance = Random(f"{seed}/{number}")
        pdfs = [damage.damaged(chance, chance.choice(files)) for _ in range(2)]
        try:
            _life(target, figures, account, chance, pdfs)
        except Exception as failure:
            figures.fail("documents", f"seed {seed}/{number}: {_told(failure)}")
            if figures.enough:
                return


def _life(target: Target, figures: Figures, account: Account, chance: Random, pdfs: list[bytes]) -> None:
    def call(name: str, members: str) -> Reply:
        xml = f'<{name} xmlns="urn:paraphe:exchange:v1">{members}</{name}>'
        request = request_of(chance.choice(("SOAP 1.1", "MTOM", "XML")), name, xml, "", account)
        reply = target.send(request, patience=PATIENCE_WITH_PDF if name == "GetRecord" else PATIENCE)
        _count(figures, "documents", reply)
        return reply

    def file(pdf: bytes) -> str:
        digest = hashlib.sha256(pdf).hexdigest()
        return f"<fileName>é.pdf</fileName><content>{b64encode(pdf).decode()}</content><sha256>{digest}</sha256>"

    opened = call("SendInvoice", file(pdfs[0]))
    number = opened.members.get("recordNumber")
    if number is None:
        hold(opened.codes == ["EMPTY_FILE"], "every file but an empty one is kept", opened.members)
        return
    call("AddSimpleInvoice", f"<recordNumber>{number}</recordNumber>{file(pdfs[1])}")
    for kind in ("PDF", "ZIP", "INDEX"):
        more = f"<format>{kind}</format><includeContent>{chance.choice(('true', 'false'))}</includeContent>"
        record = call("GetRecord", f"<recordNumber>{number}</recordNumber>{more}")
    for address in re.findall(rb"https?://[^<\"\s]+", record.body):
        given = target.send(Request(urlsplit(address.decode()).path, method="GET"), patience=PATIENCE_WITH_PDF)
        _count(figures, "documents", given)


FAMILIES: dict[str, tuple[Callable[[Target, Figures, Account, int, int], None], float]] = {
    "drawn": (drawn, 0.45),
    "damaged": (damaged, 0.45),
    "over HTTP": (over_http, 0.07),
    "documents": (documents, 0.03),
}
"""Each family with its share of the cases."""
