"""Sending again, and when not to."""

import ast
import re
from pathlib import Path

import pytest

from paraphe_client import ExchangeRefused, ExchangeUnavailable, ItemError, Patience
from paraphe_client.errors import FAILING, PASSING

DOCS = Path(__file__).parents[2] / "docs"


class Trying:
    """A message that fails so many times."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def __call__(self):
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def refused(code, **more):
    return ExchangeRefused("No.", errors=[ItemError(code=code, message="")], **more)


def test_pauses_grow_up_to_half_a_minute(patience):
    object.__setattr__(patience, "seconds", 1000)
    patience.send(Trying(*[ExchangeUnavailable("x")] * 10))

    for pause, full in zip(patience.paused, [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30], strict=True):
        assert full / 2 <= pause <= full


def test_what_cannot_get_better_is_not_tried_again(patience):
    for wrong in (refused("SCHEMA_INVALID"), ExchangeUnavailable("x", again=False)):
        with pytest.raises(type(wrong)):
            patience.send(Trying(wrong))

    assert patience.paused == []


def test_a_wait_beyond_the_patience_is_not_begun(patience):
    with pytest.raises(ExchangeRefused):
        patience.send(Trying(refused("SERVER_BUSY", retry_after=61)))

    assert patience.paused == []
    assert patience.send(Trying(refused("SERVER_BUSY", retry_after=59))) == "done"


def test_each_pause_is_told():
    told: list[str] = []
    Patience(notice=told.append, sleep=lambda _: None).send(Trying(ExchangeUnavailable("Not there.")))

    assert told[0].startswith("Not there. Sending again in 0.")


def test_a_server_that_fails_is_asked_three_times_more(patience):
    object.__setattr__(patience, "seconds", 10_000)
    failing = Trying(*[refused("SERVER_ERROR")] * 10)
    with pytest.raises(ExchangeRefused):
        patience.send(failing)

    assert len(patience.paused) == 3
    assert patience.send(Trying(*[refused("SERVER_ERROR"), refused("SERVER_BUSY")] * 3)) == "done"


def test_the_client_sends_again_what_the_documentation_says():
    _, _, chapter = (DOCS / "errors.md").read_text(encoding="utf-8").partition("## Send it again?\n")
    rows = re.findall(r"^\| (`.*?) \|", chapter.partition("\n## ")[0], re.MULTILINE)
    passing, failing = (frozenset(re.findall(r"`([A-Z_]+)`", row)) for row in rows)

    assert (passing, failing) == (PASSING, FAILING)


def test_the_python_of_the_documentation_sends_the_same_again():
    (codes,) = re.findall(r"^AGAIN = (.*)$", (DOCS / "integrators.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(ast.literal_eval(codes)) == sorted(PASSING | FAILING)
