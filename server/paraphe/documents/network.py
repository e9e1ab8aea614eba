"""Short talks with authorities on the network, each with an end that holds whatever the other side does.

They run in a thread of their own. Even a name server that does not answer cannot keep who waits: the thread stays, the
caller goes on.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def wait_for(talk: Coroutine[Any, Any, T], seconds: float) -> T:
    """Return what the talk comes to. Raises TimeoutError when it takes longer, and whatever the talk raises."""
    future = asyncio.run_coroutine_threadsafe(talk, _loop())
    try:
        return future.result(seconds)
    except CancelledError as error:
        raise TimeoutError from error
    finally:
        future.cancel()


def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop of this process; after a fork the thread of the other one is not there."""
    with _lock:
        if os.getpid() not in _loops:
            _loops.clear()
            loop = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="authorities", daemon=True).start()
        return _loops[os.getpid()]
