"""Reading in a process of its own: whatever a PDF does to it, the server goes on.

Each file gets a fresh process with limits that the system enforces, on the other end of a socket: the bytes and what is
known go in, one JSON value comes out. It opens no file of its own making, and knows neither database nor settings.

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
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

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
_ENTER = "Let a person enter the elements of the invoice with ReviewRecord."
_TOO_COMPLEX = "Reading the PDF took more time or memory than an invoice can need; it was stopped."


def read(
    content: bytes, known: Known | None = None, limits: Limits = DEFAULT, *, tesseract: str | None = None
) -> Reading:
    """Read an invoice in a process of its own. Never raises for what is in the file.

    With `tesseract` (the path of that program) an invoice without any text is recognised, within
    RECOGNITION instead of `limits`: seconds a page, so nothing for a call that somebody waits for.
    """
    reading = _read(content, known or Known(), limits, None)
    if tesseract and reading.failure == "NO_TEXT_LAYER":
        return _read(content, known or Known(), RECOGNITION, tesseract)
    return reading


def _read(content: bytes, known: Known, limits: Limits, tesseract: str | None) -> Reading:
    head = json.dumps({"known": asdict(known), "limits": asdict(limits), "tesseract": tesseract}).encode()
    try:
        answer = _nursery.ask(len(head).to_bytes(8, "big") + head + content, limits.seconds)
        return from_json(json.loads(answer))
    except (OSError, ValueError, KeyError, TypeError):
        reading = Reading(failure="PDF_TOO_COMPLEX")
        reading.warn("PDF_TOO_COMPLEX", _TOO_COMPLEX, _ENTER)
        return reading


class _Nursery:
    """The process that those which read are forked off; begun when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def ask(self, question: bytes, seconds: float) -> bytes:
        """Have a process of its own answer; it is killed when time is over. Raises OSError."""
        end = monotonic() + seconds
        with self._child() as talk:
            talk.settimeout(max(seconds, 5.0))  # to begin is no part of what reading may take
            process = int.from_bytes(talk.recv(8, socket.MSG_WAITALL), "big")
            if not process:
                raise OSError("no process could be had")
            try:
                talk.settimeout(max(0.001, end - monotonic()))
                talk.sendall(question)
                talk.shutdown(socket.SHUT_WR)
                pieces = []
                while piece := talk.recv(1 << 20):
                    pieces.append(piece)
                    talk.settimeout(max(0.001, end - monotonic()))
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise
        return b"".join(pieces)

    def close(self) -> None:
        """End the nursery; the next question begins another."""
        with self._lock:
            if self._control is not None and self._running is not None:
                self._control.close()
                self._running.wait()
            self._control = self._running = None

    def _child(self) -> socket.socket:
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
