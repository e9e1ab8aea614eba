"""An authority for time stamps, a certificate and a document, made once for all tests of a module."""

import shutil
from collections.abc import Iterator

import pytest

from paraphe.documents import certificates
from paraphe.documents.timestamp import Authority

from .authorities import OpensslAuthority, new_key, running
from .sealing import made


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return made()


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpensslAuthority]:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    with running(tmp_path_factory.mktemp("tsa")) as authority:
        yield authority


@pytest.fixture
def authority(tsa: OpensslAuthority) -> Authority:
    tsa.manner, tsa.lists = "well", True
    return Authority(tsa.url, seconds=20)


@pytest.fixture(scope="module")
def credential(tsa: OpensslAuthority) -> certificates.Credential:
    """A certificate of an issuer whose list of revoked ones can be had."""
    return certificates.from_pkcs12(tsa.issuer.pkcs12("Cachet d'essai", new_key()), "test")
