"""CSV as Excel opens it by a double click: UTF-8 with its mark, semicolons, one line a row."""

from collections.abc import Iterable

MARK = "\ufeff"


def line(cells: Iterable[object]) -> bytes:
    """Write one row. A cell that a spreadsheet would take for a formula gets an apostrophe in front."""
    return (";".join(_cell(cell) for cell in cells) + "\r\n").encode()


def head(columns: Iterable[str]) -> bytes:
    """Write the first row of a file, with the mark."""
    return MARK.encode() + line(columns)


def _cell(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    if isinstance(value, str) and text.startswith(("=", "+", "-", "@")):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ';"') else text
