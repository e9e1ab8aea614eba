"""MTOM: binaries beside the envelope instead of inside it, as XOP packages them into multipart/related.

In: the root part is the envelope, wherever it stands; parts that nothing refers to (SwA) are ignored. Out: only to
callers who sent such a message or say that they accept one, and only answers that hold binaries. Faults and other
answers stay plain, which every stack reads. docs/decisions/2026-11-22-attachments-out.md says who was tried.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from urllib.parse import unquote

from pybase64 import b64encode

from ...spool import Body, Content, InBase64, InFile, Spooled, joined, nameless, spooled
from ...xml import xop
from .. import http
from .envelope import MEDIA_TYPES
from .multipart import Part, broken, split

MEDIA_TYPE = "multipart/related"
_ROOT_TYPES = (xop.MEDIA_TYPE, "text/xml", "application/soap+xml", "application/xml", "")
# CXF refuses a message with more than 50 attachments unless told otherwise (CVE-2019-12406).
MAXIMUM_ATTACHED = 45
_BOUNDARY_LENGTH = 200
_NO_QUALITY = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")


@dataclass(frozen=True, slots=True)
class Package:
    """What a multipart message holds: the part with the envelope, and all parts by their Content-ID."""

    root: Part
    parts: Mapping[str, Part]
    #: Whether it is XOP, so that the answer may be, too.
    is_xop: bool
    #: Gives a place for large content.
    place: Callable[[], Spooled]

    def envelope(self) -> Content:
        """Return the content of the root part. Raises OSError."""
        return self.root.content(self.place)

    def attachment(self, reference: str) -> Content | None:
        """Return the content of the part that a `cid:` URL refers to; None if there is none. Raises OSError.

        The URL is percent-encoded (RFC 2392); some stacks encode the Content-ID alike, which they should not.
        """
        part = self.parts.get(unquote(reference)) or self.parts.get(reference)
        content = None if part is None else part.content(self.place)
        if isinstance(content, InFile) and not isinstance(content, Spooled):
            return spooled(content.pieces(), self.place())
        return content


def unpack(body: Content, parameters: Mapping[str, str], place: Callable[[], Spooled] = nameless) -> Package:
    """Take a multipart message apart; Refused, INVALID_ATTACHMENT, or UNSUPPORTED_MEDIA_TYPE for a root that is no XML.

    `parameters` are those of the Content-Type. Without `start` the first part is the root.
    `place` is for what is large.
    """
    boundary = parameters.get("boundary", "")
    if not boundary or len(boundary) > _BOUNDARY_LENGTH:
        raise broken(
            f"The Content-Type names no boundary of 1 to {_BOUNDARY_LENGTH} characters.",
            'Write it as multipart/related; type="application/xop+xml"; boundary="…".',
        )
    parts = split(body, boundary)
    known = {part.content_id: part for part in parts if part.content_id}
    if len(known) < sum(1 for part in parts if part.content_id):
        raise broken("Two parts have the same Content-ID.", "Give each part a Content-ID of its own.")
    root = _root(parts, known, parameters.get("start", "").strip().removeprefix("<").removesuffix(">"))
    if root.kind not in _ROOT_TYPES:
        raise http.media_type_refused(root.kind, "The root part is the envelope: application/xop+xml or text/xml.")
    is_xop = xop.MEDIA_TYPE in (root.kind, parameters.get("type", "").lower())
    return Package(root, {unquote(name): part for name, part in known.items()} | known, is_xop, place)


def _root(parts: list[Part], known: Mapping[str, Part], start: str) -> Part:
    if not parts:
        raise broken("The multipart message has no part.", "Its first part, or the one that start names, is the root.")
    root = known.get(start) or known.get(unquote(start)) if start else parts[0]
    if root is None:
        raise broken(
            f"No part has the Content-ID {start[:80]}, which the parameter start of the Content-Type names.",
            "Give the part with the envelope this Content-ID, or leave the parameter out and put it first.",
        )
    return root


def is_wanted(accept: str, *, sent: bool) -> bool:
    """Say whether an answer may be a package, from the header Accept and whether the message was one itself."""
    accept, ranges = accept.lower(), {}
    if not sent and MEDIA_TYPE not in accept:
        return False
    for one in accept.split(","):
        kind, *parameters = one.split(";")
        ranges[kind.strip()] = not any(map(_NO_QUALITY.fullmatch, parameters))
    if "application/dime" in ranges:
        return False  # Axis 1.x, whose multipart/related is SwA: it does not know xop:Include
    if MEDIA_TYPE in ranges:
        return ranges[MEDIA_TYPE]
    return sent and (not accept.strip() or ranges.get("multipart/*", ranges.get("*/*", False)))


class Attached:
    """Collects the binaries of one answer, and puts them and the envelope into a package."""

    def __init__(self) -> None:
        self._mark = token_hex(16)
        self._contents: list[Content] = []

    def __bool__(self) -> bool:
        return bool(self._contents)

    def attach(self, content: Content) -> str:
        """Take a binary and return what stands for it in its element: a reference, or itself once there are many."""
        if len(self._contents) == MAXIMUM_ATTACHED:
            return b64encode(bytes(content)).decode("ascii")
        self._contents.append(content)
        return xop.include(self._content_id(len(self._contents)))

    def _content_id(self, number: int) -> str:
        return f"{number}.{self._mark}@paraphe"

    def media_type(self, version: str) -> str:
        """Return the Content-Type of the package."""
        inner = MEDIA_TYPES[version].partition(";")[0]
        return (
            f'{MEDIA_TYPE}; type="{xop.MEDIA_TYPE}"; boundary="{self._mark}"; '
            f'start="<{self._content_id(0)}>"; start-info="{inner}"'
        )

    def package(self, version: str, envelope: Content) -> Body:
        """Return the package. Its boundary has 128 random bits, so that no part holds it."""
        inner = MEDIA_TYPES[version].partition(";")[0]
        parts: list[bytes | InFile | InBase64] = [
            self._head(0, f'{xop.MEDIA_TYPE}; charset=utf-8; type="{inner}"'),
            envelope,
        ]
        for number, content in enumerate(self._contents, 1):
            parts += [b"\r\n", self._head(number, "application/octet-stream"), content]
        parts.append(f"\r\n--{self._mark}--\r\n".encode())
        return joined(parts)

    def _head(self, number: int, kind: str) -> bytes:
        return (
            f"--{self._mark}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{self._content_id(number)}>\r\n\r\n"
        ).encode()
