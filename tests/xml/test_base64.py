"""Base64 as one text and in pieces: a text is taken whole, or not at all."""

import re
from base64 import b64decode, b64encode
from binascii import Error

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paraphe.spool import nameless
from paraphe.xml.base64 import Base64, decoded

WHOLE = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
TEXTS = st.binary(max_size=30).map(lambda content: b64encode(content).decode()) | st.text("AZaz09+/= \n*é", max_size=30)


def meant(text):
    """What a text stands for, None if it is not base64."""
    signs = re.sub("[ \t\r\n]", "", text)
    return b64decode(signs) if WHOLE.fullmatch(signs) else None


@pytest.mark.slow
@settings(max_examples=500, derandomize=True, database=None, deadline=None)
@given(TEXTS, st.integers(1, 9))
def test_a_text_in_pieces_is_taken_whole_or_not_at_all(text, size):
    arriving = Base64(nameless())
    for begin in range(0, len(text), size):
        arriving.add(text[begin : begin + size])

    assert (bytes(arriving.content) if arriving.end() else None) == meant(text)


@pytest.mark.slow
@settings(max_examples=500, derandomize=True, database=None, deadline=None)
@given(TEXTS.filter(str.isascii))
def test_a_text_at_once_is_taken_whole_or_not_at_all(text):
    if (content := meant(text)) is not None:
        assert decoded(text.encode()) == content
    else:
        with pytest.raises(Error):
            decoded(text.encode())


@pytest.mark.parametrize("size", [1, 3, 4, 7, 100])
def test_a_foreign_sign_makes_all_of_it_wrong(size):
    text = b64encode(bytes(range(90))).decode()
    for place in range(len(text) + 1):
        arriving = Base64(nameless())
        wrong = f"{text[:place]}*{text[place:]}"
        for begin in range(0, len(wrong), size):
            arriving.add(wrong[begin : begin + size])

        assert not arriving.end()
