"""A large message is held to its bounds while it arrives: it is refused before its tree takes the memory."""

from itertools import chain, repeat

import pytest

from paraphe import spool
from paraphe.contract import NAMESPACE
from paraphe.errors import Code, Refused
from paraphe.xml.bounds import Bounds
from paraphe.xml.files import Files
from paraphe.xml.parse import parse

BOUNDS = Bounds(message_elements=100_000, text_length=100_000)
MB = 1_000_000
BEGINS = f'<AcknowledgeRecords xmlns="{NAMESPACE}">'.encode()

INVOICE = f'<SendInvoice xmlns="{NAMESPACE}"><content>'.encode()


class Arriving(spool.InFile):
    """A message in a file; `taken` says how many bytes of it were asked for."""

    taken = 0

    def pieces(self, size=1 << 20):
        for piece in super().pieces(size):
            self.taken += len(piece)
            yield piece


def arriving(*pieces):
    content = spool.spooled(pieces, spool.nameless())
    return Arriving(content._file, 0, len(content))


def numbered(form):
    """Pieces of 20 MB, each with other numbers in it."""
    return (b"".join(form % number for number in range(begin, begin + 10_000)) for begin in range(0, 2 * MB, 10_000))


ATTACKS = {
    "elements": lambda: chain([BEGINS], repeat(b"<a/>" * 25_000, 200)),
    "elements behind an unknown first one": lambda: chain([b"<Hello>"], repeat(b"<a/>" * 25_000, 200)),
    "attributes": lambda: chain([BEGINS], repeat(b'<a b="" c="" d=""/>' * 5000, 200)),
    "namespaces": lambda: chain([BEGINS], repeat(b'<a xmlns:b="u" xmlns:c="u"/>' * 4000, 200)),
    "attributes of one element": lambda: chain([BEGINS, b"<a"], numbered(b' a%d=""')),
    "namespaces of one element": lambda: chain([BEGINS, b"<a"], numbered(b' xmlns:a%d="u"')),
    "a text full of equal signs": lambda: chain([BEGINS], repeat(b"=" * 100_000, 200)),
    "a text": lambda: chain([BEGINS], repeat(b"x" * 100_000, 200)),
    "an attribute": lambda: chain([BEGINS, b'<a b="'], repeat(b"x" * 100_000, 200)),
    "a comment": lambda: chain([BEGINS, b"<!-- "], repeat(b"x" * 100_000, 200)),
    "a comment in a file": lambda: chain([INVOICE, b"<!-- "], repeat(b"x" * 100_000, 200)),
    "an attribute of a file": lambda: chain([INVOICE[:-1], b' a="'], repeat(b"x" * 100_000, 200)),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ATTACKS)
def test_a_message_is_refused_before_it_is_read_to_its_end(kind):
    body = arriving(*ATTACKS[kind]())
    assert len(body) > 8 * spool.LARGE // 2

    with pytest.raises(Refused) as refused:
        parse(body, bounds=BOUNDS, takers=[Files(spool.nameless)])

    assert [error.code for error in refused.value.errors] == [Code.MESSAGE_TOO_COMPLEX]
    assert body.taken < 4 * MB


def test_a_file_may_be_as_long_as_it_likes():
    files = Files(spool.nameless)
    parse(arriving(INVOICE, b"QUFB" * 2 * MB, b"</content></SendInvoice>"), bounds=BOUNDS, takers=[files])

    (file,) = files._found.values()
    assert len(file) == 6 * MB


def test_a_message_in_memory_is_held_to_the_same():
    with pytest.raises(Refused) as refused:
        parse(BEGINS + b"<a/>" * 100_001 + b"</AcknowledgeRecords>", bounds=BOUNDS)

    assert "100000 elements" in refused.value.errors[0].message


def test_as_many_elements_as_allowed_are_read():
    # The first element counts, and so does its declaration of a namespace.
    inside = (b"<a>" + b" " * 60 + b"</a>") * 99_998
    assert len(inside) > spool.LARGE

    assert len(parse(arriving(BEGINS, inside, b"</AcknowledgeRecords>"), bounds=BOUNDS)) == 99_998


@pytest.mark.parametrize(
    ("declared", "charset"),
    [("IBM037", None), ("UTF-7", None), (None, "cp1140"), ("\xe9tf-8", "latin-1")],
)
def test_a_large_message_is_not_taken_in_an_encoding_that_hides_its_signs(declared, charset):
    text = f'<?xml version="1.0" encoding="{declared or "utf-8"}"?><r>{"x" * spool.LARGE}</r>'

    with pytest.raises(Refused) as refused:
        parse(arriving(text.encode(charset or declared)), charset)

    assert [error.code for error in refused.value.errors] == [Code.MALFORMED_MESSAGE]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1252"])
def test_a_large_message_is_taken_in_every_encoding_of_messages(encoding):
    declared = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    inside = "é" + ("<a/>" + " " * 100) * 50_000
    text = f'<?xml version="1.0" encoding="{declared}"?><CheckConnection>{inside}</CheckConnection>'

    assert parse(arriving(text.encode(encoding))).text == "é"
