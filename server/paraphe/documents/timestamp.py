"""Time stamps by RFC 3161: an authority signs a digest together with its own clock."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from asn1crypto import cms, parser, tsp
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from .certificates import Verbatim
from .network import wait_for

#: Bytes of the largest answer that is taken: the room for it is set aside before it is asked for.
MOST_TOKEN_BYTES = 12_000


class NoTimeStamp(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The authority gave no time stamp that can be used; the text says why, for a log."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Where time stamps come from: an RFC 3161 service over HTTP. It has `seconds` for each, all in all."""

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = 3.0

    def for_one_job(self) -> "Authority":
        """Return the same authority for many documents in a row: once it has failed, it is asked no more."""
        return _UntilItFails(self.url, self.user, self.password, self.seconds)

    def token(self, digest: bytes, algorithm: str) -> Any:
        """Return the authority's token (asn1crypto's ContentInfo) for this digest. Raises NoTimeStamp."""
        try:
            return wait_for(_Asking(self).async_timestamp(digest, algorithm), self.seconds + 1)
        except TimeoutError as error:
            raise NoTimeStamp(f"no answer within {self.seconds:g} seconds") from error


@dataclass(frozen=True, slots=True)
class _UntilItFails(Authority):
    failures: list[NoTimeStamp] = field(default_factory=list, compare=False, repr=False)

    def token(self, digest: bytes, algorithm: str) -> Any:
        """Return the authority's token for this digest. Raises NoTimeStamp."""
        if self.failures:
            raise NoTimeStamp("not asked again after it failed")
        try:
            return Authority.token(self, digest, algorithm)
        except NoTimeStamp as failure:
            self.failures.append(failure)
            raise


class Stamper(TimeStamper):
    """An authority in the form in which pyHanko asks it; it raises NoTimeStamp."""

    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._authority = authority

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
        """Return a token. Others who run in this loop wait meanwhile; there are none."""
        return self._authority.token(message_digest, md_algorithm)


class _Asking(TimeStamper):
    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._authority = authority
        self._answer = b""

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
        """Ask for a time stamp and look at what comes: our nonce, our digest, signed by a key for time stamps."""
        try:
            _check(await super().async_timestamp(message_digest, md_algorithm), message_digest, md_algorithm)
        except NoTimeStamp:
            raise
        except TimeoutError as error:
            raise NoTimeStamp(f"no answer within {self._authority.seconds:g} seconds") from error
        except aiohttp.ClientError as error:
            raise NoTimeStamp(f"not reached: {type(error).__name__}") from error
        except Exception as error:  # nobody has a list of what a parser raises at bytes that are no token
            raise NoTimeStamp(f"the answer cannot be used: {type(error).__name__}") from error
        return _Verbatim.load(_token_in(self._answer))

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send one request and read one answer of bounded size."""
        authority = self._authority
        bound = aiohttp.ClientTimeout(total=authority.seconds)
        head = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        if authority.user:
            pair = f"{authority.user}:{authority.password or ''}".encode()
            head["Authorization"] = f"Basic {b64encode(pair).decode()}"
        async with (
            aiohttp.ClientSession(timeout=bound, trust_env=True) as session,
            session.post(authority.url, data=req.dump(), headers=head, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise NoTimeStamp(f"the answer has the HTTP status {answer.status}")
            content = b""
            while len(content) <= MOST_TOKEN_BYTES and (piece := await answer.content.read(MOST_TOKEN_BYTES)):
                content += piece
        if len(content) > MOST_TOKEN_BYTES:
            raise NoTimeStamp(f"the answer is longer than {MOST_TOKEN_BYTES} bytes")
        self._answer = content
        return tsp.TimeStampResp.load(content, strict=True)


class _Verbatim(Verbatim, cms.ContentInfo):  # type: ignore[misc]
    """A token as it came."""


def _token_in(answer: bytes) -> bytes:
    """Return what stands behind the status in an answer."""
    inside: bytes = parser.parse(answer)[4]
    return inside[sum(map(len, parser.parse(inside)[3:])) :]


def _check(token: cms.ContentInfo, digest: bytes, algorithm: str) -> None:
    """Raise NoTimeStamp for a token that is not about this digest or not signed by the certificate it brings.

    Whether that certificate is to be trusted is for whoever validates the document.
    """
    signed = token["content"]
    told = signed["encap_content_info"]["content"].parsed
    imprint = told["message_imprint"]
    if imprint["hash_algorithm"]["algorithm"].native != algorithm or imprint["hashed_message"].native != digest:
        raise NoTimeStamp("the token is about something else")
    certificate = extract_certificate_info(signed).signer_cert
    usage = certificate.extended_key_usage_value
    if usage is None or usage.native != ["time_stamping"]:
        raise NoTimeStamp("the token is signed by a certificate that is not for time stamps")
    (signer,) = signed["signer_infos"]
    content = hashlib.new(signer["digest_algorithm"]["algorithm"].native, told.dump()).digest()
    intact, valid = validate_sig_integrity(signer, certificate, "tst_info", content)
    if not (intact and valid):
        raise NoTimeStamp("the token's signature is wrong")
