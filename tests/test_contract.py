"""The contract as it is published: one source, fresh files, and the rules that sixteen stub generators need."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree

from paraphe import contract
from paraphe.contract import XS, Complex
from paraphe.errors import Code
from paraphe.faces.soap import wsdl

ROOT = Path(__file__).resolve().parents[1]
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
BINDINGS = {"1.1": "{http://schemas.xmlsoap.org/wsdl/soap/}", "1.2": "{http://schemas.xmlsoap.org/wsdl/soap12/}"}
TNS = f"{{{contract.NAMESPACE}}}"
OPERATIONS = list(contract.operations())
versions = pytest.mark.parametrize("version", wsdl.FILES)

# Words that some generator cannot use as a name (reference: what WSDL features do to generators).
TYPES_NOT_TO_USE = {"Record", "Object", "Date", "Class", "Error", "List", "String", "Fault", "Exception"}
MEMBERS_NOT_TO_USE = {
    "max",
    "min",
    "class",
    "default",
    "public",
    "private",
    "new",
    "delete",
    "return",
    "int",
    "package",
}


@cache
def document(version: str) -> etree._Element:
    return etree.fromstring(files("paraphe.wsdl").joinpath(wsdl.FILES[version]).read_bytes())


@cache
def composed() -> etree._Element:
    """The one schema, as it stands inside the WSDL."""
    (found,) = document("1.1").iter(f"{XS}schema")
    return found


def exclusively(element: etree._Element) -> bytes:
    """An element as text, without what its surroundings declare."""
    return etree.tostring(element, method="c14n", exclusive=True)


def one(parent: etree._Element, tag: str) -> etree._Element:
    (found,) = parent.findall(tag)
    return found


# One source ----------------------------------------------------------------------------------------------------


def test_the_codes_are_the_enumeration_in_its_order():
    kind = contract.types()["ErrorCode"]

    assert isinstance(kind, contract.Simple)
    assert [str(code) for code in Code] == list(kind.enumeration)


@versions
def test_the_committed_file_is_what_the_schemas_make(version):
    committed = (ROOT / "wsdl" / wsdl.FILES[version]).read_bytes()

    assert committed == wsdl.compose(version)


@versions
def test_what_is_served_is_the_committed_file_with_the_address_put_in(version):
    committed = (ROOT / "wsdl" / wsdl.FILES[version]).read_bytes()
    served = wsdl.published(version, "https://exchange.centre.example/here/")

    assert wsdl.PLACEHOLDER.encode() in committed
    there = b"https://exchange.centre.example/here/soap/v1"
    assert etree.tostring(etree.fromstring(served), method="c14n") == etree.tostring(
        etree.fromstring(committed.replace(wsdl.PLACEHOLDER.encode(), there)), method="c14n"
    )


def test_there_are_fifteen_operations():
    assert len(OPERATIONS) == 15


@versions
def test_both_documents_hold_the_same_schema_and_the_same_operations(version):
    (schema,) = document(version).iter(f"{XS}schema")
    port_type = one(document(version), f"{WSDL}portType")

    assert exclusively(schema) == exclusively(composed())
    assert [each.get("name") for each in port_type.iter(f"{WSDL}operation")] == OPERATIONS


# Validators ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", contract.FILES)
def test_each_file_of_the_schema_compiles_alone(name):
    path = ROOT / "xsd" / f"{name}.xsd"

    etree.XMLSchema(etree.parse(path))
    assert xmlschema.XMLSchema(path).target_namespace == contract.NAMESPACE


def test_every_file_of_the_schema_is_listed():
    assert {path.stem for path in (ROOT / "xsd").glob("*.xsd")} == set(contract.FILES)


@versions
def test_the_schema_inside_the_document_compiles_with_two_validators(version):
    (inline,) = document(version).iter(f"{XS}schema")
    alone = etree.tostring(inline)

    etree.XMLSchema(etree.fromstring(alone))
    second = xmlschema.XMLSchema(alone.decode())
    assert set(OPERATIONS) <= set(second.elements)


def test_groups_are_written_out_and_say_the_same():
    """A message valid by the files is valid by the composed schema: same types, same order."""
    by_files = xmlschema.XMLSchema(ROOT / "xsd" / "messages.xsd")
    together = xmlschema.XMLSchema(etree.tostring(contract.schema()).decode())

    for name, kind in by_files.types.items():
        assert _members(kind) == _members(together.types[name])
    assert next(composed().iter(f"{XS}group"), None) is None


def _members(kind: Any) -> list[str]:
    return [element.name for element in kind.content.iter_elements()] if kind.is_complex() else []


# Words ---------------------------------------------------------------------------------------------------------


def test_every_element_and_every_type_is_explained():
    silent = [
        node.get("name")
        for node in composed().iter(f"{XS}element", f"{XS}complexType", f"{XS}simpleType")
        if node.get("name") and not _explained(node)
    ]

    assert silent == []


def _explained(node: etree._Element) -> bool:
    """Whether a node has words of its own, or is a wrapper whose inside has them."""
    if (node.findtext(f"{XS}annotation/{XS}documentation") or "").strip():
        return True
    name, parent = node.get("name", ""), node.getparent()
    if parent is not None and parent.tag == f"{XS}schema":
        # …Response, and an element of the same name as its type, are explained by what they hold.
        return name.endswith("Response") or node.get("type") == f"tns:{name}"
    # The one element of an ArrayOf…, or the …Result of a …Response, is explained by its type.
    return parent is not None and len(parent) == 1


@versions
def test_every_operation_is_explained(version):
    port_type = one(document(version), f"{WSDL}portType")

    for operation in port_type.iter(f"{WSDL}operation"):
        assert (operation.findtext(f"{WSDL}documentation") or "").strip(), operation.get("name")


def test_every_value_of_the_error_codes_is_explained():
    kind = next(node for node in composed().iter(f"{XS}simpleType") if node.get("name") == "ErrorCode")

    assert all(
        (value.findtext(f"{XS}annotation/{XS}documentation") or "").strip() for value in kind.iter(f"{XS}enumeration")
    )


# Rules for stub generators: each names its number in the reference ---------------------------------------------


@versions
def test_rule_1_document_literal_wrapped_with_one_schema_and_one_namespace(version):
    root = document(version)
    binding = BINDINGS[version]

    assert len(list(root.iter(f"{XS}schema"))) == 1
    assert composed().get("elementFormDefault") == "qualified"
    assert composed().get("targetNamespace") == root.get("targetNamespace") == contract.NAMESPACE
    assert {each.get("style") for each in root.iter(f"{binding}binding", f"{binding}operation")} == {"document"}
    assert {each.get("use") for each in root.iter(f"{binding}body", f"{binding}header", f"{binding}fault")} == {
        "literal"
    }
    assert not list(root.iter(f"{XS}import", f"{XS}include"))


@versions
def test_rule_2_wrappers_results_and_parts_have_the_names_that_generators_look_for(version):
    root = document(version)
    parts = {
        message.get("name"): [(part.get("name"), part.get("element")) for part in message.iter(f"{WSDL}part")]
        for message in root.iter(f"{WSDL}message")
    }

    for operation in one(root, f"{WSDL}portType").iter(f"{WSDL}operation"):
        name = operation.get("name")
        request, answer = (one(operation, f"{WSDL}{which}").get("message", "") for which in ("input", "output"))
        assert parts[request.removeprefix("tns:")] == [("parameters", f"tns:{name}")]
        assert parts[answer.removeprefix("tns:")] == [("parameters", f"tns:{name}Response")]
        response = next(node for node in composed() if node.get("name") == f"{name}Response")
        (result,) = response.iterfind(f"{XS}complexType/{XS}sequence/{XS}element")
        assert result.get("name") == f"{name}Result"
    assert parts["ServiceException"] == [("fault", "tns:ServiceFault")]


@versions
def test_rule_3_one_service_with_one_port_of_one_version(version):
    root = document(version)
    other = next(each for each in BINDINGS if each != version)

    for tag in ("service", "portType", "binding"):
        assert len(root.findall(f"{WSDL}{tag}")) == 1
    assert len(list(root.iter(f"{WSDL}port"))) == len(list(root.iter(f"{BINDINGS[version]}address"))) == 1
    assert not [node for node in root.iter() if str(node.tag).startswith(BINDINGS[other])]


@versions
def test_rule_4_names_are_distinct(version):
    root = document(version)
    names = [one(root, f"{WSDL}{tag}").get("name") for tag in ("service", "portType", "binding")]
    names += [port.get("name") for port in root.iter(f"{WSDL}port")]
    names += [message.get("name") for message in root.iter(f"{WSDL}message")]
    names += [node.get("name") for node in composed()]

    allowed_twice = {node.get("name") for node in composed() if node.tag == f"{XS}element" and node.get("type")}
    assert {name for name in names if names.count(name) > 1} <= allowed_twice


@versions
def test_rule_5_no_parameter_order_and_no_unused_namespaces(version):
    root = document(version)
    text = etree.tostring(root).decode()

    assert not [node for node in root.iter() if node.get("parameterOrder")]
    for prefix, namespace in root.nsmap.items():
        assert f"<{prefix}:" in text or f'"{prefix}:' in text, namespace


@versions
def test_rule_6_each_soap_action_is_an_absolute_uri_of_its_own(version):
    actions = [each.get("soapAction", "") for each in document(version).iter(f"{BINDINGS[version]}operation")]

    assert len(set(actions)) == len(actions) == 15
    assert all(re.fullmatch(r"urn:[\w:]+", action) for action in actions)


def test_rule_7_lists_are_types_of_their_own_with_one_repeated_element():
    for node in composed().iter(f"{XS}element"):
        if node.get("maxOccurs", "1") == "1":
            continue
        sequence = node.getparent()
        assert sequence is not None
        owner = sequence.getparent()
        assert owner is not None
        assert owner.get("name", "").startswith("ArrayOf")
        assert len(sequence) == 1
        assert (node.get("minOccurs"), node.get("maxOccurs")) == ("0", "unbounded")


def test_rule_8_optional_is_never_nillable():
    assert not [node.get("name") for node in composed().iter() if node.get("nillable")]


def test_rule_9_simple_types_are_those_that_stubs_take_well():
    bases = {node.get("base") for node in composed().iter(f"{XS}restriction")}
    kinds = {node.get("type", "") for node in composed().iter(f"{XS}element")}
    taken = {"string", "int", "decimal", "boolean", "date", "dateTime", "base64Binary"}

    assert {name for name in bases | kinds if name and name.startswith("xs:")} <= {f"xs:{name}" for name in taken}
    values = [value.get("value", "") for value in composed().iter(f"{XS}enumeration")]
    assert [value for value in values if not re.fullmatch(r"[A-Z][A-Z0-9_]*", value)] == []


def test_rule_9_the_return_code_is_a_string_and_no_enumeration():
    codes = [node for node in composed().iter(f"{XS}element") if node.get("name") == "returnCode"]

    assert len(codes) > 5
    assert {node.get("type") for node in codes} == {"xs:string"}


@pytest.mark.parametrize(
    "construct", ["choice", "any", "all", "attribute", "anyAttribute", "extension", "union", "list"]
)
def test_rule_11_constructs_that_break_stubs_are_not_used(construct):
    assert not list(composed().iter(f"{XS}{construct}"))


def test_rule_11_no_defaults_and_no_unnamed_restrictions():
    assert not [node for node in composed().iter() if node.get("default") or node.get("fixed")]
    assert all(node.get("name") for node in composed().iter(f"{XS}simpleType"))


def test_rule_12_names_are_ascii_letters_and_none_that_a_language_keeps_for_itself():
    for node in composed().iter(f"{XS}element", f"{XS}complexType", f"{XS}simpleType"):
        name = node.get("name")
        if name is not None:
            assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name)
            assert name not in (MEMBERS_NOT_TO_USE if node.tag == f"{XS}element" else TYPES_NOT_TO_USE)


@versions
def test_rule_13_the_header_has_a_message_of_its_own_and_optional_members(version):
    root = document(version)
    headers = list(root.iter(f"{BINDINGS[version]}header"))

    assert len(headers) == 15
    assert {(each.get("message"), each.get("part")) for each in headers} == {("tns:CredentialsHeader", "credentials")}
    assert all(not field.required for field in contract.complex_type("Credentials").fields)


@versions
def test_rule_14_one_fault_for_all_whose_message_is_not_named_as_its_type(version):
    root = document(version)
    faults = {each.get("message") for each in root.iter(f"{WSDL}fault") if each.get("message")}

    assert faults == {"tns:ServiceException"}
    members = [field.name for field in contract.complex_type("ServiceFault").fields]
    assert members == ["returnCode", "message", "requestId", "duplicate", "errors", "hint"]


def test_every_answer_begins_with_the_members_of_a_fault():
    members = [field.name for field in contract.complex_type("ServiceFault").fields]

    for operation in contract.operations().values():
        assert [field.name for field in operation.result.fields][: len(members)] == members


def test_every_text_that_a_caller_sends_has_a_limit():
    """A Label, a Reference…: nothing that is stored is of any length."""
    unlimited = set()

    def walk(kind: Complex) -> None:
        for field in kind.fields:
            if isinstance(field.type, Complex):
                walk(field.type)
            elif field.type.name == "xs:string":
                unlimited.add(field.name)

    for operation in contract.operations().values():
        walk(operation.request)

    assert unlimited == set()
