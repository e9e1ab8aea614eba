"""MTOM: files beside the message, in the shapes of those who send them; answers alike for who understands them."""

import base64
import binascii
import gzip
import time

import pytest
import requests

from paraphe import contract

from . import cast
from .cast import AGREEMENT, FIRST_DAY, IMAGE, INVOICE, digest
from .house import MEDIA_TYPES, V1, envelope_of
from .packages import INNER, SHAPES, XOP, include, opened, package

BOUNDARY = "between the parts"
SEND = f"<SendInvoice><fileName>F.pdf</fileName><content>{include('HREF')}</content></SendInvoice>"
# The bytes that a careless reader of multipart loses or takes for something else.
AWKWARD = b"%PDF-1.7\r\n--between\r\n\r\n\x00\xff\xfe--\r\n \r--between the part\n\n\r"


@pytest.fixture
def house(houses):
    """Over one database: it plays no role."""
    return houses("sqlite")


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


# In ------------------------------------------------------------------------------------------------------------


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


# In, and wrong -------------------------------------------------------------------------------------------------


WRONG_REFERENCES = {
    "a part that is not there": include("2@here"),
    "no cid": f'<xop:Include xmlns:xop="{XOP}" href="http://127.0.0.1:9/1@here"/>',
    "no href": f'<xop:Include xmlns:xop="{XOP}"/>',
    "another attribute": include("1@here").replace(" href", ' type="x" href'),
    "an element in it": include("1@here").replace("/>", "><a xmlns=''/></xop:Include>"),
}


@pytest.mark.parametrize("kind", WRONG_REFERENCES)
def test_a_reference_that_leads_nowhere_is_refused(caller, kind):
    reply = post(caller, [root(caller, SEND.replace(include("HREF"), WRONG_REFERENCES[kind])), part(INVOICE)])

    (error,) = reply.errors
    assert reply.is_fault
    assert (error["code"], error["path"]) == ("INVALID_ATTACHMENT", "/SendInvoice/content")
    assert cast.to_extract(caller) == []


def test_what_the_xop_schema_lets_a_reference_have_besides_means_nothing(caller):
    more = include("1@here").replace(" href", ' x:a="b" xmlns:x="urn:x" href').replace("/>", "><x:b/></xop:Include>")

    assert kept(caller, post(caller, [root(caller, SEND.replace(include("HREF"), more)), part(INVOICE)])) == INVOICE


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (SEND.replace("F.pdf", include("1@here")), "fileName"),
        (SEND.replace("<content>", "<content>JVBERi0="), "content"),
        (SEND.replace("</content>", f"{include('1@here')}</content>"), "content"),
        (SEND.replace("<content>", "<content><b/>"), "content"),
        (f"<SyncStudents><students>{include('1@here')}</students></SyncStudents>", "Include"),
    ],
)
def test_a_reference_in_another_place_is_refused_by_the_schema(caller, payload, place):
    reply = post(caller, [root(caller, payload), part(INVOICE)])

    assert "SCHEMA_INVALID" in reply.codes
    assert place in {error["path"].rpartition("/")[2] for error in reply.errors}


def test_a_reference_in_a_message_without_parts_is_refused(caller):
    assert caller.post(SEND).codes == ["SCHEMA_INVALID"]


def broken_packages():
    whole = package(BOUNDARY, [("Content-Type: text/xml", b"<a/>")])
    parts = [("Content-Type: text/xml", b"<a/>")]
    return {
        "without a closing boundary": whole.rpartition(b"--\r\n")[0],
        "cut in a part": whole[:30],
        "with another boundary": whole.replace(b"between", b"BETWEEN"),
        "empty": b"",
        "without parts": f"--{BOUNDARY}--\r\n".encode(),
        "with a part without a blank line": whole.replace(b"\r\n\r\n", b"\r\n"),
        "with two parts of one name": package(BOUNDARY, [*parts, part(b"", "x"), part(b"", "x")]),
        "with very many parts": package(BOUNDARY, parts * 101),
        "with a boundary inside a part": (f"--{BOUNDARY}\r\n\r\n" + f"\r\n--{BOUNDARY}!" * 5000).encode(),
        "with long headers": package(BOUNDARY, [("A: " + "x" * 20_000, b"<a/>")]),
    }


@pytest.mark.parametrize("kind", broken_packages())
def test_a_broken_package_is_refused(caller, kind):
    reply = caller.send(broken_packages()[kind], headers={"Content-Type": content_type(caller.version)})

    assert reply.codes == ["INVALID_ATTACHMENT"]
    assert reply.version == caller.version  # told by start-info, as there is no envelope to tell it


@pytest.mark.parametrize("boundary", ["", "x" * 201])
def test_a_content_type_without_a_usable_boundary_is_refused(caller, boundary):
    assert post(caller, [root(caller)], boundary=boundary).codes == ["INVALID_ATTACHMENT"]


@pytest.mark.parametrize(("encoding", "content"), [("base64", b"JVBE*"), ("base64", b"JVB"), ("x-uuencode", b"a")])
def test_a_part_that_is_not_encoded_as_it_says_is_refused(caller, encoding, content):
    assert post(caller, [root(caller), part(content, encoding=encoding)]).codes == ["INVALID_ATTACHMENT"]


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/form-data", "application/xop+xml"])
def test_other_packages_are_refused_by_their_content_type(caller, kind):
    body = package(BOUNDARY, [root(caller), part(INVOICE)])

    reply = caller.send(body, headers={"Content-Type": f'{kind}; boundary="{BOUNDARY}"'})

    assert reply.codes == ["UNSUPPORTED_MEDIA_TYPE"]


def test_a_root_part_that_is_no_xml_is_refused_by_its_content_type(caller):
    assert post(caller, [("Content-Type: text/html", b"<a/>")]).codes == ["UNSUPPORTED_MEDIA_TYPE"]


def test_the_root_part_is_held_to_what_every_message_is_held_to(caller):
    head, envelope = root(caller)
    with_type = envelope.replace(b"?>\n", b'?>\n<!DOCTYPE a [<!ENTITY b "c">]>')

    assert post(caller, [(head, with_type), part(INVOICE)]).codes == ["FORBIDDEN_CONSTRUCT"]
    assert post(caller, [(head, b"<a"), part(INVOICE)]).codes == ["MALFORMED_MESSAGE"]
    caller.session.auth = None
    assert post(caller, [(head, envelope)]).codes == ["CREDENTIALS_REQUIRED"]


def test_what_is_hostile_takes_no_longer_than_what_is_large(caller):
    lookalikes = f"\n--{BOUNDARY}".encode()
    bodies = [
        f"--{BOUNDARY}\r\n".encode() + lookalikes[:-1] * 400_000,
        f"--{BOUNDARY}\r\n".encode() + lookalikes * 400_000,
        lookalikes + b" " * 8_000_000,
        (lookalikes + b" " * 50_000) * 160,
        f"--{BOUNDARY}\r\n".encode() + b"a:\r\n" * 2_000_000,
        b"\r\n" * 4_000_000,
    ]
    for body in bodies:
        begun = time.process_time()
        reply = caller.send(body, headers={"Content-Type": content_type(caller.version)})
        assert reply.codes == ["INVALID_ATTACHMENT"]
        assert time.process_time() - begun < 2


@pytest.mark.parametrize("path", ["/soap/v1", "/api/v1/CheckConnection"])
def test_a_very_long_content_type_is_refused_at_once(caller, path):
    for long in (f'{content_type(caller.version)}; a="{";" * 60_000}', "text/xml;" + "a*0=b;" * 9000):
        begun = time.process_time()
        headers = {"Content-Type": long}
        reply = requests.post(caller.url + path, b"<a/>", headers=headers, auth=caller.session.auth, timeout=60)
        assert reply.status_code == 415
        assert time.process_time() - begun < 1


# Out -----------------------------------------------------------------------------------------------------------


ACCEPTING = {"Accept": "application/xop+xml, multipart/related"}


def get_record(caller, number, **options):
    payload = f"<GetRecord><recordNumber>{number}</recordNumber><format>PDF</format></GetRecord>"
    return caller.post(payload, **options)


def contents(reply):
    """The parts of an answer beside its envelope."""
    return list(opened(reply.headers["Content-Type"], reply.body).parts.values())


def test_an_answer_with_a_file_goes_beside_the_message_to_who_accepts_it(caller):
    number = cast.open_with_pdf(caller)
    plain = get_record(caller, number)

    reply = get_record(caller, number, headers=ACCEPTING)

    assert plain.headers["Content-Type"] == MEDIA_TYPES[caller.version]
    assert reply.headers["Content-Type"].startswith("multipart/related; ")
    assert f'start-info="{INNER[caller.version]}"' in reply.headers["Content-Type"]
    (content,) = contents(reply)
    assert content.startswith(b"%PDF-")
    assert base64.b64encode(content).decode() == reply.text("content")
    assert len(reply.body) < len(plain.body)


def test_an_answer_to_a_package_is_a_package_when_it_holds_a_file(caller):
    number = cast.open_with_pdf(caller)
    payload = f"<GetRecord><recordNumber>{number}</recordNumber><format>%s</format></GetRecord>"

    zipped, index = (post(caller, [root(caller, payload % kind)]) for kind in ("ZIP", "INDEX"))

    assert contents(zipped)[0].startswith(b"PK")
    assert index.headers["Content-Type"] == MEDIA_TYPES[caller.version]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accept", "sent", "is_package"),
    [
        ("multipart/related", False, True),
        ("text/xml, Multipart/Related;q=0.5", False, True),
        ('multipart/related; type="application/xop+xml"', False, True),
        ("*/*", False, False),
        ("multipart/*", False, False),
        ("text/xml", True, False),
        ("*/*", True, True),
        ("text/html, *; q=.2, */*; q=.2", True, True),
        ("multipart/related;q=0, */*", True, False),
        # Axis 1.4, which means SOAP with attachments by it
        ("application/soap+xml, application/dime, multipart/related, text/*", False, False),
    ],
)
def test_the_header_accept_decides(caller, accept, sent, is_package):
    number = cast.open_with_pdf(caller)
    payload = f"<GetRecord><recordNumber>{number}</recordNumber><format>PDF</format></GetRecord>"
    headers = {"Accept": accept}

    reply = (
        post(caller, [root(caller, payload)], headers=headers) if sent else get_record(caller, number, headers=headers)
    )

    assert reply.headers["Content-Type"].startswith("multipart/") == is_package


def test_a_message_with_plain_attachments_is_answered_plainly(caller):
    number = cast.open_with_pdf(caller)
    payload = f"<GetRecord><recordNumber>{number}</recordNumber><format>PDF</format></GetRecord>"
    envelope = envelope_of(caller.version, payload)

    reply = post(caller, [(f"Content-Type: {INNER[caller.version]}", envelope)], type=INNER[caller.version])

    assert reply.headers["Content-Type"] == MEDIA_TYPES[caller.version]


def test_faults_and_refusals_are_plain(caller):
    for payload in (
        "<GetRecord/>",
        "<GetRecord><recordNumber>2026-999999</recordNumber><format>PDF</format></GetRecord>",
    ):
        reply = post(caller, [root(caller, payload)], headers=ACCEPTING)
        assert not reply.ok
        assert reply.headers["Content-Type"] == MEDIA_TYPES[caller.version]


def test_images_go_beside_the_message_as_far_as_callers_take_that_many(caller):
    cast.sitting(caller, students=60)
    signed = [{"person_reference": f"STU-{number:04}", "image": IMAGE} for number in range(1, 61)]
    cast.attend(caller, *signed)
    period = f"<periodStart>{FIRST_DAY}</periodStart><periodEnd>{FIRST_DAY}</periodEnd>"

    reply = caller.post(
        f"<GetSignatureList>{period}<includeImages>true</includeImages></GetSignatureList>", headers=ACCEPTING
    )

    images = [image.text for image in reply.result.iter(f"{V1}image")]
    assert images == [base64.b64encode(IMAGE).decode()] * 60
    assert contents(reply) == [IMAGE] * 45  # CXF takes no more than 50 parts


def test_zeep_reads_such_answers(caller):
    number = cast.open_with_pdf(caller)
    plain = caller.call("GetRecord", recordNumber=number, format="ZIP")
    caller.session.headers.update(ACCEPTING)

    answer = caller.call("GetRecord", recordNumber=number, format="ZIP")

    assert caller.last.headers["Content-Type"].startswith("multipart/related")
    assert answer.recordIndex.recordNumber == number
    assert answer.content[:2] == plain.content[:2] == b"PK"


def test_a_record_that_was_sent_beside_the_message_is_extracted(caller):
    number = cast.open_with_pdf(caller)

    get_record(caller, number, headers=ACCEPTING)

    assert cast.to_extract(caller) == []


def test_an_answer_that_is_repeated_is_a_plain_one(caller):
    named = SEND.replace("<SendInvoice>", "<SendInvoice><messageId>M-1</messageId>")

    first, again = (post(caller, [root(caller, named), part(INVOICE)], headers=ACCEPTING) for _ in range(2))

    assert (again.text("duplicate"), again.text("documentId")) == ("true", first.text("documentId"))


@pytest.mark.slow
def test_a_file_of_more_than_10_mb_goes_out_whole(caller):
    content = cast.pdf_of(12_000_000)
    reply = post(caller, [root(caller), part(content)])
    number = reply.text("recordNumber")
    payload = f"<GetRecord><recordNumber>{number}</recordNumber><format>ZIP</format></GetRecord>"

    answer = caller.post(payload, headers=ACCEPTING)

    assert content in contents(answer)[0]  # noise is stored, not deflated
