"""Seals: valid for pyHanko and for poppler, visible as wanted, and never at the price of the document."""

import io
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.general import find_unique_cms_attribute
from pypdf import PdfReader, PdfWriter

from paraphe.documents import apart, certificates, preparation
from paraphe.documents.apart import Limits
from paraphe.documents.preparation import Unsealable, Wish, prepared_apart
from paraphe.documents.seal import Place, seal

from .authorities import Issuer, new_key
from .sealing import STAMP, now, pdfsig, sealed, statuses, written

pytestmark = pytest.mark.slow

# --- valid


@pytest.mark.parametrize("foreign", [False, True])
def test_a_sealed_document_is_valid_and_trusted_for_pyhanko(pdf, credential, foreign):
    done = sealed(pdf, credential, stamp=STAMP, foreign=foreign)

    (status,) = statuses(done.content, credential.chain[0])
    assert (status.intact, status.valid, status.trusted, status.bottom_line) == (True, True, True, True)
    assert status.coverage.name == "ENTIRE_FILE"


def test_a_sealed_document_is_valid_and_trusted_for_poppler(pdf, tsa, credential, authority, tmp_path):
    done = sealed(pdf, credential, stamp=STAMP, authority=authority)

    said = pdfsig(tmp_path, done.content, tsa.issuer.certificate)

    assert "Signature is Valid" in said
    assert "Certificate is Trusted" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


def test_a_flipped_byte_is_seen(pdf, tsa, credential, tmp_path):
    flipped = bytearray(sealed(pdf, credential).content)
    flipped[flipped.index(b"/Title") + 8] ^= 1

    assert "Digest Mismatch" in pdfsig(tmp_path, bytes(flipped), tsa.issuer.certificate)


def test_the_document_itself_stays_byte_for_byte(pdf, credential):
    assert sealed(pdf, credential, stamp=STAMP).content.startswith(pdf)


@pytest.mark.parametrize("kind", ["P-256", "RSA"])
def test_both_kinds_of_keys_sign(pdf, tsa, kind):
    credential = certificates.from_pkcs12(tsa.issuer.pkcs12("Cachet", new_key(kind)), "test")

    (status,) = statuses(sealed(pdf, credential).content, tsa.issuer.certificate)

    assert status.bottom_line


def test_a_hundred_documents_are_sealed_by_threads_at_once(pdf, credential, authority):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: sealed(pdf + b"%%%d\n" % number, credential, stamp=STAMP), range(100)))

    for number, each in enumerate(done):
        assert each.content.startswith(pdf + b"%%%d\n" % number)
        (signature,) = PdfFileReader(io.BytesIO(each.content)).embedded_signatures
        assert (
            signature.compute_digest()
            == find_unique_cms_attribute(signature.signer_info["signed_attrs"], "message_digest").native
        )
    for each in done[::10]:
        (status,) = statuses(each.content, credential.chain[0])
        assert status.bottom_line


# --- the look


def drawn_text(content: bytes) -> str:
    """The text of the stamp, read as if it were a page."""
    page = PdfReader(io.BytesIO(content)).pages[-1]
    form = widget(content)["/AP"]["/N"].get_object()
    return " ".join(page.extract_xform_text(form).split())


def widget(content: bytes, page: int = -1) -> Any:
    """The field of the seal as it is on a page."""
    annotations: Any = PdfReader(io.BytesIO(content)).pages[page]["/Annots"]
    (found,) = (each.get_object() for each in annotations)
    return found


def test_the_stamp_says_who_and_when_in_the_zone_of_the_account(pdf):
    credential = certificates.from_pkcs12(Issuer().pkcs12("Cachet", new_key(), days=(-365, 365)), "test")
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)

    done = seal(pdf, credential, reason="Facture reçue", moment=moment, stamp=STAMP, foreign=False)

    text = drawn_text(done.content)
    assert "École d'essai" in text
    assert "le 2 juillet 2026 à 00:30 (Europe/Paris)" in text
    assert "auto-émis" not in text


def test_a_self_issued_certificate_says_so_in_its_subject_and_on_the_stamp(pdf):
    credential = certificates.from_pkcs12(certificates.self_issued("Lycée Nguyễn", now(), "x"), "x")

    text = drawn_text(sealed(pdf, credential, stamp=STAMP).content)

    assert "certificat auto-émis" in credential.subject
    assert "Lycée Nguyễn" in text
    assert "Certificat auto-émis" in text


def test_the_qr_code_leads_to_the_verification_address(pdf, credential, tmp_path):
    if not shutil.which("zbarimg") or not shutil.which("pdftoppm"):
        pytest.skip("zbarimg or pdftoppm is not installed (zbar-tools, poppler-utils)")
    (tmp_path / "sealed.pdf").write_bytes(sealed(pdf, credential, stamp=STAMP).content)
    for command in (
        ["pdftoppm", "-r", "200", "-f", "2", "-png", "sealed.pdf", "page"],
        ["zbarimg", "-q", "page-2.png"],
    ):
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60)

    assert done.stdout.strip() == f"QR-Code:{STAMP.url}"


def test_the_mark_of_pdf_a_stays_and_every_font_is_in_the_file(pdf, credential):
    content = sealed(pdf, credential, stamp=STAMP).content

    reader = PdfReader(io.BytesIO(content))
    before: Any = PdfReader(io.BytesIO(pdf)).root_object["/Metadata"]
    after: Any = reader.root_object["/Metadata"]
    assert b"pdfaid:part" in before.get_data()
    assert after.get_data() == before.get_data()
    assert "/OutputIntents" in reader.root_object
    fonts = _fonts(reader)
    assert fonts
    assert all("/FontFile3" in each or "/FontFile2" in each for each in fonts)


def _fonts(reader: PdfReader) -> list[Any]:
    """All font descriptors of a file."""
    numbers = range(1, int(reader.trailer["/Size"]))  # type: ignore[call-overload]
    found = (reader.get_object(number) for number in numbers)
    return [each for each in found if isinstance(each, dict) and each.get("/Type") == "/FontDescriptor"]


@pytest.mark.parametrize(
    ("turned", "box"),
    [
        (0, [300, 40, 480, 94]),
        (90, [595 - 94, 300, 595 - 40, 480]),
        (180, [595 - 480, 842 - 94, 595 - 300, 842 - 40]),
        (270, [40, 842 - 480, 94, 842 - 300]),
    ],
)
def test_the_stamp_is_where_it_is_wanted_as_the_page_is_seen(credential, turned, box):
    writer = PdfWriter()
    writer.add_blank_page(595, 842).rotate(turned)
    content = written(writer)

    done = sealed(content, credential, stamp=replace(STAMP, place=Place(0, 300, 40)))

    assert [float(each) for each in widget(done.content)["/Rect"]] == box


@pytest.mark.parametrize("place", [Place(5, -80, 9000), Place(-9, 9000, -80)])
def test_a_stamp_never_leaves_the_page(pdf, credential, place):
    left, bottom, right, top = widget(sealed(pdf, credential, stamp=replace(STAMP, place=place)).content)["/Rect"]

    assert 0 <= left < right <= 596
    assert 0 <= bottom < top <= 843


def test_a_page_that_is_smaller_than_the_stamp_is_sealed_without(credential):
    writer = PdfWriter()
    writer.add_blank_page(100, 100)

    done = sealed(written(writer), credential, stamp=STAMP)

    assert [float(each) for each in widget(done.content)["/Rect"]] == [0, 0, 0, 0]
    assert statuses(done.content, credential.chain[0])[0].bottom_line


# --- documents that are signed already


def test_a_second_seal_leaves_the_first_one_valid(pdf, tsa, credential, tmp_path):
    twice = sealed(sealed(pdf, credential, stamp=STAMP).content, credential, foreign=True).content

    assert [each.bottom_line for each in statuses(twice, credential.chain[0])] == [True, True]
    assert pdfsig(tmp_path, twice, tsa.issuer.certificate).count("Signature is Valid") == 2


def certified(content: bytes, credential: certificates.Credential, allowed: MDPPerm) -> bytes:
    """A document that its author has certified."""
    meta = signers.PdfSignatureMetadata("Auteur", certify=True, docmdp_permissions=allowed)
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    return bytes(signers.sign_pdf(writer, meta, signer=credential.signer).getvalue())


def test_a_document_whose_author_forbids_changes_stays_as_it_is(pdf, credential):
    assert code_of(certified(pdf, credential, MDPPerm.NO_CHANGES), credential) == "CHANGES_FORBIDDEN"


def test_a_document_whose_author_allows_signatures_is_sealed_and_stays_certified(pdf, credential):
    done = sealed(certified(pdf, credential, MDPPerm.FILL_FORMS), credential, stamp=STAMP)

    assert [each.bottom_line for each in statuses(done.content, credential.chain[0])] == [True, True]


# --- documents that cannot be sealed


def code_of(content: bytes, credential: certificates.Credential, *, foreign: bool = True) -> str:
    """Why a document is not sealed."""
    with pytest.raises(Unsealable) as refused:
        sealed(content, credential, stamp=STAMP, foreign=foreign)
    return refused.value.code


def encrypted(content: bytes) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.encrypt("", "secret", algorithm="RC4-128")
    return written(writer)


def hybrid() -> bytes:
    """A file with a table for old readers and a stream for new ones."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
    ]
    content, offsets = b"%PDF-1.5\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(content))
        content += b"%d 0 obj%sendobj\n" % (number, each)
    stream = len(content)
    entries = b"".join(b"\1" + offset.to_bytes(2, "big") + b"\0" for offset in [*offsets, stream])
    head = b"<</Type/XRef/Size 5/Root 1 0 R/W[1 2 1]/Index[1 4]/Length %d>>" % len(entries)
    content += b"4 0 obj%sstream\n%s\nendstream endobj\n" % (head, entries)
    table = len(content)
    rows = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size 5/Root 1 0 R/XRefStm %d>>" % stream
    return content + b"xref\n0 4\n" + rows + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % table


@pytest.mark.parametrize("foreign", [False, True])
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda content: b"PK" + content[4:], "NOT_A_PDF"),
        (lambda content: content[: len(content) // 2], "DAMAGED"),
        (lambda content: content.replace(b"/Pages", b"/Pagan"), "DAMAGED"),
        (encrypted, "ENCRYPTED"),
        (lambda content: hybrid(), "HYBRID"),
    ],
    ids=["no PDF", "cut off", "no pages", "encrypted", "hybrid"],
)
def test_what_cannot_be_sealed_is_refused_with_a_code(pdf, credential, spoil, code, foreign):
    assert code_of(spoil(pdf), credential, foreign=foreign) == code


def test_a_document_that_is_too_large_is_not_looked_at(credential, monkeypatch):
    monkeypatch.setattr(preparation, "MOST_BYTES", 1000)

    assert code_of(b"%PDF-1.7" + bytes(1000), credential) == "TOO_LARGE"


@pytest.mark.parametrize("limits", [Limits(seconds=0.05), Limits(megabytes=1)], ids=["time", "memory"])
def test_a_document_that_takes_too_much_is_given_up(pdf, limits):
    wish = Wish("Facture reçue", "École", now().isoformat(), "sha256", 4000)
    large = pdf + b"%" + bytes(3_000_000) + pdf[pdf.rindex(b"startxref") :]

    with pytest.raises(Unsealable, match="TOO_COMPLEX"):
        prepared_apart(large, wish, b"", limits)


def test_no_page_tree_in_a_circle_holds_up_a_worker(credential):
    loop = hybrid().replace(b"/Kids[3 0 R]", b"/Kids[2 0 R]").replace(b"/XRefStm", b"/XRefNot")

    assert code_of(loop, credential) in ("DAMAGED", "TOO_COMPLEX")


def test_the_process_that_takes_a_document_apart_sees_no_secret_of_the_server(pdf, credential, monkeypatch):
    monkeypatch.setenv("PARAPHE_SEAL_PASSPHRASE", "secret")

    assert "PARAPHE_SEAL_PASSPHRASE" not in apart._environment()


@pytest.mark.parametrize(
    ("days", "code"), [((-20, -10), "CERTIFICATE_EXPIRED"), ((5, 20), "CERTIFICATE_NOT_YET_VALID")]
)
def test_a_certificate_signs_in_its_time_only(pdf, days, code):
    credential = certificates.from_pkcs12(Issuer().pkcs12("Cachet", new_key(), days=days), "test")

    with pytest.raises(certificates.NoCredential) as refused:
        sealed(pdf, credential)

    assert refused.value.code == code
