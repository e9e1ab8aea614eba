"""Lists of items to columns: the same values however they are written, in one go or element by element."""

import re
from itertools import chain
from unittest.mock import MagicMock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from paraphe.columns import rows
from paraphe.contract import NAMESPACE, operations
from paraphe.xml import items
from paraphe.xml.decode import Unreadable, decoder
from paraphe.xml.parse import parse
from paraphe.xml.validate import items_of

from ..fuzz.messages import to_xml
from ..fuzz.strategies import messages, styles
from .support import PARIS, STUDENT

WITH_LISTS = [name for name, operation in operations().items() if items_of(operation)]


def kind_of(name):
    field = items_of(operations()[name])
    assert field is not None
    return field


def read(payload):
    """The columns of a message's list, and what reading it element by element gives."""
    field = kind_of(etree.QName(payload).localname)
    array = payload.find(f"{{{NAMESPACE}}}{field.name}")
    one_by_one = decoder(field.type.item.type, PARIS)
    slices = items.request_decoder(operations()[etree.QName(payload).localname].request, field, PARIS)(payload)
    together = list(chain.from_iterable(map(rows, slices.get(field.key, ()))))
    return together, [one_by_one(item) for item in (array if array is not None else ())]


@pytest.mark.slow
@settings(max_examples=300, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(WITH_LISTS).flatmap(lambda name: messages(operations()[name])), styles)
def test_a_list_is_read_as_its_elements_are_one_by_one(message, style):
    together, one_by_one = read(parse(to_xml(message, style).encode()))

    assert together == one_by_one


MANY = "".join(f"<student>{STUDENT.replace('S1', f'S{number}')}<groups/></student>" for number in range(3))


def sent(students, prefix=""):
    name = f"{prefix}:" if prefix else ""
    text = f"<SyncStudents><students>{students}</students></SyncStudents>"
    text = re.sub("<(/?)", rf"<\1{name}", text)
    return parse(text.replace(">", f' xmlns{name and f":{prefix}"}="{NAMESPACE}">', 1).encode())


@pytest.mark.parametrize(
    "payload",
    [
        sent(MANY),
        sent(MANY.replace("<", "\n <")),
        sent(MANY, prefix="v1"),
        sent(MANY.replace("Le Goff", "R&amp;D &lt;&#13;&gt;")),
        sent(MANY.replace("<groups/>", "<groups><reference>&lt;A&amp;lt;</reference></groups>", 2)),
        sent(MANY.replace("<groups/>", "", 1)),
        sent(MANY.replace("<student>", "<student >\n<!-- -->", 1)),
    ],
)
def test_what_callers_commonly_write_is_read_in_one_go(payload, monkeypatch):
    monkeypatch.delattr(items._Items, "_one_by_one")

    together, one_by_one = read(payload)

    assert together == one_by_one


@pytest.mark.parametrize(
    "students",
    [
        MANY.replace("<lastName>", '<lastName xmlns:x="urn:x">', 1),
        MANY.replace("<groups/>", f'<v:groups xmlns:v="{NAMESPACE}"/>', 1),
        MANY.replace("</student>", "&#13;</student>", 1),
    ],
)
def test_what_is_written_otherwise_is_read_all_the_same(students, monkeypatch):
    slowly = MagicMock(side_effect=items._Items._one_by_one, autospec=True)
    monkeypatch.setattr(items._Items, "_one_by_one", lambda self, array: slowly(self, array))

    together, one_by_one = read(sent(students))

    assert slowly.called
    assert together == one_by_one
    assert [each["reference"] for each in together] == ["S0", "S1", "S2"]


@pytest.mark.parametrize("first", ["<student>", '<student xmlns:x="urn:x">'], ids=["in one go", "one by one"])
def test_nobody_of_a_list_of_many_slices_is_lost(first):
    many = "".join(f"<student>{STUDENT.replace('S1', f'S{number}')}</student>" for number in range(2501))

    together, one_by_one = read(sent(many.replace("<student>", first, 1)))

    assert together == one_by_one
    assert [each["reference"] for each in together] == [f"S{number}" for number in range(2501)]


@pytest.mark.parametrize("first", ["<course>", '<course xmlns:x="urn:x">'], ids=["in one go", "one by one"])
def test_a_required_moment_of_the_year_one_cannot_be_read(first):
    times = "<start>0001-01-01T00:00:00</start><end>2026-09-14T12:00:00Z</end>"
    course = f"{first}<reference>C1</reference><name>Cours</name>{times}</course>"
    payload = parse(f'<SyncCourses xmlns="{NAMESPACE}"><courses>{course}</courses></SyncCourses>'.encode())

    with pytest.raises(Unreadable, match="is required"):
        items.request_decoder(operations()["SyncCourses"].request, kind_of("SyncCourses"), PARIS)(payload)
