"""Many items by columns: for each member of their type its values in all items, None where an item lacks it.

What is done for a thousand items is done thirty times instead of thirty thousand times. A member that has members of
its own may be columns again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Columns = Mapping[str, Sequence[Any]]


def rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items one by one, each with the members that it has."""
    apart = [rows(column) if isinstance(column, Mapping) else column for column in columns.values()]
    return [
        {key: value for key, value in zip(columns, values, strict=True) if value is not None}
        for values in zip(*apart, strict=True)
    ]
