"""In whatever encoding a message comes, and however that is told, what is stored is what was written."""

import codecs
import json

import pytest

from paraphe import contract, store

from ..soap.house import envelope_of
from .plain import PlainCaller, one_database

pytestmark = one_database

# What names an encoding, the encoding that Python writes it in, and signs that it has.
ENCODINGS = {
    "UTF-8": ("utf-8", "Noël Cœur 100 € 🎓"),
    "UTF-16LE": ("utf-16-le", "Noël Cœur 100 € 🎓"),
    "UTF-16BE": ("utf-16-be", "Noël Cœur 100 € 🎓"),
    "ISO-8859-1": ("iso-8859-1", "Noël ÿ§"),
    "ISO-8859-15": ("iso-8859-15", "Noël Cœur 100 €"),
    "windows-1252": ("windows-1252", "Noël Cœur 100 € “Œil” ‰"),
}
MARKS = {"UTF-8": codecs.BOM_UTF8, "UTF-16LE": codecs.BOM_UTF16_LE, "UTF-16BE": codecs.BOM_UTF16_BE}
FACES = {"1.1": "text/xml", "1.2": "application/soap+xml", "xml": "application/xml"}


class Sender:
    """Somebody who sends one teacher through a face, in bytes of their own."""

    def __init__(self, house, face):
        self.face = face
        self.plain = PlainCaller.of(house)
        self.soap = house.account(face) if face != "xml" else self.plain.soap

    def write(self, first_name, declared=None):
        """The message as text, with a declaration if it has one."""
        person = f"<reference>T1</reference><lastName>A</lastName><firstName>{first_name}</firstName>"
        inside = f"<teachers><teacher>{person}</teacher></teachers>"
        if self.face == "xml":
            text = f'<SyncTeachers xmlns="{contract.NAMESPACE}">{inside}</SyncTeachers>'
        else:
            text = envelope_of(self.face, f"<SyncTeachers>{inside}</SyncTeachers>").decode().partition("\n")[2]
        return (f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else "") + text

    def send(self, body, charset=None):
        """POST bytes; give the codes of the errors."""
        media_type = FACES[self.face] + (f"; charset={charset}" if charset else "")
        if self.face == "xml":
            return self.plain.send("SyncTeachers", body, media_type).codes
        return self.soap.send(body, headers={"Content-Type": media_type}).codes

    @property
    def stored(self):
        """The first names that are stored."""
        mine = store.teacher.c.account_id == self.soap.account.id
        return [row.first_name for row in self.soap.house.rows(store.teacher.select().where(mine))]


@pytest.fixture(params=FACES)
def sender(request, house):
    return Sender(house, request.param)


every_encoding = pytest.mark.parametrize("name", ENCODINGS)
every_mark = pytest.mark.parametrize("name", MARKS)


@every_encoding
def test_the_declaration_tells_the_encoding(sender, name):
    encoding, text = ENCODINGS[name]

    assert sender.send(sender.write(text, declared=name).encode(encoding)) == []
    assert sender.stored == [text]


@every_encoding
@pytest.mark.parametrize("written", [str, str.lower, '"{}"'.format])
def test_the_charset_tells_the_encoding(sender, name, written):
    encoding, text = ENCODINGS[name]

    assert sender.send(sender.write(text).encode(encoding), charset=written(name)) == []
    assert sender.stored == [text]


@every_encoding
def test_charset_and_declaration_may_agree(sender, name):
    encoding, text = ENCODINGS[name]

    assert sender.send(sender.write(text, declared=name).encode(encoding), charset=name) == []
    assert sender.stored == [text]


@every_encoding
@pytest.mark.parametrize("declared", ["UTF-8", "ISO-8859-1", "UTF-16"])
def test_the_charset_wins_over_the_declaration(sender, name, declared):
    encoding, text = ENCODINGS[name]

    assert sender.send(sender.write(text, declared).encode(encoding), charset=name) == []
    assert sender.stored == [text]


@pytest.mark.slow
@every_mark
@pytest.mark.parametrize("charset", [None, "UTF-8", "ISO-8859-1", "UTF-16", "no-such-charset"])
@pytest.mark.parametrize("declared", [None, "ISO-8859-1"])
def test_a_byte_order_mark_wins_over_both(sender, name, charset, declared):
    encoding, text = ENCODINGS[name]

    assert sender.send(MARKS[name] + sender.write(text, declared).encode(encoding), charset) == []
    assert sender.stored == [text]


@pytest.mark.parametrize("name", ["UTF-16LE", "UTF-16BE"])
@pytest.mark.parametrize("charset", [None, "UTF-16"])
def test_utf_16_that_does_not_say_which_one_is_told_by_its_first_sign(sender, name, charset):
    encoding, text = ENCODINGS[name]

    assert sender.send(sender.write(text, "UTF-16").encode(encoding), charset) == []
    assert sender.stored == [text]


def test_what_nobody_has_named_is_utf_8(sender):
    assert sender.send(sender.write("Cœur 🎓").encode()) == []
    assert sender.stored == ["Cœur 🎓"]


WRONG = {
    "Latin-1 that is called UTF-8": ("UTF-8", None, "Noël".encode("iso-8859-1")),
    "Latin-1 that nobody has named": (None, None, "Noël".encode("iso-8859-1")),
    "Latin-1 against a charset": ("ISO-8859-1", "utf-8", "Noël".encode("iso-8859-1")),
    "half a sign": ("UTF-8", None, "é".encode()[:1]),
    "a sign longer than it may be": ("UTF-8", None, b"\xc0\xaf"),
    "a surrogate in UTF-8": ("UTF-8", None, b"\xed\xa0\xbd"),
    "beyond Unicode": ("UTF-8", None, b"\xf4\x90\x80\x80"),
    "a byte that windows-1252 has not": ("windows-1252", None, b"\x81"),
    "a byte that ASCII has not": ("US-ASCII", None, b"\xe9"),
    "a charset of no message": (None, "klingon", b"A"),
    "an encoding that nobody knows": ("klingon", None, b"A"),
    "eight bits that are called UTF-16": ("UTF-16", "utf-16", b"A"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_bytes_are_refused_and_nothing_is_stored(sender, kind):
    declared, charset, name = WRONG[kind]
    before, after = sender.write("|", declared).encode().split(b"|")

    assert sender.send(before + name + after, charset) == ["MALFORMED_MESSAGE"]
    assert sender.stored == []


@pytest.mark.parametrize("name", [b"\x3d\xd8", b"\x93\xdf", b"A"], ids=["half a pair", "its other half", "half a sign"])
def test_wrong_pairs_of_utf_16_are_refused(sender, name):
    before, after = (part.encode("utf-16-le") for part in sender.write("|").split("|"))

    assert sender.send(codecs.BOM_UTF16_LE + before + name + after) == ["MALFORMED_MESSAGE"]
    assert sender.stored == []


# --- JSON


@every_encoding
def test_json_is_read_by_its_charset(house, name):
    encoding, text = ENCODINGS[name]
    sender = Sender(house, "xml")

    answer = sender.plain.send("SyncTeachers", in_json(text).encode(encoding), f"application/json; charset={name}")

    assert answer.ok
    assert sender.stored == [text]


@every_mark
@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=iso-8859-1", "; charset=utf-16"])
@pytest.mark.parametrize("marked", [True, False], ids=["with a mark", "without"])
def test_json_in_unicode_tells_by_itself_what_it_is(house, name, charset, marked):
    encoding, text = ENCODINGS[name]
    sender = Sender(house, "xml")
    if not marked and charset not in ("", "; charset=utf-16"):
        charset = f"; charset={name}"

    body = (MARKS[name] if marked else b"") + in_json(text).encode(encoding)

    assert sender.plain.send("SyncTeachers", body, f"application/json{charset}").ok
    assert sender.stored == [text]


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (b'{"messageId":"\xe9"}', ""),
        (b'{"messageId":"\xe9"}', "; charset=utf-8"),
        (b'{"messageId":"\x81"}', "; charset=windows-1252"),
        (codecs.BOM_UTF16_LE + '{"messageId":"é"}'.encode("utf-16-le")[:-1], ""),
        (codecs.BOM_UTF8 * 2 + b"{}", ""),
    ],
)
def test_wrong_bytes_of_json_are_refused(house, body, charset):
    answer = PlainCaller.of(house).send("SyncTeachers", body, f"application/json{charset}")

    assert (answer.status, answer.codes) == (400, ["MALFORMED_MESSAGE"])


def in_json(first_name):
    person = {"reference": "T1", "lastName": "A", "firstName": first_name}
    return json.dumps({"teachers": [person]}, ensure_ascii=False)
