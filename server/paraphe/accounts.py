"""Who calls: accounts, their keys, and whether a key is right."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Account:
    """One training organisation in one environment ("PRODUCTION" or "SANDBOX")."""

    id: int
    name: str
    api_user: str
    environment: str
    time_zone: ZoneInfo
