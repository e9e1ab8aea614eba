"""MTOM in answers: files go beside the message to who understands that."""

import base64

import pytest

from . import cast
from .attachments import SEND, part, post, root
from .cast import FIRST_DAY, IMAGE, INVOICE
from .house import MEDIA_TYPES, V1, envelope_of
from .packages import INNER, opened

ACCEPTING = {"Accept": "application/xop+xml, multipart/related"}


@pytest.fixture
def house(houses):
    """Over one database: it plays no role."""
    return houses("sqlite")


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
