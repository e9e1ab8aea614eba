"""Text recognition by tesseract, for pages that hold a picture of text and nothing else.

The picture is handed over as it lies in the PDF (a photograph as JPEG, a scan as a plain bitmap): nothing is ever
rendered. Pages drawn in outlines, and pictures in other forms, stay unread. Needs the program `tesseract` with French.
"""

import csv
import io
import os
import subprocess
from collections.abc import Iterator
from typing import Any

from pypdf.generic import DictionaryObject, StreamObject

from .layout import Cell, Line

_MOST_PIXELS = 40_000_000
_LEAST_SURE = 25.0  # words that tesseract itself hardly believes are dirt
_SECONDS = 40


def recognise(tesseract: str, page: int, first: int, source: Any) -> list[Line]:
    """Return the lines of a page that is one picture; none if it is not, or nothing was recognised."""
    picture = _picture(source)
    if picture is None:
        return []
    command = [tesseract, "stdin", "stdout", "-l", "fra", "--psm", "4", "tsv"]
    environment = {"OMP_THREAD_LIMIT": "1", "PATH": os.environ.get("PATH", "")} | {
        name: value for name in ("TESSDATA_PREFIX", "LD_LIBRARY_PATH") if (value := os.environ.get(name))
    }
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own program, no shell
            command, input=picture, capture_output=True, timeout=_SECONDS, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return list(_lines(done.stdout.decode("utf-8", "replace"), page, first))


def _resolved(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value


def _picture(source: Any) -> bytes | None:
    """Return the largest picture of a page as a file that tesseract reads."""
    resources = _resolved(source.get("/Resources"))
    objects = _resolved(resources.get("/XObject")) if isinstance(resources, DictionaryObject) else None
    if not isinstance(objects, DictionaryObject):
        return None
    found = [_resolved(each) for each in list(objects.values())[:50]]
    images = [each for each in found if isinstance(each, StreamObject) and each.get("/Subtype") == "/Image"]
    images = [each for each in images if 0 < _pixels(each) <= _MOST_PIXELS]
    return _as_file(max(images, key=_pixels)) if images else None


def _pixels(image: Any) -> int:
    return int(image.get("/Width", 0)) * int(image.get("/Height", 0))


def _as_file(image: Any) -> bytes | None:
    filters = _resolved(image.get("/Filter"))
    filters = [str(filters)] if isinstance(filters, str) else [str(each) for each in filters or []]
    if filters[-1:] in (["/DCTDecode"], ["/JPXDecode"]):
        return bytes(image._data) if len(filters) == 1 else None
    if filters == ["/CCITTFaxDecode"]:
        return bytes(image.get_data())  # pypdf makes it a TIFF
    if not set(filters) <= {"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCII85Decode", "/ASCIIHexDecode"}:
        return None
    width, height, bits = int(image["/Width"]), int(image["/Height"]), int(image.get("/BitsPerComponent", 1))
    data: bytes = image.get_data()
    if bits == 1 and len(data) >= (width + 7) // 8 * height:
        black_is_one = [int(each) for each in _resolved(image.get("/Decode")) or [0, 1]][:1] == [1]
        bitmap = data if black_is_one else bytes(each ^ 255 for each in data)
        return b"P4\n%d %d\n" % (width, height) + bitmap
    for colours, kind in ((1, b"P5"), (3, b"P6")):
        if bits == 8 and len(data) == width * height * colours:
            return kind + b"\n%d %d\n255\n" % (width, height) + data
    return None


def _lines(table: str, page: int, first: int) -> Iterator[Line]:
    """Turn tesseract's table of words into lines; words of one height are one line, whatever block they are in."""
    words = []
    for entry in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        try:
            left, top, width, height, sure = (float(entry[name]) for name in ("left", "top", "width", "height", "conf"))
        except (KeyError, TypeError, ValueError):
            continue
        text = (entry.get("text") or "").strip()
        if text and sure >= _LEAST_SURE and height > 0:
            words.append((top + height, left, left + width, height, text))
    words.sort()
    rows: list[list[tuple[float, float, float, float, str]]] = []
    for word in words:
        if rows and word[0] - rows[-1][0][0] < 0.5 * max(word[3], rows[-1][0][3]):
            rows[-1].append(word)
        else:
            rows.append([word])
    for number, row in enumerate(rows):
        yield Line(page, first + number, tuple(_cells(sorted(row, key=lambda each: each[1]))))


def _cells(row: list[tuple[float, float, float, float, str]]) -> Iterator[Cell]:
    size = max(each[3] for each in row)
    run = [row[0]]
    for word in row[1:]:
        if word[1] - run[-1][2] > 1.15 * size:
            yield Cell.of([(each[4], each[1], each[2]) for each in run], -row[0][0], size)
            run = []
        run.append(word)
    yield Cell.of([(each[4], each[1], each[2]) for each in run], -row[0][0], size)
