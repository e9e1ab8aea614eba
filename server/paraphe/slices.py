"""Many items slice by slice, by columns: so many that they would fill the memory are in a file."""

import pickle
from collections.abc import Iterable, Iterator

from .columns import Columns
from .spool import Spooled, nameless


class Slices:
    """Slices that are given one after the other, as often as asked for: the first from memory, the others from a file.

    So those of a short message cost nothing, and those of a long one take the memory of two.
    """

    def __init__(self, slices: Iterable[Columns] = ()) -> None:
        self._first: Columns | None = None
        self._file: Spooled | None = None
        self._ends = [0]
        for each in slices:
            self.add(each)

    def add(self, columns: Columns) -> None:
        """Put another slice behind the others. Raises OSError."""
        if self._first is None:
            self._first = columns
            return
        if self._file is None:
            self._file = nameless()
        self._file.write(pickle.dumps(columns, pickle.HIGHEST_PROTOCOL))
        self._ends.append(len(self._file))

    def __len__(self) -> int:
        return len(self._ends) - (self._first is None)

    def __iter__(self) -> Iterator[Columns]:
        if self._first is not None:
            yield self._first
        for begin, end in zip(self._ends, self._ends[1:], strict=False):
            # The file has no name: nobody else can write it.
            yield pickle.loads(self._file[begin:end])  # type: ignore[index]  # noqa: S301
