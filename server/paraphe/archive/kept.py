"""What both stores share: what an archive promises, how content is named, and that nothing damaged is handed out."""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Protocol

from ..spool import Content, Spooled

DIGEST = re.compile(r"[0-9a-f]{64}")
PROBE = b"Paraphe has seen that it can write here.\n"
"""What `check` writes."""


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


def place_of(digest: str) -> str:
    """Return where content lies; ValueError for what is no digest, so that no name can lead elsewhere."""
    if not DIGEST.fullmatch(digest):
        raise ValueError("A digest is 64 lowercase hexadecimal figures.")
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


class Store(ABC):
    """What both stores share: nothing is handed out as whole that does not fit its digest."""

    @abstractmethod
    def _pieces(self, place: str, size: int) -> Generator[bytes, None, None]:
        """Yield what lies at `place`, none of it empty. Raises Missing and Unavailable."""

    def chunks(self, digest: str, size: int = 1 << 20) -> Iterator[bytes]:
        """See Archive."""
        pieces = _checked(self._pieces(place_of(digest), size), digest)
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
