"""Run every stack's client against a fresh server: `python -m tests.interop`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from paraphe import contract

from .server import Server
from .stacks import HERE, MTOM, STACKS, USERNAME_TOKEN, Stack
from .table import Found, failures, grid, missing, page

OPERATIONS = tuple(contract.operations())
UP_AND_DOWN = "5 MB up and down"
OTHERS = ("empty list", "credentials header", "refusal", "fault", "schema error", UP_AND_DOWN)
BEYOND = (USERNAME_TOKEN, *MTOM)
"""What some stacks do."""
PATIENCE = 120
"""Seconds that a client may take."""


def large_pdf(size: int = 5_000_000) -> bytes:
    """Return a PDF of one empty page and `size` bytes that no compression makes smaller."""
    parts = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (size, os.urandom(size)),
    )
    pdf, places = b"%PDF-1.4\n", [b"0000000000 65535 f \n"]
    for number, part in enumerate(parts, 1):
        places.append(b"%010d 00000 n \n" % len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    end = b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(pdf)
    return pdf + b"xref\n0 5\n" + b"".join(places) + end


def run(server: Server, stack: Stack, soap: str) -> dict[str, str]:
    """Run a client; return for each step why it failed, or an empty text. What it does not speak of has failed."""
    user, key = server.account(f"Centre é œ ß 😀 {stack.name} {soap}")
    wsdl = f"{server.url}/soap/v1?wsdl{'12' if soap == '1.2' else ''}"
    steps = dict.fromkeys((*OPERATIONS, *OTHERS, *stack.beyond), "the client said nothing of it")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "invoice.pdf").write_bytes(large_pdf())
        environment = {**os.environ, "API_USER": user, "API_KEY": key}
        try:
            command = stack.start(wsdl, folder)
            ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.CalledProcessError as error:
            return dict.fromkeys(steps, f"it cannot be built: {(error.stdout + error.stderr)[-500:]}")
        except subprocess.TimeoutExpired:
            return dict.fromkeys(steps, f"it took longer than {PATIENCE} seconds")
        for line in filter(lambda line: line.startswith('{"step"'), ran.stdout.splitlines()):
            said = json.loads(line)
            steps[said["step"]] = "" if said["ok"] else said["reason"] or "no reason given"
        steps[UP_AND_DOWN] = up_and_down(folder)
        if any(steps.values()) and ran.stderr:
            # Else it is of no interest: Mono 6.8 may fail an assertion of its own when it ends.
            print(f"{stack.name} {soap}: {ran.stderr.strip()[-2000:]}", file=sys.stderr)
    return steps


def up_and_down(folder: Path) -> str:
    """Say what is wrong with record.zip; nothing if a document in it is invoice.pdf, byte for byte."""
    try:
        with zipfile.ZipFile(folder / "record.zip") as record:
            pdf = (folder / "invoice.pdf").read_bytes()
            return "" if any(record.read(name) == pdf for name in record.namelist()) else "other bytes came back"
    except FileNotFoundError:
        return "no record.zip was written"
    except zipfile.BadZipFile:
        return "record.zip is not a ZIP"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    parser.add_argument("stacks", nargs="*", metavar="STACK", help="run these only, and write no page")
    parser.add_argument("--short", action="store_true", help="SOAP 1.1 only, and write no page")
    for_ci = "a stack that is not installed is a failure; write no page"
    parser.add_argument("--require-all", action="store_true", help=for_ci)
    asked = parser.parse_args()
    unknown = set(asked.stacks) - {stack.name for stack in STACKS}
    if unknown:
        parser.error(f"no such stack: {', '.join(unknown)}; there are {', '.join(stack.name for stack in STACKS)}")
    return asked


def find_out(asked: argparse.Namespace) -> list[Found]:
    """Run the stacks that are asked for and installed."""
    chosen = [stack for stack in STACKS if not asked.stacks or stack.name in asked.stacks]
    found = [Found(stack, stack.installed()) for stack in chosen]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.run("init")
        with server.serving():
            for each in found:
                for soap in each.stack.soap[:1] if asked.short else each.stack.soap:
                    if each.versions:
                        each.steps[soap] = run(server, each.stack, soap)
    return found


def main() -> int:
    """Run, print, write; return 1 if anything failed."""
    asked = _arguments()
    found = find_out(asked)
    print("\n".join(grid(found, (*OPERATIONS, *OTHERS, *BEYOND))))
    for each in found:
        print(f"{each.stack.name}: {each.versions or 'not installed; see tests/interop/install'}")
    wrong = failures(found) + [f"{name} is not installed" for name in missing(found) if asked.require_all]
    for sentence in wrong:
        print(f"FAILED {sentence}")
    if not (asked.short or asked.stacks or asked.require_all):
        text = page(found, OPERATIONS, (*OTHERS, *BEYOND))
        (HERE.parents[1] / "docs" / "interop.md").write_text(text, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
