"""A long list that is taken out of a message while it arrives: read as it is read in memory, whatever is in it."""

from tempfile import TemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from paraphe.columns import rows
from paraphe.contract import NAMESPACE
from paraphe.errors import Code, Refused
from paraphe.spool import InFile
from paraphe.xml.bounds import STANDARD, Bounds
from paraphe.xml.long_lists import LongList
from paraphe.xml.parse import parse
from paraphe.xml.request import find_operation, read_request

PARIS = ZoneInfo("Europe/Paris")
ADDRESS = "<address><addressLine1>12 rue des Lilas &amp; des Prés</addressLine1><city>Nantes</city></address>"


def student(number: int, more: str = "", birth: str = "1998-03-14") -> str:
    return (
        f"<student><reference>S{number:05}</reference><lastName>Le Goff</lastName><firstName>Noémie</firstName>\n"
        f"<birthDate>{birth}</birthDate>{ADDRESS if number % 3 else ''}{more}</student>\n"
    )


def message(items: str, before: str = "", behind: str = "") -> bytes:
    head = f"<messageId>m1</messageId>{before}"
    return f'<SyncStudents xmlns="{NAMESPACE}">{head}<students>\n{items}</students>{behind}</SyncStudents>'.encode()


def in_file(body: bytes) -> InFile:
    with TemporaryFile() as file:
        file.write(body)
        file.flush()
        return InFile.of(file)


def read(body: bytes | InFile, bounds: Bounds = STANDARD) -> Any:
    """The request, or the errors for which it is refused."""
    taken = LongList(body, bounds, lambda root: PARIS)
    try:
        payload = parse(body, None, bounds, [taken])
        request = read_request(payload, find_operation(payload), PARIS, taken=taken)
    except Refused as refused:
        return refused.errors
    assert (taken.slices is not None) == isinstance(body, InFile)
    students = [student for columns in request.values["students"] for student in rows(columns)]
    # Items that are left out move the cuts between the slices, and with them what identifies the message.
    digest = b"" if "rejected" in request.values else request.digest
    return {**request.values, "students": students}, digest


KEEP = "<onError>KEEP_VALID</onError>"
GOOD = [student(number) for number in range(2500)]


def with_wrong(**wrong: str) -> str:
    return "".join(wrong.get(f"at_{number}", item) for number, item in enumerate(GOOD))


LISTS = {
    "all right": message("".join(GOOD)),
    "of whole slices": message("".join(GOOD[:2000])),
    "of other shapes": message(with_wrong(at_999=student(999, "<degree>BTS</degree>"), at_1000=student(1000))),
    "wrong in every slice": message(
        with_wrong(at_7=student(7, birth="no"), at_1000=student(1000, "<nickname/>"), at_2499="<student/>")
    ),
    "more wrong than is told": message("".join(student(number, birth="no") for number in range(2200))),
    "wrong around": message("".join(GOOD), "<mode>MERGE</mode>"),
    "wrong inside and around": message(with_wrong(at_1500="<student/>"), "<mode>MERGE</mode>"),
    "something behind": message("".join(GOOD), behind="<mode>UPSERT</mode>"),
    "twice": message("".join(GOOD), behind="<students/>"),
    "text between": message(with_wrong(at_1200=student(1200) + "lost")),
    "a stranger between": message(with_wrong(at_1200=student(1200) + "<teacher/>")),
    "unreadable": message(with_wrong(at_1200=student(1200, birth="12026-03-14"))),
    "kept, all right": message("".join(GOOD), KEEP),
    "kept, some wrong": message(
        with_wrong(at_0="<student/>", at_999=student(999, birth="no"), at_1000=student(1000, birth="12026-01-01")), KEEP
    ),
    "kept, a slice all wrong": message(
        "".join(student(number, birth="no" if 1000 <= number < 2000 else "1998-03-14") for number in range(2500)), KEEP
    ),
    "kept, text between": message(with_wrong(at_1200=student(1200) + "lost"), KEEP),
    "dates with blanks": message(with_wrong(at_1200=student(1200, birth=" 1998-03-14\n"))),
}


@pytest.mark.parametrize("name", LISTS)
def test_it_is_read_as_in_memory(name):
    body = LISTS[name]

    assert read(in_file(body)) == read(body)


def test_lists_of_an_account_whose_items_must_stay_are_not_taken():
    body = in_file(LISTS["all right"])
    taken = LongList(body, STANDARD, lambda root: None)

    payload = parse(body, None, STANDARD, [taken])

    assert (taken.slices, len(payload[-1])) == (None, 2500)


def test_a_list_beside_the_request_is_not_its_list():
    inner = LISTS["all right"].decode()
    body = in_file(f"<a>{inner}<b>{inner.replace('Le Goff', 'Cloarec')}</b></a>".encode())
    taken = LongList(body, STANDARD, lambda root: PARIS)

    root = parse(body, None, STANDARD, [taken])
    request = read_request(root[1][0], find_operation(root[1][0]), PARIS, taken=taken)

    assert {name for columns in request.values["students"] for name in columns["last_name"]} == {"Cloarec"}


def test_more_items_than_a_list_may_have_are_refused_before_the_last_one_is_read():
    body = LISTS["all right"]
    bounds = Bounds(list_items=1500)

    (error,) = read(in_file(body), bounds)

    assert error.code == Code.MESSAGE_TOO_COMPLEX
    assert (error,) == read(body, bounds)


ATTRIBUTES = " ".join(f"a{number}='1'" for number in range(200))


@pytest.mark.parametrize("more", [f"<degree {ATTRIBUTES}/>", f"<degree>{'x' * 3000}</degree>"])
def test_what_is_taken_is_held_to_the_bounds(more):
    bounds = Bounds(text_length=2000)
    body = message(with_wrong(at_1200=student(1200, more)))

    (error,) = read(in_file(body), bounds)

    assert error.code == Code.MESSAGE_TOO_COMPLEX
    assert (error,) == read(body, bounds)
