"""Large files, in and out, by every way: the same promises as for small ones, and flat memory."""

import base64
import gzip
import io
import json
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from benchmarks import memory
from lxml import etree

from paraphe import spool
from paraphe.contract import NAMESPACE

from ..soap.cast import digest, open_with_pdf, pdf_of, to_extract
from ..soap.house import V1, envelope_of
from ..soap.packages import include, opened, package
from ..soap.processes import threads_in, until
from .plain import PlainCaller, one_database

pytestmark = [one_database, pytest.mark.slow]
WAYS = ("soap", "soap 1.2", "mtom", "xml", "json")
CONTENT = pdf_of(spool.LARGE + 100_000)
LINES = base64.encodebytes(CONTENT).decode()


@pytest.fixture
def caller(house):
    return PlainCaller.of(house)


@pytest.fixture(autouse=True)
def nothing_is_left(house):
    """Behind every test nothing is in the folder where large content arrives, and no file without a name is open."""
    before = set(nameless_files())
    yield
    until(lambda: not any((house.folder / "archive" / "incoming").iterdir()))
    until(lambda: set(nameless_files()) <= before)


def nameless_files():
    """Open files that never had a name, and those that lost it where large content arrives."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            name = str(descriptor.readlink())
            if name.endswith(" (deleted)") and ("/#" in name or "/incoming/" in name):
                yield name


def element(text, message_id=None, sha256=None):
    more = f"<sha256>{sha256}</sha256>" if sha256 else ""
    first = f"<messageId>{message_id}</messageId>" if message_id else ""
    return f"<SendInvoice>{first}<fileName>F.pdf</fileName><content>{text}</content>{more}</SendInvoice>"


def send(caller, way, content=CONTENT, text=None, zipped=False, **more):
    """Send an invoice; `text` stands for the base64 of the content. Return the answer."""
    text = base64.b64encode(content).decode() if text is None else text
    if way in ("json", "xml"):
        body = _json(text, **more) if way == "json" else element(text, **more).replace(">", f' xmlns="{NAMESPACE}">', 1)
        sent = gzip.compress(body.encode(), 1) if zipped else body.encode()
        coding = "gzip" if zipped else "identity"
        return caller.send("SendInvoice", sent, f"application/{way}", Content_Encoding=coding)
    soap = caller.soap
    soap.version = "1.2" if way == "soap 1.2" else "1.1"
    body, headers = envelope_of(soap.version, element(text, **more)), {}
    if way == "mtom":
        root = ("Content-Type: application/xop+xml", envelope_of("1.1", element(include("file"), **more)))
        body = package("b", [root, ("Content-ID: <file>\r\nContent-Transfer-Encoding: binary", content)])
        headers = {"Content-Type": 'multipart/related; type="application/xop+xml"; boundary=b'}
    if zipped:
        body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
    return soap.send(body, headers=headers)


def _json(text, message_id=None, sha256=None):
    message = {"fileName": "F.pdf", "content": text, "messageId": message_id, "sha256": sha256}
    return json.dumps(message)


def told(answer, name):
    """A member of an answer, whatever way it came."""
    return answer.said.get(name) if hasattr(answer, "said") else answer.text(name)


@pytest.mark.parametrize("zipped", [False, True], ids=["as it is", "compressed"])
@pytest.mark.parametrize("way", WAYS)
def test_a_large_file_is_kept_as_it_is(caller, way, zipped):
    answer = send(caller, way, zipped=zipped, sha256=digest(CONTENT))

    assert answer.ok
    index = caller.soap.call("GetRecord", recordNumber=told(answer, "recordNumber"), format="INDEX").recordIndex
    (document,) = index.documents.document
    assert (document.sha256, document.sizeBytes) == (digest(CONTENT), len(CONTENT))
    assert caller.house.archive.read(digest(CONTENT)) == CONTENT


def test_a_large_message_sent_again_another_way_is_answered_again(caller):
    first = send(caller, "soap", message_id="large")

    others = [send(caller, way, message_id="large") for way in WAYS]
    small = send(caller, "json", b"%PDF-1.7", message_id="large")

    assert [str(told(each, "duplicate")).lower() for each in others] == ["true"] * len(WAYS)
    assert {told(each, "recordNumber") for each in others} == {told(first, "recordNumber")}
    assert small.codes == ["MESSAGE_ID_REUSED"]


@pytest.mark.parametrize(
    "text", [LINES, LINES.replace("\n", "&#13;\n"), f"<![CDATA[{LINES}]]>", f"\n\t{LINES}<!-- -->"]
)
@pytest.mark.parametrize("way", ["soap", "xml"])
def test_base64_may_be_written_in_many_ways(caller, way, text):
    assert send(caller, way, text=text, sha256=digest(CONTENT)).ok


@pytest.mark.parametrize("way", ["soap", "xml", "json"])
@pytest.mark.parametrize("wrong", ["!", "=", "AAA"])
def test_a_large_file_that_is_no_base64_is_refused_at_its_place(caller, way, wrong):
    text = base64.b64encode(CONTENT[: len(CONTENT) // 3 * 3]).decode() + wrong

    answer = send(caller, way, text=text)

    (error,) = answer.errors
    assert (error["code"], error["field"], error["value"]) == ("SCHEMA_INVALID", "content", text[:80])
    assert error["path"] == ("/content" if way == "json" else "/SendInvoice/content")
    assert to_extract(caller.soap) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_large_file_with_another_digest_is_refused(caller, way):
    assert send(caller, way, sha256="0" * 64).codes == ["DIGEST_MISMATCH"]
    assert to_extract(caller.soap) == []


@pytest.mark.parametrize("way", ["soap", "xml", "json"])
def test_a_large_message_without_its_end_is_malformed(caller, way):
    body = {
        "soap": envelope_of("1.1", element(LINES)),
        "xml": element(LINES).encode(),
        "json": b'{"content": "' + b"A" * len(LINES),
    }
    cut = body[way][:-30]

    if way == "soap":
        assert caller.soap.send(cut).codes == ["MALFORMED_MESSAGE"]
    else:
        assert caller.send("SendInvoice", cut, f"application/{way}").codes == ["MALFORMED_MESSAGE"]


# Out -------------------------------------------------------------------------------------------------------------


def content_of(caller, way, number, kind):
    """Ask for a record's content; return it with the header Content-Length and the bytes that came."""
    asked = f"<GetRecord><recordNumber>{number}</recordNumber><format>{kind}</format></GetRecord>"
    if way in ("json", "xml"):
        inside = asked.removeprefix("<GetRecord>").removesuffix("</GetRecord>")
        message = {"recordNumber": number, "format": kind}
        answer = caller.json("GetRecord", message) if way == "json" else caller.xml("GetRecord", inside)
        return base64.b64decode(answer.said["content"]), answer
    soap = caller.soap
    soap.version = "1.2" if way == "soap 1.2" else "1.1"
    headers = {"Accept": "multipart/related"} if way == "mtom" else {}
    reply = soap.post(asked, headers=headers)
    if way == "mtom":
        (content,) = opened(reply.headers["Content-Type"], reply.body).parts.values()
        return content, reply
    text = etree.fromstring(reply.body, etree.XMLParser(huge_tree=True)).findtext(f".//{V1}content") or ""
    return base64.b64decode(text), reply


@pytest.mark.parametrize("way", WAYS)
def test_a_large_record_is_given_whole_and_is_extracted_then(caller, way):
    number = open_with_pdf(caller.soap, CONTENT)

    content, answer = content_of(caller, way, number, "ZIP")
    until(lambda: not threads_in("until_sent"))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist() if name.endswith(".pdf")] == [CONTENT]
    if "Content-Encoding" not in answer.headers:
        assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert to_extract(caller.soap) == []


# Memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_a_file_of_30_mb_takes_less_memory_than_its_own_size():
    row = memory.sent("SOAP, base64", 30, 2)

    assert max(row.peaks) < 20_000_000


@pytest.mark.parametrize("way", ["soap", "mtom"])
def test_of_a_large_message_from_nobody_nothing_stays(caller, way):
    caller.soap.session.auth = ("nobody", "x")

    assert send(caller, way).codes == ["CREDENTIALS_REFUSED"]


@pytest.mark.parametrize("way", WAYS)
def test_a_large_message_for_which_there_is_no_place_is_to_be_sent_again(caller, way, caplog):
    incoming = caller.house.folder / "archive" / "incoming"
    aside = incoming.rename(incoming.with_name("aside")) if incoming.exists() else None
    incoming.touch()
    try:
        answer = send(caller, way)
    finally:
        incoming.unlink()
        (aside.rename if aside else Path.mkdir)(incoming)

    caplog.clear()  # what is logged holds what failed, with the message
    assert answer.codes == ["SERVER_BUSY"]
    assert send(caller, way).ok
    assert len(to_extract(caller.soap)) == 1
