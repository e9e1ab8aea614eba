"""How answers write values: every simple type in XML and in JSON, and stored texts that no XML can hold."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import xmlschema
from lxml import etree

from paraphe import contract
from paraphe.contract import NAMESPACE, XS, Complex, Field, complex_type, operations
from paraphe.faces.rest import write
from paraphe.xml.encode import encode

from ..soap.cast import attend, course, send, student
from ..soap.house import V1, values_of
from .lexical import ACUTE, FACE, NARROW, NBSP, in_use

RESULTS = [*(operation.result for operation in operations().values()), complex_type("ServiceFault")]
ANSWERED = in_use(*RESULTS)

TEXTS = [
    "Le Goff",
    " a  b\tc\nd\re ",
    f"{NBSP}L{NARROW}",
    f"e{ACUTE} é {FACE} \U0010ffff \ue000 \ufdd0",
    "<b>&amp;</b> ]]> <![CDATA[x]]> <!-- x --> <?x?>",
    "'\"\\ \\u0041 %s &#65; {}",
    "a\x7f\x85\N{LINE SEPARATOR}\N{ZERO WIDTH NO-BREAK SPACE}b",
    "x" * 100_000,
    "",
]
#: What the database may hold although no message can bring it; with a sign in its place in XML.
IMPOSSIBLE = {f"a{sign}b": "a\ufffdb" for sign in ("\x01", "\x08", "\x0b", "\x0c", "\x1f", "\ufffe", "\uffff")}

Forms = list[tuple[Any, str, str]]


def alike(*values: str) -> Forms:
    """Texts that are what they say in both."""
    return [(value, value, json.dumps(value, ensure_ascii=False)) for value in values]


def numbers(*forms: tuple[str, str]) -> Forms:
    return [(Decimal(value), text, text) for value, text in forms]


_AMOUNTS = numbers(
    *(("7.50", "7.50"), ("7.5", "7.5"), ("0", "0"), ("0.00", "0.00"), ("-0.01", "-0.01"), ("1E+3", "1000")),
    *(("1E-2", "0.01"), ("100000", "100000"), ("1.0E+2", "100"), ("-9999999999.99", "-9999999999.99")),
)
_ZONES = [timezone(timedelta(hours=2)), timezone(-timedelta(hours=5, minutes=30)), timezone(timedelta(hours=14))]
FORMS: dict[str, Forms] = {
    "xs:string": [
        *[(text, text, json.dumps(text, ensure_ascii=False)) for text in TEXTS],
        *[(text, shown, json.dumps(text, ensure_ascii=False)) for text, shown in IMPOSSIBLE.items()],
        ("a\0b", "a\ufffdb", '"a\\u0000b"'),
        ("a\ud800b", "a\ufffdb", '"a?b"'),
    ],
    "xs:int": [(value, str(value), str(value)) for value in (0, 1, -1, 2**31 - 1, -(2**31))],
    "xs:boolean": [(True, "true", "true"), (False, "false", "false")],
    "xs:date": [
        (value, value.isoformat(), f'"{value.isoformat()}"')
        for value in (date(1998, 3, 14), date(1, 1, 2), date(999, 1, 1), date(9999, 12, 31), date(2000, 2, 29))
    ],
    "xs:dateTime": [
        (value, text, f'"{text}"')
        for value, text in [
            (datetime(2026, 9, 14, 7, tzinfo=UTC), "2026-09-14T07:00:00Z"),
            *((datetime(2026, 9, 14, 7, tzinfo=UTC).astimezone(zone), "2026-09-14T07:00:00Z") for zone in _ZONES),
            (datetime(2026, 9, 14, 7, 0, 0, 500_000, tzinfo=UTC), "2026-09-14T07:00:00.500000Z"),
            (datetime(2026, 9, 14, 7, 0, 0, 1, tzinfo=UTC), "2026-09-14T07:00:00.000001Z"),
            (datetime(2026, 9, 14, tzinfo=UTC), "2026-09-14T00:00:00Z"),
            (datetime(1, 1, 2, tzinfo=UTC), "0001-01-02T00:00:00Z"),
            (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
        ]
    ],
    "xs:base64Binary": [
        (value, text, f'"{text}"')
        for value, text in [(b"", ""), (b"\0", "AA=="), (b"\xff\xff", "//8="), (b"%PDF-1.7", "JVBERi0xLjc=")]
    ],
    "Quantity": _AMOUNTS,
    "Amount": [*_AMOUNTS, *numbers(("999999999999.99", "999999999999.99"), ("99999999999999", "99999999999999"))],
    "Confidence": numbers(
        ("0", "0"), ("1", "1"), ("0.0000001", "0.0000001"), ("1E-7", "0.0000001"), ("0E-9", "0.000000000")
    ),
    "Url": alike("https://exchange.centre.example/records/a-_b.pdf"),
    "Digest": alike("0123456789abcdef" * 4),
    "Cursor": alike("czE6NDI"),
    "Flag": alike("REPLAYED_SIGNATURE"),
    "RecordNumber": alike("2026-000041"),
    "Siret": alike("00290361500017"),
    **{
        name: alike("L", f"{NBSP}é{FACE}", "<&>", "a b")
        for name in ("Label", "LongLabel", "Reference", "FundingNumber", "InvoiceNumber")
    },
}
FORMS |= {name: alike(*values_of(name)) for name, kind in ANSWERED.items() if kind.enumeration}


def test_every_simple_type_of_the_answers_is_in_the_table():
    assert set(ANSWERED) == set(FORMS)


def _fields(kind: Complex) -> Iterator[Field]:
    for field in kind.fields:
        yield field
        if isinstance(field.type, Complex):
            yield from _fields(field.type)


def alone(name: str) -> tuple[Complex, str, str]:
    """A type with one member of this simple type; the member's key and name."""
    field = next(field for kind in RESULTS for field in _fields(kind) if field.type is ANSWERED[name])
    single = Field(field.name, field.key, field.type, required=True, many=False, documentation="")
    return Complex("Alone", (single,)), field.key, field.name


@pytest.mark.parametrize("name", FORMS)
def test_a_value_is_written_in_one_way(name):
    kind, key, member = alone(name)

    for value, xml, text in FORMS[name]:
        element = etree.fromstring(encode(kind, "x", {key: value}, f' xmlns="{NAMESPACE}"').encode())
        assert (element[0].text or "") == xml
        assert bytes(write.encode(kind, {key: value})).decode() == f'{{"{member}":{text}}}'
        json.loads(bytes(write.encode(kind, {key: value})))


@cache
def schemas() -> tuple[etree.XMLSchema, xmlschema.XMLSchema]:
    """The schema with an element for each simple type, as two libraries understand it."""
    root = contract.schema()
    for name in ANSWERED:
        kind = name if ":" in name else f"tns:{name}"
        etree.SubElement(root, f"{XS}element", name=f"only.{name.replace(':', '.')}", type=kind)
    text = etree.tostring(root).decode()
    return etree.XMLSchema(etree.fromstring(text)), xmlschema.XMLSchema(text)


@pytest.mark.parametrize("name", FORMS)
def test_what_is_written_is_valid_to_two_libraries(name):
    ours, theirs = schemas()
    for value, xml, _ in FORMS[name]:
        element = etree.Element(f"{V1}only.{name.replace(':', '.')}")
        element.text = xml
        assert ours.validate(element), value
        assert theirs.is_valid(etree.tostring(element)), value


# From the database to the caller ---------------------------------------------------------------------------------


def participants(caller, face):
    """What a face tells of the participants, by their references."""
    question = "<modifiedSince>2026-01-01T00:00:00Z</modifiedSince><includeImages>true</includeImages>"
    if face == "json":
        message = {"modifiedSince": "2026-01-01T00:00:00Z", "includeImages": True}
        courses = caller.json("GetSignatureList", message).said["courses"]
    elif face == "xml":
        courses = caller.xml("GetSignatureList", question).said["courses"]
    else:
        reply = caller.soap.post(f"<GetSignatureList>{question}</GetSignatureList>")
        found = reply.all("courses/course/participants/participant")
        return {one.findtext(f"{V1}personReference"): {etree.QName(m).localname: m.text for m in one} for one in found}
    return {one["personReference"]: one for course in courses for one in course["participants"]}


def sitting(caller, *attendances):
    """A course with a student for each attendance, the first of whom is STU-0001."""
    send(caller.soap, "students", *(student(number) for number in range(1, len(attendances) + 1)))
    send(caller.soap, "courses", course(1))
    attend(caller.soap, *({"person_reference": f"STU-{n:04}"} | said for n, said in enumerate(attendances, 1)))


faces = pytest.mark.parametrize("face", ["soap", "xml", "json"])


@faces
def test_a_stored_text_arrives_as_it_is(caller, face):
    stored = [text for text in TEXTS if text]
    sitting(caller, *({"place": text, "justification": text} for text in stored))

    told = participants(caller, face)

    assert [told[f"STU-{n:04}"]["place"] for n in range(1, len(stored) + 1)] == stored
    assert [told[f"STU-{n:04}"]["justification"] for n in range(1, len(stored) + 1)] == stored


@faces
def test_a_stored_text_that_xml_forbids_does_not_spoil_the_answer(caller, face):
    sitting(caller, *({"place": text, "flags": [text]} for text in IMPOSSIBLE), {"place": "beside"})

    told = participants(caller, face)

    shown = [text if face == "json" else IMPOSSIBLE[text] for text in IMPOSSIBLE]
    assert [told[f"STU-{n:04}"]["place"] for n in range(1, len(shown) + 2)] == [*shown, "beside"]


@faces
def test_moments_and_numbers_arrive_as_they_are(caller, face):
    moment = datetime(2026, 9, 14, 7, 0, 0, 123_456, tzinfo=UTC)
    sitting(caller, {"arrived_at": moment, "left_at": moment.replace(microsecond=0), "minutes_present": 0})

    told = participants(caller, face)["STU-0001"]

    assert (told["arrivedAt"], told["leftAt"]) == ("2026-09-14T07:00:00.123456Z", "2026-09-14T07:00:00Z")
    assert int(told["minutesPresent"]) == 0


@faces
@pytest.mark.parametrize("image", [bytes(range(256)) * 3, b"\0", b"\xff\xfe", b"x" * 10_001])
def test_bytes_arrive_as_they_are(caller, face, image):
    sitting(caller, {"image": image})

    assert b64decode(participants(caller, face)["STU-0001"]["image"], validate=True) == image


def test_what_is_told_of_a_wrong_value_never_spoils_the_fault(caller):
    message = {"students": [{"reference": "a\x07", "lastName": "\ud800", "firstName": "\uffff" * 200, "\x01": 1}]}

    for accept in ("application/json", "application/xml"):
        answer = caller.send("SyncStudents", json.dumps(message).encode(), Accept=accept)
        assert set(answer.codes) == {"SCHEMA_INVALID"}


@pytest.mark.parametrize("quantity", ["100000", "0.01", "99999999.99"])
def test_a_decimal_is_told_without_exponent(caller, quantity):
    number = caller.fixture("json", "SendInvoicingInfo", quantity=quantity).said["recordNumber"]

    for kind in ("application/json", "application/xml"):
        message = {"recordNumber": number, "format": "INDEX"}
        body = caller.send("GetRecord", json.dumps(message).encode(), Accept=kind).body.decode()
        told = body.partition("quantity")[2][:30]
        assert told.lstrip('":>').startswith(f"{Decimal(quantity):.2f}")
