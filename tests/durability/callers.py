"""Programs that call the server at once, and behave as good clients do when the connection breaks."""

import base64
import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .diary import OK, TROUBLE, Diary
from .messages import Message, Writer

_ANSWER_TIME = 120.0
"""Seconds after which an answer counts as lost."""

_MOST_TROUBLE = 40  # answers in which the server says that it cannot, before a caller gives a message up
_LATEST = 180.0  # seconds that a caller goes on looking for a server once it was told to come to an end


@dataclass
class Traffic:
    """What goes on, for who wants to kill in the middle of it."""

    _guard: threading.Condition = field(default_factory=threading.Condition)
    _sent: int = 0
    _answered: dict[str, int] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def sent(self) -> None:
        """Note that a request is on its way."""
        with self._guard:
            self._sent += 1
            self._guard.notify_all()

    def answered(self, address: str) -> None:
        """Note an answer of a server."""
        with self._guard:
            self._answered[address] = self._answered.get(address, 0) + 1
            self._guard.notify_all()

    def answers(self, address: str) -> int:
        """Return how many answers a server has given."""
        with self._guard:
            return self._answered.get(address, 0)

    def wait_for_answers(self, address: str, count: int, seconds: float) -> bool:
        """Wait until a server has given so many answers in all; False if it did not in that time."""
        with self._guard:
            return self._guard.wait_for(lambda: self._answered.get(address, 0) >= count, seconds)

    def wait_for_next(self, seconds: float) -> None:
        """Wait until the next request is on its way."""
        with self._guard:
            before = self._sent
            self._guard.wait_for(lambda: self._sent > before, seconds)

    def stop(self) -> None:
        """Tell callers to end with what they have begun, and no more."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def pause(self, seconds: float) -> None:
        """Wait a moment; shorter once it comes to an end."""
        self._stopping.wait(seconds)


class Unreachable(Exception):  # noqa: N818 - as the house names exceptions
    """No server took the connection for minutes."""


@dataclass
class Caller:
    """A program with a key: draws messages, sends them, repeats what was lost, and writes its diary."""

    writer: Writer
    account: str
    key: str
    addresses: Sequence[str]
    diary: Diary
    traffic: Traffic
    random: Random
    failure: BaseException | None = None

    def run(self) -> None:
        """Send messages until it is told to end."""
        try:
            while not self.traffic.stopping:
                self.deliver(self.writer.draw())
        except BaseException as failure:
            self.failure = failure

    def deliver(self, message: Message) -> None:
        """Bring a message through, or give it up as some clients would."""
        troubles = 0
        patient = self.random.random() < (0.9 if "messageId" in message.request else 0.7)
        while True:
            answer = self._attempt(message)
            if answer is None:
                if not patient:
                    return
            elif _in_trouble(answer) and troubles < _MOST_TROUBLE:
                troubles += 1
                self.traffic.pause(0.1)
                if self.traffic.stopping:
                    time.sleep(0.1)
            else:
                break
        if answer["returnCode"] == OK:
            if message.operation in ("SendInvoice", "SendInvoicingInfo"):
                self.writer.records.append(answer["recordNumber"])
            if "messageId" in message.request and self.random.random() < 0.1:
                self._attempt(message)  # as a client would that died before it noted the answer

    def _attempt(self, message: Message) -> dict[str, Any] | None:
        """Send a message once; return its answer, None if the connection was lost."""
        body = json.dumps(message.request).encode()
        connection = self._connected()
        address = f"{connection.host}:{connection.port}"
        number = self.diary.sent(self.account, self.writer.name, message.operation, message.noted)
        try:
            self.traffic.sent()
            connection.request("POST", f"/api/v1/{message.operation}", body, self._headers())
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            self.diary.lost(number)
            return None
        finally:
            connection.close()
        self.diary.answered(number, answer)
        self.traffic.answered(address)
        return answer

    def _headers(self) -> dict[str, str]:
        basic = base64.b64encode(f"{self.account}:{self.key}".encode()).decode()
        return {"Authorization": f"Basic {basic}", "Content-Type": "application/json", "Connection": "close"}

    def _connected(self) -> http.client.HTTPConnection:
        """Connect to one of the servers; while none is there, go on trying."""
        end = None
        while True:
            host, _, port = self.random.choice(self.addresses).partition(":")
            connection = http.client.HTTPConnection(host, int(port), timeout=_ANSWER_TIME)
            try:
                connection.connect()
            except OSError:
                connection.close()
                time.sleep(0.02)
            else:
                return connection
            if self.traffic.stopping:
                end = end or time.monotonic() + _LATEST
                if time.monotonic() > end:
                    raise Unreachable


def _in_trouble(answer: dict[str, Any]) -> bool:
    codes = {error["code"] for error in answer.get("errors", ())}
    return answer["returnCode"] != OK and not TROUBLE.isdisjoint(codes)


def start(callers: Sequence[Caller]) -> Callable[[], None]:
    """Let callers call, each in a thread; return what waits until all have come to an end."""
    threads = [threading.Thread(target=caller.run, name=caller.writer.name, daemon=True) for caller in callers]
    for thread in threads:
        thread.start()

    def finish() -> None:
        for thread in threads:
            thread.join()
        for caller in callers:
            if caller.failure is not None:
                raise caller.failure

    return finish
