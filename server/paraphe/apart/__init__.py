"""Work in a process of its own, with limits that the system enforces: whatever happens to it, the server goes on.

For what takes documents from outside apart, and for what may take more than it should. A process sees nothing of the
server: neither its settings nor its secrets, and no file but those that it is given. It gets one question and gives one
answer, both JSON with some bytes.

An interpreter that has read its modules takes a quarter of a second of processor time and more, as long as most of the
work (measured). So the processes are forked off one that has done that and nothing else, the *nursery* (`__main__.py`):
it has one thread, and is started anew when it is gone.
"""

import atexit
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from .message import head_of, parts_of, written

# Seconds in which a process begins, the nursery included: it is no part of what the work may take.
_BEGINNING = 30.0
#: Bytes of the longest name of a module; all names are sent as long.
LONGEST_NAME = 64
#: What of the server's environment is there: what an interpreter needs.
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TESSDATA_PREFIX")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one piece of work may take.

    Seconds by the clock, seconds of processor, megabytes besides those of the nursery, bytes written to files.
    """

    seconds: float = 30.0
    processor_seconds: int = 10
    megabytes: int = 600
    written: int = 0

    def around(self, size: int) -> "Limits":
        """Return the same limits for a document of so many bytes, which may be in memory some times over."""
        return replace(self, megabytes=self.megabytes + 6 * size // 1_000_000)


class Stopped(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """The work took more time or memory than it may, or its process died: there is no answer, not even half of one."""


class Unforeseen(Exception):  # noqa: N818
    """The work raised what nobody had foreseen; the text says what and where, and nothing of the document."""


def ask(
    module: str, said: Any, *parts: bytes, limits: Limits, files: Sequence[int] = ()
) -> tuple[Any, tuple[bytes, ...]]:
    """Have the function `answer` of a module of ours answer in a process of its own; return what it said, with bytes.

    `files` are open files that the process gets besides, at other numbers. Raises Stopped, Unforeseen.
    """
    question = written({"limits": asdict(limits), "said": said}, *parts)
    answer = io.BytesIO(_nursery.ask(module, question, limits, files))
    try:
        told, sizes = head_of(answer)
        more = tuple(parts_of(answer, sizes))
    except ValueError:  # it died, some of it may have come
        raise Stopped from None
    if "raised" in told:
        raise Unforeseen(told["raised"])
    return told["said"], more


class _Nursery:
    """The process that those which work are forked off; begun when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def ask(self, module: str, question: Sequence[bytes], limits: Limits, files: Sequence[int]) -> bytes:
        """Return what a process of its own answers; it is killed when its time is over. Raises Stopped."""
        try:
            with self._child(module, files) as talk:
                return self._talk(talk, question, limits)
        except OSError:
            raise Stopped from None

    def _talk(self, talk: socket.socket, question: Sequence[bytes], limits: Limits) -> bytes:
        talk.settimeout(_BEGINNING)
        process = int.from_bytes(talk.recv(8, socket.MSG_WAITALL), "big")
        if not process:
            raise ConnectionError("no process could be had")
        end = monotonic() + limits.seconds
        pieces, most = list[bytes](), limits.megabytes * 1_000_000
        try:
            for part in question:
                talk.settimeout(max(0.001, end - monotonic()))
                talk.sendall(part)
            talk.shutdown(socket.SHUT_WR)
            talk.settimeout(max(0.001, end - monotonic()))
            while piece := talk.recv(1 << 20):
                pieces.append(piece)
                most -= len(piece)
                if most < 0:
                    raise TimeoutError  # it says more than it may have in memory
                talk.settimeout(max(0.001, end - monotonic()))
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            raise
        return b"".join(pieces)

    def close(self) -> None:
        """End the nursery and whatever is at work; the next question begins another."""
        with self._lock:
            self._end()

    def _child(self, module: str, files: Sequence[int]) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                try:
                    self._send(theirs, module, files)
                except (BrokenPipeError, ConnectionResetError):
                    self._end()  # it was killed: another one
                    self._send(theirs, module, files)
        except OSError:
            ours.close()
            raise
        return ours

    # Both with the lock held, so that nobody ends a nursery that somebody else has just begun.

    def _end(self) -> None:
        if self._control is not None and self._running is not None:
            self._control.close()
            self._running.wait()
        self._control = self._running = None

    def _send(self, theirs: socket.socket, module: str, files: Sequence[int]) -> None:
        if self._control is None:
            self._control, inside = socket.socketpair()
            with inside:
                self._running = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [sys.executable, "-P", "-s", "-m", __name__],
                    stdin=inside.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment(),
                )
        socket.send_fds(self._control, [module.encode().ljust(LONGEST_NAME)], [theirs.fileno(), *files])


_nursery = _Nursery()
#: End the process that others are forked off; the next question begins another.
close = _nursery.close
atexit.register(close)


def environment() -> dict[str, str]:
    """Return the little that an interpreter needs: settings and secrets of the server are not its business."""
    kept = {name: value for name in _KEPT if (value := os.environ.get(name))}
    ours = str(Path(__file__).resolve().parents[2])
    return kept | {
        "PYTHONPATH": os.pathsep.join([ours, *filter(None, sys.path)]),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Typst's threads take work from each other while they wait, each piece on top of the last, and with thousands
        # of pictures that is more than a stack holds. One thread has nobody to take from.
        "RAYON_NUM_THREADS": "1",
        "RUST_MIN_STACK": str(64 * 1024 * 1024),
    }
