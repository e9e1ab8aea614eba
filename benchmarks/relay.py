"""A relay between the product and PostgreSQL that counts round trips: how often a question follows an answer."""

import selectors
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

_SOCKET = ".s.PGSQL.5432"


class Relay:
    """What went through so far."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self._lock = threading.Lock()
        self._connections: list[threading.Thread] = []
        self.round_trips = 0

    def accept(self, listening: socket.socket) -> None:
        """Take connections until nobody listens any more and all of them are closed."""
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                break
            connection = threading.Thread(target=self._pass_on, args=(caller,))
            self._connections.append(connection)
            connection.start()
        for connection in self._connections:
            connection.join(30)

    def _pass_on(self, caller: socket.socket) -> None:
        """Carry what either says to the other until one of them has gone."""
        with caller, socket.socket(socket.AF_UNIX) as database, selectors.DefaultSelector() as selector:
            database.connect(self._behind)
            for source, sink in ((caller, database), (database, caller)):
                selector.register(source, selectors.EVENT_READ, sink)
            answered = True
            while True:
                for key, _ in selector.select():
                    asking: Any = key.fileobj
                    piece = asking.recv(1 << 20)
                    if not piece:
                        return
                    if asking is caller and answered:
                        with self._lock:
                            self.round_trips += 1
                    answered = asking is database
                    key.data.sendall(piece)


@contextmanager
def relayed(url: str) -> Iterator[tuple[str, Relay]]:
    """Give the URL of a relay to a PostgreSQL database that is reached by a socket of Unix, for one `with` block."""
    target = make_url(url)
    relay = Relay(str(Path(str(target.query["host"])) / _SOCKET))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-"))
        listening = stack.enter_context(socket.socket(socket.AF_UNIX))
        listening.bind(str(Path(folder) / _SOCKET))
        listening.listen()
        accepting = threading.Thread(target=relay.accept, args=(listening,))
        accepting.start()
        stack.callback(accepting.join, 60)
        stack.callback(listening.shutdown, socket.SHUT_RDWR)
        yield target.update_query_dict({"host": folder}).render_as_string(hide_password=False), relay
