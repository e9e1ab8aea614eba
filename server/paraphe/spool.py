"""Bytes that are too many for memory: they lie in a file, and are used much as bytes are.

What is *large* has more than LARGE bytes. A server that has eight messages of 200 MB in memory at once is dead; with
files it has eight times a megabyte or two.
"""

import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO

from pybase64 import b64encode

LARGE = 4 << 20
"""Bytes above which something is kept in a file. Below, files only cost time; waitress draws the line here too."""

_PIECE = 256 << 10
# A multiple of three, so that the base64 of each piece stands by itself.
_PIECE_TO_CODE = 192 << 10


class _Descriptor:
    """An open file, closed when nobody has it any more: contents go from hand to hand, and none is the last."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class InFile:
    """Bytes in a file, from `begin` to before `end`. They are found, counted and cut as bytes in memory are.

    The file stays open as long as somebody has this; where others read or write in it does not matter.
    """

    def __init__(self, file: _Descriptor, begin: int, end: int) -> None:
        self._file = file
        self._begin = begin
        self._end = end

    @classmethod
    def of(cls, file: IO[bytes]) -> "InFile":
        """Return all bytes of an open file, which may be closed then."""
        file.flush()
        return cls(_Descriptor(os.dup(file.fileno())), 0, os.fstat(file.fileno()).st_size)

    def __len__(self) -> int:
        return self._end - self._begin

    def __getitem__(self, wanted: slice) -> bytes:
        begin, end, _ = wanted.indices(len(self))
        return self._read(begin, end)

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())

    def __contains__(self, sign: bytes) -> bool:
        return self.find(sign) >= 0

    def pieces(self, size: int = _PIECE) -> Iterator[bytes]:
        """Give all bytes, in pieces."""
        for begin in range(0, len(self), size):
            yield self._read(begin, min(begin + size, len(self)))

    def part(self, begin: int, end: int) -> "InFile":
        """Return some of these bytes, without a copy."""
        return InFile(self._file, self._begin + begin, self._begin + end)

    def startswith(self, beginning: bytes | tuple[bytes, ...]) -> bool:
        """Say whether they begin so."""
        return self._read(0, 1000).startswith(beginning)

    def find(self, sign: bytes, start: int = 0, end: int | None = None) -> int:
        """Return where `sign` begins, -1 if it is not there."""
        end = len(self) if end is None else min(end, len(self))
        # What begins in one piece may end in the next one.
        for begin in range(max(start, 0), end - len(sign) + 1, _PIECE):
            at = self._read(begin, min(begin + _PIECE + len(sign) - 1, end)).find(sign)
            if at >= 0:
                return begin + at
        return -1

    def count(self, sign: bytes) -> int:
        """Count a single byte."""
        return sum(piece.count(sign) for piece in self.pieces())

    def open(self) -> io.BufferedReader:
        """Return these bytes as a file, with a place of its own."""
        return io.BufferedReader(_Opened(self), _PIECE)

    def _read(self, begin: int, end: int) -> bytes:
        begin, end = begin + self._begin, min(end + self._begin, self._end)
        found = os.pread(self._file.number, max(0, end - begin), begin)
        while len(found) < end - begin:  # one call may bring less
            more = os.pread(self._file.number, end - begin - len(found), begin + len(found))
            if not more:
                raise OSError("a file became shorter while it was read")
            found += more
        return found


class _Opened(io.RawIOBase):
    def __init__(self, content: InFile) -> None:
        super().__init__()
        self._content, self._at = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._content)}[whence]
        if origin + offset < 0:
            raise OSError("no place before the beginning")
        self._at = origin + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self._content[self._at : self._at + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


class Spooled(InFile):
    """Content on its way into the archive: written piece by piece, its digest known with the last one.

    With a `path` it has a name, which is taken away when nobody needs it any more; unless it was moved to its place by
    then.
    """

    def __init__(self, descriptor: int, path: Path | None = None) -> None:
        super().__init__(_Descriptor(descriptor), 0, 0)
        self.path = path
        self._seen = sha256()

    def write(self, piece: bytes) -> None:
        """Take another piece. Raises OSError."""
        self._seen.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(self._file.number, rest) :]
        self._end += len(piece)

    @property
    def sha256(self) -> str:
        """The digest of all that was written so far."""
        return self._seen.hexdigest()

    def sync(self) -> None:
        """Make the bytes durable, though not the name. Raises OSError."""
        os.fsync(self._file.number)

    def __del__(self) -> None:
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


#: What a message carries, and what an answer does: in memory, or in a file if it is large.
Content = bytes | InFile


def nameless() -> Spooled:
    """Return a place for content in the folder for temporary files; nothing is left there, whatever happens."""
    with tempfile.TemporaryFile() as file:
        return Spooled(os.dup(file.fileno()))


def spooled(pieces: Iterable[bytes], into: Spooled) -> Spooled:
    """Write all pieces, and return the whole."""
    for piece in pieces:
        into.write(piece)
    return into


def gathered(pieces: Iterable[bytes]) -> Content:
    """Return all pieces as one, in a file as soon as they are large."""
    begin, small, size = iter(pieces), list[bytes](), 0
    for piece in begin:
        small.append(piece)
        size += len(piece)
        if size > LARGE:
            return spooled(chain(small, begin), nameless())
    return b"".join(small)


def stream_of(content: Content) -> IO[bytes]:
    """Return content as a file to read."""
    return io.BytesIO(content) if isinstance(content, bytes) else content.open()


def content_of(made: IO[bytes]) -> Content:
    """Return all that was written to an open file, or to memory, which may be closed then."""
    return made.getvalue() if isinstance(made, io.BytesIO) else InFile.of(made)


def pieces_of(content: Content) -> Iterable[bytes]:
    """Give the bytes in pieces; those in memory in one."""
    return (content,) if isinstance(content, bytes) else content.pieces()


class Held:
    """Holds many contents that are small, so that they are not large together: what is too much goes into one file."""

    def __init__(self) -> None:
        self._size = 0
        self._rest: Spooled | None = None

    def hold(self, content: Content) -> Content:
        """Return the same content, where it can be held."""
        if isinstance(content, InFile):
            return content
        self._size += len(content)
        if self._size <= LARGE:
            return content
        rest = self._rest = self._rest or nameless()
        begin = len(rest)
        rest.write(content)
        return rest.part(begin, len(rest))


def digest_of(content: Content) -> str:
    """Return the SHA-256 digest, in hexadecimal figures; that of spooled content is known already."""
    if isinstance(content, bytes):
        return sha256(content).hexdigest()
    if isinstance(content, Spooled):
        return content.sha256
    seen = sha256()
    for piece in content.pieces():
        seen.update(piece)
    return seen.hexdigest()


# Answers ---------------------------------------------------------------------------------------------------------


class InBase64:
    """The base64 of bytes in a file, made while it is read."""

    def __init__(self, content: InFile) -> None:
        self._content = content

    def __len__(self) -> int:
        return (len(self._content) + 2) // 3 * 4

    def pieces(self) -> Iterator[bytes]:
        """Give the base64, in pieces."""
        return map(b64encode, self._content.pieces(_PIECE_TO_CODE))


class Joined:
    """Bytes that are made one part after the other, as they are sent; how many they are is known before."""

    def __init__(self, parts: Sequence[bytes | InFile | InBase64]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """Give all bytes, in pieces."""
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from part.pieces()


#: An answer ready to be sent.
Body = bytes | Joined


def joined(parts: Sequence[bytes | InFile | InBase64]) -> Body:
    """Put parts together: in memory if none of them is in a file."""
    small = [part for part in parts if isinstance(part, bytes)]
    return b"".join(small) if len(small) == len(parts) else Joined(parts)


class Apart:
    """Keeps large files out of the text of an answer while that is written.

    `mark` returns what stands in the text for the base64 of a file; `joined` puts that in place of the mark. Marks have
    128 random bits, so no text holds one by chance.
    """

    def __init__(self) -> None:
        self._sign = ""
        self._files: list[InFile] = []

    def mark(self, content: Content) -> str:
        """Return the base64 of what is in memory, and a mark for what is in a file."""
        if isinstance(content, bytes):
            return b64encode(content).decode("ascii")
        self._files.append(content)
        self._sign = self._sign or os.urandom(16).hex()
        return self._sign

    def joined(self, text: Content) -> Body:
        """Return the text with all files in it, in the order of their marks."""
        if not self._files:
            return joined([text])
        first, *others = bytes(text).split(self._sign.encode())
        parts: list[bytes | InFile | InBase64] = [first]
        for content, between in zip(self._files, others, strict=True):
            parts += [InBase64(content), between]
        return joined(parts)


def make_durable(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
