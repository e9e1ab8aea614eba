"""A tree against the schema: every kind of defect has the right place and a sentence that helps."""

import threading

import pytest

from paraphe.errors import Code
from paraphe.xml import compiled

from .support import STUDENT, read, refused, student

IN = "/SyncStudents/students/student[1]"
# What is sent; path; field; words of the sentence and of the hint.
CASES = {
    "an element that there is not": (student("<age>7</age>"), f"{IN}/age", "age", "There is no element age", ""),
    "a name that is nearly right": (
        student("<birthdate>x</birthdate>"),
        f"{IN}/birthdate",
        "birthdate",
        "",
        "birthDate",
    ),
    "a wrong order": (
        "<SyncStudents><mode>UPSERT</mode><dryRun>true</dryRun></SyncStudents>",
        "/SyncStudents/dryRun",
        "dryRun",
        "wrong place",
        "messageId, dryRun, mode",
    ),
    "an element twice": (
        "<SyncStudents><dryRun>true</dryRun><dryRun>true</dryRun></SyncStudents>",
        "/SyncStudents/dryRun",
        "dryRun",
        "twice",
        "",
    ),
    "an element missing at the end": (
        "<SyncStudents><students><student><reference>S</reference><lastName>A</lastName></student></students></SyncStudents>",
        IN,
        "firstName",
        "firstName is missing in student",
        "Given name",
    ),
    "an element missing in the middle": (
        "<SyncStudents><students><student><reference>S</reference><firstName>A</firstName></student></students></SyncStudents>",
        f"{IN}/firstName",
        "lastName",
        "lastName is missing before firstName",
        "Family name",
    ),
    "no namespace": (
        '<SyncStudents><students xmlns=""/></SyncStudents>',
        "/SyncStudents/students",
        "students",
        "no namespace",
        "urn:paraphe:exchange:v1",
    ),
    "another namespace": (
        '<SyncStudents><x:students xmlns:x="urn:x"/></SyncStudents>',
        "/SyncStudents/students",
        "students",
        "the namespace urn:x",
        "urn:paraphe:exchange:v1",
    ),
    "a word between elements": (
        "<SyncStudents><students>hello</students></SyncStudents>",
        "/SyncStudents/students",
        "students",
        "holds text",
        "",
    ),
    "an attribute": (student("").replace("<student>", '<student id="7">'), IN, "student", "attribute id", "Leave"),
    "nil": (student('<birthDate i:nil="true"/>'), f"{IN}/birthDate", "birthDate", "nil", "Leave birthDate out"),
    "an element inside a text": (
        student("<training><b>BTS</b></training>"),
        f"{IN}/training",
        "training",
        "elements",
        "",
    ),
    "an empty date": (student("<birthDate/>"), f"{IN}/birthDate", "birthDate", "is empty", "Leave birthDate out"),
    "an empty text": (student("<training> </training>"), f"{IN}/training", "training", "is empty", "Leave"),
    "a date in French": (
        student("<birthDate>14/03/1998</birthDate>"),
        f"{IN}/birthDate",
        "birthDate",
        "YYYY-MM-DD",
        "",
    ),
    "a day that is not": (student("<birthDate>2001-02-30</birthDate>"), f"{IN}/birthDate", "birthDate", "a date", ""),
    "a word for a boolean": (
        "<SyncStudents><dryRun>yes</dryRun></SyncStudents>",
        "/SyncStudents/dryRun",
        "dryRun",
        "true or false",
        "",
    ),
    "a word for a number": (
        "<GetRecordList><limit>all</limit></GetRecordList>",
        "/GetRecordList/limit",
        "limit",
        "a whole number",
        "",
    ),
    "a comma in a decimal": (
        "<SendInvoicingInfo><invoice><quantity>7,5</quantity></invoice></SendInvoicingInfo>",
        "/SendInvoicingInfo/invoice/quantity",
        "quantity",
        "a number with a point",
        "",
    ),
    "three decimals": (
        "<SendInvoicingInfo><invoice><quantity>7.555</quantity></invoice></SendInvoicingInfo>",
        "/SendInvoicingInfo/invoice/quantity",
        "quantity",
        "",
        "two decimals",
    ),
    "no value of the list": (
        "<SyncStudents><mode>MERGE</mode></SyncStudents>",
        "/SyncStudents/mode",
        "mode",
        "one of: UPSERT, REPLACE",
        "",
    ),
    "too long": (
        student(f"<opcaNumber>{'x' * 65}</opcaNumber>"),
        f"{IN}/opcaNumber",
        "opcaNumber",
        "65 characters; at most 64",
        "",
    ),
    "too short": (student("<phone>01</phone>"), f"{IN}/phone", "phone", "2 characters; at least 3", ""),
    "no e-mail address": (student("<email>ada</email>"), f"{IN}/email", "email", "", "example"),
    "a country in small letters": (
        student("<address><country>fr</country></address>"),
        f"{IN}/address/country",
        "country",
        "",
        "capital letters",
    ),
    "a reference in a list": (
        student(f"<groups><reference>G1</reference><reference>{'x' * 65}</reference></groups>"),
        f"{IN}/groups/reference[2]",
        "reference",
        "at most 64",
        "",
    ),
    "something in what holds nothing": (
        "<CheckConnection><hello/></CheckConnection>",
        "/CheckConnection/hello",
        "hello",
        "There is no element hello",
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_defect_has_its_place_and_a_sentence(case):
    text, path, field, sentence, hint = CASES[case]

    (error,) = refused(text)

    assert error.code == Code.SCHEMA_INVALID
    assert (error.path, error.field) == (path, field)
    assert sentence in error.message
    assert hint in (error.hint or "")
    assert error.message.endswith(".")


@pytest.mark.parametrize("case", CASES)
def test_no_sentence_speaks_as_the_library_does(case):
    (error,) = refused(CASES[case][0])

    said = f"{error.message} {error.hint}"
    assert not [word for word in ("{urn", "xs:", "facet", "atomic", "Expected", "Element '") if word in said]


def test_items_are_numbered_from_1_whatever_stands_before_them():
    items = "".join(f"<student>{STUDENT.replace('S1', f'S{n}')}</student>" for n in range(1, 17))
    broken = f"<student>{STUDENT.replace('S1', 'S17')}<birthDate>x</birthDate></student>"

    (error,) = refused(
        f"<SyncStudents><onError>REJECT_ALL</onError><students>{items}{broken}</students></SyncStudents>"
    )

    assert (error.index, error.reference) == (17, "S17")
    assert error.path == "/SyncStudents/students/student[17]/birthDate"


def test_the_line_is_that_of_the_element():
    (error,) = refused(student("\n\n<birthDate>\nx</birthDate>"))

    assert error.line in (3, 4)


def test_the_value_is_cut_to_80_characters():
    (error,) = refused(student(f"<email>{'é' * 200}</email>"))

    assert error.value == "é" * 80


def test_several_defects_come_in_the_order_of_the_input():
    errors = refused(student("<birthDate>x</birthDate><email>y</email><address><country>z</country></address>"))

    assert [error.field for error in errors] == ["birthDate", "email", "country"]


def test_one_defect_is_told_once():
    assert len(refused("<SyncStudents><mode>MERGE</mode></SyncStudents>")) == 1


def test_of_many_defects_the_first_hundred_are_told():
    items = "".join(f"<student>{STUDENT}<birthDate>x</birthDate></student>" for _ in range(150))

    errors = refused(f"<SyncStudents><students>{items}</students></SyncStudents>")

    assert [error.index for error in errors] == list(range(1, 101))
    assert "not shown" in errors[-1].message


def test_an_item_in_a_long_list_is_numbered_as_it_was_sent():
    items = [f"<student>{STUDENT}</student>"] * 2345
    items[2222] = f"<student>{STUDENT}<birthDate>x</birthDate></student>"

    (error,) = refused(f"<SyncStudents><students>{''.join(items)}</students></SyncStudents>")

    assert (error.index, error.path) == (2223, "/SyncStudents/students/student[2223]/birthDate")


def test_valid_messages_have_no_defects():
    assert read(student("<birthDate>1998-03-14</birthDate>"))


def test_one_thread_at_a_time_compiles_the_schema(monkeypatch):
    """Several at once leave libxml2's built-in types mixed: messages fail, or are never answered."""
    monkeypatch.setattr(compiled, "_at_rest", [])
    first_message = threading.Thread(target=read, args=[student("<birthDate>1998-03-14</birthDate>")])
    with compiled._compiling:
        first_message.start()
        first_message.join(0.2)
        assert first_message.is_alive()
    first_message.join(60)
    assert not first_message.is_alive()
