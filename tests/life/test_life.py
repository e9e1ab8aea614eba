"""Some of the steps, on both databases; `python -m tests.life` walks through all of them."""

import pytest

from .walk import Databases, hold_complete, killed_at, made

pytestmark = pytest.mark.slow
STEPS = [
    "all is committed and not answered",
    "the papers are filed and not committed",
    "the PDF is filed and not committed",
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request, tmp_path_factory):
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    return made(tmp_path_factory.mktemp("life") / "house", Databases(server))


@pytest.mark.parametrize("step", STEPS)
def test_a_record_is_complete_and_there_once_after_its_server_was_killed(house, tmp_path, step):
    there = house.copy(tmp_path / "house")

    hold_complete(there, killed_at(there, step))
