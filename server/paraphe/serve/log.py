"""What goes to standard error, and what of it may be told."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import orjson
from sqlalchemy.exc import InterfaceError, OperationalError

from ..archive import Unavailable
from ..store import Busy

_OURS = "paraphe"
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Tokens in the paths of documents, which waitress writes down when a caller leaves early.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43,}={0,2}")


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, what the line's `extra` holds, and a failure.

    Of a failure its type and its places in the code are told. Its text only if it speaks of the machine (a disk, a
    connection): others may quote data. With `debug`, every text.
    """

    def __init__(self, *, debug: bool = False) -> None:
        super().__init__()
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """Write the line."""
        message = record.getMessage()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _TOKEN.sub("…", message) if record.name.startswith("waitress") else message,
        }
        line |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info and record.exc_info[1]:
            line["failure"] = list(self._failures(record.exc_info[1]))
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:  # half a surrogate pair, or a number of more than 64 bits
            return json.dumps(line, default=str)

    def _failures(self, error: BaseException) -> Iterator[dict[str, Any]]:
        """Yield the failure, then what led to it."""
        seen: set[int] = set()
        cause: BaseException | None = error
        while cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            failure: dict[str, Any] = {"type": f"{type(cause).__module__}.{type(cause).__qualname__}"}
            if self._debug:
                failure["text"] = str(cause)
            elif isinstance(cause, (OperationalError, InterfaceError)):
                failure["text"] = str(cause.orig)
            elif isinstance(cause, OSError):
                failure["text"] = cause.strerror
            elif isinstance(cause, (Unavailable, Busy)) or hasattr(cause, "sqlite_errorname"):
                failure["text"] = str(cause)
            failure["at"] = _places(cause)
            yield failure
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _places(error: BaseException) -> list[str]:
    places, trace = [], error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return places


class _Overload(logging.Filter):
    """Of waitress's lines "Task queue depth is N", one for each request that waits: one a minute, and no N below 4.

    It counts threads that are only just starting as busy, so small numbers say nothing.
    """

    _silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        (depth,) = record.args if isinstance(record.args, tuple) and len(record.args) == 1 else (None,)
        if not isinstance(depth, int) or depth < 4 or monotonic() < self._silent_until:
            return False
        self._silent_until = monotonic() + 60
        return True


def log_as_json(level: str) -> None:
    """Send log lines to standard error as JSON: ours from `level` on, those of libraries from WARNING on.

    Libraries tell more than is wanted: SQLAlchemy the values of a statement, waitress the addresses of documents.
    """
    # A line tells nothing of these, so they need not be found out (Python's Logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(debug=level == "debug"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(_OURS).setLevel(level.upper())
    logging.getLogger("waitress.queue").addFilter(_Overload())
    logging.captureWarnings(True)
