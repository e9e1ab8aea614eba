"""Addresses in certificates that a time stamp brought lead nowhere but into the public network, and bring little."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import pytest

from paraphe.documents import certificates, fetching
from paraphe.documents.fetching import backend, origin_of, origins_of

from .authorities import Issuer, new_key


class _Inside(ThreadingHTTPServer):
    """A server in the operator's own network, which counts who asks."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.daemon_threads = True
        self.asked = 0


class _Answers(BaseHTTPRequestHandler):
    server: _Inside

    def do_GET(self) -> None:
        self.server.asked += 1
        if self.path == "/on":
            self.send_response(302)
            self.send_header("Location", "/list")
            self.end_headers()
            return
        content = b"." * (2000 if self.path == "/long" else 10)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def inside() -> Iterator[_Inside]:
    with _Inside() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def fetched(url: str, trusted: frozenset[fetching.Origin] = frozenset()) -> bytes:
    async def ask() -> bytes:
        _, session = backend(trusted, 3)
        async with session, session.get(url) as answer:
            return await answer.read()

    return asyncio.run(ask())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_nothing_is_asked_of_the_operators_own_network(inside, host):
    with pytest.raises(aiohttp.ClientError):
        fetched(f"http://{host}:{inside.server_port}/list")

    assert inside.asked == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_that_the_operator_chose_is_asked_wherever_it_is(inside, host):
    url = f"http://{host}:{inside.server_port}/list"
    chosen = origin_of(url)
    assert chosen is not None

    assert fetched(url, frozenset({chosen})) == b"." * 10
    with pytest.raises(aiohttp.ClientError):
        fetched(url, frozenset({(chosen[0], chosen[1] + 1)}))


@pytest.mark.parametrize(("path", "words"), [("long", "too long"), ("on", "leads to another")])
def test_what_is_too_long_or_leads_elsewhere_is_not_taken(inside, monkeypatch, path, words):
    monkeypatch.setattr(fetching, "MOST_BYTES", 1000)
    trusted = frozenset({("127.0.0.1", inside.server_port)})

    with pytest.raises(fetching.Refused, match=words):
        fetched(f"http://127.0.0.1:{inside.server_port}/{path}", trusted)


def test_the_addresses_of_a_certificate_are_those_of_its_lists():
    listed, silent = Issuer("http://Pki.Example:8080/crl"), Issuer()
    issued = [certificates.to_asn1(each.issue("Cachet", new_key())) for each in (listed, silent)]

    assert origins_of(issued) == {("pki.example", 8080)}
    assert [origin_of(url) for url in ("ldap://a/b", "http://a", "https://a/", "http://[", "x")] == [
        None, ("a", 80), ("a", 443), None, None,
    ]  # fmt: skip
