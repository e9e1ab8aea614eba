"""Sending again: the same message, with growing pauses, for a bounded time."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .errors import FAILING, ExchangeError, ExchangeRefused

T = TypeVar("T")

_FIRST, _LONGEST = 0.5, 30.0
_FAILURES = 3  # so often is a message sent again that the server fails at


def _silent(_text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to go on, in seconds, and whom to tell of each pause."""

    seconds: float = 120.0
    notice: Callable[[str], None] = _silent
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def send(self, message: Callable[[], T]) -> T:
        """Call `message`, again as long as its error says that this may help and the time is not up.

        The pauses double from half a second to half a minute, with some chance in them so that many clients do not
        come back at once; a Retry-After of the server is respected. A SERVER_ERROR is the operator's to mend: after it
        the message is sent again three times at most. `message` must be safe to repeat: a question, or
        a message with its messageId.
        """
        end = self.clock() + self.seconds
        pause = _FIRST
        failures = 0
        while True:
            try:
                return message()
            except ExchangeError as error:
                wait = max(pause * random.uniform(0.5, 1.0), error.retry_after or 0.0)  # noqa: S311
                failures += isinstance(error, ExchangeRefused) and not error.codes.isdisjoint(FAILING)
                if not error.again or failures > _FAILURES or self.clock() + wait > end:
                    raise
                self.notice(f"{error.message} Sending again in {wait:.1f} s.")
            self.sleep(wait)
            pause = min(pause * 2, _LONGEST)


PATIENT = Patience()
