"""What plain Spyne lets through, loses or changes in valid messages, row by row, and what becomes of it here.

The rows are those of a study of Spyne 2.14 (validation, value corruption); its parser and codecs are not in the path.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter

import pytest

from paraphe import store
from paraphe.contract import complex_type
from paraphe.faces.rest import write
from paraphe.xml.encode import encode

from .house import V1, envelope_of

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
KNOWN = "<reference>S1</reference><lastName>Le Goff</lastName><firstName>Ada</firstName>"

pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


def students(*items, before=""):
    inside = "".join(f"<student>{item}</student>" for item in items)
    return f"<SyncStudents {XSI}>{before}<students>{inside}</students></SyncStudents>"


def sent(caller, more):
    """Send a student with something more in it."""
    return caller.post(students(KNOWN + more))


def stored(caller, table=store.student):
    """The row that the account has in a table."""
    (row,) = caller.house.rows(table.select().where(table.c.account_id == caller.account.id))
    return row


def refused(reply, field):
    """Whether a message was refused for one field, in our own words."""
    assert reply.is_fault
    assert reply.codes == ["SCHEMA_INVALID"]
    assert "{urn:" not in reply.errors[0]["message"]
    return reply.errors[0]["field"] == field


# Validation ------------------------------------------------------------------------------------------------------


def test_row_missing_element_is_a_fault(caller):
    assert refused(caller.post(students(KNOWN.replace("<lastName>Le Goff</lastName>", ""))), "lastName")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ("<email>ada</email>", "email"),
        (f"<opcaNumber>{'x' * 65}</opcaNumber>", "opcaNumber"),
        ("<start>2026-02-30</start>", "start"),
    ],
)
def test_row_pattern_length_and_bad_date_are_faults(caller, more, field):
    assert refused(sent(caller, more), field)


def test_row_bad_enumeration_is_a_fault_and_no_crash(caller):
    assert refused(caller.post(students(KNOWN, before="<mode>__values__</mode>")), "mode")


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (f"{KNOWN}<age>7</age>", "age"),
        (f"<firstName>Ada</firstName>{KNOWN.partition('<firstName>')[0]}", "firstName"),
        (KNOWN.replace("<lastName", '<lastName xmlns="urn:another"'), "lastName"),
        (KNOWN.replace("<lastName", '<lastName xmlns=""'), "lastName"),
        (f"hello{KNOWN}", "student"),
        (KNOWN.replace("<lastName", '<lastName id="7"'), "lastName"),
    ],
    ids=["unknown element", "wrong order", "wrong namespace", "no namespace", "text in wrapper", "unknown attribute"],
)
def test_row_structure_that_is_not_the_schemas_is_a_fault(caller, item, field):
    assert refused(caller.post(students(item)), field)


def test_row_empty_string_for_a_string_that_is_required_is_a_fault(caller):
    assert refused(caller.post(students(KNOWN.replace("Le Goff", ""))), "lastName")


def test_row_unknown_method_is_told_as_such(caller):
    assert caller.post("<RemoveStudents/>").codes == ["UNKNOWN_OPERATION"]


def test_row_a_key_twice_is_an_error_on_the_second(caller):
    reply = caller.post(students(KNOWN, KNOWN))

    assert [(error["code"], error["index"]) for error in reply.errors] == [("DUPLICATE_REFERENCE", "2")]


def test_row_second_child_of_body_is_a_fault(caller):
    assert caller.post("<CheckConnection/><CheckConnection/>").codes == ["INVALID_ENVELOPE"]


def test_row_unknown_header_that_must_be_understood_is_a_fault(caller):
    header = '<Route xmlns="urn:route" soap:mustUnderstand="1"/>'

    assert caller.post("<CheckConnection/>", header).codes == ["HEADER_NOT_UNDERSTOOD"]
    assert caller.post("<CheckConnection/>", header.replace('"1"', '"0"')).ok


def test_row_wrong_soap_action_does_not_choose_another_operation(caller):
    reply = caller.post("<CheckConnection/>", headers={"SOAPAction": '"urn:paraphe:exchange:v1/SyncStudents"'})

    assert reply.result.tag == f"{V1}CheckConnectionResult"


@pytest.mark.parametrize(
    "inside",
    [
        "<apiUser><b>x</b></apiUser><apiKey/>",
        "<apiUser xsi:nil='maybe'>x</apiUser>",
        "<nonsense/>text",
        "<apiUser>x</apiUser><apiUser>y</apiUser><apiKey>z</apiKey>",
        "<a>" * 50 + "</a>" * 50,
    ],
)
def test_row_header_content_that_is_not_the_schemas_opens_nothing_and_breaks_nothing(caller, inside):
    caller.session.auth = None
    header = f'<Credentials xmlns="urn:paraphe:exchange:v1" {XSI}>{inside}</Credentials>'

    reply = caller.post("<CheckConnection/>", header)

    assert reply.is_fault
    assert reply.codes[0] in ("CREDENTIALS_REQUIRED", "CREDENTIALS_REFUSED", "SCHEMA_INVALID")


def test_row_all_errors_are_told_and_not_the_last_only(caller):
    reply = sent(caller, "<birthDate>x</birthDate><email>y</email><age/><phone>z</phone>")

    assert [error["field"] for error in reply.errors] == ["birthDate", "email", "age", "phone"]


@pytest.mark.parametrize("version", ["1.2"], indirect=True)
def test_row_an_invalid_request_in_soap_1_2_is_a_fault_and_no_crash(caller):
    reply = sent(caller, "<birthDate>x</birthDate>")

    assert (reply.version, reply.status, reply.codes) == ("1.2", 400, ["SCHEMA_INVALID"])


@pytest.mark.slow
def test_row_errors_of_one_request_are_never_told_to_another(caller):
    def wrong(number):
        reply = caller.again().post(students(KNOWN + f"<birthDate>no {number}</birthDate>"))
        return [error.get("value", error["code"]) for error in reply.errors]

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(wrong, range(160)))

    assert told == [[f"no {number}"] for number in range(160)]


def test_row_lines_are_right_beyond_65535(caller):
    lines = "\n" * 70_000

    (error,) = sent(caller, f"{lines}<birthDate>x</birthDate>").errors

    assert error["line"] == str(4 + 70_000)


@pytest.mark.parametrize("prefix", ["", "t", "soap2"])
def test_row_paths_are_the_contracts_whatever_prefixes_the_caller_has(caller, prefix):
    name = f"{prefix}:" if prefix else ""
    declared = f'xmlns{f":{prefix}" if prefix else ""}="urn:paraphe:exchange:v1"'
    inside = students(KNOWN, KNOWN + "<birthDate>x</birthDate>").replace("</", "<!").replace("<", f"<{name}")
    message = inside.replace(f"<{name}!", f"</{name}").replace("SyncStudents ", f"SyncStudents {declared} ", 1)

    (error,) = caller.send(envelope_of(caller.version, message)).errors

    assert error["path"] == "/SyncStudents/students/student[2]/birthDate"


def test_row_sixteen_thousand_bad_students_take_seconds_at_most(caller):
    began = perf_counter()
    reply = caller.post(students(*[f"{KNOWN}<birthDate>x</birthDate>"] * 16_000))

    assert len(reply.errors) == 100
    assert perf_counter() - began < 5


def test_row_dates_with_white_space_around_are_valid(caller):
    assert sent(caller, "<birthDate>\n      1998-03-14\n    </birthDate>").ok
    assert stored(caller).birth_date == date(1998, 3, 14)


def test_row_tokens_arrive_folded(caller):
    assert sent(caller, "<training>\n  BTS\n  Services\t informatiques </training>").ok
    assert stored(caller).training == "BTS Services informatiques"


# Values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nil", ["false", "0"])
def test_row_nil_that_says_false_does_not_wipe_out_a_value(caller, nil):
    sent(caller, "<email>ada@centre.example</email>")
    reply = sent(caller, f'<email xsi:nil="{nil}">ada@lovelace.example</email>')

    assert refused(reply, "email")
    assert "xsi:nil" in reply.errors[0]["message"]
    assert stored(caller).email == "ada@centre.example"


@pytest.mark.parametrize("nil", ["true", "1"])
def test_row_nil_that_says_true_does_not_wipe_out_a_value_either(caller, nil):
    sent(caller, "<email>ada@centre.example</email>")

    assert refused(sent(caller, f'<email xsi:nil="{nil}"/>'), "email")
    assert stored(caller).email == "ada@centre.example"


@pytest.mark.parametrize(("written", "value"), [(" true ", True), ("\n1", True), (" false", False), ("0\t", False)])
def test_row_boolean_with_white_space_is_what_it_says(caller, written, value):
    assert sent(caller, f"<requiredSignature>{written}</requiredSignature>").ok
    assert stored(caller).required_signature is value


def course(start):
    return (
        "<SyncCourses><courses><course><reference>C</reference><name>N</name>"
        f"<start>{start}</start><end>2026-09-14T23:00:00Z</end></course></courses></SyncCourses>"
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-09-14T10:00:00-05:30", datetime(2026, 9, 14, 15, 30, tzinfo=UTC)),
        ("2026-09-14T10:00:00-00:30", datetime(2026, 9, 14, 10, 30, tzinfo=UTC)),
        ("2026-09-14T10:00:00+05:45", datetime(2026, 9, 14, 4, 15, tzinfo=UTC)),
    ],
)
def test_row_date_time_with_half_hours_in_its_offset_is_that_moment(caller, written, value):
    assert caller.post(course(written)).ok
    assert stored(caller, store.course).start == value


def test_row_date_time_at_24_hours_is_the_next_day_and_no_crash(caller):
    assert caller.post(course("2026-09-13T24:00:00Z")).ok
    assert stored(caller, store.course).start == datetime(2026, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize("written", ["!!!!", "JVBE!", "JVBERi0xLjc", "JVBEé"])
def test_row_bad_base64_is_refused_and_not_taken_for_nothing(caller, written):
    reply = caller.post(f"<SendInvoice><fileName>F</fileName><content>{written}</content></SendInvoice>")

    assert refused(reply, "content")
    assert caller.house.count(store.record, caller.account) == 0


@pytest.mark.parametrize(
    ("value", "text"), [("0.0000001", "0.0000001"), ("1E-7", "0.0000001"), ("1E+3", "1000"), ("-0.50", "-0.50")]
)
def test_row_decimal_in_an_answer_has_no_exponent(house, value, text):
    said = {"field": "quantity", "value": "7", "confidence": Decimal(value)}
    kind = complex_type("ReadValue")

    assert f"<confidence>{text}</confidence>" in encode(kind, "readValue", said)
    assert f'"confidence":{text}' in bytes(write.encode(kind, said)).decode()


@pytest.mark.parametrize("written", ["NaN", "INF", "-INF", "1E3"])
def test_row_what_is_no_number_is_refused_and_no_crash(caller, written):
    reply = caller.post(
        f"<SendInvoicingInfo><invoice><quantity>{written}</quantity></invoice></SendInvoicingInfo>",
    )

    assert refused(reply, "quantity")


@pytest.mark.parametrize("offset", ["Z", "+02:00", "-05:30", "+14:00"])
def test_row_date_with_an_offset_is_that_day_everywhere(caller, offset):
    assert sent(caller, f"<birthDate>1998-03-14{offset}</birthDate>").ok
    assert stored(caller).birth_date == date(1998, 3, 14)


def test_row_a_text_is_not_cut_at_an_entity(caller):
    assert sent(caller, "<training>A &amp; B &#233; &lt;C&gt;</training>").ok
    assert stored(caller).training == "A & B é <C>"


@pytest.mark.parametrize(("declared", "code"), [("", "MALFORMED_MESSAGE"), ("<!ENTITY e 'x'>", "FORBIDDEN_CONSTRUCT")])
def test_row_an_entity_that_a_message_declares_or_invents_is_never_read(caller, declared, code):
    body = envelope_of(caller.version, students(KNOWN + "<training>A &e; B</training>"))
    if declared:
        body = body.replace(b"?>\n", f"?>\n<!DOCTYPE e [{declared}]>\n".encode(), 1)

    assert caller.send(body).codes == [code]


def test_values_of_several_rows_in_one_item_are_all_as_they_were_meant(caller):
    more = (
        "<birthDate> 1998-03-14-05:30 </birthDate><training>A<!-- x -->&amp;B</training>"
        "<requiredSignature>\n0</requiredSignature>"
    )

    assert sent(caller, more).ok
    row = stored(caller)
    assert (row.birth_date, row.training, row.required_signature) == (date(1998, 3, 14), "A&B", False)
