"""The papers of an invoicing record, in French: facts in, PDF/A out.

What a paper looks like and how it is worded stands in `templates/`; here is only what it says. The same facts give the
same bytes. `templates` is the operator's folder: a file in it stands in for the file of the same name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .facts import Attached, Gap, Invoiced, Issue, Organisation, Person, Sitting, Training


@dataclass(frozen=True, slots=True)
class Paper:
    """A finished paper. `document_type` is the contract's; `data` is the JSON whose SHA-256 stands on it."""

    document_type: str
    title: str
    file_name: str
    content: bytes
    data: bytes


class BrokenTemplate(Exception):  # noqa: N818
    """A template cannot be made into a paper: `file` (as the operator knows it), `line` if known, Typst's sentence."""

    def __init__(self, file: str, line: int | None, sentence: str) -> None:
        super().__init__(f"{file}{f', line {line}' if line else ''}: {sentence}")
        self.file, self.line, self.sentence = file, line, sentence


def completion_certificate(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    person: Person,
    training: Training,
    sittings: Sequence[Sitting],
    *,
    final: bool = False,
    templates: Path | None = None,
) -> Paper:
    """Write the certificat de réalisation of one trainee in one training, from the sittings of the period.

    Sittings of another training, or in which the trainee is not, are passed over. The data is in the shape of the
    inter-OPCO exchange; `final` says there that the training is over.
    """
    raise NotImplementedError


def attendance_certificate(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    person: Person,
    training: Training,
    sittings: Sequence[Sitting],
    *,
    templates: Path | None = None,
) -> Paper:
    """Write the attestation d'assiduité of one trainee in one training."""
    raise NotImplementedError


def invoicing_statement(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    sittings: Sequence[Sitting],
    gaps: Sequence[Gap] = (),
    attached: Sequence[Attached] = (),
    *,
    templates: Path | None = None,
) -> Paper:
    """Write the relevé de facturation: per trainee of the invoice each half-day, the totals, the gaps, the papers."""
    raise NotImplementedError


def attendance_sheet(
    issue: Issue, organisation: Organisation, sitting: Sitting, *, templates: Path | None = None
) -> Paper:
    """Write the feuille d'émargement of one course."""
    raise NotImplementedError


def weekly_attendance_sheet(
    issue: Issue, organisation: Organisation, sittings: Sequence[Sitting], *, templates: Path | None = None
) -> Paper:
    """Write the feuille d'émargement of one training and one week (ISO, Monday to Sunday), a column per half-day.

    ValueError if the sittings are of several weeks or trainings, or if there is none.
    """
    raise NotImplementedError


def cover_page(
    issue: Issue,
    organisation: Organisation,
    invoiced: Invoiced,
    attached: Sequence[Attached],
    *,
    templates: Path | None = None,
) -> Paper:
    """Write the first page of a record's joined PDF: what the record is about, its documents and their digests."""
    raise NotImplementedError
