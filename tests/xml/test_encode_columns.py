"""Many items by columns to XML: the same text as the items one by one, and no item lost to a mistake."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from paraphe import contract
from paraphe.xml.encode import encode


class Draw(Random):
    """Draws values; `density` is how often an optional member is there."""

    def __init__(self, seed, density):
        super().__init__(seed)
        self.density = density


def drawn(kind, draw):
    """A value of a type, some of whose optional members are absent."""
    if kind.item is not None:
        return [drawn_member(kind.item, draw) for _ in range(draw.randrange(3))]
    return {
        field.key: drawn_member(field, draw) for field in kind.fields if field.required or draw.random() < draw.density
    }


def drawn_member(field, draw):
    if isinstance(field.type, contract.Complex):
        return drawn(field.type, draw)
    number = draw.randrange(1000)
    return {
        "string": draw.choice(["Le Goff", "a & b < c", "été", ""]) + str(number),
        "int": number,
        "decimal": Decimal(number).scaleb(-2),
        "boolean": number % 2 == 0,
        "date": date(2026, 1, 1) + timedelta(days=number),
        "dateTime": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
        "base64Binary": str(number).encode(),
    }[field.type.primitive]


def by_columns(kind, items):
    """The same items as columns, of which those that have members of their own are columns again."""
    columns = {}
    for field in kind.fields:
        values = [item.get(field.key) for item in items]
        if isinstance(field.type, contract.Complex) and field.type.item is None and None not in values:
            columns[field.key] = by_columns(field.type, values)
        elif any(value is not None for value in values):
            columns[field.key] = values
    return columns


LISTED = {"ArrayOfRecordIndex": ["invoice"], "ArrayOfSyncItem": [], "ArrayOfRecordDocument": []}


@pytest.mark.parametrize("density", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_items_by_columns_are_written_as_the_items_one_by_one(seed, density):
    draw = Draw(seed, density)
    for name, structures in LISTED.items():
        kind: Any = contract.complex_type(name)
        items: Any = [drawn_item(kind, structures, draw) for _ in range(7)]

        columns = by_columns(kind.item.type, items)

        assert encode(kind, "list", columns) == encode(kind, "list", items)


def drawn_item(kind, structures, draw):
    return drawn(kind.item.type, draw) | {each: drawn_structure(kind, each, draw) for each in structures}


def drawn_structure(kind, key, draw):
    structure = next(field.type for field in kind.item.type.fields if field.key == key)
    first = structure.fields[0]
    return {first.key: drawn_member(first, draw)} | drawn(structure, draw)


def test_columns_of_different_lengths_are_a_mistake_that_loses_nothing_in_silence():
    kind = contract.complex_type("ArrayOfSyncItem")

    with pytest.raises(ValueError, match="not of one length"):
        encode(kind, "items", {"index": [1, 2], "reference": ["S1"], "action": ["CREATED", "CREATED"]})


def test_a_required_member_that_one_of_many_items_lacks_is_a_mistake():
    kind = contract.complex_type("ArrayOfSyncItem")

    with pytest.raises(KeyError):
        encode(kind, "items", {"index": [1, 2], "reference": ["S1", "S2"], "action": ["CREATED", None]})
