"""Keep bytes under their SHA-256 digest, outside the database, in a folder or in an S3 bucket.

*Content* is any bytes. Its *digest*, 64 lowercase hexadecimal figures, is its only name: content never changes,
and the same bytes are kept once. Both stores lay it out as `ab/cd/abcd…`, so that one can be copied into the other.

The promise: when `keep` has returned, the content survives kill -9 and a power cut. The caller writes its row
afterwards, in its own transaction. If that is rolled back, the content is an orphan, and harmless.
"""

import fcntl
import hashlib
import logging
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from .spool import LARGE, Content, InFile, Spooled, digest_of, gathered, make_durable, nameless, spooled

if TYPE_CHECKING:
    from obstore.store import S3Config

_log = logging.getLogger(__name__)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PROBE = b"Paraphe has seen that it can write here.\n"


class Missing(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """Nothing is kept under this digest."""


class Damaged(Exception):  # noqa: N818
    """What is kept under this digest is not what was given to `keep`: restore it from a backup."""


class Unavailable(Exception):  # noqa: N818
    """The store cannot be used now; the text is a sentence for the operator, not for a caller of the server."""


class Archive(Protocol):
    """Content by its digest. Safe with any number of threads and processes at once."""

    def place(self) -> Spooled:
        """Return where large content may arrive that will be kept: no second copy is needed then. Raises Unavailable.

        To write there raises OSError. What is not kept in the end is gone with the last who has it.
        """

    def keep(self, content: bytes | Spooled) -> str:
        """Make `content` durable and return its digest; twice is as good as once. Raises Unavailable."""

    def content(self, digest: str) -> Content:
        """Return the content, checked as by `read`; if it is large, in a file."""

    def read(self, digest: str) -> bytes:
        """Return the content, checked against its digest.

        Raises Missing, Damaged, Unavailable; ValueError for what is no digest.
        """

    def chunks(self, digest: str, size: int = 1 << 20) -> Iterator[bytes]:
        """Return the content in pieces of about `size` bytes.

        Raises at once what can be known at once, as `read` does. Damaged and Unavailable may also come on the way; the
        last piece is handed out only when the digest fits, so nobody takes damaged content for whole.
        """

    def digests(self) -> Iterator[str]:
        """Yield the digests of all content, in order; what is kept meanwhile may be left out. Raises Unavailable."""

    def check(self) -> None:
        """Write a few bytes to see that the store can be used: for the start and the operator. Raises Unavailable.

        What killed writers left is swept.
        """


def open_archive(location: str) -> Archive:
    """Open the archive at a folder (a path or a file:// URL) or at `s3://bucket/prefix?endpoint=…&region=…&allow_http=true`.

    What the S3 URL does not say comes from the usual environment (AWS_ENDPOINT_URL, AWS_REGION, AWS_ALLOW_HTTP …);
    credentials come from there alone (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY; without them, from the machine's role).
    Nothing is touched before the first call. ValueError for anything else, in a sentence that repeats no secret.
    """
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)", location)
    if not location:
        raise ValueError("The location of the archive is empty: give a folder or an s3:// URL.")
    if not scheme:
        return Folder(Path(location))
    if scheme[0].lower() == "file":
        return Folder(_folder_of(location))
    if scheme[0].lower() == "s3":
        return _bucket_of(location)
    raise ValueError(f"The archive cannot be at a {scheme[0]}: URL: give a folder or an s3:// URL.")


def _folder_of(location: str) -> Path:
    parts = urlsplit(location)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise ValueError("A file URL of the archive has the form file:///an/absolute/folder.")
    return Path(unquote(parts.path))


def _bucket_of(location: str) -> "Bucket":
    parts = urlsplit(location)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]+", parts.netloc) or parts.fragment:
        raise ValueError(
            "An S3 URL of the archive has the form s3://bucket/prefix?endpoint=…&region=…; "
            "its keys come from the environment."
        )
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := asked.keys() - {"endpoint", "region", "allow_http"}:
        raise ValueError(f"The S3 URL of the archive has parts that mean nothing here: {', '.join(sorted(unknown))}.")
    # Resolved here, as obstore 0.12 lets AWS_ENDPOINT_URL_S3 win over `endpoint`, forgets AWS_ALLOW_HTTP
    # beside other client options, and panics (no Exception) at the first call if the endpoint is no URL.
    environment = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    endpoint = asked.get("endpoint") or next((os.environ[name] for name in environment if os.environ.get(name)), None)
    allow_http = (asked.get("allow_http") or os.environ.get("AWS_ALLOW_HTTP") or "false").lower()
    _approve(endpoint, allow_http)
    return Bucket(
        parts.netloc, unquote(parts.path).strip("/"), endpoint, asked.get("region"), allow_http=allow_http == "true"
    )


def _approve(endpoint: str | None, allow_http: str) -> None:
    if allow_http not in ("true", "false"):
        raise ValueError("allow_http of the archive is true or false.")
    if endpoint and not _is_endpoint(endpoint):
        raise ValueError("The S3 endpoint of the archive has the form https://host or https://host:port.")
    if endpoint and endpoint.startswith("http:") and allow_http == "false":
        raise ValueError("The S3 endpoint of the archive is plain http: if that is meant, say allow_http=true.")


def _is_endpoint(text: str) -> bool:
    try:
        _ = urlsplit(text).port  # refuses ports and IPv6 addresses that cannot be
    except ValueError:
        return False
    form = r"https?://([\w.-]+|\[[\da-fA-F:]+])(:\d+)?(/[\w./-]*)?"
    return re.fullmatch(form, text, re.ASCII) is not None


def _place(digest: str) -> str:
    """Return where content lies; ValueError for what is no digest, so that no name can lead elsewhere."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError("A digest is 64 lowercase hexadecimal figures.")
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


class _Store(ABC):
    """What both stores share: nothing is handed out as whole that does not fit its digest."""

    @abstractmethod
    def _pieces(self, place: str, size: int) -> Generator[bytes, None, None]:
        """Yield what lies at `place`, none of it empty. Raises Missing and Unavailable."""

    def chunks(self, digest: str, size: int = 1 << 20) -> Iterator[bytes]:
        """See Archive."""
        pieces = _checked(self._pieces(_place(digest), size), digest)
        next(pieces)
        return pieces

    def read(self, digest: str) -> bytes:
        """See Archive."""
        return b"".join(self.chunks(digest))


def _checked(pieces: Generator[bytes, None, None], digest: str) -> Iterator[bytes]:
    """Yield b"" as soon as the first piece is there, then every piece one later, the last when the digest fits."""
    seen, held = hashlib.sha256(), b""
    with closing(pieces):
        for piece in pieces:
            seen.update(piece)
            yield held
            held = piece
    if seen.hexdigest() != digest:
        raise Damaged(f"What is kept under {digest} does not fit it.")
    yield held


class Folder(_Store):
    """An archive in a folder of this machine; the folder is made when it is first needed.

    What is being written lies in `incoming/` until it is whole, then gets its name in one step. It is locked by who
    writes it; what nobody has locked was left by a killed writer, and is swept by `check`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._incoming = self._root / "incoming"
        #: By their names, which take a tenth of the memory of paths; there may be 65 000.
        self._settled: set[str] = set()

    def place(self) -> Spooled:
        """See Archive."""
        with self._explained():
            self._settle(self._incoming)
            return Spooled(*_locked_file(self._incoming))

    def keep(self, content: bytes | Spooled) -> str:
        """See Archive."""
        digest = digest_of(content)
        path = self._root / _place(digest)
        with self._explained():
            self._settle(path.parent)
            if not _whole(path, digest):
                if isinstance(content, bytes):
                    with self._arriving(content) as file:
                        file.replace(path)
                else:
                    self._move(content, path)
            # Also for what was there already: who renamed it may have been killed before this line.
            make_durable(path.parent)
        return digest

    def _move(self, content: Spooled, path: Path) -> None:
        if content.path is None or content.path.parent != self._incoming:
            content = spooled(content.pieces(), self.place())
        content.sync()
        if content.path is not None:
            content.path.replace(path)
            content.path = None

    def content(self, digest: str) -> Content:
        """See Archive. What is large is read where it lies, which nobody ever changes."""
        path = self._root / _place(digest)
        with self._explained():
            if not path.exists() or path.stat().st_size <= LARGE:
                return self.read(digest)
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise Damaged(f"What is kept under {digest} does not fit it.")
                return InFile.of(file)

    def check(self) -> None:
        """See Archive."""
        with self._explained(), self._arriving(_PROBE) as file:
            file.unlink()
            for path in self._incoming.iterdir():
                _sweep(path)
            make_durable(self._incoming)

    def holds(self, digest: str) -> bool:
        """Say whether something is kept under this digest, without a look at it."""
        return (self._root / _place(digest)).exists()

    def digests(self) -> Iterator[str]:
        """See Archive."""
        with self._explained():
            for first in _inside(self._root, "[0-9a-f][0-9a-f]"):
                for second in _inside(first, "[0-9a-f][0-9a-f]"):
                    yield from (file.name for file in _inside(second, "*") if _is_place(first, second, file))

    def _pieces(self, place: str, size: int) -> Generator[bytes, None, None]:
        with self._explained():
            try:
                file = (self._root / place).open("rb")
            except FileNotFoundError:
                raise Missing(f"Nothing is kept at {place}.") from None
            with file:
                while piece := file.read(size):
                    yield piece

    @contextmanager
    def _arriving(self, content: bytes) -> Iterator[Path]:
        """Write `content` durably into `incoming/` and lend the file; if anything fails, it is removed."""
        self._settle(self._incoming)
        descriptor, path = _locked_file(self._incoming)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
                yield path
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _settle(self, folder: Path) -> None:
        """Make `folder`, and make its name and those of all folders above it durable.

        Folders that exist are synced as well, once in the life of this object: a process that made them may have been
        killed before it did. Where this user cannot write, it has made nothing that could be lost.
        """
        if folder == folder.parent or (str(folder) in self._settled and folder.is_dir()):
            return
        self._settle(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if os.access(folder.parent, os.W_OK):
            make_durable(folder.parent)
        self._settled.add(str(folder))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Unavailable(f"The archive folder {self._root} cannot be used: {reason}.") from error


def _inside(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def _is_place(first: Path, second: Path, file: Path) -> bool:
    return _DIGEST.fullmatch(file.name) is not None and file.name.startswith(first.name + second.name)


def _whole(path: Path, digest: str) -> bool:
    """Say whether `path` holds this content, and make it durable (a copied-in file may not be)."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        if hashlib.file_digest(file, "sha256").hexdigest() == digest:
            os.fsync(file.fileno())
            return True
    _log.warning("The archive held damaged content under %s; it is written anew.", digest)
    return False


def _locked_file(folder: Path) -> tuple[int, Path]:
    """Make a file, locked as long as it is open; return its descriptor and its name."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=folder)
        with suppress(OSError):  # some network file systems know no locks: nothing is swept there
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # swept before it was locked


def _sweep(path: Path) -> None:
    """Remove a file that nobody has locked."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:  # it has got its place meanwhile, or is none of ours
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
        _log.info("What a killed writer left was removed.")
    except OSError:
        pass
    finally:
        os.close(descriptor)


class Bucket(_Store):
    """An archive in an S3 bucket, which must exist; it is durable when the store has answered 200.

    Content is put without a condition, even if it is there already: its name is its digest, so whoever comes last
    writes the same bytes. "Create if absent" would be less safe: some stores ignore it, obstore 0.12 does not repeat
    it after a time-out and takes a 409 (a competing write, which may have failed) for "is there". A plain put also
    mends damage. Interrupted uploads of more than 5 MB leave invisible parts: let the bucket's life cycle remove them.
    """

    def __init__(self, name: str, prefix: str, endpoint: str | None, region: str | None, *, allow_http: bool) -> None:
        self._name = f"bucket {name} at {endpoint or 'Amazon'}"
        config: S3Config = {}
        if endpoint:
            config["aws_endpoint_url_s3"] = endpoint
        if region:
            config["region"] = region
        try:
            self._store = S3Store(
                name,
                prefix=prefix or None,
                config=config,
                # The whole of an answer may take long (its reader may be slow), a silent store may not.
                client_options={"allow_http": allow_http, "timeout": "1h", "read_timeout": "60s"},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            )
        except (BaseError, ValueError) as error:
            raise ValueError(
                "The S3 archive cannot be opened: see its prefix, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from error

    def place(self) -> Spooled:
        """See Archive. It is the folder for temporary files: the bucket is sent what is whole."""
        return nameless()

    def keep(self, content: bytes | Spooled) -> str:
        """See Archive."""
        digest = digest_of(content)
        sent = content if isinstance(content, bytes) else content.open()
        with self._explained():
            obstore.put(self._store, _place(digest), sent, max_concurrency=4)
        return digest

    def content(self, digest: str) -> Content:
        """See Archive."""
        return gathered(self.chunks(digest))

    def check(self) -> None:
        """See Archive."""
        self.read(self.keep(_PROBE))

    def digests(self) -> Iterator[str]:
        """See Archive. S3 lists names in order."""
        probe = hashlib.sha256(_PROBE).hexdigest()
        with self._explained():
            for found in obstore.list(self._store):
                for one in found:
                    digest = one["path"].rpartition("/")[2]
                    if _DIGEST.fullmatch(digest) and digest != probe and one["path"] == _place(digest):
                        yield digest

    def _pieces(self, place: str, size: int) -> Generator[bytes, None, None]:
        with self._explained():
            try:
                found = obstore.get(self._store, place)
            except FileNotFoundError:
                raise Missing(f"Nothing is kept at {place}.") from None
            yield from found.stream(min_chunk_size=size)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise Unavailable(f"The {self._name} refuses these credentials, or this right.") from error
        except FileNotFoundError as error:
            raise Unavailable(f"The {self._name} does not exist.") from error
        except (BaseError, OSError) as error:
            raise Unavailable(
                f"The {self._name} does not answer as it should: see endpoint, region and credentials."
            ) from error
