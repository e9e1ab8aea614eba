"""What tests of seals stand on: a document, an authority for time stamps, a certificate, and two who validate."""

import asyncio
import io
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
import typst
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfWriter

from paraphe.documents import certificates
from paraphe.documents.seal import Sealed, Stamp, seal
from paraphe.spool import InFile

from .authorities import pem

Body = TypeVar("Body", bytes, InFile)
PARIS = ZoneInfo("Europe/Paris")
STAMP = Stamp("https://exchange.example.org/verify/" + "a1" * 16, PARIS)
SOURCE = b"""#set document(title: "Facture", date: datetime(year: 2026, month: 1, day: 1))
#set page(width: 210mm, height: 297mm)
= Facture
#lorem(80)
#pagebreak()
fin"""


def made(source: bytes = SOURCE) -> bytes:
    """A PDF/A-3b of two pages, as the papers are."""
    content = typst.compile(source, format="pdf", pdf_standards=["a-3b"], ignore_system_fonts=True)
    assert isinstance(content, bytes)
    return content


def written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def now() -> datetime:
    return datetime.now(UTC)


def sealed(content: Body, credential: certificates.Credential, **options: Any) -> Sealed[Body]:
    return seal(content, credential, reason="Facture reçue", moment=now(), **{"foreign": False} | options)


def statuses(content: bytes, *roots: x509.Certificate) -> list[Any]:
    """What pyHanko says of each signature that is no time stamp."""
    trusted = [certificates.to_asn1(each) for each in roots]
    reader = PdfFileReader(io.BytesIO(content))

    async def validated():
        return [
            await async_validate_pdf_signature(
                each, ValidationContext(trust_roots=trusted), ValidationContext(trust_roots=trusted)
            )
            for each in reader.embedded_regular_signatures
        ]

    return asyncio.run(validated())


def pdfsig(folder: Path, content: bytes, root: x509.Certificate) -> str:
    """What poppler says, which trusts this root by a store of its own."""
    if not shutil.which("pdfsig") or not shutil.which("certutil"):
        pytest.skip("pdfsig or certutil is not installed (poppler-utils, libnss3-tools)")
    store = folder / "nss"
    if not store.exists():
        store.mkdir()
        (folder / "root.pem").write_bytes(pem(root))
        for command in (
            ["-N", "--empty-password"],
            ["-A", "-n", "root", "-t", "CT,C,C", "-i", str(folder / "root.pem")],
        ):
            subprocess.run(["certutil", *command, "-d", f"sql:{store}"], check=True, capture_output=True, timeout=60)
    (folder / "document.pdf").write_bytes(content)
    command = ["pdfsig", "-nssdir", f"sql:{store}", str(folder / "document.pdf")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
