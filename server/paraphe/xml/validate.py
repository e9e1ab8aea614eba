"""A tree against the schema; each defect told in the caller's own terms.

libxml2 finds the defects. Its sentences and paths are for people who know it, so both are made anew here: the path
is written as /SyncStudents/students/student[17]/birthDate, and the sentence says what is wrong and what is expected.
"""

import re
import threading
from difflib import get_close_matches

from lxml import etree

from ..contract import NAMESPACE, Complex, Field, Operation, Simple, schema
from ..errors import Code, Error
from .decode import collapse

MAXIMUM_ERRORS = 100
_VALUE_LENGTH = 80
_local = threading.local()
_STEP = re.compile(r"(?:([^:/\[\]]+):)?([^:/\[\]]+)(?:\[(\d+)\])?$")
_EXAMPLES = {
    "date": "a date written YYYY-MM-DD, for example 1998-03-14",
    "dateTime": "a date with time, for example 2026-09-14T09:00:00+02:00",
    "boolean": "true or false",
    "int": "a whole number",
    "decimal": "a number with a point, for example 172.50",
    "base64Binary": "base64",
}


def defects(payload: etree._Element, operation: Operation) -> list[Error]:
    """Return what is wrong with a request, in the order of the input; an empty list when it is valid.

    White space around dates, which XML Schema allows and libxml2 refuses, is dropped from the tree on the way.
    """
    compiled = _schema()
    if compiled.validate(payload):
        return []
    if _strip_dates(payload, compiled.error_log):
        return defects(payload, operation)
    found: dict[tuple[str, str], Error] = {}
    for entry in compiled.error_log:
        error = _error(payload, operation, entry)
        # One defect makes libxml2 complain about the facet and again about the type.
        found.setdefault((error.path or "", error.field or ""), error)
    return list(found.values())


def locate(payload: etree._Element, operation: Operation, element: etree._Element) -> Error:
    """Return an error without sentence that says where `element` stands: path, line, value, item, field."""
    chain = [element]
    while chain[-1] is not payload:
        parent = chain[-1].getparent()
        if parent is None:
            break
        chain.append(parent)
    chain.reverse()
    return _place(operation, chain)


def _schema() -> etree.XMLSchema:
    # One for each thread: libxml2's list of errors belongs to the schema object, not to the call.
    compiled: etree.XMLSchema | None = getattr(_local, "schema", None)
    if compiled is None:
        compiled = _local.schema = etree.XMLSchema(etree.fromstring(etree.tostring(schema())))
    return compiled


def _strip_dates(payload: etree._Element, log: etree._ListErrorLog) -> bool:
    stripped = False
    for entry in log:
        if "'xs:date'" in entry.message or "'xs:dateTime'" in entry.message:
            element = _follow(payload, entry.path)[-1]
            if element.text and element.text != element.text.strip(" \t\r\n"):
                element.text = element.text.strip(" \t\r\n")
                stripped = True
    return stripped


def _follow(payload: etree._Element, path: str | None) -> list[etree._Element]:
    """Walk a path of libxml2 (/*/*[6]/p:student[17]) and return the elements on it, the payload first."""
    chain = [payload]
    for step in (path or "").split("/")[2:]:
        found = _STEP.match(step)
        if found is None:
            break
        prefix, name, position = found.groups()
        children = [
            child
            for child in chain[-1]
            if name == "*" or (child.prefix == prefix and etree.QName(child).localname == name)
        ]
        place = int(position or 1) - 1
        if place >= len(children):
            break
        chain.append(children[place])
    return chain


def _place(operation: Operation, chain: list[etree._Element]) -> Error:
    path, index, reference = "", None, None
    kind: Simple | Complex | None = operation.request
    field: Field | None = None
    for depth, element in enumerate(chain):
        name = etree.QName(element).localname
        path += f"/{name}"
        if depth == 0:
            continue
        field = _field(kind, name)
        kind = field.type if field else None
        if field is not None and field.many:
            position = 1 + len(list(element.itersiblings(preceding=True)))
            path += f"[{position}]"
            if depth == 2 and isinstance(kind, Complex):
                index = position
                reference = collapse(element.findtext(f"{{{NAMESPACE}}}reference") or "")[:64] or None
    last = chain[-1]
    return Error(
        Code.SCHEMA_INVALID,
        "",
        index=index,
        reference=reference,
        field=etree.QName(last).localname,
        line=int(last.sourceline or 0) or None,
        path=path,
        value=(last.text or "")[:_VALUE_LENGTH] if len(last) == 0 else None,
    )


def _field(kind: Simple | Complex | None, name: str) -> Field | None:
    if not isinstance(kind, Complex):
        return None
    return next((field for field in kind.fields if field.name == name), None)


def _error(payload: etree._Element, operation: Operation, entry: etree._LogEntry) -> Error:
    chain = _follow(payload, entry.path)
    place = _place(operation, chain)
    kind: Simple | Complex | None = operation.request
    parent: Simple | Complex | None = None
    for element in chain[1:]:
        field = _field(kind, etree.QName(element).localname)
        parent, kind = kind, field.type if field else None
    message, hint, field_name = _sentence(entry, chain, kind, parent)
    return Error(
        place.code,
        message,
        place.index,
        place.reference,
        field_name or place.field,
        hint,
        int(entry.line) or place.line,
        place.path,
        place.value,
    )


def _sentence(
    entry: etree._LogEntry,
    chain: list[etree._Element],
    kind: Simple | Complex | None,
    parent: Simple | Complex | None,
) -> tuple[str, str | None, str | None]:
    """Say what is wrong: sentence, hint, and the field when it is not the element at the place."""
    element = chain[-1]
    name = etree.QName(element).localname
    defect = entry.type_name.removeprefix("SCHEMAV_")
    expected = re.findall(r"\{[^}]*\}([\w.-]+)", entry.message.partition("Expected is")[2])
    if defect == "ELEMENT_CONTENT" and entry.message.partition("'")[2].partition("'")[2].startswith(": Missing"):
        candidates = [field for one in expected if (field := _field(kind, one))]
        missing = next((field for field in candidates if field.required), None)
        return (
            f"{missing.name if missing else 'An element'} is missing in {name}.",
            missing.documentation if missing else None,
            missing.name if missing else None,
        )
    if defect == "ELEMENT_CONTENT":
        return _unexpected(element, name, parent, expected)
    if defect == "CVC_COMPLEX_TYPE_2_3":
        return f"{name} holds text; it may hold elements only.", None, None
    if defect in ("CVC_COMPLEX_TYPE_3_2_1", "CVC_TYPE_3_1_1"):
        attribute = re.search(r"attribute '(?:\{[^}]*\})?([^']+)'", entry.message)
        return (
            f"{name} has the attribute {attribute[1] if attribute else '?'}, which is not allowed.",
            "Leave the attribute out; values stand in elements.",
            None,
        )
    if defect == "CVC_ELT_3_1":
        return f"{name} is marked as nil.", f"Leave {name} out when there is no value.", None
    if isinstance(kind, Simple):
        return _bad_value(defect, entry.message, name, kind, element.text or "")
    return f"{name} does not follow the schema.", "Compare it with the WSDL.", None


def _unexpected(
    element: etree._Element, name: str, parent: Simple | Complex | None, expected: list[str]
) -> tuple[str, str | None, str | None]:
    around = element.getparent()
    owner = etree.QName(around).localname if around is not None else "the message"
    namespace = etree.QName(element).namespace
    if namespace != NAMESPACE:
        return (
            f"{name} is in {'the namespace ' + namespace if namespace else 'no namespace'}.",
            f"It must be in the namespace {NAMESPACE}.",
            None,
        )
    names = [field.name for field in parent.fields] if isinstance(parent, Complex) else []
    if name not in names:
        close = get_close_matches(name, names, 1)
        return (
            f"There is no element {name} in {owner}.",
            f"Did you mean {close[0]}?" if close else f"Possible elements: {', '.join(names)}.",
            None,
        )
    before = [one for one in expected if one in names and names.index(one) < names.index(name)]
    required = isinstance(parent, Complex) and [f.name for f in parent.fields if f.required and f.name in before]
    if required:
        return f"{required[0]} is missing before {name} in {owner}.", None, required[0]
    return (
        f"{name} stands in the wrong place or twice in {owner}.",
        f"The order is: {', '.join(names)}.",
        None,
    )


def _bad_value(defect: str, message: str, name: str, kind: Simple, text: str) -> tuple[str, str | None, str | None]:
    hint = kind.documentation or None
    if not text.strip() and kind.primitive != "string":
        return f"{name} is empty.", f"Leave {name} out when there is no value.", None
    if kind.enumeration:
        return f"{name} must be one of: {', '.join(kind.enumeration)}.", hint, None
    numbers = re.findall(r"'(\d+)'", message.partition("]")[2])
    if defect == "CVC_MAXLENGTH_VALID" and len(numbers) == 2:
        return f"{name} has {numbers[0]} characters; at most {numbers[1]} are possible.", hint, None
    if defect == "CVC_MINLENGTH_VALID":
        return f"{name} is empty.", f"Leave {name} out when there is no value.", None
    if kind.primitive in _EXAMPLES and defect.startswith("CVC_DATATYPE_VALID"):
        return f"{name} must be {_EXAMPLES[kind.primitive]}.", hint, None
    return f"{name} is not written as it must be.", hint, None
