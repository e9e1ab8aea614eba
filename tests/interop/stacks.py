"""The SOAP stacks: which version of each is installed, how its client is made and started."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "interop"
SUDS = BUILD / "suds" / "bin" / "python"
USERNAME_TOKEN = "UsernameToken"
MTOM = ("MTOM sent", "MTOM received")
_VERSION_OF = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack: what is asked to know that it is installed, how its client is started, what else it speaks of.

    `asks` are the commands that print its versions. In `command`, {wsdl} is the WSDL's URL, {address} that without its
    query, {folder} where the client finds and leaves files, and {made} where `build` put what it made, if there is one.
    """

    name: str
    sample: str
    asks: tuple[tuple[str, tuple[str, ...]], ...]
    command: tuple[str, ...]
    know: str
    soap: tuple[str, ...] = ("1.1", "1.2")
    beyond: tuple[str, ...] = ()
    build: str = ""

    def installed(self) -> str | None:
        """Return the versions, for example "zeep 4.3.3, Python 3.11.2"; None if something is missing."""
        versions = [_output(command) for _, command in self.asks]
        if not all(versions):
            return None
        return ", ".join(f"{name} {version}" for (name, _), version in zip(self.asks, versions, strict=True))

    def start(self, wsdl: str, folder: Path) -> list[str]:
        """Return the command that runs the client, built first if it must be; CalledProcessError if that fails."""
        made = BUILD / f"{Path(self.sample).parent}-{'12' if wsdl.endswith('12') else '11'}"
        if self.build:
            subprocess.run([HERE / self.build, wsdl, made], check=True, capture_output=True, text=True)
        places = {"wsdl": wsdl, "address": wsdl.partition("?")[0], "folder": folder, "made": made}
        return [word.format_map(places) for word in self.command]


def _output(command: tuple[str, ...]) -> str:
    """Return the first version in what a command says, for example "2.8.124"; nothing if there is no such command."""
    try:
        # In a folder of their own, so that what is to be found there is not found here.
        ran = subprocess.run(command, capture_output=True, text=True, cwd=HERE / "node", timeout=60)
    except OSError:
        return ""
    version = re.search(r"\d+(\.\d+)+", ran.stdout + ran.stderr)
    return version[0] if version and ran.returncode == 0 else ""


_PHP = "extension_loaded('soap') ? print(PHP_VERSION) : exit(1);"

_JAXWS = "/usr/share/java/jaxws-rt.jar"
# Debian's package of SAAJ names its factory by an old property, and warns of it at each message.
_SAAJ = "-Djavax.xml.soap.SAAJMetaFactory=com.sun.xml.messaging.saaj.soap.SAAJMetaFactoryImpl"

STACKS = (
    Stack(
        "zeep",
        "zeep/client.py",
        (
            ("zeep", (sys.executable, "-c", _VERSION_OF, "zeep")),
            ("Python", (sys.executable, "-c", "import platform; print(platform.python_version())")),
        ),
        (sys.executable, os.fspath(HERE / "zeep" / "client.py"), "{wsdl}", "{folder}"),
        '`xml_huge_tree=True` for answers above 10 MB; the member `items` is read as `result["items"]`.',
        beyond=(USERNAME_TOKEN,),
    ),
    Stack(
        "suds",
        "suds/client.py",
        (("suds-community", (os.fspath(SUDS), "-c", _VERSION_OF, "suds-community")),),
        (os.fspath(SUDS), os.fspath(HERE / "suds" / "client.py"), "{wsdl}", "{folder}"),
        "Speaks SOAP 1.1 only. Files are given and taken as base64 text; the detail of a fault is all text.",
        soap=("1.1",),
        beyond=(USERNAME_TOKEN,),
    ),
    Stack(
        "gSOAP",
        "gsoap/client.cpp",
        (("gSOAP", ("wsdl2h", "-V")), ("g++", ("g++", "-dumpfullversion"))),
        ("{made}/client", "{address}", "{folder}"),
        "`SOAP_C_UTFSTRING`, or accents are broken. It forgets user and key after each call. An underscore in an "
        "enumeration is `_USCORE`. Make one proxy for each WSDL.",
        beyond=MTOM,
        build="gsoap/build",
    ),
    Stack(
        "PHP",
        "php/client.php",
        (("PHP", ("php", "-r", _PHP)),),
        ("php", os.fspath(HERE / "php" / "client.php"), "{wsdl}", "{folder}"),
        "`SOAP_SINGLE_ELEMENT_ARRAYS`; `soap_version` must be said. The detail of a fault is untyped: `duplicate` is "
        'the text "false", which PHP takes for true, and a single error comes without an array.',
        beyond=(USERNAME_TOKEN,),
    ),
    Stack(
        "node",
        "node/client.js",
        (
            ("soap", ("node", "-p", "require('./node_modules/soap/package.json').version")),
            ("Node", ("node", "-p", "process.versions.node")),
        ),
        ("node", os.fspath(HERE / "node" / "client.js"), "{wsdl}", "{folder}"),
        "Dates and times as text: a `Date` goes out as an empty element. `forceSoap12Headers` for SOAP 1.2. Members in "
        "the order of the WSDL. Files are given and taken as base64 text; of MTOM, you write and read the references.",
        beyond=(USERNAME_TOKEN, *MTOM),
    ),
    Stack(
        "curl",
        "curl/client.sh",
        (("curl", ("curl", "--version")), ("bash", ("bash", "--version"))),
        (os.fspath(HERE / "curl" / "client.sh"), "{wsdl}", "{folder}"),
        "Posts the messages of [fixtures/](../fixtures/README.md); `--data-binary`, not `--data`.",
        beyond=(USERNAME_TOKEN,),
    ),
    Stack(
        "Java",
        "java/Client.java",
        (
            ("JAX-WS RI", ("dpkg-query", "--show", "--showformat", "${source:Upstream-Version}", "libjaxws-java")),
            ("Java", ("javac", "-version")),
        ),
        ("java", "-cp", f"{_JAXWS}:{{made}}", _SAAJ, "Client", "{wsdl}", "{folder}"),
        "The members of a message are arguments, null where they are left out. For the header `Credentials`, a "
        "handler. The WSDL of SOAP 1.2 needs `wsimport -extension`.",
        beyond=(USERNAME_TOKEN, *MTOM),
        build="java/build",
    ),
    Stack(
        ".NET",
        "dotnet/Client.cs",
        (("Mono", ("sh", "-c", "command -v wsdl > /dev/null && mono --version")), ("mcs", ("mcs", "--version"))),
        ("mono", "{made}/client.exe", "{address}", "{folder}"),
        "An optional value comes with a second member, `…Specified`. HTTP Basic is sent after a challenge. The detail "
        "of a fault is XML. The tool is told the version of SOAP: `wsdl -protocol:SOAP12`.",
        build="dotnet/build",
    ),
)
