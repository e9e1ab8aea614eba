"""Programs of ours in a process of their own, for what takes documents from outside apart.

They are fresh interpreters that see nothing of the server: neither its settings nor its secrets, and no file but those
that they are given. Limits on time and memory are theirs; what they do to themselves harms nobody.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may take: seconds by the clock, seconds of processor, megabytes besides its own size."""

    seconds: float = 30.0
    processor_seconds: int = 10
    megabytes: int = 600


def run(module: str, asked: bytes, limits: Limits, files: Sequence[int] = ()) -> bytes:
    """Run a module of ours, tell it `asked`, and return what it said; `files` are open files that it inherits.

    Raises subprocess.TimeoutExpired when its time is over.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-s", "-m", module, *map(str, files)],
        input=asked,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=limits.seconds,
        env=_environment(),
        pass_fds=files,
        check=False,
    )
    return done.stdout


def _environment() -> dict[str, str]:
    """Return the little that an interpreter needs: settings and secrets of the server are not its business."""
    kept = {name: value for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if (value := os.environ.get(name))}
    ours = str(Path(__file__).resolve().parents[2])
    return kept | {"PYTHONPATH": os.pathsep.join([ours, *filter(None, sys.path)]), "PYTHONDONTWRITEBYTECODE": "1"}


def confine(limits: Limits, size: int, written: int = 0) -> None:
    """Give up, in such a process, what a document of `size` bytes does not need; it cannot be taken back.

    `written` is how many bytes may be written to files. The document may be in memory some times over.
    """
    import resource

    memory = limits.megabytes * 1_000_000 + 6 * size
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_seconds, limits.processor_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
