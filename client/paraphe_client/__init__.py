"""The reference client of a Paraphe exchange: fifteen typed operations, batch upload, polling and extraction.

Begin with `exchange`: `Exchange` is the API. It stands on `connection` (the WSDL, zeep), `codec` (names and types) and
`wire` (HTTP, faults); `items` is what is sent, `answers` what comes back, `errors` what can go wrong. On top stand
`batch`, `poll` and `extract`, which can be killed at any moment and started again, and the command, `__main__`.
"""

from .answers import (
    AcknowledgeAnswer,
    Answer,
    ConnectionAnswer,
    CourseAttendance,
    DocumentAnswer,
    InvoiceAnswer,
    LimitInForce,
    Notice,
    Participant,
    ReadValue,
    RecordAnswer,
    RecordDocument,
    RecordIndex,
    RecordListAnswer,
    SignatureListAnswer,
    SyncAnswer,
    SyncItem,
)
from .batch import Outcome, Upload, upload_file
from .errors import ExchangeError, ExchangeRefused, ExchangeUnavailable, ItemError
from .exchange import Exchange
from .extract import Extraction, extract_records
from .items import (
    Address,
    Classroom,
    Contact,
    Course,
    FreeData,
    InvoicedTrainee,
    InvoicingElements,
    Student,
    Teacher,
)
from .patience import Patience
from .poll import Question, poll_signatures

__all__ = [
    "AcknowledgeAnswer",
    "Address",
    "Answer",
    "Classroom",
    "ConnectionAnswer",
    "Contact",
    "Course",
    "CourseAttendance",
    "DocumentAnswer",
    "Exchange",
    "ExchangeError",
    "ExchangeRefused",
    "ExchangeUnavailable",
    "Extraction",
    "FreeData",
    "InvoiceAnswer",
    "InvoicedTrainee",
    "InvoicingElements",
    "ItemError",
    "LimitInForce",
    "Notice",
    "Outcome",
    "Participant",
    "Patience",
    "Question",
    "ReadValue",
    "RecordAnswer",
    "RecordDocument",
    "RecordIndex",
    "RecordListAnswer",
    "SignatureListAnswer",
    "Student",
    "SyncAnswer",
    "SyncItem",
    "Teacher",
    "Upload",
    "extract_records",
    "poll_signatures",
    "upload_file",
]
