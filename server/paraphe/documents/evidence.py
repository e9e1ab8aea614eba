"""What makes a seal last: a time stamp, proof that no certificate was revoked, and a time stamp over that.

Each is added behind the bytes that are there. Only for documents that `seal` returned: they were taken apart once
within limits, and are so here without.
"""

import asyncio
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore, collect_validation_info
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend

from ..spool import Content, content_of, stream_of
from .network import wait_for
from .preparation import Addition, Unsealable, room_like
from .timestamp import MOST_TOKEN_BYTES, Authority, Stamper

#: Seconds that all lists and answers about revocation together may take to fetch.
SECONDS_TO_FETCH = 12.0


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
    """All of that under another time stamp."""

    def reaches(self, other: "Level") -> bool:
        """Whether this is the other level, or a higher one."""
        order = list(Level)
        return order.index(self) >= order.index(other)


class NoRevocationData(Exception):  # noqa: N818
    """Nothing tells of each certificate that it was not revoked."""


def level_of(content: Content) -> Level:
    """Return the level of the last seal of a document that `seal` returned, by what is in it; it validates nothing."""
    reader, seal = _opened(content)
    later = [each for each in reader.embedded_timestamp_signatures if each.signed_revision > seal.signed_revision]
    if not later and not _has_token(seal):
        return Level.B_B
    if not _has_proof(reader, seal):
        return Level.B_T
    covered = any(_has_proof(reader.get_historical_resolver(each.signed_revision), seal) for each in later)
    return Level.B_LTA if covered else Level.B_LT


def with_time_stamp(content: Content, authority: Authority) -> Content:
    """Add a time stamp over the whole document. Raises NoTimeStamp."""
    _opened(content)
    writer = Addition(stream_of(content), strict=False)
    stamper = PdfTimeStamper(Stamper(authority))
    with room_like(content) as output:
        asyncio.run(stamper.async_timestamp_pdf(writer, "sha256", bytes_reserved=2 * MOST_TOKEN_BYTES, output=output))
        return content_of(output)


def with_proof(content: Content) -> Content:
    """Add the certificates and what their issuers say about revocation, fetched now. Raises NoRevocationData."""
    reader, seal = _opened(content)
    later = [each for each in reader.embedded_timestamp_signatures if each.signed_revision > seal.signed_revision]
    try:
        paths, proof = wait_for(_collected(seal, later), SECONDS_TO_FETCH)
    except NoRevocationData:
        raise
    except Exception as error:  # a certificate without a list, a list that is not reached, not valid, not signed, …
        raise NoRevocationData(str(error)) from error
    writer = Addition(stream_of(content), strict=False)
    DocumentSecurityStore.supply_dss_in_writer(writer, _contents(seal), paths=paths, validation_context=proof)
    with room_like(content) as output:
        writer.write(output)
        return content_of(output)


def _opened(content: Content) -> tuple[PdfFileReader, EmbeddedPdfSignature]:
    """Return the document and its last signature that is no time stamp."""
    try:
        reader = PdfFileReader(stream_of(content), strict=False)
        seals = reader.embedded_regular_signatures
    except Exception as error:
        raise Unsealable("DAMAGED") from error
    if not seals:
        raise Unsealable("NOT_SEALED")
    return reader, seals[-1]


def _has_token(seal: EmbeddedPdfSignature) -> bool:
    return bool(_tokens(seal))


def _has_proof(handler: Any, seal: EmbeddedPdfSignature) -> bool:
    try:
        return DocumentSecurityStore.sig_content_identifier(_contents(seal)) in handler.root["/DSS"]["/VRI"]
    except KeyError:
        return False


def _contents(seal: EmbeddedPdfSignature) -> bytes:
    """Return the signature as it is written in the file: ISO 32000-2, 12.8.4.4, wants the digest of that."""
    return seal.pkcs7_content.hex().upper().encode()


# Revocation ----------------------------------------------------------------------------------------------------


async def _collected(seal: EmbeddedPdfSignature, stamps: Sequence[EmbeddedPdfSignature]) -> tuple[list[Any], Any]:
    """Fetch and check lists and answers for each certificate below the topmost one that the document itself brings."""
    signed = [seal.signed_data, *_tokens(seal), *(each.signed_data for each in stamps)]
    infos = [extract_certificate_info(each) for each in signed]
    known = [certificate for info in infos for certificate in (info.signer_cert, *info.other_certs)]
    topmost = _topmost(known)
    if any(info.signer_cert in topmost for info in infos):
        raise NoRevocationData("a signer's issuer is not known")
    backend = AIOHttpFetcherBackend(per_request_timeout=int(SECONDS_TO_FETCH) // 3)
    context = ValidationContext(
        trust_roots=topmost,
        other_certs=known,
        allow_fetching=True,
        revocation_mode="require",
        fetcher_backend=backend,
    )
    try:
        paths = await collect_validation_info(seal, context)
        for info in infos[1:]:
            validator = CertificateValidator(info.signer_cert, info.other_certs, validation_context=context)
            paths.append(await validator.async_validate_usage(set()))
    finally:
        await backend.close()
    return paths, context


def _tokens(seal: EmbeddedPdfSignature) -> list[Any]:
    attributes = seal.signer_info["unsigned_attrs"]
    stamps = (each for each in attributes or () if each["type"].native == "signature_time_stamp_token")
    return [token["content"] for each in stamps for token in each["values"]]


def _topmost(certificates: Iterable[Any]) -> list[Any]:
    """Return those that none of the others has issued."""
    known = list({each.dump(): each for each in certificates}.values())
    subjects = {each.subject.hashable for each in known}
    return [each for each in known if each.issuer.hashable not in subjects or each.issuer == each.subject]
