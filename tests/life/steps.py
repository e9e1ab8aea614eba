"""The steps of an invoice's life at which a server can be killed, and a server that kills itself at one of them.

`python -m tests.life.steps STEP serve` is `paraphe serve`, but for one thing: when the step is reached, the process
sends SIGKILL to itself. Nothing is caught, closed or written after that, as with `kill -9`.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paraphe import cli


@dataclass(frozen=True)
class Step:
    """Where a server dies: before or after a function of a module (or a method of a class) is called the n-th time."""

    module: str
    name: str
    after: bool
    call: int = 1

    def prepare(self) -> None:
        """Have this process die there."""
        owner: Any = importlib.import_module(self.module)
        *classes, last = self.name.split(".")
        for each in classes:
            owner = getattr(owner, each)
        setattr(owner, last, self._wrapped(getattr(owner, last)))

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        calls = 0

        def wrapped(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            result = None
            if self.after:
                result = function(*arguments, **named)
            # A worker that finds nothing to do has not taken anything.
            calls += not (self.after and self.name == "take" and result is None)
            if calls == self.call:
                os.kill(os.getpid(), signal.SIGKILL)
            return result if self.after else function(*arguments, **named)

        return wrapped


_ARCHIVE, _WORK = "paraphe.archive", "paraphe.work"
STEPS = {
    "before the file is kept": Step(_ARCHIVE, "Folder.keep", after=False),
    "the file is kept and not read": Step(_ARCHIVE, "Folder.keep", after=True),
    "it is read and nothing is stored": Step("paraphe.reading", "read", after=True),
    "the record is made and not committed": Step(f"{_WORK}.filing", "create", after=True),
    "the job is queued and not committed": Step(f"{_WORK}.preparing", "enqueue", after=True),
    "all is committed and not answered": Step("paraphe.call", "Call._done", after=False),
    "the job is taken": Step(f"{_WORK}.jobs", "take", after=True),
    "what the papers say is collected": Step(f"{_WORK}.preparing", "collect", after=True),
    "the first paper is kept": Step(_ARCHIVE, "Folder.keep", after=True, call=2),
    "half of the papers are kept": Step(_ARCHIVE, "Folder.keep", after=True, call=10),
    "all papers are kept and none is filed": Step(f"{_WORK}.jobs", "finish", after=False),
    "the job has left the queue and nothing is committed": Step(f"{_WORK}.jobs", "finish", after=True),
    "the papers are filed and not committed": Step(f"{_WORK}.filing", "attach_all", after=True, call=2),
    "the papers are filed and committed": Step(f"{_WORK}.workers", "do", after=True),
    "the job of the PDF is taken": Step(f"{_WORK}.jobs", "take", after=True, call=2),
    "the documents are joined and not kept": Step(f"{_WORK}.joining", "joined_pdf", after=True),
    "the PDF is kept and not filed": Step(f"{_WORK}.jobs", "finish", after=False, call=2),
    "the PDF is filed and not committed": Step(f"{_WORK}.joining", "_file", after=True),
    "the PDF is filed and committed": Step(f"{_WORK}.workers", "do", after=True, call=2),
}

if __name__ == "__main__":
    STEPS[sys.argv[1]].prepare()
    sys.exit(cli.main(sys.argv[2:]))
