"""A few seconds of what `python -m tests.fuzz` does for long; the same cases each time."""

import os
import signal
from collections.abc import Iterator
from threading import Timer

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import house, promises
from .defects import KINDS, defects, possible
from .families import FAMILIES
from .figures import Figures
from .strategies import messages, styles
from .target import Target, opened

pytestmark = pytest.mark.slow
the_same_each_time = settings(
    max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with opened() as target:
        yield target


def test_a_house_that_dies_is_told_by_what_it_was_asked():
    with house.opened() as dying:
        dying._process.kill()
        with pytest.raises(house.Gone, match=r"ended with -9, asked account"):
            dying.account(tolerant=False)


def test_a_house_that_hangs_is_ended_and_tells_where(monkeypatch, capfd):
    with house.opened() as hanging:
        monkeypatch.setattr(house, "HANGS", 0.5)
        pid = hanging._process.pid or 0
        os.kill(pid, signal.SIGSTOP)
        timer = Timer(1.0, os.kill, (pid, signal.SIGCONT))
        timer.start()
        with pytest.raises(house.Gone, match=r"ended with -\d+, asked memory"):
            hanging.memory()
        timer.join()

    assert "Fatal Python error: Aborted" in capfd.readouterr().err


@the_same_each_time
@given(messages(), styles, st.sampled_from(promises.ENCODINGS))
def test_a_valid_message_says_the_same_however_it_is_spelled(message, style, encoding):
    promises.hold_valid(message, style, encoding)


@pytest.mark.parametrize("kind", KINDS)
def test_a_defect_is_told_with_its_code_at_its_place(kind):
    @settings(the_same_each_time, max_examples=25)
    @given(st.data(), messages().filter(lambda message: kind in possible(message)))
    def hold(data, message):
        promises.hold_defect(data.draw(defects(message, kind)))

    hold()


@the_same_each_time
@given(st.data(), messages(), styles)
def test_another_validator_of_xml_schema_agrees(data, message, style):
    promises.hold_same_verdict(message, style)
    promises.hold_same_verdict(data.draw(defects(message)).message)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_case_breaks_a_promise(target, family):
    figures = Figures()
    play, _ = FAMILIES[family]

    play(target, figures, target.account(), 1, 150)

    assert figures.total >= 100
    assert figures.failures == []
