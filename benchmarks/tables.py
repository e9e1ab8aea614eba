"""Tables in Markdown."""

from collections.abc import Iterable, Iterator, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write a table whose first column is text and whose others are figures."""
    yield f"| {' | '.join(heads)} |"
    yield "|---|" + "--:|" * (len(heads) - 1)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def rounded(value: float) -> str:
    """Write three figures; more would pretend."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
