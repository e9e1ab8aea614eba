"""Work in a process of its own: one question, one answer, and no harm to who asked, whatever happens to it."""

import os
import signal
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from paraphe import apart
from paraphe.apart import Limits, Stopped, Unforeseen

from . import working_apart
from .soap.processes import InThread, until

LIMITS = Limits(seconds=20.0, processor_seconds=5, megabytes=100)


def ask(do, *parts, limits=LIMITS, files=(), **said):
    return apart.ask(working_apart.__name__, {"do": do, **said}, *parts, limits=limits, files=files)


def test_what_is_asked_arrives_and_what_is_answered_comes_back_whatever_its_size():
    large = bytes(range(256)) * 20_000

    assert ask("tell", large, b"", b"\0\n", word="é\ud800") == (
        {"do": "tell", "word": "é\ud800"},
        (large, b"", b"\0\n"),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("do", "limits"),
    [
        ("sleep", replace(LIMITS, seconds=0.2)),
        ("calculate", replace(LIMITS, processor_seconds=1)),
        ("grow", LIMITS),
        ("die", LIMITS),
    ],
)
def test_what_takes_too_much_or_dies_is_stopped_and_the_next_is_done(do, limits):
    with pytest.raises(Stopped):
        ask(do, limits=limits)

    assert ask("tell")


def test_half_an_answer_is_none():
    with pytest.raises(Stopped):
        ask("half")


def test_what_nobody_foresaw_is_told_by_kind_and_place_without_a_word_of_the_document():
    with pytest.raises(Unforeseen, match=r"^ValueError at working_apart\.py:\d+$"):
        ask("raise")


def test_a_module_that_is_not_there_is_told():
    with pytest.raises(Unforeseen, match="ModuleNotFoundError"):
        apart.ask("paraphe.nowhere", {}, limits=LIMITS)


def test_the_process_sees_no_setting_and_no_secret_of_the_server(monkeypatch):
    monkeypatch.setenv("PARAPHE_SEAL_PASSPHRASE", "secret")
    apart.close()

    environment, _ = ask("environment")

    assert [name for name in environment if name.startswith("PARAPHE")] == []


def test_only_as_much_as_is_allowed_is_written_to_a_file_that_was_given():
    with tempfile.TemporaryFile() as file:
        assert ask("write", limits=replace(LIMITS, written=100), files=[file.fileno()], size=100) == (100, ())
        assert file.seek(0, os.SEEK_END) == 100
        with pytest.raises(Unforeseen, match="OSError"):
            ask("write", files=[file.fileno()], size=100)
        assert file.seek(0, os.SEEK_END) == 100


def test_a_nursery_that_was_killed_is_begun_anew():
    ask("tell")
    running = apart._nursery._running
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    running.wait()

    assert ask("tell")


@contextmanager
def at_work():
    """Have something go on that takes a minute; give what waits for it."""
    with tempfile.TemporaryFile() as file:
        long = replace(LIMITS, seconds=50.0, written=1)
        waiting = InThread(lambda: ask("write and sleep", limits=long, files=[file.fileno()]))
        until(lambda: os.fstat(file.fileno()).st_size)
        try:
            yield waiting
        finally:
            apart.close()


def test_the_end_waits_for_no_work_that_goes_on():
    began = time.monotonic()
    with at_work() as waiting:
        apart.close()

        with pytest.raises(Stopped):
            waiting()
    assert time.monotonic() - began < 30


def test_a_question_that_cannot_be_asked_ends_nobody_elses_work():
    with tempfile.TemporaryFile() as file:
        closed = file.fileno()

    with at_work() as waiting:
        with pytest.raises(Stopped):
            ask("tell", files=[closed])
        assert ask("tell")
        assert not waiting.done
