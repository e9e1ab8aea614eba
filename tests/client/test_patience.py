"""Sending again, and when not to."""

import pytest

from paraphe_client import ExchangeRefused, ExchangeUnavailable, ItemError, Patience


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
