"""JSON as it comes: what is taken, what is refused, and where an error says that it stands."""

import json

import pytest

from paraphe import store

from .plain import one_database

pytestmark = one_database
STUDENT = {"reference": "S1", "lastName": "Le Goff", "firstName": "Aurélie 🎓"}


def students(*items, **options):
    return {**options, "students": [STUDENT | item for item in items]}


def sync(caller, *items, **options):
    return caller.json("SyncStudents", students(*items, **options))


def stored(caller):
    (row,) = caller.house.rows(store.student.select().where(store.student.c.account_id == caller.soap.account.id))
    return row


# --- taken


def test_null_counts_as_absent(caller):
    sync(caller, {"phone": "01 99 00 00 01"})

    assert sync(caller, {"phone": None, "address": None, "groups": None}).said["unchanged"] == 1


def test_a_message_without_a_byte_is_an_empty_object(caller):
    assert caller.send("CheckConnection", b"").ok
    assert caller.send("CheckConnection", b"", media_type=None).ok


@pytest.mark.parametrize("written", ["172.50", "172.5", '"172.50"', "1.725e2", "17250E-2"])
def test_a_decimal_is_a_number_or_a_string_that_holds_one(caller, written):
    message = (
        '{"invoice":{"invoiceNumber":"F-1","invoiceDate":"2026-09-30","periodStart":"2026-09-01",'
        f'"periodEnd":"2026-09-30","quantity":{written},"unit":"HOUR","trainees":[{{"lastName":"A"}}]}}}}'
    )
    number = caller.send("SendInvoicingInfo", message.encode()).said["recordNumber"]

    body = caller.json("GetRecord", {"recordNumber": number, "format": "INDEX"}).body

    assert b'"quantity":172.5' in body


def test_a_time_without_offset_is_in_the_time_zone_of_the_account(caller):
    course = {"reference": "C1", "name": "Anglais", "start": "2026-09-14T09:00:00", "end": "2026-09-14T12:00:00"}
    assert caller.json("SyncCourses", {"courses": [course]}).ok

    aware = course | {"start": "2026-09-14T07:00:00Z", "end": "2026-09-14T12:00:00+02:00"}

    assert caller.json("SyncCourses", {"courses": [aware]}).said["unchanged"] == 1


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", None),
        ("utf-16-le", None),
        ("utf-8", "UTF-8"),
        ("iso-8859-15", "ISO-8859-15"),
        ("windows-1252", "windows-1252"),
        ("utf-8-sig", "ISO-8859-1"),
    ],
)
def test_the_encoding_is_seen_or_told(caller, encoding, charset):
    message = json.dumps(students({"firstName": "Chloé Cœur"}), ensure_ascii=False)
    if charset == "ISO-8859-1":
        message = message.replace("œ", "oe")
    media_type = "application/json" + (f"; charset={charset}" if charset else "")

    assert caller.send("SyncStudents", message.encode(encoding), media_type).ok
    assert stored(caller).first_name.startswith("Chloé C")


def test_white_space_is_dropped_as_it_is_in_xml(caller):
    sync(caller, {"lastName": " Le\n Goff\t", "birthDate": " 1998-03-14 "})

    assert stored(caller).last_name == "Le Goff"


# --- refused


@pytest.mark.parametrize(
    ("item", "place", "sentence"),
    [
        ({"birthDate": "14/03/1998"}, "/birthDate", "must be a date written YYYY-MM-DD"),
        ({"civility": "MLLE"}, "/civility", "must be one of: M, MME"),
        ({"email": ""}, "/email", ""),
        ({"address": {"zipcode": 44000}}, "/address/zipcode", "must be a string, not a number"),
        ({"address": "Nantes"}, "/address", "must be an object, not a string"),
        ({"requiredSignature": "false"}, "/requiredSignature", "must be true or false, not a string"),
        ({"requiredSignature": 0}, "/requiredSignature", "must be true or false, not a number"),
        ({"groups": "GRP-A"}, "/groups", "must be an array, not a string"),
        ({"groups": {"reference": ["GRP-A"]}}, "/groups", "must be an array, not an object"),
        ({"groups": ["GRP-A", None]}, "/groups/1", "must be a string, not null"),
        ({"groups": ["GRP-A", ""]}, "/groups/1", "is empty"),
        ({"firstname": "Ada"}, "/firstname", "There is no member firstname in student"),
        ({"a/b~c": 1}, "/a~1b~0c", "There is no member a/b~c"),
        ({"phone": "\x07"}, "/phone", "holds a character that no message can hold"),
        ({"firstName": None}, "", "firstName is missing in student"),
        ({"birthDate": "12026-03-14"}, "/birthDate", "is not a date between"),
    ],
)
def test_an_error_says_where_it_stands_by_a_json_pointer(caller, item, place, sentence):
    answer = sync(caller, {"reference": "S0"}, item)

    assert answer.status == 422
    (error,) = answer.errors
    assert error["path"] == f"/students/1{place}"
    assert (error["index"], error["reference"]) == (2, "S1")
    assert sentence in error["message"]
    assert "line" not in error
    assert not caller.house.count(store.student, caller.soap.account)


def test_all_errors_come_at_once_whoever_finds_them(caller):
    answer = sync(
        caller,
        {"birthDate": "x", "email": "y", "lastName": None, "nonsense": 1, "address": {"zipcode": 1, "country": "f"}},
        {"civility": "Z"},
        mode="MERGE",
    )

    assert sorted(path or "" for path in answer.paths) == [
        "/mode",
        "/students/0",
        "/students/0/address/country",
        "/students/0/address/zipcode",
        "/students/0/birthDate",
        "/students/0/email",
        "/students/0/nonsense",
        "/students/1/civility",
    ]
    assert [error.get("index", 0) for error in answer.errors] == [0, 1, 1, 1, 1, 1, 1, 2]


def test_a_value_that_nobody_can_use_is_told_beside_what_json_alone_gets_wrong(caller):
    answer = sync(caller, {"birthDate": "12026-01-01"}, nonsense=1)

    assert answer.paths == ["/nonsense", "/students/0/birthDate"]


def test_a_hundred_errors_are_shown_and_the_rest_is_mentioned(caller):
    answer = caller.json("SyncStudents", {"students": [7] * 500})

    assert len(answer.errors) == 100
    assert answer.errors[-1]["message"].endswith("More errors are not shown.")


def test_wrong_items_of_every_kind_are_left_out_when_the_caller_wishes_so(caller):
    items = [{}, {"email": "x"}, {"phone": 5}, {"reference": "S4"}, {"birthDate": "12026-01-01"}]
    message = students(*items, onError="KEEP_VALID")
    message["students"] += [None, {"reference": "S6"}]

    answer = caller.json("SyncStudents", message)

    assert (answer.said["created"], answer.said["rejected"]) == (2, 5)
    assert [(error["index"], error["path"]) for error in answer.errors] == [
        (2, "/students/1/email"),
        (3, "/students/2/phone"),
        (5, "/students/4/birthDate"),
        (6, "/students/5"),
        (7, "/students/6"),
        (7, "/students/6"),
    ]


def test_more_wrong_values_than_can_be_told_refuse_the_message_as_a_whole(caller):
    item = dict.fromkeys(("reference", "lastName", "firstName", "email", "phone", *"abcdefghijklmno"), 1)

    answer = caller.json("SyncStudents", students(*[item] * 1000, onError="KEEP_VALID"))

    assert answer.codes == ["SCHEMA_INVALID"] * 100
    assert {error["path"].split("/")[1] for error in answer.errors} == {"students"}
    assert "is not allowed" not in answer.errors[0]["message"]


def test_an_error_outside_the_items_refuses_the_message_all_the_same(caller):
    answer = sync(caller, {}, {"email": "x"}, onError="KEEP_VALID", maxRemovals="3")

    assert (answer.status, answer.paths) == (422, ["/maxRemovals"])


def test_a_member_that_stands_twice_is_refused(caller):
    answer = caller.send(
        "SyncStudents", b'{"students":[{"reference":"A","lastName":"B","firstName":"C","lastName":"D"}]}'
    )

    assert answer.paths == ["/students/0/lastName"]
    assert "twice" in answer.said["message"]


@pytest.mark.parametrize("message", [[], "text", 1, True, None])
def test_a_message_that_is_no_object_is_refused(caller, message):
    answer = caller.json("SyncStudents", message)

    assert (answer.status, answer.paths) == (422, [""])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1,]",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xe9"}',
        b'{"a": "\n"}',
        b"<a/>",
        b"{} {}",
    ],
)
def test_what_is_no_json_is_malformed(caller, body):
    answer = caller.send("SyncStudents", body)

    assert (answer.status, answer.codes) == (400, ["MALFORMED_MESSAGE"])


@pytest.mark.parametrize("charset", ["punycode", "rot13", "utf-7", "no-such", "idna"])
def test_a_charset_that_no_message_has_is_refused(caller, charset):
    answer = caller.send("SyncStudents", b"{}", f"application/json; charset={charset}")

    assert (answer.status, answer.codes) == (400, ["MALFORMED_MESSAGE"])


@pytest.mark.parametrize("signs", [b"[", b'{"a":', b'{"students":['])
def test_deep_nesting_is_refused_without_harm(caller, signs):
    answer = caller.send("SyncStudents", signs * 100_000)

    assert (answer.status, answer.codes) == (400, ["MESSAGE_TOO_COMPLEX"])


@pytest.mark.parametrize("number", ["9" * 5000, "1e999999999", "1" + "0" * 400, "-0.000000000000000000001"])
def test_a_monstrous_number_is_refused_by_its_text(caller, number):
    for member in ("quantity", "amountExclVat"):
        answer = caller.send("SendInvoicingInfo", f'{{"invoice":{{"{member}":{number}}}}}'.encode())

        assert (answer.status, answer.paths) == (422, [f"/invoice/{member}"])
        assert answer.errors[0]["value"] == number[:80]


def test_base64_with_other_characters_is_refused(caller):
    answer = caller.json("SendInvoice", {"fileName": "F.pdf", "content": "JVBERi0*="})

    assert (answer.status, answer.paths) == (422, ["/content"])
