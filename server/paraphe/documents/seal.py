"""The digital signature of a PDF: PAdES, with a time stamp and with lasting proof where they can be had.

A seal is added behind the bytes of the document, which stay as they are, so a signature that is there already stays
valid. What an authority or a certificate's issuer does not give costs the level and never the seal; the level that was
reached is told with the reason why it is not higher, and `raise_level` goes on from there later.
"""

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, Generic, TypeVar, cast

from pyhanko.sign.general import simple_cms_attribute

from ..spool import InFile, nameless, pieces_of, spooled
from . import stamp as stamps
from .certificates import Credential, NoCredential
from .evidence import Level, NoRevocationData, level_of, with_proof, with_time_stamp
from .preparation import MOST_BYTES, Prepared, Unsealable, Wish, prepared, prepared_apart
from .stamp import Place, Stamp
from .timestamp import MOST_TOKEN_BYTES, Authority, NoTimeStamp

__all__ = [
    "MOST_BYTES",
    "Authority",
    "Credential",
    "Lack",
    "Level",
    "NoCredential",
    "Place",
    "Sealed",
    "Stamp",
    "Unsealable",
    "level_of",
    "raise_level",
    "seal",
]

_ROOM_FOR_SIGNATURE = 2_500  # bytes: attributes, names and an RSA signature of 8192 bits
_Body = TypeVar("_Body", bytes, InFile)
log = logging.getLogger("paraphe.seal")


class Lack(StrEnum):
    """Why a seal did not reach the level aimed at."""

    NO_AUTHORITY = "NO_AUTHORITY"
    """No time-stamp authority is configured: trying again is of no use."""
    TIME_STAMP_UNAVAILABLE = "TIME_STAMP_UNAVAILABLE"
    """The authority did not answer in time, refused, or answered with something else: try again later."""
    NO_REVOCATION_DATA = "NO_REVOCATION_DATA"
    """Nothing tells of each certificate that it is not revoked. For a self-issued one that never exists; for those of
    a real issuer it may be had later."""


@dataclass(frozen=True, slots=True)
class Sealed(Generic[_Body]):
    """A sealed PDF: its bytes, the level reached, and why it is not the one aimed at (None if it is).

    The bytes are in a file if those of the document were.
    """

    content: _Body
    level: Level
    lack: Lack | None = None


def seal(
    content: _Body,
    credential: Credential,
    *,
    reason: str,
    moment: datetime,
    stamp: Stamp | None = None,
    authority: Authority | None = None,
    aim: Level = Level.B_T,
    foreign: bool = True,
) -> Sealed[_Body]:
    """Sign a PDF and reach the level aimed at, as far as others let us.

    `reason` stands in the signature, for its readers (French); `moment` is the date it claims. Without `stamp` the seal
    is not visible on any page. A `foreign` document was not made by us: it is taken apart in a process of its own, with
    limits on time and memory, where the key never is.

    Raises Unsealable for the document, NoCredential if the certificate does not hold at `moment` or its token fails.
    """
    credential.ensure_valid(moment)
    algorithm = credential.algorithm
    stamped = aim.reaches(Level.B_T) and authority is not None
    room = credential.size + _ROOM_FOR_SIGNATURE + (MOST_TOKEN_BYTES if stamped else 0)
    wish = _wish(credential, reason, moment, algorithm, room, stamp)
    picture = stamps.drawn(stamp, credential, moment) if stamp else b""
    ready = (prepared_apart if foreign else prepared)(content, wish, picture)
    signature = asyncio.run(_signature(credential, _digest(content, ready, algorithm), algorithm))
    lack = _add_token(signature, authority, algorithm) if aim.reaches(Level.B_T) else None
    whole = _filled(content, ready, signature.dump())
    if aim.reaches(Level.B_LT) and lack is None:
        return raise_level(whole, authority, aim=aim)
    return Sealed(whole, Level.B_T if aim.reaches(Level.B_T) and lack is None else Level.B_B, lack)


def _wish(
    credential: Credential, reason: str, moment: datetime, algorithm: str, room: int, stamp: Stamp | None
) -> Wish:
    wish = Wish(reason, credential.name, moment.isoformat(), algorithm, room)
    if stamp is None:
        return wish
    place = stamp.place
    return Wish(
        wish.reason, wish.name, wish.moment, algorithm, room, place.page, place.x, place.y, stamps.WIDTH, stamps.HEIGHT
    )


def _digest(content: _Body, ready: Prepared, algorithm: str) -> bytes:
    """Return the digest of all bytes but those of the gap."""
    digest, gap = hashlib.new(algorithm), len(content)
    for piece in pieces_of(content):
        digest.update(piece)
    digest.update(ready.tail[: ready.start - gap])
    digest.update(ready.tail[ready.end - gap :])
    return digest.digest()


async def _signature(credential: Credential, digest: bytes, algorithm: str) -> Any:
    return await credential.signer.async_sign(digest, algorithm, use_pades=True)


def _add_token(signature: Any, authority: Authority | None, algorithm: str) -> Lack | None:
    """Put a time stamp into a signature, or say why there is none."""
    if authority is None:
        return Lack.NO_AUTHORITY
    (signer,) = signature["content"]["signer_infos"]
    try:
        token = authority.token(hashlib.new(algorithm, signer["signature"].native).digest(), algorithm)
    except NoTimeStamp as failure:
        log.warning("no time stamp", extra={"reason": str(failure)})
        return Lack.TIME_STAMP_UNAVAILABLE
    signer["unsigned_attrs"] = [simple_cms_attribute("signature_time_stamp_token", token)]
    return None


def _filled(content: _Body, ready: Prepared, signature: bytes) -> _Body:
    """Write the signature into its gap, which is a text in hexadecimal between angle brackets."""
    start, end = ready.start - len(content), ready.end - len(content)
    text = signature.hex().upper().encode()
    tail = b"".join((ready.tail[: start + 1], text.ljust(end - start - 2, b"0"), ready.tail[end - 1 :]))
    whole: Any = content + tail if isinstance(content, bytes) else spooled(chain(content.pieces(), [tail]), nameless())
    return cast(_Body, whole)


def raise_level(content: _Body, authority: Authority | None, *, aim: Level = Level.B_T) -> Sealed[_Body]:
    """Add to a document that `seal` returned what it lacks of the level aimed at, behind the bytes that are there.

    Again does no harm: what is there already is not added twice. Raises Unsealable("NOT_SEALED") for a document
    without seal.
    """
    level = level_of(content)
    try:
        if aim.reaches(Level.B_T) and not level.reaches(Level.B_T):
            content, level = _stamped(content, authority), Level.B_T
        if aim.reaches(Level.B_LT) and not level.reaches(Level.B_LT):
            content, level = cast(_Body, with_proof(content)), Level.B_LT
        if aim.reaches(Level.B_LTA) and not level.reaches(Level.B_LTA):
            content, level = _stamped(content, authority), Level.B_LTA
    except _NoAuthority:
        return Sealed(content, level, Lack.NO_AUTHORITY)
    except NoTimeStamp as failure:
        log.warning("no time stamp", extra={"reason": str(failure)})
        return Sealed(content, level, Lack.TIME_STAMP_UNAVAILABLE)
    except NoRevocationData as failure:
        log.warning("no revocation data", extra={"reason": str(failure)})
        return Sealed(content, level, Lack.NO_REVOCATION_DATA)
    return Sealed(content, level)


class _NoAuthority(Exception):  # noqa: N818
    pass


def _stamped(content: _Body, authority: Authority | None) -> _Body:
    if authority is None:
        raise _NoAuthority
    return cast(_Body, with_time_stamp(content, authority))
