"""What fuzzing has found in the readers, each as the promise that was broken."""

from time import process_time

import pytest

from paraphe.contract import NAMESPACE, operations
from paraphe.errors import Code, Refused
from paraphe.xml.parse import parse
from paraphe.xml.request import find_operation, read_request

from .support import PARIS, STUDENT, refused, student, v1


def request(text):
    payload = v1(text)
    return read_request(payload, find_operation(payload), PARIS)


def test_a_no_break_space_is_text_also_where_an_operation_has_no_members():
    (error,) = refused("<CheckConnection>\u00a0</CheckConnection>")

    assert (error.code, error.path) == (Code.SCHEMA_INVALID, "/CheckConnection")


def test_an_item_without_namespace_is_told_at_its_own_place():
    items = "<recordNumber>1</recordNumber><recordNumber xmlns=''>2</recordNumber><recordNumber>3</recordNumber>"

    (error,) = refused(f"<AcknowledgeRecords><recordNumbers>{items}</recordNumbers></AcknowledgeRecords>")

    assert error.path == "/AcknowledgeRecords/recordNumbers/recordNumber[2]"


@pytest.mark.parametrize("charset", ["utf-8\0", "\0", "\x01"])
def test_a_charset_with_a_control_character_is_refused(charset):
    with pytest.raises(Refused) as refusal:
        parse(b"<a/>", charset)

    assert refusal.value.errors[0].code == Code.MALFORMED_MESSAGE


def test_a_date_of_the_year_1_makes_no_other_message_than_no_date():
    sent = student("").replace("<students>", "<messageId>M-1</messageId><students>")

    first = request(sent).digest
    again = request(sent.replace(STUDENT, f"{STUDENT}<birthDate>0001-01-01</birthDate>")).digest

    assert first == again


def test_a_long_namespace_is_told_cut():
    namespace = "urn:" + "x" * 9_000
    items = f"<student>{STUDENT}<x:a/></student>" * 50
    message = f'<SyncStudents xmlns="{NAMESPACE}" xmlns:x="{namespace}"><students>{items}</students></SyncStudents>'

    with pytest.raises(Refused) as refusal:
        read_request(parse(message.encode()), operations()["SyncStudents"], PARIS)

    assert max(len(error.message) for error in refusal.value.errors) < 300


@pytest.mark.parametrize("length", [9_000, 900_000])
def test_a_long_namespace_in_many_elements_takes_linear_time(length):
    items = f"<student>{STUDENT}<x:a/></student>" * 1000
    namespace = "urn:" + "x" * length
    message = f'<SyncStudents xmlns="{NAMESPACE}" xmlns:x="{namespace}"><students>{items}</students></SyncStudents>'

    began = process_time()
    with pytest.raises(Refused):
        read_request(parse(message.encode()), operations()["SyncStudents"], PARIS)

    assert process_time() - began < 5


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("AcknowledgeRecords", "<recordNumbers>{}</recordNumbers>"),
        ("SyncStudents", f"<students><student>{STUDENT}<groups>{{}}</groups></student></students>"),
        ("SendInvoicingInfo", "<invoice><trainees>{}</trainees></invoice>"),
    ],
)
def test_many_wrong_values_in_a_list_take_linear_time(name, inside):
    wrong = {"AcknowledgeRecords": "<recordNumber/>", "SyncStudents": "<reference/>"}
    values = wrong.get(name, "<trainee><unit>x</unit></trainee>") * 30_000

    began = process_time()
    errors = refused(f"<{name}>{inside.format(values)}</{name}>")

    assert len(errors) == 100
    assert process_time() - began < 5
