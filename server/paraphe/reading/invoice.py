"""One invoice from its bytes to a reading: the XML inside, then the text, then text recognition."""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from . import einvoice, mentions, tables
from .einvoice import EInvoice
from .folding import fold
from .labels import Sheet
from .layout import Line, is_readable
from .lookup import Look, everybody, words
from .measures import measures
from .names import key
from .pdf import Page, Paper, Unreadable, open_paper
from .recognition import recognise
from .result import Known, Reading, Trainee, Value
from .settle import interpret

_ANNEX = re.compile(
    r"^(?:feuilles? d'emargement|feuilles? de presence|emargement|conditions generales|c\.?g\.?v\b|"
    r"attestation (?:d[e']|individuelle)|certificat de realisation|convention de formation|programme (?:de|"
    r"pedagogique)|"
    r"reglement interieur|terms|releve d'identite|mentions legales|politique de)"
)
_LIST = re.compile(
    r"annexe (?:a|de) (?:la )?(?:presente )?facture|liste (?:nominative )?des (?:stagiaires|participants|apprenants)"
)
_TERMS = re.compile(
    r"^(?:article|art\.)\s*\d+|^conditions generales|penalites? de retard|^en cas de retard|clause de reserve|"
    r"tribunal|mediateur"
)
_ENTER = "Let a person enter the elements of the invoice with ReviewRecord."


def read_here(content: bytes, known: Known | Look, most_pages: int, tesseract: str | None = None) -> Reading:
    """Read an invoice in this process. What comes from outside is read through apart.read instead.

    `known` is all that is known, or gives what is known of those whom the words of the invoice may name. With
    `tesseract` (the program's path) pages without text are recognised.
    """
    try:
        paper = open_paper(content, most_pages)
        if tesseract:
            _recognise(paper, tesseract)
        return _read(paper, everybody(known) if isinstance(known, Known) else known, most_pages)
    except Unreadable as unreadable:
        reading = Reading(failure=unreadable.code)
        reading.warn(unreadable.code, str(unreadable), _ENTER)
        return reading


def _read(paper: Paper, look: Look, most_pages: int) -> Reading:
    if not paper.xml and not any(page.readable for page in paper.pages) and paper.papers:
        paper = _enclosed(paper, most_pages)
    reading = _read_text(paper, look)
    for name, content in paper.xml[:1]:
        _add_xml(reading, name, content)
    if paper.active:
        reading.warn(
            "ACTIVE_CONTENT",
            f"The PDF holds {', '.join(paper.active)}; nothing of it was executed.",
            "Open it in a program that ignores them.",
            review=False,
        )
    return reading


def _recognise(paper: Paper, tesseract: str) -> None:
    """Recognise the text of at most ten pages that have none, in a document that has none at all."""
    if any(page.readable for page in paper.pages):
        return
    for number, page in enumerate(paper.pages[:10], 1):
        page.lines = recognise(
            tesseract, number, sum(len(each.lines) for each in paper.pages[: number - 1]), page.source
        )
        page.readable = page.invisible = is_readable(page.lines)


def _enclosed(paper: Paper, most_pages: int) -> Paper:
    """Return the invoice inside a portfolio: the one PDF of it that has text."""
    inside = []
    for content in paper.papers:
        try:
            inner = open_paper(content, most_pages)
        except Unreadable:
            continue
        if any(page.readable for page in inner.pages):
            inside.append(inner)
    if len(inside) != 1:
        return paper
    inside[0].active = sorted({*inside[0].active, *paper.active})
    return inside[0]


def _read_text(paper: Paper, look: Look) -> Reading:
    pages = [page for page in paper.pages if page.readable]
    if not pages:
        reading = Reading(failure="NO_TEXT_LAYER")
        reading.warn(
            "NO_TEXT_LAYER",
            "The pages hold pictures of text, or letters that cannot be told; nothing was read from them.",
            _ENTER,
        )
        return reading
    sheet = Sheet(_of_the_invoice(pages))
    reading = interpret(sheet, look(words(line.text for line in sheet.lines)))
    if any(page.invisible for page in pages):
        reading.warn(
            "RECOGNISED_TEXT",
            "The text was recognised from a picture; letters and figures may be wrong.",
            "Compare all values with the picture.",
        )
    unread = [number for number, page in enumerate(paper.pages, 1) if not page.readable and _shows_something(page)]
    if unread and reading.needs_review():
        reading.warn("NO_TEXT_LAYER", f"Page {unread[0]} holds no text that can be read.", _ENTER)
    if (
        not (reading.values.keys() & {"invoice_number", "invoice_date", "amount_incl_vat", "quantity"})
        and not reading.trainees
    ):
        reading.failure = "NO_INVOICE"
        reading.warn("NO_INVOICE", "The PDF does not look like an invoice.", _ENTER)
    return reading


def _shows_something(page: Page) -> bool:
    return bool(page.lines) or (page.source is not None and "/XObject" in (page.source.get("/Resources") or {}))


def _of_the_invoice(pages: Sequence[Page]) -> list[Line]:
    """Return the lines that are the invoice: no attendance sheet, no terms, heads of later pages once."""
    kept: list[Line] = []
    counts = Counter((line.text, round(line.y)) for page in pages for line in page.lines)
    for index, page in enumerate(pages):
        top = [line.folded for line in page.lines[:5]]
        titles = [line for line in page.lines[:5] if not tables.head(line)]
        own = any(_LIST.match(line.folded) for line in titles)
        if index and not own and any(_ANNEX.match(fold(cell.text)) for line in titles for cell in line.cells):
            continue
        if any(re.match(r"feuilles? d'emargement|feuilles? de presence", text) for text in top[:2]):
            continue
        for line in page.lines:
            figures = any(each.kind in ("HOURS", "MONEY", "CLOCK") for each in measures(line))
            again = index and counts[line.text, round(line.y)] > 1 and not figures and not tables.head(line)
            if not again and not (_TERMS.search(line.folded) and len(line.text) > 60):
                kept.append(line)
    return kept


# The XML inside ----------------------------------------------------------------------------------------------------


def _add_xml(reading: Reading, name: str, content: bytes) -> None:
    try:
        inside = einvoice.parse(content)
    except einvoice.Unusable as unusable:
        reading.warn(
            "EINVOICE_UNUSABLE",
            f"The attached {name} {unusable}; only the page was read.",
            "Send the invoice again with correct XML.",
        )
        return
    for rule in inside.broken[:20]:
        reading.warn(
            "EINVOICE_RULE",
            f"The attached {name} breaks a rule: {rule}.",
            "Have the program that makes the invoices corrected.",
            review="CII-DT-031" not in rule,  # an attribute too many, which even official samples have
        )
    if reading.failure in ("NO_TEXT_LAYER", "NO_INVOICE"):
        reading.failure = None
        reading.warnings = [each for each in reading.warnings if each.code not in ("NO_TEXT_LAYER", "NO_INVOICE")]
    reading.kind = "CREDIT_NOTE" if inside.credit_note else reading.kind
    for field_name, exact in inside.values.items():
        _take(reading, field_name, exact, name)
    _take_trainees(reading, inside, name)


_COMPARED = {
    "invoice_number": "invoiceNumber", "invoice_date": "invoiceDate", "period_start": "periodStart",
    "period_end": "periodEnd", "quantity": "quantity", "amount_excl_vat": "amountExclVat",
    "vat_amount": "vatAmount", "amount_incl_vat": "amountInclVat",
}  # fmt: skip


def _take(reading: Reading, field_name: str, exact: object, name: str) -> None:
    """Take a value of the XML; that the page says otherwise is a warning, that it is silent is none."""
    page = reading.values.get(field_name)
    snippet = page.snippet if page and page.value == exact else str(exact)[:200]
    if field_name in _COMPARED and page and page.confidence >= 80 and not _is_same(page.value, exact):
        reading.warn(
            "EINVOICE_DIFFERS",
            f"The attached {name} says {exact}, the page says {page.value}.",
            "Compare with the invoice.",
            _COMPARED[field_name],
        )
    reading.values[field_name] = Value(
        exact, 99, page.page if page and page.value == exact else None, snippet, f"{name}"
    )
    prefix = f"{_COMPARED.get(field_name, '-')} may be one of"
    reading.warnings = [each for each in reading.warnings if not each.message.startswith(prefix)]


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one) == abs(other)
    return one == other


def _take_trainees(reading: Reading, inside: EInvoice, name: str) -> None:
    """Take the trainees that the XML's lines name if every line names one; else keep those of the page."""
    found: list[Trainee] = []
    for item in inside.items:
        person = next((each for text in item.texts if (each := mentions.name_in(text))), None)
        if person is None or item.unit not in ("HUR", "HR") or item.quantity is None:
            return
        same = next((each for each in reading.trainees if key(each.name.value) == key(person.printed)), None)
        printed = Value(person.printed, 97, same.name.page if same else None, " / ".join(item.texts)[:200], name)
        hours = Value(abs(item.quantity), 99, None, str(item.quantity), name)
        trainee = Trainee(
            printed, same.last_name if same else person.last, same.first_name if same else person.first, quantity=hours
        )
        if same:
            trainee.reference, trainee.contract_number, trainee.file_number = (
                same.reference,
                same.contract_number,
                same.file_number,
            )
        if item.amount is not None:
            trainee.amount_excl_vat = Value(item.amount, 99, None, str(item.amount), name)
        found.append(trainee)
    if found:
        if reading.trainees and Counter(key(each.name.value) for each in found) != Counter(
            key(each.name.value) for each in reading.trainees
        ):
            reading.warn(
                "EINVOICE_DIFFERS",
                f"The attached {name} names other trainees than the page.",
                "Compare with the invoice.",
                "trainees",
            )
        else:
            reading.warnings = [each for each in reading.warnings if each.code != "TRAINEES_NOT_PROVEN"]
        reading.trainees = found
