"""Servers as users start them, and their end as a power cut or an operator brings it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

_COMMAND = Path(sys.executable).with_name("paraphe")
_QUIET_END = 60  # seconds


def command(settings: Mapping[str, str], *arguments: str) -> str:
    """Run a command of `paraphe` and return what it prints."""
    ran = subprocess.run([_COMMAND, *arguments], env=_environment(settings), check=True, capture_output=True, text=True)
    return ran.stdout


def account(settings: Mapping[str, str], name: str) -> tuple[str, str]:
    """Make an account; return its user and its key."""
    made: dict[str, Any] = json.loads(
        command(settings, "account", "create", name, "--environment", "sandbox", "--json")
    )
    return made["apiUser"], made["apiKey"]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PARAPHE_", "AWS_"))}
    return inherited | dict(settings)


@dataclass
class Node:
    """`paraphe serve` at a fixed address, again and again."""

    address: str
    settings: Mapping[str, str]
    log: Path
    _running: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, and do not wait until it answers."""
        with self.log.open("ab") as log:
            settings = {**self.settings, "PARAPHE_LISTEN": self.address, "PARAPHE_LOG_LEVEL": "warning"}
            self._running = subprocess.Popen(
                [_COMMAND, "serve"], env=_environment(settings), stdout=subprocess.DEVNULL, stderr=log
            )

    @property
    def runs(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def kill(self) -> None:
        """kill -9."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def stop(self) -> None:
        """Tell it to end, and wait until it has."""
        if self._running is not None:
            self._running.terminate()
            try:
                self._running.wait(_QUIET_END)
            finally:
                self.kill()


def free_address(random: Random) -> str:
    """Return an address that nobody listens on.

    It is below the ports from which clients call: one that connects to a port of those, again and again while no
    server listens, may one day be given that very port for its own end, and then talks to itself.
    """
    while True:
        port = random.randint(15_000, 32_000)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"127.0.0.1:{port}"
