"""docs/interop.md says of every operation and every stack what the last whole run of tests/interop found."""

import re
from pathlib import Path

from paraphe import contract

from .interop.__main__ import BEYOND, OPERATIONS, OTHERS
from .interop.stacks import STACKS
from .interop.table import Found, failures, grid, missing, page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "interop.md"
HEADINGS = [f"{stack.name} {soap}" for stack in STACKS for soap in stack.soap]


def cells(text, heading):
    """The rows of the table under a heading, by their first cell."""
    lines = re.findall(r"^\|(.+)\|$", text.partition(f"## {heading}")[2].partition("\n## ")[0], re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows if not row[0].startswith("--")}


def test_every_operation_is_ok_with_every_stack_in_both_versions_of_soap():
    table = cells(PAGE.read_text(encoding="utf-8"), "Operations")

    assert table.pop("") == HEADINGS
    assert set(table) == set(contract.operations()) == set(OPERATIONS)
    assert all(row == ["ok"] * len(HEADINGS) for row in table.values())


def test_what_else_is_looked_at_is_ok_wherever_a_stack_has_it():
    table = cells(PAGE.read_text(encoding="utf-8"), "What else is looked at")
    stacks = [stack for stack in STACKS for _ in stack.soap]

    assert table.pop("") == HEADINGS
    assert list(table) == [*OTHERS, *BEYOND]
    for step, row in table.items():
        assert row == ["ok" if step in OTHERS or step in stack.beyond else "-" for stack in stacks]


def test_a_stack_that_is_not_installed_is_named():
    found = [Found(STACKS[0], None), Found(STACKS[1], "1.0")]

    assert missing(found) == [STACKS[0].name]
    assert f"| {STACKS[0].name} | not installed |" in page(found, OPERATIONS, OTHERS)


def test_a_step_that_failed_is_told_with_its_reason():
    found = [Found(STACKS[0], "1.0", {"1.1": {"GetRecord": "no bytes", "SendInvoice": ""}})]

    assert failures(found) == [f"{STACKS[0].name} 1.1, GetRecord: no bytes"]
    assert [line.split("|")[2].strip() for line in grid(found, ("GetRecord", "SendInvoice", "SyncCourses"))[2:]] == [
        "failed",
        "ok",
        "-",
    ]
