"""Bytes in a file are used as bytes in memory are, and leave nothing behind."""

import hashlib
import os
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from paraphe import spool
from paraphe.spool import Apart, Held, InBase64, InFile, Joined, Spooled


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(spool, "_PIECE", 7)
    monkeypatch.setattr(spool, "_PIECE_TO_CODE", 6)


def in_file(content, around=b"around"):
    """Bytes in the middle of a file."""
    whole = spool.spooled([around, content, around], spool.nameless())
    return whole.part(len(around), len(around) + len(content))


PLACES = some.integers(-30, 30) | some.none()


@given(some.binary(max_size=40), PLACES, PLACES)
def test_bytes_in_a_file_are_cut_like_others(content, begin, end):
    assert in_file(content)[begin:end] == content[begin:end]


@given(some.text("ab", max_size=40), some.text("ab", min_size=1, max_size=9), some.integers(0, 40), PLACES)
def test_bytes_in_a_file_are_found_and_counted_like_others(text, sign, start, end):
    content, sign = text.encode(), sign.encode()
    end = None if end is None else max(0, end)

    assert in_file(content).find(sign, start, end) == content.find(sign, start, end)
    assert (sign in in_file(content)) == (sign in content)
    assert in_file(content).count(sign[:1]) == content.count(sign[:1])
    assert in_file(content).startswith(sign) == content.startswith(sign)


@given(some.lists(some.binary(max_size=20), max_size=5))
def test_the_digest_is_known_with_the_last_piece(pieces):
    content = b"".join(pieces)

    spooled = spool.spooled(pieces, spool.nameless())

    assert (bytes(spooled), len(spooled)) == (content, len(content))
    assert spooled.sha256 == hashlib.sha256(content).hexdigest()
    assert spool.digest_of(in_file(content)) == spool.digest_of(content) == spooled.sha256


def test_opened_bytes_are_a_file_with_a_place_of_its_own():
    content = bytes(range(100))
    found = in_file(content)

    with found.open() as one, found.open() as other:
        assert one.read(10) == content[:10]
        assert other.read() == content
        assert one.seek(-5, os.SEEK_END) == 95
        assert one.read() == content[95:]
        with pytest.raises(OSError, match="before the beginning"):
            one.seek(-1)


def test_a_file_that_became_shorter_is_no_shorter_content():
    found = spool.spooled([b"x" * 100], spool.nameless())
    os.ftruncate(found._file.number, 50)

    with pytest.raises(OSError, match="shorter"):
        bytes(found)


def test_a_name_is_taken_away_with_the_last_who_has_the_content(tmp_path):
    path = tmp_path / "arriving"
    content = Spooled(os.open(path, os.O_RDWR | os.O_CREAT), path)
    content.write(b"whole")
    part = content.part(0, 2)

    del content

    assert not path.exists()
    assert bytes(part) == b"wh"


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_descriptor_is_left_open():
    before = descriptors()

    for _ in range(100):
        in_file(b"content").part(0, 2)

    assert descriptors() == before


@given(some.lists(some.tuples(some.binary(max_size=30), some.sampled_from(["as it is", "in a file", "coded"]))))
def test_what_is_joined_is_as_long_as_it_says(contents):
    ways = {"as it is": lambda one: one, "in a file": in_file, "coded": lambda one: InBase64(in_file(one))}
    expected = b"".join(b64encode(one) if way == "coded" else one for one, way in contents)

    body = spool.joined([ways[way](one) for one, way in contents])

    assert bytes(body) == expected
    assert len(body) == len(expected)
    assert isinstance(body, bytes) == all(way == "as it is" for _, way in contents)


def test_large_files_come_to_where_their_marks_stand():
    apart = Apart()
    text = f"<a>{apart.mark(in_file(b'first'))}</a><b>{apart.mark(b'small')}</b><c>{apart.mark(in_file(b'2'))}</c>"

    body = apart.joined(text.encode())

    assert isinstance(body, Joined)
    assert bytes(body) == b"<a>Zmlyc3Q=</a><b>c21hbGw=</b><c>Mg==</c>"


def test_what_is_gathered_goes_into_a_file_when_it_is_large():
    small, large = [b"x" * spool.LARGE], [b"x" * spool.LARGE, b"y"]

    assert spool.gathered(small) == small[0]
    assert isinstance(spool.gathered(large), InFile)
    assert spool.digest_of(spool.gathered(large)) == spool.digest_of(b"".join(large))


def test_many_small_contents_are_held_without_being_large_together():
    held, contents = Held(), [bytes([number]) * (spool.LARGE // 3) for number in range(7)]

    holding = [held.hold(content) for content in contents]

    assert [bytes(each) for each in holding] == contents
    assert sum(len(each) for each in holding if isinstance(each, bytes)) <= spool.LARGE
