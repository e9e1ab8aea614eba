"""The digital signature of a PDF: PAdES, with a time stamp and with lasting proof where they can be had.

A seal is added behind the bytes of the document, which stay as they are, so a signature that is there already stays
valid. What an authority or a certificate's issuer does not give costs the level and never the seal; the level that was
reached is told with the reason why it is not higher, and `raise_level` goes on from there later.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .certificates import Credential
from .stamp import Stamp
from .timestamp import Authority

#: Bytes of the largest document that is sealed.
MOST_BYTES = 100_000_000


class Level(StrEnum):
    """How much a seal proves, and for how long (ETSI EN 319 142-1). In ascending order; compare by `reaches`."""

    NONE = "NONE"
    """Not signed."""
    B_B = "B-B"
    """Signed; the date is the signer's own word."""
    B_T = "B-T"
    """An authority vouches that the signature existed at its date."""
    B_LT = "B-LT"
    """The certificates and proof that none was revoked are in the file."""
    B_LTA = "B-LTA"
    """All of that under another time stamp, which can be renewed for ever."""

    def reaches(self, other: "Level") -> bool:
        """Whether this is the other level, or a higher one."""
        order = list(Level)
        return order.index(self) >= order.index(other)


class Lack(StrEnum):
    """Why a seal did not reach the level aimed at."""

    NO_AUTHORITY = "NO_AUTHORITY"
    """No time-stamp authority is configured: trying again is of no use."""
    TIME_STAMP_UNAVAILABLE = "TIME_STAMP_UNAVAILABLE"
    """The authority did not answer in time, refused, or answered with something else: try again later."""
    NO_REVOCATION_DATA = "NO_REVOCATION_DATA"
    """No list or answer tells that the certificates are not revoked. Those of a self-issued certificate never exist;
    those of a real one may be had later."""


class Unsealable(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """A PDF cannot be sealed; keep it as it is. `code` says why.

    TOO_LARGE · NOT_A_PDF · DAMAGED · ENCRYPTED · HYBRID (two tables of contents that may differ) ·
    CHANGES_FORBIDDEN (certified by its author, or its signature forbids further ones) ·
    TOO_COMPLEX (took more time or memory than a document can need)
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed PDF: its bytes, the level reached, and why it is not the one aimed at (None if it is)."""

    content: bytes
    level: Level
    lack: Lack | None = None


def seal(
    content: bytes,
    credential: Credential,
    *,
    reason: str,
    moment: datetime,
    stamp: Stamp | None = None,
    authority: Authority | None = None,
    aim: Level = Level.B_T,
    foreign: bool = True,
) -> Sealed:
    """Sign a PDF and reach the level aimed at, as far as others let us.

    `reason` stands in the signature, for its readers (French); `moment` is the date it claims. Without `stamp` the seal
    is not visible on any page. A `foreign` document was not made by us: it is taken apart in a process of its own, with
    limits on time and memory, where the key never is.

    Raises Unsealable for the document, NoCredential if the certificate does not hold at `moment` or its token fails.
    """
    raise NotImplementedError


def raise_level(content: bytes, authority: Authority | None, *, aim: Level = Level.B_T) -> Sealed:
    """Add to a document that `seal` returned what it lacks of the level aimed at, behind the bytes that are there.

    Again does no harm: what is there already is not added twice. Raises Unsealable("NOT_SEALED") for a document
    without seal.
    """
    raise NotImplementedError


def level_of(content: bytes) -> Level:
    """Return the level of the last seal of a document that `seal` returned, by what is in it; it validates nothing."""
    raise NotImplementedError
