"""Levels: what is reached is told, an authority that fails costs the level alone, and later it is caught up."""

import asyncio
import io
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_timestamp
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from paraphe.apart import Limits
from paraphe.documents import certificates
from paraphe.documents import seal as of_documents
from paraphe.documents.seal import Lack, Level, Unsealable, level_of, raise_level
from paraphe.documents.timestamp import Authority, NoTimeStamp

from .authorities import Issuer, new_key, pem
from .sealing import STAMP, now, pdfsig, sealed, statuses

pytestmark = pytest.mark.slow

NOBODY = Authority("http://127.0.0.1:9/", seconds=5)


def judged(content: bytes, root: x509.Certificate) -> str:
    """What a validation for the long term says that takes no list but those in the file."""
    policy = CertValidationPolicySpec(
        SimpleTrustManager.build([certificates.to_asn1(root)]), CertRevTrustPolicy(REQUIRE_REVINFO)
    )
    offline = RevocationInfoGatheringSpec(online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY)
    spec = SignatureValidationSpec(policy, revinfo_gathering_policy=offline)
    seal = PdfFileReader(io.BytesIO(content)).embedded_regular_signatures[-1]
    result = asyncio.run(ades_lta_validation(seal, PdfSignatureValidationSpec(spec)))
    return str(result.ades_subindic).rpartition(".")[2]


def stamps(content: bytes, root: x509.Certificate) -> list[Any]:
    """What pyHanko says of each time stamp over the document."""
    trusted = ValidationContext(trust_roots=[certificates.to_asn1(root)])
    found = PdfFileReader(io.BytesIO(content)).embedded_timestamp_signatures

    async def validated() -> list[Any]:
        return [await async_validate_pdf_timestamp(each, trusted) for each in found]

    return asyncio.run(validated())


# --- reached


@pytest.mark.parametrize("foreign", [False, True])
@pytest.mark.parametrize("aim", [Level.B_B, Level.B_T, Level.B_LT, Level.B_LTA])
def test_every_level_is_reached_that_is_aimed_at(pdf, tsa, credential, authority, aim, foreign):
    done = sealed(pdf, credential, stamp=STAMP, authority=authority, aim=aim, foreign=foreign)

    assert (done.level, done.lack) == (aim, None)
    assert level_of(done.content) is aim
    assert statuses(done.content, tsa.issuer.certificate)[0].bottom_line


@pytest.mark.parametrize(
    ("aim", "verdict"),
    [(Level.B_T, "CERTIFICATE_CHAIN_GENERAL_FAILURE"), (Level.B_LTA, "OK")],
)
def test_only_the_highest_level_lasts_without_its_issuers(pdf, tsa, credential, authority, aim, verdict):
    done = sealed(pdf, credential, authority=authority, aim=aim)

    assert judged(done.content, tsa.issuer.certificate) == verdict


def test_a_time_stamp_is_good_for_openssl(tsa, authority, tmp_path):
    token = authority.token(bytes(32), "sha256")
    (tmp_path / "token").write_bytes(token.dump())
    (tmp_path / "root.pem").write_bytes(pem(tsa.issuer.certificate))
    command = ["openssl", "ts", "-verify", "-digest", "00" * 32, "-in", "token", "-token_in", "-CAfile", "root.pem"]

    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)

    assert "Verification: OK" in said.stdout + said.stderr


def test_the_time_stamp_of_a_seal_is_about_its_signature(pdf, tsa, credential, authority):
    (status,) = statuses(sealed(pdf, credential, authority=authority).content, tsa.issuer.certificate)

    assert status.timestamp_validity.intact
    assert status.timestamp_validity.valid
    assert abs((status.timestamp_validity.timestamp - datetime.now(UTC)).total_seconds()) < 600


def test_a_self_issued_certificate_reaches_a_time_stamp_and_says_what_is_missing(pdf, authority):
    own = certificates.from_pkcs12(certificates.self_issued("Lycée Horizon", now(), "x"), "x")

    done = sealed(pdf, own, authority=authority, aim=Level.B_LTA)

    assert (done.level, done.lack) == (Level.B_T, Lack.NO_REVOCATION_DATA)


def test_a_revoked_certificate_gets_no_proof(pdf, tsa, authority):
    revoked = certificates.from_pkcs12(tsa.issuer.pkcs12("Cachet", new_key()), "test")
    tsa.issuer.revoked.append(revoked.certificate.serial_number)

    done = sealed(pdf, revoked, authority=authority, aim=Level.B_LT)

    assert (done.level, done.lack) == (Level.B_T, Lack.NO_REVOCATION_DATA)


# --- outages


@pytest.mark.parametrize("manner", ["error", "garbage", "huge", "refuse", "replay", "locked"])
def test_an_authority_that_answers_badly_costs_the_level_and_not_the_seal(pdf, tsa, credential, authority, manner):
    authority.token(bytes(32), "sha256")
    tsa.manner = manner

    done = sealed(pdf, credential, authority=authority)

    assert (done.level, done.lack) == (Level.B_B, Lack.TIME_STAMP_UNAVAILABLE)
    assert level_of(done.content) is Level.B_B
    assert statuses(done.content, tsa.issuer.certificate)[0].bottom_line


@pytest.mark.parametrize("manner", ["slow", "drip"])
def test_an_authority_that_is_slow_is_not_waited_for(pdf, tsa, credential, authority, manner):
    tsa.manner = manner
    began = time.monotonic()

    done = sealed(pdf, credential, authority=replace(authority, seconds=0.5))

    assert (done.level, done.lack) == (Level.B_B, Lack.TIME_STAMP_UNAVAILABLE)
    assert time.monotonic() - began < 15  # it would have been twenty seconds, and minutes


def test_no_authority_at_the_address_costs_the_level_and_not_the_seal(pdf, credential):
    done = sealed(pdf, credential, authority=NOBODY)

    assert (done.level, done.lack) == (Level.B_B, Lack.TIME_STAMP_UNAVAILABLE)


def test_without_an_authority_the_lack_is_told(pdf, credential):
    assert sealed(pdf, credential).lack is Lack.NO_AUTHORITY
    assert sealed(pdf, credential, aim=Level.B_B).lack is None


def test_the_user_and_password_of_an_authority_are_sent_and_never_shown(tsa, authority):
    tsa.manner = "locked"
    known = replace(authority, user="ecole", password="secret")

    assert known.token(bytes(32), "sha256")
    assert "secret" not in repr(known)
    with pytest.raises(NoTimeStamp, match="401"):
        authority.token(bytes(32), "sha256")


# --- caught up


def test_a_foreign_document_that_takes_too_much_keeps_the_seal_that_it_has(pdf, credential, authority, monkeypatch):
    monkeypatch.setattr(of_documents, "_RAISING", Limits(seconds=0.001))

    done = sealed(pdf, credential, authority=authority, aim=Level.B_LTA, foreign=True)

    assert (done.level, done.lack) == (Level.B_T, Lack.NO_REVOCATION_DATA)
    assert level_of(done.content) is Level.B_T


@pytest.mark.parametrize("foreign", [False, True])
def test_a_level_that_was_missed_is_caught_up_and_the_seal_stays_valid(
    pdf, tsa, credential, authority, tmp_path, foreign
):
    before = sealed(pdf, credential, stamp=STAMP, authority=NOBODY)
    with pytest.raises(Unsealable, match="NOT_SEALED"):
        raise_level(pdf, authority, foreign=foreign)

    after = raise_level(before.content, authority, foreign=foreign)

    assert (after.level, after.lack) == (Level.B_T, None)
    assert level_of(after.content) is Level.B_T
    assert after.content.startswith(before.content)
    assert statuses(after.content, tsa.issuer.certificate)[0].bottom_line
    assert "Signature is Valid" in pdfsig(tmp_path, after.content, tsa.issuer.certificate)


def test_every_level_is_caught_up_from_a_bare_seal(pdf, tsa, credential, authority):
    done = raise_level(sealed(pdf, credential, authority=NOBODY).content, authority, aim=Level.B_LTA)

    assert (done.level, level_of(done.content)) == (Level.B_LTA, Level.B_LTA)
    assert statuses(done.content, tsa.issuer.certificate)[0].bottom_line
    assert [each.valid and each.trusted for each in stamps(done.content, tsa.issuer.certificate)] == [True, True]


def test_to_raise_a_level_again_does_no_harm(pdf, credential, authority):
    done = sealed(pdf, credential, authority=authority, aim=Level.B_LTA)

    assert raise_level(done.content, authority, aim=Level.B_LTA) == done
    assert raise_level(done.content, None, aim=Level.B_T).level is Level.B_LTA


def test_lists_that_are_not_there_cost_the_level_until_they_are(pdf, tsa, credential, authority):
    tsa.lists = False
    missed = sealed(pdf, credential, authority=authority, aim=Level.B_LTA)
    tsa.lists = True

    done = raise_level(missed.content, authority, aim=Level.B_LTA)

    assert (missed.level, missed.lack) == (Level.B_T, Lack.NO_REVOCATION_DATA)
    assert (done.level, done.lack) == (Level.B_LTA, None)


def test_an_outage_in_the_middle_keeps_what_was_reached(pdf, tsa, credential, authority):
    reached = sealed(pdf, credential, authority=authority)

    done = raise_level(reached.content, NOBODY, aim=Level.B_LTA)

    assert (done.level, done.lack) == (Level.B_LT, Lack.TIME_STAMP_UNAVAILABLE)
    assert level_of(done.content) is Level.B_LT


@pytest.mark.parametrize(("content", "code"), [(None, "NOT_SEALED"), (b"%PDF-1.7 no", "DAMAGED")])
def test_only_a_sealed_document_has_a_level_to_raise(pdf, authority, content, code):
    with pytest.raises(Unsealable, match=code):
        raise_level(content or pdf, authority)


def test_a_certificate_whose_issuer_is_not_known_gets_no_proof(pdf, tsa, authority):
    alone = certificates.from_pkcs12(Issuer(f"{tsa.url}crl").pkcs12("Cachet", new_key(), with_issuer=False), "test")

    assert sealed(pdf, alone, authority=authority, aim=Level.B_LT).lack is Lack.NO_REVOCATION_DATA


def test_levels_are_in_order():
    assert [*Level] == ["NONE", "B-B", "B-T", "B-LT", "B-LTA"]
    assert Level.B_LTA.reaches(Level.B_T)
    assert not Level.NONE.reaches(Level.B_B)
