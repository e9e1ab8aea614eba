"""Files that survive a kill and a power cut: each step is on the disk before the next one begins."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import fcntl


class NotOurs(ValueError):  # noqa: N818 - the house names exceptions by what is the case
    """The file that should hold a state holds something else. It is left as it is."""


class Busy(Exception):  # noqa: N818 - the house names exceptions by what is the case
    """Another process works with the same file or folder."""


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk. Windows has no such call and does it by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old one or the new one, whole."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    keep(temporary, path)


def keep(temporary: Path, path: Path) -> None:
    """Give a file, already on the disk, its final name."""
    temporary.replace(path)
    sync_folder(path.parent)


def append(path: Path, content: bytes) -> int:
    """Add `content` at the end of a file, made if need be; return the length of the file, in bytes."""
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def cut(path: Path, length: int) -> None:
    """Take off what a file holds beyond `length` bytes: what was added before a kill and never confirmed."""
    with path.open("r+b") as file:
        file.truncate(length)
        os.fsync(file.fileno())


def size(path: Path) -> int:
    """Return the size of a file in bytes, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def load(path: Path, *names: str) -> dict[str, Any] | None:
    """Read a state file; None if there is none. Raises NotOurs if it is not a JSON object with all these members."""
    if not path.exists():
        return None
    try:
        state = json.loads(path.read_bytes())
    except ValueError:
        state = None
    if not isinstance(state, dict) or not state.keys() >= set(names):
        raise NotOurs(f"{path} is not a state file of this work. Name another one, or remove it to begin anew.")
    return state


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state file."""
    write(path, json.dumps(state, ensure_ascii=False, indent=1).encode())


def remove(path: Path) -> None:
    """Remove a file for good."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only process that works with `path`, until the end or the death of this process. Raises Busy.

    The lock is a file beside it, so that `path` itself may be replaced. Windows has no such lock: nothing is
    done there.
    """
    if sys.platform == "win32":
        yield
        return
    lock = path.with_name(f".{path.name}.lock")
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.path.samestat(os.fstat(file.fileno()), lock.stat())
        except (BlockingIOError, FileNotFoundError):
            held = False
        if not held:  # or its last holder has just removed it
            raise Busy(f"Another process works with {path}.")
        try:
            yield
        finally:
            lock.unlink()
