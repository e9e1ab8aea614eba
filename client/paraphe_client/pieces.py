"""The items of an XML file, read as a stream: as they stand there, in pieces, with a memory that stays flat.

An item is an element of the contract such as `student`, anywhere in the file but inside another item. The root may be a
`Sync…` element, an envelope, or anything else. The file is read twice: once to learn that it can be sent at all, before
anything is sent, and once to send it.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self

from lxml import etree

from .codec import NAMESPACE


class NotUsable(ValueError):  # noqa: N818 - the house names exceptions by what is the case
    """The file cannot be uploaded as asked; the message says why."""


@dataclass(frozen=True)
class Kind:
    """A repository: the operation that takes it, and the elements around and of one item."""

    operation: str
    array: str
    item: str


KINDS = {
    name: Kind(f"Sync{name.capitalize()}", name, name.removesuffix("s"))
    for name in ("students", "teachers", "classrooms", "courses", "contacts")
}
_OPTIONS = ("dryRun", "mode", "onError", "maxRemovals")
_TAGS = tuple(f"{{*}}{name}" for name in (*(kind.item for kind in KINDS.values()), *_OPTIONS))


class _Digesting:
    """A file whose content is hashed while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.digest.update(content)
        return content


class ItemFile:
    """A file of items of one kind. It stays open, so that a new file under the same name does no harm."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path = path
        self.kind = kind
        self._file = path.open("rb")
        self._stamp = self._now()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def survey(self, options: Mapping[str, str]) -> tuple[str, int]:
        """Read the whole file; return its SHA-256 and how many items it holds.

        Raises NotUsable: not XML, no items, or a `Sync…` element in it asks for something else than `options`.
        """
        self._file.seek(0)
        source = _Digesting(self._file)
        items = strangers = 0
        for element in self._elements(source):
            name = etree.QName(element)
            if name.namespace != NAMESPACE:
                strangers += name.localname == self.kind.item
            elif name.localname == self.kind.item:
                items += 1
            elif name.localname in options:
                self._compare(name.localname, (element.text or "").strip(), options[name.localname])
        if not items:
            where = "in another namespace than" if strangers else "in the namespace"
            raise NotUsable(f"{self.path} holds {strangers or 'no'} element(s) {self.kind.item} {where} {NAMESPACE}.")
        return source.digest.hexdigest(), items

    def pieces(self, size: int, *, skip: int) -> Iterator[list[bytes]]:
        """Yield the items after the first `skip`, as XML, `size` at a time."""
        self._file.seek(0)
        items = (element for element in self._elements(self._file) if element.tag == f"{{{NAMESPACE}}}{self.kind.item}")
        for _ in islice(items, skip):
            pass
        texts = (etree.tostring(item, encoding="UTF-8", with_tail=False) for item in items)
        while piece := list(islice(texts, size)):
            if self._now() != self._stamp:
                raise NotUsable(f"{self.path} was changed while it was being sent. Start again.")
            yield piece

    def _elements(self, source: BinaryIO | _Digesting) -> Iterator[etree._Element]:
        """Yield each item and each option of the file; an element is gone when the next one is asked for."""
        context = etree.iterparse(
            source,
            events=("start", "end"),
            tag=_TAGS,
            resolve_entities=False,
            no_network=True,
        )
        depth = 0
        try:
            for event, element in context:
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1 and element.getroottree().docinfo.doctype:
                    raise NotUsable(f"{self.path} has a document type declaration, which is never read.")
                if event == "end" and depth == 0:
                    yield element
                    _drop(element)
        except etree.XMLSyntaxError as error:
            raise NotUsable(f"{self.path} is not well-formed XML: {error.msg}.") from error

    def _compare(self, name: str, said: str, asked: str) -> None:
        value = {"1": "true", "0": "false"}.get(said, said) if name == "dryRun" else said
        if value and value != asked:
            raise NotUsable(
                f"{self.path} says {name} {said}, and the command says {asked or 'nothing of it'}. Make them agree."
            )

    def _now(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns


def _drop(element: etree._Element) -> None:
    """Free an element and what stands before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
