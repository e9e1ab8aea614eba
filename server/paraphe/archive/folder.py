"""An archive in a folder."""

import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..spool import LARGE, Content, InFile, Spooled, digest_of, make_durable, spooled
from .kept import DIGEST, PROBE, Damaged, Missing, Store, Unavailable, place_of

_log = logging.getLogger("paraphe.archive")


def folder_of(location: str) -> Path:
    """Return the folder that a file:// URL names; ValueError."""
    parts = urlsplit(location)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise ValueError("A file URL of the archive has the form file:///an/absolute/folder.")
    return Path(unquote(parts.path))


class Folder(Store):
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
        path = self._root / place_of(digest)
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
        path = self._root / place_of(digest)
        with self._explained():
            if not path.exists() or path.stat().st_size <= LARGE:
                return self.read(digest)
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise Damaged(f"What is kept under {digest} does not fit it.")
                return InFile.of(file)

    def check(self) -> None:
        """See Archive."""
        with self._explained(), self._arriving(PROBE) as file:
            file.unlink()
            for path in self._incoming.iterdir():
                _sweep(path)
            make_durable(self._incoming)

    def holds(self, digest: str) -> bool:
        """Say whether something is kept under this digest, without a look at it."""
        return (self._root / place_of(digest)).exists()

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
    return DIGEST.fullmatch(file.name) is not None and file.name.startswith(first.name + second.name)


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
