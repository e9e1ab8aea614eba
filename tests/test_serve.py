"""serve/ over real sockets: large messages, and the last byte."""

import http.client
import json
import os
import socket
import struct
import threading
from contextlib import closing, contextmanager, suppress
from queue import Empty, SimpleQueue

import pytest

from paraphe import serve, settings
from paraphe.serve import CannotListen, Server, running
from paraphe.serve.channel import Channel

LOOPBACK = {"listen": "127.0.0.1:0"}
MB = 1_000_000


@contextmanager
def served(application, **options):
    """Serve one application on a free port; give host and port."""
    with running(Server(lambda _: application, settings.read(LOOPBACK | options))) as url:
        host, _, port = url.removeprefix("http://").rpartition(":")
        yield host, int(port)


def echo(environ, start_response):
    """Answer how long the body was announced and how long it is."""
    size = len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"announced": int(environ.get("CONTENT_LENGTH") or 0), "size": size}).encode()]


def speaking(address):
    host, port = address
    return http.client.HTTPConnection(host, port, timeout=10)


def post(address, body, **options):
    with closing(speaking(address)) as connection:
        connection.request("POST", "/", body, **options)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def connect(address, *, receive_buffer=None):
    """Open a plain connection that has asked for /."""
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(10)
    client.connect(address)
    client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    return client


def take(client, size):
    """Read at least `size` bytes, or up to the end."""
    taken = 0
    while taken < size and (piece := client.recv(1 << 16)):
        taken += len(piece)
    return taken


class Document:
    """An application that sends `size` bytes in pieces and tells `flushed` what became of the last."""

    def __init__(self, size, *, pieces=20):
        self.size, self.pieces = size, pieces
        self.flushed: SimpleQueue[bool] = SimpleQueue()

    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Length", str(self.size))])
        return self._pieces(environ)

    def _pieces(self, environ):
        finished = False
        try:
            for _ in range(self.pieces):
                yield bytes(self.size // self.pieces)
            finished = environ["paraphe.flush"]()
        finally:
            self.flushed.put(finished)


# The last byte -----------------------------------------------------------------------------------------------------


def test_a_caller_who_reads_everything_has_the_last_byte():
    document = Document(20 * MB)
    with served(document) as address, closing(connect(address)) as client:
        assert take(client, 20 * MB) >= 20 * MB
        assert document.flushed.get(timeout=10) is True


def test_a_caller_who_leaves_in_the_middle_has_not():
    document = Document(20 * MB)
    with served(document) as address:
        with closing(connect(address)) as client:
            take(client, 10 * MB)
        assert document.flushed.get(timeout=10) is False


def test_a_small_document_that_fits_into_the_buffers_is_not_taken_for_received():
    document = Document(100_000, pieces=1)
    with served(document) as address:
        with closing(connect(address, receive_buffer=4096)) as client:
            take(client, 1)
            with pytest.raises(Empty):
                document.flushed.get(timeout=0.3)
        assert document.flushed.get(timeout=10) is False


def test_a_caller_who_is_gone_before_the_answer_has_nothing():
    left = threading.Event()
    document = Document(1000, pieces=1)

    def slow(environ, start_response):
        left.wait(10)
        return document(environ, start_response)

    with served(slow) as address:
        connect(address).close()
        left.set()
        assert document.flushed.get(timeout=10) is False


def test_a_caller_who_only_stops_sending_still_gets_the_last_byte():
    document = Document(2 * MB)
    with served(document) as address, closing(connect(address)) as client:
        client.shutdown(socket.SHUT_WR)
        assert take(client, 2 * MB) >= 2 * MB
        assert document.flushed.get(timeout=10) is True


def test_a_reset_after_the_last_byte_was_taken_counts_as_gone_or_received_but_never_hangs():
    document = Document(2 * MB)
    with served(document) as address:
        client = connect(address)
        take(client, 2 * MB)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert document.flushed.get(timeout=10) in (True, False)


@pytest.mark.parametrize("size", [20 * MB, 1 * MB], ids=["while sending", "while flushing"])
def test_a_caller_who_stops_reading_frees_the_thread_after_a_while(monkeypatch, size):
    monkeypatch.setattr(serve.channel, "PATIENCE", 0.3)
    document = Document(size)
    with served(document, threads="1") as address, closing(connect(address, receive_buffer=4096)):
        assert document.flushed.get(timeout=10) is False


@pytest.mark.slow
def test_a_caller_who_reads_next_to_nothing_frees_the_thread_too(monkeypatch):
    monkeypatch.setattr(serve.channel, "PATIENCE", 1.0)
    document = Document(20 * MB)
    with served(document, threads="1") as address, closing(connect(address, receive_buffer=4096)) as client:
        for _ in range(100):
            client.recv(300)  # 3 kB a second
            with suppress(Empty):
                assert document.flushed.get(timeout=0.1) is False
                return
    pytest.fail("the thread is still held")


@pytest.mark.parametrize(
    ("pieces", "beginning"),
    [([b"short"], b"short"), ([b"", b"short", b"er"], b"short"), ([b"x" * MB], b""), ([], b"")],
    ids=["a short body", "in pieces", "a long body", "no body"],
)
def test_the_head_of_an_answer_goes_with_the_beginning_of_a_short_body(pieces, beginning, monkeypatch):
    sent, send = list[bytes](), Channel.send

    def noted(channel, data, **how):
        sent.append(data)
        return send(channel, data, **how)

    monkeypatch.setattr(Channel, "send", noted)

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(b"".join(pieces))))])
        return iter(pieces)

    with served(application) as address, closing(speaking(address)) as connection:
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"".join(pieces)

    assert sent[0].startswith(b"HTTP/1.1 200 OK")
    assert sent[0].partition(b"\r\n\r\n")[2] == beginning


def test_an_answer_that_may_have_no_body_has_its_head_alone():
    def application(environ, start_response):
        start_response("304 Not Modified", [])
        return [b"short"]

    with served(application) as address, closing(connect(address)) as client:
        answer = b""
        while piece := client.recv(1000):
            answer += piece

    assert answer.startswith(b"HTTP/1.1 304 Not Modified")
    assert answer.endswith(b"\r\n\r\n")


def test_two_answers_on_one_connection_each_have_their_own_last_byte():
    document = Document(1 * MB)
    with served(document) as address, closing(speaking(address)) as connection:
        for _ in range(2):
            connection.request("GET", "/")
            assert len(connection.getresponse().read()) == 1 * MB
            assert document.flushed.get(timeout=10) is True


# Messages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 5 * MB])
def test_a_message_arrives_whole(size):
    with served(echo) as address:
        assert post(address, bytes(size)) == (200, {"announced": size, "size": size})


def test_a_message_in_chunks_arrives_whole_with_its_length():
    with served(echo) as address:
        pieces = iter([b"x" * 10] * 3000 + [b"y" * MB])
        assert post(address, pieces, encode_chunked=True) == (200, {"announced": MB + 30_000, "size": MB + 30_000})


@pytest.mark.parametrize("chunked", [False, True])
def test_a_message_that_is_too_long_gets_an_answer_and_keeps_the_connection(chunked):
    with (
        served(echo, message_bytes="1MB") as address,
        closing(speaking(address)) as connection,
    ):
        for size, kept in ((MB + 1, 0), (MB, MB)):
            body = iter([bytes(size - 1), b"x"]) if chunked else bytes(size)
            connection.request("POST", "/", body, encode_chunked=chunked)
            assert json.loads(connection.getresponse().read()) == {"announced": size, "size": kept}


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
def test_a_message_four_times_too_long_is_answered_unread_and_the_connection_ends(expect):
    with served(echo, message_bytes="1MB") as address, closing(connect(address)) as client:
        take(client, 1)
        client.sendall(b"POST / HTTP/1.1\r\nHost: test\r\n" + expect + b"Content-Length: 4000000\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(1 << 16), b""))

        assert b"100 Continue" not in received
        assert b"\r\nConnection: close\r\n" in received
        assert received.endswith(b'{"announced": 4000000, "size": 0}')


def test_who_asks_before_sending_what_is_too_long_is_answered_at_once():
    with served(echo, message_bytes="1MB") as address, closing(connect(address)) as client:
        take(client, 1)
        client.sendall(b"POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 1000001\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(1 << 16), b""))

        assert b"100 Continue" not in received
        assert received.endswith(b'{"announced": 1000001, "size": 0}')


def test_chunks_that_are_none_are_told_to_the_application():
    def told(environ, start_response):
        body = str(environ["paraphe.broken"]).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    with served(told) as address, closing(connect(address)) as client:
        take(client, 1)
        client.sendall(b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        received = b"".join(iter(lambda: client.recv(1 << 16), b""))

        assert received.endswith(b"True")
        assert b"\r\nConnection: close\r\n" in received


# Address -----------------------------------------------------------------------------------------------------------


def test_the_port_that_was_taken_is_told_to_the_application():
    told = []

    def make(settings):
        told.append(settings.public_url)
        return echo

    server = Server(make, settings.read(LOOPBACK))
    with running(server) as url:
        assert [url] == told == [server.settings.public_url]
        assert server.settings.listen.port > 0


@pytest.mark.parametrize(
    ("listen", "hosts"),
    [
        ("[::1]:0", ["::1"]),
        ("localhost:0", ["localhost"]),
        ("0.0.0.0:0", ["127.0.0.1", "localhost"]),
        ("[::]:0", ["127.0.0.1", "::1"]),
    ],
)
def test_names_and_ipv6_addresses_can_be_listened_on(listen, hosts):
    with running(Server(lambda _: echo, settings.read({"listen": listen}))) as url:
        for host in hosts:
            assert post((host, int(url.rpartition(":")[2])), b"x")[0] == 200


def test_an_address_that_is_taken_is_refused_in_a_sentence():
    with (
        served(echo) as (host, port),
        pytest.raises(CannotListen, match=r"cannot listen on .*: Address already in use"),
    ):
        Server(lambda _: echo, settings.read({"listen": f"{host}:{port}"}))


def test_a_process_that_has_more_connections_lets_the_others_go_first(monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(serve.balance, "sleep", pauses.append)
    with os.fdopen(os.memfd_create("connections"), "r+b") as shared:
        one, other = (serve.balance.Balance(shared.fileno(), number, 2) for number in (0, 1))
        for connections in (1, 3, 100):
            one.tell(connections)
            one.after_you()
            other.after_you()
        other.tell(100)
        one.after_you()
        assert pauses == [0.003, 0.005]
        serve.balance.Balance(shared.fileno(), 1, 2)  # takes the place of one that died, and has none yet
        one.after_you()
        assert pauses == [0.003, 0.005, 0.005]
