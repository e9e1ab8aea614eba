"""Texts as they are compared: what looks alike is spelled alike, and small letters without accents."""

import unicodedata
from functools import lru_cache

_PLAIN = str.maketrans(
    dict.fromkeys("\u00a0\u202f\u2009\u2007", " ")
    | dict.fromkeys("\u2019\u2018\u02bc", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u00ad\u200b", "")
    | {"\u00ba": "°", "\u02da": "°", "\uff1a": ":"}
)
_LETTERS = str.maketrans(
    {"đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "\u0131": "i"}
    | {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss"}
)


def plain(text: str) -> str:
    """Unify spaces, dashes, apostrophes and ligatures; everything that a reader tells apart is left."""
    text = text.replace("№", "N°").translate(_PLAIN)
    text = "".join(unicodedata.normalize("NFKC", each) if "\ufb00" <= each <= "\ufb06" else each for each in text)
    return unicodedata.normalize("NFC", text)


# Of each line some fifty rules ask the same; a process reads one invoice, so what is remembered is soon forgotten.
@lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Return a text without accents and in small letters, to compare it."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", plain(text).translate(_LETTERS))
    return "".join(each for each in text if not unicodedata.combining(each)).casefold()
