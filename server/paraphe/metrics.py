"""What the server counts about itself, and how Prometheus reads it.

No number tells of a person: labels are names of the contract and of this program only, and what is in none of these
closed lists is counted as "other". So the series are all known from the start, each is a place in one block of memory,
and to count is to add to a few places. Processes of one server share the block, each with a row of its own; who is
asked adds up all rows. See docs/decisions/2026-11-22-metrics.md.
"""

import mmap
import os
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from time import time

from . import __version__, contract
from .errors import Code

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What the text of `Metrics.text` is, to Prometheus."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""The upper ends of the ranges that durations are counted in."""

_OTHER = "other"
_FACES = ("soap", "json", "xml", "links", _OTHER)
_RETURN_CODES = ("200 OK", "500 ERROR")
_STATUSES = [
    "200",
    "206",
    "304",
    "308",
    "400",
    "401",
    "404",
    "405",
    "408",
    "409",
    "412",
    "413",
    "415",
    "416",
    "422",
    "429",
    "500",
    "503",
]
_DIRECTIONS = ("in", "out")
_WHAT = ("database", "archive")

_Labels = tuple[str, ...]


class _Family:
    """Metrics of one name, told apart by labels; each has `width` places in a row of the block, one after the other.

    `shown` says whether those that are 0 are shown as well, so that an alert sees the first one that is counted.
    """

    def __init__(
        self, at: int, name: str, kind: str, help: str, labels: _Labels, values: Iterable[_Labels], *, shown: bool
    ) -> None:
        self.name, self.kind, self.help, self.labels, self.shown = name, kind, help, labels, shown
        self.width = len(SECONDS) + 2 if kind == "histogram" else 1
        self.places = {value: at + number * self.width for number, value in enumerate(values)}
        self.other = at + (len(self.places) - 1) * self.width
        self.end = at + len(self.places) * self.width


@dataclass(frozen=True, slots=True)
class Shared:
    """A block in which several processes count, all of one version: an open file, as long as need be, or -1 for none.

    `process` is the number of this one, from 0 to `processes` - 1; `since` is when the server was started, in seconds
    since 1970, or 0.0 for now.
    """

    file: int
    process: int
    processes: int
    since: float


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric that nobody counts: it is looked up when it is asked for. `values` are by their labels."""

    name: str
    help: str
    values: Sequence[tuple[str, float]]


ALONE = Shared(-1, 0, 1, 0.0)


class Metrics:
    """Counts, in any number of threads.

    In a row that another process has left, it counts on from there; what is at work is no longer, as that has died.
    """

    def __init__(self, shared: Shared = ALONE) -> None:
        operations = (*contract.operations(), _OTHER)
        self._width = 0
        self._families: list[_Family] = []
        self._messages = self._add(
            "messages_total",
            "counter",
            "Messages that were answered.",
            ("face", "operation", "return_code"),
            product(_FACES, operations, _RETURN_CODES),
            shown=False,
        )
        self._seconds = self._add(
            "message_seconds",
            "histogram",
            "Seconds from a message's arrival to its answer, without the time that either is on the wire.",
            ("operation",),
            ((name,) for name in operations),
            shown=False,
        )
        self._bytes = self._add(
            "bytes_total",
            "counter",
            "Bytes of messages (in) and of answers and documents (out), before compression.",
            ("face", "direction"),
            product(_FACES, _DIRECTIONS),
        )
        self._errors = self._add(
            "errors_total",
            "counter",
            "Answers that hold at least one error with this code.",
            ("code",),
            ((str(code),) for code in (*Code, _OTHER)),
        )
        self._responses = self._add(
            "http_responses_total",
            "counter",
            "HTTP answers of any kind.",
            ("status",),
            ((status,) for status in (*_STATUSES, _OTHER)),
        )
        self._busy = self._add(
            "busy_total",
            "counter",
            "Messages refused because the database or the archive did not answer.",
            ("what",),
            ((what,) for what in _WHAT),
        )
        self._failed_logins = self._add(
            "failed_logins_total", "counter", "Messages with a wrong user or key, also those that were too many."
        )
        self._at_work = self._add("requests_at_work", "gauge", "HTTP requests that are being worked on or answered.")
        self._rows_owed = self._add(
            "journal_rows_owed", "gauge", "Rows, most of them of the journal, that wait in memory to be written."
        )
        self._started = shared.since or time()
        size = self._width * 8 * shared.processes
        if shared.file != -1:
            os.ftruncate(shared.file, size)
        self._block = memoryview(mmap.mmap(shared.file, size)).cast("d")
        self._lock = threading.Lock()
        self._row = self._block[shared.process * self._width : (shared.process + 1) * self._width]
        for gauge in (self._at_work, self._rows_owed):
            self._row[gauge.other] = 0.0

    def _add(
        self,
        name: str,
        kind: str,
        help: str,
        labels: _Labels = (),
        values: Iterable[_Labels] = ((),),
        *,
        shown: bool = True,
    ) -> _Family:
        family = _Family(self._width, f"paraphe_{name}", kind, help, labels, values, shown=shown)
        self._width = family.end
        self._families.append(family)
        return family

    # Counting

    def message(
        self, face: str, operation: str | None, return_code: str, seconds: float, sizes: tuple[int, int]
    ) -> None:
        """Count a message that was answered; `sizes` are those of the message and of its answer, in bytes."""
        if face not in _FACES:
            face = _OTHER
        label = (operation or _OTHER,)
        row, duration = self._row, self._seconds.places.get(label, self._seconds.other)
        messages = self._messages.places.get((face, label[0], return_code))
        if messages is None:
            messages = self._messages.places[face, _OTHER, return_code]
        size = self._bytes.places[face, "in"]
        with self._lock:
            row[messages] += 1
            row[duration + bisect_left(SECONDS, seconds)] += 1
            row[duration + len(SECONDS) + 1] += seconds
            row[size] += sizes[0]
            row[size + 1] += sizes[1]

    def errors(self, codes: Iterable[str]) -> None:
        """Count the error codes of one answer, each given once."""
        for code in codes:
            self._count(self._errors.places.get((code,), self._errors.other))

    def document(self, size: int) -> None:
        """Count the bytes of a document that is given by its address."""
        self._count(self._bytes.places["links", "out"], size)

    def responded(self, status: str) -> None:
        """Count an HTTP answer by the three figures of its status."""
        self._count(self._responses.places.get((status,), self._responses.other))

    def busy(self, what: str) -> None:
        """Count that the "database" or the "archive" did not answer."""
        self._count(self._busy.places[what,])

    def failed_login(self) -> None:
        """Count a wrong user or key."""
        self._count(self._failed_logins.other)

    def at_work(self, more: int) -> None:
        """Count one request more (1) or less (-1) at work."""
        self._count(self._at_work.other, more)

    def rows_owed(self, number: int) -> None:
        """Tell how many rows this process owes now."""
        self._row[self._rows_owed.other] = number

    def _count(self, place: int, number: int = 1) -> None:
        with self._lock:
            self._row[place] += number

    # Being asked

    def text(self, gauges: Sequence[Gauge] = ()) -> str:
        """Return all metrics of all processes, and others besides, in the text format of Prometheus."""
        rows = [self._block[at : at + self._width].tolist() for at in range(0, len(self._block), self._width)]
        values = rows[0] if len(rows) == 1 else [sum(column) for column in zip(*rows, strict=True)]
        lines = [
            "# HELP paraphe_info What is running.",
            "# TYPE paraphe_info gauge",
            f'paraphe_info{{version="{__version__}"}} 1',
            "# HELP paraphe_started_seconds When the server was started, in seconds since 1970.",
            "# TYPE paraphe_started_seconds gauge",
            f"paraphe_started_seconds {self._started:.3f}",
        ]
        for family in self._families:
            lines += (f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}")
            lines += _samples(family, values)
        for gauge in gauges:
            lines += (f"# HELP paraphe_{gauge.name} {gauge.help}", f"# TYPE paraphe_{gauge.name} gauge")
            lines += (
                f"paraphe_{gauge.name}{_braces([labels] if labels else [])} {_number(value)}"
                for labels, value in gauge.values
            )
        return "\n".join([*lines, ""])


def _samples(family: _Family, values: Sequence[float]) -> Iterator[str]:
    for labels, at in family.places.items():
        those = values[at : at + family.width]
        if not family.shown and not any(those):
            continue
        pairs = [f'{name}="{value}"' for name, value in zip(family.labels, labels, strict=True)]
        if family.kind == "histogram":
            yield from _histogram(family.name, pairs, those)
        else:
            yield f"{family.name}{_braces(pairs)} {_number(those[0])}"


def _histogram(name: str, pairs: list[str], values: Sequence[float]) -> Iterator[str]:
    counts = list(accumulate(values[:-1]))
    for end, count in zip([*map(_number, SECONDS), "+Inf"], counts, strict=True):
        le = f'le="{end}"'
        yield f"{name}_bucket{_braces([*pairs, le])} {_number(count)}"
    yield f"{name}_sum{_braces(pairs)} {values[-1]:.6f}"
    yield f"{name}_count{_braces(pairs)} {_number(counts[-1])}"


def _braces(pairs: list[str]) -> str:
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
