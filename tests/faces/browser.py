"""A real browser, Chromium, told what to do over its debugging pipe; it says all that its console would show."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds
NAMES = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
# Chromium's own sandbox cannot be set up by root; the pages are ours.
_OPTIONS = ["--headless", "--disable-gpu", "--no-sandbox", "--no-first-run", "--remote-debugging-pipe"]


class Browser:
    """One page of a running browser."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._received = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        (page,) = [one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        attached = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session: dict[str, str] = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Log", "Runtime", "Network", "Audits"):
            self.ask(f"{domain}.enable")

    _session: dict[str, str] = {}  # noqa: RUF012 - none until a page is attached

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda said: said.get("id") == self._number)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def close(self) -> None:
        """End the browser with all its processes."""
        self._session = {}
        self.ask("Browser.close")

    def open(self, url: str) -> list[str]:
        """Go to an address and return what went wrong, as the console and the list of issues tell it."""
        self._events.clear()
        self.ask("Page.navigate", url=url)
        self._until(lambda said: said.get("method") == "Page.loadEventFired")
        # What the page does at the end of its loading has been done when this is answered.
        self.value("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
        return self.complaints

    @property
    def complaints(self) -> list[str]:
        """What has gone wrong since the page was opened."""
        self.value("0")  # what came before this was told before it is answered
        return [json.dumps(said["params"]) for said in self._events if said.get("method") in _TROUBLE]

    def value(self, expression: str) -> Any:
        """What an expression is worth in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _until(self, wanted: Any) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        for known in self._events:
            if wanted(known):
                return known
        while True:
            while b"\0" not in self._received:
                ready, _, _ = select.select([self._reading], [], [], max(0, end - time.monotonic()))
                assert ready, "The browser does not answer."
                piece = os.read(self._reading, 1 << 16)
                assert piece, "The browser has ended."
                self._received += piece
            line, _, self._received = self._received.partition(b"\0")
            said: dict[str, Any] = json.loads(line)
            self._events.append(said)
            if wanted(said):
                return said


_TROUBLE = {
    "Log.entryAdded",
    "Runtime.exceptionThrown",
    "Runtime.consoleAPICalled",
    "Audits.issueAdded",
    "Network.loadingFailed",
}


# Chromium reads from 3 and writes to 4; both ends go out of the way first.
_LAUNCH = """
import os, sys
reading, writing = (os.dup(int(number)) for number in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
for number in (3, 4):
    os.set_inheritable(number, True)
os.execv(sys.argv[3], sys.argv[3:])
"""


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Run a browser that keeps its files in a folder, for one `with` block."""
    assert PROGRAM is not None
    to_browser, ours_out = os.pipe()
    ours_in, from_browser = os.pipe()
    command = [sys.executable, "-c", _LAUNCH, str(to_browser), str(from_browser)]
    command += [PROGRAM, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    passed, nowhere = (to_browser, from_browser), subprocess.DEVNULL
    running = subprocess.Popen(command, pass_fds=passed, stdout=nowhere, stderr=nowhere)
    os.close(to_browser)
    os.close(from_browser)
    try:
        browser = Browser(ours_in, ours_out)
        yield browser
        browser.close()
        running.wait(PATIENCE)
    finally:
        running.kill()
        running.wait()
        os.close(ours_in)
        os.close(ours_out)
