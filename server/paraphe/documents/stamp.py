"""The visible part of a seal: who signed, when, and a QR code that leads to where it can be verified."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Place:
    """Where on which page (0 is the first, -1 the last) the stamp's lower left corner is.

    Points from the lower left corner of the page as it is seen; it is moved so that all of the stamp is on the page.
    """

    page: int = -1
    x: float = 380.0
    y: float = 20.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a stamp needs besides the credential: the verification address for its QR code, and the account's zone."""

    url: str
    zone: ZoneInfo
    place: Place = Place()
