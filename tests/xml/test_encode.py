"""Plain values to XML: what is written is well-formed, valid, and reads back as it was."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from paraphe import contract
from paraphe.contract import NAMESPACE, complex_type
from paraphe.xml.decode import decoder
from paraphe.xml.encode import encode, moment

from .support import PARIS


def written(kind, value):
    """The element that a value is written as, parsed."""
    return etree.fromstring(encode(complex_type(kind), "x", value, f' xmlns="{NAMESPACE}"').encode())


def text_of(kind, key, value, **others):
    field = next(field for field in complex_type(kind).fields if field.key == key)
    return written(kind, {key: value, **others}).findtext(f"{{{NAMESPACE}}}{field.name}")


WARNING = {"code": "X"}


@pytest.mark.parametrize(
    "text",
    ["Le Goff", "<b>&amp;</b>", "]]>", 'say "x"', "a\tb\nc", "a\rb", "\N{NO-BREAK SPACE}", "", "\N{GRINNING FACE}"],
)
def test_a_text_reads_back_as_it_was(text):
    assert text_of("Warning", "message", text, **WARNING) == text


@pytest.mark.parametrize("sign", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_xml_forbids_becomes_a_sign_of_it(sign):
    assert text_of("Warning", "message", f"a{sign}b", **WARNING) == "a\ufffdb"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("7.50"), "7.50"),
        (Decimal("0.0000001"), "0.0000001"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.50"), "-0.50"),
        (Decimal(0), "0"),
    ],
)
def test_a_decimal_is_never_written_with_an_exponent(value, text):
    assert text_of("InvoicedTrainee", "quantity", value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 9, 14, 7, tzinfo=UTC), "2026-09-14T07:00:00Z"),
        (datetime(2026, 9, 14, 9, tzinfo=timezone(timedelta(hours=2))), "2026-09-14T07:00:00Z"),
        (datetime(2026, 9, 14, 7, 0, 0, 500_000, tzinfo=UTC), "2026-09-14T07:00:00.500000Z"),
        (datetime(1, 1, 2, tzinfo=UTC), "0001-01-02T00:00:00Z"),
        (datetime(2026, 9, 14, 9, tzinfo=PARIS), "2026-09-14T07:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc(value, text):
    assert moment(value) == text


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false")])
def test_a_boolean_is_a_word(value, text):
    members = {"return_code": "200 OK", "message": "m", "request_id": "r"}

    assert text_of("ServiceFault", "duplicate", value, **members) == text


def test_bytes_are_base64():
    members = {"return_code": "200 OK", "message": "m", "request_id": "r", "duplicate": False}

    assert text_of("RecordResult", "content", b"%PDF-1.7", **members) == "JVBERi0xLjc="


def test_bytes_are_handed_out_instead_in_the_order_of_the_text():
    moment = datetime(2026, 9, 14, tzinfo=UTC)
    known = {"person_type": "STUDENT", "last_name": "L", "first_name": "F", "status": "PRESENT", "modified_on": moment}
    people: Any = [{"person_reference": name, "image": name.encode()} | known for name in ("a", "b")]
    taken = []

    def attach(content):
        taken.append(content)
        return f"<here>{len(taken)}</here>"

    kind = complex_type("ArrayOfParticipant")
    apart, inline = (encode(kind, "participants", people, attach=each) for each in (attach, None))

    assert taken == [b"a", b"b"]
    assert apart == inline.replace("YQ==", "<here>1</here>").replace("Yg==", "<here>2</here>")


def test_none_and_absent_keys_are_left_out_and_zero_is_not():
    members = {"return_code": "200 OK", "message": "m", "request_id": "r", "duplicate": False}
    element = written("SyncResult", members | {"received": 0, "created": None})

    names = [etree.QName(child).localname for child in element]
    assert names == ["returnCode", "message", "requestId", "duplicate", "received"]


def test_a_required_member_that_is_missing_is_a_mistake_of_ours():
    with pytest.raises(KeyError, match="code"):
        encode(complex_type("Warning"), "x", {"message": "m"})


def test_members_are_written_in_the_order_of_the_schema():
    element = written("Warning", {"hint": "h", "message": "m", "code": "C"})

    assert [etree.QName(child).localname for child in element] == ["code", "message", "hint"]


# There and back ------------------------------------------------------------------------------------------------

LABELS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff "), min_size=1, max_size=30
)
PEOPLE = st.fixed_dictionaries(
    {"reference": LABELS, "last_name": LABELS, "first_name": LABELS},
    optional={
        "birth_date": st.dates(min_value=date(1, 1, 2)),
        "groups": st.lists(LABELS, max_size=3),
        "required_signature": st.booleans(),
        "address": st.fixed_dictionaries({}, optional={"city": LABELS}),
    },
)
_SECOND_YEAR = datetime(2, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
COURSES = st.fixed_dictionaries(
    {"reference": LABELS, "name": LABELS, "start": st.datetimes(_SECOND_YEAR, timezones=st.just(UTC))},
    optional={"break_minutes": st.integers(-(2**31), 2**31 - 1)},
)
TRAINEES = st.fixed_dictionaries({}, optional={"quantity": st.decimals(-(10**8), 10**8, places=2), "last_name": LABELS})


@settings(max_examples=60, deadline=None, derandomize=True)
@given(PEOPLE, COURSES, TRAINEES)
def test_what_is_written_reads_back_as_it_was(person, course, trainee):
    course = course | {"end": course["start"]}
    for kind, value in (("Student", person), ("Course", course), ("InvoicedTrainee", trainee)):
        assert decoder(complex_type(kind), PARIS)(written(kind, value)) == value


def test_every_type_of_the_contract_has_a_decoder_and_an_encoder():
    for name, kind in contract.types().items():
        if isinstance(kind, contract.Complex):
            decoder(kind, PARIS)
            if not any(field.required for field in kind.fields):
                assert encode(kind, "x", [] if kind.item else {}) == "<x></x>"  # type: ignore[arg-type]
                assert name
