"""What a thread keeps of messages: the names of the contract cost nothing, invented ones are reckoned with."""

import pytest

from paraphe.contract import NAMESPACE, operations
from paraphe.xml import names
from paraphe.xml.parse import parse
from paraphe.xml.validate import defects

pytestmark = pytest.mark.slow

STUDENTS = "".join(
    f"<student><reference>S{number}</reference><lastName>L</lastName><firstName>F</firstName></student>"
    for number in range(1000)
)
SYNC = f"<SyncStudents xmlns='{NAMESPACE}'><students>{STUDENTS}</students></SyncStudents>"
ENVELOPE = "<e:Envelope xmlns:e='urn:e'>{}<e:Body>{}</e:Body></e:Envelope>"
HEADER = "<e:Header>" + "<a/>" * 60 + "</e:Header>"


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(names, "_thread", names._Reckoning())


def full_after(message, times=100):
    """After how many messages a thread has read too many foreign names; None if it never has."""
    for number in range(1, times + 1):
        root = parse(message.encode())
        payload = next(root.iter(f"{{{NAMESPACE}}}SyncStudents"))
        defects(payload, operations()["SyncStudents"])
        if names.are_too_many():
            return number
    return None


def test_valid_messages_never_fill_a_thread():
    assert full_after(SYNC) is None
    assert full_after(ENVELOPE.format("<e:Header><a/></e:Header>", SYNC)) is None


@pytest.mark.parametrize(
    "message",
    [
        SYNC.replace("firstName", "givenName"),
        SYNC.replace("<student>", "<student xmlns:a='urn:a'>"),
        ENVELOPE.format(HEADER, SYNC),
    ],
    ids=["invalid", "many namespaces", "a long header"],
)
def test_messages_that_bring_names_of_their_own_fill_it_by_their_bytes(message):
    times = full_after(message)

    assert times == names.MOST // len(message) + 1


def test_a_valid_message_does_not_excuse_the_one_before():
    parse(b"<a>" + b"<b/>" * 1_000_000 + b"<c/>" * 50_000 + b"</a>")

    assert names.are_too_many()
    assert full_after(SYNC, 1) == 1
