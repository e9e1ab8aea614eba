"""What a page shows and where: pypdf decodes and measures, this module moves the pen.

pypdf's own text modes lose what a table needs: where a word begins and ends. Its layout mode leaves out turned text and
forms inside forms; its plain mode tells the position of every line, not of every column.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pypdf import PageObject
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, StreamObject
from pypdf.generic._font import Font  # pypdf has no public way to a font's widths; held by setup.cfg to pypdf 7

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_MOST_GLYPHS = 60_000  # of one page; a page of small print has 8 000
_MOST_FORMS = 200
_DEEPEST_FORM = 12
# Shares of the size. More between two letters is a way to the next column; between a few letters, to the next word.
_LETTER_SPACE = 0.5
_WORD_SPACE = 0.14
# Share of its usual width below which a space is none: Ghostscript writes "a vril" so, for a kerned "avril".
_SQUEEZED = 0.3


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character: where the pen was before and after it, in the direction of its line; y grows upwards."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    angle: int
    invisible: bool = False


class TooMuch(Exception):  # noqa: N818 - says what is so, as crafts do here
    """A page shows more than a page can need."""


@dataclass(slots=True)
class _State:
    ctm: Matrix = _IDENTITY
    font: Font | None = None
    size: float = 12.0
    character_space: float = 0.0
    word_space: float = 0.0
    scale: float = 1.0
    leading: float = 0.0
    rise: float = 0.0
    render: int = 0


@dataclass(slots=True)
class _Pen:
    """The state of one page's drawing."""

    glyphs: list[Glyph] = field(default_factory=list)
    box: tuple[float, float, float, float] = (-1e5, -1e5, 1e5, 1e5)
    forms: int = 0
    fonts: dict[int, Font] = field(default_factory=dict)


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """Return the matrix that does `a`, then `b`."""
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def glyphs(page: PageObject) -> list[Glyph]:
    """Return every character that a page shows, in the order of drawing, form fields last. Raises TooMuch.

    What lies outside of the page is not shown, so it is not read either.
    """
    x0, y0, x1, y1 = (float(each) for each in page.cropbox)
    pen = _Pen(box=(min(x0, x1) - 2, min(y0, y1) - 2, max(x0, x1) + 2, max(y0, y1) + 2))
    contents = _resolved(page.get("/Contents"))
    if isinstance(contents, (ArrayObject, StreamObject)):
        _draw(ContentStream(contents, page.pdf, "bytes"), page, _resources(page), _IDENTITY, pen, 0)
    pen.glyphs += _filled_in(page)
    return pen.glyphs


def _resolved(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value


def _resources(page: Any) -> DictionaryObject:
    """Return the resources of a page, which may stand at a page tree node above it."""
    for _ in range(50):
        found = _resolved(page.get("/Resources"))
        if isinstance(found, DictionaryObject):
            return found
        page = _resolved(page.get("/Parent"))
        if not isinstance(page, DictionaryObject):
            break
    return DictionaryObject()


def _entry(resources: DictionaryObject, kind: str, name: Any) -> Any:
    table = _resolved(resources.get(kind))
    return _resolved(table.get(name)) if isinstance(table, DictionaryObject) else None


def _numbers(operands: Any, count: int) -> tuple[float, ...] | None:
    """Return the first operands as numbers; None if they are not."""
    values = list(operands)[:count]
    if len(values) < count or not all(isinstance(value, (int, float)) for value in values):
        return None
    return tuple(float(value) for value in values)


def _draw(stream: Any, page: PageObject, resources: DictionaryObject, ctm: Matrix, pen: _Pen, depth: int) -> None:
    state, stack = _State(ctm=ctm), list[_State]()
    tm = line = _IDENTITY
    for operands, operator in stream.operations:
        if operator == b"q":
            if len(stack) < 500:
                stack.append(replace(state))
        elif operator == b"Q":
            state = stack.pop() if stack else state
        elif operator == b"cm":
            if values := _numbers(operands, 6):
                state.ctm = multiply(values, state.ctm)  # type: ignore[arg-type]
        elif operator == b"BT":
            tm = line = _IDENTITY
        elif operator == b"Tm":
            if values := _numbers(operands, 6):
                tm = line = values  # type: ignore[assignment]
        elif operator in (b"Td", b"TD"):
            if values := _numbers(operands, 2):
                if operator == b"TD":
                    state.leading = -values[1]
                tm = line = multiply((1, 0, 0, 1, values[0], values[1]), line)
        elif operator == b"T*":
            tm = line = multiply((1, 0, 0, 1, 0, -state.leading), line)
        elif operator == b"Tf":
            if operands:
                state.font = _font(resources, operands[0], pen)
            if len(operands) > 1 and (values := _numbers(operands[1:], 1)):
                state.size = values[0]
        elif operator in (b"Tj", b"'", b'"', b"TJ"):
            if operator in (b"'", b'"'):
                if operator == b'"' and (values := _numbers(operands, 2)):
                    state.word_space, state.character_space = values
                tm = line = multiply((1, 0, 0, 1, 0, -state.leading), line)
            shown = operands[-1] if operands else b""
            tm = _show(shown if isinstance(shown, ArrayObject) else [shown], state, tm, pen)
        elif operator == b"Do":
            _form(operands, page, resources, state.ctm, pen, depth)
        elif values := _numbers(operands, 1):
            _set(state, operator, values[0])


def _set(state: _State, operator: bytes, value: float) -> None:
    if operator == b"Tc":
        state.character_space = value
    elif operator == b"Tw":
        state.word_space = value
    elif operator == b"Tz":
        state.scale = value / 100
    elif operator == b"TL":
        state.leading = value
    elif operator == b"Ts":
        state.rise = value
    elif operator == b"Tr":
        state.render = int(value)


def _font(resources: DictionaryObject, name: Any, pen: _Pen) -> Font | None:
    resource = _entry(resources, "/Font", name)
    if not isinstance(resource, DictionaryObject):
        return None
    key = id(resource)
    if key not in pen.fonts:
        pen.fonts[key] = Font.from_font_resource(resource)
    return pen.fonts[key]


def _form(operands: Any, page: PageObject, resources: DictionaryObject, ctm: Matrix, pen: _Pen, depth: int) -> None:
    """Draw a form (a piece of page that stands apart), which may hold others; each at most so deep, so often."""
    form = _entry(resources, "/XObject", operands[0]) if operands else None
    if not isinstance(form, StreamObject) or form.get("/Subtype") != "/Form":
        return
    if depth >= _DEEPEST_FORM or pen.forms >= _MOST_FORMS:
        return
    pen.forms += 1
    matrix = _numbers(_resolved(form.get("/Matrix")) or (), 6)
    inner = _resolved(form.get("/Resources"))
    inner = inner if isinstance(inner, DictionaryObject) else resources
    ctm = multiply(matrix, ctm) if matrix else ctm  # type: ignore[arg-type]
    _draw(ContentStream(form, page.pdf, "bytes"), page, inner, ctm, pen, depth + 1)


def _show(items: Any, state: _State, tm: Matrix, pen: _Pen) -> Matrix:
    """Set the strings of one operator and return where the pen stands after it."""
    for item in items:
        if isinstance(item, (int, float)):
            tm = multiply((1, 0, 0, 1, -float(item) / 1000 * state.size * state.scale, 0), tm)
        elif isinstance(item, (bytes, str)) and state.font is not None:
            characters = list(_characters(item, state.font))
            jump = state.character_space > (_LETTER_SPACE if len(characters) > 3 else _WORD_SPACE) * abs(state.size)
            for text, width, is_space in characters:
                advance = width / 1000 * state.size + state.character_space + (state.word_space if is_space else 0)
                advance *= state.scale
                usual = width / 1000 * state.size * state.scale
                if not (is_space and abs(advance) < _SQUEEZED * abs(usual)):
                    _set_glyph(text, usual if jump else advance, state, tm, pen)
                tm = multiply((1, 0, 0, 1, advance, 0), tm)
    return tm


def _characters(item: bytes | str, font: Font) -> Iterator[tuple[str, float, bool]]:
    """Decode a string: each character, its width in thousandths, and whether it is the code 32."""
    if not font.interpretable:
        return
    if isinstance(item, str):
        item = item.encode("latin-1", "replace")
    if isinstance(font.encoding, str):
        raw = item.decode(font.encoding, "replace")
        decoded = raw
    else:
        raw = item.decode("latin-1")
        decoded = "".join(font.encoding.get(code, chr(code))[:1] or " " for code in item)
    for code, character in zip(raw, decoded, strict=True):
        width = font.character_widths.get(code)
        if width is None:
            width = font.space_width if code == font.space_char else font.character_widths.get("default", 500)
        yield str(font.character_map.get(character, character)), float(width), code == " "


def _set_glyph(text: str, advance: float, state: _State, tm: Matrix, pen: _Pen) -> None:
    if len(pen.glyphs) >= _MOST_GLYPHS:
        raise TooMuch
    a, b, c, d, e, f = multiply(tm, state.ctm)
    x, y = e + state.rise * c, f + state.rise * d
    length = math.hypot(a, b)
    size = abs(state.size) * math.hypot(c, d)
    inside = pen.box[0] <= x <= pen.box[2] and pen.box[1] <= y <= pen.box[3]
    if not length or not inside or not math.isfinite(length + size):
        return
    angle = round(math.degrees(math.atan2(b, a))) % 360
    cos, sin = a / length, b / length
    along, across = x * cos + y * sin, -x * sin + y * cos
    end = along + advance * length
    pen.glyphs.append(Glyph(text, min(along, end), max(along, end), across, size, angle, state.render == 3))


# What was filled in ------------------------------------------------------------------------------------------------


def _filled_in(page: PageObject) -> Iterator[Glyph]:
    """Give the values of form fields and of text typed onto the page; no text mode of pypdf shows them."""
    annotations = _resolved(page.get("/Annots"))
    for annotation in (annotations if isinstance(annotations, ArrayObject) else [])[:2000]:
        annotation = _resolved(annotation)
        if not isinstance(annotation, DictionaryObject):
            continue
        value = _value_of(annotation)
        box = _numbers(_resolved(annotation.get("/Rect")) or (), 4)
        if value and box:
            yield from _typed(value, box)


def _value_of(annotation: DictionaryObject) -> str:
    if annotation.get("/Subtype") == "/FreeText":
        return str(_resolved(annotation.get("/Contents")) or "")
    if annotation.get("/Subtype") != "/Widget" or int(annotation.get("/F", 0) or 0) & 2:
        return ""
    for _ in range(10):
        if isinstance(value := _resolved(annotation.get("/V")), str):
            is_text = not value.startswith("/")
            return str(value) if is_text else ""
        annotation = _resolved(annotation.get("/Parent"))
        if not isinstance(annotation, DictionaryObject):
            break
    return ""


def _typed(value: str, box: tuple[float, ...]) -> Iterator[Glyph]:
    """Lay a text out in its box as a reader would: lines from the top, half an em a character."""
    left, right = sorted((box[0], box[2]))
    bottom, top = sorted((box[1], box[3]))
    lines = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:50]
    size = max(4.0, min(10.0, (top - bottom) / len(lines) * 0.8, 2 * (right - left) / max(map(len, lines), default=1)))
    first = top - size if len(lines) > 1 else (top + bottom) / 2 - size * 0.35
    for number, line in enumerate(lines):
        for place, character in enumerate(line[:300]):
            x = left + 2 + place * size / 2
            yield Glyph(character, x, x + size / 2, first - number * size * 1.2, size, 0)
