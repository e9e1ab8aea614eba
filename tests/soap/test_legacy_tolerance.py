"""Old stacks get through if the operator lets them; the answer says what was tolerated, and means what was sent."""

import pytest
import requests

from paraphe import accounts, store
from paraphe.contract import NAMESPACE, operations

from .cast import INVOICE
from .house import PATIENCE, Caller, envelope_of
from .packages import INNER, include, package

DECLARED = (
    'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:d="http://www.w3.org/2001/XMLSchema" '
    f'xmlns:p="{NAMESPACE}"'
)
TYPED = "<{0} i:type='d:string'>{1}</{0}>"
# As SOAP::Lite sends it with its typing on, as RPC does, as templates filled by hand do, and as it is right.
TYPED_STUDENT = (
    "<student>"
    + "".join(TYPED.format(*pair) for pair in [("reference", "S1"), ("lastName", "Le Goff"), ("firstName", "Ada")])
    + TYPED.format("birthDate", "1998-03-14")
    + "</student>"
)
STUDENT = (
    "<student><reference>S1</reference><lastName>Le Goff</lastName><firstName>Ada</firstName>"
    "<birthDate>1998-03-14</birthDate>{more}</student>"
)
RIGHT = f"<SyncStudents><messageId>M</messageId><students>{STUDENT.format(more='')}</students></SyncStudents>"
SPELLINGS = {
    "typed": (RIGHT.replace(STUDENT.format(more=""), TYPED_STUDENT), "xsi:type attributes (4)"),
    "rpc": (
        RIGHT.replace("SyncStudents>", "p:SyncStudents>").replace("<p:SyncStudents", '<p:SyncStudents xmlns=""'),
        "elements without namespace (7)",
    ),
    "bare": (RIGHT.replace("<SyncStudents", '<SyncStudents xmlns=""'), "elements without namespace (8)"),
    "empty": (RIGHT.replace("</birthDate>", "</birthDate><email/>"), "empty elements (1)"),
}
spellings = pytest.mark.parametrize("spelling", SPELLINGS)


def declared(payload: str) -> str:
    """Declare the prefixes on the first element."""
    name, sign, rest = payload.partition(">")
    return f"{name.removesuffix('/')} {DECLARED}{'/' if name.endswith('/') else ''}{sign}{rest}"


def spelled(spelling: str) -> str:
    return declared(SPELLINGS[spelling][0])


def tolerate(caller: Caller, tolerant: bool = True) -> None:
    with store.writing(caller.house.engine) as connection:
        accounts.set_tolerant(connection, caller.account, tolerant=tolerant)


@pytest.fixture
def old(caller: Caller) -> Caller:
    """Somebody whose account tolerates the habits of old stacks."""
    tolerate(caller)
    return caller


def stored(caller: Caller) -> list[tuple[object, ...]]:
    table = store.student
    columns = (table.c.reference, table.c.last_name, table.c.birth_date, table.c.phone, table.c.address)
    found = caller.house.rows(table.select().with_only_columns(*columns).where(table.c.account_id == caller.account.id))
    return [tuple(row) for row in found]


# Taken, and told -------------------------------------------------------------------------------------------------


@spellings
def test_a_habit_is_taken_and_the_answer_says_so(old, spelling):
    reply = old.post(spelled(spelling))

    assert (reply.ok, reply.text("created")) == (True, "1")
    assert (reply.text("hint") or "").startswith(f"Tolerated for this account: {SPELLINGS[spelling][1]}. ")


@spellings
def test_an_account_tolerates_nothing_unless_the_operator_says_so(caller, spelling):
    reply = caller.post(spelled(spelling))

    assert reply.is_fault
    assert set(reply.codes) == {"UNKNOWN_OPERATION" if spelling == "bare" else "SCHEMA_INVALID"}
    assert reply.text("hint") is None
    assert caller.house.count(store.student, caller.account) == 0


def test_what_the_operator_says_holds_from_the_next_message_on(old):
    assert old.post(spelled("empty")).ok

    tolerate(old, False)

    assert old.post(spelled("empty")).codes == ["SCHEMA_INVALID"]


def test_a_message_that_follows_the_schema_has_no_hint(old):
    reply = old.post(RIGHT)

    assert (reply.ok, reply.text("hint")) == (True, None)


@spellings
def test_the_same_message_is_known_again_however_it_is_spelled(old, spelling):
    assert old.post(RIGHT).text("duplicate") == "false"

    again = old.post(spelled(spelling))

    assert (again.ok, again.text("duplicate")) == (True, "true")
    assert "Tolerated" in (again.text("hint") or "")
    assert old.post(RIGHT).text("hint") is None


def test_the_first_answer_is_given_again_without_what_was_tolerated_then(old):
    assert "Tolerated" in (old.post(spelled("typed")).text("hint") or "")

    again = old.post(RIGHT)

    assert (again.text("duplicate"), again.text("hint")) == ("true", None)


def test_a_refusal_by_the_operation_says_what_was_tolerated_too(old):
    twice = RIGHT.replace("</students>", f"{STUDENT.format(more='<phone/>')}</students>")

    reply = old.post(twice)

    assert (reply.is_fault, reply.codes) == (False, ["DUPLICATE_REFERENCE"])
    assert "empty elements (1)" in (reply.text("hint") or "")


def test_an_operation_without_members_may_be_without_namespace(old):
    assert "without namespace (1)" in (old.post('<CheckConnection xmlns=""/>').text("hint") or "")


def test_credentials_come_before_what_is_tolerated(house, version):
    url = f"{house.url}/soap/v1"
    body = envelope_of(version, spelled("bare"))

    response = requests.post(url, body, headers={"Content-Type": "text/xml"}, timeout=PATIENCE)

    assert response.status_code == 401
    assert b"CREDENTIALS_REQUIRED" in response.content


# What it means ---------------------------------------------------------------------------------------------------


def test_empty_elements_leave_stored_values_alone(old):
    kept = "<phone>0199001234</phone><address><city>Nantes</city></address>"
    old.post(RIGHT.replace("</student>", f"{kept}</student>").replace(">M<", ">M1<"))
    before = stored(old)

    empty = "<phone/><address><addressLine1/><city/></address>"
    reply = old.post(RIGHT.replace("</student>", f"{empty}</student>").replace(">M<", ">M2<"))

    assert reply.text("unchanged") == "1"
    assert stored(old) == before


@pytest.mark.parametrize("mode", ["UPSERT", "REPLACE"])
def test_a_list_with_one_empty_item_is_an_empty_list(old, mode):
    old.post(RIGHT)

    reply = old.post(f"<SyncStudents><mode>{mode}</mode><students><student/></students></SyncStudents>")

    assert (reply.ok, reply.text("received")) == (True, "0")
    assert reply.text("removed") == ("0" if mode == "UPSERT" else "1")
    assert "empty list items (1)" in (reply.text("hint") or "")


def test_an_empty_item_among_others_is_nobody_that_may_be_removed(old):
    reply = old.post(f"<SyncStudents><students>{STUDENT.format(more='')}<student/></students></SyncStudents>")

    assert set(reply.codes) == {"SCHEMA_INVALID"}
    assert {error["index"] for error in reply.errors} == {"2"}


def test_a_name_that_is_coded_is_not_stored_as_a_name(old):
    coded = declared(RIGHT.replace("<lastName>Le Goff", "<lastName i:type='d:base64Binary'>TGUgR29mZg=="))

    reply = old.post(coded)

    assert reply.codes == ["SCHEMA_INVALID"]
    assert reply.errors[0]["path"] == "/SyncStudents/students/student[1]/lastName"
    assert stored(old) == []


def test_with_keep_valid_only_what_is_wrong_is_rejected(old):
    items = [
        STUDENT.replace("S1", f"S{number}").format(more=more)
        for number, more in enumerate(["<phone/>", "<phone>x</phone>", ""], 1)
    ]
    message = f"<SyncStudents><onError>KEEP_VALID</onError><students>{''.join(items)}</students></SyncStudents>"

    reply = old.post(message.replace("<SyncStudents", '<SyncStudents xmlns=""'))

    assert [reply.text(name) for name in ("received", "created", "rejected")] == ["3", "2", "1"]
    assert {error["path"] for error in reply.errors} == {"/SyncStudents/students/student[2]/phone"}
    assert "without namespace" in (reply.text("hint") or "")


def test_what_is_left_is_told_with_the_lines_of_the_message(old):
    wrong = RIGHT.replace("<students>", "\n<students>\n").replace("1998-03-14", "14/03/1998")

    reply = old.post(wrong.replace("<SyncStudents", '<SyncStudents xmlns=""'))

    (error,) = reply.errors
    assert (error["line"], error["path"]) == ("6", "/SyncStudents/students/student[1]/birthDate")


def test_a_file_may_lie_beside_a_message_without_namespaces(old):
    payload = f'<SendInvoice xmlns=""><fileName>F.pdf</fileName><content>{include("1@here")}</content></SendInvoice>'
    kind = f'application/xop+xml; charset=utf-8; type="{INNER[old.version]}"'
    root = (f"Content-Type: {kind}", envelope_of(old.version, payload))
    file = ("Content-ID: <1@here>\r\nContent-Transfer-Encoding: binary", INVOICE)
    whole = f'multipart/related; type="application/xop+xml"; boundary="b"; start-info="{INNER[old.version]}"'

    reply = old.send(package("b", [root, file]), headers={"Content-Type": whole})

    assert "without namespace (3)" in (reply.text("hint") or "")
    index = old.call("GetRecord", recordNumber=reply.text("recordNumber"), format="INDEX").recordIndex
    assert [document.sizeBytes for document in index.documents.document] == [len(INVOICE)]


# Other faces -----------------------------------------------------------------------------------------------------


def test_the_xml_face_tolerates_the_same(house):
    old = house.account()
    tolerate(old)

    for number, spelling in enumerate(SPELLINGS):
        body = spelled(spelling).replace(">M<", f">M{number}<")
        if "xmlns=" not in body.partition(">")[0]:
            body = body.replace("<SyncStudents", f'<SyncStudents xmlns="{NAMESPACE}"', 1)
        response = posted(old, body)
        assert response.status_code == 200, response.text
        assert f"<hint>Tolerated for this account: {SPELLINGS[spelling][1]}. " in response.text


def test_the_xml_face_refuses_the_same_without_tolerance(house):
    response = posted(house.account(), spelled("bare"))

    assert response.status_code == 422
    assert "SCHEMA_INVALID" in response.text


def posted(caller: Caller, body: str) -> requests.Response:
    return requests.post(
        f"{caller.url}/api/v1/SyncStudents",
        body.encode(),
        auth=(caller.account.api_user, caller.api_key),
        headers={"Content-Type": "application/xml"},
        timeout=PATIENCE,
    )


def test_every_answer_has_room_for_a_hint():
    for operation in operations().values():
        assert "hint" in [field.name for field in operation.result.fields]
