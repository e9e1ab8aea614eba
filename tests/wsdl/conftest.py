"""The published documents of both versions of SOAP, and the servers of `tests/soap`."""

from collections.abc import Callable

import pytest

from ..soap.conftest import houses, initialised, version  # noqa: F401 - fixtures
from ..soap.house import House
from .description import Description, published


@pytest.fixture
def house(houses: Callable[[str], House]) -> House:  # noqa: F811
    """A server over one database: what is looked at here does not come out of it."""
    return houses("sqlite")


@pytest.fixture
def description(version: str) -> Description:  # noqa: F811
    """A published document."""
    return published(version)
