"""What goes between a process and who asked it: JSON and some bytes, announced by their lengths."""

import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

_LENGTH = 8


def written(said: Any, *parts: bytes) -> tuple[bytes, ...]:
    """Return the pieces of a message."""
    head = json.dumps({"said": said, "sizes": [len(part) for part in parts]}).encode()
    return (len(head).to_bytes(_LENGTH, "big"), head, *parts)


def head_of(stream: IO[bytes]) -> tuple[Any, list[int]]:
    """Read what a message says, and how long the bytes are that follow. ValueError if it is not whole."""
    head = json.loads(_exactly(stream, int.from_bytes(_exactly(stream, _LENGTH), "big")))
    return head["said"], head["sizes"]


def parts_of(stream: IO[bytes], sizes: Sequence[int]) -> Iterator[bytes]:
    """Read the bytes that follow. ValueError if they are not whole, or if there are more."""
    for size in sizes:
        yield _exactly(stream, size)
    if stream.read(1):
        raise ValueError("more came than was announced")


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise ValueError("not all of it came")
    return content
