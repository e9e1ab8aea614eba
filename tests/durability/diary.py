"""What clients sent and were told, in their own hand: one line before each request, one after it, each made durable."""

import json
import os
import threading
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

OK = "200 OK"
ERROR = "500 ERROR"
#: Errors that say that the server could not, and nothing of what is stored.
TROUBLE = frozenset({"SERVER_BUSY", "SERVER_ERROR", "IN_PROGRESS", "TOO_MANY_REQUESTS"})


@dataclass
class Attempt:
    """One request as it was sent, and its answer; None: the connection was lost before the answer was whole.

    Of a file, `request` has the digest and the size instead of the content.
    """

    number: int
    account: str
    caller: str
    operation: str
    request: dict[str, Any]
    answer: dict[str, Any] | None = None

    @property
    def message_id(self) -> str | None:
        """The id under which the server is to remember the message; it remembers no dry run."""
        name: str | None = self.request.get("messageId")
        return None if self.request.get("dryRun") else name

    @property
    def lost(self) -> bool:
        return self.answer is None

    @property
    def ok(self) -> bool:
        return self.answer is not None and self.answer["returnCode"] == OK

    @property
    def duplicate(self) -> bool:
        return self.answer is not None and bool(self.answer["duplicate"])

    @property
    def codes(self) -> list[str]:
        return sorted({error["code"] for error in (self.answer or {}).get("errors", ())})

    @property
    def in_trouble(self) -> bool:
        """Whether it was refused for reasons of the server's own."""
        return not self.lost and not self.ok and not TROUBLE.isdisjoint(self.codes)

    def __str__(self) -> str:
        said = "lost" if self.answer is None else " ".join([self.answer["returnCode"], *self.codes])
        return f"request {self.number} ({self.operation}, {self.request.get('messageId', 'no messageId')}: {said})"


@dataclass
class Diary:
    """A file that lines are only added to; safe with many threads."""

    path: Path
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def close(self) -> None:
        os.close(self._file)

    def sent(self, account: str, caller: str, operation: str, request: dict[str, Any]) -> int:
        """Note a request before its first byte goes out; return its number."""
        number = next(self._numbers)
        self._write([number, "sent", account, caller, operation, request])
        return number

    def answered(self, number: int, answer: dict[str, Any]) -> None:
        """Note a whole answer."""
        self._write([number, "answered", answer])

    def lost(self, number: int) -> None:
        """Note that no whole answer came."""
        self._write([number, "lost"])

    def _write(self, line: list[Any]) -> None:
        written = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        with self._guard:
            os.write(self._file, written)
            os.fsync(self._file)


def read(path: Path) -> list[Attempt]:
    """Return all attempts in the order in which they were sent. One of which nothing more is known is lost."""
    attempts: dict[int, Attempt] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        number, what, *more = json.loads(line)
        if what == "sent":
            attempts[number] = Attempt(number, *more)
        elif what == "answered":
            (attempts[number].answer,) = more
    return list(attempts.values())
