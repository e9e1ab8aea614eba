"""Hours in hundredths, months, orders: what is counted before it is printed."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraphe.documents import said
from paraphe.documents.facts import Person, Slot, by_name

from .school import at, sitting


@given(st.integers(0, 10_000_000))
def test_hours_are_hundredths_rounded_half_up(minutes):
    exact = (Decimal(minutes) / 60).quantize(Decimal("0.01"), ROUND_HALF_UP)

    assert Decimal(said.hours(minutes)) == exact
    assert Decimal(said.hours(-minutes)) == -exact


@pytest.mark.parametrize(
    ("minutes", "written"), [(0, "0.00"), (450, "7.50"), (440, "7.33"), (1, "0.02"), (-10, "-0.17")]
)
def test_hours_are_written_with_two_decimals(minutes, written):
    assert said.hours(minutes) == written


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        (date(2026, 9, 1), date(2026, 9, 30), "1.00"),
        (date(2026, 9, 1), date(2027, 8, 31), "12.00"),
        (date(2026, 9, 15), date(2026, 10, 14), "1.00"),
        (date(2026, 9, 1), date(2026, 9, 15), "0.50"),
        (date(2026, 12, 31), date(2027, 1, 30), "1.00"),
        (date(2026, 1, 31), date(2026, 2, 28), "1.00"),
        (date(2026, 9, 7), date(2026, 9, 7), "0.03"),
        (date(2026, 9, 8), date(2026, 9, 7), ""),
        (None, date(2026, 9, 7), ""),
    ],
)
def test_months_are_counted_from_day_to_day(first, last, months):
    assert said.months(first, last) == months


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(0, 1200))
def test_a_longer_time_never_has_fewer_months(first, days):
    last = first + timedelta(days=days)

    assert Decimal(said.months(first, last)) <= Decimal(said.months(first, last + timedelta(days=1)))


@pytest.mark.parametrize(
    ("hour", "length", "slot"),
    [(8, 3, Slot.MORNING), (9, 8, Slot.DAY), (13, 3, Slot.AFTERNOON), (18, 2, Slot.EVENING), (22, 8, Slot.EVENING)],
)
def test_the_half_day_follows_from_the_times(hour, length, slot):
    held = sitting(at(7, 9))
    start = at(7, hour)

    assert type(held)(held.reference, "", held.training, start, start + timedelta(hours=length), 60).slot is slot


def test_people_are_ordered_as_a_french_list_orders_them():
    names = ("Çelik", "du Plessis", "Dupuy", "Élan", "Zola", "abbé")

    ordered = by_name(Person(name, name, "") for name in reversed(names))

    assert [each.last_name for each in ordered] == ["abbé", "Çelik", "du Plessis", "Dupuy", "Élan", "Zola"]
