"""What is kept for some time only: the answers by which repeated messages are known again, and the journal."""

from datetime import datetime, timedelta

from sqlalchemy import Column, Delete, Table, bindparam, delete, select

from .later import Later
from .tables import journal, message

_AT_ONCE = 1000
_MESSAGES = 500
_TIME = timedelta(hours=1)


def _oldest(table: Table, moment: Column[datetime]) -> Delete:
    """Make the statement that removes those of a table's first rows that are from before a moment.

    Rows are numbered as they come, so the old ones are the first. No index on the moment is needed for that.
    """
    first = table.alias()
    rows = select(first.c.id).order_by(first.c.id).limit(_AT_ONCE)
    return delete(table).where(table.c.id.in_(rows), moment < bindparam("moment"))


_ANSWERS = _oldest(message, message.c.answered_on)
_JOURNAL = _oldest(journal, journal.c.received_on)


class Forgetting:
    """Removes what is older than its time, a thousand rows at once; no caller waits for it.

    That is done as messages come: with the first one of a process, then every 500 or each hour. So more can go than
    come, and nobody has to think of it.
    """

    def __init__(self, later: Later, answers: timedelta, journal: timedelta) -> None:
        self._later = later
        self._lives = {_ANSWERS: answers, _JOURNAL: journal}
        self._messages = 0
        self._next: datetime | None = None

    def remind(self, now: datetime) -> None:
        """Count a message, and have the oldest rows removed soon if it is time for that."""
        self._messages += 1
        if self._next is not None and self._messages < _MESSAGES and now < self._next:
            return
        self._messages, self._next = 0, now + _TIME
        for statement, life in self._lives.items():
            self._later.owe(statement, {"moment": now - life})
