"""Pictures for the papers: drawn signatures, logos, QR codes.

A picture reaches a template as SVG text: Typst has no base64, and a list of numbers costs it five times as long.
"""

import base64
import hashlib
import io
import struct
import zlib

import segno

# A drawn signature has some hundred pixels a side; beyond this a picture is a bomb, or no signature.
_MOST_PIXELS = 4_000_000
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
# Adam7: first column, first row, step in columns, step in rows of each pass
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class Pictures:
    """The pictures of one paper, each once, by the digest of the file."""

    def __init__(self) -> None:
        self.svg: dict[str, str] = {}

    def signature(self, image: bytes | None) -> str:
        """Take a drawn signature and return its name; empty if there is none or it cannot be shown."""
        return self._png(image) if image else ""

    def logo(self, image: bytes | None) -> str:
        """Take a logo, a PNG, JPEG or SVG, and return its name. ValueError if it is none of these."""
        if not image:
            return ""
        if name := self._png(image):
            return name
        name = hashlib.sha256(image).hexdigest()
        if kind_of(image) == "jpg" and (size := jpeg_size(image)):
            self.svg[name] = _as_svg(image, *size, "jpeg")
        elif kind_of(image) == "svg":
            self.svg[name] = image.decode()
        else:
            raise ValueError("the logo is neither a PNG, nor a JPEG, nor an SVG, or it is damaged")
        return name

    def _png(self, image: bytes) -> str:
        name = hashlib.sha256(image).hexdigest()
        if name not in self.svg:
            size = png_size(image)
            if size is None:
                return ""
            self.svg[name] = _as_svg(image, *size)
        return name


def kind_of(image: bytes) -> str:
    """Return what a picture calls itself, as Typst names it: "png", "jpg" or "svg"; empty for anything else."""
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if image.startswith(b"\xff\xd8\xff"):
        return "jpg"
    try:
        return "svg" if "<svg" in image.decode()[:1000] else ""
    except UnicodeDecodeError:
        return ""


def _as_svg(image: bytes, width: int, height: int, kind: str = "png") -> str:
    data = base64.b64encode(image).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:image/{kind};base64,{data}"/></svg>'
    )


def qr(text: str, border: int = 0) -> str:
    """Return a QR code as SVG, with so many blank modules around it; empty for an empty text."""
    if not text:
        return ""
    written = io.BytesIO()
    segno.make(text, error="m", micro=False).save(written, kind="svg", border=border, xmldecl=False, omitsize=True)
    return written.getvalue().decode()


def jpeg_size(image: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG by the head of its frame; None if it has none, ends too soon, or is a bomb."""
    place = 2
    while place + 9 <= len(image) and image[place] == 0xFF:
        marker, length = image[place + 1], int.from_bytes(image[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", image[place + 5 : place + 9])
            whole = b"\xff\xd9" in image[-64:]
            return (width, height) if whole and 0 < width * height <= _MOST_PIXELS else None
        place += 2 + length
    return None


# Whether a PNG can be shown ------------------------------------------------------------------------------------


def png_size(image: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG that every reader can show; None for anything else.

    Whole chunks with right checksums, and exactly the pixels that its header announces: a picture that a renderer
    would leave out without a word would be a signature that is missing on paper.
    """
    try:
        chunks = _chunks(image)
    except (struct.error, ValueError):
        return None
    header = chunks.get(b"IHDR", b"")
    if len(header) != 13 or b"IDAT" not in chunks or b"IEND" not in chunks:
        return None
    width, height, depth, colour, compression, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    lines = _lines(width, height, interlaced)
    if not 0 < width * height <= _MOST_PIXELS or depth not in _DEPTHS.get(colour, ()):
        return None
    if compression or filtering or interlaced > 1 or (colour == 3 and b"PLTE" not in chunks):
        return None
    bits = depth * _CHANNELS[colour]
    return (width, height) if _pixels_are_whole(chunks[b"IDAT"], lines, bits) else None


def _chunks(image: bytes) -> dict[bytes, bytes]:
    """Return the chunks by name, those of one name joined. ValueError if one is damaged."""
    if not image.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("not a PNG")
    found: dict[bytes, list[bytes]] = {}
    place, name = 8, b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", image, place)
        content = image[place + 8 : place + 8 + length]
        if struct.unpack_from(">I", image, place + 8 + length)[0] != zlib.crc32(name + content):
            raise ValueError("a damaged chunk")
        found.setdefault(name, []).append(content)
        place += 12 + length
    return {each: b"".join(parts) for each, parts in found.items()}


def _lines(width: int, height: int, interlaced: int) -> list[tuple[int, int]]:
    """Return pixels a line and number of lines, of each pass."""
    if not interlaced:
        return [(width, height)]
    passes = ((-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in _PASSES)
    return [(pixels, lines) for pixels, lines in passes if pixels > 0 and lines > 0]


def _pixels_are_whole(packed: bytes, lines: list[tuple[int, int]], bits: int) -> bool:
    expected = sum(count * (1 + (pixels * bits + 7) // 8) for pixels, count in lines)
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(packed, expected + 1)
    except zlib.error:
        return False
    if len(raw) != expected:
        return False
    place = 0
    for pixels, count in lines:
        step = 1 + (pixels * bits + 7) // 8
        if any(kind > 4 for kind in raw[place : place + count * step : step]):
            return False
        place += count * step
    return True
