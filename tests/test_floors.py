"""The plan of the house: imports go down, and what has one address is known there alone.

The floors are those of `server/README.md`. A room may import itself and rooms on lower floors; two rooms on one floor
do not know each other, so neither do faces.
"""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SERVER = Path(__file__).resolve().parents[1] / "server"
CLIENT = SERVER.parent / "client"
FLOORS = [
    {"__init__"},
    {"apart", "columns", "spool"},
    {"slices", "store", "contract", "errors", "documents", "reading", "settings", "xsd", "wsdl", "fixtures"},
    {"accounts", "admission", "archive", "addresses", "metrics", "remembered", "xml", "migrations"},
    {"seals"},
    {"backup", "context", "serve"},
    {"work"},
    {"call"},
    {"operations"},
    {"faces.http"},
    {"faces.soap", "faces.rest", "faces.links", "faces.health"},
    {"app"},
    {"fixture_loader"},
    {"demo", "preview"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# What has one address: names of modules and calls, and where they may stand.
ADDRESSES = {
    "spyne": ("faces/soap/",),
    "pypdf": ("documents/", "reading/"),
    "pyhanko": ("documents/",),
    "aiohttp": ("documents/",),
    "cryptography": ("documents/",),
    "typst": ("documents/typeset.py",),
    "segno": ("documents/images.py",),
    "obstore": ("archive/bucket.py",),
    "waitress": ("serve/",),
    "alembic": ("migrations/",),
    "sqlite3": ("store/",),
    "psycopg": ("store/",),
    "sqlalchemy.dialects": ("store/",),
    "zeep": (),
    "requests": (),
}
# Who parses XML: what callers send goes through xml/parse.py; the others read our own files.
PARSERS = {"fromstring", "parse", "iterparse", "XML", "HTML", "XMLParser"}
READS_XML = {
    *("xml/parse.py", "xml/compiled.py", "contract.py", "reading/einvoice.py"),
    *("faces/soap/wsdl.py", "faces/rest/openapi.py"),
}


parsed = cache(ast.parse)


def modules(root: Path = SERVER) -> dict[str, Path]:
    """Every module below a source root by its dotted name; a package is called after its folder."""
    found = {}
    for path in sorted(root.glob("*/**/*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, source: str, known: dict[str, Path]) -> Iterator[str]:
    """Every module that a module imports, wherever in its text, by its absolute name."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module or "").split(".")]).rstrip(".")
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base


def room(module: str) -> str:
    """The room that a module of ours belongs to: its first name, in faces/ its first two."""
    parts = module.split(".")[1:]
    if not parts or parts == ["faces"]:
        return "__init__"
    return ".".join(parts[:2]) if parts[0] == "faces" else parts[0]


def breaches(name: str, path: Path, source: str, known: dict[str, Path]) -> list[str]:
    """What a module imports from its own floor or from above."""
    own = room(name)
    return [
        f"{name} ({own}) imports {imported} ({room(imported)})"
        for imported in imports(name, path, source, known)
        if imported.split(".")[0] == "paraphe" and room(imported) != own
        if FLOOR_OF[room(imported)] >= FLOOR_OF[own]
    ]


def strangers(path: str, imported: set[str]) -> list[str]:
    """What a file imports that has its address elsewhere."""
    return [
        library
        for library, places in ADDRESSES.items()
        if any(each == library or each.startswith(f"{library}.") for each in imported)
        if not any(path.startswith(place) for place in places)
    ]


MODULES = modules()


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name):
    assert breaches(name, MODULES[name], MODULES[name].read_text(), MODULES) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("paraphe.work.sync", "from ..call import Call"),
        ("paraphe.work.sync", "from .. import call"),
        ("paraphe.store.tables", "from ..errors import Code"),
        ("paraphe.faces.links", "from . import soap"),
        ("paraphe.faces.soap.envelope", "from ...faces import links"),
        ("paraphe.faces.http", "def late():\n    from .soap import wsdl"),
        ("paraphe.xml.parse", "import paraphe.context"),
        ("paraphe.call", "from .operations import OPERATIONS"),
    ],
)
def test_a_planted_breach_is_found(name, line):
    planted = f"{MODULES[name].read_text()}\n{line}\n"

    assert len(breaches(name, MODULES[name], planted, MODULES)) == 1


def test_every_room_has_its_floor():
    assert {room(name) for name in MODULES} <= FLOOR_OF.keys()


def test_no_modules_import_each_other_in_a_circle():
    graph = {
        name: {each for each in imports(name, path, path.read_text(), MODULES) if each in MODULES and each != name}
        for name, path in MODULES.items()
    }
    for name, imported in graph.items():
        # A folder's __init__ gathers its modules; that they name their own folder is no circle.
        imported -= {package for package in graph if name.startswith(f"{package}.")}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))


@pytest.mark.parametrize("name", MODULES)
def test_a_library_with_one_address_is_known_there_alone(name):
    path = MODULES[name]
    imported = set(imports(name, path, path.read_text(), MODULES))

    assert strangers(path.relative_to(SERVER / "paraphe").as_posix(), imported) == []


def test_a_library_that_strays_is_found():
    assert strangers("work/sync.py", {"spyne.model", "sqlite3"}) == ["spyne", "sqlite3"]
    assert strangers("faces/soap/types.py", {"spyne"}) == []


def test_xml_from_outside_is_parsed_at_one_address():
    parsing = {
        path.relative_to(SERVER / "paraphe").as_posix()
        for path in MODULES.values()
        if "lxml" in path.read_text()
        for node in ast.walk(parsed(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in PARSERS
        if isinstance(node.value, ast.Name) and node.value.id == "etree"
    }

    assert parsing <= READS_XML


def test_only_the_store_and_the_migrations_ask_for_the_dialect():
    asking = {
        path.relative_to(SERVER / "paraphe").parts[0]
        for path in MODULES.values()
        for node in ast.walk(parsed(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "dialect"
    }

    assert asking <= {"store", "migrations"}


def test_nobody_below_the_entrance_looks_at_the_clock():
    """Time is a parameter of work: `context.now` is given."""
    for name, path in MODULES.items():
        if room(name) in ("work", "documents", "reading", "xml", "store", "contract", "context"):
            clocks = [
                node
                for node in ast.walk(parsed(path.read_text()))
                if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today")
                if isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date")
            ]
            assert clocks == [], name


def test_the_client_knows_nothing_of_the_server():
    known = modules(CLIENT)
    for name, path in known.items():
        assert not [each for each in imports(name, path, path.read_text(), known) if each.split(".")[0] == "paraphe"]
