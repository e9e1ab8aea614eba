"""What the run found, as text for a terminal and as the page docs/interop.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .stacks import Stack

Steps = Mapping[str, str]
"""For each step the reason why it failed; empty if it is ok."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stack, its versions (None: not installed) and, for each version of SOAP, its steps."""

    stack: Stack
    versions: str | None
    steps: dict[str, Steps] = field(default_factory=dict)

    def columns(self) -> Iterator[tuple[str, Steps]]:
        """Give a heading and the steps for each version of SOAP that was run."""
        for soap, steps in self.steps.items():
            yield f"{self.stack.name} {soap}", steps


def failures(found: Sequence[Found]) -> list[str]:
    """Return a sentence for each step that failed."""
    columns = [column for each in found for column in each.columns()]
    return [f"{heading}, {step}: {reason}" for heading, steps in columns for step, reason in steps.items() if reason]


def missing(found: Sequence[Found]) -> list[str]:
    """Return the names of the stacks that are not installed."""
    return [each.stack.name for each in found if each.versions is None]


def grid(found: Sequence[Found], rows: Sequence[str]) -> list[str]:
    """Return a table, in Markdown: a row for each step, a column for each stack and version of SOAP."""
    columns = [column for each in found for column in each.columns()]
    table = [["", *(heading for heading, _ in columns)]]
    table += [[row, *(_cell(steps.get(row)) for _, steps in columns)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in table]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _cell(reason: str | None) -> str:
    if reason is None:
        return "-"
    return "failed" if reason else "ok"


_CHECKS = """\
Each `ok` is a call to a running server and an answer that was looked at. The messages hold accents and an emoji
(é œ ß 😀), leave optional elements out, and have lists of no, one and two items; *empty list* sends an empty list, and
none at all, to every operation that takes one. A PDF of 5 MB goes up with `SendInvoice` and must be in the ZIP of
`GetRecord`, byte for byte. The calls have HTTP Basic, but for those of the rows *credentials header* (the header
`Credentials`, with the right key and with a wrong one) and *UsernameToken* (WS-Security). *refusal* is a `500 ERROR` in
the result, *fault* a wrong key, *schema error* a name that is too long; of the last two, the detail is read. *MTOM
sent* is the same PDF as an attachment, *MTOM received* the ZIP as one. A hyphen stands where a stack has nothing for
it, or nothing without more software.
"""

_IMPORT = """\
SoapUI and other tools that import a WSDL take `/soap/v1?wsdl` or `/soap/v1?wsdl12`, or a file saved from there: the
document holds its whole schema and an absolute address, and imports nothing. In SoapUI it is *New SOAP Project*, with
user and key under *Auth*. The documents are held to the WSDL 1.1 schema, to the WS-I Basic Profile and to two
validators of their types, in [tests/wsdl](../tests/wsdl).
"""


def page(found: Sequence[Found], operations: Sequence[str], others: Sequence[str]) -> str:
    """Return docs/interop.md."""
    lines = ["# Interoperability", "", "<!-- Written by `make interop`. -->", ""]
    lines += ["What these stacks do with a Paraphe server. Each sample is the very program that was run.", ""]
    lines += ["| stack | tried | sample | to know |", "|---|---|---|---|"]
    for each in found:
        sample = f"[{each.stack.sample}](../tests/interop/{each.stack.sample})"
        lines.append(f"| {each.stack.name} | {each.versions or 'not installed'} | {sample} | {each.stack.know} |")
    lines += ["", "`tests/interop/install` gets them, `make interop` runs them; CI does both.", "", "## Operations", ""]
    lines += [_CHECKS, *grid(found, operations), "", "## What else is looked at", "", *grid(found, others)]
    lines += ["", "## Tools that import a WSDL", "", _IMPORT.rstrip()]
    wrong = failures(found)
    if wrong:
        lines += ["", "## Failures", "", *(f"- {sentence}" for sentence in wrong)]
    return "\n".join(lines) + "\n"
