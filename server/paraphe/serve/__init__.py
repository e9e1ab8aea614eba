"""HTTP: waitress set up for large messages, for knowing when an answer has arrived, and for a quiet end.

What an application is given beyond WSGI:

- `environ["paraphe.flush"]()` waits until the other end has acknowledged every byte handed over so far. True: it has
  them. False: it is gone, or took nothing for a minute. Hand over the whole answer first (with a Content-Length, so
  that the caller need not wait for the end): call it behind the last `yield` of the answer.
- A body longer than `message_bytes` is read to its end and forgotten, so that the caller gets an answer and no broken
  connection: `CONTENT_LENGTH` says how long it was, `wsgi.input` is empty. Who announces it with
  `Expect: 100-continue`, and who sends four times as much, gets the answer at once and the connection is closed.
- `environ["paraphe.broken"]` is True if the body cannot be read, because its chunks are none.
- `environ["paraphe.late"]` is True if the request arrived too slowly: it is to be refused. Of its headers and its body
  only a part is there, and the connection is closed behind the answer.
- `environ["paraphe.stopping"]` is True if the server was told to stop before the request came: it is to be refused.
- `environ["REMOTE_ADDR"]` is the caller's address, also when trusted proxies brought the request.
"""

from .channel import PATIENCE
from .log import JsonLines, log_as_json
from .parent import CannotServe, Parent
from .process import announce, beside, serve, settle
from .server import LAST_ORDERS, CannotListen, Server, running
from .worker import Post
from .workers import Plan

__all__ = [
    "LAST_ORDERS",
    "PATIENCE",
    "CannotListen",
    "CannotServe",
    "JsonLines",
    "Parent",
    "Plan",
    "Post",
    "Server",
    "announce",
    "beside",
    "log_as_json",
    "running",
    "serve",
    "settle",
]
