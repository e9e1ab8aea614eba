"""The other process: waits for files to read, and has each read within limits by a child; see apart.py."""

import gc
import json
import os
import resource
import signal
import socket
import sys
from contextlib import suppress

from .apart import Limits
from .invoice import read_here
from .result import Known, Payer, Reading, Student, as_json

_TOO_COMPLEX = "Reading the PDF took more memory than an invoice can need; it was stopped."


def _confine(limits: Limits) -> None:
    """Give up what reading does not need; it cannot be taken back."""
    memory = limits.megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_seconds, limits.processor_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _known(sent: dict[str, list[dict[str, object]]]) -> Known:
    students = tuple(Student(**each | {"numbers": tuple(each["numbers"])}) for each in sent["students"])  # type: ignore[arg-type]
    return Known(students, tuple(Payer(**each) for each in sent["payers"]), tuple(map(str, sent["sirets"])))  # type: ignore[arg-type]


def _answer(talk: socket.socket) -> bytes:
    stream = talk.makefile("rb")
    head = json.loads(stream.read(int.from_bytes(stream.read(8), "big")))
    limits = Limits(**head["limits"])
    _confine(limits)
    try:
        reading = read_here(stream.read(), _known(head["known"]), limits.pages, head["tesseract"])
    except (MemoryError, RecursionError):
        reading = Reading(failure="PDF_TOO_COMPLEX")
        reading.warn(
            "PDF_TOO_COMPLEX", _TOO_COMPLEX, "Let a person enter the elements of the invoice with ReviewRecord."
        )
    return json.dumps(as_json(reading)).encode()


def _child(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with suppress(Exception), socket.socket(fileno=descriptor) as talk:
        talk.sendall(os.getpid().to_bytes(8, "big"))
        talk.sendall(_answer(talk))
    os._exit(0)  # nothing to tidy up; freeing a large document object by object takes longer than reading it


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, whose end is ours
    gc.freeze()
    with socket.socket(fileno=sys.stdin.fileno()) as control:
        while True:
            _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not descriptors:
                break
            if os.fork() == 0:
                control.detach()
                os.close(0)
                _child(descriptors[0])
            os.close(descriptors[0])
    with suppress(ChildProcessError):
        while True:
            os.wait()  # so that the system counts what they took


if __name__ == "__main__":
    _main()
