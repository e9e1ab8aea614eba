"""What proves hours: a total that is printed, or an amount that they and a printed price make."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from . import items
from .items import DEAREST_HOUR, Total
from .labels import Sheet
from .result import Value


@dataclass(frozen=True, slots=True)
class Proof:
    """What an invoice says in sum: the hours that it may count, and its amount without VAT."""

    sheet: Sheet
    sums: Sequence[Total]
    excl: Value | None
    in_hours: bool

    def fits(self, values: Sequence[Decimal]) -> bool:
        """Say whether hours make a total: one surely printed, or one that a printed price turns into the amount.

        An amount alone proves them only if no line that multiplies was left out.
        """
        total = sum(map(abs, values), Decimal())
        printed = max((each.confidence for each in self.sums if each.value == total), default=0)
        if printed > 85:
            return True
        counting = items.items(self.sheet, in_hours=self.in_hours)
        complete = sum((abs(each[0].value) for each in counting), Decimal()) in (0, total, 2 * total)
        return complete and self.makes_amount(total)

    def makes_amount(self, hours: Decimal, dearest: int = DEAREST_HOUR) -> bool:
        """Say whether hours x a printed price is the printed amount without VAT; no price of an hour is so high as
        `dearest`, in euros."""
        return self.excl is not None and items.makes(self.sheet, hours, self.excl.value, dearest)
