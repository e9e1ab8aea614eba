"""Answers are compressed for who wants them so, and are the same answers."""

import gzip
import zlib

import pytest

from ..soap.cast import open_with_pdf, pdf_of, to_extract
from ..soap.house import envelope_of
from ..soap.processes import threads_in, until
from .plain import PlainCaller, one_database
from .wire import request, soap_request, wired

pytestmark = one_database


@pytest.fixture
def caller(house):
    return house.account()


def got(caller, path, accept, method="GET"):
    with wired(caller.url) as wire:
        wire.send(request(method, path, Accept_Encoding=accept))
        return wire.response(head=method == "HEAD")


# --- what is compressed

TEXTS = ["/soap/v1?wsdl", "/soap/v1?wsdl12", "/xsd/v1/messages.xsd", "/api/v1/", "/api/v1/openapi.json"]


@pytest.mark.parametrize("path", TEXTS)
def test_documents_are_compressed_and_the_same(caller, path):
    plain, small = (got(caller, path, accept) for accept in ("identity", "gzip"))

    assert small["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 2
    assert plain["Content-Encoding"] is None
    assert small["Vary"] == plain["Vary"] == "Accept-Encoding"
    assert small["Content-Type"] == plain["Content-Type"]


def listed(caller, accept):
    """Ask for a list that is longer than 1 kB."""
    for _ in range(3):
        open_with_pdf(caller)
    with wired(caller.url) as wire:
        wire.send(soap_request(caller, envelope_of(caller.version, "<GetRecordList/>"), Accept_Encoding=accept))
        return wire.response()


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_soap_answers_are_compressed(house, version):
    response = listed(house.account(version), "gzip")

    assert (response["Content-Encoding"], response["Vary"]) == ("gzip", "Accept-Encoding")
    assert b"GetRecordListResult" in gzip.decompress(response.body)


@pytest.mark.parametrize("kind", ["json", "xml"])
def test_json_and_xml_answers_are_compressed_and_vary_with_accept_too(house, kind):
    caller = PlainCaller.of(house)
    caller.session.headers.update({"Accept": f"application/{kind}", "Accept-Encoding": "gzip"})
    items = [{"reference": f"T{number}", "lastName": "A", "firstName": "B"} for number in range(50)]

    answer = caller.json("SyncTeachers", {"teachers": items})

    assert answer.said["created"] == 50
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize(("accept", "encoding"), [("gzip", None), ("gzip, identity;q=0", "gzip")])
def test_a_short_answer_is_compressed_only_for_who_refuses_others(caller, accept, encoding):
    response = got(caller, "/", accept)

    assert response["Content-Encoding"] == encoding
    assert response["Vary"] == "Accept-Encoding"


def test_pdf_zip_and_png_are_sent_as_they_are(caller):
    index = caller.call("GetRecord", recordNumber=open_with_pdf(caller), format="INDEX").recordIndex

    for url in (index.pdfUrl, index.zipUrl, index.documents.document[0].url):
        response = got(caller, url.removeprefix(caller.url), "gzip, identity;q=0")
        assert (response.status, response["Content-Encoding"], response["Vary"]) == (200, None, None)


def test_an_answer_in_parts_is_sent_as_it_is(caller):
    """MTOM: the files in it are compressed already."""
    response = record(caller, open_with_pdf(caller), "gzip", Accept="multipart/related, application/xop+xml")

    assert (response["Content-Type"] or "").startswith("multipart/related; ")
    assert (response["Content-Encoding"], response["Vary"]) == (None, None)


def test_faults_are_compressed_for_who_refuses_others(caller):
    with wired(caller.url) as wire:
        wire.send(soap_request(caller, b"<a", Accept_Encoding="gzip, identity;q=0"))
        response = wire.response()

    assert b"MALFORMED_MESSAGE" in gzip.decompress(response.body)


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("accept", ["gzip", ""])
def test_head_has_the_headers_of_get(caller, path, accept):
    told, given = got(caller, path, accept, "HEAD"), got(caller, path, accept)

    for response in (told, given):
        response.headers.pop("x-request-id")
        response.headers.pop("date")
    assert told.headers == given.headers


def test_old_clients_get_them_too(caller):
    with wired(caller.url) as wire:
        wire.send(request("GET", "/soap/v1?wsdl", version="1.0", Accept_Encoding="gzip"))
        response = wire.response()

        assert gzip.decompress(response.body).startswith(b"<?xml")
        assert wire.ended


# --- how


def test_a_file_in_base64_is_compressed_to_about_what_it_was(caller):
    number = open_with_pdf(caller, pdf_of(2_000_000))

    plain, small = (record(caller, number, accept) for accept in ("", "gzip"))

    assert gzip.decompress(small.body).partition(b"<content>")[2] == plain.body.partition(b"<content>")[2]
    assert len(small.body) < 0.78 * len(plain.body)


def test_an_answer_that_is_compressed_lies_in_one_stream(caller):
    """Some readers of gzip stop at the end of the first."""
    response = got(caller, "/soap/v1?wsdl", "gzip")
    inflater = zlib.decompressobj(31)

    inflater.decompress(response.body)

    assert inflater.eof
    assert not inflater.unused_data


def record(caller, number, accept, **headers):
    with wired(caller.url) as wire:
        wire.send(soap_request(caller, get_record(number), Accept_Encoding=accept, **headers))
        return wire.response()


def get_record(number):
    payload = f"<GetRecord><recordNumber>{number}</recordNumber><format>ZIP</format></GetRecord>"
    return envelope_of("1.1", payload)


def test_a_record_given_whole_in_a_compressed_answer_is_extracted(caller):
    number = open_with_pdf(caller)

    response = record(caller, number, "gzip")
    until(lambda: not threads_in("service"))

    assert response["Content-Encoding"] == "gzip"
    assert to_extract(caller) == []


def test_a_record_of_which_half_came_in_a_compressed_answer_is_not_extracted(caller):
    number = open_with_pdf(caller, pdf_of(9_000_000))

    with wired(caller.url) as wire:
        wire.send(soap_request(caller, get_record(number), Accept_Encoding="gzip"))
        received = 0
        while received < 4_000_000:
            received += len(wire.take())
    until(lambda: not threads_in("service"))

    assert to_extract(caller) == [number]


@pytest.mark.slow
def test_an_answer_too_large_to_be_held_twice_is_sent_as_it_is(caller):
    number = open_with_pdf(caller, pdf_of(13_000_000))

    response = record(caller, number, "gzip")

    assert len(response.body) > 16 << 20
    assert response["Content-Encoding"] is None
