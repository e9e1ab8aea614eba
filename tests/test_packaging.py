"""setup.cfg lists what is on disk: packages are listed by hand, because there is more than one source root."""

import configparser
import tomllib
from fnmatch import fnmatch
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import paraphe

ROOT = Path(__file__).resolve().parents[1]
DATA_PACKAGES = {"xsd", "wsdl", "fixtures"}


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def on_disk() -> set[str]:
    """Every folder with an __init__.py below server/ and client/, and the folders of data."""
    found = {f"paraphe.{name}" for name in DATA_PACKAGES}
    for root in ("server", "client"):
        for path in (ROOT / root).rglob("__init__.py"):
            found.add(".".join(path.parent.relative_to(ROOT / root).parts))
    return found


def test_the_packages_are_the_folders(setup):
    listed = lines(setup["options"]["packages"])

    assert sorted(listed) == sorted(on_disk())


def test_every_folder_with_python_in_it_is_a_package():
    for root in ("server", "client"):
        folders = {path.parent for path in (ROOT / root).rglob("*.py")}
        assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_each_source_root_is_where_the_list_says(setup):
    roots = dict(line.split(" = ") for line in lines(setup["options"]["package_dir"]))

    for package, folder in roots.items():
        assert (ROOT / folder / "__init__.py").is_file(), package


def test_data_that_is_read_as_a_resource_is_packed(setup):
    patterns = {
        package: [pattern.strip() for pattern in value.split(",")]
        for package, value in setup["options.package_data"].items()
    }
    for folder in ("xsd", "wsdl"):
        for path in (ROOT / folder).iterdir():
            if path.suffix in (".xsd", ".wsdl"):
                assert any(fnmatch(path.name, pattern) for pattern in patterns["*"]), path
    documents = ROOT / "server" / "paraphe" / "documents"
    for path in (*documents.glob("templates/*"), *documents.glob("fonts/*")):
        name = path.relative_to(documents).as_posix()
        assert any(fnmatch(name, pattern) for pattern in patterns["paraphe.documents"]), name
    suffixes = {path.suffix for path in (ROOT / "fixtures").glob("*/**/*") if path.is_file()}
    for suffix in suffixes - {".py", ".pyc"}:
        assert any(pattern.endswith(suffix) for pattern in patterns["paraphe.fixtures"]), suffix


def test_typed_packages_say_so():
    for package in ("server/paraphe", "client/paraphe_client"):
        assert (ROOT / package / "py.typed").is_file()


def test_the_commands_are_there():
    names = {entry.name: entry.value for entry in entry_points(group="console_scripts")}

    assert names["paraphe"] == "paraphe.cli:main"
    assert callable(entry_points(group="console_scripts", name="paraphe")["paraphe"].load())


def test_the_version_is_written_once(setup):
    assert setup["metadata"]["version"] == "attr: paraphe.__version__"
    assert paraphe.__version__
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text()).get("project", {})


def test_what_is_pinned_for_tests_is_within_what_is_required(setup):
    pinned = {
        line.split("==")[0].lower(): line.split("==")[1]
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    }
    for extra in setup["options.extras_require"].values():
        for requirement in lines(extra):
            name = requirement.split()[0].partition("[")[0].lower()
            assert name in pinned, name
