"""A Paraphe server, started as a user starts it: the command, settings from the environment, a fresh database."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("paraphe")


class Server:
    """A running server and its commands."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{listen}"
        self._environment = {
            **os.environ,
            "PARAPHE_LISTEN": listen,
            "PARAPHE_PUBLIC_URL": self.url,
            "PARAPHE_DATABASE": f"sqlite:///{folder / 'paraphe.sqlite'}",
            "PARAPHE_STORE": str(folder / "store"),
            "PARAPHE_LOG_LEVEL": "warning",
        }

    def run(self, *arguments: str) -> str:
        """Run a command of `paraphe` and return what it prints."""
        command = [str(COMMAND), *arguments]
        ran = subprocess.run(command, env=self._environment, check=True, stdout=subprocess.PIPE, text=True)
        return ran.stdout

    def account(self, name: str) -> tuple[str, str]:
        """Make an account that holds the school of the examples; return its user and key."""
        made: dict[str, Any] = json.loads(self.run("account", "create", name, "--environment", "sandbox", "--json"))
        self.run("load-fixtures", "--account", made["apiUser"])
        return made["apiUser"], made["apiKey"]

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve until the block is left."""
        process = subprocess.Popen([COMMAND, "serve"], env=self._environment)
        try:
            self._wait(process)
            yield
        finally:
            process.terminate()
            process.wait(60)

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        for _ in range(150):
            if process.poll() is not None:
                raise RuntimeError(f"paraphe serve ended with {process.returncode}")
            try:
                urllib.request.urlopen(f"{self.url}/soap/v1?wsdl", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("paraphe serve did not answer within 15 seconds")
