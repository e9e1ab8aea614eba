"""Every way to write a value: sent through SOAP and JSON, and seen again where it is kept, or refused.

The tables are in `lexical`; where each type is sent, and how it is seen again, in `carriers`.
"""

import json

import pytest

from paraphe import store

from ..soap.house import credentials_header
from .carriers import CARRIERS, Sender
from .lexical import FORMS, IMPOSSIBLE, JSON_FORMS, LENGTHY, NILS, SCHEMA, SENT, SPELLINGS, Wrong

XSI = "http://www.w3.org/2001/XMLSchema-instance"


@pytest.fixture
def sender(request, caller):
    """Somebody with a fresh account at one of the faces."""
    return Sender(caller, request.param)


# What a face makes of a value is the same for all databases.
everywhere = pytest.mark.parametrize(
    ("house", "sender"), [("sqlite", "soap"), ("sqlite", "json"), ("postgresql", "soap")], indirect=True
)
one_face = pytest.mark.parametrize("sender", ["soap"], indirect=True)


def test_every_simple_type_of_the_requests_is_in_the_table():
    assert set(SENT) == set(FORMS) == set(CARRIERS)


@pytest.mark.slow
@everywhere
@pytest.mark.parametrize("name", FORMS)
def test_a_value_is_kept_as_it_is_meant_or_refused(sender, name):
    forms = JSON_FORMS.get(name, FORMS[name]) if sender.face == "json" else FORMS[name]

    kept = CARRIERS[name](sender, forms)

    assert [(form, value) for (form, _), value in zip(forms, kept, strict=True)] == forms


@one_face
@pytest.mark.parametrize("name", LENGTHY)
def test_a_number_with_thousands_of_zeros_is_that_number(sender, name):
    kept = CARRIERS[name](sender, LENGTHY[name])

    assert kept == [value for _, value in LENGTHY[name]]


# What XML can write ----------------------------------------------------------------------------------------------


def students(caller, face, *items):
    """Send students, each with something more; return for each what is said of it: a code, or its row."""
    known = "<reference>L{}</reference><lastName>L</lastName><firstName>F</firstName>{}"
    inside = "".join(f"<student>{known.format(number, item)}</student>" for number, item in enumerate(items, 1))
    message = f"<onError>KEEP_VALID</onError><students xmlns:i='{XSI}'>{inside}</students>"
    if face == "xml":
        errors = [(error["index"], error["code"]) for error in caller.xml("SyncStudents", message).errors]
    else:
        reply = caller.soap.post(f"<SyncStudents>{message}</SyncStudents>")
        errors = [(int(error["index"]), error["code"]) for error in reply.errors]
    mine = store.student.c.account_id == caller.soap.account.id
    rows = {row.reference: row for row in caller.house.rows(store.student.select().where(mine))}
    codes = {index: Wrong(code) for index, code in reversed(errors)}
    return [codes.get(number) or rows[f"L{number}"] for number in range(1, len(items) + 1)]


def kept(found, column):
    return [one if isinstance(one, Wrong) else getattr(one, column) for one in found]


@pytest.mark.parametrize("face", ["soap", "xml"])
def test_a_text_is_what_it_says_however_xml_spells_it(caller, face):
    found = students(caller, face, *(f"<training>{form}</training>" for form, _ in SPELLINGS))

    assert list(zip([form for form, _ in SPELLINGS], kept(found, "training"), strict=True)) == SPELLINGS


def test_comments_do_not_cut_any_value_in_two(caller):
    (found,) = students(
        caller,
        "soap",
        "<!-- a --><birthDate>1998<!-- b -->-03-14</birthDate><?c?>"
        "<address><!-- d --><zipcode>44<!-- e -->000</zipcode></address>"
        "<groups><reference>G<!-- f -->1</reference><!-- g --></groups>"
        "<requiredSignature>fal<!-- h -->se</requiredSignature>",
    )

    assert (str(found.birth_date), found.required_signature) == ("1998-03-14", False)
    assert (json.loads(found.address), json.loads(found.groups)) == ({"zipcode": "44000"}, ["G1"])


def test_an_element_without_value_is_refused_and_one_that_is_absent_is_not(caller):
    found = students(caller, "soap", *(form for form, _ in NILS))

    assert list(zip([form for form, _ in NILS], kept(found, "phone"), strict=True)) == NILS


def test_what_is_absent_stays_and_an_empty_list_is_empty(caller):
    students(caller, "soap", "<phone>01 99 00</phone><groups><reference>G1</reference></groups>")

    (found,) = students(caller, "soap", "")
    assert (found.phone, found.groups) == ("01 99 00", '["G1"]')

    (found,) = students(caller, "soap", "<groups/>")
    assert (found.phone, found.groups) == ("01 99 00", None)


@pytest.mark.parametrize(
    "written", ["\x01", "\x0b", "&#1;", "&#0;", "&#xD800;", "&#55357;&#56832;", "&#xFFFE;", "\uffff"]
)
def test_a_character_that_xml_forbids_makes_a_message_malformed(caller, written):
    reply = caller.soap.post(f"<GetRecordList><invoiceNumber>a{written}b</invoiceNumber></GetRecordList>")

    assert reply.codes == ["MALFORMED_MESSAGE"]


def test_white_space_around_credentials_is_dropped(caller):
    soap = caller.soap
    soap.session.auth = None
    user, key = soap.account.api_user, soap.api_key

    for header in (credentials_header(f" {user}\n", f"\t{key} "), credentials_header(user, key)):
        assert soap.post("<CheckConnection/>", header).ok
    assert soap.post("<CheckConnection/>", credentials_header(user, key.upper())).codes == ["CREDENTIALS_REFUSED"]


# What JSON can write ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["json"], indirect=True)
def test_a_character_that_no_message_can_hold_is_refused_and_what_is_beside_it_kept(sender):
    forms = [(f"a{sign}b", SCHEMA) for sign in IMPOSSIBLE] + [("ab", "ab")]

    assert CARRIERS["LongLabel"](sender, forms) == [value for _, value in forms]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"Le Goff"', "Le Goff"),
        (r'"\u00e9 e\u0301 \ud83d\ude00"', "é e\u0301 \N{GRINNING FACE}"),
        (r'"\/ \\ \" \b\f"', None),
        (r'"\/ \\ \""', '/ \\ "'),
        (r'"\tLe\r\nGoff\n"', "Le Goff"),
        (r'"\\u00e9 &amp; &#233; <![CDATA[x]]>"', r"\u00e9 &amp; &#233; <![CDATA[x]]>"),
    ],
)
def test_a_text_is_what_it_says_however_json_spells_it(caller, written, value):
    message = f'{{"students":[{{"reference":"L1","lastName":"L","firstName":"F","training":{written}}}]}}'

    answer = caller.send("SyncStudents", message.encode())

    mine = store.student.c.account_id == caller.soap.account.id
    rows = caller.house.rows(store.student.select().where(mine))
    assert [row.training for row in rows] == ([] if value is None else [value])
    assert answer.ok == (value is not None)
