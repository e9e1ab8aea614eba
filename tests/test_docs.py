"""The documents say what the code does: every name is explained, every link leads somewhere, every example is real."""

import argparse
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

import pytest
from lxml import etree

from paraphe import __version__, cli, contract
from paraphe.errors import Code
from paraphe.settings import OPTIONS

ROOT = Path(__file__).resolve().parents[1]
README, DECISIONS = ROOT / "README.md", ROOT / "docs" / "decisions"
FOLDERS = ("benchmarks", "client", "deploy", "docs", "fixtures", "server", "tests", "wsdl", "xsd")
FOUND = chain(ROOT.glob("*.md"), *((ROOT / folder).rglob("*.md") for folder in FOLDERS))
# What the interoperability tests fetch brings pages of its own.
PAGES = sorted(page for page in FOUND if not {"node_modules", "vendor"} & set(page.parts))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language, byte for byte."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """The rows of all tables, cell by cell."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


# --- names


def test_every_error_code_has_its_heading_in_the_order_of_the_contract():
    assert re.findall(r"^### `(\w+)`$", text_of("docs", "errors.md"), re.MULTILINE) == list(Code)


def test_a_code_is_called_reserved_exactly_when_the_server_never_gives_it():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "server" / "paraphe").rglob("*.py"))
    given = set(re.findall(r"(?:Error\(\s*|code=)Code\.(\w+)", sources))

    reserved = re.findall(r"^### `(\w+)`\n\n\*Reserved\.\*", text_of("docs", "errors.md"), re.MULTILINE)

    assert set(reserved) == set(Code) - given


def test_every_warning_code_is_explained():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "server" / "paraphe").rglob("*.py"))
    given = set(re.findall(r'(?:\bwarning|\.warn|\bUnreadable)\(\s*"([A-Z_]+)"', sources))
    _, _, section = text_of("docs", "errors.md").partition("## Warnings")

    assert given
    assert {code for row in rows(section)[2:] for code in re.findall(r"`(\w+)`", row[0])} == given


def test_every_operation_stands_in_the_readme_in_the_order_of_the_contract():
    found = [row[0].strip("`") for row in rows(text_of("README.md"))]

    assert [name for name in found if name in contract.operations()] == list(contract.operations())


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_setting_is_in_the_configuration(option):
    page = text_of("docs", "configuration.md")

    assert f"### `{option.name}`\n" in page
    assert f"`{option.variable}`" in page
    assert option.secret or f"`{option.flag}`" in page


def commands(parser: argparse.ArgumentParser, words: str = "paraphe") -> Iterator[str]:
    """Every command as it is typed: "paraphe account create"."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield words
    for name, command in chain.from_iterable(action.choices.items() for action in inner):
        yield from commands(command, f"{words} {name}")


def documented(line: str) -> Iterator[str]:
    """The commands in a table's first cell: "`paraphe account create`, `list`" are two."""
    first, *others = re.findall(r"`([^`]+)`", line) or [""]
    yield first
    yield from (f"{first.rpartition(' ')[0]} {other}" for other in others)


def test_every_command_is_in_the_table_of_the_operations_page():
    cells = [row[0] for row in rows(text_of("docs", "operations.md"))]

    assert set(commands(cli._parser())) == {
        command for cell in cells if cell.startswith("`paraphe ") for command in documented(cell)
    }


def test_every_decision_is_in_the_list():
    pages = {path.name for path in DECISIONS.glob("*.md")} - {"README.md"}

    assert set(re.findall(r"\]\(([^)]+\.md)\)", (DECISIONS / "README.md").read_text(encoding="utf-8"))) == pages


# --- links


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links: "Send again" is #send-again, a second one #send-again-1."""
    found: dict[str, int] = {}
    for title in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
        if found[name]:
            found[f"{name}-{found[name]}"] = 0
    return set(found)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in target]

    for target in targets:
        name, _, anchor = unquote(target).partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        assert path.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(path), target


# --- examples


@pytest.mark.parametrize("name", ["request", "answer"])
def test_the_request_and_the_answer_of_the_readme_are_the_fixtures_byte_for_byte(name):
    assert text_of("fixtures", "CheckConnection", f"{name}.xml") in blocks(README, "xml")


def test_the_answer_of_the_readme_is_of_this_version():
    answer = etree.parse(ROOT / "fixtures" / "CheckConnection" / "answer.xml")

    assert answer.findtext(f".//{{{contract.NAMESPACE}}}productVersion") == __version__


@pytest.mark.parametrize("target", ["$(VENV)/ready", "demo", "test"])
def test_the_readme_says_what_make_runs(target):
    makefile = text_of("Makefile")
    variables = {"$(RUN)": "$(VENV)/bin", "$(VENV)": ".venv", "$(PYTHON)": "python3"}
    (recipe,) = re.findall(rf"^{re.escape(target)}:.*\n((?:\t.+\n)+)", makefile, re.MULTILINE)
    lines = [line.strip() for line in recipe.splitlines() if not line.startswith("\t@")]

    for line in lines:
        for name, value in variables.items():
            line = line.replace(name, value)
        assert any(line in block.splitlines() for block in blocks(README, "sh")), line


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_in_a_page_compiles(page):
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")
