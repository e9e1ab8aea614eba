"""Lists and answers about revocation, fetched from addresses that stand in certificates.

Certificates that come with a time stamp are whatever its authority sent: their addresses may lead into the operator's
own network, and there may be anything behind them. So what is fetched is small, comes without detours, and from the
public network only; but from anywhere if the address stands in a certificate that the operator chose, or is the
authority's.
"""

import socket
from collections.abc import Collection, Iterable
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend

#: Bytes of the longest list of revoked certificates that is taken.
MOST_BYTES = 10_000_000
Origin = tuple[str, int]


class Refused(aiohttp.ClientError):
    """An address that nothing is fetched from, or an answer that is too long."""


def origins_of(certificates: Iterable[Any]) -> frozenset[Origin]:
    """Return from where certificates say that lists, answers and issuers can be had."""
    urls: list[str] = []
    for each in certificates:
        urls += [point.url for point in (*each.crl_distribution_points, *each.delta_crl_distribution_points)]
        urls += [
            entry["access_location"].native
            for entry in each.authority_information_access_value or ()
            if entry["access_location"].name == "uniform_resource_identifier"
        ]
    return frozenset(filter(None, map(origin_of, filter(None, urls))))


def origin_of(url: str) -> Origin | None:
    """Return host and port of an address by HTTP; None if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname.lower(), port) if parts.hostname else None


def backend(trusted: Collection[Origin], seconds: float) -> tuple[AIOHttpFetcherBackend, aiohttp.ClientSession]:
    """Return what fetches for pyHanko, and its session, which is to be closed; `seconds` are for each request."""
    tracing = aiohttp.TraceConfig()

    async def asked(session: Any, context: SimpleNamespace, told: aiohttp.TraceRequestStartParams) -> None:
        _ensure_open(told.url.host or "", told.url.port or 0, trusted)

    async def led_on(session: Any, context: SimpleNamespace, told: aiohttp.TraceRequestRedirectParams) -> None:
        raise Refused("the address leads to another one")

    tracing.on_request_start.append(asked)
    tracing.on_request_redirect.append(led_on)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=_Resolver(trusted)),
        response_class=_Bounded,
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
        trace_configs=[tracing],
    )
    return AIOHttpFetcherBackend(session, per_request_timeout=seconds), session


def _ensure_open(host: str, port: int, trusted: Collection[Origin]) -> None:
    """Raise Refused for a number in a private network; names are looked at when it is known what they stand for."""
    try:
        address = ip_address(host)
    except ValueError:
        return
    if not address.is_global and (host.lower(), port) not in trusted:
        raise Refused("the address is not a public one")


class _Resolver(AbstractResolver):
    """Finds what names stand for, and refuses private addresses."""

    def __init__(self, trusted: Collection[Origin]) -> None:
        self._trusted = trusted
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return where a name leads. OSError if that is not public."""
        found = await self._inner.resolve(host, port, family)
        if (host.lower(), port) not in self._trusted:
            found = [each for each in found if ip_address(each["host"]).is_global]
        if not found:
            raise OSError("the name leads to no public address")
        return found

    async def close(self) -> None:
        """Have nothing to close."""


class _Bounded(aiohttp.ClientResponse):
    """An answer of which no more than MOST_BYTES are read."""

    async def read(self) -> bytes:
        """Return what came. Raises Refused."""
        content = bytearray()
        async for piece in self.content.iter_chunked(1 << 16):
            content += piece
            if len(content) > MOST_BYTES:
                self.close()
                raise Refused("the answer is too long")
        return bytes(content)
