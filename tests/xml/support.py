"""Messages written short: `v1("<GetRecordList/>")` is the tree of one, as a caller's envelope would hold it."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from paraphe.contract import NAMESPACE
from paraphe.errors import Error, Refused
from paraphe.xml.parse import parse
from paraphe.xml.request import find_operation, read_request

PARIS = ZoneInfo("Europe/Paris")
XSI = "http://www.w3.org/2001/XMLSchema-instance"
STUDENT = "<reference>S1</reference><lastName>Le Goff</lastName><firstName>Ada</firstName>"


def v1(text: str) -> etree._Element:
    """Parse a message whose first element stands in the namespace of the contract."""
    name, end, rest = _split(text)
    return parse(f'{name} xmlns="{NAMESPACE}" xmlns:i="{XSI}"{end}{rest}'.encode())


def _split(text: str) -> tuple[str, str, str]:
    place = min(text.index(sign) for sign in (">", "/>", " ") if sign in text)
    return text[:place], "", text[place:]


def read(text: str, zone: ZoneInfo = PARIS) -> dict[str, Any]:
    """The values of a message; Refused if it is not valid."""
    payload = v1(text)
    return read_request(payload, find_operation(payload), zone).values


def refused(text: str) -> tuple[Error, ...]:
    """The errors of a message that is not valid."""
    with pytest.raises(Refused) as refusal:
        read(text)
    return refusal.value.errors


def student(more: str) -> str:
    """A message with one student who has something more."""
    return f"<SyncStudents><students><student>{STUDENT}{more}</student></students></SyncStudents>"
