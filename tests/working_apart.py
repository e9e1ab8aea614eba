"""What the processes of tests/test_apart.py do: each kind of harm that work can come to."""

import os
import signal
import time
from typing import Any


class _Shorter(bytes):
    """Bytes of which the last ones never come, as those of a process that is ended while it speaks."""

    def __len__(self) -> int:
        return super().__len__() + 1


def answer(said: dict[str, Any], *more: Any) -> tuple[Any, ...]:
    """Do what is said."""
    return {
        "tell": lambda: (said, *more),
        "sleep": lambda: (_asleep(),),
        "write and sleep": lambda: (os.write(more[0], b"."), _asleep()),
        "calculate": _endless,
        "grow": lambda: (len(bytearray(400_000_000)),),
        "die": lambda: (_dead(),),
        "raise": lambda: (int("the name of a trainee"),),
        "half": lambda: ({"start": 100}, _Shorter(b"half")),
        "environment": lambda: (dict(os.environ),),
        "write": lambda: (os.write(more[0], b"." * said.get("size", 0)),),
    }[said["do"]]()  # fmt: skip


def _asleep() -> int:
    time.sleep(60)
    return 60


def _dead() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _endless() -> tuple[int]:
    while True:
        pass
