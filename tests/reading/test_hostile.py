"""Files that are no invoice, or mean harm: each its own code, within seconds and megabytes, and nobody else is hurt."""

import json
import subprocess
import sys

import pytest
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from paraphe.reading import Limits, read

from .paper import SELLER, bomb, circle_of_pages, edited, endless_work, typed, written
from .test_layouts import paper, table, values


def protected(password: str, owner: str | None = None) -> bytes:
    writer = edited(paper(table()))
    writer.encrypt(password, owner, algorithm="RC4-128")
    return written(writer)


def many_pages() -> bytes:
    writer = PdfWriter()
    for _ in range(400):
        writer.add_blank_page(10, 10)
    return written(writer)


GOOD = paper(table())
FILES = {
    "empty": (b"", "EMPTY_FILE"),
    "html": (b"<html>invoice</html>", "NOT_A_PDF"),
    "head alone": (b"%PDF-1.7\n" + b"\0" * 5000, "PDF_DAMAGED"),
    "cut off": (GOOD[: len(GOOD) // 2], "PDF_DAMAGED"),
    "password": (protected("secret"), "PDF_ENCRYPTED"),
    "bomb": (bomb(), "PDF_TOO_COMPLEX"),
    "endless work": (endless_work(), "PDF_TOO_COMPLEX"),
    "circle": (circle_of_pages(), "PDF_DAMAGED"),
    "many pages": (many_pages(), "PDF_TOO_MANY_PAGES"),
    "no text": (typed([]), "NO_TEXT_LAYER"),
}


# In a process of its own: the system counts for a child the memory that its parent had when it was begun, and keeps
# one figure for all children, those of other tests too.
READ_ALONE = """
import json, resource, sys
from paraphe import apart
from paraphe.reading import read
reading = read(sys.stdin.buffer.read())
apart.close()
kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([reading.failure, [each.code for each in reading.warnings], reading.needs_review(), kilobytes]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_each_harm_has_its_own_code_and_is_over_in_seconds(name):
    content, code = FILES[name]

    done = subprocess.run([sys.executable, "-c", READ_ALONE], input=content, capture_output=True, timeout=15)
    failure, warnings, needs_review, kilobytes = json.loads(done.stdout)

    assert failure == code
    assert warnings == [code]
    assert needs_review
    assert kilobytes < 600 * 1024


def test_a_process_that_does_not_end_is_ended():
    reading = read(GOOD, limits=Limits(seconds=0.01))

    assert reading.failure == "PDF_TOO_COMPLEX"


def test_a_process_that_wants_too_much_memory_is_refused_it():
    reading = read(GOOD + b"%" * 40_000_000, limits=Limits(megabytes=30))

    assert reading.failure == "PDF_TOO_COMPLEX"


def test_a_file_that_only_forbids_printing_is_read():
    reading = read(protected("", "owner"))

    assert values(reading)["invoice_number"] == "FA-26-11-0340"


@pytest.mark.parametrize(("kind", "words"), [("/JavaScript", "scripts"), ("/Launch", "programs to start")])
def test_actions_are_named_and_not_executed(kind, words):
    writer = edited(GOOD)
    writer._root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject("/S"): NameObject(kind), NameObject("/JS"): TextStringObject("app.alert(1)")}
    )

    reading = read(written(writer))

    assert [each.code for each in reading.warnings] == ["ACTIVE_CONTENT"]
    assert words in reading.warnings[0].message
    assert len(reading.trainees) == 3


def test_the_invoice_inside_a_portfolio_is_read():
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_attachment("facture.pdf", GOOD)

    reading = read(written(writer))

    assert values(reading)["invoice_number"] == "FA-26-11-0340"


def test_a_letter_is_no_invoice():
    reading = read(typed([*SELLER, "Madame, Monsieur,", "nous vous remercions de la formation de vos salariés."]))

    assert reading.failure == "NO_INVOICE"


def test_text_outside_of_the_page_is_not_read():
    content = GOOD.replace(b" 40 800 Td", b" 40 900 Td")  # the first seven lines lie above the page

    reading = read(content)

    assert "seller_siret" not in reading.values
    assert len(reading.trainees) == 3
