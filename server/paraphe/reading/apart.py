"""Reading in a process of its own: whatever a PDF does to it, the server goes on.

In the middle of its work the process asks who may be named by the words of the page, through a pair of sockets of its
own (`inside.py`). It is answered by a thread, as whoever asked for the reading waits for the end of it.
"""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from .. import apart
from .lookup import MOST_WORDS, Look, everybody
from .result import Known, Reading, from_json


@dataclass(frozen=True, slots=True)
class Limits(apart.Limits):
    """What reading one file may take; pages besides."""

    seconds: float = 8.0
    processor_seconds: int = 7
    megabytes: int = 450
    pages: int = 300

    def of_process(self) -> apart.Limits:
        """Return what the system enforces."""
        return apart.Limits(self.seconds, self.processor_seconds, self.megabytes)


DEFAULT = Limits()
#: What recognising the text of a picture may take.
RECOGNITION = Limits(seconds=90.0, processor_seconds=60, pages=20)
_MOST_SAID = 10_000_000  # bytes
_ENTER = "Let a person enter the elements of the invoice with ReviewRecord."
_TOO_COMPLEX = "Reading the PDF took more time or memory than an invoice can need; it was stopped."


def read(
    content: bytes, known: Known | Look | None = None, limits: Limits = DEFAULT, *, tesseract: str | None = None
) -> Reading:
    """Read an invoice in a process of its own. Never raises for what is in the file.

    `known` is all that is known, or gives what is known of those whom the words of the invoice may name; what that
    raises is raised. It is asked at most once, and not for a file without text.

    With `tesseract` (the path of that program) an invoice without any text is recognised, within
    RECOGNITION instead of `limits`: seconds a page, so nothing for a call that somebody waits for.
    """
    look = known if callable(known) else everybody(known or Known())
    reading = _read(content, look, limits, None)
    if tesseract and reading.failure == "NO_TEXT_LAYER":
        return _read(content, look, RECOGNITION, tesseract)
    return reading


def _read(content: bytes, look: Look, limits: Limits, tesseract: str | None) -> Reading:
    said = {"pages": limits.pages, "tesseract": tesseract}
    with _Answering(look) as answering:
        try:
            files = [answering.theirs.fileno()]
            told, _ = apart.ask("paraphe.reading.inside", said, content, limits=limits.of_process(), files=files)
            return from_json(told)
        except (apart.Stopped, apart.Unforeseen, KeyError, TypeError, ValueError):
            reading = Reading(failure="PDF_TOO_COMPLEX")
            reading.warn("PDF_TOO_COMPLEX", _TOO_COMPLEX, _ENTER)
            return reading


class _Answering:
    """A thread that looks up once what the process asks for at `theirs`; its failure is raised at the end."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._ours, self.theirs = socket.socketpair()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._answer, name="look", daemon=True)

    def __enter__(self) -> "_Answering":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.theirs.close()
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)  # so that it waits for no question any more
        self._thread.join()
        self._ours.close()
        if self._failure is not None:
            raise self._failure

    def _answer(self) -> None:
        try:
            words = hear(self._ours)
        except (OSError, ValueError):
            return  # it asks for nothing, or for nothing that makes sense
        if not isinstance(words, list) or len(words) > MOST_WORDS or not all(isinstance(each, str) for each in words):
            return
        try:
            known = self._look(words)
        except BaseException as failure:  # raised where the reading was asked for
            self._failure = failure
            self._ours.shutdown(socket.SHUT_RDWR)
            return
        try:
            say(self._ours, asdict(known))
        except OSError:
            return  # it was stopped meanwhile


def say(talk: socket.socket, what: Any) -> None:
    """Send a value as JSON, announced by its length."""
    said = json.dumps(what).encode()
    talk.sendall(len(said).to_bytes(8, "big") + said)


def hear(talk: socket.socket) -> Any:
    """Read such a value. Raises OSError, ValueError."""
    length = int.from_bytes(_received(talk.recv, 8), "big")
    if length > _MOST_SAID:
        raise ValueError("too long")
    return json.loads(_received(talk.recv, length))


def _received(receive: Callable[[int], bytes], length: int) -> bytes:
    pieces = []
    while length:
        piece = receive(min(length, 1 << 20))
        if not piece:
            raise OSError("the other end is gone")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
