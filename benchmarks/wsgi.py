"""One message through a WSGI callable, as a server on a socket would hand it over, and what it costs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults


@dataclass(frozen=True, slots=True)
class Served:
    """A server in this process: its WSGI callable, and what each message to it brings besides the body."""

    application: WSGIApplication
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and the CPU that it took: seconds of this process, all threads, in Python and in the system."""

    status: str
    body: bytes
    cpu: float


def post(served: Served, body: bytes) -> Answer:
    """Send a SOAP 1.1 message; its cost counts from the call of the application to the close of its answer."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/soap/v1",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        **served.environ,
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
        statuses.append(status)

    before = time.process_time()
    pieces = served.application(environ, start)
    try:
        answer = b"".join(pieces)
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    return Answer(statuses[-1], answer, time.process_time() - before)
