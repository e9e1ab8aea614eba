"""How many may come in: requests of one account at once, and wrong keys from one address.

Both are counted in this process alone and in memory of a fixed size: what they protect is the process. `source` is
where a request comes from, as the server says it: the address of the caller, not that of a trusted proxy.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from math import ceil
from time import monotonic

from .settings import Networks

PATIENCE = 1.0
"""Seconds that one more request of an account waits for another one to end."""

MOST_REMEMBERED = 50_000
"""Failed log-ins that are remembered, of all sources together; about 10 MB."""


class Requests:
    """Counts the requests of each account that are being worked on; at most `most` at once.

    One more waits, but only if requests of the account come and go all the time: it occupies a thread, which is not to
    be had by who fills all of them with long requests.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._at_work: dict[int, int] = {}
        #: When the last one came or went.
        self._moved: dict[int, float] = {}
        self._one_ended = threading.Condition()

    def enter(self, account: int) -> bool:
        """Count one more request and return True; False if the account has too many. `leave` must follow a True."""
        until = monotonic() + PATIENCE
        with self._one_ended:
            while self._at_work.get(account, 0) >= self.most:
                now = monotonic()
                if now >= until or now - self._moved[account] > PATIENCE:
                    return False
                self._one_ended.wait(until - now)
            self._at_work[account] = self._at_work.get(account, 0) + 1
            self._moved[account] = monotonic()
        return True

    def leave(self, account: int) -> None:
        """Count one request less."""
        with self._one_ended:
            self._at_work[account] -= 1
            self._moved[account] = monotonic()
            if not self._at_work[account]:
                del self._at_work[account], self._moved[account]
            self._one_ended.notify_all()


class FailedLogins:
    """Remembers wrong keys for `seconds`: at most `most` for one user from one source, and `most_of_all` for all users.

    Only who fails is refused for it. Keys have 256 random bits, so that guessing needs no other hindrance; but behind
    one address there may be a proxy and all its callers, and with one user an old script whose key was replaced.
    """

    def __init__(self, most: int, most_of_all: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._most_of_all, self._seconds = most, most_of_all, seconds
        self._clock = clock
        self._moments: OrderedDict[tuple[str, bytes], list[float]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def note(self, source: str, user: str) -> int:
        """Remember a failure and return 0; if there were too many, return the seconds until one is forgotten."""
        source = _network(source)
        kept = ((source, b""), self._most_of_all), ((source, _mark(user)), self._most)
        now = self._clock()
        with self._lock:
            waits = [self._wait(key, most, now) for key, most in kept]
            if not any(waits):
                for key, _ in kept:
                    self._remember(key, now)
            return max(waits)

    def _wait(self, key: tuple[str, bytes], most: int, now: float) -> int:
        moments = self._moments.get(key)
        if moments is None:
            return 0
        old = bisect_right(moments, now - self._seconds)
        del moments[:old]
        self._count -= old
        if not moments:
            del self._moments[key]
            return 0
        self._moments.move_to_end(key)
        return 0 if len(moments) < most else max(1, ceil(moments[0] + self._seconds - now))

    def _remember(self, key: tuple[str, bytes], now: float) -> None:
        self._moments.setdefault(key, []).append(now)
        self._count += 1
        while self._count > MOST_REMEMBERED:
            _, forgotten = self._moments.popitem(last=False)
            self._count -= len(forgotten)


def source_of(peer: str, forwarded: str, proxies: Networks) -> str:
    """Return the address that a request comes from, when `peer` is who brings it and X-Forwarded-For is `forwarded`.

    Each proxy appends whom it was called by. So the last one that is no proxy of ours is the caller; what stands before
    it is only what the caller says.
    """
    source = peer
    for text in (peer, *reversed(forwarded.split(","))) if proxies else ():
        address = _address(text)
        if address is None:
            break
        source = str(address)
        if not proxies.hold(address):
            break
    return source


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, which some proxies write with brackets and a port; of IPv6 that stands for IPv4, the latter."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    with suppress(ValueError):
        address = ip_address(text)
        return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
    return None


def _network(source: str) -> str:
    """Return what one caller may have many of: of IPv6 the network of 64 bits."""
    address = _address(source)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return source if address is None else str(address)


def _mark(user: str) -> bytes:
    """Return a few bytes for a user, who may be as long as a message."""
    return blake2b(user.encode("utf-8", "surrogatepass"), digest_size=16).digest()
