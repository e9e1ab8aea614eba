"""A file that is safe on the disk before its sender is answered."""

import os
import uuid
from pathlib import Path


def keep(folder: Path, content: bytes) -> str:
    """Write a file under a name of its own, which is there only when the file is whole and on the disk; return it."""
    name = uuid.uuid4().hex
    beside = folder / f"{name}.part"
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(folder / name)
    return name
