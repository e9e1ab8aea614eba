"""Papers that cannot be set, as failures of the job that makes them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..documents.papers import BrokenTemplate, TooLong
from .jobs import Failed

log = logging.getLogger("paraphe.jobs")


@contextmanager
def typesetting() -> Iterator[None]:
    """Make papers in this block. Failed if a template is broken (it names file and line) or a paper is too long."""
    try:
        yield
    except BrokenTemplate as broken:
        place = f"{broken.file}:{broken.line}" if broken.line else broken.file
        log.error("template broken", extra={"file": broken.file, "line": broken.line})
        raise Failed(f"BROKEN_TEMPLATE {place}"[:64]) from broken
    except TooLong as failure:
        raise Failed("PAPER_TOO_LONG") from failure
