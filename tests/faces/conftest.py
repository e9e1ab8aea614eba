"""The servers of `tests/soap`, and somebody who calls them without SOAP."""

import pytest

from ..soap.conftest import house, houses, initialised  # noqa: F401 - fixtures
from ..soap.house import House
from .plain import PlainCaller


@pytest.fixture
def caller(house: House) -> PlainCaller:  # noqa: F811
    """Somebody with a fresh account."""
    return PlainCaller.of(house)
