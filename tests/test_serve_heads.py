"""serve/ and heads, control lines and trailers that somebody made to do harm: refused at once, and nobody waits."""

import http.client
from contextlib import closing
from time import process_time

import pytest
from waitress.adjustments import Adjustments

from paraphe.serve.requests import Parser

from .test_serve_pace import QUICK, answer, connected, is_quick, served

CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def parsed(message, piece=1 << 20):
    """A request that a message was given to, piece by piece, until it wants no more."""
    request = Parser(Adjustments())
    while message and not request.completed:
        taken = request.received(message[:piece])
        assert taken
        message = message[taken:]
    return request


HEADS = {
    "blanks before a zero": lambda size: b"GET / HTTP/1.1\r\nA:" + b" " * size + b"\0\r\n\r\n",
    "blanks before a delete": lambda size: b"GET / HTTP/1.1\r\nA:" + b" " * size + b"\x7f\r\n\r\n",
    "blanks in a value": lambda size: b"GET / HTTP/1.1\r\nA: b" + b" b" * (size // 2) + b"\x01\r\n\r\n",
    "a request line with a word too many": lambda size: b"GET x://" + b"1" * size + b" X\r\n\r\n",
    "no address": lambda size: b"GET " + b" " * size + b" HTTP/1.1\r\n\r\n",
    "a bracket in the address": lambda size: b"GET http://[" + b"x" * size + b" HTTP/1.1\r\n\r\n",
    "a length of many digits": lambda size: b"POST / HTTP/1.1\r\nContent-Length: " + b"1" * size + b"\r\n\r\n",
}


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_that_is_none_is_refused_in_a_time_that_grows_with_its_length(kind):
    seconds = []
    for size in (8000, 32_000):
        began = process_time()
        assert parsed(HEADS[kind](size)).error.code == 400
        seconds.append(process_time() - began)

    assert seconds[1] < 8 * seconds[0] + 0.1


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1",
        b"GET /soap/v1?wsdl HTTP/1.0",
        b"POST http://exchange.example.org:8080/soap/v1 HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"M-SEARCH / HTTP/1.1",
    ],
)
def test_a_head_that_is_one_is_read(line):
    request = parsed(line + b"\r\nHost: x\r\nA:\tb c\xe9\r\n\r\n")

    assert request.error is None
    assert request.headers["A"] == "b c\xe9"


@pytest.mark.parametrize(
    "behind", [b"1;" + b"a" * 2_000_000, b"0\r\n" + b"A: b\r\n" * 300_000], ids=["control line", "trailer"]
)
def test_what_stands_around_chunks_is_read_to_a_bound_only(behind):
    request = parsed(CHUNKED + behind)

    assert request.broken
    assert len(request.body_rcv.control_line) + len(request.body_rcv.trailer) < 100_000


def test_a_short_trailer_is_read():
    request = parsed(CHUNKED + b"2\r\nab\r\n0\r\nDigest: x\r\n\r\n", piece=7)

    assert request.completed
    assert not request.broken


@pytest.mark.slow
def test_an_address_that_cannot_be_ends_neither_the_loop_nor_an_answer():
    with served(**QUICK) as address:
        with connected(address) as client:
            client.sendall(b"GET http://[x HTTP/1.1\r\nA")
            assert answer(client)["late"] is True
        with connected(address) as client, closing(http.client.HTTPResponse(client)) as response:
            client.sendall(b"GET http://[x HTTP/1.1\r\n\r\n")
            response.begin()
            assert response.status == 400
        assert is_quick(address)


@pytest.mark.slow
def test_a_failure_with_one_connection_ends_no_other(monkeypatch, caplog):
    def fail(_):
        raise RuntimeError("a mistake of ours")

    with served(**QUICK) as address:
        with connected(address) as client:
            client.sendall(b"GET / HTTP/1.1\r\n")
            monkeypatch.setattr(Parser, "give_up", fail)
            assert client.recv(1) == b""
        monkeypatch.undo()
        assert is_quick(address)
    assert "A connection is closed" in caplog.text
