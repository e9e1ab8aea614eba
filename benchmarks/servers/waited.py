"""`python -m benchmarks.servers.waited plain_spyne FOLDER`: a WSGI callable on waitress, as waitress is shipped."""

import sys
from importlib import import_module
from pathlib import Path

from waitress.server import create_server

from .. import messages
from ..wsgi import Served

LISTED = 1000


def main() -> None:
    """Serve until the process is told to end."""
    name, folder = sys.argv[1:]
    served: Served = import_module(f"benchmarks.{name}").start(Path(folder), messages.records(LISTED))
    server = create_server(served.application, host="127.0.0.1", port=0)
    print(f"http://127.0.0.1:{server.effective_port}", flush=True)  # type: ignore[union-attr]
    server.run()


if __name__ == "__main__":
    main()
