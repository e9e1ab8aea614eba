"""XOP: an `xop:Include` in place of the base64 of an element, and the bytes somewhere else (W3C, 2005).

What the bytes travel in is the face's affair.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from lxml import etree

from ..contract import Complex, Field, Operation
from ..errors import Code, Refused
from ..spool import Content
from .validate import locate

MEDIA_TYPE = "application/xop+xml"
_XOP = "http://www.w3.org/2004/08/xop/include"
_INCLUDE = f"{{{_XOP}}}Include"

#: The binaries of a request that did not stand in it, each by the keys that lead to it in the decoded values.
Binaries = Mapping[tuple[str, ...], Content]
NONE: Binaries = MappingProxyType({})


def include(content_id: str) -> str:
    """Return the element that refers to a part."""
    return f'<xop:Include xmlns:xop="{_XOP}" href="cid:{content_id}"/>'


def take_out(payload: etree._Element, operation: Operation, attachment: Callable[[str], Content | None]) -> Binaries:
    """Empty the binary elements of a request that hold an Include, and return what it refers to.

    An Include in another place, or beside text, stays where it is, and the schema refuses it. `attachment` gives the
    content behind a `cid:` URL, None if there is none. Refused, INVALID_ATTACHMENT.
    """
    found: dict[tuple[str, ...], Content] = {}
    for path in ways(operation.request):
        # In any namespace: an account may be allowed to leave it out, which is seen to later.
        for element in payload.iterfind("/".join(f"{{*}}{field.name}" for field in path)):
            if len(element) == 1 and element[0].tag == _INCLUDE and _is_alone(element):
                found[tuple(field.key for field in path)] = _content(operation, element, attachment)
                del element[0]
                element.text = None
    return found


def put_in(values: dict[str, Any], binaries: Binaries) -> None:
    """Put the binaries that were taken out into the decoded values, where the emptied elements were."""
    for (*way, key), content in binaries.items():
        holder = values
        for step in way:
            holder = holder[step]
        holder[key] = content


@cache
def ways(kind: Complex) -> tuple[tuple[Field, ...], ...]:
    """Return the way to each base64Binary element of a request; the contract has none inside a list."""
    found: list[tuple[Field, ...]] = []
    for field in kind.fields:
        if isinstance(field.type, Complex):
            found += [] if field.type.item else [(field, *rest) for rest in ways(field.type)]
        elif field.type.primitive == "base64Binary":
            found.append((field,))
    return tuple(found)


def _is_alone(element: etree._Element) -> bool:
    return not (element.text or "").strip() and not (element[0].tail or "").strip()


def _content(operation: Operation, element: etree._Element, attachment: Callable[[str], Content | None]) -> Content:
    reference = element[0]
    href = reference.get("href", "").strip()
    # XOP lets an Include have attributes and elements of other namespaces, which mean nothing here.
    strange = [name for name in reference.attrib if name != "href" and not str(name).startswith("{")]
    strange += [str(child.tag) for child in reference if not str(child.tag).startswith("{")]
    if strange or href[:4].lower() != "cid:":
        message = "holds an xop:Include that is not one href with a cid: URL."
        raise _refused(operation, element, message, 'Write <xop:Include href="cid:…"/>.')
    content = attachment(href[4:])
    if content is None:
        message = f"refers to {href[:80]}, and no part has this Content-ID."
        raise _refused(operation, element, message, "Send the part in the same multipart/related message.")
    return content


def _refused(operation: Operation, element: etree._Element, message: str, hint: str) -> Refused:
    place = locate(operation, element)
    text = f"{place.field} {message}"
    return Refused(replace(place, code=Code.INVALID_ATTACHMENT, message=text, hint=hint, value=None))
