"""The nursery: waits for work, and has each piece done within limits by a child."""

import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from . import LONGEST_NAME, Limits
from .message import head_of, parts_of, written

_MOST_FILES = 8


def _confine(limits: Limits) -> None:
    """Give up what the work does not need; it cannot be taken back."""
    memory = limits.megabytes * 1_000_000 + _taken()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_seconds, limits.processor_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.written, limits.written))


def _taken() -> int:
    """Return how many bytes of addresses the nursery has, which all modules are in; 0 if the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 0


def _answer(talk: socket.socket, module: str, files: Sequence[int]) -> tuple[bytes, ...]:
    with talk.makefile("rb") as stream:
        asked, sizes = head_of(stream)
        _confine(Limits(**asked["limits"]))
        try:
            said, *more = import_module(module).answer(asked["said"], *parts_of(stream, sizes), *files)
        except (MemoryError, RecursionError):
            return ()
        except BaseException as error:  # such as the panics of a library in Rust
            return written({"raised": _place(error)})
    return written({"said": said}, *more)


def _place(error: BaseException) -> str:
    """Return what was raised and where; its text is left out, as it may hold pieces of the document."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" at {Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last else ""
    return f"{type(error).__name__}{where}"


def _child(module: str, descriptors: Sequence[int]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with suppress(Exception), socket.socket(fileno=descriptors[0]) as talk:
        talk.sendall(os.getpid().to_bytes(8, "big"))
        for piece in _answer(talk, module, descriptors[1:]):
            talk.sendall(piece)
    os._exit(0)  # nothing to tidy up; freeing a large document object by object takes longer than reading it


def _ready(module: str) -> None:
    """Have a module here before it is needed; one that cannot be had is told by the child, which tries again."""
    if module not in sys.modules:
        with suppress(Exception):
            import_module(module)
        gc.freeze()


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, whose end is ours
    children = set[int]()
    with socket.socket(fileno=sys.stdin.fileno()) as control:
        while True:
            name, descriptors, _, _ = socket.recv_fds(control, LONGEST_NAME, 1 + _MOST_FILES)
            with suppress(ChildProcessError):
                while ended := os.waitpid(-1, os.WNOHANG)[0]:
                    children.discard(ended)
            if not descriptors:
                break
            module = name.decode().strip()
            _ready(module)
            if (child := os.fork()) == 0:
                control.detach()
                os.close(0)
                _child(module, descriptors)
            children.add(child)
            for descriptor in descriptors:
                os.close(descriptor)
    for child in children:  # nobody waits for them any more; those that have ended are still there to be waited for
        os.kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait()  # so that the system counts what they took


if __name__ == "__main__":
    _main()
