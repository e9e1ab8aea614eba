"""A long list that is written plainly, read from the bytes of its message without a tree.

Nearly all callers write the items of a list alike: in UTF-8, elements in the order of the schema, no attributes on
them, no comments or sections between. Such a list is cut out of the message. What is left, the *frame*, is parsed and
validated as any message; of the items one expression says that they are well-formed and have the members that they
must (see `rows`), and their values are held to their types many at once (`facets`). That takes half the time of parser
and schema, and no memory for a tree.

Nothing is refused here. Whatever is not beyond doubt, the whole message is for the parser and the schema, which know
everything and tell what is wrong. Beyond doubt is: the frame is UTF-8 to libxml2 too, the list is the only element of
its name in it, and what was cut out is items and nothing else. As long as the last is not known, nothing that was read
of the frame counts.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from lxml import etree

from ..columns import Columns
from ..contract import NAMESPACE, Field, Operation, operations
from ..errors import Error
from ..spool import Content, InFile
from . import bounds as bounding
from .bounds import Bounds
from .decode import Unreadable
from .facets import NotPlain
from .request import ReadSlices
from .rows import SLICE, Rows, Texts
from .validate import defects, items_of

WORTH = 4_000
"""Bytes of a message from which on its list is looked at: below, there is nothing to save."""

# Bytes of the frame at most, on each side of the list.
_FRAME = 64 << 10
# Bytes of the list that are read at once. A longer item is not plain.
_WINDOW = 256 << 10
_BEGINNING = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:<\?xml version=["']1\.0["'](?: encoding=["'][Uu][Tt][Ff]-8["'])?"""
    rb"""(?: standalone=["'](?:yes|no)["'])? ?\?>)?[ \t\r\n]*<[A-Za-z_]"""
)
# Of the characters that XML does not have (XML 1.0, section 2.2), those of one byte, and the others.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
_NO_CHARACTERS = ("\ufffe", "\uffff")
_SPACE = b" \t\r\n"
_BETWEEN = re.compile(r">[ \t\n]+<")
# Characters of a list that show whether it has white space between elements.
_SHOWS = 2000


class PlainList:
    """The items of a list that was cut out of a message; see `request.Taken`."""

    def __init__(self, body: Content, begin: int, end: int, prefix: str, name: str) -> None:
        #: The message without its items.
        self.frame = body[:begin] + body[end:]
        self.payload: etree._Element | None = None
        self.rejected: list[Error] = []
        self.errors: list[Error] = []
        self.slices: ReadSlices | list[Columns] | None = None
        self._body, self._begin, self._end = body, begin, end
        self._prefix, self._name = prefix, name

    def read(self, payload: etree._Element, operation: Operation, zone: ZoneInfo, bounds: Bounds) -> bool:
        """Read the items of a request in the frame; False when they, or the frame, are for parser and schema.

        Raises OSError.
        """
        items = items_of(operation)
        array = payload.find(f"{{{NAMESPACE}}}{self._name}")
        if items is None or items.name != self._name or array is None or array.attrib or defects(payload, operation):
            return False
        item: Field = items.type.item  # type: ignore[assignment, union-attr]
        reader, count = _rows(item, zone), 0
        slices: ReadSlices | list[Columns] = ReadSlices() if isinstance(self._body, InFile) else []
        add = slices.append if isinstance(slices, list) else slices.add
        try:
            for rows, escaped in self._in_slices(item.name, reader):
                count += len(rows)
                if count > bounds.list_items:
                    return False
                add(reader.columns(rows, escaped=escaped))
        except (NotPlain, Unreadable, UnicodeDecodeError):
            return False
        self.payload, self.slices = payload, slices
        return True

    def _in_slices(self, name: str, reader: Rows) -> Iterator[tuple[Sequence[Texts], bool]]:
        """Give the texts of the items in slices, each with a word whether any may be escaped."""
        waiting, escaped = list[Texts](), False
        for text in self._texts(f"</{self._prefix}{name}>".encode()):
            escaped = escaped or "&" in text
            rows = reader.found(text, spaced=_BETWEEN.search(text, 0, _SHOWS) is not None)
            if rows is None:
                raise NotPlain
            waiting += rows
            whole = len(waiting) // SLICE * SLICE
            for at in range(0, whole, SLICE):
                yield waiting[at : at + SLICE], escaped
            del waiting[:whole]
        if waiting:
            yield waiting, escaped

    def _texts(self, closing: bytes) -> Iterator[str]:
        """Give the text of the list in pieces that begin and end with an item."""
        rest = b""
        for begin in range(self._begin, self._end, _WINDOW):
            piece = rest + self._body[begin : min(begin + _WINDOW, self._end)]
            end = piece.rfind(closing) + len(closing)
            if end < len(closing):
                raise NotPlain
            yield self._plain(piece[:end])
            rest = piece[end:]
        if rest.strip(_SPACE):
            raise NotPlain

    def _plain(self, piece: bytes) -> str:
        """Return what a piece says to an XML parser, without prefixes."""
        # One sign is found much faster than two or three.
        if len(piece.translate(None, _CONTROLS)) < len(piece) or (b"]" in piece and b"]]>" in piece):
            raise NotPlain
        text = piece.lstrip(_SPACE).decode()
        if any(sign in text for sign in _NO_CHARACTERS):
            raise NotPlain
        if "\r" in text:  # XML 1.0, section 2.11
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if self._prefix:
            begins, ends = f"<{self._prefix}", f"</{self._prefix}"
            # Without the prefix, <v1:/name> would be a closing tag.
            if text.count(begins) + text.count(ends) != text.count("<") or f"{begins}/" in text:
                raise NotPlain
            text = text.replace(begins, "<").replace(ends, "</")
        return text


def cut(body: Content, charset: str | None, bounds: Bounds) -> PlainList | None:
    """Cut the list out of a message, if it may be written plainly; `charset` is what the transport said.

    Items are less deep, and have fewer elements in a list of theirs (`rows.LONGEST_INSIDE`), than any bound can be set.
    """
    if len(body) < WORTH or (charset or "utf-8").lower() != "utf-8":
        return None
    head, tail = body[:_FRAME], body[max(0, len(body) - _FRAME) :]
    opening, beginning = _opening().search(head), _BEGINNING.match(head)
    if opening is None or beginning is None:
        return None
    prefix, name = opening[1].decode(), opening[2].decode()
    end = len(body) - len(tail) + tail.rfind(f"</{prefix}{name}>".encode())
    if end < max(opening.end(), len(body) - len(tail)):
        return None
    found = PlainList(body, opening.end(), end, prefix, name)
    # To libxml2 the frame is UTF-8, in which nothing hides a tag; and it has one element of the list's name. So if what
    # was cut is items, it is what that element holds.
    hides = any(sign in found.frame[beginning.end() :] for sign in (b"<!", b"<?", b"\0"))
    if hides or len(_tags(name).findall(found.frame)) != 2:
        return None
    if bounding.has_run_in_one(body, bounds.text_length) or bounding.may_have_too_many_elements(body, bounds):
        return None
    return found


@cache
def _opening() -> re.Pattern[bytes]:
    names = [items.name for operation in operations().values() if (items := items_of(operation))]
    return re.compile(rf"<((?:[A-Za-z_][A-Za-z0-9_.-]*:)?)({'|'.join(names)})>".encode())


@cache
def _tags(name: str) -> re.Pattern[bytes]:
    return re.compile(rf"<[^\s<>]*{name}[\s/>]".encode())


@lru_cache(512)
def _rows(item: Field, zone: ZoneInfo) -> Rows:
    return Rows(item, zone, held=False)
