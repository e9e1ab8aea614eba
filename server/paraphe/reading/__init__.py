"""Reading invoices: bytes of a PDF in, what they say out. Knows neither database, nor HTTP, nor SOAP.

`read` does it in a process of its own. The parts, from the bottom: `folding` (texts as they are compared), `glyphs`,
`accents` and `layout` (where a page shows what),
`dates`, `measures`, `names` (how French invoices write things), `labels` and `tables` (what announces them), `head`,
`unlabelled`, `periods`, `parties`, `items`, `amounts` and `totals` (candidates for every value), `mentions`, `rows`,
`grids`, `turned` and `students` (where trainees are named), `lookup` (by what those who are known are found), `proof`,
`lending`, `gaps`, `trainees` and `settle` (what proves what, and what is missing), `einvoice` (the XML inside), `pdf`
(the file itself), `invoice` (the order of all this), `apart` (the process around it).
"""

from .apart import Limits, read
from .lookup import Look, word_of, words_of
from .result import NEEDED, THRESHOLD, Known, Notice, Payer, Reading, Student, Trainee, Value

__all__ = [
    "NEEDED",
    "THRESHOLD",
    "Known",
    "Limits",
    "Look",
    "Notice",
    "Payer",
    "Reading",
    "Student",
    "Trainee",
    "Value",
    "read",
    "word_of",
    "words_of",
]
