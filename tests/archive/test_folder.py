"""The archive in a folder: durable when it says so, whoever is killed and whatever the disk does."""

import errno
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from paraphe.archive import Missing, Unavailable

from .stores import CONTENT, DIGEST, PLACE, Store


def files(store: Store) -> set[str]:
    root = Path(store.location)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_folder_holds_content_by_its_digest_for_its_owner_alone(folder):
    folder.archive.keep(CONTENT)

    assert files(folder) == {PLACE}
    modes = {path.stat().st_mode & 0o777 for path in Path(folder.location).rglob("*") if path.is_dir()}
    assert modes == {0o700}
    assert (Path(folder.location) / PLACE).stat().st_mode & 0o777 == 0o600


def test_a_check_leaves_nothing_in_a_folder(folder):
    folder.archive.check()

    assert files(folder) == set()


@dataclass
class Journal:
    """What was made durable and renamed, in order; files by their inode, as a rename keeps it."""

    entries: list[tuple[str, int]]

    def synced(self, path: Path) -> int:
        return self.entries.index(("sync", path.stat().st_ino))

    @property
    def renamed(self) -> int:
        return [what for what, _ in self.entries].index("rename")


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    """Watch the calls that decide over a power cut; all of them are really done."""
    seen = Journal([])
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor):
        fsync(descriptor)
        seen.entries.append(("sync", os.fstat(descriptor).st_ino))

    def watched_replace(source, target):
        replace(source, target)
        seen.entries.append(("rename", Path(target).stat().st_ino))

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    return seen


def test_bytes_are_durable_before_their_name_and_the_name_before_keep_returns(folder, journal):
    folder.archive.keep(CONTENT)

    path = Path(folder.location) / PLACE
    assert journal.synced(path) < journal.renamed < journal.synced(path.parent)


def test_new_folders_are_durable_in_those_above_them(folder, journal):
    folder.archive.keep(CONTENT)

    path = Path(folder.location) / PLACE
    assert all(journal.synced(above) >= 0 for above in path.parents[1:4])


def kill_a_writer(folder: Store, *, renamed: bool) -> None:
    """Kill -9 another process in its `keep`: just before the content gets its name, or just after."""
    writer = f"""
import os, signal
from paraphe.archive import open_archive

def killed(source, target, replace=os.replace):
    if {renamed}:
        replace(source, target)
    os.kill(os.getpid(), signal.SIGKILL)

os.replace = killed
open_archive({folder.location!r}).keep({CONTENT!r})
"""
    ended = subprocess.run([sys.executable, "-c", writer], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL


def test_a_writer_killed_before_the_name_leaves_nothing_to_see_and_the_next_one_succeeds(folder):
    kill_a_writer(folder, renamed=False)

    assert PLACE not in files(folder)
    with pytest.raises(Missing):
        folder.archive.read(DIGEST)
    folder.archive.keep(CONTENT)
    assert folder.archive.read(DIGEST) == CONTENT


def test_a_writer_killed_after_the_name_leaves_it_to_the_next_one_to_make_it_durable(folder, journal):
    kill_a_writer(folder, renamed=True)

    folder.archive.keep(CONTENT)

    path = Path(folder.location) / PLACE
    assert all(journal.synced(each) >= 0 for each in [path, *path.parents[:4]])
    assert "rename" not in dict(journal.entries)


def test_a_writer_out_of_room_says_so_and_cleans_up(folder):
    """A limit on the size of files stands for a full disk: the write itself fails, half way."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    folder.archive.check()

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(Unavailable, match="File too large"):
            folder.archive.keep(bytes(3_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert files(folder) == set()


@pytest.mark.parametrize("failing", [1, 2], ids=["file", "folder"])
def test_what_the_disk_did_not_confirm_is_not_said_to_be_kept(folder, monkeypatch, failing):
    archive, fsync, calls = folder.archive, os.fsync, []
    archive.keep(CONTENT)
    (Path(folder.location) / PLACE).unlink()

    def broken(descriptor):
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", broken)

    with pytest.raises(Unavailable, match="Input/output error"):
        archive.keep(CONTENT)
    archive.keep(CONTENT)
    assert files(folder) == {PLACE}


@pytest.mark.parametrize("blocked", ["", DIGEST[:2], PLACE[:5], "incoming"])
def test_a_folder_that_cannot_be_written_is_unavailable(folder, blocked):
    folder.put(blocked, b"a file where a folder should be")

    with pytest.raises(Unavailable, match=r"cannot be used: (Not a directory|File exists)"):
        folder.archive.keep(CONTENT)
    if blocked in ("", "incoming"):
        with pytest.raises(Unavailable, match="cannot be used"):
            folder.archive.check()


def test_a_folder_taken_away_under_a_running_server_is_made_again(folder):
    archive = folder.archive
    archive.keep(CONTENT)
    Path(folder.location).rename(f"{folder.location}-moved")

    archive.keep(CONTENT)

    assert archive.read(DIGEST) == CONTENT
