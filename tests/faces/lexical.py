"""How values are written in messages: for every simple type of requests what is taken, as what, and what is refused.

XML Schema calls a way to write a value a *lexical form*. Those of whole numbers and booleans that JSON has are listed
apart, as they are no texts there.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from paraphe.contract import Complex, Simple, operations

from ..soap.house import values_of

NBSP, NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
FACE, ACUTE = "\N{GRINNING FACE}", "\N{COMBINING ACUTE ACCENT}"


@dataclass(frozen=True)
class Wrong:
    """A form that is refused, with the code of the error."""

    code: str


SCHEMA, RANGE = Wrong("SCHEMA_INVALID"), Wrong("VALUE_OUT_OF_RANGE")
Forms = list[tuple[Any, Any]]


def wrong(*forms: Any) -> Forms:
    """Forms that break the schema."""
    return [(form, SCHEMA) for form in forms]


def texts(most: int) -> Forms:
    """One line of 1 to `most` characters, of which white space is folded; blanks of Unicode are characters."""
    kept = (
        *("L", "é", f"e{ACUTE}", "\N{OHM SIGN}\N{ANGSTROM SIGN}", f"{NBSP}L{NARROW}", NBSP, "null"),
        *("\N{EM SPACE}\N{IDEOGRAPHIC SPACE}\N{OGHAM SPACE MARK}", "a\x85b\N{LINE SEPARATOR}c", "\x7f\x80\x9f"),
        *(
            "\N{ZERO WIDTH NO-BREAK SPACE}\N{ZERO WIDTH SPACE}",
            "\ufdd0\ue000\U0010ffff",
            f"{FACE}\N{MATHEMATICAL BOLD CAPITAL A}",
        ),
        *("<a>&amp;]]>", "'\"\\ %s :x {} ;--", "x" * most, FACE * most, f"e{ACUTE}" * (most // 2)),
        *("x" * (most + 1), FACE * (most + 1), f"e{ACUTE}" * (most // 2 + 1)),
    )
    folded = [
        (" Le Goff ", "Le Goff"),
        ("\tL\n\r\n", "L"),
        ("a \t\r\n  b", "a b"),
        (f"  {'x' * most}\n", "x" * most),
        (f"{'x' * (most - 2)}    y", f"{'x' * (most - 2)} y"),
        (f"{'x' * (most - 1)}    y", f"{'x' * (most - 1)} y"),
        ("", ""),
        (" \t\n ", ""),
    ]
    return [
        (form, value if 0 < len(value) <= most else SCHEMA) for form, value in [*zip(kept, kept, strict=True), *folded]
    ]


def one_of(name: str) -> Forms:
    """The values of an enumeration, as they are and no other way."""
    values = values_of(name)
    wrong = [
        f" {values[0]}",
        f"{values[0]}\n",
        values[0].lower(),
        f"{values[0]}{NBSP}",
        "",
        "\t",
        f"{values[0]} {values[-1]}",
        "0",
    ]
    return [(value, value) for value in values] + [(form, SCHEMA) for form in wrong]


DATES: Forms = [
    ("1998-03-14", date(1998, 3, 14)),
    (" 1998-03-14", date(1998, 3, 14)),
    ("\n\t1998-03-14\r\n", date(1998, 3, 14)),
    ("1998-03-14Z", date(1998, 3, 14)),
    ("1998-03-14+00:00", date(1998, 3, 14)),
    ("1998-03-14-00:30", date(1998, 3, 14)),
    ("1998-03-14-05:30", date(1998, 3, 14)),
    ("1998-03-14+14:00", date(1998, 3, 14)),
    (" 1998-03-14-14:00 ", date(1998, 3, 14)),
    ("2000-02-29", date(2000, 2, 29)),
    ("0001-01-02", date(1, 1, 2)),
    ("9999-12-31", date(9999, 12, 31)),
    ("0001-01-01", None),
    ("0001-01-01Z", None),
    (" 0001-01-01+01:00 ", None),
    ("12026-01-01", RANGE),
    ("999999999-01-01", RANGE),
    ("-0001-12-31", RANGE),
    ("-0044-03-15", RANGE),
    *wrong(
        "",
        "  ",
        "0000-01-01",
        "012026-01-01",
        "1900-02-29",
        "2026-04-31",
        "1998-13-01",
        "1998-00-10",
        "1998-01-00",
        "1998-1-1",
        "98-03-14",
        "19980314",
        "1998-W11-6",
        "1998-073",
        "--03-14",
        "+1998-03-14",
        "14/03/1998",
        "1998-03-14T00:00:00",
        "1998-03-14 Z",
        "1998-03-14z",
        "1998-03-14+14:01",
        "1998-03-14+13:60",
        "1998-03-14+0200",
        "1998-03-14+02",
        "1998-03-14Z+01:00",
        "1998 -03-14",
        f"{NBSP}1998-03-14",
        "١٩٩٨-٠٣-١٤",
        "99999999999999999999-01-01",
        "today",
    ),
]
_SEVEN = datetime(2026, 9, 14, 7, tzinfo=UTC)
#: In an account of Europe/Paris, two hours ahead on these days.
MOMENTS: Forms = [
    ("2026-09-14T07:00:00Z", _SEVEN),
    ("2026-09-14T09:00:00", _SEVEN),
    ("\n 2026-09-14T09:00:00\t", _SEVEN),
    (" 2026-09-14T07:00:00+00:00 ", _SEVEN),
    ("2026-09-14T07:00:00-00:00", _SEVEN),
    ("2026-09-14T06:30:00-00:30", _SEVEN),
    ("2026-09-14T01:30:00-05:30", _SEVEN),
    ("2026-09-14T12:45:00+05:45", _SEVEN),
    ("2026-09-14T21:00:00+14:00", _SEVEN),
    ("2026-09-13T17:00:00-14:00", _SEVEN),
    ("2026-09-14T07:00:00.0Z", _SEVEN),
    ("2026-09-14T07:00:00.5Z", _SEVEN.replace(microsecond=500_000)),
    ("2026-09-14T09:00:00.000001", _SEVEN.replace(microsecond=1)),
    ("2026-09-14T07:00:00.1234567Z", _SEVEN.replace(microsecond=123_456)),
    ("2026-09-14T07:00:00.999999999999999999999999999999Z", _SEVEN.replace(microsecond=999_999)),
    ("2026-09-13T24:00:00Z", datetime(2026, 9, 14, tzinfo=UTC)),
    ("2026-09-13T24:00:00.000", datetime(2026, 9, 13, 22, tzinfo=UTC)),
    ("2026-09-13T24:00:00-05:30", datetime(2026, 9, 14, 5, 30, tzinfo=UTC)),
    ("2026-12-31T24:00:00+01:00", datetime(2026, 12, 31, 23, tzinfo=UTC)),
    ("2028-02-28T24:00:00Z", datetime(2028, 2, 29, tzinfo=UTC)),
    ("2026-01-14T09:00:00", datetime(2026, 1, 14, 8, tzinfo=UTC)),
    ("0001-01-01T00:00:00", RANGE),
    ("0001-01-01T00:00:00Z", RANGE),
    ("12026-09-14T07:00:00Z", RANGE),
    ("-2026-09-14T07:00:00Z", RANGE),
    ("9999-12-31T24:00:00Z", RANGE),
    ("9999-12-31T23:59:59-10:00", RANGE),
    *wrong(
        "",
        " ",
        "2026-09-14",
        "2026-09-14T",
        "2026-09-14T07:00",
        "2026-09-14T7:00:00",
        "2026-09-14 07:00:00",
        "2026-09-14t07:00:00",
        "2026-09-14T07:00:00z",
        "2026-09-14T07:00:00ZZ",
        "2026-09-14T070000",
        "20260914T070000Z",
        "2026-W38-1T07:00:00",
        "2026-09-14T07:00:00.",
        "2026-09-14T07:00:00,5",
        "2026-09-14T23:59:60Z",
        "2026-06-30T23:59:60",
        "2026-09-14T23:60:00",
        "2026-09-14T25:00:00",
        "2026-09-14T24:00:01",
        "2026-09-14T24:00:00.1",
        "2026-02-29T07:00:00",
        "0000-01-01T00:00:00",
        "2026-09-14T07:00:00+14:01",
        "2026-09-14T07:00:00+15:00",
        "2026-09-14T07:00:00+0200",
        "2026-09-14T07:00:00+2:00",
        "2026-09-14T07:00:00 +02:00",
        f"2026-09-14T07:00:00{NBSP}",
        "14/09/2026 09:00",
        "1789455600",
    ),
]
BOOLEANS: Forms = [
    *((form, True) for form in ("true", "1", " true ", "\n1", "\t1\r\n")),
    *((form, False) for form in ("false", "0", " false", "0 \n")),
    *wrong("", " ", "True", "FALSE", "yes", "2", "01", "+1", "-0", "t", "on", f"true{NBSP}", "true false"),
]
WHOLE_NUMBERS: Forms = [
    *((form, 7) for form in ("7", "+7", " 7 ", "\t7\n", "007", "+0007")),
    *((form, 0) for form in ("0", "-0", "+0", "000")),
    (f"{'0' * 400}7", 7),
    ("100000", 100_000),
    *((form, RANGE) for form in ("-7", "100001", "2147483647", "-2147483648")),
    *wrong(
        *(
            "",
            " ",
            "2147483648",
            "-2147483649",
            "9" * 400,
            "7.0",
            "7.",
            "1e3",
            "0x10",
            "+",
            "-",
            "--7",
            "+-7",
            "7 0",
        ),
        *("1_000", "1 000", "1.000", "٣", "\N{FULLWIDTH DIGIT SEVEN}", f"7{NBSP}", "seven", "NaN", "true"),
    ),
]
_NO_DECIMALS = (
    *("", " ", ".", "+", "-", "+.", "1e3", "1E3", "1.5E-1", "NaN", "INF", "-INF", "1,5", "1.5.5", "1 000.00", "1_0"),
    *("0x1p3", "٣.٣", f"{NBSP}1.5", "--1", "1.5-", "7.50 EUR", "€7.50", "1/2", "7.555", "0.001", "0.001" + "0" * 30),
)


def decimals(digits: int) -> Forms:
    """Numbers of at most so many digits, two of them behind the point."""
    most = "9" * (digits - 2) + ".99"
    return [
        ("1.50", Decimal("1.50")),
        ("+1.50", Decimal("1.50")),
        (" 1.5 ", Decimal("1.5")),
        ("\n1.5\t", Decimal("1.5")),
        (".5", Decimal("0.5")),
        ("5.", Decimal(5)),
        ("-.5", Decimal("-0.5")),
        ("-5.", Decimal(-5)),
        ("0", Decimal(0)),
        ("-0", Decimal(0)),
        ("-0.00", Decimal(0)),
        (".00", Decimal(0)),
        ("7.5000", Decimal("7.5")),
        (f"7.5{'0' * 40}", Decimal("7.5")),
        (f"{'0' * 50}7.5", Decimal("7.5")),
        ("0.01", Decimal("0.01")),
        ("-0.01", Decimal("-0.01")),
        ("0.1", Decimal("0.1")),
        ("100000", Decimal(100_000)),
        (most, Decimal(most)),
        (f"-{most}", Decimal(f"-{most}")),
        ("9" * digits, Decimal("9" * digits)),
        (f"9{most}", SCHEMA),
        ("9" * (digits + 1), SCHEMA),
        *wrong(*_NO_DECIMALS),
    ]


PDF = b"%PDF-1.7"
BINARIES: Forms = [
    *(
        (form, PDF)
        for form in (
            *(
                "JVBERi0xLjc=",
                "JVBE Ri0x\nLjc=",
                "\r\n  JVBE\r\nRi0xLjc=  ",
                "J V B E R i 0 x L j c =",
                "JVBERi0xLjc\t=",
            ),
            *("JVBERi0xLjc=\n\n", " JVBERi0xLjc="),
        )
    ),
    ("JVBE", b"%PD"),
    ("+/+/", b"\xfb\xff\xbf"),
    ("AA==", b"\0"),
    ("A A = =", b"\0"),
    ("A" * 76 + "\r\n" + "A" * 76, b"\0" * 114),
    *((form, Wrong("EMPTY_FILE")) for form in ("", " \n\t")),
    *wrong(
        *(
            "!!!!",
            "JVBE*",
            "JVBERi0xLjc",
            "JVBERi0xLjc==",
            "JVBE=",
            "=",
            "====",
            "J===",
            "JVB=JVBE",
            "JVBERi0xLjc=JVBE",
        ),
        *("JVBE_i0-", "JVBEé", f"JVBE{NBSP}", "JVBE,", "JVBE\\n", "data:application/pdf;base64,JVBE", "J", "AB=="),
        *("<JVBE>", "%PDF-1.7", "JVBE\N{ZERO WIDTH SPACE}"),
    ),
]


def in_use(*kinds: Complex) -> dict[str, Simple]:
    """The simple types of everything that stands somewhere in these types, by their names."""
    found: dict[str, Simple] = {}
    for kind in kinds:
        found |= _simple_types(kind)
    return found


def _simple_types(kind: Simple | Complex) -> dict[str, Simple]:
    if isinstance(kind, Simple):
        return {kind.name: kind}
    return {name: simple for field in kind.fields for name, simple in _simple_types(field.type).items()}


#: The types that callers send; xs:string stands in the header Credentials only.
SENT = in_use(*(operation.request for operation in operations().values()))
FORMS: dict[str, Forms] = {
    "Reference": texts(64),
    "MessageId": texts(64),
    "Label": texts(100),
    "LongLabel": texts(255),
    "FundingNumber": texts(64),
    "InvoiceNumber": texts(64),
    "RecordNumber": texts(32),
    "ZipCode": texts(10),
    "FileName": [form for form in texts(255) if not {"/", "\\"} & set(form[0])]
    + [("FAC 1.pdf", "FAC 1.pdf"), ("..", ".."), ("C:", "C:"), ("a/b", SCHEMA), ("a\\b", SCHEMA), ("/", SCHEMA)],
    "EmailAddress": [
        ("a@b.c", "a@b.c"),
        (" a@b.c\n", "a@b.c"),
        ("é@ü.example", "é@ü.example"),
        (f"{FACE}@b.c", f"{FACE}@b.c"),
        ("o'neil+tag@b-c.example", "o'neil+tag@b-c.example"),
        (f"a@b.{'c' * 250}", f"a@b.{'c' * 250}"),
        (f"a@b.{FACE * 250}", f"a@b.{FACE * 250}"),
        *wrong(f"a@b.{'c' * 251}", "", " ", "a", "a@b", "@b.c", "a@.c", "a@b.", "a@b..c", "a@@b.c"),
        *wrong("a b@c.d", "a@b.c, d@e.f", "a@b.c\nd@e.f", "a@b.c d@e.f"),
    ],
    "PhoneNumber": [
        ("012", "012"),
        (" +33  1 99\t00 12 34 ", "+33 1 99 00 12 34"),
        ("(0)1-2/3.4", "(0)1-2/3.4"),
        ("0" * 30, "0" * 30),
        *wrong("0" * 31, "01", "", "0\n", "01 99 ext 5", f"01{NBSP}99", "٠١٢٣", "+33&nbsp;1"),
    ],
    "CountryCode": [
        ("FR", "FR"),
        (" FR\n", "FR"),
        *wrong("fr", "FRA", "F", "F R", "ÉÉ", "", "F1"),
    ],
    "Siret": [
        ("00290361500017", "00290361500017"),
        ("\t00290361500017 ", "00290361500017"),
        *wrong("0029036150001", "002903615000170", "002 903 615 00017", "٠٠٢٩٠٣٦١٥٠٠٠١٧", "", "A" * 14),
    ],
    "VatNumber": [
        ("FR00123456789", "FR00123456789"),
        (" FR12\n", "FR12"),
        (f"FR{'1' * 13}", f"FR{'1' * 13}"),
        ("FR+*", "FR+*"),
        *wrong(f"FR{'1' * 14}", "FR1", "fr12", "FR 12", "", "ÉÉ12"),
    ],
    "Digest": [
        ("{digest}", "{digest}"),
        (" {digest}\n", "{digest}"),
        ("{DIGEST}", "{digest}"),
        ("0" * 64, Wrong("DIGEST_MISMATCH")),
        *wrong("0" * 63, "0" * 65, "g" * 64, f"{'0' * 32} {'0' * 32}", "", f"sha256:{'0' * 64}"),
    ],
    "Cursor": [
        ("{cursor}", "{cursor}"),
        ("\n{cursor} ", "{cursor}"),
        ("", Wrong("INVALID_CURSOR")),
        ("x", Wrong("INVALID_CURSOR")),
        (f" {'x' * 128} ", Wrong("INVALID_CURSOR")),
        (FACE * 128, Wrong("INVALID_CURSOR")),
        ("x" * 129, SCHEMA),
        (FACE * 129, SCHEMA),
    ],
    "Quantity": decimals(12),
    "Amount": decimals(14),
    "xs:boolean": BOOLEANS,
    "xs:int": WHOLE_NUMBERS,
    "xs:date": DATES,
    "xs:dateTime": MOMENTS,
    "xs:base64Binary": BINARIES,
} | {name: one_of(name) for name, kind in SENT.items() if kind.enumeration}

#: What JSON has instead of texts.
JSON_FORMS: dict[str, Forms] = {
    "xs:boolean": [(True, True), (False, False), *wrong("true", "1", 1, 0, "", [], {}, 1.5)],
    "xs:int": [
        (7, 7),
        (7.0, 7),
        (0, 0),
        (-0.0, 0),
        (100_000, 100_000),
        *((form, RANGE) for form in (-7, 100_001, 2**31 - 1, -(2**31))),
        *wrong(2**31, -(2**31) - 1, 10**400, 7.5, 1e300, "7", "", True, [7], {}),
    ],
}
#: Numbers that are small, written at great length.
LENGTHY: dict[str, Forms] = {
    "xs:int": [(f"{'0' * 5000}7", 7), (f"-{'0' * 5000}", 0)],
    "Quantity": [(f"7.5{'0' * 20_000}", Decimal("7.5")), (f"{'0' * 20_000}7.5", Decimal("7.5"))],
}
#: How XML can write a text.
SPELLINGS: Forms = [
    ("Le Goff", "Le Goff"),
    ("Le<!-- x -->Goff", "LeGoff"),
    ("<!-- x -->Le<?php echo 1 ?> Goff<!-- -->", "Le Goff"),
    ("<![CDATA[A & B <C> ]]>", "A & B <C>"),
    ("A<![CDATA[ & ]]>B<![CDATA[]]>", "A & B"),
    ("<![CDATA[<!-- x -->]]>", "<!-- x -->"),
    ("D&apos;A&amp;B &lt;C&gt; &quot;", "D'A&B <C> \""),
    ("&amp;amp; &amp;eacute;", "&amp; &eacute;"),
    ("&#76;&#x65;&#x301; &#x1F600;", f"Le{ACUTE} {FACE}"),
    ("&#9;&#32;Le&#10;&#13;Goff&#13;", "Le Goff"),
    ("\r\nLe\rGoff\r\n", "Le Goff"),
    ("&#160;Le&#x202F;Goff", f"{NBSP}Le{NARROW}Goff"),
    ("a]]&gt;b", "a]]>b"),
    *wrong("", " ", "<![CDATA[]]>", "<![CDATA[ \n]]>", "<!-- x -->", "&#32;&#9;", "<b>x</b>", "a<b/>c"),
]
#: Elements as templates and stubs write them when there is no value, or is one.
NILS: Forms = [
    ("<phone/>", SCHEMA),
    ("<phone></phone>", SCHEMA),
    ("<phone>  </phone>", SCHEMA),
    *((f'<phone i:nil="{nil}"/>', SCHEMA) for nil in ("true", "1", " true ", "false", "0", "", "nil")),
    *((f'<phone i:nil="{nil}">01 99 00</phone>', SCHEMA) for nil in ("true", "1", "false", "0", " false\n")),
    ("<phone>01 99 00</phone>", "01 99 00"),
    ("", None),
]
#: Characters that no XML document holds, so that no message can: JSON can write them.
IMPOSSIBLE = ("\0", "\x01", "\x07", "\x0b", "\x1f", "\ud800", "\udfff\ud800", "\ufffe", "\uffff")
