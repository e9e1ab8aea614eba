"""MTOM: files beside the message, in the shapes of those who send them."""

import base64
import binascii
import gzip

import pytest

from paraphe import contract

from . import cast
from .attachments import BOUNDARY, SEND, content_type, kept, part, post, root
from .cast import AGREEMENT, INVOICE, digest
from .house import MEDIA_TYPES, envelope_of
from .packages import SHAPES, include, package

# The bytes that a careless reader of multipart loses or takes for something else.
AWKWARD = b"%PDF-1.7\r\n--between\r\n\r\n\x00\xff\xfe--\r\n \r--between the part\n\n\r"


@pytest.fixture
def house(houses):
    """Over one database: it plays no role."""
    return houses("sqlite")


@pytest.mark.slow
@pytest.mark.parametrize("stack", SHAPES)
@pytest.mark.parametrize("content", [INVOICE, AWKWARD], ids=["a PDF", "awkward bytes"])
def test_a_file_beside_the_message_is_kept_as_it_is(caller, stack, content):
    body, headers = SHAPES[stack].pack(caller.version, envelope_of(caller.version, SEND), content)

    reply = caller.send(body, headers=headers)

    assert reply.ok
    assert reply.version == caller.version
    assert kept(caller, reply) == content


@pytest.mark.parametrize("operation", ["AddSimpleInvoice", "AddSimpleDocument"])
def test_every_operation_with_a_file_takes_it_from_beside_the_message(caller, operation):
    number = cast.open_record(caller)
    title = "<documentType>AGREEMENT</documentType><title>T</title>" if operation == "AddSimpleDocument" else ""
    payload = (
        f"<{operation}><recordNumber>{number}</recordNumber>{title}<fileName>C.pdf</fileName>"
        f"<content>{include('1@here')}</content></{operation}>"
    )

    reply = post(caller, [root(caller, payload), part(AGREEMENT)])

    assert reply.text("sha256") == digest(AGREEMENT)


def test_these_are_all_the_operations_with_a_file():
    with_files = {
        name
        for name, operation in contract.operations().items()
        if "base64Binary" in str(_primitives(operation.request))
    }

    assert with_files == {"SendInvoice", "AddSimpleInvoice", "AddSimpleDocument"}


def _primitives(kind):
    return [
        _primitives(field.type) if isinstance(field.type, contract.Complex) else field.type.primitive
        for field in kind.fields
    ]


def test_the_root_part_may_stand_anywhere_if_start_names_it(caller):
    head, envelope = root(caller)
    parts = [part(INVOICE), (f"{head}\r\nContent-ID: <root@here>", envelope), part(b"a bystander", "2@here")]

    assert kept(caller, post(caller, parts, start="<root@here>")) == INVOICE
    assert post(caller, parts, start="nobody@here").codes == ["INVALID_ATTACHMENT"]


@pytest.mark.parametrize("href", ["a%40b%20c%2Fd", "a@b c/d", "a%40b c/d"])
def test_a_reference_may_be_percent_encoded_or_not(caller, href):
    assert kept(caller, post(caller, [root(caller, href=href), part(INVOICE, "a@b c/d")])) == INVOICE


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("binary", AWKWARD),
        ("8bit", AWKWARD),
        ("7BIT", AWKWARD),
        ("base64", base64.encodebytes(AWKWARD).replace(b"\n", b"\r\n")),
        ("Base64", binascii.b2a_base64(AWKWARD)),
        ("quoted-printable", b"=\r\n".join(b"=%02X" % each for each in AWKWARD)),
    ],
)
def test_a_transfer_encoding_is_undone(caller, encoding, encoded):
    assert kept(caller, post(caller, [root(caller), part(encoded, encoding=encoding)])) == AWKWARD


def test_a_part_without_transfer_encoding_and_with_a_folded_header_is_taken(caller):
    folded = ("Content-Type: application/pdf;\r\n name=x\r\ncontent-id:\r\n\t<1@here>", INVOICE)

    assert kept(caller, post(caller, [root(caller), folded])) == INVOICE


def test_lines_may_end_in_lf_alone(caller):
    assert kept(caller, post(caller, [root(caller), part(AWKWARD)], newline=b"\n")) == AWKWARD


def test_the_root_part_has_its_own_charset(caller):
    _, envelope = root(caller, SEND.replace("F.pdf", "Étude.pdf"))
    latin = envelope.replace(b"UTF-8", b"ISO-8859-1").decode().encode("latin-1")

    for head, message in (
        ("Content-Type: application/xop+xml; charset=iso-8859-1", latin),
        ("Content-Type: application/xop+xml", envelope),
        ("Content-Type: text/xml", latin),
        ("X-Nothing: of use", envelope),
    ):
        reply = post(caller, [(head, message.replace(b"HREF", b"1@here")), part(INVOICE)])
        index = caller.call("GetRecord", recordNumber=reply.text("recordNumber"), format="INDEX").recordIndex
        assert index.documents.document[0].fileName == "Étude.pdf"


@pytest.mark.slow
def test_a_file_of_more_than_10_mb_is_taken(caller):
    content = cast.pdf_of(12_000_000)

    assert kept(caller, post(caller, [root(caller), part(content)])) == content


def test_files_that_nothing_refers_to_are_ignored(caller):
    inline = SEND.replace(include("HREF"), base64.b64encode(INVOICE).decode())
    extra = [part(b"one", "x@here"), ("Content-Type: image/png", b"two"), ("Content-Location: z", b"")]

    assert kept(caller, post(caller, [root(caller, inline), *extra], type="text/xml")) == INVOICE


def test_white_space_around_the_reference_is_no_text(caller):
    pretty = SEND.replace("<content>", "<content>\n  ").replace("</content>", "\n</content>")

    assert kept(caller, post(caller, [root(caller, pretty), part(INVOICE)])) == INVOICE


def test_the_digest_that_was_sent_is_held_against_the_part(caller):
    with_digest = SEND.replace("</content>", f"</content><sha256>{digest(b'another')}</sha256>")

    assert post(caller, [root(caller, with_digest), part(INVOICE)]).codes == ["DIGEST_MISMATCH"]


def test_the_same_message_inline_and_by_attachment_is_one_message(caller):
    named = SEND.replace("<SendInvoice>", "<SendInvoice><messageId>M-1</messageId>")
    first = post(caller, [root(caller, named), part(INVOICE)])

    again = caller.post(named.replace(include("HREF"), base64.encodebytes(INVOICE).decode()))
    other = post(caller, [root(caller, named), part(AGREEMENT)])

    assert (again.text("duplicate"), again.text("recordNumber")) == ("true", first.text("recordNumber"))
    assert other.codes == ["MESSAGE_ID_REUSED"]


def test_a_message_without_files_may_be_a_package_of_one_part(caller):
    reply = post(caller, [root(caller, "<SyncStudents><students/></SyncStudents>")])

    assert reply.ok
    assert reply.headers["Content-Type"] == MEDIA_TYPES[caller.version]


def test_a_compressed_package_is_taken(caller):
    body = gzip.compress(package(BOUNDARY, [root(caller), part(INVOICE)]))
    headers = {"Content-Type": content_type(caller.version), "Content-Encoding": "gzip"}

    assert kept(caller, caller.send(body, headers=headers)) == INVOICE
