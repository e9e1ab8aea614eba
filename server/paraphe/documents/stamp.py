"""The visible part of a seal: who signed, when, and a QR code that leads to where it can be verified."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from .certificates import Credential
from .images import qr
from .typeset import picture

#: Size of a stamp in points.
WIDTH, HEIGHT = 180.0, 54.0
_TEMPLATE = Path(__file__).with_name("stamp.typ").read_bytes()
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_LONGEST_NAME = 70


@dataclass(frozen=True, slots=True)
class Place:
    """Where on which page (0 is the first, -1 the last) the stamp's lower left corner is.

    Points from the lower left corner of the page as it is seen; it is moved so that all of the stamp is on the page.
    """

    page: int = -1
    x: float = 395.0
    y: float = 20.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a stamp needs besides the credential: the verification address for its QR code, and the account's zone.

    `specimen` are the words that say that it is worth nothing, if so.
    """

    url: str
    zone: ZoneInfo
    place: Place = Place()
    specimen: str = ""


def drawn(stamp: Stamp, credential: Credential, moment: datetime) -> bytes:
    """Return the stamp as a PDF of one page, WIDTH by HEIGHT, with its fonts."""
    local = moment.astimezone(stamp.zone)
    name = credential.name
    said = {
        "qr": qr(stamp.url, border=2),
        "url": stamp.url,
        "name": name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…",
        "day": f"{local.day}{'er' if local.day == 1 else ''} {_MONTHS[local.month - 1]} {local.year}",
        "time": f"{local:%H:%M}",
        "zone": stamp.zone.key,
        "self_issued": credential.self_issued,
        "specimen": stamp.specimen,
    }
    return picture(_TEMPLATE, said, moment)
