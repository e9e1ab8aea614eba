"""What the tests of the client stand on: a fake exchange and a client of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from paraphe_client import Exchange, Patience
from paraphe_client.__main__ import main

from .fake import KEY, USER, FakeExchange, start


@pytest.fixture
def fake() -> Iterator[FakeExchange]:
    """A fresh fake exchange that listens."""
    state = FakeExchange()
    server = start(state)
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def exchange(fake: FakeExchange) -> Iterator[Exchange]:
    """A client of the fake."""
    with Exchange(fake.url, USER, KEY, timeout=10) as client:
        yield client


@pytest.fixture
def patience():
    """Patience that does not wait: it only counts, and gives up after `seconds` of pauses."""
    return waiting(60)


def waiting(seconds):
    """A Patience on a clock of its own; `paused` is what it would have slept."""
    now = [0.0]
    paused = []

    def sleep(pause):
        paused.append(pause)
        now[0] += pause

    result = Patience(seconds=seconds, sleep=sleep, clock=lambda: now[0])
    object.__setattr__(result, "paused", paused)
    return result


class Killed(BaseException):
    """The process is killed here."""


@pytest.fixture
def killed_everywhere(monkeypatch):
    """Kill a work at each of its steps in turn, and start it again each time; return how many steps there were.

    Steps are the calls that reach the disk, and those that reach the network, killed before and after. `begin` gives a
    fresh world; `work` is what a new process would do; `check` looks at the world after the second start came to its
    end. No power is cut here, so nothing waits for the disk.
    """
    steps = {"left": 0}

    def pass_by():
        steps["left"] -= 1
        if steps["left"] == 0:
            raise Killed

    def wrap(owner, name, real, *, after=False):
        def step(*args, **kwargs):
            pass_by()
            result = real(*args, **kwargs)
            if after:
                pass_by()
            return result

        monkeypatch.setattr(owner, name, step)

    wrap(os, "fsync", lambda _file: None)
    wrap(os, "replace", os.replace)
    wrap(os, "unlink", os.unlink)
    wrap(requests.Session, "send", requests.Session.send, after=True)

    def run(begin, work, check):
        for step in range(1, 1000):
            begin()
            steps["left"] = step
            try:
                work()
            except Killed:
                steps["left"] = 0
                work()
                check()
            else:
                check()
                return step
        raise AssertionError("it never comes to its end")

    return run


class Command:
    """The command `paraphe-client` in a process of its own."""

    def __init__(self, fake, folder):
        self.fake = fake
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PARAPHE")},
            "PARAPHE_URL": fake.url,
            "PARAPHE_API_USER": USER,
            "PARAPHE_API_KEY": KEY,
            "PYTHONWARNINGS": "error",
            "PYTHONUTF8": "1",
            "HOME": str(folder),
        }
        self.process: Any = None

    def start(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "paraphe_client", *map(str, arguments)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def __call__(self, *arguments, code=0):
        """Run it to its end; return its standard output."""
        process = self.start(*arguments)
        self.out, self.err = process.communicate(timeout=60)
        assert process.returncode == code, self.err
        return self.out

    def json(self, *arguments, code=0):
        return json.loads(self(*arguments, "--json", code=code))

    def kill(self, _handler=None):
        """Kill it, and let the server go on as if nothing was."""
        os.kill(self.process.pid, signal.SIGKILL)
        return False

    def dies(self, *arguments):
        """Run it until it is killed."""
        process = self.start(*arguments)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL


@pytest.fixture
def command(fake: FakeExchange, tmp_path: Path) -> Command:
    """The command, set up for the fake by its environment."""
    return Command(fake, tmp_path)


@pytest.fixture
def run(fake, monkeypatch, tmp_path, capsys):
    """The command in this process: returns its exit code, output and messages."""
    monkeypatch.setenv("PARAPHE_URL", fake.url)
    monkeypatch.setenv("PARAPHE_API_USER", USER)
    monkeypatch.setenv("PARAPHE_API_KEY", KEY)
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call
