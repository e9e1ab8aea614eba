"""The addresses (URLs) of signatures and documents: unguessable, with an expiry, revocable.

An address ends in a token: 16 random bytes that the row keeps (its `link`), the hour of expiry, and a keyed digest of
both. Making one costs no query, which matters when a list holds a thousand; a new `link` in the row revokes all
addresses made before. Nothing of the account or the session stands in it.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

_HOUR = 3600
_TOKEN_BYTES = 16 + 4 + 16
_TOKEN_LETTERS = _TOKEN_BYTES * 4 // 3


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes and reads addresses under `public_url`; `secret` is 32 bytes that all nodes share."""

    public_url: str
    secret: bytes
    lifetime: timedelta = timedelta(days=7)

    def expiry(self, now: datetime) -> datetime:
        """Return when an address made now stops working: after `lifetime`, at the next full hour."""
        return datetime.fromtimestamp(self._hours(now) * _HOUR, UTC)

    def url(self, path: str, link: bytes, suffix: str, now: datetime) -> str:
        """Return the address of a row's `link`, for example url("records", link, ".zip", now)."""
        ((address,),) = self.urls(path, [link], (suffix,), now)
        return address

    def urls(self, path: str, links: Iterable[bytes], suffixes: Sequence[str], now: datetime) -> list[list[str]]:
        """Return for each suffix the address of each row's `link`: of what the row is about, in several forms."""
        beginning, expiry, seal = f"{self.public_url}/{path}/", self._hours(now).to_bytes(4, "big"), self._seal
        started = self._started(path)
        sealed = b"".join([body + seal(started, body) for link in links for body in [link + expiry]])
        text = urlsafe_b64encode(sealed).decode()  # all at once, as the bytes of each fill their letters
        tokens = [text[at : at + _TOKEN_LETTERS] for at in range(0, len(text), _TOKEN_LETTERS)]
        return [[f"{beginning}{token}{suffix}" for token in tokens] for suffix in suffixes]

    def link(self, path: str, name: str, now: datetime) -> bytes | None:
        """Return the `link` that a token stands for, or None if it is not exactly one of ours and still valid."""
        try:
            raw = urlsafe_b64decode(name.encode("ascii"))
        except (Base64Error, UnicodeEncodeError, ValueError):
            return None
        if len(raw) != _TOKEN_BYTES or urlsafe_b64encode(raw).decode() != name:
            return None
        body, seal = raw[:20], raw[20:]
        if not hmac.compare_digest(seal, self._seal(self._started(path), body)):
            return None
        fresh = now.timestamp() < int.from_bytes(body[16:], "big") * _HOUR
        return body[:16] if fresh else None

    def _hours(self, now: datetime) -> int:
        return int((now + self.lifetime).timestamp()) // _HOUR + 1

    def _started(self, path: str) -> blake2b:
        """Begin a seal; what is worked out for the key need not be done for each address."""
        return blake2b(f"{path}\0".encode(), key=self.secret, digest_size=16)

    @staticmethod
    def _seal(started: blake2b, body: bytes) -> bytes:
        digest = started.copy()
        digest.update(body)
        return digest.digest()
