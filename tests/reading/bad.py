"""Bad PDFs by the hundred: good and hostile ones, damaged in the ways in which files are damaged, and in worse ones."""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from .paper import bomb, circle_of_pages, endless_work

PAPERS = Path(__file__).parent / "unseen" / "papers"

#: All that reading may say of a file that it could not read.
CODES = {
    "EMPTY_FILE", "NOT_A_PDF", "PDF_DAMAGED", "PDF_ENCRYPTED", "PDF_TOO_COMPLEX", "PDF_TOO_MANY_PAGES",
    "NO_TEXT_LAYER", "NO_INVOICE",
}  # fmt: skip


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randint(0, len(content))]


def _flip(content: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 20, 400))):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def _lose(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.choice((1, 100, 5000)) :]


def _repeat(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start : start + 3000] * rng.choice((2, 50)) + content[start:]


def _numbers(content: bytes, rng: random.Random) -> bytes:
    """Change some of the numbers that say where things are and how long."""
    huge = (b"0", b"-1", b"99999999999", b"2147483648", b"1e9")
    return re.sub(rb"\b\d+\b", lambda match: rng.choice(huge) if rng.random() < 0.01 else match[0], content)


def _references(content: bytes, rng: random.Random) -> bytes:
    """Turn references to other objects round: what was a leaf may become a circle."""
    return re.sub(
        rb"\b(\d+) 0 R\b",
        lambda match: b"%d 0 R" % rng.randint(1, 9) if rng.random() < 0.2 else match[0],
        content,
    )


def _names(content: bytes, rng: random.Random) -> bytes:
    """Say of things that they are others: filters, types, fonts."""
    names = re.findall(rb"/[A-Za-z]{3,20}", content) or [b"/Page"]
    return re.sub(rb"/[A-Za-z]{3,20}", lambda match: rng.choice(names) if rng.random() < 0.03 else match[0], content)


def _nested(content: bytes, rng: random.Random) -> bytes:
    """Open thousands of arrays or dictionaries inside each other."""
    opening = rng.choice((b"[", b"<<", b"<< /A "))
    at = content.find(b"obj", rng.randrange(len(content)))
    return content[: at + 3] + opening * rng.choice((500, 50_000)) + content[at + 3 :]


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _flip, _lose, _repeat, _numbers, _references, _names, _nested,
)  # fmt: skip


def bad_files(count: int, seed: int, more: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Give so many bad files with their descriptions; `more` are files to damage besides the project's own."""
    rng = random.Random(seed)
    sources = [(path.name, path.read_bytes()) for path in [*sorted(PAPERS.glob("*.pdf")), *more]]
    hostile = [("bomb", bomb()), ("endless work", endless_work()), ("circle of pages", circle_of_pages())]
    for number in range(count):
        name, content = rng.choice(hostile if number % 15 == 14 else sources)
        way = rng.choice(_WAYS)
        if content:
            yield f"{name}, {way.__name__.strip('_')}, {number}", way(content, rng)
