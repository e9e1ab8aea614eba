"""The archive, in a folder and in an S3 bucket behind real HTTP (moto's server on loopback)."""

import errno
import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from paraphe.archive import Archive, Damaged, Missing, Unavailable, open_archive
from paraphe.spool import LARGE as LARGEST_IN_MEMORY
from paraphe.spool import InFile, spooled

CONTENT = b"%PDF-1.7 an invoice"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PLACE = f"{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"


@dataclass
class Store:
    """An archive, and a way past it: `put` writes at a place what the archive never would."""

    location: str
    put: Callable[[str, bytes], object]

    @property
    def archive(self) -> Archive:
        return open_archive(self.location)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def bucket(s3: str, environment: None) -> Store:
    name = f"bucket-{uuid.uuid4()}"
    urllib.request.urlopen(urllib.request.Request(f"{s3}/{name}", method="PUT"), timeout=30).close()
    behind = S3Store(name, prefix="some/prefix", endpoint=s3, client_options={"allow_http": True})
    return Store(
        f"s3://{name}/some/prefix?endpoint={s3}&region=eu-west-3&allow_http=true",
        lambda place, content: obstore.put(behind, place, content),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    def write(place: str, content: bytes) -> None:
        path = tmp_path / "store" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return Store(str(tmp_path / "store"), write)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> Store:
    chosen: Store = request.getfixturevalue(request.param)
    return chosen


# What both stores promise


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


# The folder


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


# The bucket


class Refusing(BaseHTTPRequestHandler):
    """A store that refuses everything with one status, which its address names: /bucket-<status>/…"""

    def refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(int(self.path.split("/")[1].removeprefix("bucket-")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST = refuse  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "credentials"), (403, "credentials"), (404, "not exist"), (409, "not answer"), (503, "not answer")],
)
def test_a_bucket_that_refuses_is_unavailable(refusing, status, reason):
    archive = open_archive(f"s3://bucket-{status}?endpoint={refusing}&allow_http=true")

    for call in (archive.check, lambda: archive.keep(CONTENT), lambda: archive.keep(bytes(6_000_000))):
        with pytest.raises(Unavailable, match=reason):
            call()


@pytest.mark.parametrize("status", [403, 503])
def test_a_bucket_that_refuses_to_be_read_is_not_said_to_have_nothing(refusing, status):
    archive = open_archive(f"s3://bucket-{status}?endpoint={refusing}&allow_http=true")

    with pytest.raises(Unavailable):
        archive.chunks(DIGEST)


def test_a_store_that_nobody_serves_is_unavailable(unused_port):
    archive = open_archive(f"s3://bucket?endpoint=http://127.0.0.1:{unused_port}&allow_http=true")

    with pytest.raises(Unavailable, match=r"bucket bucket at http://127\.0\.0\.1"):
        archive.check()


@pytest.fixture
def unused_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        return server.server_port


@pytest.mark.parametrize("name", ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_environment_may_say_where_the_store_is(bucket, s3, monkeypatch, name):
    bucket.archive.keep(CONTENT)
    monkeypatch.setenv(name, s3 + "/")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")

    archive = open_archive(bucket.location.partition("?")[0])

    assert archive.read(DIGEST) == CONTENT


def test_the_url_wins_over_the_environment(bucket, unused_port, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{unused_port}")

    assert bucket.archive.keep(CONTENT) == DIGEST


# Locations


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_a_folder_is_named_by_path_or_url(tmp_path, form):
    place = str(tmp_path / "my store")

    open_archive(form.format(place.replace(" ", "%20") if "file" in form else place)).keep(CONTENT)

    assert (tmp_path / "my store" / PLACE).read_bytes() == CONTENT


def test_a_relative_folder_stays_where_it_was_when_the_archive_was_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = open_archive("store")

    monkeypatch.chdir("/")
    archive.keep(CONTENT)

    assert (tmp_path / "store" / PLACE).exists()


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("", "empty"),
        ("https://example.org/store", "cannot be at a https: URL"),
        ("gs://bucket/prefix", "cannot be at a gs: URL"),
        ("file:store", "file:///an/absolute/folder"),
        ("file://elsewhere/store", "file:///an/absolute/folder"),
        ("s3:bucket", "s3://bucket/prefix"),
        ("s3:///prefix", "s3://bucket/prefix"),
        ("s3://bucket:9000/", "s3://bucket/prefix"),
        ("s3://bucket/a//b", "see its prefix"),
        ("s3://bucket/a/../b", "see its prefix"),
        ("s3://bucket?endpont=https://s3.example.org", "mean nothing here: endpont"),
        ("s3://bucket?allow_http=maybe", "true or false"),
        ("s3://bucket?endpoint=http://s3.example.org", "plain http"),
        ("s3://bucket?endpoint=s3.example.org", "https://host"),
        ("s3://bucket?endpoint=https://s3.example.org:99999", "https://host"),
        ("s3://bucket?endpoint=https://[1:2:3]", "https://host"),
        ("s3://bucket?endpoint=https://é.example.org", "https://host"),
    ],
)
def test_any_other_location_is_refused_in_a_sentence(location, sentence):
    with pytest.raises(ValueError, match=sentence):
        open_archive(location)


@pytest.mark.parametrize(
    "location",
    ["s3://key:s3cr3t@bucket", "s3://bucket?secret_access_key=s3cr3t", "s3://bucket?endpoint=https://k:s3cr3t@h"],
)
def test_a_secret_in_the_url_is_refused_and_not_repeated(location):
    with pytest.raises(ValueError, match="archive") as refusal:
        open_archive(location)

    assert "s3cr3t" not in str(refusal.value)


# Large content -----------------------------------------------------------------------------------------------------

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
