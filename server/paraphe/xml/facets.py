"""Values held to their types, many of one type at once, without the schema.

Only what is beyond doubt passes: of the ways in which XML Schema lets a value be written, those that nearly everybody
uses. What does not pass may be valid all the same, and is for the schema to judge.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

from ..contract import Simple


class NotPlain(Exception):  # noqa: N818
    """A value is not written as most callers write it; whether it is valid is for the schema to say."""


# XML Schema 1.0, part 2: 3.2.2 boolean, 3.3.17 int, 3.2.9 date, 3.2.7 dateTime. Whether there is such a day or hour
# is found out when it is read.
_WRITTEN = {
    "boolean": "true|false|[01]",
    "int": "-?[0-9]{1,9}",
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "dateTime": (
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?"
        "(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?"
    ),
}


@cache
def holder(kind: Simple) -> Callable[[Sequence[str]], None]:
    """Return what holds values of a type to it, their white space folded if the type says so. It raises NotPlain.

    TypeError for a type that is not known here.
    """
    if kind.primitive != "string":
        if kind.primitive not in _WRITTEN or kind.pattern or kind.enumeration:
            raise TypeError(f"{kind.name} is a type that is not held to here")
        return _holder_of_form(_WRITTEN[kind.primitive])
    shortest, longest = kind.shortest or 0, kind.longest
    allowed = frozenset(kind.enumeration)
    form = None if kind.pattern is None else _holder_of_form(kind.pattern)

    def hold(texts: Sequence[str]) -> None:
        if allowed and not allowed.issuperset(texts):
            raise NotPlain
        if (shortest or longest is not None) and texts:
            lengths = list(map(len, texts))
            if min(lengths) < shortest or (longest is not None and max(lengths) > longest):
                raise NotPlain
        if form is not None:
            form(texts)

    return hold


def _holder_of_form(pattern: str) -> Callable[[Sequence[str]], None]:
    matches = re.compile(pattern).fullmatch

    def hold(texts: Sequence[str]) -> None:
        if not all(map(matches, {*texts})):  # the values of a column repeat
            raise NotPlain

    return hold
