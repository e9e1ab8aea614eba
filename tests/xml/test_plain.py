"""Lists that are written plainly: read without a tree, and never otherwise than by the parser and the schema."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paraphe.contract import NAMESPACE, Simple, operations
from paraphe.errors import Error, Refused
from paraphe.faces.soap import envelope
from paraphe.settings import OPTIONS
from paraphe.spool import nameless
from paraphe.xml import plain
from paraphe.xml.arrival import Arrival
from paraphe.xml.bounds import STANDARD, Bounds
from paraphe.xml.request import find_operation
from paraphe.xml.rows import LONGEST_INSIDE
from paraphe.xml.validate import items_of

from ..fuzz.damage import damaged, envelopes, payloads
from ..fuzz.defects import defects
from ..fuzz.messages import rows, to_xml
from ..fuzz.strategies import facets, messages, styles
from .support import PARIS, STUDENT
from .test_items import kind_of
from .test_long_lists import in_file

WITH_LISTS = [name for name, operation in operations().items() if items_of(operation)]


@pytest.fixture(autouse=True)
def short_messages_too(monkeypatch):
    monkeypatch.setattr(plain, "WORTH", 0)


NO_OPERATION = "no operation; whether its list is XML is not asked"


def arrive(body, charset=None, bounds=STANDARD, tolerant=False):
    """What is read of a message, or why it is refused; and whether its list was read without a tree."""
    arrival, request = Arrival(body, charset, bounds, lambda payload: None if tolerant else PARIS, nameless), None
    try:
        while request is None:
            root = arrival.root()
            try:
                payload = envelope.read(root) if envelope.version_of(root) else root
                operation = find_operation(payload)
            except Refused:
                return NO_OPERATION, False
            request = arrival.request(payload, operation, PARIS, tolerant=tolerant)
    except Refused as refused:
        return refused.errors, False
    without_tree = arrival._plain is not None and arrival._plain.slices is not None
    # Where items are left out, how the others lie in slices depends on the way.
    digest = b"" if "rejected" in request.values else request.digest
    return (operation.name, rows(request.values, operation), digest, request.hint), without_tree


def by_parser_and_schema(body, monkeypatch, **how):
    with monkeypatch.context() as patch:
        patch.setattr(plain, "WORTH", len(body) + 1)
        read, without_tree = arrive(body, **how)
    assert not without_tree
    return read


MANY = "".join(f"<student>{STUDENT.replace('S1', f'S{number}')}<groups></groups></student>" for number in range(3))
HEAD = f'<SyncStudents xmlns="{NAMESPACE}"><messageId>m1</messageId>'


def sent(students=MANY, head=HEAD, behind=""):
    return f"{head}<students>{students}</students>{behind}</SyncStudents>"


PLAIN = {
    "as it comes": sent(),
    "declared": f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n{sent()}',
    "with a byte order mark": "\ufeff<?xml version='1.0'?>" + sent(),
    "with a prefix": sent(MANY, HEAD.replace("xmlns=", "xmlns:v1="))
    .replace("</", "</v1:")
    .replace("<", "<v1:")
    .replace("<v1:/", "</"),
    "indented": sent(MANY.replace("<", "\n  <")),
    "by a machine with other line ends": sent(MANY.replace("</lastName>", "\r\nde\rLa\n</lastName>\r\n\t")),
    "with references": sent(MANY.replace("Le Goff", "L&apos;Her &quot;R&amp;amp;D&quot; &lt;&gt;")),
    "with other alphabets": sent(MANY.replace("Le Goff", "Nguyễn 𝄞 \u00a0\u2028")),
    "with empty tags": sent(
        MANY.replace("<groups></groups>", "<groups/>", 1).replace("<groups></groups>", "<groups />")
    ),
    "with lists inside": sent(
        MANY.replace("<groups>", "<groups><reference>G &amp;  1</reference><reference>G2</reference>")
    ),
    "with members that hold nothing": sent(MANY.replace("<groups>", "<address></address><groups>")),
    "with blanks to fold": sent(MANY.replace("Le Goff", "  Le \t Goff ")),
    "keeping what is valid": sent(head=HEAD + "<onError>KEEP_VALID</onError>"),
    "followed by something": sent(head=HEAD + "<dryRun>true</dryRun>"),
    "empty": sent(""),
}


@pytest.mark.parametrize("large", [False, True], ids=["in memory", "in a file"])
@pytest.mark.parametrize("name", PLAIN)
def test_what_callers_commonly_write_is_read_without_a_tree(name, large, monkeypatch):
    body = PLAIN[name].encode()

    read, without_tree = arrive(in_file(body) if large else body)

    assert without_tree
    assert read == by_parser_and_schema(body, monkeypatch)


def test_nobody_of_a_list_of_many_slices_is_lost_wherever_it_is_cut(monkeypatch):
    body = sent(
        "".join(f"<student>{STUDENT.replace('S1', f'é{number}')}</student>\n" for number in range(3500))
    ).encode()
    monkeypatch.setattr(plain, "_WINDOW", 10_007)

    for message in (body, in_file(body)):
        read, without_tree = arrive(message)

        assert without_tree
        assert [each["reference"] for each in read[1]["students"]] == [f"é{number}" for number in range(3500)]
        assert read == by_parser_and_schema(body, monkeypatch)


SOAP = envelope.NAMESPACES["1.1"]


def in_envelope(body, header=""):
    return f'<e:Envelope xmlns:e="{SOAP}">{header}<e:Body>{body}</e:Body></e:Envelope>'


PREFIXED = PLAIN["with a prefix"]
PLAIN["in an envelope"] = in_envelope(sent(), "<e:Header/>")
OTHERWISE = {
    "no closing tag": PREFIXED.replace("</v1:lastName>", "<v1:/lastName>", 1),
    "no closing tag of an item": PREFIXED.replace("</v1:student>", "<v1:/student>", 1),
    "a prefix behind the stroke": PREFIXED.replace("</v1:lastName>", "<v1:/v1:lastName>", 1),
    "a prefix twice": PREFIXED.replace("v1:lastName>", "v1:v1:lastName>", 2),
    "some without the prefix": PREFIXED.replace("v1:lastName>", "lastName>", 2),
    "two requests": in_envelope(sent() + sent()),
    "a list in the header": in_envelope(sent(), "<e:Header><students></students></e:Header>"),
    "a header in the list": in_envelope(
        sent(), f"<e:Header><students></students></e:Header><e:Header>{sent()}<students></students></e:Header>"
    ),
    "a request of others in the list": in_envelope(
        sent(), "<e:Header><students></students></e:Header><e:Header><GetRecordList/><students></students></e:Header>"
    ),
    "an empty list and another request": in_envelope(
        f"{HEAD}<students></students></SyncStudents>{HEAD}<students></students></SyncStudents>"
    ),
    "a long list inside": sent(MANY.replace("<groups>", "<groups>" + "<reference>G</reference>" * 1200, 1)),
    "nothing but blanks": sent(" \r\n"),
    "a comment": sent(MANY.replace("</student>", "<!-- --></student>", 1)),
    "a comment around": sent("<!--" + MANY + "-->"),
    "a comment that begins before": sent(MANY, HEAD + "<!-- ", "-->"),
    "a comment with such a list before": sent(head=f"{HEAD}<!--<students></students>-->"),
    "a section": sent(MANY.replace("Le Goff", "<![CDATA[</students>]]>", 1)),
    "the end of a section": sent(MANY.replace("Le Goff", "Le ]]> Goff", 1)),
    "an instruction": sent(MANY.replace("<student>", "<?x y?><student>", 1)),
    "an attribute": sent(MANY.replace("<lastName>", "<lastName x='1'>", 1)),
    "nothing, said so": sent(
        MANY.replace("<groups>", "<groups i:nil='true'>", 1), HEAD.replace(">", ' xmlns:i="urn:i">', 1)
    ),
    "a declaration": sent(MANY.replace("<lastName>", f'<lastName xmlns="{NAMESPACE}">', 1)),
    "another namespace": sent(MANY.replace("<lastName>", '<lastName xmlns="urn:x">', 1)),
    "another namespace for all": sent(head=HEAD.replace(NAMESPACE, "urn:x")),
    "no namespace inside": sent(MANY, HEAD.replace("xmlns=", "xmlns:v=").replace("<", "<v:").replace("<v:/", "</v:"))
    .replace("<students>", "<v:students>")
    .replace("</students></", "</v:students></v:"),
    "a numbered character": sent(MANY.replace("Goff", "G&#244;ff", 1)),
    "an unknown reference": sent(MANY.replace("Goff", "G&ocirc;ff", 1)),
    "a bare ampersand": sent(MANY.replace("Goff", "G&ff", 1)),
    "text between": sent(MANY.replace("</student>", "</student>lost", 1)),
    "blanks of others between": sent(MANY.replace("</student>", "</student>\u00a0", 1)),
    "text inside": sent(MANY.replace("<lastName>", "x<lastName>", 1)),
    "an item cut off": sent(MANY[: MANY.rindex("<groups>")]),
    "an item of others": sent(MANY + "<teacher></teacher>"),
    "another order": sent(f"<student>{STUDENT}<civility>M</civility></student>"),
    "a member twice": sent(MANY.replace("<groups>", "<groups></groups><groups>", 1)),
    "a member missing": sent(MANY.replace("<lastName>Le Goff</lastName>", "", 1)),
    "an element in a value": sent(MANY.replace("Le Goff", "<b></b>", 1)),
    "a list twice": sent(behind="<students></students>"),
    "an empty list before": f"{HEAD}<students></students><students>{MANY}</students></SyncStudents>",
    "a list elsewhere": f"{HEAD}</SyncStudents><!--{sent()}-->",
    "a list of others": sent().replace("students>", "teachers>"),
    "a list with an attribute": sent().replace("<students>", "<students x='1'>"),
    "wrong around": sent(head=HEAD + "<mode>MERGE</mode>"),
    "wrong behind": sent(MANY.replace("><", ">\n<"), behind="\n<mode>UPSERT</mode>"),
    "wrong inside and around": sent(MANY.replace("S1", "", 1), HEAD + "<mode>MERGE</mode>"),
    "a doctype": "<!DOCTYPE x>" + sent(),
    "a later version": '<?xml version="1.1"?>' + sent(),
    "not closed": sent()[:-3],
    "more behind": sent() + "<x/>",
    "an inclusion": sent(head=HEAD + "<i:include xmlns:i='http://www.w3.org/2001/XInclude' href='x'/>"),
    "a control character": sent(MANY.replace("Goff", "G\x0bff", 1)),
    "no character": sent(MANY.replace("Goff", "G\uffffff", 1)),
    "kept, some wrong": sent(MANY.replace("S1", "", 1), HEAD + "<onError>KEEP_VALID</onError>"),
    "too many": sent(MANY * 400),
    "too long": sent(MANY.replace("</student>", "</student>" + " " * 12_000, 1)),
}
VALUES = {
    "birthDate": [
        "",
        " 2001-02-03",
        "2001-02-30",
        "0001-01-01",
        "0000-01-01",
        "2001-02-03Z",
        "12026-01-01",
        "\uff12001-02-03",
    ],
    "email": ["", "a", "a@b.c ", "a@b..c", "a\u00a0b@c.d", "é@c.d", "x" * 250 + "@b.fr"],
    "phone": ["1", "12", "+33 (0)1", "١٢٣", "1" * 31],
    "training": ["", " ", "\u00a0", "x" * 255, "x" * 256, "é" * 255, "  " * 300 + "x"],
    "requiredSignature": ["true", "1", "TRUE", " true", ""],
}


@pytest.mark.parametrize("large", [False, True], ids=["in memory", "in a file"])
@pytest.mark.parametrize("tolerant", [False, True], ids=["strictly", "tolerantly"])
@pytest.mark.parametrize("name", OTHERWISE)
def test_whatever_is_written_otherwise_is_for_parser_and_schema(name, tolerant, large, monkeypatch):
    body, bounds = OTHERWISE[name].encode(), Bounds(list_items=1000, text_length=10_000)

    read, without_tree = arrive(in_file(body) if large else body, bounds=bounds, tolerant=tolerant)

    assert not without_tree
    same = by_parser_and_schema(in_file(body) if large else body, monkeypatch, bounds=bounds, tolerant=tolerant)
    assert read == same


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in VALUES.items() for value in values])
def test_a_value_is_valid_as_the_schema_says(field, value, monkeypatch):
    body = sent(f"<student>{STUDENT}<{field}>{value}</{field}></student>").encode()

    assert arrive(body)[0] == by_parser_and_schema(body, monkeypatch)


def test_every_facet_that_values_of_items_have_is_held_to():
    kinds = [kind for name in WITH_LISTS for kind in leaves_of(kind_of(name).type)]

    assert {name for kind in kinds for name in facets(kind.name)} <= {"minLength", "maxLength", "pattern", "whiteSpace"}


@pytest.mark.parametrize(("name", "needed"), [("list_items", LONGEST_INSIDE), ("element_depth", 9)])
def test_items_that_are_read_without_a_tree_keep_to_every_bound_that_can_be_set(name, needed):
    """A message of the contract is 9 elements deep at most, with its envelope."""
    (option,) = (each for each in OPTIONS if each.name == name)

    with pytest.raises(ValueError):  # noqa: PT011 - the settings say in their own words what may be set
        option.read(str(needed - 1))


def leaves_of(kind):
    return [kind] if isinstance(kind, Simple) else [leaf for field in kind.fields for leaf in leaves_of(field.type)]


MOMENTS = [
    "2026-09-14T08:00:00",
    "2026-09-14T08:00:00.5Z",
    "2026-09-14T24:00:00",
    "2026-09-14T08:00:00+14:00",
    "2026-09-14T08:00:00+15:00",
    "2026-02-30T08:00:00",
    "2026-09-14T08:60:00",
    "0001-01-01T00:00:00",
    "2026-09-14T08:00",
    "2026-09-14T08:00:00.1234567-03:30",
    "2026-09-14t08:00:00",
    "9999-12-31T23:59:59-01:00",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_is_valid_as_the_schema_says(moment, monkeypatch):
    course = f"<reference>C1</reference><name>Cours</name><start>{moment}</start><end>2026-09-14T12:00:00Z</end>"
    body = f'<SyncCourses xmlns="{NAMESPACE}"><courses><course>{course}</course></courses></SyncCourses>'.encode()

    assert arrive(body)[0] == by_parser_and_schema(body, monkeypatch)


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + sent().replace("Goff", "Gôff"), "latin-1", None),
        (sent().replace("Goff", "Gôff"), "latin-1", "ISO-8859-1"),
        (sent().replace("Goff", "Gôff"), "latin-1", "UTF-8"),
        (sent().replace("Goff", "Gôff"), "utf-16", None),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + sent().replace("Goff", "Gôff"), "utf-8", "utf-8"),
    ],
)
def test_what_is_not_surely_utf_8_is_for_the_parser(text, encoding, charset, monkeypatch):
    body = text.encode(encoding)

    read, without_tree = arrive(body, charset)

    assert not without_tree
    assert read == by_parser_and_schema(body, monkeypatch, charset=charset)


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-16"?>'])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_list_in_bytes_that_are_other_characters_is_none(encoding, declaration, monkeypatch):
    before, behind = (
        f"{declaration}{HEAD[: -len('m1</messageId>')]}",
        "</messageId><students></students></SyncStudents>",
    )
    many = MANY + "\n" * (len(MANY) % 2)  # whether or not it is cut out, two bytes are a character
    body = before.encode(encoding) + f"<students>{many}</students>A".encode() + behind.encode(encoding)

    read, without_tree = arrive(body)

    assert not without_tree
    assert read == by_parser_and_schema(body, monkeypatch)


# Any message -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=500, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(WITH_LISTS)
    .flatmap(lambda name: messages(operations()[name]))
    .flatmap(lambda message: st.just(message) | defects(message).map(lambda spoilt: spoilt.message)),
    styles,
)
def test_a_drawn_message_is_read_as_by_parser_and_schema(message, style):
    body = to_xml(message, style).encode()

    with pytest.MonkeyPatch.context() as patch:
        assert arrive(body)[0] == by_parser_and_schema(body, patch)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))])
def test_a_damaged_message_is_read_as_by_parser_and_schema(seed, monkeypatch):
    chance = Random(seed)
    whole = [message for name, message in (*payloads(), *envelopes()) if name in WITH_LISTS]
    without_a_tree = 0
    for _ in range(400):
        body = damaged(chance, chance.choice(whole))

        read, without_tree = arrive(body)

        without_a_tree += without_tree
        same = by_parser_and_schema(body, monkeypatch)
        assert read == same or (read == NO_OPERATION and isinstance(same[0], Error)), body
    assert without_a_tree > 3
