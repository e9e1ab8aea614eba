"""remembered.py: an answer that is given again is the one that was given."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from paraphe.remembered import packed, unpacked
from paraphe.slices import Slices

ANSWER = {
    "return_code": "200 OK",
    "message": "é\n",
    "modified_on": datetime(2026, 9, 14, 7, 0, 0, 250_000, UTC),
    "start": date(2026, 9, 14),
    "hours": Decimal("3.50"),
    "errors": [{"code": "X", "index": None}],
}


def items(number, begin=0):
    numbers = range(begin, begin + number)
    return {"index": [*numbers], "reference": [f"S-{each}" for each in numbers], "action": ["CREATED"] * number}


def test_every_value_comes_back():
    assert unpacked(packed(ANSWER)) == ANSWER


@pytest.mark.parametrize("length", [1, 100, 1000])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_slices_come_back_in_their_order(count, length):
    slices = [items(length, length * number) for number in range(count)]

    answer = unpacked(packed({**ANSWER, "items": Slices(slices)}))

    assert list(answer.pop("items")) == slices
    assert answer == ANSWER


def test_an_answer_that_is_long_is_kept_in_a_fifth_of_its_length():
    slices = Slices(items(1000, 1000 * number) for number in range(10))

    kept = packed({"items": slices})

    assert len(kept) < sum(len(str(each)) for each in slices) / 5


def test_slices_are_given_as_often_as_asked_for():
    slices = Slices([items(2), items(3, 2), items(1, 5)])

    assert [len(each["index"]) for each in slices] == [2, 3, 1]
    assert list(slices) == list(slices)
    assert (len(slices), len(Slices()), list(Slices())) == (3, 0, [])
