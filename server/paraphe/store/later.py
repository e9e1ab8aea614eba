"""Rows that nobody waits for, written a moment later, many in one transaction.

A row is *owed* from the moment at which it is handed over until it is in the database. Meanwhile it is in memory only,
so what is kept this way must be bearable to lose by `kill -9`: the journal of messages of which nothing was stored, the
date of a key's last use, the removal of what is too old.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, Executable

from .driver import Busy
from .transactions import writing

DELAY = 0.05
"""Seconds that a row waits for others, to be written together with them: a commit costs as much as 15 rows."""

LAST_ROWS = 5.0
"""Seconds that rows which are still owed have at the end, while others keep the database busy."""

_MOST_OWED = 50_000  # about 50 MB
_MOST_AT_ONCE = 500  # so that a message never waits long for this writer on SQLite
_PAUSE = 1.0  # seconds after which a database that could not be written is tried again

_Owed = tuple[Executable, Mapping[str, Any]]
log = logging.getLogger("paraphe.later")


class Later:
    """Writes behind the callers' backs, in the order in which it was asked to; as a context manager, all by its end.

    Rows are written by a thread that lives as long as any are owed. While the database cannot be written they wait,
    50 000 at most; what comes beyond is logged as not written, and forgotten. So is a row that the database refuses.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._owed: list[_Owed] = []
        self._writer: threading.Thread | None = None
        self._finished = threading.Condition()
        self._hurry = threading.Event()
        #: Is told how many rows are owed, whenever that changes.
        self.watch: Callable[[int], None] = lambda owed: None

    def owe(self, statement: Executable, row: Mapping[str, Any]) -> None:
        """Have a statement executed with these values soon; return at once."""
        with self._finished:
            if len(self._owed) >= _MOST_OWED:
                log.error("not written", extra={"rows": 1})
                return
            self._owed.append((statement, row))
            self.watch(len(self._owed))
            if self._writer is None:
                writer = threading.Thread(target=self._write, name="later", daemon=True)
                with suppress(RuntimeError):  # no more threads can be had: the next row tries again
                    writer.start()
                    self._writer = writer

    def settle(self, seconds: float) -> bool:
        """Write now what is owed, and wait until nothing is; False when the database did not take it in time."""
        with self._finished:
            self._hurry.set()
            settled = self._finished.wait_for(lambda: self._writer is None, seconds)
            self._hurry.clear()
            return settled

    def __enter__(self) -> "Later":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.settle(LAST_ROWS):
            log.error("not written", extra={"rows": len(self._owed)})

    # The thread

    def _write(self) -> None:
        while True:
            self._hurry.wait(DELAY)
            with self._finished:
                owed = self._owed[:_MOST_AT_ONCE]
                if not owed:
                    self._writer = None
                    self._finished.notify_all()
                    return
            self._write_together(owed)
            with self._finished:
                del self._owed[: len(owed)]
                self.watch(len(self._owed))

    def _write_together(self, owed: list[_Owed]) -> None:
        silent_until = 0.0
        while True:
            try:
                self._execute(owed)
            except Busy:
                if monotonic() > silent_until:
                    log.warning("rows wait", extra={"rows": len(self._owed)}, exc_info=True)
                    silent_until = monotonic() + 60
                sleep(_PAUSE)
            except Exception:
                if len(owed) == 1:
                    log.exception("not written", extra={"rows": 1})
                    return
                for one in owed:  # so that one that the database will never take holds up no other
                    self._write_together([one])
                return
            else:
                return

    def _execute(self, owed: list[_Owed]) -> None:
        together: dict[Executable, list[Mapping[str, Any]]] = {}
        for statement, row in owed:
            together.setdefault(statement, []).append(row)
        with writing(self._engine) as connection:
            for statement, rows in together.items():
                connection.execute(statement, rows)
