"""The end of a server over real sockets: what runs is finished, what comes is refused."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest

from paraphe import serve, settings
from paraphe.serve import Server, running

from .test_serve import LOOPBACK, MB, connect, echo, speaking, take

PROGRAM = """
import sys
from paraphe import serve, settings

def application(environ, start_response):
    if environ["PATH_INFO"] == "/stopping":
        start_response("200 OK", [("Content-Length", "5")])
        return [f"{environ['paraphe.stopping']!s:5}".encode()]
    print("working", flush=True)
    sys.stdin.readline()
    start_response("200 OK", [("Content-Length", "5000000")])
    return [bytes(1000000) for _ in range(5)]

serve.server.LAST_ORDERS = float(sys.argv[1])
serve.serve(lambda _: application, settings.read({"listen": "127.0.0.1:0"}))
"""


@contextmanager
def process(seconds="30"):
    """Start a server as a process of its own; give it and its address."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, seconds],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            assert started.stdout
            line = started.stdout.readline()
            yield started, ("127.0.0.1", int(line.rpartition(":")[2]))
        finally:
            started.kill()


def refuses(address):
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was just closing
        pass
    return False


def is_stopping(address):
    """Ask on a new connection whether what comes now is to be refused."""
    with closing(speaking(address)) as connection:
        connection.request("GET", "/stopping")
        answer = connection.getresponse()
        stopping = answer.read() == b"True "
        assert not stopping or answer.headers["Connection"] == "close"
        return stopping


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_runs_and_has_the_rest_refused(number):
    with process() as (started, address), closing(connect(address)) as client:
        assert started.stdout.readline() == "working\n"

        os.kill(started.pid, number)
        assert any(is_stopping(address) for _ in range(100_000))
        started.stdin.write("\n")
        started.stdin.flush()

        start = client.recv(1 << 16)
        assert b"Connection: close" in start
        assert len(start) + take(client, 10 * MB) > 5 * MB
        assert started.wait(10) == 0
        assert [json.loads(line)["message"] for line in started.stderr] == ["Stopped."]


def test_a_request_that_had_begun_to_arrive_is_no_newcomer():
    with process() as (started, address), closing(connect(address)) as client:
        started.stdout.readline()
        with socket.create_connection(address, timeout=10) as early:
            early.sendall(b"GET /stopping HTTP/1.1\r\n")
            assert not is_stopping(address)  # so the server has read what came before
            os.kill(started.pid, signal.SIGTERM)
            assert any(is_stopping(address) for _ in range(100_000))
            early.sendall(b"\r\n")
            assert b"".join(iter(lambda: early.recv(1 << 16), b"")).endswith(b"False")
        started.stdin.write("\n")
        started.stdin.flush()
        assert take(client, 10 * MB) > 5 * MB


def test_a_server_that_retires_serves_its_connections_once_more_and_takes_no_new_ones(monkeypatch):
    monkeypatch.setattr(serve.server, "QUIET", 0.3)
    server = Server(lambda _: echo, settings.read(LOOPBACK))
    with running(server) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with closing(speaking(address)) as used, closing(speaking(address)) as quiet:
            for connection in (used, quiet):
                connection.request("POST", "/", b"x")
                assert connection.getresponse().read()
            server.retire()
            assert any(refuses(address) for _ in range(100_000))
            used.request("POST", "/", b"x")
            answer = used.getresponse()
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
            answer.read()
            assert quiet.sock.recv(1) == b""


@pytest.mark.slow
def test_what_does_not_finish_is_cut_off_and_counted():
    with process("0.3") as (started, address), closing(connect(address)) as client:
        started.stdout.readline()
        os.kill(started.pid, signal.SIGTERM)

        assert take(client, 1) == 0
        assert started.wait(10) == 0
        assert "cut off after 0 s: 1" in started.stderr.readline()


def test_an_idle_connection_does_not_keep_it_from_stopping(caplog):
    with running(Server(lambda _: echo, settings.read(LOOPBACK))) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        idle = speaking(address)
        idle.request("POST", "/", b"x")
        idle.getresponse().read()
    assert idle.sock.recv(1) == b""
    assert "cut off" not in caplog.text
    idle.close()
