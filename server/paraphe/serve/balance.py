"""How many connections each process has, so that who has more lets the others go first.

All processes wait for the same socket, and one that happens to be awake would take every connection of a caller who
opens eight at once. What callers keep open stays where it is, so that would be one process at work and the others idle.
"""

import mmap
import os
from time import sleep

_SIZE = 8  # bytes of a count
_PAUSE = 0.001  # seconds for each connection that we have more than another process
_LONGEST = 0.005


class Balance:
    """The counts of all processes, in an open file that they share; `process` is the number of this one."""

    def __init__(self, file: int, process: int, processes: int) -> None:
        os.ftruncate(file, _SIZE * processes)
        self._counts = memoryview(mmap.mmap(file, _SIZE * processes)).cast("q")
        self._process = process
        self.tell(0)

    def tell(self, connections: int) -> None:
        """Tell the others how many connections this process has."""
        self._counts[self._process] = connections

    def after_you(self) -> None:
        """Wait for a moment if this process has clearly more than another one: that takes what waits, if it can."""
        lead = self._counts[self._process] - min(self._counts)
        if lead > 1:
            sleep(min(lead * _PAUSE, _LONGEST))
