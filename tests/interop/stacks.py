"""The SOAP stacks: which version of each is installed, how its client is made and started."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "interop"
SUDS = BUILD / "suds" / "bin" / "python"
_VERSION_OF = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack: `asks` are the commands that print its versions; one that fails says that it is not installed."""

    name: str
    sample: str
    asks: tuple[tuple[str, tuple[str, ...]], ...]
    command: tuple[str, ...]
    know: str
    soap: tuple[str, ...] = ("1.1", "1.2")

    def installed(self) -> str | None:
        """Return the versions, for example "zeep 4.3.3, Python 3.11.2"; None if something is missing."""
        versions = [_output(command) for _, command in self.asks]
        if not all(versions):
            return None
        return ", ".join(f"{name} {version}" for (name, _), version in zip(self.asks, versions, strict=True))

    def start(self, wsdl: str, folder: Path) -> list[str]:
        """Return the command that runs the client, built first if it must be; CalledProcessError if that fails."""
        if self.name != "gSOAP":
            return [*self.command, wsdl, str(folder)]
        made = BUILD / f"gsoap-{'12' if wsdl.endswith('12') else '11'}"
        subprocess.run([*self.command, wsdl, made], check=True, capture_output=True, text=True)
        return [str(made / "client"), wsdl.partition("?")[0], str(folder)]


def _output(command: tuple[str, ...]) -> str:
    try:
        # In a folder of their own, so that what is to be found there is not found here.
        ran = subprocess.run(command, capture_output=True, text=True, cwd=HERE / "node", timeout=60)
    except OSError:
        return ""
    said = (ran.stdout.strip() or ran.stderr.strip()).splitlines()
    return said[0] if said and ran.returncode == 0 else ""


_PHP = "extension_loaded('soap') ? print(PHP_VERSION) : exit(1);"
_CURL = "curl --version | cut -d ' ' -f 2"

STACKS = (
    Stack(
        "zeep",
        "zeep/client.py",
        (
            ("zeep", (sys.executable, "-c", _VERSION_OF, "zeep")),
            ("Python", (sys.executable, "-c", "import platform; print(platform.python_version())")),
        ),
        (sys.executable, os.fspath(HERE / "zeep" / "client.py")),
        '`xml_huge_tree=True` for answers above 10 MB; the member `items` is read as `result["items"]`.',
    ),
    Stack(
        "suds",
        "suds/client.py",
        (("suds-community", (os.fspath(SUDS), "-c", _VERSION_OF, "suds-community")),),
        (os.fspath(SUDS), os.fspath(HERE / "suds" / "client.py")),
        "Speaks SOAP 1.1 only. Files are given and taken as base64 text; the detail of a fault is all text.",
        ("1.1",),
    ),
    Stack(
        "gSOAP",
        "gsoap/client.cpp",
        (("gSOAP", ("wsdl2h", "-V")), ("g++", ("g++", "-dumpfullversion"))),
        (os.fspath(HERE / "gsoap" / "build"),),
        "`SOAP_C_UTFSTRING`, or accents are broken. It forgets user and key after each call. An underscore in an "
        "enumeration is `_USCORE`. Make one proxy for each WSDL.",
    ),
    Stack(
        "PHP",
        "php/client.php",
        (("PHP", ("php", "-r", _PHP)),),
        ("php", os.fspath(HERE / "php" / "client.php")),
        "`SOAP_SINGLE_ELEMENT_ARRAYS`; `soap_version` must be said. The detail of a fault is untyped: `duplicate` is "
        'the text "false", which PHP takes for true, and a single error comes without an array.',
    ),
    Stack(
        "node",
        "node/client.js",
        (
            ("soap", ("node", "-p", "require('./node_modules/soap/package.json').version")),
            ("Node", ("node", "-p", "process.versions.node")),
        ),
        ("node", os.fspath(HERE / "node" / "client.js")),
        "Dates and times as text: a `Date` goes out as an empty element. `forceSoap12Headers` for SOAP 1.2. Members in "
        "the order of the WSDL. Files are given and taken as base64 text.",
    ),
    Stack(
        "curl",
        "curl/client.sh",
        (("curl", ("sh", "-c", _CURL)), ("bash", ("bash", "-c", "echo ${BASH_VERSION%%(*}"))),
        (os.fspath(HERE / "curl" / "client.sh"),),
        "Posts the messages of [fixtures/](../fixtures/README.md); `--data-binary`, not `--data`.",
    ),
)
