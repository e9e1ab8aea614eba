"""The integrator's first call."""

from collections.abc import Mapping
from typing import Any

from .. import __version__
from ..context import Ahead


def check_connection(ahead: Ahead, request: Mapping[str, Any]) -> dict[str, Any]:
    """Say who is calling, the server's time and version, and the limits in force."""
    return {
        "account": ahead.account.name,
        "environment": ahead.account.environment,
        "server_time": ahead.now,
        "product_version": __version__,
        "time_zone": ahead.account.time_zone.key,
        "limits": {name: [getattr(limit, name) for limit in ahead.limits] for name in ("name", "value", "unit")},
    }
