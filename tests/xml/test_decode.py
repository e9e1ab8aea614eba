"""Elements to plain values: every lexical form that XML Schema allows, and what nobody can use."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from paraphe.errors import Code

from .support import STUDENT, read, refused, student

NBSP, NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


def moment(text, zone="Europe/Paris"):
    return read(f"<GetRecordList><createdFrom>{text}</createdFrom></GetRecordList>", ZoneInfo(zone)).get("created_from")


def born(text):
    return read(student(f"<birthDate>{text}</birthDate>"))["students"][0].get("birth_date", [None])[0]


def name(text):
    return read(student(f"<training>{text}</training>"))["students"][0]["training"][0]


def quantity(text):
    return read(f"<SendInvoicingInfo><invoice><quantity>{text}</quantity></invoice></SendInvoicingInfo>")["invoice"][
        "quantity"
    ]


def content(text):
    return read(f"<SendInvoice><fileName>F</fileName><content>{text}</content></SendInvoice>")["content"]


# Texts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Le Goff", "Le Goff"),
        ("  Le \t\r\n  Goff ", "Le Goff"),
        ("&#9;Le&#10;Goff&#13;", "Le Goff"),
        (f"Le{NBSP}Goff", f"Le{NBSP}Goff"),
        (f"{NBSP}Le Goff{NARROW}", f"{NBSP}Le Goff{NARROW}"),
        ("D&apos;A&amp;B &lt;C&gt; &quot;", "D'A&B <C> \""),
        ("<![CDATA[A & B <C>]]>", "A & B <C>"),
        ("e\N{COMBINING ACUTE ACCENT}", "e\N{COMBINING ACUTE ACCENT}"),
        ("\N{GRINNING FACE} 漢字 œŒß", "\N{GRINNING FACE} 漢字 œŒß"),
        ("&#x1F600;", "\N{GRINNING FACE}"),
        ("\N{ZERO WIDTH SPACE}x", "\N{ZERO WIDTH SPACE}x"),
        ("A<!-- a comment -->B", "AB"),
    ],
)
def test_only_the_white_space_of_xml_is_folded_in_a_label(text, value):
    assert name(text) == value


@pytest.mark.parametrize("text", [" true ", "1", "\n1\t", "true"])
def test_true_is_written_in_two_ways(text):
    assert read(f"<SyncStudents><dryRun>{text}</dryRun></SyncStudents>") == {"dry_run": True}


@pytest.mark.parametrize("text", [" false", "0", "\t0 "])
def test_false_is_written_in_two_ways(text):
    assert read(f"<SyncStudents><dryRun>{text}</dryRun></SyncStudents>") == {"dry_run": False}


@pytest.mark.parametrize("text", ["True", "yes", "", "TRUE", "2"])
def test_nothing_else_is_a_boolean(text):
    assert refused(f"<SyncStudents><dryRun>{text}</dryRun></SyncStudents>")[0].code == Code.SCHEMA_INVALID


# Numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), (" +7 ", 7), ("-0", 0), ("0007", 7), ("2147483647", 2**31 - 1), ("-2147483648", -(2**31))],
)
def test_whole_numbers(text, value):
    assert read(f"<GetRecordList><limit>{text}</limit></GetRecordList>") == {"limit": value}


@pytest.mark.parametrize("text", ["7.0", "1e3", "2147483648", "٣", "0x10", "1 000", "", "seven"])
def test_nothing_else_is_a_whole_number(text):
    assert refused(f"<GetRecordList><limit>{text}</limit></GetRecordList>")[0].code == Code.SCHEMA_INVALID


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7.50", "7.50"),
        (" 7.5 ", "7.5"),
        ("+.5", "0.5"),
        ("7.", "7"),
        ("-0.01", "-0.01"),
        ("007.5", "7.5"),
        ("7.5000", "7.5"),
    ],
)
def test_decimals(text, value):
    assert quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["7,5", "7.555", "1E3", "NaN", "INF", "0.001", "12345678901.55", "1 000.00"])
def test_nothing_else_is_a_quantity(text):
    assert {error.code for error in refused_quantity(text)} == {Code.SCHEMA_INVALID}


def refused_quantity(text):
    return refused(f"<SendInvoicingInfo><invoice><quantity>{text}</quantity></invoice></SendInvoicingInfo>")


# Days and moments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1998-03-14", date(1998, 3, 14)),
        ("\n 1998-03-14 ", date(1998, 3, 14)),
        ("1998-03-14Z", date(1998, 3, 14)),
        ("1998-03-14+02:00", date(1998, 3, 14)),
        ("1998-03-14-05:30", date(1998, 3, 14)),
        ("2000-02-29", date(2000, 2, 29)),
        ("9999-12-31", date(9999, 12, 31)),
        ("0001-01-01", None),
        ("0001-01-01+01:00", None),
    ],
)
def test_a_date_has_no_zone_and_the_year_one_is_no_date(text, value):
    assert born(text) == value


@pytest.mark.parametrize(
    "text", ["14/03/1998", "1998-3-14", "1998-02-29", "19980314", "1998-03-14T00:00:00", "1998-W11-6", "0000-01-01"]
)
def test_nothing_else_is_a_date(text):
    assert refused(student(f"<birthDate>{text}</birthDate>"))[0].field == "birthDate"


@pytest.mark.parametrize("text", ["12026-01-01", "-0044-03-15"])
def test_a_date_that_nobody_can_use_is_told_so(text):
    (error,) = refused(student(f"<birthDate>{text}</birthDate>"))

    assert (error.code, error.value) == (Code.VALUE_OUT_OF_RANGE, text)
    assert error.path == "/SyncStudents/students/student[1]/birthDate"


SEVEN = datetime(2026, 9, 14, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-09-14T07:00:00Z", SEVEN),
        ("2026-09-14T09:00:00+02:00", SEVEN),
        ("2026-09-14T01:30:00-05:30", SEVEN),
        ("2026-09-14T21:00:00+14:00", SEVEN),
        ("2026-09-14T09:00:00", SEVEN),
        (" 2026-09-14T09:00:00\n", SEVEN),
        ("2026-09-14T07:00:00.000Z", SEVEN),
        ("2026-09-14T07:00:00.5Z", SEVEN.replace(microsecond=500_000)),
        ("2026-09-14T07:00:00.1234567Z", SEVEN.replace(microsecond=123_456)),
        ("2026-09-14T07:00:00.123456789+00:00", SEVEN.replace(microsecond=123_456)),
        ("2026-09-13T24:00:00Z", datetime(2026, 9, 14, tzinfo=UTC)),
        ("2026-12-31T24:00:00", datetime(2026, 12, 31, 23, tzinfo=UTC)),
        ("2026-12-31T24:00:00.000", datetime(2026, 12, 31, 23, tzinfo=UTC)),
        ("2026-07-01T00:00:00", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_a_moment_is_that_moment_in_utc(text, value):
    assert moment(text) == value


def test_without_an_offset_it_is_the_time_of_the_account():
    assert moment("2026-09-14T09:00:00", "Indian/Reunion") == datetime(2026, 9, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["12026-09-14T09:00:00Z", "9999-12-31T24:00:00Z", "-0001-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00"]
)
def test_a_moment_that_nobody_can_use_is_told_so(text):
    (error,) = refused(f"<GetRecordList><createdFrom>{text}</createdFrom></GetRecordList>")

    assert (error.code, error.path) == (Code.VALUE_OUT_OF_RANGE, "/GetRecordList/createdFrom")


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-14",
        "2026-09-14 09:00:00",
        "2026-09-14T09:00",
        "2026-09-14T25:00:00",
        "14/09/2026",
        "2026-09-14T09:00:00+2",
    ],
)
def test_nothing_else_is_a_moment(text):
    (error,) = refused(f"<GetRecordList><createdFrom>{text}</createdFrom></GetRecordList>")

    assert error.code == Code.SCHEMA_INVALID


# Bytes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "JVBERi0xLjc=",
        "JVBE Ri0x\nLjc=",
        "\r\n JVBE&#13;&#10;Ri0xLjc= \t",
        "JVBERi0xLjc=\n\n",
        "J V B E R i 0 x L j c =",
    ],
)
def test_base64_may_hold_white_space_anywhere(text):
    assert content(text) == b"%PDF-1.7"


def test_no_bytes_are_bytes_too():
    assert content("") == b""


@pytest.mark.parametrize(
    "text", ["JVBE*", "JVBERi0xLjc", "JVBERi0xLjc==", "JVBE_i0-", "JVBEé", "=", "JVBERi0xLjc=JVBE"]
)
def test_what_is_not_base64_is_refused_with_its_place(text):
    (error,) = refused(f"<SendInvoice><fileName>F</fileName><content>{text}</content></SendInvoice>")

    assert (error.field, error.path) == ("content", "/SendInvoice/content")
    assert "base64" in error.message


# Structure -----------------------------------------------------------------------------------------------------


def test_absent_elements_are_absent_keys():
    assert read("<GetRecordList/>") == {}
    assert read("<CheckConnection>\n</CheckConnection>") == {}


def test_a_list_is_a_plain_list_and_an_empty_one_is_empty():
    more = "<groups><reference>G1</reference><reference> G2 </reference></groups><financers/>"
    sent = read(student(f"<financers/>{more.replace('<financers/>', '')}"))["students"][0]

    assert (sent["groups"], sent["financers"]) == ([["G1", "G2"]], [[]])


def test_names_are_written_as_the_inside_writes_them():
    address = "<address><addressLine1>12 rue des Lilas</addressLine1><zipcode>44000</zipcode></address>"

    assert read(student(address))["students"][0]["address"][0] == {
        "address_line1": "12 rue des Lilas",
        "zipcode": "44000",
    }


def test_items_come_by_columns_with_none_where_an_item_lacks_the_element():
    one, other = "<phone>02 99 98 00 01</phone>", "<groups><reference>G1</reference></groups>"
    items = [
        f"<student>{STUDENT.replace('S1', name)}{more}</student>"
        for name, more in zip("ABC", (one, other, one), strict=True)
    ]

    columns = read(f"<SyncStudents><students>{''.join(items)}</students></SyncStudents>")["students"][0]

    assert list(columns) == ["reference", "last_name", "first_name", "phone", "groups"]
    assert [list(columns[key]) for key in ("reference", "phone", "groups")] == [
        ["A", "B", "C"],
        ["02 99 98 00 01", None, "02 99 98 00 01"],
        [None, ["G1"], None],
    ]


def test_with_keep_valid_items_that_nobody_can_read_are_left_out_with_their_errors():
    items = (f"<student>{STUDENT}<birthDate>{year}-03-14</birthDate></student>" for year in (1998, 12026, 1999))
    message = f"<SyncStudents><onError>KEEP_VALID</onError><students>{''.join(items)}</students></SyncStudents>"

    values = read(message)

    assert [day.year for day in values["students"][0]["birth_date"]] == [1998, 1999]
    assert [(error.index, error.code) for error in values["rejected"]] == [(2, Code.VALUE_OUT_OF_RANGE)]


@pytest.mark.slow
def test_with_keep_valid_a_message_that_is_wrong_all_through_is_refused():
    message = f"<SyncStudents><onError>KEEP_VALID</onError><students>{'<student/>' * 10_001}</students></SyncStudents>"

    errors = refused(message)

    assert len(errors) == 100
    assert "More errors" in errors[-1].message
