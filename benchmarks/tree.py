"""A process and all that it started: the CPU and the memory that they took. Linux only."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def processes(pid: int) -> Iterator[int]:
    """Give a process that runs and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = task.read_text().split()
        except OSError:  # the thread has ended in between
            continue
        for child in map(int, below):
            yield from processes(child)


def cpu(pid: int) -> float:
    """Return the seconds of CPU of a process and all below it, with those that have ended there."""
    return sum(map(_cpu_of, processes(pid)))


def _cpu_of(pid: int) -> float:
    try:
        # The clock of another process (clock_getcpuclockid): what /proc says in hundredths of a second, in nanoseconds.
        own = time.clock_gettime(~pid << 3 | 2)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended, and now counts for its parent
        return 0.0
    return own + (int(fields[13]) + int(fields[14])) / _TICKS


def peak(pid: int) -> int:
    """Return the most bytes of memory that each of them has had so far (VmHWM), added up."""
    return sum(map(peak_of, processes(pid)))


def peak_of(pid: int) -> int:
    """Return the most bytes of memory that one process has had so far; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 if "VmHWM:" in status else 0
