"""What an archive promises, in a folder and in a bucket."""

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from paraphe.archive import Damaged, Missing

from .stores import CONTENT, DIGEST, PLACE


def test_all_that_is_kept_is_listed_in_order_and_nothing_else(store):
    assert list(store.archive.digests()) == []
    kept = sorted(store.archive.keep(b"content %d" % number) for number in range(20))
    store.archive.check()
    for stray in (
        "README",
        f"incoming/{kept[0]}",
        f"zz/zz/{kept[0]}",
        f"00/00/{kept[0][:-1]}",
        f"nested/{kept[0][:2]}/{kept[0][2:4]}/{kept[0]}",
    ):
        store.put(stray, b"stray")

    assert list(store.archive.digests()) == kept


@pytest.mark.parametrize("content", [CONTENT, b"", bytes(range(256)) * 50_000], ids=["small", "empty", "12 MB"])
def test_what_is_kept_is_read_again_under_its_sha256(store, content):
    digest = store.archive.keep(content)

    assert digest == hashlib.sha256(content).hexdigest()
    assert store.archive.read(digest) == content


def test_keeping_twice_is_as_good_as_once(store):
    assert store.archive.keep(CONTENT) == store.archive.keep(CONTENT)

    assert store.archive.read(DIGEST) == CONTENT


def test_many_writers_of_the_same_content_at_once_all_succeed(store):
    archive, gate = store.archive, threading.Barrier(8)

    def write(_):
        gate.wait(timeout=30)
        return archive.keep(CONTENT)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(write, range(8))) == {DIGEST}
    assert archive.read(DIGEST) == CONTENT


def test_a_big_answer_comes_in_pieces(store):
    content = os.urandom(3_500_000)
    digest = store.archive.keep(content)

    pieces = list(store.archive.chunks(digest, 1 << 20))

    assert len(pieces) > 2
    assert b"".join(pieces) == content


def test_a_reader_may_stop_at_any_piece_or_before_the_first(store):
    digest = store.archive.keep(bytes(3_000_000))

    store.archive.chunks(digest, 1 << 20)
    next(store.archive.chunks(digest, 1 << 20))

    # An open file would now be a warning, hence an error.
    assert len(store.archive.read(digest)) == 3_000_000


@pytest.mark.parametrize("read", ["read", "chunks"])
def test_what_was_never_kept_is_missing_at_once(store, read):
    store.archive.check()

    with pytest.raises(Missing):
        getattr(store.archive, read)(DIGEST)


@pytest.mark.parametrize("read", ["read", "chunks"])
@pytest.mark.parametrize(
    "name", ["", "../../../etc/passwd", DIGEST.upper(), DIGEST[:-1], DIGEST + "\n", f"../../{PLACE}", "é" * 64]
)
def test_only_a_digest_can_be_asked_for(store, read, name):
    with pytest.raises(ValueError, match="64 lowercase hexadecimal"):
        getattr(store.archive, read)(name)


@pytest.mark.parametrize("damage", [CONTENT[:-1], b"", CONTENT.replace(b"7", b"8")], ids=["cut", "emptied", "changed"])
def test_damage_is_seen_when_reading(store, damage):
    store.put(PLACE, damage)

    with pytest.raises(Damaged, match=DIGEST):
        store.archive.read(DIGEST)


def test_damaged_content_is_never_handed_out_whole_in_pieces(store):
    content = os.urandom(3_000_000)
    digest = store.archive.keep(content)
    store.put(f"{digest[:2]}/{digest[2:4]}/{digest}", content[:-1])

    taken = []
    with pytest.raises(Damaged):
        taken.extend(store.archive.chunks(digest, 1 << 20))

    assert len(b"".join(taken)) < len(content) - 1


def test_keeping_again_mends_damage(store):
    store.put(PLACE, CONTENT[:-1])

    store.archive.keep(CONTENT)

    assert store.archive.read(DIGEST) == CONTENT


def test_a_good_store_passes_its_check_again_and_again(store):
    store.archive.check()
    store.archive.check()
