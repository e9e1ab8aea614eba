"""How well invoices are read, and that no bad file harms: python -m tests.reading, as `make reading` does.

Reads the papers of tests/reading/unseen and, where it lies beside this checkout, the collection `shared/fixtures`;
with and without the account's students. Then 300 bad PDFs. Exits with 1 if a promise is broken.
"""

import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from paraphe import apart
from paraphe.reading import Known, Limits, read

from .bad import CODES, PAPERS, bad_files
from .scoring import Score, students, truths

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "fixtures"
_PATIENT = Limits(seconds=60.0)  # a score must not depend on how busy the machine is


def _score(folder: Path, known: Known) -> tuple[Score, float]:
    """Read all of a folder; return also the seconds of processor that one file took on average."""
    before, score = _used().ru_utime, Score()
    for path, truth in truths(folder):
        score.add(path.name, truth, read(path.read_bytes(), known, _PATIENT))
    return score, (_used().ru_utime - before) / score.files


def _used() -> resource.struct_rusage:
    apart.close()  # processes count once they have ended
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def _collections() -> bool:
    kept = True
    print("| invoices | students known | files | ready | for a person | wrong in silence | cpu s on average |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for folder in (PAPERS, SHARED / "invoices"):
        for known in (Known(), students(folder)) if folder.is_dir() else ():
            score, seconds = _score(folder, known)
            share = f"{score.ready} = {score.ready / score.files:.1%}"
            whose = "yes" if known.students else "no"
            counts = f"{score.waiting} | {len(score.silent)}"
            print(f"| {folder.name} | {whose} | {score.files} | {share} | {counts} | {seconds:.2f} |")
            for each in score.not_ready:
                print(f"    {each}", file=sys.stderr)
            kept &= score.ready >= 0.95 * score.files and not score.silent
    return kept


def _hostile() -> bool:
    """Read the hostile files of the collection: each is refused, or read without inventing anything."""
    invented = []
    for path in sorted((SHARED / "invoices").glob("*.json")):
        truth = json.loads(path.read_text("utf-8"))
        if truth.get("expect") in ("reject", "password"):
            reading = read(path.with_suffix(".pdf").read_bytes())
            if not reading.failure and (reading.trainees or "invoice_number" in reading.values):
                invented.append(path.name)
    print(f"\nhostile files that were read as an invoice: {invented or 'none'}")
    return not invented


def _facturx() -> bool:
    """Read the public samples of Factur-X: the number is the XML's, and a broken rule is named."""
    wrong, count = [], 0
    for truth in json.loads((SHARED / "facturx" / "truth_facturx.json").read_text("utf-8")):
        reading = read((SHARED / "facturx" / truth["file"]).read_bytes())
        codes = {each.code for each in reading.warnings}
        number = reading.values.get("invoice_number")
        right = "number" not in truth or (number is not None and number.value == truth["number"])
        named = not truth["file"].startswith("fail_") or codes & {"EINVOICE_RULE", "EINVOICE_UNUSABLE"}
        count += 1
        if not right or not named:
            wrong.append(truth["file"])
    print(f"Factur-X samples: {count} read, wrong or with a broken rule unnamed: {wrong or 'none'}")
    return not wrong


def _bad(count: int) -> bool:
    more = sorted((SHARED / "invoices").glob("bad_*.pdf")) + sorted((SHARED / "invoices").glob("d0*_01.pdf"))
    codes: Counter[str] = Counter()
    slowest, unknown = (0.0, ""), []
    for name, content in bad_files(count, 2026, more):
        start = time.monotonic()
        reading = read(content)
        slowest = max(slowest, (time.monotonic() - start, name))
        codes[reading.failure or "read"] += 1
        if reading.failure and reading.failure not in CODES:
            unknown.append(name)
    megabytes = _used().ru_maxrss / 1024
    print(f"\n{sum(codes.values())} bad PDFs: " + ", ".join(f"{code} {n}" for code, n in codes.most_common()))
    print(f"largest process {megabytes:.0f} MB, slowest {slowest[0]:.1f} s by the clock ({slowest[1]})")
    return not unknown and megabytes < 600 and slowest[0] < 10


def _main() -> int:
    kept = _collections()
    if SHARED.is_dir():
        kept &= _hostile()
        kept &= _facturx()
    kept &= _bad(300)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(_main())
