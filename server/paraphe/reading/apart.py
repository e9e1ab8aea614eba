"""Reading in a process of its own: whatever a PDF does to it, the server goes on.

Each file gets a fresh process with limits that the system enforces, on the other end of a socket: the bytes go in, the
words of the invoice come out, what is known of those whom they may name goes in, one JSON value comes out. It opens no
file of its own making, and knows neither database nor settings.

An interpreter that has read its modules takes a quarter of a second of processor time, as long as the reading itself
(measured). So the processes are forked off one that has done that and nothing else, the *nursery*: it has one thread,
sees no file, and is started anew when it is gone.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from .lookup import MOST_WORDS, Look, everybody
from .result import Known, Reading, from_json


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take: seconds by the clock, seconds of processor, megabytes, pages."""

    seconds: float = 8.0
    processor_seconds: int = 7
    megabytes: int = 500
    pages: int = 300


DEFAULT = Limits()
#: What recognising the text of a picture may take.
RECOGNITION = Limits(seconds=90.0, processor_seconds=60, pages=20)
_MOST_SAID = 50_000_000  # bytes
_ENTER = "Let a person enter the elements of the invoice with ReviewRecord."
_TOO_COMPLEX = "Reading the PDF took more time or memory than an invoice can need; it was stopped."


def read(
    content: bytes, known: Known | Look | None = None, limits: Limits = DEFAULT, *, tesseract: str | None = None
) -> Reading:
    """Read an invoice in a process of its own. Never raises for what is in the file.

    `known` is all that is known, or gives what is known of those whom the words of the invoice may name; what that
    raises is raised. It is not asked for a file without text, and its time is none of the reading's.

    With `tesseract` (the path of that program) an invoice without any text is recognised, within
    RECOGNITION instead of `limits`: seconds a page, so nothing for a call that somebody waits for.
    """
    look = known if callable(known) else everybody(known or Known())
    reading = _read(content, look, limits, None)
    if tesseract and reading.failure == "NO_TEXT_LAYER":
        return _read(content, look, RECOGNITION, tesseract)
    return reading


def _read(content: bytes, look: Look, limits: Limits, tesseract: str | None) -> Reading:
    head = json.dumps({"limits": asdict(limits), "tesseract": tesseract}).encode()
    with _Child(limits.seconds) as child:
        answer = child.ask(head, content)
        if not isinstance(answer, Reading):
            answer = child.ask(json.dumps(asdict(look(answer))).encode())
    return answer if isinstance(answer, Reading) else _stopped()


def _stopped() -> Reading:
    reading = Reading(failure="PDF_TOO_COMPLEX")
    reading.warn("PDF_TOO_COMPLEX", _TOO_COMPLEX, _ENTER)
    return reading


class _Child:
    """A process that reads one file; `seconds` are those that it may be at work, by the clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._talk: socket.socket | None = None
        self._process = 0

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        if self._talk is not None:
            self._talk.close()

    def ask(self, *question: bytes) -> Reading | list[str]:
        """Give it what it waits for. Return what it has read, or the words that it wants to be looked up.

        It is killed when its time is over. What breaks off is read as too complex.
        """
        try:
            said = self._answer(question)
            return _words(said["words"]) if "words" in said else from_json(said["reading"])
        except (OSError, ValueError, KeyError, TypeError):
            return _stopped()

    def _answer(self, question: Sequence[bytes]) -> Mapping[str, Any]:
        talk = self._talk or self._begin()
        began = monotonic()
        end = began + self._seconds
        try:
            for part in question:
                talk.settimeout(max(0.001, end - monotonic()))
                talk.sendall(len(part).to_bytes(8, "big"))
                talk.sendall(part)
            length = int.from_bytes(_received(talk, 8, end), "big")
            if length > _MOST_SAID:
                raise ValueError("more than any invoice says")
            said: Mapping[str, Any] = json.loads(_received(talk, length, end))
        except TimeoutError:
            os.kill(self._process, signal.SIGKILL)
            raise
        self._seconds = max(0.0, end - monotonic())
        return said

    def _begin(self) -> socket.socket:
        self._talk = talk = _nursery.child()
        talk.settimeout(max(self._seconds, 5.0))  # to begin is no part of what reading may take
        self._process = int.from_bytes(_received(talk, 8), "big")
        return talk


def _received(talk: socket.socket, length: int, end: float | None = None) -> bytes:
    pieces = []
    while length:
        if end is not None:
            talk.settimeout(max(0.001, end - monotonic()))
        piece = talk.recv(min(length, 1 << 20))
        if not piece:
            raise OSError("the process that reads has ended")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _words(said: Any) -> list[str]:
    """Return what a process says that has seen who knows what, if it is what it should be."""
    if not isinstance(said, list) or len(said) > MOST_WORDS or not all(isinstance(each, str) for each in said):
        raise ValueError("no words")
    return said


class _Nursery:
    """The process that those which read are forked off; begun when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def close(self) -> None:
        """End the nursery; the next question begins another."""
        with self._lock:
            if self._control is not None and self._running is not None:
                self._control.close()
                self._running.wait()
            self._control = self._running = None

    def child(self) -> socket.socket:
        """Have a process begun, and return what it is talked to through; it says its number first. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._send(theirs)
            except OSError:
                self.close()  # it was killed: another one
                self._send(theirs)
        return ours

    def _send(self, theirs: socket.socket) -> None:
        with self._lock:
            if self._control is None:
                self._control, inside = socket.socketpair()
                command = [sys.executable, "-P", "-s", "-m", __package__ or ""]
                with inside:
                    self._running = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                        command,
                        stdin=inside.fileno(),
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                        env=_environment(),
                    )
            socket.send_fds(self._control, [b"."], [theirs.fileno()])


_nursery = _Nursery()
#: End the process that readers are forked off; the next reading begins another.
close = _nursery.close
atexit.register(close)


def _environment() -> dict[str, str]:
    """Return the little that an interpreter needs: settings and secrets of the server are not its business."""
    kept = {
        name: value
        for name in ("PATH", "LANG", "LC_ALL", "TESSDATA_PREFIX", "LD_LIBRARY_PATH")
        if (value := os.environ.get(name))
    }
    ours = str(Path(__file__).resolve().parents[2])
    return kept | {
        "PYTHONPATH": os.pathsep.join([ours, *filter(None, sys.path)]),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
