"""By what the students and payers of an account are looked up for an invoice, so that only those it may name are known.

A name is found by one of its words, the longest: all of its words stand on an invoice that names it.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from .folding import fold
from .result import Known

#: What gives those who may be named, by the words of an invoice.
Look = Callable[[Sequence[str]], Known]
#: Different words of an invoice that are looked up; no invoice has as many.
MOST_WORDS = 20_000
_LONGEST_WORD = 100  # characters, as long as a name may be
_WORD = re.compile(r"[^\W\d_]+")


def words(texts: Iterable[str]) -> list[str]:
    """Return the different words of texts, without accents and in small letters; MOST_WORDS at most."""
    found: dict[str, None] = {}
    for text in texts:
        # Both, as a word may be whole only with what folding takes away, or only before.
        found.update(dict.fromkeys(_WORD.findall(fold(text))))
        found.update(dict.fromkeys(map(fold, _WORD.findall(text))))
        if len(found) > MOST_WORDS:
            break
    return [each for each in found if len(each) <= _LONGEST_WORD][:MOST_WORDS]


def words_of(name: str) -> list[str]:
    """Return the words of a name as they are compared."""
    return _WORD.findall(fold(name))


def word_of(*names: str | None) -> str:
    """Return the word by which somebody is found: the longest of the first of these names that has any; else ""."""
    several = (words_of(name) for name in names if name)
    return next((max(each, key=len) for each in several if each), "")


def everybody(known: Known) -> Look:
    """Give all of them, whatever the invoice says."""
    return lambda _: known
