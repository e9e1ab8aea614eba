"""serve/ over real sockets: requests that arrive too slowly, and whose address a request has."""

import http.client
import json
import socket
import threading
from contextlib import closing, contextmanager
from time import monotonic

import pytest
from waitress.adjustments import Adjustments

from paraphe import settings
from paraphe.serve import Server, running
from paraphe.serve.requests import Pace, Parser

pytestmark = pytest.mark.slow

PATIENCE = 30  # seconds; the machine may be busy


def told(environ, start_response):
    """Answer what the server says of a request."""
    said = {
        "late": environ["paraphe.late"],
        "path": environ["PATH_INFO"],
        "kind": environ.get("CONTENT_TYPE"),
        "source": environ["REMOTE_ADDR"],
        "size": 0 if environ["paraphe.late"] else len(environ["wsgi.input"].read()),
    }
    body = json.dumps(said).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def served(application=told, **options):
    with running(Server(lambda _: application, settings.read({"listen": "127.0.0.1:0"} | options))) as url:
        host, _, port = url.removeprefix("http://").rpartition(":")
        yield host, int(port)


@contextmanager
def connected(address):
    with closing(socket.create_connection(address, timeout=PATIENCE)) as client:
        yield client


def speaking(address):
    host, port = address
    return http.client.HTTPConnection(host, port, timeout=PATIENCE)


def answer(client):
    """Read one answer; None if the connection was closed without any."""
    response = http.client.HTTPResponse(client)
    try:
        response.begin()
    except http.client.RemoteDisconnected:
        return None
    return json.loads(response.read()) | {"connection": response.getheader("Connection")}


def is_quick(address):
    with closing(speaking(address)) as connection:
        connection.request("POST", "/", b"x")
        return not json.loads(connection.getresponse().read())["late"]


HEAD = b"POST /soap/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 10\r\n\r\n"
QUICK = {"head_seconds": "1", "pause_seconds": "1"}


@pytest.mark.parametrize(
    ("sent", "path", "kind"),
    [
        (HEAD, "/soap/v1", "text/xml"),
        (HEAD + b"123456789", "/soap/v1", "text/xml"),
        (HEAD[:-2], "/soap/v1", "text/xml"),
        (HEAD[:50], "/soap/v1", None),
        (HEAD[:30], "/soap/v1", None),
        (HEAD[:10], "/", None),
        (b"\r\n", "/", None),
        (b"nonsense\r\n", "/", None),
        (b"POST /x HTTP/1.1\r\nTransfer-Encoding: unknown\r\nHost", "/", None),
        (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "/x", None),
        (b"POST /x HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", "/x", None),
    ],
)
def test_who_stops_in_the_middle_is_answered_as_far_as_he_is_known_and_cut_off(sent, path, kind):
    with served(**QUICK) as address, connected(address) as client:
        client.sendall(sent)
        if b"Expect" in sent:
            assert client.recv(25).startswith(b"HTTP/1.1 100 Continue")
        said = answer(client)

        assert (said["late"], said["path"], said["kind"]) == (True, path, kind)
        assert said["connection"] == "close"
        assert client.recv(1) == b""


def drip(client, piece, seconds):
    """Send a piece again and again, with pauses, until an answer begins."""
    client.settimeout(seconds)
    end = monotonic() + PATIENCE
    while monotonic() < end:
        try:
            client.sendall(piece)
            client.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            continue
        client.settimeout(PATIENCE)
        return
    pytest.fail("The server waits on.")


def test_a_head_that_comes_byte_by_byte_is_not_waited_for():
    with served(**QUICK) as address, connected(address) as client:
        client.sendall(b"POST /soap/v1 HTTP/1.1\r\nX: ")
        drip(client, b"x", 0.1)

        assert answer(client)["late"]


def test_a_body_that_comes_byte_by_byte_is_not_waited_for():
    with served(least_speed="1000", **QUICK) as address, connected(address) as client:
        client.sendall(HEAD.replace(b"10", b"100000"))
        drip(client, b"x", 0.1)

        assert answer(client)["late"]


def test_others_are_served_while_many_are_slow():
    with served(threads="1", **QUICK) as address:
        slow = [socket.create_connection(address, timeout=PATIENCE) for _ in range(50)]
        for client in slow:
            client.sendall(HEAD[:60])
        assert all(is_quick(address) for _ in range(20))

        assert all(answer(client)["late"] for client in slow)
        assert is_quick(address)
        for client in slow:
            client.close()


def test_a_new_connection_on_which_nothing_is_said_is_closed_without_a_word():
    with served(**QUICK) as address, connected(address) as client:
        assert answer(client) is None


def test_a_connection_that_was_used_may_be_idle_for_longer():
    with served(**QUICK) as address, connected(address) as used, connected(address) as new:
        used.sendall(HEAD + b"0123456789")
        assert not answer(used)["late"]
        assert answer(new) is None  # so the time is over

        used.sendall(HEAD + b"0123456789")
        assert not answer(used)["late"]


def test_a_request_that_waits_for_the_one_before_it_is_not_late():
    began, go_on = threading.Event(), threading.Event()

    def slow(environ, start_response):
        began.set()
        go_on.wait(PATIENCE)
        return told(environ, start_response)

    with served(slow, **QUICK) as address, connected(address) as client, connected(address) as new:
        client.sendall(HEAD + b"0123456789" + HEAD + b"01234")
        assert began.wait(PATIENCE)
        assert answer(new) is None  # so the time is over
        go_on.set()

        assert not answer(client)["late"]
        client.sendall(b"56789")
        assert answer(client)["size"] == 10


def test_a_large_message_may_take_its_time_as_long_as_it_comes():
    """By the rule itself, as it would take minutes to see."""
    pace = Pace(head_seconds=20, pause_seconds=30, least_speed=500)
    request = Parser(Adjustments())
    request.headers_finished = True

    request.body_bytes_received = 500_000
    assert not pace.is_late(request, 1000.0, 29.0)
    assert not pace.is_late(request, 1050.0, 0.0)
    assert pace.is_late(request, 1051.0, 0.0)
    assert pace.is_late(request, 60.0, 30.5)


@pytest.mark.parametrize(
    ("trusted", "forwarded", "source"),
    [
        ("", "192.0.2.1", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.0/8", "192.0.2.1", "127.0.0.1"),
    ],
)
def test_the_address_of_a_caller_is_taken_from_trusted_proxies_alone(trusted, forwarded, source):
    with (
        served(trusted_proxies=trusted) as address,
        closing(speaking(address)) as connection,
    ):
        connection.request("GET", "/", headers={"X-Forwarded-For": forwarded})

        assert json.loads(connection.getresponse().read())["source"] == source
