"""A run that is led by coverage: atheris changes bytes so that they reach code that none has reached before.

Each reader gets a process of its own (`python -m tests.fuzz.guided READER …` with options of libFuzzer), because
atheris takes the whole process. Only Refused may come out of a reader, within the time that any request may take.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

# Nothing of paraphe is imported up here: atheris marks the code of what is imported under its eyes.
READERS = ("envelope", "element", "json", "mtom", "http")
_CRASHES = Path("build/fuzz")


def readers() -> dict[str, Callable[[bytes], object]]:
    """Import the readers, and give each as a function of bytes."""
    from paraphe import contract
    from paraphe.faces import http
    from paraphe.faces.rest import read
    from paraphe.faces.soap import addressing, envelope, mtom, security
    from paraphe.xml import xop
    from paraphe.xml.parse import parse
    from paraphe.xml.request import Request, find_operation, read_request

    from .damage import BOUNDARY
    from .strategies import ZONE

    operations = list(contract.operations().values())

    def element(body: bytes) -> Request:
        payload = parse(body)
        return read_request(payload, find_operation(payload), ZONE, tolerant=len(body) % 2 == 1)

    def of_envelope(body: bytes, package: mtom.Package | None = None) -> Request:
        root = parse(body)
        headers = envelope.headers_of(root)
        addressing.read(headers)
        payload = envelope.read(root)
        operation = find_operation(payload)
        security.credentials(headers)
        binaries = xop.take_out(payload, operation, package.attachment) if package else xop.NONE
        return read_request(payload, operation, ZONE, binaries=binaries)

    def of_package(body: bytes) -> Request:
        package = mtom.unpack(body, {"boundary": BOUNDARY})
        return of_envelope(bytes(package.envelope()), package)

    def of_json(body: bytes) -> Request:
        operation = operations[body[0] % len(operations) if body else 0]
        return read.read(read.parse(body[1:]), operation, ZONE)

    def of_http(body: bytes) -> object:
        kind, authorization, encoding, content = (*body.split(b"\n", 3), b"", b"", b"")[:4]
        environ = {"HTTP_AUTHORIZATION": authorization.decode("latin-1")}
        http.least_to_compress(encoding.decode("latin-1"))
        mtom.is_wanted(encoding.decode("latin-1"), sent=True)
        return http.content_type(kind.decode("latin-1")), http.basic_credentials(environ), read.parse(content, "utf-8")

    return {"envelope": of_envelope, "element": element, "json": of_json, "mtom": of_package, "http": of_http}


# One reader in its process -----------------------------------------------------------------------------------------


def fuzz(name: str, options: list[str]) -> None:
    """Fuzz one reader; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["paraphe"]):
        read = readers()[name]
        from paraphe.errors import Refused

    def once(body: bytes) -> None:
        with suppress(Refused):
            read(body)

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


# All of them -------------------------------------------------------------------------------------------------------


def run(seconds: float, seed: int) -> bool:
    """Fuzz each reader for its share of the time; return whether none broke. Without atheris, say so."""
    if find_spec("atheris") is None:
        print(f"guided: atheris is not installed, and has no wheel for every Python (this is {sys.version.split()[0]})")
        return True
    share = max(1, round(seconds / len(READERS)))
    kept = [_run(name, share, seed) for name in READERS]  # all of them, also after one that broke
    return all(kept)


def _run(name: str, seconds: int, seed: int) -> bool:
    from .damage import TOKENS
    from .target import PATIENCE

    _CRASHES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="paraphe-") as folder:
        corpus, words = Path(folder) / "corpus", Path(folder) / "words"
        corpus.mkdir()
        for number, body in enumerate(_seeds(name)):
            (corpus / str(number)).write_bytes(body)
        words.write_text("\n".join(f'"{_quoted(token)}"' for token in TOKENS if len(token) < 60), "ascii")
        options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-timeout={PATIENCE:.0f}", "-rss_limit_mb=1500"]
        options += ["-max_len=20000", f"-dict={words}", f"-artifact_prefix={_CRASHES}/{name}-", "-print_final_stats=1"]
        command = [sys.executable, "-m", __name__, name, *options, str(corpus)]
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds + 120)
    said = ran.stdout + ran.stderr
    runs, places = _figure("number_of_executed_units:", said), _figure("cov:", said)
    print(f"guided {name}: {runs} runs in {seconds} s, {places} places reached, {_figure('peak_rss_mb:', said)} MiB")
    if ran.returncode:
        what = said[said.find("Uncaught Python exception") :]  # the whole, if it was none
        print(f"FAILED guided {name}:\n{what[:3000]}\n{what[3000:][-1000:]}")
    return ran.returncode == 0


def _seeds(name: str) -> list[bytes]:
    """The bytes that a reader's run begins with."""
    from paraphe import contract

    from . import damage

    if name == "http":
        lines = (b"text/xml; charset*=utf-8''utf-8", b"Basic YTpi", b"gzip;q=0.5, *", b'{"a": 1}')
        return [b"\n".join(lines), b'a/b; c="d"\n\n\n']
    if name == "json":
        operations = list(contract.operations())
        return [bytes([operations.index(operation)]) + body for operation, body in damage.objects()]
    made = {"envelope": damage.envelopes, "element": damage.payloads, "mtom": damage.packages}[name]
    return [body for _, body in made()]


def _quoted(token: bytes) -> str:
    return "".join(f"\\x{sign:02x}" for sign in token)


def _figure(name: str, said: str) -> str:
    return str((re.findall(rf"{name} *(\d+)", said) or ["?"])[-1])


if __name__ == "__main__":
    fuzz(sys.argv[1], sys.argv[2:])
