"""Compressed messages: what is taken, and what is refused before it does harm."""

import gzip
import time
import zlib

import pytest

from ..soap.conftest import opened
from ..soap.house import envelope_of
from .plain import PlainCaller, one_database

pytestmark = one_database
EMPTY = gzip.compress(b"")


def bare_deflate(data):
    """What some senders call deflate: without zlib's first and last bytes."""
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


COMPRESSORS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "Deflate": bare_deflate}


class Sender:
    """Somebody who asks through SOAP, XML or JSON whether the connection works, in bytes of their own."""

    def __init__(self, house, kind):
        self.caller = PlainCaller.of(house)
        self.kind = kind
        self.message = {
            "soap": envelope_of("1.1", "<CheckConnection/>"),
            "xml": b'<CheckConnection xmlns="urn:paraphe:exchange:v1"/>',
            "json": b"{}",
        }[kind]

    def send(self, body, encoding):
        """Give the codes of the errors."""
        if self.kind == "soap":
            return self.caller.soap.send(body, headers={"Content-Encoding": encoding}).codes
        return self.caller.send("CheckConnection", body, f"application/{self.kind}", Content_Encoding=encoding).codes


@pytest.fixture(params=["soap", "xml", "json"])
def sender(request, house):
    return Sender(house, request.param)


@pytest.mark.parametrize("encoding", COMPRESSORS)
def test_a_compressed_message_is_taken(sender, encoding):
    assert sender.send(COMPRESSORS[encoding](sender.message), encoding) == []


def test_identity_is_no_compression(sender):
    assert sender.send(sender.message, "identity") == []


def test_a_message_may_consist_of_several_members(sender):
    members = [gzip.compress(sender.message[begin : begin + 7]) for begin in range(0, len(sender.message), 7)]

    assert sender.send(EMPTY + b"".join(members) + EMPTY, "gzip") == []


def test_a_message_over_many_blocks_is_taken_whole(sender):
    padded = sender.message + b" " * 300_000 + b"\n"

    assert sender.send(gzip.compress(padded, 0), "gzip") == []
    assert sender.send(zlib.compress(padded, 0), "deflate") == []


BROKEN = {
    "no gzip at all": lambda message: message,
    "nothing": lambda message: b"",
    "half": lambda message: gzip.compress(message)[:-20],
    "without the last byte": lambda message: gzip.compress(message)[:-1],
    "a wrong checksum": lambda message: gzip.compress(message)[:-8] + bytes(8),
    "a wrong bit": lambda message: gzip.compress(message)[:12] + b"\xff" + gzip.compress(message)[13:],
    "something behind it": lambda message: gzip.compress(message) + b"<more/>",
    "a zero behind it": lambda message: gzip.compress(message) + b"\0",
    "half a second member": lambda message: gzip.compress(message) + EMPTY[:-3],
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_stream_is_refused(sender, kind):
    assert sender.send(BROKEN[kind](sender.message), "gzip") == ["MALFORMED_MESSAGE"]


def test_two_streams_of_deflate_are_none(sender):
    assert sender.send(zlib.compress(sender.message) + zlib.compress(b" "), "deflate") == ["MALFORMED_MESSAGE"]


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "gzip,deflate", "identity, gzip", "br", "zstd", "compress", "é", ";"]
)
def test_several_and_other_encodings_are_refused_by_name(sender, encoding):
    body = gzip.compress(gzip.compress(sender.message))

    assert sender.send(body, encoding.encode("latin-1")) == ["UNSUPPORTED_MEDIA_TYPE"]


def test_a_refused_encoding_is_told_which_ones_are_taken(house):
    caller = PlainCaller.of(house)

    assert caller.send("CheckConnection", b"{}", Content_Encoding="br").headers["Accept-Encoding"] == "gzip, deflate"
    reply = caller.soap.post("<CheckConnection/>", headers={"Content-Encoding": "br"})
    assert (reply.status, reply.headers["Accept-Encoding"]) == (415, "gzip, deflate")


# --- the limit


@pytest.fixture
def small(house, tmp_path):
    """The same house with messages of 1 MB at most."""
    with opened(house.kind, house.database, tmp_path, message_bytes="1MB") as small:
        yield small


@pytest.mark.parametrize("kind", ["soap", "xml", "json"])
@pytest.mark.parametrize("encoding", COMPRESSORS)
def test_the_limit_is_that_of_the_expanded_message(small, kind, encoding):
    sender = Sender(small, kind)
    padding = 1_000_000 - len(sender.message)

    assert sender.send(COMPRESSORS[encoding](sender.message + b" " * padding), encoding) == []
    assert sender.send(COMPRESSORS[encoding](sender.message + b" " * (padding + 1)), encoding) == ["MESSAGE_TOO_LARGE"]


def test_a_bomb_is_refused_at_its_first_megabyte(small):
    sender = Sender(small, "soap")
    bomb = gzip.compress(bytes(100_000_000))

    begun = time.process_time()
    assert sender.send(bomb, "gzip") == ["MESSAGE_TOO_LARGE"]
    assert time.process_time() - begun < 1


def test_a_bomb_of_many_members_is_refused(small):
    sender = Sender(small, "soap")

    assert sender.send(gzip.compress(bytes(1000)) * 2000, "gzip") == ["MESSAGE_TOO_LARGE"]


def test_a_million_empty_members_cost_no_more_than_a_message_may(house):
    sender = Sender(house, "soap")

    begun = time.process_time()
    assert sender.send(EMPTY * 1_000_000, "gzip") == ["MALFORMED_MESSAGE"]
    assert time.process_time() - begun < 2
