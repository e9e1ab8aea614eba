"""Content too large for memory: it arrives in a file, is kept from there and given in a file."""

import hashlib
import os
import subprocess
import sys

import pytest

from paraphe.archive import Damaged, Missing, open_archive
from paraphe.spool import LARGE as LARGEST_IN_MEMORY
from paraphe.spool import InFile, spooled

from .stores import CONTENT, DIGEST

LARGE = b"%PDF-1.7 " + os.urandom(LARGEST_IN_MEMORY)
LARGE_DIGEST = hashlib.sha256(LARGE).hexdigest()


def arrived(archive, content=LARGE):
    """Content in the place that the archive gives, in two pieces."""
    return spooled([content[:1000], content[1000:]], archive.place())


def incoming(folder):
    return list((folder / "incoming").iterdir())


def test_large_content_that_arrived_piece_by_piece_is_kept(store):
    content = arrived(store.archive)

    assert store.archive.keep(content) == LARGE_DIGEST
    assert store.archive.keep(content) == LARGE_DIGEST
    assert store.archive.read(LARGE_DIGEST) == LARGE
    assert bytes(content) == LARGE


def test_large_content_is_given_in_a_file_and_small_content_in_memory(store):
    store.archive.keep(LARGE)
    store.archive.keep(CONTENT)

    found = store.archive.content(LARGE_DIGEST)

    assert isinstance(found, InFile)
    assert bytes(found) == LARGE
    assert store.archive.content(DIGEST) == CONTENT


def test_large_content_that_is_damaged_or_missing_is_not_given(store):
    with pytest.raises(Missing):
        store.archive.content(LARGE_DIGEST)
    store.put(f"{LARGE_DIGEST[:2]}/{LARGE_DIGEST[2:4]}/{LARGE_DIGEST}", LARGE + b"!")
    with pytest.raises(Damaged):
        store.archive.content(LARGE_DIGEST)


def test_damaged_content_is_mended_by_what_arrived(store):
    place = f"{LARGE_DIGEST[:2]}/{LARGE_DIGEST[2:4]}/{LARGE_DIGEST}"
    content = arrived(store.archive)
    store.put(place, b"damage")

    store.archive.keep(content)

    assert store.archive.read(LARGE_DIGEST) == LARGE


def test_what_arrived_in_the_folder_is_not_copied_again(tmp_path):
    archive = open_archive(str(tmp_path))
    content = arrived(archive)
    (there,) = incoming(tmp_path)
    inode = there.stat().st_ino

    archive.keep(content)

    assert (tmp_path / LARGE_DIGEST[:2] / LARGE_DIGEST[2:4] / LARGE_DIGEST).stat().st_ino == inode
    assert incoming(tmp_path) == []


def test_what_arrived_in_another_folder_is_kept_too(tmp_path):
    content = arrived(open_archive(str(tmp_path / "one")))

    open_archive(str(tmp_path / "other")).keep(content)

    assert open_archive(str(tmp_path / "other")).read(LARGE_DIGEST) == LARGE
    assert len(incoming(tmp_path / "one")) == 1


def test_what_is_not_kept_in_the_end_is_gone(tmp_path):
    content = arrived(open_archive(str(tmp_path)))
    assert len(incoming(tmp_path)) == 1

    del content

    assert incoming(tmp_path) == []


def test_what_a_killed_writer_left_is_swept_and_what_is_being_written_is_not(tmp_path):
    archive = open_archive(str(tmp_path))
    script = (
        "import os, signal, sys; from paraphe.archive import open_archive\n"
        "place = open_archive(sys.argv[1]).place(); place.write(b'half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert len(incoming(tmp_path)) == 1
    content = arrived(archive)

    archive.check()

    assert incoming(tmp_path) == [content.path]
    assert archive.keep(content) == LARGE_DIGEST
