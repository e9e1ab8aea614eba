"""What is wrong with an element, in sentences that need no knowledge of XML Schema or of libxml2."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from lxml import etree

from ..contract import NAMESPACE, Complex, Simple
from ..errors import Code

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_EXAMPLES = {
    "date": "a date written YYYY-MM-DD, for example 1998-03-14",
    "dateTime": "a date with time, for example 2026-09-14T09:00:00+02:00",
    "boolean": "true or false",
    "int": "a whole number",
    "decimal": "a number with a point, for example 172.50",
    "base64Binary": "base64",
}
_ATTRIBUTES_NAMED = 5
_LEAVE_OUT = "Leave {} out when there is no value."


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong: at which element, and what. `field` is the member meant, if not the element itself.

    `about` says what of the element is wrong: "members", "text", "value", "attribute", "nil" or "type".
    """

    element: etree._Element
    about: str
    message: str
    hint: str | None = None
    field: str | None = None
    code: Code = Code.SCHEMA_INVALID


# What libxml2 has found ----------------------------------------------------------------------------------------


def about(entry: etree._LogEntry, element: etree._Element) -> str:
    """Say what an entry of libxml2's log is about; see Defect."""
    defect = entry.type_name.removeprefix("SCHEMAV_")
    if defect in ("ELEMENT_CONTENT", "CVC_COMPLEX_TYPE_2_1"):
        return "members"
    if defect == "CVC_COMPLEX_TYPE_2_3":
        return "text"
    if defect in ("CVC_COMPLEX_TYPE_3_2_1", "CVC_TYPE_3_1_1"):
        return "attribute"
    on_attribute = f", attribute '{XSI}" in entry.message[:400]
    if defect == "CVC_ELT_3_1" or (on_attribute and f"{XSI}nil" in entry.message[:400]):
        # An element without a value that is marked as nil is one mistake.
        return "value" if _is_empty(element) else "nil"
    return "type" if defect.startswith("CVC_ELT_4") or on_attribute else "value"


def of_entry(entry: etree._LogEntry, element: etree._Element, kind: Simple | Complex | None) -> Defect:
    """Tell an entry of libxml2's log about an element of type `kind`; not for what is about its members."""
    name, concern = etree.QName(element).localname, about(entry, element)
    if concern == "text":
        return text_between(element)
    if concern == "attribute":
        return Defect(element, concern, _attributes(element, name), "Leave attributes out; values stand in elements.")
    if element.get(f"{XSI}nil") is not None and (concern == "nil" or (concern == "value" and _is_empty(element))):
        return Defect(element, concern, *_nil(element, name))
    if concern == "type":
        message = f"{name} has the attribute xsi:type, and not with the type that it has in the schema."
        return Defect(element, concern, message, "Leave xsi:type out.")
    if isinstance(kind, Simple) and len(element):
        return Defect(element, concern, f"{name} holds elements; it may hold text only.", kind.documentation or None)
    if isinstance(kind, Simple):
        defect = entry.type_name.removeprefix("SCHEMAV_")
        return Defect(element, concern, *_bad_value(defect, entry.message, name, kind, element.text or ""))
    return unexplained(element)


def _is_empty(element: etree._Element) -> bool:
    return len(element) == 0 and not (element.text or "").strip(" \t\r\n")


def unexplained(element: etree._Element) -> Defect:
    """Say that something is wrong with an element of which nothing more is known."""
    name = etree.QName(element).localname
    return Defect(element, "members", f"{name} does not follow the schema.", "Compare it with the WSDL.")


def _attributes(element: etree._Element, name: str) -> str:
    keys = [etree.QName(key) for key in element.keys()[: _ATTRIBUTES_NAMED + 4]]
    names = [key.localname[:80] for key in keys if f"{{{key.namespace}}}" != XSI][:_ATTRIBUTES_NAMED]
    if len(names) == 1:
        return f"{name} has the attribute {names[0]}, which is not allowed."
    return f"{name} has attributes, which are not allowed: {', '.join(names)}."


def _nil(element: etree._Element, name: str) -> tuple[str, str]:
    if element.get(f"{XSI}nil", "").strip() in ("true", "1"):
        return f"{name} is marked as nil.", _LEAVE_OUT.format(name)
    return f"{name} has the attribute xsi:nil, which is not allowed.", "Leave the attribute out; the value says it all."


def _bad_value(defect: str, message: str, name: str, kind: Simple, text: str) -> tuple[str, str | None]:
    hint = kind.documentation or None
    if not text.strip() and kind.primitive != "string":
        return f"{name} is empty.", _LEAVE_OUT.format(name)
    if kind.enumeration:
        spaced = "Send it without white space around it." if text.strip() in kind.enumeration else hint
        return f"{name} must be one of: {', '.join(kind.enumeration)}.", spaced
    numbers = re.findall(r"'(\d+)'", message.partition("]")[2])
    if defect == "CVC_MAXLENGTH_VALID" and len(numbers) == 2:
        return f"{name} has {numbers[0]} characters; at most {numbers[1]} are possible.", hint
    if defect == "CVC_MINLENGTH_VALID" and text.strip() and len(numbers) == 2:
        return f"{name} has {numbers[0]} characters; at least {numbers[1]} are needed.", hint
    if not text.strip(" \t\r\n"):
        return f"{name} is empty.", _LEAVE_OUT.format(name)
    if kind.primitive in _EXAMPLES and defect.startswith("CVC_DATATYPE_VALID"):
        return f"{name} must be {_EXAMPLES[kind.primitive]}.", hint
    return f"{name} is not written as it must be.", hint


# What is wrong with the members of an element ------------------------------------------------------------------


def text_between(element: etree._Element) -> Defect:
    """Say that an element holds text between its members."""
    name = etree.QName(element).localname
    return Defect(element, "text", f"{name} holds text, which stands in no element of its own.")


def of_other_namespace(element: etree._Element) -> Defect:
    """Say that an element is in a namespace that is not the contract's."""
    name = etree.QName(element)
    place = f"the namespace {name.namespace[:80]}" if name.namespace else "no namespace"
    message = f"{name.localname[:80]} is in {place}."
    return Defect(element, "members", message, f"It must be in the namespace {NAMESPACE}.")


def unknown(element: etree._Element, owner: str, names: list[str], meant: str | None) -> Defect:
    """Say that `owner` has no such member; `names` are those that it has, `meant` is the one that may be meant."""
    hint = f"Did you mean {meant}?" if meant else f"Possible elements: {', '.join(names) or 'none'}."
    message = f"There is no element {etree.QName(element).localname[:80]} in {owner}."
    return Defect(element, "members", message, hint)


def misplaced(element: etree._Element, owner: str, names: list[str], *, twice: bool) -> Defect:
    """Say that a member stands where it may not, or a second time."""
    name = etree.QName(element).localname
    if twice:
        return Defect(element, "members", f"{name} stands twice in {owner}.", f"Send {name} once.")
    return Defect(
        element, "members", f"{name} stands in the wrong place in {owner}.", f"The order is: {', '.join(names)}."
    )


def missing(at: etree._Element, owner: str, field: str, documentation: str, *, before: bool) -> Defect:
    """Say that a required member is missing: before the element `at`, or in it."""
    place = f"before {etree.QName(at).localname} in {owner}" if before else f"in {owner}"
    return Defect(at, "members", f"{field} is missing {place}.", documentation or None, field)


class Guesses:
    """Guesses which name was meant, so many times: each takes as long as the validation of a student."""

    def __init__(self, left: int = 200) -> None:
        self._left = left

    def __call__(self, name: str, names: list[str]) -> str | None:
        """Return the name that is nearly `name`, if there is one and guesses are left."""
        if not self._left:
            return None
        self._left -= 1
        close = get_close_matches(name[:80], names, 1)
        return close[0] if close else None
