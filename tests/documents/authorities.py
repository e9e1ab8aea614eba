"""Authorities that really are: certificates with lists of what is revoked, and time stamps made by openssl, over HTTP.

Everything is on this machine's loopback; keys are made for each use and thrown away.
"""

import base64
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = timedelta(days=1)


def named(common: str, organisation: str = "École d'essai") -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def new_key(kind: str = "P-256") -> Key:
    if kind == "RSA":
        return rsa.generate_private_key(65537, 3072)
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Issuer:
    """A certificate authority; `crl_url` is where its list of revoked certificates is said to be."""

    crl_url: str | None = None
    key: Key = field(default_factory=new_key)
    revoked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.certificate = self._signed(named("Autorité d'essai"), self.key, authority=True)

    def issue(
        self, common: str, key: Key, *, time_stamps: bool = False, days: tuple[int, int] = (-1, 365)
    ) -> x509.Certificate:
        """A certificate for a seal, or for an authority of time stamps."""
        return self._signed(named(common), key, time_stamps=time_stamps, days=days)

    def pkcs12(
        self,
        common: str,
        key: Key,
        passphrase: str = "test",
        *,
        days: tuple[int, int] = (-1, 365),
        with_issuer: bool = True,
    ) -> bytes:
        """A key and its certificate in a file."""
        certificate = self.issue(common, key, days=days)
        locked = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        above = [self.certificate] if with_issuer else []
        return pkcs12.serialize_key_and_certificates(b"seal", key, certificate, above, locked)

    def crl(self) -> bytes:
        """The list of what is revoked, as of now."""
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, now - DAY, now + DAY)
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(above, critical=False)
        for number in self.revoked:
            one = x509.RevokedCertificateBuilder(number, now - DAY)
            builder = builder.add_revoked_certificate(one.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def _signed(
        self,
        subject: x509.Name,
        key: Key,
        *,
        authority: bool = False,
        time_stamps: bool = False,
        days: tuple[int, int] = (-1, 365),
    ) -> x509.Certificate:
        now, issuer = datetime.now(UTC), named("Autorité d'essai")
        builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now + days[0] * DAY).not_valid_after(now + days[1] * DAY)
        usage = [not authority, not authority, False, False, False, authority, authority, False, False]
        below = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        builder = builder.add_extension(x509.KeyUsage(*usage), critical=True)
        builder = builder.add_extension(below, critical=False).add_extension(above, critical=False)
        if time_stamps:
            purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(purpose, critical=True)
        if self.crl_url and not authority:
            place = x509.DistributionPoint([x509.UniformResourceIdentifier(self.crl_url)], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([place]), critical=False)
        return builder.sign(self.key, SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


_CONFIGURATION = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/chain.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


class OpensslAuthority:
    """`openssl ts -reply` behind HTTP: POST / gives time stamps, GET /crl what the issuer has revoked.

    `manner` changes how it answers: "slow", "drip", "garbage", "refuse", "replay", "error", "huge", "locked".
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.manner, self.asked, self.lists = folder, "well", 0, True
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self.issuer = Issuer(f"{self.url}crl")
        self._set_up()
        self._first: bytes | None = None

    def __enter__(self) -> "OpensslAuthority":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def _set_up(self) -> None:
        key = new_key()
        certificate = self.issuer.issue("Horodatage d'essai", key, time_stamps=True)
        written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files = {
            "serial": b"01\n",
            "tsa.pem": pem(certificate),
            "chain.pem": pem(self.issuer.certificate),
            "tsa.key": written,
            "tsa.cnf": _CONFIGURATION.format(folder=self.folder).encode(),
        }
        for name, content in files.items():
            (self.folder / name).write_bytes(content)

    def reply(self, query: bytes) -> bytes:
        """The answer to one request, as openssl gives it."""
        with self._lock:  # openssl counts in a file
            (self.folder / "query").write_bytes(query)
            command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"]
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=30)
            return (self.folder / "reply").read_bytes()

    def answer(self, query: bytes, credentials: str | None) -> tuple[int, bytes]:
        self.asked += 1
        if self.manner == "locked" and credentials != "Basic " + base64.b64encode(b"ecole:secret").decode():
            return 401, b""
        if self.manner == "error":
            return 503, b""
        if self.manner == "garbage":
            return 200, b"<html>Bienvenue</html>"
        if self.manner == "huge":
            return 200, bytes(100_000)
        if self.manner == "refuse":
            return 200, self.reply(b"no request")
        reply = self.reply(query)
        self._first = self._first or reply
        return 200, self._first if self.manner == "replay" else reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                status, content = authority.answer(query, self.headers["Authorization"])
                if authority.manner == "slow":
                    authority._stopped.wait(20)
                self._send(status, "application/timestamp-reply", content)

            def do_GET(self) -> None:
                found = self.path == "/crl" and authority.lists
                self._send(200 if found else 404, "application/pkix-crl", authority.issuer.crl() if found else b"")

            def _send(self, status: int, kind: str, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                for piece in [content[at : at + 1] for at in range(len(content))] if self._drips() else [content]:
                    self.wfile.write(piece)
                    if self._drips():
                        time.sleep(0.2)

            def _drips(self) -> bool:
                return authority.manner == "drip" and not authority._stopped.is_set()

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:  # who asked did not want to wait
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def running(folder: Path) -> Iterator[OpensslAuthority]:
    with OpensslAuthority(folder) as authority:
        yield authority
