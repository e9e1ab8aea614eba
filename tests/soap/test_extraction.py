"""A record is extracted when its last byte was sent, and never before."""

import http.client
import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests

from . import cast
from .cast import INVOICE, open_with_pdf, pdf_of, to_extract
from .house import MEDIA_TYPES, envelope_of
from .processes import threads_in, until

one_version = pytest.mark.parametrize("version", ["1.1"], indirect=True)
LARGE = 12_000_000


@pytest.fixture(scope="module")
def large():
    return pdf_of(LARGE)


def index(caller, number):
    return caller.call("GetRecord", recordNumber=number, format="INDEX").recordIndex


def settled(*functions):
    """Wait until the server has ended with every answer."""
    until(lambda: not any(threads_in(function) for function in functions or ("until_sent", "service")))


@pytest.mark.parametrize("address", ["zipUrl", "pdfUrl"])
@one_version
def test_a_record_downloaded_whole_by_its_address_is_extracted(caller, address):
    number = open_with_pdf(caller)
    response = requests.get(index(caller, number)[address], timeout=30)
    settled()

    assert response.status_code == 200
    assert to_extract(caller) == []
    assert index(caller, number).extractedOn is not None


@pytest.mark.parametrize("format_", ["ZIP", "PDF"])
def test_a_record_given_whole_by_get_record_is_extracted(caller, format_):
    number = open_with_pdf(caller)

    content = caller.call("GetRecord", recordNumber=number, format=format_).content
    settled()

    assert content
    assert to_extract(caller) == []


@one_version
def test_a_record_of_which_half_was_downloaded_is_not_extracted(caller, large):
    number = open_with_pdf(caller, large)
    address = urlsplit(index(caller, number).zipUrl)
    with closing(socket.create_connection((address.hostname, address.port or 80), timeout=30)) as client:
        client.sendall(f"GET {address.path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        taken = read_up_to(client, LARGE // 2)
    settled()

    assert LARGE // 2 <= taken < LARGE
    assert to_extract(caller) == [number]


@one_version
def test_a_record_of_which_get_record_sent_half_is_not_extracted(caller, large):
    number = open_with_pdf(caller, large)
    asked = envelope_of("1.1", f"<GetRecord><recordNumber>{number}</recordNumber><format>ZIP</format></GetRecord>")
    place = urlsplit(caller.url)
    with closing(socket.create_connection((place.hostname, place.port or 80), timeout=30)) as client:
        client.sendall(_post(caller, asked))
        taken = read_up_to(client, LARGE // 2)
    settled()

    assert LARGE // 2 <= taken < LARGE
    assert to_extract(caller) == [number]


def _post(caller, body):
    prepared = requests.Request("POST", caller.address, auth=caller.session.auth, data=body).prepare()
    headers = dict(prepared.headers) | {"Host": "test", "Content-Type": MEDIA_TYPES["1.1"]}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(["POST /soap/v1 HTTP/1.1", *lines, "", ""]).encode() + body


def read_up_to(client, size):
    taken = 0
    while taken < size and (piece := client.recv(1 << 16)):
        taken += len(piece)
    return taken


@one_version
def test_asking_for_the_size_alone_extracts_nothing(caller):
    number = open_with_pdf(caller)

    response = requests.head(index(caller, number).zipUrl, timeout=30)
    settled()

    assert response.status_code == 200
    assert to_extract(caller) == [number]


@one_version
def test_downloading_one_document_extracts_nothing(caller):
    number = open_with_pdf(caller)

    requests.get(index(caller, number).documents.document[0].url, timeout=30)
    settled()

    assert to_extract(caller) == [number]


def test_a_client_killed_between_the_list_and_the_download_loses_nothing(caller):
    expected = [open_with_pdf(caller), cast.open_record(caller)]
    listed = caller.call("GetRecordList")  # and here it is killed

    again = caller.again().call("GetRecordList")

    assert [each.recordNumber for each in listed.records.recordIndex] == expected
    assert [each.recordNumber for each in again.records.recordIndex] == expected


@one_version
def test_a_record_that_changed_while_it_was_downloaded_is_listed_again(caller):
    number = open_with_pdf(caller)
    address = index(caller, number).zipUrl
    caller.call("AddSimpleInvoice", recordNumber=number, fileName="F.pdf", content=INVOICE)
    requests.get(address, timeout=30)
    settled()
    assert to_extract(caller) == []

    caller.call("AddSimpleInvoice", recordNumber=number, fileName="G.pdf", content=INVOICE)

    assert to_extract(caller) == [number]
    assert index(caller, number).extractedOn is None


@one_version
def test_the_pdf_of_a_record_with_a_file_that_cannot_be_joined_does_not_extract_it(caller):
    number = open_with_pdf(caller)
    caller.call("AddSimpleInvoice", recordNumber=number, fileName="broken.pdf", content=b"%PDF-1.7 and no more")

    answer = caller.call("GetRecord", recordNumber=number, format="PDF")
    settled()

    assert [warning.code for warning in answer.warnings.warning] == ["DOCUMENT_NOT_JOINED"]
    assert to_extract(caller) == [number]


@one_version
def test_a_download_may_be_repeated(caller):
    number = open_with_pdf(caller)
    address = urlsplit(index(caller, number).zipUrl)
    with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)) as connection:
        bodies = []
        for _ in range(2):
            connection.request("GET", address.path)
            bodies.append(connection.getresponse().read())

    assert bodies[0] == bodies[1]
