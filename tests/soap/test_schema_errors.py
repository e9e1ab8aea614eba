"""Rule 5: what breaks the schema is told all at once, in the caller's own terms."""

import pytest

from paraphe import store

STUDENT = (
    "<student>\n<reference>S{n}</reference>\n<lastName>Le Goff</lastName>\n<firstName>Ada</firstName>{more}\n</student>"
)


def students(*more):
    """Students, each with something more in it; the first stands on line 6."""
    items = "\n".join(STUDENT.format(n=number, more=text) for number, text in enumerate(more, 1))
    return f"<SyncStudents>\n<students>\n{items}\n</students>\n</SyncStudents>"


def test_all_errors_come_at_once_in_the_order_of_the_input(caller):
    reply = caller.fixture("SyncStudents", "invalid")

    assert reply.is_fault
    assert reply.codes == ["SCHEMA_INVALID", "SCHEMA_INVALID"]
    assert [error["path"] for error in reply.errors] == [
        "/SyncStudents/students/student[2]/email",
        "/SyncStudents/students/student[3]/civility",
    ]
    assert [(error["index"], error["reference"]) for error in reply.errors] == [("2", "STU-0043"), ("3", "STU-0044")]


def test_each_names_its_line_place_and_value(caller):
    reply = caller.post(students(*["" if n != 17 else "<birthDate>31/02/2001</birthDate>" for n in range(1, 21)]))

    (error,) = reply.errors
    assert error["path"] == "/SyncStudents/students/student[17]/birthDate"
    assert (error["index"], error["reference"], error["field"], error["value"]) == (
        "17",
        "S17",
        "birthDate",
        "31/02/2001",
    )
    sent = students(*["" if n != 17 else "<birthDate>31/02/2001</birthDate>" for n in range(1, 21)])
    line = next(number for number, text in enumerate(sent.splitlines(), 4) if "31/02" in text)
    assert error["line"] == str(line)


def test_the_value_is_cut_to_80_characters(caller):
    reply = caller.post(students(f"<email>{'x' * 200}</email>"))

    assert reply.errors[0]["value"] == "x" * 80


def test_100_are_shown_and_there_is_a_word_about_the_rest(caller):
    reply = caller.post(students(*["<birthDate>never</birthDate>"] * 130))

    assert len(reply.errors) == 100
    assert [number for number, error in enumerate(reply.errors, 1) if "not shown" in error["message"]] == [100]


def test_the_sentence_speaks_of_no_library(caller):
    reply = caller.post(
        students("<birthDate>x</birthDate>", "<email>a b</email>", "<age>7</age>", "<civility>DR</civility>")
    )

    assert len(reply.errors) == 5  # civility is in the wrong place too
    for error in reply.errors:
        said = error["message"] + error.get("hint", "")
        assert not [word for word in ("{urn:", "facet", "atomic", "xs:", "libxml", "Element '") if word in said]
        assert error["message"].endswith(".")


def test_nothing_of_the_message_is_stored(caller):
    caller.post(students("", "", "<birthDate>never</birthDate>"))

    assert caller.house.count(store.student, caller.account) == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("<birthDate>12026-01-01</birthDate>", "VALUE_OUT_OF_RANGE"),
        ("<birthDate>2001-02-30</birthDate>", "SCHEMA_INVALID"),
    ],
)
def test_a_day_that_cannot_be_is_told_with_its_place(caller, more, code):
    reply = caller.post(students("", more))

    (error,) = reply.errors
    assert error["code"] == code
    assert error["path"] == "/SyncStudents/students/student[2]/birthDate"


def test_elements_without_the_namespace_are_told_where_they_belong(caller):
    reply = caller.post('<SyncStudents><students xmlns=""><student/></students></SyncStudents>')

    assert reply.codes == ["SCHEMA_INVALID"]
    assert "urn:paraphe:exchange:v1" in reply.errors[0]["hint"]
