"""The integrator's first call."""

from collections.abc import Mapping
from typing import Any

from .. import __version__
from ..context import Context


def check_connection(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Say who is calling, the server's time and version, and the limits in force."""
    return {
        "account": context.account.name,
        "environment": context.account.environment,
        "server_time": context.now,
        "product_version": __version__,
        "time_zone": context.account.time_zone.key,
        "limits": [{"name": limit.name, "value": limit.value, "unit": limit.unit} for limit in context.limits],
    }
