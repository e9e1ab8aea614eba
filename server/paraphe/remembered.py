"""An answer as it is kept, to be given again when its message comes again: JSON, deflated if it is long.

The first line is the answer. Where it has slices it says how many, and they follow, a line each: so a long list is
written and read slice by slice.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

import orjson

from .slices import Slices

#: Bytes from which on an answer is deflated. What is said of a thousand items takes a tenth then.
_LONG = 8 << 10
_LEVEL = 1
_JSON = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_APPEND_NEWLINE


def packed(answer: Mapping[str, Any]) -> bytes:
    """Return an answer as bytes. Its values are those of `xml/decode.py`, texts, and slices as its members."""
    lines, short = _lines(answer), b""
    for line in lines:
        short += line
        if len(short) >= _LONG:
            deflater = zlib.compressobj(_LEVEL)
            return b"".join([*map(deflater.compress, chain([short], lines)), deflater.flush()])
    return short


def _lines(answer: Mapping[str, Any]) -> Iterator[bytes]:
    sliced = {key: value for key, value in answer.items() if isinstance(value, Slices)}
    numbers = {key: {"$slices": len(value)} for key, value in sliced.items()}
    yield orjson.dumps({**answer, **numbers}, default=_to_json, option=_JSON)
    for slices in sliced.values():
        for columns in slices:
            yield orjson.dumps(columns, default=_to_json, option=_JSON)


def unpacked(content: bytes) -> dict[str, Any]:
    """Return the answer that was packed."""
    lines = _inflated(content) if content[:1] != b"{" else iter(content.splitlines())
    answer: dict[str, Any] = json.loads(next(lines), object_hook=_from_json)
    for key, value in answer.items():
        if isinstance(value, dict) and "$slices" in value:
            answer[key] = Slices(json.loads(next(lines), object_hook=_from_json) for _ in range(value["$slices"]))
    return answer


def _inflated(content: bytes) -> Iterator[bytes]:
    inflater, rest, left = zlib.decompressobj(), b"", content
    while left:
        *whole, rest = (rest + inflater.decompress(left, 1 << 18)).split(b"\n")
        left = inflater.unconsumed_tail
        yield from whole
    yield from (rest + inflater.flush()).splitlines()


def _to_json(value: object) -> dict[str, str]:
    match value:
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case Decimal():
            return {"$decimal": str(value)}
    raise TypeError(f"an answer holds a {type(value).__name__}")


def _from_json(value: dict[str, Any]) -> Any:
    match value:
        case {"$datetime": text}:
            return datetime.fromisoformat(text)
        case {"$date": text}:
            return date.fromisoformat(text)
        case {"$decimal": text}:
            return Decimal(text)
    return value
