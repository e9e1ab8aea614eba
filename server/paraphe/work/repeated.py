"""References that stand in a message twice: a Sync names each of its items once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import Code, Error
from ..slices import Slices

_NONE = (0, "")


class SentBefore:
    """The references of a message's slices, one slice after the other.

    Most exports are in the order of their references. As long as a message is, the greatest one tells all. Otherwise
    they are remembered, at 110 bytes each: `said` is what is said of the items of the slices before.
    """

    def __init__(self, said: Slices) -> None:
        self._said = said
        self._all: set[str] | None = None
        self._greatest = _NONE
        self._last: set[str] = set()

    def repeated(
        self, references: Sequence[str], indexes: Sequence[int], rejected: Mapping[int, Sequence[Error]]
    ) -> dict[int, list[Error]]:
        """Return an error for each item of the next slice whose reference stands in the message before.

        Nothing else counts of such an item. `rejected` are the errors of the items between these, by index; their
        references count as well.
        """
        named = {index: errors[0].reference for index, errors in rejected.items() if errors[0].reference}
        here = {*references, *named.values()}
        before, found = self._before(here), dict[int, list[Error]]()
        if len(here) < len(references) + len(named) or not before.isdisjoint(here):
            taken = before.copy()
            for index, reference in sorted({**dict(zip(indexes, references, strict=True)), **named}.items()):
                if reference in taken and index not in rejected:
                    message = f"The reference {reference} stands in this message before."
                    error = Error(Code.DUPLICATE_REFERENCE, message, field="reference", hint="Send each item once.")
                    found[index] = [replace(error, index=index, reference=reference)]
                taken.add(reference)
        return found

    def _before(self, here: set[str]) -> set[str]:
        """Return the references of the slices before; none when those of this one can not be among them."""
        last, self._last = self._last, here
        if self._all is not None:
            self._all |= last
            return self._all
        self._greatest = max(self._greatest, max(map(_rank, last), default=_NONE))
        if self._greatest == _NONE or all(rank > self._greatest for rank in map(_rank, here)):
            return set()
        self._all = {name for columns in self._said for name in columns["reference"] if name is not None}
        return self._all


def _rank(reference: str) -> tuple[int, str]:
    # Numbers without leading zeros are in their order too.
    return len(reference), reference
