"""Some of the steps; `python -m tests.life` walks through all of them."""

import pytest

from .walk import hold_complete, killed_at, made

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return made(tmp_path_factory.mktemp("life") / "house")


@pytest.mark.parametrize("step", ["all is committed and not answered", "the papers are filed and not committed"])
def test_a_record_is_complete_and_there_once_after_its_server_was_killed(house, tmp_path, step):
    there = house.copy(tmp_path / "house")

    hold_complete(there, killed_at(there, step))
