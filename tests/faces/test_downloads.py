"""Files by their addresses: names that harm nobody, parts of them, and when a record counts as handed over."""

import hashlib
import re
import shutil
import subprocess
from urllib.parse import unquote

import pytest

from paraphe.faces.links import attachment

from ..soap.cast import INVOICE, open_with_pdf, to_extract
from ..soap.processes import threads_in, until
from .plain import one_database
from .wire import request, wired

pytestmark = one_database
SIZE = len(INVOICE)


@pytest.fixture
def caller(house):
    return house.account()


@pytest.fixture
def index(caller):
    return caller.call("GetRecord", recordNumber=open_with_pdf(caller), format="INDEX").recordIndex


def got(caller, url, method="GET", **headers):
    with wired(caller.url) as wire:
        wire.send(request(method, url.removeprefix(caller.url), **headers))
        response = wire.response(head=method == "HEAD")
        # waitress ends the connection behind an answer without a length, which 304 is.
        assert response["Connection"] == "close" or wire.silent
        return response


@pytest.fixture
def document(caller, index):
    """Fetch the invoice with some headers."""
    return lambda **headers: got(caller, index.documents.document[0].url, **headers)


# --- parts

PARTS = {
    "bytes=0-0": (0, 1),
    "bytes=0-99": (0, 100),
    "bytes=100-199": (100, 200),
    f"bytes={SIZE - 1}-": (SIZE - 1, SIZE),
    f"bytes=10-{SIZE + 5}": (10, SIZE),
    "bytes=10-": (10, SIZE),
    "bytes=-1": (SIZE - 1, SIZE),
    "bytes=-100": (SIZE - 100, SIZE),
    f"bytes=-{10 * SIZE}": (0, SIZE),
    "bytes=0-": (0, SIZE),
    "bytes= 5-6 ": (5, 7),
}


@pytest.mark.parametrize("asked", PARTS)
def test_a_part_is_given(document, asked):
    first, end = PARTS[asked]

    response = document(Range=asked)

    assert response.status == 206
    assert response["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}"
    assert response.body == INVOICE[first:end]


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=9-5", "bytes=0-1,5-6", "bytes=a-b", "lines=1-2", "5-6"])
def test_what_is_no_range_or_several_gives_the_whole(document, asked):
    response = document(Range=asked)

    assert (response.status, response.body, response["Content-Range"]) == (200, INVOICE, None)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 7}-{SIZE + 9}", "bytes=-0", f"bytes={10**17}-"])
def test_a_part_that_is_not_there_is_refused_with_the_length(document, asked):
    response = document(Range=asked)

    assert (response.status, response["Content-Range"], response.body) == (416, f"bytes */{SIZE}", b"")


def test_the_tag_is_the_digest(document):
    response = document()

    assert response["ETag"] == f'"{hashlib.sha256(INVOICE).hexdigest()}"'
    assert response["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("kind", ["pdfUrl", "zipUrl"])
def test_a_download_that_broke_off_is_resumed(caller, index, kind):
    whole = got(caller, index[kind])
    half = len(whole.body) // 2

    rest = got(caller, index[kind], Range=f"bytes={half}-", If_Range=whole["ETag"])

    assert rest.status == 206
    assert whole.body[:half] + rest.body == whole.body
    assert rest["ETag"] == whole["ETag"]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_resumes_as_the_documentation_says(caller, index, tmp_path):
    whole = got(caller, index.zipUrl).body
    half = tmp_path / index.zipUrl.rpartition("/")[2]
    half.write_bytes(whole[:1000])

    subprocess.run(["curl", "-sS", "-C", "-", "-O", index.zipUrl], cwd=tmp_path, check=True, timeout=60)

    assert half.read_bytes() == whole


def test_a_record_that_has_changed_since_is_given_whole(caller, index):
    before = got(caller, index.zipUrl, "HEAD")
    caller.call("AddSimpleInvoice", recordNumber=index.recordNumber, fileName="F.pdf", content=INVOICE)

    response = got(caller, index.zipUrl, Range="bytes=100-", If_Range=before["ETag"])

    assert response.status == 200
    assert response["ETag"] != before["ETag"]
    assert response.body.startswith(b"PK")


@pytest.mark.parametrize("condition", ['"x"', "Sun, 22 Nov 2026 10:00:00 GMT", ""])
def test_a_condition_that_does_not_hold_gives_the_whole(document, condition):
    assert document(Range="bytes=5-6", If_Range=condition or " ").status == 200


def test_who_has_it_already_is_told_so(document):
    tag = document()["ETag"]

    for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        response = document(If_None_Match=known)
        assert (response.status, response.body, response["ETag"]) == (304, b"", tag)
    assert document(If_None_Match='"x"').status == 200


def test_who_wants_another_one_gets_none(document):
    assert document(If_Match='"x"').status == 412
    assert document(If_Match=f"W/{document()['ETag']}").status == 412
    assert document(If_Match=f'"x", {document()["ETag"]}').status == 200


def test_head_knows_no_parts(caller, index):
    response = got(caller, index.documents.document[0].url, "HEAD", Range="bytes=0-1")

    assert (response.status, response["Content-Length"]) == (200, str(SIZE))


def test_an_address_of_nothing_is_nothing_in_parts_too(caller):
    assert got(caller, "/documents/x.pdf", Range="bytes=0-1").body == got(caller, "/documents/x.pdf").body


# --- handed over

NOT_WHOLE = {
    "a part": {"Range": "bytes=0-99"},
    "the end": {"Range": "bytes=100-"},
    "all but the end": {"Range": "bytes=0-1"},
    "nothing there": {"Range": "bytes=999999999-"},
    "known": {"If_None_Match": "*"},
    "another one": {"If_Match": '"x"'},
}


@pytest.mark.parametrize("kind", NOT_WHOLE)
def test_a_record_that_was_not_given_whole_is_not_extracted(caller, index, kind):
    got(caller, index.zipUrl, **NOT_WHOLE[kind])
    until(lambda: not threads_in("service"))

    assert to_extract(caller) == [index.recordNumber]


def test_a_record_that_was_given_from_its_first_byte_to_its_last_is_extracted(caller, index):
    response = got(caller, index.zipUrl, Range="bytes=0-")
    until(lambda: not threads_in("service"))

    assert response.status == 206
    assert to_extract(caller) == []


# --- names

NAMES = {
    "FAC-2026-041.pdf": 'attachment; filename="FAC-2026-041.pdf"',
    "Facture été.pdf": "attachment; filename=\"Facture _t_.pdf\"; filename*=UTF-8''Facture%20%C3%A9t%C3%A9.pdf",
    "100 € 🎓.pdf": "attachment; filename=\"100 _ _.pdf\"; filename*=UTF-8''100%20%E2%82%AC%20%F0%9F%8E%93.pdf",
    'a"b\\c/d:e.pdf': 'attachment; filename="a_b_c_d_e.pdf"',
    "../../etc/passwd.pdf": 'attachment; filename="_.._etc_passwd.pdf"',
    "a\r\nSet-Cookie: b.pdf": 'attachment; filename="a__Set-Cookie_ b.pdf"',
    ".htaccess.pdf": 'attachment; filename="htaccess.pdf"',
    "...": 'attachment; filename="document"',
    "\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe.pdf": 'attachment; filename="_fdp.exe.pdf"',
    "a;b=c'd%41.pdf": 'attachment; filename="a;b=c\'d%41.pdf"',
}
GRAMMAR = re.compile(
    r"""attachment; filename="[ !#-\[\]-~]+"(; filename\*=UTF-8''(%[0-9A-F]{2}|[\w.~-])+)?""", re.ASCII
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_saves_a_file_and_does_nothing_else(caller, name):
    written = attachment(name)

    assert written == NAMES[name]
    assert GRAMMAR.fullmatch(written)


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("Facture n° 7 été.pdf", "Facture n° 7 été.pdf"),
        ("fdp.exe", "fdp.exe.pdf"),
        ("A.PDF", "A.PDF"),
        ("x" * 255,) * 2,
    ],
    ids=["accents", "a program", "capitals", "long"],
)
def test_a_document_has_the_name_that_it_was_sent_with_and_is_a_pdf(caller, name, saved):
    number = caller.call("SendInvoice", fileName=name, content=INVOICE).recordNumber
    index = caller.call("GetRecord", recordNumber=number, format="INDEX").recordIndex

    header = got(caller, index.documents.document[0].url)["Content-Disposition"]

    assert header.startswith("attachment; ")
    found = re.search(r"filename\*=UTF-8''(\S+)", header) or re.search(r'filename="([^"]*)"', header)
    assert found
    assert unquote(found[1]) == (saved if saved.lower().endswith(".pdf") else f"{saved}.pdf")
