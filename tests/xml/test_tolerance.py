"""What old stacks get wrong and what it means: for accounts that ask for it, and never another value than was sent."""

import time

import pytest
from lxml import etree

from paraphe.contract import NAMESPACE, operations
from paraphe.errors import Refused
from paraphe.xml.parse import parse
from paraphe.xml.request import find_operation, read_request
from paraphe.xml.tolerance import Habit, mend

from ..soap.house import FIXTURES
from .support import PARIS, STUDENT, XSI

DECLARED = f'xmlns="{NAMESPACE}"'
PREFIXES = f'xmlns:i="{XSI}" xmlns:d="http://www.w3.org/2001/XMLSchema" xmlns:f="urn:foreign"'
IN = "/SyncStudents/students/student[1]"


def parsed(text, namespace=DECLARED):
    """A message written with contract names; `namespace` is what its first element declares."""
    name, sign, rest = text.partition(">")
    end = "/" if name.endswith("/") else ""
    return parse(f"{name.removesuffix('/')} {namespace} {PREFIXES}{end}{sign}{rest}".encode())


def read(text, namespace=DECLARED, *, tolerant=True):
    payload = parsed(text, namespace)
    return read_request(payload, find_operation(payload), PARIS, tolerant=tolerant)


def errors(text, namespace=DECLARED, *, tolerant=True):
    with pytest.raises(Refused) as refusal:
        read(text, namespace, tolerant=tolerant)
    return refusal.value.errors


def students(*more, before=""):
    """A message with students, each with something more in it."""
    items = [f"<student>{STUDENT.replace('S1', f'S{n}')}{text}</student>" for n, text in enumerate(more, 1)]
    return f"<SyncStudents><messageId>M</messageId>{before}<students>{''.join(items)}</students></SyncStudents>"


def one(more):
    return students(more)


def listed(inside):
    return f"<SyncStudents><messageId>M</messageId><students>{inside}</students></SyncStudents>"


def with_trainees(inside):
    fields = "<invoiceNumber>F1</invoiceNumber>"
    return f"<SendInvoicingInfo><messageId>M</messageId><invoice>{fields}{inside}</invoice></SendInvoicingInfo>"


# What is sent; how it is sent right; what is tolerated.
TYPED, EMPTY, ITEM = Habit.TYPED, Habit.EMPTY, Habit.EMPTY_ITEM
CASES = {
    "a text that is said to be a string": (
        one('<training i:type="d:string">BTS</training>'),
        one("<training>BTS</training>"),
        {TYPED: 1},
    ),
    "a date that is said to be a string": (
        one('<birthDate i:type="d:string"> 1998-03-14 </birthDate>'),
        one("<birthDate>1998-03-14</birthDate>"),
        {TYPED: 1},
    ),
    "a type of the caller's own": (
        one('<address i:type="f:Adresse"><city i:type="nowhere:Ville">Nantes</city></address>'),
        one("<address><city>Nantes</city></address>"),
        {TYPED: 2},
    ),
    "the type that is declared, beside one that is not": (
        one('<birthDate i:type="d:date">1998-03-14</birthDate><training i:type="d:string">BTS</training>'),
        one("<birthDate>1998-03-14</birthDate><training>BTS</training>"),
        {TYPED: 2},
    ),
    "a file that is said to be a string": (
        "<SendInvoice><fileName>a.pdf</fileName><content i:type='d:string'>JVBERi0=</content></SendInvoice>",
        "<SendInvoice><fileName>a.pdf</fileName><content>JVBERi0=</content></SendInvoice>",
        {TYPED: 1},
    ),
    "empty optional elements": (
        one("<birthDate/><email></email><phone> \n</phone><training/><requiredSignature/>"),
        one(""),
        {EMPTY: 5},
    ),
    "an optional element that is nil": (one('<phone i:nil="true"/><address i:nil="1"/>'), one(""), {EMPTY: 2}),
    "an address with nothing in it but empty elements": (
        one("<address><addressLine1/><city> </city></address>"),
        one(""),
        {EMPTY: 1},
    ),
    "an address with one empty line": (
        one("<address><addressLine1/><city>Nantes</city></address>"),
        one("<address><city>Nantes</city></address>"),
        {EMPTY: 1},
    ),
    "an empty address beside an empty element": (one("<phone/><address/>"), one("<address/>"), {EMPTY: 1}),
    "an empty cursor beside an empty element": (
        "<GetRecordList><limit/><cursor/></GetRecordList>",
        "<GetRecordList><cursor/></GetRecordList>",
        {EMPTY: 1},
    ),
    "an empty list with one empty item": (listed("<student/>"), listed(""), {ITEM: 1}),
    "a list inside an item with one empty item": (
        one("<groups><reference/></groups>"),
        one("<groups/>"),
        {ITEM: 1},
    ),
    "empty items at the end of a list of references": (
        one("<financers><reference>C1</reference><reference/><reference i:nil='true'/></financers>"),
        one("<financers><reference>C1</reference></financers>"),
        {ITEM: 2},
    ),
    "a trainee with nothing in it but empty elements": (
        with_trainees("<trainees><trainee><reference/><lastName/></trainee></trainees>"),
        with_trainees("<trainees/>"),
        {ITEM: 1},
    ),
}


@pytest.mark.parametrize(("sent", "right", "habits"), CASES.values(), ids=CASES)
def test_a_habit_is_read_as_what_it_means(sent, right, habits):
    request, strict = read(sent), read(right, tolerant=False)

    assert request.values == strict.values
    assert request.digest == strict.digest
    assert request.hint.partition(". ")[0] == "Tolerated for this account: " + ", ".join(
        f"{habit} ({count})" for habit, count in habits.items()
    )


@pytest.mark.parametrize(("sent", "right", "habits"), CASES.values(), ids=CASES)
def test_without_tolerance_it_is_refused(sent, right, habits):
    assert "SCHEMA_INVALID" in {error.code for error in errors(sent, tolerant=False)}


@pytest.mark.parametrize(("sent", "right", "habits"), CASES.values(), ids=CASES)
def test_habits_come_together(sent, right, habits):
    payload = parsed(sent, namespace="")

    copy, met = mend(payload, find_operation(payload))

    assert met[Habit.UNQUALIFIED] > 1
    assert {habit: count for habit, count in met.items() if habit is not Habit.UNQUALIFIED} == habits
    assert read_request(copy, find_operation(copy), PARIS).values == read(right).values


# Namespaces ------------------------------------------------------------------------------------------------------

RIGHT = one("<birthDate>1998-03-14</birthDate><groups><reference>G1</reference></groups>")
SPELLINGS = {
    "nothing is in a namespace": (RIGHT, "", 10),
    "the operation's element alone is (RPC)": (
        RIGHT.replace("<SyncStudents", "<p:SyncStudents").replace("</SyncStudents", "</p:SyncStudents"),
        f'xmlns:p="{NAMESPACE}"',
        9,
    ),
    "the list is, its items are not": (RIGHT.replace("<student>", '<student xmlns="">'), DECLARED, 7),
}


@pytest.mark.parametrize(("text", "namespace", "count"), SPELLINGS.values(), ids=SPELLINGS)
def test_elements_without_namespace_are_read_as_the_contracts(text, namespace, count):
    request, strict = read(text, namespace), read(RIGHT, tolerant=False)

    assert (request.values, request.digest) == (strict.values, strict.digest)
    assert request.hint == (
        f"Tolerated for this account: elements without namespace ({count}). Send them in {NAMESPACE}."
    )
    assert errors(text, namespace, tolerant=False)


def test_without_tolerance_an_operation_without_namespace_is_unknown():
    (error,) = errors("<CheckConnection/>", "", tolerant=False)

    assert error.code == "UNKNOWN_OPERATION"
    assert "no namespace" in error.message
    assert NAMESPACE in error.hint


def test_an_operation_without_members_may_be_without_namespace():
    assert read("<CheckConnection>\n</CheckConnection>", "").values == {}


@pytest.mark.parametrize("name", operations())
def test_every_operation_is_read_without_namespaces(name):
    fixture = etree.fromstring((FIXTURES / name / "request.xml").read_bytes())
    message = next(fixture.iter(f"{{{NAMESPACE}}}{name}"))
    strict = read_request(message, operations()[name], PARIS)

    for element in message.iter():
        element.tag = etree.QName(element).localname

    assert read_request(message, find_operation(message), PARIS, tolerant=True).values == strict.values


# What is not tolerated -------------------------------------------------------------------------------------------

REFUSED = {
    "text that is coded": (one('<training i:type="d:base64Binary">QlRT</training>'), f"{IN}/training"),
    "another coding of a file": (
        '<SendInvoice><fileName>a</fileName><content i:type="d:hexBinary">2550</content></SendInvoice>',
        "/SendInvoice/content",
    ),
    "an empty element that is required": (one("").replace("<lastName>Le Goff</lastName>", "<lastName/>"), IN),
    "an empty item among others": (listed(f"<student>{STUDENT}</student><student/>"), IN.replace("1", "2")),
    "an empty reference before others": (
        one("<groups><reference/><reference>G</reference></groups>"),
        f"{IN}/groups/reference[1]",
    ),
    "another namespace": (one("<f:training>BTS</f:training>"), f"{IN}/training"),
    "another order": (one("<training>BTS</training><birthDate>1998-03-14</birthDate>"), f"{IN}/birthDate"),
    "an element that there is not": (one('<age xmlns="">7</age>'), f"{IN}/age"),
    "an attribute that may be a value": (one('<birthDate value="1998-03-14"/>'), f"{IN}/birthDate"),
    "a value beside an empty element": (one("<birthDate/>1998-03-14"), IN),
    "a nil that has a value": (one('<training i:nil="true">BTS</training>'), f"{IN}/training"),
    "elements in a text": (one('<training xmlns=""><b>BTS</b></training>'), f"{IN}/training"),
    "blanks that are text": (one("<phone>\u00a0\u00a0\u00a0</phone>"), f"{IN}/phone"),
}


@pytest.mark.parametrize(("text", "path"), REFUSED.values(), ids=REFUSED)
def test_what_may_mean_something_else_is_refused_as_ever(text, path):
    told = errors(text)

    assert {error.code for error in told} == {"SCHEMA_INVALID"}
    assert any((error.path or "").startswith(path) for error in told), told


def test_an_unknown_element_without_namespace_is_told_as_what_it_is():
    (error,) = errors(one("<birthdate>1998-03-14</birthdate>"), "")

    assert error.message == "There is no element birthdate in student."
    assert error.hint == "Did you mean birthDate?"


def test_what_is_left_is_told_with_lines_and_places_of_the_message():
    wrong = "\n<phone/>\n<training i:type='d:string'>BTS</training>\n<requiredSignature>\nyes</requiredSignature>"

    (error,) = errors(students("", wrong), "")

    assert (error.path, error.line, error.value, error.index, error.reference) == (
        "/SyncStudents/students/student[2]/requiredSignature",
        4,
        "\nyes",
        2,
        "S2",
    )


def test_a_message_without_habits_is_refused_with_all_its_errors():
    text = students(*["<birthDate>never</birthDate>"] * 3)

    assert errors(text) == errors(text, tolerant=False)


def test_a_message_that_follows_the_schema_has_no_hint():
    assert read(RIGHT).hint is None


def test_with_keep_valid_a_habit_rejects_no_item_and_the_rest_is_told_as_sent():
    keep = "<onError>KEEP_VALID</onError>"
    more = ["<phone/>", "<birthDate>never</birthDate>", "<training i:type='d:string'>BTS</training>"]

    request = read(students(*more, before=keep), "")
    strict = read(students("", more[1], "<training>BTS</training>", before=keep), tolerant=False)

    (error,) = request.values["rejected"]
    assert (error.index, error.path) == (2, "/SyncStudents/students/student[2]/birthDate")
    assert request.digest == strict.digest
    assert (request.values["students"], request.hint is None) == (strict.values["students"], False)


# Cost ------------------------------------------------------------------------------------------------------------


def test_a_message_that_follows_the_schema_is_not_copied(monkeypatch):
    monkeypatch.setattr("paraphe.xml.request.mend", None)

    read(RIGHT)
    errors(one("<birthDate>never</birthDate>"), tolerant=False)


MANY = 20_000


def declared(number):
    return f'xmlns:n{number}="urn:{number}"'


def item(number):
    return f"<n{number}:student {declared(number)}/>"


def attribute(number):
    return f'a{number}="1"'


def many(pattern):
    return " ".join(pattern(number) for number in range(MANY))


HOSTILE = {
    "namespaces on the first element": lambda: (
        f"<SyncStudents {many(declared)}><students>{'<student/>' * MANY}</students></SyncStudents>"
    ),
    "a namespace for each item": lambda: f"<SyncStudents><students>{many(item)}</students></SyncStudents>",
    "attributes on one element": lambda: (
        f"<SyncStudents><students><student {many(attribute)}/></students></SyncStudents>"
    ),
    "empty items": lambda: f"<SyncStudents><students>{'<student/>' * MANY}</students></SyncStudents>",
    "empty references": lambda: (
        f"<AcknowledgeRecords><recordNumbers>{'<recordNumber/>' * MANY}</recordNumbers></AcknowledgeRecords>"
    ),
    "elements in a text": lambda: f"<SendInvoice><fileName>{'<a/>' * MANY}</fileName></SendInvoice>",
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_message_is_copied_in_linear_time(message):
    payload = etree.fromstring(message().encode())  # whatever limits `parse` has
    operation = find_operation(payload)
    mend(parse(b"<CheckConnection/>"), operations()["CheckConnection"])  # asks the schema what may be empty, once

    began = time.process_time()
    mend(payload, operation)

    assert time.process_time() - began < 5  # it takes a tenth of a second; in quadratic time, minutes
